/* SPDX-License-Identifier: Apache-2.0 */
/* What crosses from one leg to the other, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "cm/leg_header.h"
#include "codec/sip/sip_msg.h"

static const char invite[] = "INVITE sip:3002@aurabox.internal SIP/2.0\r\n"
			     "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n"
			     "Route: <sip:127.0.0.1:5070;lr;phase=imsorig>\r\n"
			     "From: <sip:3001@aurabox.internal>;tag=a\r\n"
			     "To: <sip:3002@aurabox.internal>\r\n"
			     "Call-ID: c\r\nCSeq: 1 INVITE\r\n"
			     "Contact: <sip:3001@192.0.2.1>\r\n"
			     "Require: 100rel\r\nSupported: timer\r\n"
			     "Authorization: Digest username=\"x\"\r\n"
			     "Session-Expires: 1800\r\n"
			     "History-Info: <sip:3002@aurabox.internal>;index=1\r\n"
			     "P-Asserted-Identity: <sip:3001@aurabox.internal>\r\n"
			     "Av-Global-Session-ID: 64bf44a0-4f61-11ea-bea2-005056b42b9e\r\n"
			     "Content-Length: 0\r\n\r\n";

static void only_what_is_the_calls_crosses(void **state)
{
	static struct sip_msg msg;
	AUTO_BUF out = { 0 };

	(void)state;
	assert_int_equal(sip_msg_parse(slice_str(invite), &msg), 0);
	leg_header_copy(&msg, LEG_WAY_INVITE, &out);
	assert_true(buf_ok(&out));
	assert_string_equal(out.data, "History-Info: <sip:3002@aurabox.internal>;index=1\r\n"
				      "P-Asserted-Identity: <sip:3001@aurabox.internal>\r\n");
}

static void what_belongs_to_one_leg_never_crosses(void **state)
{
	static const enum sip_header_id own[] = {
		SIP_HDR_VIA,
		SIP_HDR_ROUTE,
		SIP_HDR_RECORD_ROUTE,
		SIP_HDR_CONTACT,
		SIP_HDR_REQUIRE,
		SIP_HDR_RSEQ,
		SIP_HDR_SUPPORTED,
		SIP_HDR_AUTHORIZATION,
		SIP_HDR_CALL_ID,
		SIP_HDR_CSEQ,
		SIP_HDR_SESSION_EXPIRES,
		SIP_HDR_RETRY_AFTER,
		SIP_HDR_OTHER,
		SIP_HDR_PROXY_AUTHENTICATE,
		SIP_HDR_PROXY_AUTHORIZATION,
		SIP_HDR_AV_GLOBAL_SESSION_ID,
		SIP_HDR_CONTENT_LENGTH,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		for (unsigned way = LEG_WAY_INVITE; way <= LEG_WAY_REQUEST; way <<= 1)
			assert_false(leg_header_crosses(own[i], (enum leg_way)way));
	}
	assert_true(leg_header_crosses(SIP_HDR_REASON, LEG_WAY_REFUSAL));
	assert_false(leg_header_crosses(SIP_HDR_MAX_BREADTH, LEG_WAY_REQUEST));
	/* One that names no dialog of ours is for the callee's phone; inside a call it has no place. */
	assert_true(leg_header_crosses(SIP_HDR_REPLACES, LEG_WAY_INVITE));
	assert_false(leg_header_crosses(SIP_HDR_REPLACES, LEG_WAY_REQUEST));
}

static void some_statuses_change_on_the_way(void **state)
{
	static const struct {
		unsigned below, above;
	} cases[] = {
		{ 302, 480 }, { 401, 403 }, { 407, 403 }, { 422, 500 }, { 503, 500 },
		{ 486, 486 }, { 603, 603 }, { 404, 404 }, { 500, 500 }, { 408, 408 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(leg_status_pass(cases[i].below), cases[i].above);
}

static void the_tag_alone_is_taken_off_a_party(void **state)
{
	static const struct {
		const char *value, *text;
	} cases[] = {
		{ "<sip:a@b>;tag=1", "<sip:a@b>" },
		{ "\"Ada, B\" <sip:a@b;user=phone>;tag=1;x=y",
		  "\"Ada, B\" <sip:a@b;user=phone>;x=y" },
		{ "<sip:a@b>;x=y;tag=1", "<sip:a@b>;x=y" },
		{ "sip:a@b;tag=1", "sip:a@b" },
		{ "<sip:a@b>", "<sip:a@b>" },
	};
	AUTO_BUF out = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		buf_reset(&out);
		assert_int_equal(leg_party_text(slice_str(cases[i].value), &out), 0);
		assert_string_equal(out.data, cases[i].text);
	}
	assert_int_equal(leg_party_text(SLICE("<sip:a@b"), &out), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_the_calls_crosses),
		cmocka_unit_test(what_belongs_to_one_leg_never_crosses),
		cmocka_unit_test(some_statuses_change_on_the_way),
		cmocka_unit_test(the_tag_alone_is_taken_off_a_party),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
