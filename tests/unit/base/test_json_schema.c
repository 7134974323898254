/* SPDX-License-Identifier: Apache-2.0 */
/* json_schema: the schema says what the reader enforces. */
#include "base/json_field.h"
#include "unit.h"

struct body {
	char *name;
	uint32_t cpus;
	char *password;
	struct json_objects phones;
};
struct phone {
	char *mac;
};

static const struct json_field phone_fields[] = {
	JSON_STRING(struct phone, mac, .required = true),
	JSON_END,
};
static const struct json_field fields[] = {
	JSON_STRING(struct body, name, .required = true, .min = 1, .max = 63),
	JSON_U32(struct body, cpus, .min = 1, .max = 64, .nullable = true),
	JSON_STRING(struct body, password, .write_only = true),
	JSON_OBJECTS(struct body, phones, struct phone, phone_fields, .max = 4),
	JSON_END,
};

static void schema_mirrors_the_table(void **state)
{
	json_t *schema = json_schema(fields);
	json_t *want = json_loads(
		"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"name\"],"
		"\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":63},"
		"\"cpus\":{\"type\":[\"integer\",\"null\"],\"minimum\":1,\"maximum\":64},"
		"\"password\":{\"type\":\"string\",\"writeOnly\":true},"
		"\"phones\":{\"type\":\"array\",\"maxItems\":4,\"items\":{\"type\":\"object\","
		"\"additionalProperties\":false,\"required\":[\"mac\"],\"properties\":{\"mac\":"
		"{\"type\":\"string\"}}}}}}",
		0, NULL);

	(void)state;
	assert_non_null(want);
	assert_true(json_equal(schema, want));
	json_decref(schema);
	json_decref(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(schema_mirrors_the_table) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
