/* SPDX-License-Identifier: Apache-2.0 */
/* test_priv_run.c - programs are run without a shell and with an empty environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "priv/priv_run.h"

#define RUN(input, err, ...) priv_run((const char *const[]){ __VA_ARGS__, NULL }, input, err)

static void result_and_words_come_back(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(RUN(NULL, &err, "/bin/true"), 0);
	assert_int_equal(RUN(NULL, &err, "/bin/ls", "/nowhere/at/all"), -EIO);
	assert_non_null(strstr(err.detail, "/nowhere/at/all"));
	assert_int_equal(RUN(NULL, &err, "/nowhere/program"), -ENOENT);
}

static void input_is_given(void **state)
{
	(void)state;
	assert_int_equal(RUN("one line\n", NULL, "/bin/grep", "-q", "^one line$"), 0);
	assert_int_equal(RUN("another\n", NULL, "/bin/grep", "-q", "^one line$"), -EIO);
}

static void environment_is_not_inherited(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(setenv("AURA_SECRET", "1", 1), 0);
	assert_int_equal(RUN(NULL, &err, "/usr/bin/printenv", "AURA_SECRET"), -EIO);
	assert_int_equal(RUN(NULL, &err, "/usr/bin/printenv", "PATH"), 0);
}

static void arguments_are_no_commands(void **state)
{
	(void)state;
	assert_int_equal(RUN(NULL, NULL, "/bin/test", "-n", "$(reboot); `x`"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(result_and_words_come_back),
		cmocka_unit_test(input_is_given),
		cmocka_unit_test(environment_is_not_inherited),
		cmocka_unit_test(arguments_are_no_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
