/* SPDX-License-Identifier: Apache-2.0 */
/* When two flows are the same way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after those above */
#include <cmocka.h>

#include "stack/sip/sip_flow.h"

static void flows_are_compared_by_connection_then_address(void **state)
{
	struct sip_flow a = { .transport = SIP_TRANSPORT_UDP }, b;

	(void)state;
	assert_int_equal(addr_parse(SLICE("192.0.2.1:5060"), 0, &a.remote), 0);
	b = a;
	b.listen = 3;
	assert_true(sip_flow_equal(&a, &b));
	addr_set_port(&b.remote, 5062);
	assert_false(sip_flow_equal(&a, &b));
	b = a;
	b.transport = SIP_TRANSPORT_TCP;
	assert_false(sip_flow_equal(&a, &b));
	a.transport = SIP_TRANSPORT_TCP;
	a.connection = 7;
	assert_false(sip_flow_equal(&a, &b));
	b.connection = 7;
	assert_true(sip_flow_equal(&a, &b));
	assert_true(sip_flow_is_reliable(&a));
	assert_string_equal(sip_flow_transport_text(&a), "tcp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_are_compared_by_connection_then_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
