/* SPDX-License-Identifier: Apache-2.0 */
/* test_sips.c - over which hops a sips: request may go, and what is written for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "sm/sips.h"
#include "stack/sip/sip_flow.h"

static struct sip_flow flow(enum sip_transport transport, const char *ip)
{
	struct sip_flow out = { .transport = transport };

	assert_int_equal(addr_parse_ip(slice_str(ip), 5060, &out.remote), 0);
	return out;
}

static void only_tls_is_secure_but_for_our_own_on_loopback(void **state)
{
	static const struct {
		enum trust_peer peer;
		enum sip_transport transport;
		const char *ip;
		bool want;
	} rows[] = {
		{ TRUST_PHONE_UDP, SIP_TRANSPORT_UDP, "192.0.2.1", false },
		{ TRUST_PHONE_UDP, SIP_TRANSPORT_UDP, "127.0.0.1", false },
		{ TRUST_PHONE_STREAM, SIP_TRANSPORT_TCP, "192.0.2.1", false },
		{ TRUST_PHONE_STREAM, SIP_TRANSPORT_TCP, "127.0.0.1", false },
		{ TRUST_PHONE_STREAM, SIP_TRANSPORT_TLS, "192.0.2.1", true },
		{ TRUST_PHONE_STREAM, SIP_TRANSPORT_WS, "192.0.2.1", false },
		{ TRUST_PHONE_STREAM, SIP_TRANSPORT_WSS, "192.0.2.1", true },
		{ TRUST_CM, SIP_TRANSPORT_TCP, "127.0.0.1", true },
		{ TRUST_CM, SIP_TRANSPORT_TCP, "192.0.2.1", false },
		{ TRUST_CM, SIP_TRANSPORT_TLS, "192.0.2.1", true },
		{ TRUST_PRESENCE, SIP_TRANSPORT_TCP, "::1", true },
		{ TRUST_PRESENCE, SIP_TRANSPORT_UDP, "2001:db8::1", false },
		{ TRUST_LINK, SIP_TRANSPORT_TCP, "127.0.0.1", false },
		{ TRUST_UNTRUSTED, SIP_TRANSPORT_UDP, "192.0.2.1", false },
		{ TRUST_UNTRUSTED, SIP_TRANSPORT_TLS, "192.0.2.1", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sip_flow f = flow(rows[i].transport, rows[i].ip);

		assert_int_equal(sips_hop(rows[i].peer, &f), rows[i].want);
	}
}

static void the_scheme_is_read_in_any_case_and_taken_down(void **state)
{
	AUTO_BUF out = { 0 };

	(void)state;
	assert_true(sips_is(SLICE("SIPS:3001@a")));
	assert_false(sips_is(SLICE("sip:sips:@a")));
	assert_false(sips_is(SLICE("tel:3001")));
	sips_to_sip(SLICE("SipS:3001:x@[::1]:5061;transport=tcp"), &out);
	assert_true(slice_eq_str(buf_slice(&out), "sip:3001:x@[::1]:5061;transport=tcp"));
}

static void a_refusal_says_why(void **state)
{
	AUTO_BUF out = { 0 };

	(void)state;
	sips_warning(SLICE("a.example"), &out);
	assert_true(
		slice_eq_str(buf_slice(&out), "Warning: 380 a.example \"SIPS Not Allowed\"\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_tls_is_secure_but_for_our_own_on_loopback),
		cmocka_unit_test(the_scheme_is_read_in_any_case_and_taken_down),
		cmocka_unit_test(a_refusal_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
