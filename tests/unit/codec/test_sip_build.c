/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_build.c - new requests, replies, ACK and CANCEL. */
#include "helper_codec.h"

#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"

static const char invite[] = "INVITE sip:3002@h SIP/2.0\r\n"
			     "Via: SIP/2.0/UDP a;rport;branch=z9hG4bK1\r\n"
			     "v: SIP/2.0/UDP b;branch=z9hG4bK2\r\n"
			     "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
			     "Route: <sip:r1;lr>\r\n"
			     "f: <sip:3001@h>;tag=f\r\n"
			     "t: <sip:3002@h>\r\n"
			     "i: c1\r\n"
			     "CSeq: 8 INVITE\r\n"
			     "Timestamp: 54\r\n"
			     "Proxy-Authorization: Digest realm=\"h\"\r\n"
			     "l: 0\r\n\r\n";

static struct sip_msg msg;

static void request(void **state)
{
	AUTO_BUF out = { 0 };

	(void)state;
	sip_build_request(&out, SLICE("OPTIONS"), SLICE("sip:h"));
	sip_build_header(&out, SIP_HDR_VIA, SLICE("SIP/2.0/UDP a;branch=z9hG4bK1"));
	sip_build_headerf(&out, SIP_HDR_TO, "<sip:%s@%s>", "3001", "h");
	sip_build_header_u32(&out, SIP_HDR_MAX_FORWARDS, 70);
	sip_build_cseq(&out, 7, SLICE("OPTIONS"));
	sip_build_header_named(&out, SLICE("X-Own"), SLICE("1\r\n 2"));
	sip_build_body(&out, SLICE("text/plain"), SLICE("hi"));
	assert_buf(&out,
		   "OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n"
		   "To: <sip:3001@h>\r\nMax-Forwards: 70\r\nCSeq: 7 OPTIONS\r\nX-Own: 1\r\n 2\r\n"
		   "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
	assert_int_equal(sip_msg_parse(buf_slice(&out), &msg), 0);
	assert_int_equal(msg.defects, 0);
}

static void reply_repeats_what_it_must(void **state)
{
	const struct sip_reply reply = { .status = 180,
					 .to_tag = SLICE("t9"),
					 .source = SLICE("192.0.2.5"),
					 .source_port = 4000,
					 .flags = SIP_REPLY_RECORD_ROUTE };
	AUTO_BUF out = { 0 };

	(void)state;
	assert_int_equal(sip_msg_parse(slice_str(invite), &msg), 0);
	sip_build_reply(&out, &msg, &reply);
	sip_build_body(&out, SLICE(""), SLICE(""));
	assert_buf(&out, "SIP/2.0 180 Ringing\r\n"
			 "Via: SIP/2.0/UDP a;branch=z9hG4bK1;received=192.0.2.5;rport=4000\r\n"
			 "Via: SIP/2.0/UDP b;branch=z9hG4bK2\r\n"
			 "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
			 "From: <sip:3001@h>;tag=f\r\nTo: <sip:3002@h>;tag=t9\r\nCall-ID: c1\r\n"
			 "CSeq: 8 INVITE\r\nContent-Length: 0\r\n\r\n");
}

static void trying_has_no_tag_but_the_timestamp(void **state)
{
	const struct sip_reply reply = { .status = 100 };
	AUTO_BUF out = { 0 };

	(void)state;
	assert_int_equal(sip_msg_parse(slice_str(invite), &msg), 0);
	sip_build_reply(&out, &msg, &reply);
	assert_true(memmem(out.data, out.len, "To: <sip:3002@h>\r\n", 18) != NULL);
	assert_true(memmem(out.data, out.len, "Timestamp: 54\r\n", 15) != NULL);
	assert_null(memmem(out.data, out.len, "Record-Route", 12));
}

static void a_tag_that_is_there_stays(void **state)
{
	const struct sip_reply reply = { .status = 200,
					 .reason = SLICE("Fine"),
					 .to_tag = SLICE("new") };
	AUTO_BUF out = { 0 };

	(void)state;
	assert_int_equal(sip_msg_parse(SLICE("BYE sip:a SIP/2.0\r\nVia: nonsense\r\n"
					     "To: <sip:b>;tag=old\r\n\r\n"),
				       &msg),
			 0);
	sip_build_reply(&out, &msg, &reply);
	assert_buf(&out, "SIP/2.0 200 Fine\r\nVia: nonsense\r\nTo: <sip:b>;tag=old\r\n");
}

/* Whatever the name of a field looks like, an answer has ours; what stands oddly is written as we write it. */
static void names_are_written_as_ours(void **state)
{
	const struct sip_reply reply = { .status = 404, .to_tag = SLICE("t") };
	AUTO_BUF out = { 0 };

	(void)state;
	assert_int_equal(
		sip_msg_parse(SLICE("OPTIONS sip:a SIP/2.0\r\n"
				    "v: SIP/2.0/UDP h;branch=z9hG4bK1 , SIP/2.0/UDP i\r\n"
				    "VIA: SIP/2.0/UDP j\r\nVia: SIP/2.0/UDP k;a=\"b\r\n c\"\r\n"
				    "f:<sip:b>;tag=1\r\nTO:  <sip:c>\r\nCall-ID : x\r\n"
				    "CSeq:\t1 OPTIONS\r\n\r\n"),
			      &msg),
		0);
	sip_build_reply(&out, &msg, &reply);
	assert_buf(
		&out,
		"SIP/2.0 404 Not Found\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
		"Via: SIP/2.0/UDP i\r\nVia: SIP/2.0/UDP j\r\nVia: SIP/2.0/UDP k;a=\"b\r\n c\"\r\n"
		"From: <sip:b>;tag=1\r\nTo: <sip:c>;tag=t\r\nCall-ID: x\r\n"
		"CSeq: 1 OPTIONS\r\n");
}

static void ack_and_cancel_repeat_the_invite(void **state)
{
	static struct sip_msg busy;
	AUTO_BUF out = { 0 };

	(void)state;
	assert_int_equal(sip_msg_parse(slice_str(invite), &msg), 0);
	assert_int_equal(sip_msg_parse(SLICE("SIP/2.0 486 Busy\r\nTo: <sip:3002@h>;tag=z\r\n\r\n"),
				       &busy),
			 0);
	sip_build_ack(&out, &msg, &busy);
	assert_buf(&out, "ACK sip:3002@h SIP/2.0\r\nVia: SIP/2.0/UDP a;rport;branch=z9hG4bK1\r\n"
			 "Route: <sip:r1;lr>\r\nMax-Forwards: 70\r\nFrom: <sip:3001@h>;tag=f\r\n"
			 "To: <sip:3002@h>;tag=z\r\nCall-ID: c1\r\nCSeq: 8 ACK\r\n"
			 "Proxy-Authorization: Digest realm=\"h\"\r\nContent-Length: 0\r\n\r\n");
	buf_reset(&out);
	sip_build_cancel(&out, &msg);
	assert_buf(
		&out,
		"CANCEL sip:3002@h SIP/2.0\r\nVia: SIP/2.0/UDP a;rport;branch=z9hG4bK1\r\n"
		"Route: <sip:r1;lr>\r\nMax-Forwards: 70\r\nFrom: <sip:3001@h>;tag=f\r\n"
		"To: <sip:3002@h>\r\nCall-ID: c1\r\nCSeq: 8 CANCEL\r\nContent-Length: 0\r\n\r\n");
}

static void texts_cannot_break_out(void **state)
{
	static const char *const bad[] = { "a\r\nEvil: 1", "a\nb",   "a\rb",   "a\r\n",
					   "a\r",	   "a\\\nb", "a\\\rb", "a\\\r\nEvil: 1" };

	(void)state;
	assert_false(sip_line_is_safe(slice_make("a\0b", 3)));
	assert_false(sip_line_is_safe(slice_make("\\\\\0b", 4)));
	assert_true(sip_line_is_safe(slice_make("\\\0b", 3)));
	assert_true(sip_line_is_safe(slice_make("a\\\r\n b", 6)));
	assert_true(sip_line_is_safe(SLICE("a\\")));
	assert_true(sip_line_is_safe(SLICE("a\r\n b")));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO_BUF out = { 0 };

		assert_false(sip_line_is_safe(slice_str(bad[i])));
		sip_build_header(&out, SIP_HDR_SUBJECT, slice_str(bad[i]));
		assert_false(buf_ok(&out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request),
		cmocka_unit_test(reply_repeats_what_it_must),
		cmocka_unit_test(trying_has_no_tag_but_the_timestamp),
		cmocka_unit_test(a_tag_that_is_there_stays),
		cmocka_unit_test(names_are_written_as_ours),
		cmocka_unit_test(ack_and_cancel_repeat_the_invite),
		cmocka_unit_test(texts_cannot_break_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
