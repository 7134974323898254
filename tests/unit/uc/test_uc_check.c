/* SPDX-License-Identifier: Apache-2.0 */
/* test_uc_check.c - what texts of the administration must be. */
#include "../base/unit.h"

#include "base/error.h"
#include "control/uc/uc_check.h"

typedef int check_fn(const char *value, struct error *err);

static void all(check_fn *check, const char *const *values, size_t count, int want)
{
	for (size_t i = 0; i < count; i++) {
		struct error err = { 0 };

		if (check(values[i], &err) != want)
			fail_msg("'%s' gives %d", values[i], -want);
		if (want < 0)
			assert_true(err.detail[0] != '\0');
	}
}
#define TAKES(check, ...)                                                                          \
	all(check, (const char *const[]){ __VA_ARGS__ },                                           \
	    ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })), 0)
#define REFUSES(check, ...)                                                                        \
	all(check, (const char *const[]){ __VA_ARGS__ },                                           \
	    ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })), -EINVAL)

static void ip_patterns(void **state)
{
	TAKES(uc_check_ip_pattern, "10.0.0.1", "10.1.0.0/16", "10.0.0.1-10.0.0.9", "135.12x.121.*",
	      "*.*.*.*", "2001:db8::/32", "2001:db8::1", "::1-::ffff", "1xx.x.xx.1");
	REFUSES(uc_check_ip_pattern, "", "10.0.0.256", "10.0.0.0/33", "10.0.0.9-10.0.0.1",
		"10.0.0.1-::1", "2001:db8::/129", "10.0.*", "10.0.0.0.*", "3xx.1.1.1", "1.2.3.4x5",
		"10.0.0.**", "[::1]", "10.0.0.1-", "-", "/", "x", "a.b.c.*", "10.0.0.1 ");
}

static void digits(void **state)
{
	TAKES(uc_check_digits, "0", "+49x", "*#", "xxxx");
	REFUSES(uc_check_digits, "", "+49X", "12 3", "a");
	TAKES(uc_check_insert, "", "+49", "*1#");
	REFUSES(uc_check_insert, "x", " ");
	TAKES(uc_check_status, "300", "408", "699");
	REFUSES(uc_check_status, "200", "700", "4080", "40", "4x8", "");
}

static void expressions(void **state)
{
	struct error err = { 0 };

	TAKES(uc_check_expression, "^sip:.*@example\\.com$", "(a+)+$", "\xc3\xa4", "(?i)x",
	      "x{0,9}");
	REFUSES(uc_check_expression, "(", "a)", "[z-a]", "*", "a{2,1}", "(?P<n>", "\\", "(*UTF)a",
		"\\C", "a\nb", "(?<=a*)b", "(((a{999}){999}){999})");
	assert_int_equal(uc_check_expression("^sip:(", &err), -EINVAL);
	assert_string_equal(err.detail,
			    "is no regular expression: missing closing parenthesis at character 6");
}

static void times(void **state)
{
	TAKES(uc_check_clock, "00:00", "08:30", "23:59");
	REFUSES(uc_check_clock, "24:00", "8:30", "08:60", "08-30", "0830", "08:3", "", "99:00");
	TAKES(uc_check_clock_end, "24:00", "00:00");
	REFUSES(uc_check_clock_end, "24:01", "25:00");
	TAKES(uc_check_day, "mon", "sun");
	REFUSES(uc_check_day, "Mon", "monday", "");
}

static void names(void **state)
{
	TAKES(uc_check_name, "a", "Z\xc3\xbcrich 2", "a.b:c");
	REFUSES(uc_check_name, "a/b", "50%", "a\tb", "\x7f");
	TAKES(uc_check_domain, "example.org", "a", "x-1.y");
	REFUSES(uc_check_domain, "", "-a", "a.", ".a", "a..b", "a b", "a_b");
	TAKES(uc_check_host, "example.org", "192.0.2.1", "2001:db8::1");
	REFUSES(uc_check_host, "a b", "", "2001:db8::g");
	TAKES(uc_check_header, "P-Location", "X!");
	REFUSES(uc_check_header, "", "X Y", "X:", "A\r\nB");
	REFUSES(uc_check_zone, "", "../etc/passwd", "/etc/passwd", "Europe//Berlin", "Europe/",
		"No/Such_Zone_1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip_patterns), cmocka_unit_test(digits),
		cmocka_unit_test(expressions), cmocka_unit_test(times),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
