/* SPDX-License-Identifier: Apache-2.0 */
/* test_schema.c - http/schema: the shorthand of answers as JSON Schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/json_field.h"
#include "http/schema.h"

static void reads_the_shorthand(void **state)
{
	static const struct {
		const char *text, *json;
	} table[] = {
		{ "string", "{\"type\":\"string\"}" },
		{ " [ int ] ", "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}" },
		{ "(bool)",
		  "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"boolean\"}}" },
		{ "'a|b'", "{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}" },
		{ "<vm>", "{\"$ref\":\"#/components/schemas/vm\"}" },
		{ "time|null",
		  "{\"anyOf\":[{\"type\":\"string\",\"format\":\"date-time\"},{\"type\":\"null\"}]}" },
		{ "{a:uuid, b?:any}",
		  "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"format\":\"uuid\"},"
		  "\"b\":{}},\"required\":[\"a\"],\"additionalProperties\":false}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		AUTO(json) json_t *got = NULL;
		AUTO(json) json_t *want = json_loads(table[i].json, 0, NULL);

		assert_int_equal(http_schema_json(table[i].text, &got, NULL), 0);
		assert_true(json_equal(got, want));
	}
}

static void refuses_what_is_malformed(void **state)
{
	static const char *const bad[] = { "",	       "strin",	 "{a}",	  "{a:string",
					   "[int",     "'a",	 "''",	  "<vm",
					   "string x", "{:int}", "(int]", "int|nul" };
	json_t *schema = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(http_schema_json(bad[i], &schema, NULL), -EBADMSG);
		assert_null(schema);
	}
	assert_int_equal(http_schema_json("[[[[[[[[[[[[[[[[[[[[[[[[int]]]]]]]]]]]]]]]]]]]]]]]]",
					  &schema, NULL),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_shorthand),
		cmocka_unit_test(refuses_what_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
