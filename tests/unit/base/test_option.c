/* SPDX-License-Identifier: Apache-2.0 */
/* option: defaults, files, refusals that name FILE:LINE: section.key. */
#include "base/option.h"
#include "base/slice.h"
#include "unit.h"

struct settings {
	char *listen;
	uint32_t ttl;
	bool trace;
	uint32_t mode;
};

static const char *const modes[] = { "reject", "raise", NULL };
static const struct option options[] = {
	OPT_STRING(struct settings, listen, "sip.listen", "0.0.0.0:5060", "Where SIP is served."),
	OPT_U32(struct settings, ttl, "digest.nonce_ttl_s", "30", "Life of a nonce.", .min = 1,
		.max = 3600, .unit = "s"),
	OPT_BOOL(struct settings, trace, "log.trace", "no", "Trace messages."),
	OPT_CHOICE(struct settings, mode, "registrar.short_expires", "reject", modes, "What then."),
	OPT_END,
};

static int read_text(struct settings *s, const char *text, struct error *err)
{
	return option_read(options, s, "a.conf", text, strlen(text), err);
}

static void file_overrides_defaults(void **state)
{
	struct settings s = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(option_defaults(options, &s, &err), 0);
	assert_string_equal(s.listen, "0.0.0.0:5060");
	assert_int_equal(s.ttl, 30);
	assert_int_equal(read_text(&s,
				   "# comment\n[digest]\nnonce_ttl_s = 60\n\n[log]\ntrace=yes\r\n"
				   "[registrar]\nshort_expires=raise\n[sip]\nlisten=[::1]:5060",
				   &err),
			 0);
	assert_int_equal(s.ttl, 60);
	assert_true(s.trace);
	assert_int_equal(s.mode, 1);
	assert_string_equal(s.listen, "[::1]:5060");
	assert_int_equal(option_set_pair(options, &s, "sip.listen=", &err), 0);
	assert_string_equal(s.listen, "");
	option_release(options, &s);
}

static void refusals_name_file_line_and_key(void **state)
{
	struct settings s = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(option_defaults(options, &s, &err), 0);
	assert_int_equal(read_text(&s, "[digest]\n\nnonce_ttl_s=0\n", &err), -EINVAL);
	assert_string_equal(err.detail, "a.conf:3: digest.nonce_ttl_s: 0 is not within 1..3600 s");
	assert_int_equal(read_text(&s, "[digest]\nnonce=1\n", &err), -ENOENT);
	assert_string_equal(err.detail, "a.conf:2: digest.nonce: there is no such option");
	assert_true(read_text(&s, "ttl=1\n", &err) < 0);
	assert_true(read_text(&s, "[digest\n", &err) < 0);
	assert_true(read_text(&s, "[digest]\nnonce_ttl_s\n", &err) < 0);
	assert_true(read_text(&s, "[log]\ntrace=maybe\n", &err) < 0);
	assert_true(read_text(&s, "[registrar]\nshort_expires=x\n", &err) < 0);
	assert_true(option_set_pair(options, &s, "sip.listen", &err) < 0);
	assert_int_equal(option_read_file(options, &s, "/nonexistent", &err), -ENOENT);
	assert_int_equal(s.ttl, 30);
	option_release(options, &s);
}

static void command_line_is_checked(void **state)
{
	struct settings s = { 0 };
	const char *extra = NULL;
	const struct option_extra extras[] = { { "standalone", "FILE", "Alone.", &extra }, { 0 } };
	const struct option_program prog = { "p", "a program", "1", NULL, options, extras };
	const char *good[] = { "p", "--standalone", "c.json", "--set=digest.nonce_ttl_s=5" };
	const char *bad[] = { "p", "--set", "digest.nonce_ttl_s=0", "--check" };
	const char *odd[] = { "p", "--frobnicate" };
	struct option_result r;

	(void)state;
	r = option_main(&prog, 4, (char **)(uintptr_t)good, &s);
	assert_false(r.done);
	assert_string_equal(extra, "c.json");
	assert_string_equal(r.root, "");
	assert_int_equal(s.ttl, 5);
	r = option_main(&prog, 4, (char **)(uintptr_t)bad, &s);
	assert_true(r.done);
	assert_int_equal(r.status, 1);
	r = option_main(&prog, 2, (char **)(uintptr_t)odd, &s);
	assert_true(r.done);
	assert_int_equal(r.status, 2);
	option_release(options, &s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_overrides_defaults),
		cmocka_unit_test(refusals_name_file_line_and_key),
		cmocka_unit_test(command_line_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
