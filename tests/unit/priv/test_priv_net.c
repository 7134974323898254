/* SPDX-License-Identifier: Apache-2.0 */
/* test_priv_net.c - the bridge's MAC and the filter's script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/box_config.h"
#include "base/buf.h"
#include "priv/priv_net.h"

static void mac_is_fixed_and_local(void **state)
{
	char a[18], b[18], c[18];

	(void)state;
	priv_bridge_mac("one machine", a);
	priv_bridge_mac("one machine", b);
	priv_bridge_mac("another", c);
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
	assert_int_equal(strlen(a), 17);
	/* locally administered, no group address */
	assert_memory_equal(a, "02:", 3);
}

static void script_follows_the_configuration(void **state)
{
	char bridge[] = "br9", subnet[] = "192.168.50.0/24";
	struct box_config c = { .network_bridge = bridge, .network_subnet = subnet };
	AUTO_BUF out = { 0 };

	(void)state;
	assert_int_equal(priv_firewall_script(&c, &out, NULL), 0);
	assert_non_null(strstr(out.data, "udp dport 5060 dnat to 192.168.50.11"));
	assert_non_null(strstr(out.data, "tcp dport { 5060, 5061 } dnat to 192.168.50.11"));
	assert_non_null(strstr(out.data, "oifname \"br9\" ct status dnat accept"));
	/* replaced in one transaction */
	assert_memory_equal(out.data, "table ip aurabox {}\ndelete table ip aurabox\n", 44);
}

static void bad_subnet_gives_no_script(void **state)
{
	char bridge[] = "br9", subnet[] = "10.0.0.1/24";
	struct box_config c = { .network_bridge = bridge, .network_subnet = subnet };
	AUTO_BUF out = { 0 };

	(void)state;
	assert_int_equal(priv_firewall_script(&c, &out, NULL), -EINVAL);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mac_is_fixed_and_local),
		cmocka_unit_test(script_follows_the_configuration),
		cmocka_unit_test(bad_subnet_gives_no_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
