/* SPDX-License-Identifier: Apache-2.0 */
/* test_uc_zone.c - time zones: summer and winter, and files that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "node/uc_zone.h"

static int64_t at(const char *text)
{
	int64_t ms = 0;

	assert_int_equal(clock_parse(slice_str(text), &ms), 0);
	return ms / 1000;
}

static void berlin_has_summer_time(void **state)
{
	AUTO(uc_zone) struct uc_zone *zone = NULL;

	(void)state;
	assert_int_equal(uc_zone_load("Europe/Berlin", &zone), 0);
	assert_int_equal(uc_zone_offset(zone, at("2026-01-14T12:00:00Z")), 3600);
	assert_int_equal(uc_zone_offset(zone, at("2026-07-14T12:00:00Z")), 7200);
	/* 2026-03-29 01:00 UTC is the instant. */
	assert_int_equal(uc_zone_offset(zone, at("2026-03-29T00:59:59Z")), 3600);
	assert_int_equal(uc_zone_offset(zone, at("2026-03-29T01:00:00Z")), 7200);
}

static void names_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "", "/etc/passwd", "../../etc/passwd",
					   "Europe/Berlin\n" };
	struct uc_zone *zone = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(uc_zone_load(bad[i], &zone), -EINVAL);
	assert_int_equal(uc_zone_load("Europe/Atlantis", &zone), -ENOENT);
	assert_null(zone);
}

static void put32(unsigned char *p, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(n >> (24 - 8 * i));
}

/* A version 2 file without transitions: two headers, one type each. */
static size_t make(unsigned char *out, uint32_t times, uint32_t types)
{
	memset(out, 0, 2 * (44 + 6));
	for (size_t at_byte = 0; at_byte <= 50; at_byte += 50) {
		memcpy(out + at_byte, "TZif2", 5);
		put32(out + at_byte + 32, at_byte ? times : 0);
		put32(out + at_byte + 36, at_byte ? types : 1);
	}
	put32(out + 94, 1800);
	return 100;
}

static void broken_files_are_refused(void **state)
{
	unsigned char bytes[100];
	struct uc_zone *zone = NULL;
	size_t len = make(bytes, 0, 1);

	(void)state;
	assert_int_equal(uc_zone_parse(slice_make(bytes, len), &zone), 0);
	assert_int_equal(uc_zone_offset(zone, 0), 1800);
	zone = uc_zone_free(zone);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(uc_zone_parse(slice_make(bytes, cut), &zone), -EBADMSG);
	make(bytes, 1, 1);
	assert_int_equal(uc_zone_parse(slice_make(bytes, len), &zone), -EBADMSG);
	make(bytes, UINT32_MAX, 1);
	assert_int_equal(uc_zone_parse(slice_make(bytes, len), &zone), -EBADMSG);
	make(bytes, 0, 0);
	assert_int_equal(uc_zone_parse(slice_make(bytes, len), &zone), -EBADMSG);
	assert_null(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(berlin_has_summer_time),
		cmocka_unit_test(names_that_are_none_are_refused),
		cmocka_unit_test(broken_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
