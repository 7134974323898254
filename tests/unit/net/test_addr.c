/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: every spelling in, one spelling out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after those above */
#include <cmocka.h>

#include "base/error.h"
#include "net/addr.h"

static void addresses_are_read_and_written(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = {
		{ "192.0.2.1:5060", "192.0.2.1:5060" },
		{ "192.0.2.1", "192.0.2.1:99" },
		{ "[2001:db8::1]:5061", "[2001:db8::1]:5061" },
		{ "[2001:db8::1]", "[2001:db8::1]:99" },
		{ "2001:db8::1", "[2001:db8::1]:99" },
		{ "0.0.0.0:0", "0.0.0.0:0" },
		{ "::", "[::]:99" },
	};
	char text[ADDR_TEXT_MAX];
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(addr_parse(slice_str(good[i].in), 99, &addr), 0);
		assert_string_equal(addr_format(&addr, text), good[i].out);
	}
}

static void malformed_addresses_are_refused(void **state)
{
	static const char *const bad[] = {
		"",	  "host",     "192.0.2.1:",	 "192.0.2.1:65536", "1.2.3",	   "[::1",
		"[::1]x", "[::1]:-1", "192.0.2.1:5060x", "1.2.3.4.5",	    "2001:db8::g", "[::1]:"
	};
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(addr_parse(slice_str(bad[i]), 1, &addr), -EINVAL);
	assert_int_equal(addr_parse(slice_make("1.2.3.4\0", 8), 1, &addr), -EINVAL);
}

static void mapped_ipv4_is_ipv4(void **state)
{
	struct addr a, b;

	(void)state;
	assert_int_equal(addr_parse(SLICE("[::ffff:192.0.2.1]:5060"), 0, &a), 0);
	assert_int_equal(addr_parse(SLICE("192.0.2.1:5060"), 0, &b), 0);
	assert_true(addr_equal(&a, &b));
	assert_true(addr_hash(&a, 7) == addr_hash(&b, 7));
	addr_set_port(&b, 5061);
	assert_false(addr_equal(&a, &b));
	assert_true(addr_equal_ip(&a, &b));
	assert_true(addr_hash_ip(&a, 7) == addr_hash_ip(&b, 7));
}

static void an_ipv6_host_is_counted_by_its_net(void **state)
{
	struct addr a, b, c;

	(void)state;
	assert_int_equal(addr_parse_ip(SLICE("2001:db8:0:1::1"), 0, &a), 0);
	assert_int_equal(addr_parse_ip(SLICE("2001:db8:0:1::ffff"), 0, &b), 0);
	assert_int_equal(addr_parse_ip(SLICE("2001:db8:0:2::1"), 0, &c), 0);
	assert_true(addr_hash_ip(&a, 1) == addr_hash_ip(&b, 1));
	assert_true(addr_hash_ip(&a, 1) != addr_hash_ip(&c, 1));
}

static void nets_contain_their_addresses(void **state)
{
	struct addr base, in, out, six;
	unsigned int bits;

	(void)state;
	assert_int_equal(addr_parse_net(SLICE("10.77.0.0/24"), &base, &bits), 0);
	assert_int_equal(bits, 24);
	assert_int_equal(addr_parse_ip(SLICE("10.77.0.255"), 0, &in), 0);
	assert_int_equal(addr_parse_ip(SLICE("10.77.1.0"), 0, &out), 0);
	assert_int_equal(addr_parse_ip(SLICE("::1"), 0, &six), 0);
	assert_true(addr_in_net(&in, &base, bits));
	assert_false(addr_in_net(&out, &base, bits));
	assert_true(addr_in_net(&out, &base, 23));
	assert_false(addr_in_net(&six, &base, bits));
	assert_int_equal(addr_parse_net(SLICE("10.0.0.0/33"), &base, &bits), -EINVAL);
	assert_int_equal(addr_parse_net(SLICE("10.0.0.0"), &base, &bits), -EINVAL);
}

static void special_addresses_are_known(void **state)
{
	struct addr addr, empty = { 0 };
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(addr_parse_ip(SLICE("127.9.9.9"), 0, &addr), 0);
	assert_true(addr_is_loopback(&addr));
	assert_int_equal(addr_parse_ip(SLICE("[::1]"), 0, &addr), 0);
	assert_true(addr_is_loopback(&addr));
	assert_string_equal(addr_format_host(&addr, text), "[::1]");
	assert_string_equal(addr_format_ip(&addr, text), "::1");
	assert_int_equal(addr_parse_ip(SLICE("0.0.0.0"), 0, &addr), 0);
	assert_true(addr_is_any(&addr));
	assert_false(addr_is_any(&empty));
	assert_int_equal(addr_family(&empty), AF_UNSPEC);
	assert_string_equal(addr_format(&empty, text), "");
}

static void the_kernel_names_our_loopback_source(void **state)
{
	struct addr to, from;
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(addr_parse_ip(SLICE("127.0.0.1"), 5060, &to), 0);
	assert_int_equal(addr_source_for(&to, &from), 0);
	assert_string_equal(addr_format(&from, text), "127.0.0.1:0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(malformed_addresses_are_refused),
		cmocka_unit_test(mapped_ipv4_is_ipv4),
		cmocka_unit_test(an_ipv6_host_is_counted_by_its_net),
		cmocka_unit_test(nets_contain_their_addresses),
		cmocka_unit_test(special_addresses_are_known),
		cmocka_unit_test(the_kernel_names_our_loopback_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
