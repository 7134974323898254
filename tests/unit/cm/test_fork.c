/* SPDX-License-Identifier: Apache-2.0 */
/* Forks below a half: places, winners, best answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/error.h"
#include "cm/fork.h"

static void every_dialog_below_has_its_own_place(void **state)
{
	struct fork_set f;
	int a, b;

	(void)state;
	fork_set_init(&f);
	assert_int_equal(fork_branch_add(&f), 0);
	a = fork_early_get(&f, 0, SLICE("tag-a"));
	b = fork_early_get(&f, 0, SLICE("tag-b"));
	assert_int_not_equal(a, b);
	assert_int_equal(fork_early_get(&f, 0, SLICE("tag-a")), a);
	assert_int_equal(fork_early_find(&f, 0, SLICE("tag-b")), b);
	assert_int_equal(fork_early_find(&f, 1, SLICE("tag-b")), -ENOENT);
	assert_int_equal(fork_early_get(&f, 0, SLICE("")), -EINVAL);
}

static void ten_early_dialogs_and_no_more(void **state)
{
	struct fork_set f;
	char tag[16];

	(void)state;
	fork_set_init(&f);
	fork_branch_add(&f);
	for (int i = 0; i < FORK_EARLY_MAX; i++) {
		snprintf(tag, sizeof(tag), "t%d", i);
		assert_int_equal(fork_early_get(&f, 0, slice_str(tag)), i);
	}
	assert_int_equal(fork_early_get(&f, 0, SLICE("eleventh")), -ENOSPC);
	/* but whoever answers wins, followed so far or not */
	assert_int_equal(fork_answer(&f, 0, SLICE("eleventh")), 9);
	assert_int_equal(fork_early_find(&f, 0, SLICE("eleventh")), 9);
}

static void the_first_answer_wins(void **state)
{
	struct fork_set f;
	int a;

	(void)state;
	fork_set_init(&f);
	fork_branch_add(&f);
	a = fork_early_get(&f, 0, SLICE("tag-a"));
	fork_early_get(&f, 0, SLICE("tag-b"));
	assert_int_equal(fork_answer(&f, 0, SLICE("tag-a")), a);
	assert_int_equal(f.winner, a);
	assert_true(fork_all_closed(&f));
	assert_int_equal(fork_answer(&f, 0, SLICE("tag-a")), a);
	assert_int_equal(fork_answer(&f, 0, SLICE("tag-b")), -EALREADY);
	assert_int_equal(fork_answer(&f, 0, SLICE("tag-c")), -EALREADY);
	assert_int_equal(fork_answer(&f, 0, SLICE("")), -EINVAL);
}

static void the_best_final_answer_is_kept(void **state)
{
	static const struct {
		unsigned statuses[3];
		unsigned best;
	} cases[] = {
		{ { 486, 603, 404 }, 603 }, { { 404, 603, 486 }, 603 }, { { 480, 503, 500 }, 480 },
		{ { 503, 500, 503 }, 500 }, { { 486, 407, 480 }, 407 }, { { 503, 503, 503 }, 503 },
		{ { 486, 480, 404 }, 486 }, { { 500, 302, 486 }, 302 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fork_set f;

		fork_set_init(&f);
		for (unsigned b = 0; b < 3; b++)
			assert_int_equal(fork_branch_add(&f), b);
		for (unsigned b = 0; b < 3; b++) {
			assert_false(fork_all_closed(&f));
			fork_reject(&f, b, cases[i].statuses[b]);
		}
		assert_true(fork_all_closed(&f));
		assert_int_equal(fork_best_status(&f), cases[i].best);
	}
}

static void a_branch_closes_once(void **state)
{
	struct fork_set f;

	(void)state;
	fork_set_init(&f);
	assert_false(fork_reject(&f, 0, 486));
	fork_branch_add(&f);
	assert_true(fork_reject(&f, 0, 486));
	assert_false(fork_reject(&f, 0, 603));
	assert_int_equal(fork_best_status(&f), 486);
	for (int i = 1; i < FORK_BRANCH_MAX; i++)
		assert_int_equal(fork_branch_add(&f), i);
	assert_int_equal(fork_branch_add(&f), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_dialog_below_has_its_own_place),
		cmocka_unit_test(ten_early_dialogs_and_no_more),
		cmocka_unit_test(the_first_answer_wins),
		cmocka_unit_test(the_best_final_answer_is_kept),
		cmocka_unit_test(a_branch_closes_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
