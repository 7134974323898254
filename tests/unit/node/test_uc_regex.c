/* SPDX-License-Identifier: Apache-2.0 */
/* test_uc_regex.c - regular expressions: what compiles, what fits, and that none runs long. */
#include "../base/unit.h"

#include "base/clock.h"
#include "node/uc_regex.h"

static bool fits(const char *pattern, const char *subject)
{
	AUTO(uc_regex) struct uc_regex *regex = NULL;
	struct uc_regex_matcher *matcher = NULL;
	bool found;

	assert_int_equal(uc_regex_new(pattern, &regex, NULL), 0);
	assert_int_equal(uc_regex_matcher_new(&matcher), 0);
	found = uc_regex_fits(matcher, regex, slice_str(subject));
	uc_regex_matcher_free(matcher);
	return found;
}

static void what_fits(void **state)
{
	assert_true(fits("^sip:3.*@", "sip:3001@x"));
	assert_true(fits("00", "sip:3001@x"));
	assert_false(fits("^3", "sip:3001@x"));
	assert_true(fits("", "x"));
	assert_true(fits("^.\\z", "\xff")); /* over bytes: any address can be asked */
	assert_false(fits("^..", ""));
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
	static const struct {
		const char *pattern, *detail;
	} cases[] = {
		{ "a(b", "is no regular expression: missing closing parenthesis at character 3" },
		{ "a[b", "is no regular expression: missing terminating ] for character class at "
			 "character 3" },
		{ "+", "is no regular expression: quantifier does not follow a repeatable item at "
		       "character 0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct uc_regex *regex = NULL;
		struct error err = { 0 };

		assert_int_equal(uc_regex_new(cases[i].pattern, &regex, &err), -EINVAL);
		assert_string_equal(err.detail, cases[i].detail);
		assert_null(regex);
	}
}

static void none_runs_long(void **state)
{
	static const char *const patterns[] = { "(a+)+$", "(a|aa)+$", "(.*)*b", "(a?){50}a{50}$",
						"^(([a-z])+.)+[A-Z]([a-z])+$" };
	char subject[513];
	int64_t began = clock_wall_us();

	memset(subject, 'a', sizeof(subject) - 2);
	subject[sizeof(subject) - 2] = '!';
	subject[sizeof(subject) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		assert_false(fits(patterns[i], subject));
	assert_true(clock_wall_us() - began < 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits),
		cmocka_unit_test(what_is_wrong_is_told_with_its_place),
		cmocka_unit_test(none_runs_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
