/* SPDX-License-Identifier: Apache-2.0 */
/* zone: only names of the tz database pass, and none leaves its folder. */
#include "control/setup/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/error.h"

static void zones_of_the_database_pass(void **state)
{
	static const char *const good[] = { "UTC", "Europe/Berlin",
					    "America/Argentina/Buenos_Aires", "Etc/GMT+5",
					    "Asia/Tokyo" };
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(zone_check(good[i], &err), 0);
}

static void nothing_else_does(void **state)
{
	static const char *const bad[] = { "",
					   "Europe",
					   "Europe/",
					   "/Europe/Berlin",
					   "Europe//Berlin",
					   "Europe/Nowhere",
					   "europe/berlin ",
					   "../../../etc/hostname",
					   "Europe/../Europe/Berlin",
					   "./UTC",
					   "zone.tab",
					   "tzdata.zi",
					   "UTC\n",
					   "Europe/Berlin\xc3\xa4",
					   "Europe/Berlin/Berlin" };
	char longest[ZONE_NAME_MAX + 10];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(zone_check(longest, NULL), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = { 0 };

		assert_int_equal(zone_check(bad[i], &err), -EINVAL);
		assert_string_not_equal(err.detail, "");
	}
}

static void the_host_has_a_zone(void **state)
{
	char name[ZONE_NAME_MAX + 1];

	(void)state;
	zone_of_host(name);
	assert_int_equal(zone_check(name, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_of_the_database_pass),
		cmocka_unit_test(nothing_else_does),
		cmocka_unit_test(the_host_has_a_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
