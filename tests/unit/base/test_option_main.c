/* SPDX-License-Identifier: Apache-2.0 */
/* option_main: a named file must be there, a default one need not; --help and --version end. */
#include "base/option.h"
#include "base/slice.h"
#include "unit.h"

#include <unistd.h>

struct settings {
	char *name;
};

static const struct option options[] = {
	OPT_STRING(struct settings, name, "box.name", "aurabox", "What it is called."),
	OPT_END,
};
static const struct option_program prog = { "p",     "a program", "1.2", "/etc/aurabox/none.conf",
					    options, NULL };

static struct option_result run(struct settings *s, const char *one, const char *two)
{
	const char *argv[] = { "p", one, two };

	return option_main(&prog, two ? 3 : 2, (char **)(uintptr_t)argv, s);
}

static void a_missing_default_file_is_fine(void **state)
{
	struct settings s = { 0 };
	struct option_result r = run(&s, "--root", "/nonexistent");

	(void)state;
	assert_false(r.done);
	assert_string_equal(r.root, "/nonexistent");
	assert_string_equal(s.name, "aurabox");
	r = run(&s, "--config", "/nonexistent/a.conf");
	assert_true(r.done);
	assert_int_equal(r.status, 1);
	option_release(options, &s);
}

static void a_named_file_is_read(void **state)
{
	char path[] = "/tmp/aurabox-option-XXXXXX";
	struct settings s = { 0 };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "[box]\nname=two\n", 15), 15);
	assert_false(run(&s, "--config", path).done);
	assert_string_equal(s.name, "two");
	(void)close(fd);
	(void)unlink(path);
	option_release(options, &s);
}

static void an_option_without_its_value_is_usage(void **state)
{
	struct settings s = { 0 };

	(void)state;
	assert_int_equal(run(&s, "--config", NULL).status, 2);
	assert_int_equal(run(&s, "--version", NULL).status, 0);
	assert_true(run(&s, "--version", NULL).done);
	option_release(options, &s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_default_file_is_fine),
		cmocka_unit_test(a_named_file_is_read),
		cmocka_unit_test(an_option_without_its_value_is_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
