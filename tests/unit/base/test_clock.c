/* SPDX-License-Identifier: Apache-2.0 */
/* clock: RFC 3339 both ways, refusals, a clock that stands still. */
#include "base/clock.h"
#include "unit.h"

static void clock_formats_and_parses(void **state)
{
	char text[CLOCK_RFC3339_SIZE];
	int64_t ms;

	(void)state;
	assert_string_equal(clock_format(0, text), "1970-01-01T00:00:00.000Z");
	assert_string_equal(clock_format(-1, text), "1969-12-31T23:59:59.999Z");
	assert_int_equal(clock_parse(SLICE("2026-11-21T10:12:13.5+02:00"), &ms), 0);
	assert_string_equal(clock_format(ms, text), "2026-11-21T08:12:13.500Z");
	assert_int_equal(clock_parse(slice_str(text), &ms), 0);
	assert_string_equal(clock_format(ms, text), "2026-11-21T08:12:13.500Z");
}

static void clock_refuses_what_is_no_time(void **state)
{
	static const char *const bad[] = {
		"",
		"2026-11-21",
		"2026-13-01T00:00:00Z",
		"2026-11-21T25:00:00Z",
		"2026-11-21T10:00:00",
		"2026-11-21T10:00:00.Z",
		"2026-11-21T10:00:00Zx",
		"+026-11-21T10:00:00Z",
		"2026-11-21T10:00:00+25:00",
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(clock_parse(slice_str(bad[i]), &ms) < 0);
}

static void clock_fake_moves_when_told(void **state)
{
	struct clock_fake c;

	(void)state;
	clock_fake_init(&c, 5, 1000);
	assert_true(clock_now(&c.clock) == 5);
	clock_fake_advance(&c, 20);
	assert_true(clock_now(&c.clock) == 25);
	assert_true(clock_wall(&c.clock) == 1020);
	assert_true(clock_now(clock_system()) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_formats_and_parses),
		cmocka_unit_test(clock_refuses_what_is_no_time),
		cmocka_unit_test(clock_fake_moves_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
