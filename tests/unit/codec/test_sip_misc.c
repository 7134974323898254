/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_misc.c - the smaller typed header fields. */
#include "helper_codec.h"

#include <errno.h>

#include "codec/sip/sip_misc.h"

static void event(void **state)
{
	struct sip_event event;

	(void)state;
	assert_int_equal(sip_event_parse(SLICE("dialog;id=7 ;sla"), &event), 0);
	assert_slice(event.type, "dialog");
	assert_slice(event.id, "7");
	assert_int_equal(sip_event_parse(SLICE("presence.winfo"), &event), 0);
	assert_int_equal(sip_event_parse(SLICE(";id=7"), &event), -EBADMSG);
	assert_int_equal(sip_event_parse(SLICE("dialog, reg"), &event), -EBADMSG);
}

static void session_expires(void **state)
{
	struct sip_session_expires se;

	(void)state;
	assert_int_equal(sip_session_expires_parse(SLICE("1200;refresher=UAC"), &se), 0);
	assert_int_equal(se.seconds, 1200);
	assert_int_equal(se.refresher, SIP_REFRESHER_UAC);
	assert_int_equal(sip_session_expires_parse(SLICE("90"), &se), 0);
	assert_int_equal(se.refresher, SIP_REFRESHER_NONE);
	assert_int_equal(sip_session_expires_parse(SLICE("90;refresher=me"), &se), -EBADMSG);
	assert_int_equal(sip_session_expires_parse(SLICE(";refresher=uac"), &se), -EBADMSG);
	assert_int_equal(sip_session_expires_parse(SLICE("9x"), &se), -EBADMSG);
}

static void subscription_state(void **state)
{
	struct sip_subscription_state sub;

	(void)state;
	assert_int_equal(sip_subscription_state_parse(SLICE("active;expires=3599"), &sub), 0);
	assert_int_equal(sub.state, SIP_SUBSTATE_ACTIVE);
	assert_true(sub.has_expires);
	assert_int_equal(sub.expires_s, 3599);
	assert_int_equal(sip_subscription_state_parse(
				 SLICE("Terminated ;reason=timeout;retry-after=5"), &sub),
			 0);
	assert_int_equal(sub.state, SIP_SUBSTATE_TERMINATED);
	assert_slice(sub.reason, "timeout");
	assert_int_equal(sub.retry_after_s, 5);
	assert_int_equal(sip_subscription_state_parse(SLICE("resting"), &sub), 0);
	assert_int_equal(sub.state, SIP_SUBSTATE_OTHER);
	assert_int_equal(sip_subscription_state_parse(SLICE("active;expires=soon"), &sub),
			 -EBADMSG);
	assert_int_equal(sip_subscription_state_parse(SLICE(""), &sub), -EBADMSG);
}

static void reason(void **state)
{
	struct sip_reason reason;

	(void)state;
	assert_int_equal(sip_reason_parse(SLICE("Q.850 ;cause=16 ;text=\"Normal, clear\""),
					  &reason),
			 0);
	assert_slice(reason.protocol, "Q.850");
	assert_int_equal(reason.cause, 16);
	assert_slice(reason.text, "Normal, clear");
	assert_int_equal(sip_reason_parse(SLICE("SIP;cause=x"), &reason), -EBADMSG);
}

static void replaces(void **state)
{
	static const char *const bad[] = { "",
					   "a@b",
					   "a@b;to-tag=1",
					   "a@b;from-tag=1",
					   "a@b;to-tag=1;to-tag=2;from-tag=3",
					   "a b;to-tag=1;from-tag=2",
					   "a@b;to-tag;from-tag=1",
					   ";to-tag=1;from-tag=2" };
	struct sip_replaces replaces;

	(void)state;
	assert_int_equal(sip_replaces_parse(SLICE("98asjd8@h;from-tag=f1;to-tag=t2;early-only"),
					    &replaces),
			 0);
	assert_slice(replaces.call_id, "98asjd8@h");
	assert_slice(replaces.to_tag, "t2");
	assert_slice(replaces.from_tag, "f1");
	assert_true(replaces.early_only);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sip_replaces_parse(slice_str(bad[i]), &replaces), -EBADMSG);
}

static void content_type(void **state)
{
	(void)state;
	assert_true(sip_content_type_is(SLICE("application/SDP"), SLICE("application/sdp")));
	assert_true(sip_content_type_is(SLICE("application / sdp ;charset=utf-8"),
					SLICE("application/sdp")));
	assert_false(sip_content_type_is(SLICE("application/sdpx"), SLICE("application/sdp")));
	assert_false(sip_content_type_is(SLICE("application"), SLICE("application/sdp")));
	assert_false(sip_content_type_is(SLICE(""), SLICE("application/sdp")));
}

static void retry_after_and_warning(void **state)
{
	static const char *const bad[] = {
		"",	   "399",	"1812 a \"x\"", "399 a",
		"399 a x", "399 a \"x", "099 a \"x\"",	"399 a \"x\" y"
	};
	struct sip_warning warning;
	uint32_t seconds;

	(void)state;
	assert_int_equal(sip_retry_after_parse(SLICE("120 (I'm (really) in)"), &seconds), 0);
	assert_int_equal(seconds, 120);
	assert_int_equal(sip_retry_after_parse(SLICE("5 (open"), &seconds), -EBADMSG);
	assert_int_equal(sip_retry_after_parse(SLICE("949302838503028349304023988"), &seconds), 0);
	assert_int_equal(seconds, UINT32_MAX);
	assert_int_equal(sip_warning_parse(SLICE("307 isi.edu \"Session \\\"x\\\"\""), &warning),
			 0);
	assert_int_equal(warning.code, 307);
	assert_slice(warning.agent, "isi.edu");
	assert_slice(warning.text, "Session \\\"x\\\"");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sip_warning_parse(slice_str(bad[i]), &warning), -EBADMSG);
}

static void dates(void **state)
{
	(void)state;
	assert_true(sip_date_valid(SLICE("Sat, 13 Nov 2010 23:29:00 GMT")));
	assert_false(sip_date_valid(SLICE("Fri, 01 Jan 2010 16:00:00 EST")));
	assert_false(sip_date_valid(SLICE("Fri, 32 Jan 2010 16:00:00 GMT")));
	assert_false(sip_date_valid(SLICE("Fri, 01 Jan 2010 16:00")));
	assert_false(sip_date_valid(SLICE("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event),
		cmocka_unit_test(session_expires),
		cmocka_unit_test(subscription_state),
		cmocka_unit_test(reason),
		cmocka_unit_test(replaces),
		cmocka_unit_test(content_type),
		cmocka_unit_test(retry_after_and_warning),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
