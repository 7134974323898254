/* SPDX-License-Identifier: Apache-2.0 */
/* test_listen.c - the list of addresses behind [sip] listen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "net/addr.h"
#include "node/listen.h"

static void lists_of_both_families_are_read(void **state)
{
	const char *list = "127.0.0.1:5060, [2001:db8::1]:5062";
	char text[ADDR_TEXT_MAX];
	struct addr addr;

	(void)state;
	assert_int_equal(node_listen_at(list, 0, &addr), 0);
	assert_string_equal(addr_format(&addr, text), "127.0.0.1:5060");
	assert_int_equal(node_listen_at(list, 1, &addr), 0);
	assert_string_equal(addr_format(&addr, text), "[2001:db8::1]:5062");
	assert_int_equal(node_listen_at(list, 2, &addr), -ENOENT);
	assert_int_equal(node_listen_at("", 0, &addr), -ENOENT);
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = { "sm:5060",	"127.0.0.1",	   "127.0.0.1:0", "[::1]",
					   "[::1:5060", "127.0.0.1:65536", ",[::1]:5060" };
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(node_listen_at(bad[i], 0, &addr), -EINVAL);
	assert_int_equal(node_listen_at("[::1]:5060,", 1, &addr), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_both_families_are_read),
		cmocka_unit_test(what_is_no_address_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
