/* SPDX-License-Identifier: Apache-2.0 */
/* test_rows.c - typed getters of query results. */
#include "store/rows.h"
#include "store/rows_build.h"

#include "base/json_field.h"

#include <string.h>

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void push(struct store_rows *rows, const char *text)
{
	assert_int_equal(store_rows_push(rows, text, text ? strlen(text) : 0), 0);
}

static void getters_read_what_was_pushed(void **state)
{
	AUTO(store_rows) struct store_rows *rows = store_rows_new(3);
	AUTO(json) json_t *doc = NULL;

	push(rows, "42");
	push(rows, NULL);
	push(rows, "t");
	push(rows, "-9223372036854775808");
	push(rows, "{\"a\":1}");
	push(rows, "f");
	assert_int_equal(store_rows_count(rows), 2);
	assert_int_equal(store_rows_i64(rows, 0, 0, 7), 42);
	assert_true(store_rows_null(rows, 0, 1));
	assert_null(store_rows_text(rows, 0, 1));
	assert_int_equal(store_rows_i64(rows, 0, 1, 7), 7);
	assert_true(store_rows_bool(rows, 0, 2));
	assert_false(store_rows_bool(rows, 1, 2));
	assert_true(store_rows_i64(rows, 1, 0, 0) == INT64_MIN);
	doc = store_rows_json(rows, 1, 1);
	assert_int_equal(json_integer_value(json_object_get(doc, "a")), 1);
	assert_int_equal(store_rows_len(rows, 1, 1), 7);
}

static void what_is_no_number_gives_the_fallback(void **state)
{
	static const char *const bad[] = { "", "x", "1x", "9223372036854775808" };
	AUTO(store_rows) struct store_rows *rows = store_rows_new(1);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		push(rows, bad[i]);
		assert_int_equal(store_rows_i64(rows, i, 0, -5), -5);
	}
	push(rows, "2.5");
	assert_true(store_rows_f64(rows, 4, 0, 0) > 2.4 && store_rows_f64(rows, 4, 0, 0) < 2.6);
	push(rows, "{broken");
	assert_null(store_rows_json(rows, 5, 0));
}

static void texts_stay_where_they_are_while_it_grows(void **state)
{
	AUTO(store_rows) struct store_rows *rows = store_rows_new(1);
	AUTO(str) char *big = calloc(1, 40001);
	const char *first;

	push(rows, "first");
	first = store_rows_text(rows, 0, 0);
	memset(big, 'x', 40000);
	for (int i = 0; i < 50; i++)
		push(rows, big);
	assert_ptr_equal(store_rows_text(rows, 0, 0), first);
	assert_string_equal(first, "first");
	assert_int_equal(store_rows_len(rows, 50, 0), 40000);
	assert_int_equal(store_rows_count(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(getters_read_what_was_pushed),
		cmocka_unit_test(what_is_no_number_gives_the_fallback),
		cmocka_unit_test(texts_stay_where_they_are_while_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
