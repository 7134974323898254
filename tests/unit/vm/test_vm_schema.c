/* SPDX-License-Identifier: Apache-2.0 */
/* test_vm_schema.c - each keyword of the schema subset, its pointer, and schemas that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control/vm/vm_schema.h"

static int check(const char *schema, const char *document, struct vm_schema_error *first)
{
	struct vm_schema_error errors[4];
	json_t *s = json_loads(schema, JSON_DECODE_ANY, NULL);
	json_t *d = json_loads(document, JSON_DECODE_ANY, NULL);
	struct error err = { 0 };
	int r;

	assert_non_null(s);
	assert_non_null(d);
	memset(errors, 0, sizeof(errors));
	r = vm_schema_check(s, d, errors, 4, &err);
	*first = errors[0];
	json_decref(s);
	json_decref(d);
	return r;
}

static void keywords_find_what_is_wrong(void **state)
{
	static const struct {
		const char *schema, *bad, *good, *pointer;
	} rows[] = {
		{ "{\"type\":\"string\"}", "7", "\"a\"", "" },
		{ "{\"type\":\"integer\"}", "7.5", "7", "" },
		{ "{\"type\":\"boolean\"}", "null", "true", "" },
		{ "{\"const\":1}", "2", "1", "" },
		{ "{\"enum\":[\"a\",\"b\"]}", "\"c\"", "\"b\"", "" },
		{ "{\"minimum\":5}", "4", "5", "" },
		{ "{\"maximum\":5}", "6", "5", "" },
		{ "{\"minLength\":2}", "\"a\"", "\"ab\"", "" },
		{ "{\"maxLength\":2}", "\"abc\"", "\"\xc3\xa4\xc3\xa4\"", "" },
		{ "{\"pattern\":\"^a+$\"}", "\"ab\"", "\"aa\"", "" },
		{ "{\"minItems\":1}", "[]", "[1]", "" },
		{ "{\"maxItems\":1}", "[1,2]", "[1]", "" },
		{ "{\"uniqueItems\":true}", "[1,2,1]", "[1,2]", "/2" },
		{ "{\"items\":{\"type\":\"string\"}}", "[\"a\",1]", "[\"a\"]", "/1" },
		{ "{\"required\":[\"a\"]}", "{}", "{\"a\":1}", "/a" },
		{ "{\"properties\":{\"a/b\":{\"const\":1}}}", "{\"a/b\":2}", "{\"a/b\":1}",
		  "/a~1b" },
		{ "{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"b\":1}",
		  "{\"a\":1}", "/b" },
	};
	struct vm_schema_error first;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(check(rows[i].schema, rows[i].good, &first), 0);
		assert_int_equal(check(rows[i].schema, rows[i].bad, &first), 1);
		assert_string_equal(first.pointer, rows[i].pointer);
		assert_true(first.detail[0] != '\0');
	}
}

static void wrong_type_is_told_once(void **state)
{
	struct vm_schema_error first;

	(void)state;
	assert_int_equal(check("{\"type\":\"string\",\"minLength\":1,\"pattern\":\"x\"}", "7",
			       &first),
			 1);
}

static void wrong_schemas_are_refused(void **state)
{
	static const char *const bad[] = { "7",
					   "{\"typo\":1}",
					   "{\"type\":7}",
					   "{\"enum\":7}",
					   "{\"pattern\":\"(\"}",
					   "{\"properties\":7}",
					   "{\"required\":[7]}" };
	struct vm_schema_error first;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(check(bad[i], "{}", &first), -EINVAL);
}

static void findings_are_bounded(void **state)
{
	struct vm_schema_error first;

	(void)state;
	assert_int_equal(check("{\"items\":{\"const\":0}}", "[1,1,1,1,1,1,1,1]", &first), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keywords_find_what_is_wrong),
		cmocka_unit_test(wrong_type_is_told_once),
		cmocka_unit_test(wrong_schemas_are_refused),
		cmocka_unit_test(findings_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
