/* SPDX-License-Identifier: Apache-2.0 */
/* log_limit: the first line at once, then one a second, none forgotten in the count. */
#include "base/log_limit.h"
#include "unit.h"

static void one_line_a_second_with_a_count(void **state)
{
	struct log_limit limit = { 0 };
	uint64_t unlogged = 99, lines = 0, left_out = 0;

	(void)state;
	assert_true(log_limit_take(&limit, 0, &unlogged));
	assert_int_equal(unlogged, 0);
	assert_false(log_limit_take(&limit, 0, &unlogged));
	assert_false(log_limit_take(&limit, LOG_LIMIT_MS - 1, &unlogged));
	assert_int_equal(unlogged, 0); /* written only with a line */
	assert_true(log_limit_take(&limit, LOG_LIMIT_MS, &unlogged));
	assert_int_equal(unlogged, 2);
	assert_true(log_limit_take(&limit, 10 * LOG_LIMIT_MS, &unlogged));
	assert_int_equal(unlogged, 0);

	/* 500 a second for ten seconds */
	limit = (struct log_limit){ 0 };
	for (uint64_t now = 5; now < 10 * LOG_LIMIT_MS; now += 2) {
		if (!log_limit_take(&limit, now, &unlogged))
			continue;
		lines++;
		left_out += unlogged;
	}
	assert_int_equal(lines, 10);
	assert_int_equal(lines + left_out + limit.unlogged, 4998);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_a_second_with_a_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
