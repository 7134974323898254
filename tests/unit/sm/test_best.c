/* SPDX-License-Identifier: Apache-2.0 */
/* test_best.c - which final answer the caller gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "sm/best.h"

static void the_better_one_wins(void **state)
{
	static const struct {
		unsigned better, worse;
	} pairs[] = {
		{ 404, 0 },   { 486, 404 }, { 486, 480 }, { 486, 408 }, { 486, 487 },
		{ 603, 486 }, { 600, 302 }, { 302, 404 }, { 404, 500 }, { 500, 503 },
		{ 401, 486 }, { 407, 404 }, { 480, 408 }, { 403, 404 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		assert_true(best_is_better(pairs[i].better, pairs[i].worse));
		assert_false(best_is_better(pairs[i].worse, pairs[i].better));
	}
}

static void the_first_of_equals_stays(void **state)
{
	(void)state;
	assert_false(best_is_better(486, 486));
}

static void a_503_from_behind_becomes_500(void **state)
{
	(void)state;
	assert_int_equal(best_outward(503), 500);
	assert_int_equal(best_outward(486), 486);
	assert_int_equal(best_outward(504), 504);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_better_one_wins),
		cmocka_unit_test(the_first_of_equals_stays),
		cmocka_unit_test(a_503_from_behind_becomes_500),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
