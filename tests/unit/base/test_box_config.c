/* SPDX-License-Identifier: Apache-2.0 */
/* test_box_config.c - aurabox.conf: defaults, values that are refused, paths below --root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/box_config.h"

static void defaults_are_the_documented_ones(void **state)
{
	struct box_config c = { 0 };

	(void)state;
	assert_int_equal(option_defaults(box_options, &c, NULL), 0);
	assert_string_equal(c.api_listen, "0.0.0.0:8443");
	assert_int_equal(c.api_idle_s, 1800);
	assert_int_equal(c.api_login_window_s, 600);
	assert_string_equal(c.libvirt_uri, "qemu:///system");
	assert_string_equal(c.network_bridge, "aura0");
	assert_string_equal(c.network_subnet, "10.77.0.0/24");
	assert_string_equal(c.network_sip_domain, "aurabox.internal");
	assert_string_equal(box_accelerators[c.vm_accelerator], "auto");
	assert_string_equal(box_log_levels[c.log_level], "info");
	option_release(box_options, &c);
}

static void bad_values_are_refused(void **state)
{
	static const char *const bad[] = {
		"api.listen=8443",
		"api.listen=:1",
		"api.listen=a:70000",
		"network.subnet=10.0.0.1/24",
		"network.subnet=10.0.0.0/8",
		"network.subnet=x",
		"network.bridge=",
		"network.bridge=a b",
		"network.bridge=abcdefghijklmnop",
		"network.advertise=host",
		"network.sip_domain=UPPER",
		"vm.accelerator=fast",
		"images.dir=relative",
		"api.idle_s=0",
		"nothing.here=1",
	};
	struct box_config c = { 0 };

	(void)state;
	assert_int_equal(option_defaults(box_options, &c, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (option_set_pair(box_options, &c, bad[i], NULL) >= 0)
			fail_msg("%s was accepted", bad[i]);
	assert_int_equal(option_set_pair(box_options, &c, "network.advertise=192.0.2.7", NULL), 0);
	assert_int_equal(option_set_pair(box_options, &c, "vm.accelerator=tcg", NULL), 0);
	option_release(box_options, &c);
}

static void paths_lie_below_root(void **state)
{
	char out[BOX_PATH], longest[80];

	(void)state;
	assert_string_equal(box_path("", "/run/aurabox", out), "/run/aurabox");
	assert_string_equal(box_path("/srv/a", "/run/aurabox", out), "/srv/a/run/aurabox");
	assert_int_equal(box_root_check("", NULL), 0);
	assert_int_equal(box_root_check("/srv/a", NULL), 0);
	assert_int_equal(box_root_check("srv", NULL), -EINVAL);
	memset(longest, '/', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(box_root_check(longest, NULL), -ENAMETOOLONG);
}

static void host_has_the_first_address(void **state)
{
	unsigned prefix;
	uint32_t base;
	char out[16];

	(void)state;
	assert_int_equal(box_subnet("10.77.0.0/24", &base, &prefix, NULL), 0);
	assert_int_equal(prefix, 24);
	box_host_address(base, out);
	assert_string_equal(out, "10.77.0.1");
	assert_int_equal(box_subnet("10.77.0.0/29", &base, &prefix, NULL), -EINVAL);
	assert_int_equal(box_subnet("10.77.0.0/24x", &base, &prefix, NULL), -EINVAL);
	assert_int_equal(box_subnet("10.77.0.128/24", &base, &prefix, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_documented_ones),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(paths_lie_below_root),
		cmocka_unit_test(host_has_the_first_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
