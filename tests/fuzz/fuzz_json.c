/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json.c - any bytes as a JSON body, read through a table with every kind of member. */
#include "fuzz.h"

#include <string.h>

#include "base/json_field.h"

static const char *const colours[] = { "red", "green", NULL };

struct inner {
	char *name;
	uint32_t count;
};
struct outer {
	char *name;
	uint32_t count;
	int64_t big;
	bool on;
	uint32_t colour;
	int64_t at;
	struct json_strings words;
	struct inner inner;
	json_t *any;
	uint8_t inner_presence;
};

static const struct json_field inner_fields[] = {
	JSON_STRING(struct inner, name, .required = true, .min = 1, .max = 8),
	JSON_U32(struct inner, count, .max = 100),
	JSON_END,
};
static const struct json_field fields[] = {
	JSON_STRING(struct outer, name, .max = 64, .nullable = true),
	JSON_U32(struct outer, count, .min = 1, .max = 64),
	JSON_I64(struct outer, big),
	JSON_BOOL(struct outer, on),
	JSON_ENUM(struct outer, colour, .choices = colours),
	JSON_TIME(struct outer, at),
	JSON_STRINGS(struct outer, words, .max = 4),
	JSON_OBJECT(struct outer, inner, inner_fields, .nullable = true,
		    JSON_PRESENCE(struct outer, inner_presence)),
	JSON_ANY(struct outer, any),
	JSON_END,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outer out = { .count = 1 };
	struct error err = { 0 };
	json_t *json = NULL;

	if (json_parse(slice_make(data, size), &json, &err) < 0) {
		MUST(json == NULL && err.code < 0);
		return 0;
	}
	if (json_read(json, fields, &out, &err) == 0)
		MUST(out.count >= 1 && out.count <= 64 && out.colour <= 1);
	else
		MUST(err.code < 0);
	json_release(fields, &out);
	json_decref(json);
	return 0;
}
