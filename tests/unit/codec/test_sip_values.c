/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_values.c - reading fields: iteration over fields and values, typed access. */
#include "helper_codec.h"

#include <errno.h>

#include "codec/sip/sip_msg.h"

static const char text[] = "REGISTER sip:aurabox.internal SIP/2.0\r\n"
			   "Via: SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b;branch=z9hG4bK2\r\n"
			   "To: \"a, b\" <sip:3001@aurabox.internal>\r\n"
			   "From: <sip:3001@aurabox.internal>;tag=f1\r\n"
			   "Via: SIP/2.0/TCP c\r\n"
			   "Contact: \"x, <y\\\"\" <sip:a,b@c>;q=1,<sip:d@e?x=1,2>\r\n"
			   "Max-Forwards: 0068\r\n"
			   "Expires: 10000000000000000000\r\n"
			   "CSeq: 5 REGISTER\r\n"
			   "Call-ID: c@d\r\n"
			   "Supported: path, Outbound,\r\n"
			   "Supported:\r\n"
			   "X-Thing: 1\r\n"
			   "Content-Length: 0\r\n\r\n";

static struct sip_msg msg;

static int setup(void **state)
{
	(void)state;
	return sip_msg_parse(slice_str(text), &msg);
}

static void expect_values(enum sip_header_id id, const char *const *values, size_t count)
{
	struct sip_values it = sip_values_of(&msg, id);
	struct slice value;

	for (size_t i = 0; i < count; i++) {
		assert_true(sip_values_next(&it, &value));
		assert_slice(value, values[i]);
		assert_non_null(it.header);
	}
	assert_false(sip_values_next(&it, &value));
	assert_false(sip_values_next(&it, &value));
	assert_int_equal(sip_values_count(&msg, id), count);
}

static void values_run_over_all_fields(void **state)
{
	static const char *const vias[] = { "SIP/2.0/UDP a;branch=z9hG4bK1",
					    "SIP/2.0/UDP b;branch=z9hG4bK2", "SIP/2.0/TCP c" };
	static const char *const contacts[] = { "\"x, <y\\\"\" <sip:a,b@c>;q=1",
						"<sip:d@e?x=1,2>" };
	static const char *const supported[] = { "path", "Outbound", "" };

	(void)state;
	expect_values(SIP_HDR_VIA, vias, 3);
	expect_values(SIP_HDR_CONTACT, contacts, 2);
	expect_values(SIP_HDR_SUPPORTED, supported, 3);
	expect_values(SIP_HDR_ROUTE, NULL, 0);
}

static void fields_are_found(void **state)
{
	const struct sip_header *via = sip_msg_header(&msg, SIP_HDR_VIA);

	(void)state;
	assert_non_null(via);
	via = sip_msg_header_next(&msg, via);
	assert_slice(via->value, "SIP/2.0/TCP c");
	assert_null(sip_msg_header_next(&msg, via));
	assert_int_equal(sip_msg_header_count(&msg, SIP_HDR_VIA), 2);
	assert_slice(sip_msg_header_named(&msg, SLICE("x-THING"))->value, "1");
	assert_slice(sip_msg_header_named(&msg, SLICE("i"))->value, "c@d");
	assert_null(sip_msg_header_named(&msg, SLICE("X-Other")));
	assert_null(sip_msg_value(&msg, SIP_HDR_ROUTE).p);
	assert_true(sip_msg_has_token(&msg, SIP_HDR_SUPPORTED, SLICE("outbound")));
	assert_false(sip_msg_has_token(&msg, SIP_HDR_SUPPORTED, SLICE("out")));
}

static void typed_access(void **state)
{
	struct sip_via via;
	struct sip_addr addr;
	struct sip_cseq cseq;
	struct sip_uri uri;
	uint32_t n;

	(void)state;
	assert_int_equal(sip_msg_top_via(&msg, &via), 0);
	assert_slice(via.host, "a");
	assert_int_equal(sip_msg_to(&msg, &addr), 0);
	assert_slice(addr.display, "a, b");
	assert_slice(sip_msg_from_tag(&msg), "f1");
	assert_int_equal(sip_msg_to_tag(&msg).len, 0);
	assert_int_equal(sip_msg_contact(&msg, &addr), 0);
	assert_slice(addr.uri.user, "a,b");
	assert_int_equal(sip_msg_cseq(&msg, &cseq), 0);
	assert_int_equal(cseq.number, 5);
	assert_int_equal(sip_msg_cseq_method(&msg), SIP_REGISTER);
	assert_int_equal(sip_msg_max_forwards(&msg, &n), 0);
	assert_int_equal(n, 68);
	assert_int_equal(sip_msg_expires(&msg, &n), 0);
	assert_int_equal(n, UINT32_MAX);
	assert_int_equal(sip_msg_request_uri(&msg, &uri), 0);
	assert_slice(uri.host, "aurabox.internal");
	assert_slice(sip_msg_call_id(&msg), "c@d");
	assert_int_equal(sip_msg_top_route(&msg, &addr), -ENOENT);
}

static void single_values_off_a_slice(void **state)
{
	struct slice in = SLICE("a , <b,c> ,, \"d"), one;
	static const char *const values[] = { "a", "<b,c>", "", "\"d" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		assert_true(sip_value_take(&in, &one));
		assert_slice(one, values[i]);
	}
	assert_false(sip_value_take(&in, &one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(values_run_over_all_fields, setup),
		cmocka_unit_test_setup(fields_are_found, setup),
		cmocka_unit_test_setup(typed_access, setup),
		cmocka_unit_test(single_values_off_a_slice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
