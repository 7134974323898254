/* SPDX-License-Identifier: Apache-2.0 */
/* Session timers: who refreshes and after how long, by the words of both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "cm/session.h"

#define U SIP_REFRESHER_UAC
#define S SIP_REFRESHER_UAS
#define N SIP_REFRESHER_NONE

static void the_terms_of_a_2xx_of_ours(void **state)
{
	/* RFC 4028 section 9, table 2; own proposal 1800. */
	static const struct {
		struct session_words request;
		struct session_terms terms;
	} cases[] = {
		{ { 0, 90, N, false }, { 0, false, false } },
		{ { 0, 90, N, true }, { 1800, false, true } },
		{ { 0, 3600, N, true }, { 3600, false, true } },
		{ { 600, 90, N, true }, { 600, false, true } },
		{ { 600, 90, U, true }, { 600, false, true } },
		{ { 600, 90, S, true }, { 600, true, false } },
		{ { 600, 90, N, false }, { 600, true, false } },
		{ { 600, 90, U, false }, { 600, true, false } },
		{ { 60, 90, N, false }, { 90, true, false } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct session_terms terms;

		session_accept(&cases[i].request, 1800, &terms);
		assert_int_equal(terms.interval_s, cases[i].terms.interval_s);
		assert_int_equal(terms.we_refresh, cases[i].terms.we_refresh);
		assert_int_equal(terms.demanded, cases[i].terms.demanded);
	}
}

static void the_terms_of_a_2xx_that_came(void **state)
{
	static const struct session_words none = { 0, 90, N, true }, us = { 600, 90, U, true },
					  them = { 700, 90, S, true };
	struct session_terms terms;

	(void)state;
	session_agree(&none, &terms);
	assert_int_equal(terms.interval_s, 0);
	session_agree(&us, &terms);
	assert_int_equal(terms.interval_s, 600);
	assert_true(terms.we_refresh);
	session_agree(&them, &terms);
	assert_int_equal(terms.interval_s, 700);
	assert_false(terms.we_refresh);
}

static void only_one_who_can_be_told_is_refused(void **state)
{
	static const struct session_words shorter = { 89, 90, N, true },
					  deaf = { 89, 90, N, false }, least = { 90, 90, N, true },
					  nothing = { 0, 90, N, true };

	(void)state;
	assert_true(session_is_short(&shorter));
	assert_false(session_is_short(&deaf));
	assert_false(session_is_short(&least));
	assert_false(session_is_short(&nothing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_terms_of_a_2xx_of_ours),
		cmocka_unit_test(the_terms_of_a_2xx_that_came),
		cmocka_unit_test(only_one_who_can_be_told_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
