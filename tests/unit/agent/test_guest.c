/* SPDX-License-Identifier: Apache-2.0 */
/* test_guest.c - the box's configuration is read, and refused where it is not what it should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/guest.h"

#define HEAD                                                                                       \
	"{\"schema\":1,\"name\":\"sm\",\"template\":\"sm\",\"instance\":\"x\","                    \
	"\"interface\":\"eth0\",\"domain\":\"aurabox.internal\""

static void configuration_is_read(void **state)
{
	struct guest g = { 0 };
	AUTO(str) char *hosts = NULL;

	(void)state;
	assert_int_equal(guest_parse(SLICE(HEAD ",\"addresses\":[\"10.77.0.11/24\"],\"gateway\":"
						"\"10.77.0.1\",\"advertise\":\"\",\"time\":"
						"\"2026-01-01T00:00:00Z\",\"options\":{},\"peers\":"
						"{\"cm\":\"10.77.0.12\",\"a b\":\"10.0.0.1\","
						"\"x\":\"1.1.1.1 evil\",\"n\":7}}"),
				     &g, NULL),
			 0);
	assert_string_equal(g.address, "10.77.0.11");
	hosts = guest_hosts(&g);
	assert_non_null(hosts);
	assert_string_equal(hosts, "127.0.0.1 localhost\n10.77.0.12 cm.aurabox.internal cm\n");
	guest_done(&g);
}

static void odd_configuration_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		HEAD "}",
		HEAD ",\"addresses\":[]}",
		HEAD ",\"addresses\":[\"\"]}",
		HEAD ",\"addresses\":[\"a b/24\"]}",
		HEAD ",\"addresses\":[\"10.0.0.1/24\"],\"x\":1}",
		"{\"schema\":2,\"name\":\"sm\",\"template\":\"sm\",\"interface\":\"eth0\","
		"\"domain\":\"d\",\"addresses\":[\"10.0.0.1/24\"]}",
		"{\"schema\":1,\"name\":\"s m\",\"template\":\"sm\",\"interface\":\"eth0\","
		"\"domain\":\"d\",\"addresses\":[\"10.0.0.1/24\"]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct guest g = { 0 };

		assert_true(guest_parse(slice_str(bad[i]), &g, NULL) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configuration_is_read),
		cmocka_unit_test(odd_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
