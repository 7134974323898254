/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_msg.c - cutting messages into fields, defects, framing of streams. */
#include "helper_codec.h"

#include <errno.h>

#include "codec/sip/sip_msg.h"

static const char invite[] = "INVITE sip:3002@aurabox.internal SIP/2.0\r\n"
			     "v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1 ,\r\n"
			     " SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK2\r\n"
			     "X-Own :\tone\r\n"
			     "f: <sip:3001@aurabox.internal>;tag=a\r\n"
			     "t: <sip:3002@aurabox.internal>\r\n"
			     "i: 1@192.0.2.1\r\n"
			     "CSeq: 1 INVITE\r\n"
			     "Supported:\r\n"
			     "l: 4\r\n"
			     "\r\n"
			     "bodyTRAILER";

static struct sip_msg msg;

static int parse(const char *text)
{
	return sip_msg_parse(slice_str(text), &msg);
}

static void request_is_cut_into_fields(void **state)
{
	(void)state;
	assert_int_equal(parse(invite), 0);
	assert_int_equal(msg.defects, 0);
	assert_true(msg.request);
	assert_int_equal(msg.method, SIP_INVITE);
	assert_slice(msg.uri, "sip:3002@aurabox.internal");
	assert_slice(msg.version, "SIP/2.0");
	assert_int_equal(msg.header_count, 8);
	assert_int_equal(msg.headers[0].id, SIP_HDR_VIA);
	assert_slice(msg.headers[0].name, "v");
	assert_slice(msg.headers[0].value, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1 ,\r\n"
					   " SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK2");
	assert_int_equal(msg.headers[1].id, SIP_HDR_OTHER);
	assert_slice(msg.headers[1].value, "one");
	assert_slice(msg.headers[1].line, "X-Own :\tone\r\n");
	assert_int_equal(msg.headers[6].id, SIP_HDR_SUPPORTED);
	assert_int_equal(msg.headers[6].value.len, 0);
	assert_slice(msg.body, "body");
	assert_int_equal(msg.raw.len, sizeof(invite) - 1 - strlen("TRAILER"));
}

static void response_is_cut_into_fields(void **state)
{
	(void)state;
	assert_int_equal(parse("SIP/2.0 183 Session Progress = 1\r\nCSeq: 7 INVITE\r\n\r\n"), 0);
	assert_false(msg.request);
	assert_int_equal(msg.status, 183);
	assert_slice(msg.reason, "Session Progress = 1");
	assert_int_equal(sip_msg_cseq_method(&msg), SIP_INVITE);
	assert_int_equal(parse("SIP/2.0 100 \r\nCSeq: 7 INVITE\r\n\r\n"), 0);
	assert_int_equal(msg.defects, 0);
	assert_slice(msg.reason, "");
}

static void keep_alives_and_leading_crlfs(void **state)
{
	(void)state;
	assert_int_equal(parse("\r\n\r\n"), -ENODATA);
	assert_int_equal(parse(""), -ENODATA);
	assert_int_equal(parse("\r\n\r\nBYE sip:a SIP/2.0\r\n\r\n"), 0);
	assert_int_equal(msg.method, SIP_BYE);
	assert_slice(slice_sub(msg.raw, 0, 3), "BYE");
}

static void what_is_not_sip_is_refused(void **state)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01",    "x",
		"\r\nx\r\n\r\n",	  "INVITE\r\n\r\n",  " SIP/2.0\r\n\r\n",
		"@ a SIP/2.0\r\n\r\n",	  "INVITE  \r\n\r\n"
	};
	char *huge = calloc(1, SIP_MSG_MAX + 2);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct slice in = exact_copy(slice_str(bad[i]));

		assert_int_equal(sip_msg_parse(in, &msg), -EBADMSG);
		free((char *)in.p);
	}
	assert_int_equal(sip_msg_parse(slice_make("\0\0\0\0", 4), &msg), -EBADMSG);
	assert_int_equal(sip_msg_parse(slice_make(huge, SIP_MSG_MAX + 1), &msg), -EMSGSIZE);
	free(huge);
}

static void defects_are_noted(void **state)
{
	static const struct {
		const char *text;
		unsigned defects;
	} cases[] = {
		{ "BYE  sip:a SIP/2.0\r\n\r\n", SIP_DEFECT_START_LINE },
		{ "BYE sip:a  SIP/2.0\r\n\r\n", SIP_DEFECT_START_LINE },
		{ "BYE sip:a; lr SIP/2.0\r\n\r\n", SIP_DEFECT_START_LINE },
		{ "BYE sip:a SIP/2.0 \r\n\r\n", SIP_DEFECT_START_LINE },
		{ "BYE sip:a SIP/2.x\r\n\r\n", SIP_DEFECT_START_LINE },
		{ "BYE sip:a SIP/7.0\r\n\r\n", SIP_DEFECT_VERSION },
		{ "SIP/2.0 4294967301 x\r\n\r\n", SIP_DEFECT_STATUS },
		{ "SIP/2.0 099 x\r\n\r\n", SIP_DEFECT_STATUS },
		{ "SIP/2.0 700 x\r\n\r\n", SIP_DEFECT_STATUS },
		{ "BYE sip:a SIP/2.0\r\nno colon\r\n\r\n", SIP_DEFECT_HEADER },
		{ "BYE sip:a SIP/2.0\r\n: x\r\n\r\n", SIP_DEFECT_HEADER },
		{ "BYE sip:a SIP/2.0\r\n Fold: x\r\n\r\n", SIP_DEFECT_HEADER },
		{ "BYE sip:a SIP/2.0\nTo: x\r\n\r\n", SIP_DEFECT_LINE_END },
		{ "BYE sip:a SIP/2.0\r\nTo: x\ry\r\n\r\n", SIP_DEFECT_LINE_END },
		{ "BYE sip:a SIP/2.0\r\nl: -9\r\n\r\nabc", SIP_DEFECT_LENGTH_BAD },
		{ "BYE sip:a SIP/2.0\r\nl: \r\n\r\nabc", SIP_DEFECT_LENGTH_BAD },
		{ "BYE sip:a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\nabc", SIP_DEFECT_LENGTH_BAD },
		{ "BYE sip:a SIP/2.0\r\nl: 4\r\n\r\nabc", SIP_DEFECT_LENGTH_LONG },
		{ "BYE sip:a SIP/2.0\r\nl: 99999999999999999999\r\n\r\nabc",
		  SIP_DEFECT_LENGTH_LONG },
		{ "BYE sip:a SIP/2.0\r\nTo: x\r\n", SIP_DEFECT_TRUNCATED },
		{ "BYE sip:a SIP/2.0\r\nTo: x", SIP_DEFECT_TRUNCATED },
		{ "BYE sip:a SIP/2.0", SIP_DEFECT_TRUNCATED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slice in = exact_copy(slice_str(cases[i].text));

		assert_int_equal(sip_msg_parse(in, &msg), 0);
		if (msg.defects != cases[i].defects)
			fail_msg("case %zu: %x instead of %x", i, msg.defects, cases[i].defects);
		free((char *)in.p);
	}
}

static void fields_are_limited(void **state)
{
	AUTO_BUF text = { 0 };

	(void)state;
	buf_add_str(&text, "BYE sip:a SIP/2.0\r\n");
	for (int i = 0; i < SIP_HEADERS_MAX; i++)
		buf_printf(&text, "X-%d: %d\r\n", i, i);
	buf_add_str(&text, "\r\n");
	assert_int_equal(sip_msg_parse(buf_slice(&text), &msg), 0);
	assert_int_equal(msg.header_count, SIP_HEADERS_MAX);
	assert_int_equal(msg.defects, 0);
	text.len -= 2;
	buf_add_str(&text, "To: x\r\n\r\n");
	assert_int_equal(sip_msg_parse(buf_slice(&text), &msg), 0);
	assert_int_equal(msg.defects, SIP_DEFECT_TOO_MANY);
	assert_int_equal(msg.header_count, SIP_HEADERS_MAX);
}

static void stream_gives_message_by_message_at_any_cut(void **state)
{
	static const char stream[] =
		"\r\nREGISTER sip:a SIP/2.0\r\nContent-Length : \r\n 3\r\n\r\nabc"
		"\r\n\r\nBYE sip:b SIP/2.0\r\nL:0\r\n\r\n\r\n\r\n";
	static const int kinds[] = { SIP_FRAME_SKIP, SIP_FRAME_MESSAGE, SIP_FRAME_PING,
				     SIP_FRAME_MESSAGE, SIP_FRAME_PING };

	(void)state;
	/* bytes come one by one, or in any two parts */
	for (size_t step = 1; step < sizeof(stream); step++) {
		struct sip_framer framer = { 0 };
		size_t have = 0, taken = 0, seen = 0, len;

		while (have < sizeof(stream) - 1) {
			int kind;

			have = have + step < sizeof(stream) - 1 ? have + step : sizeof(stream) - 1;
			while ((kind = sip_frame_next(&framer,
						      slice_make(stream + taken, have - taken),
						      &len)) > 0) {
				assert_true(seen < ARRAY_SIZE(kinds));
				assert_int_equal(kind, kinds[seen++]);
				if (kind == SIP_FRAME_MESSAGE) {
					assert_false(framer.no_length);
					assert_int_equal(sip_msg_parse(slice_make(stream + taken,
										  len),
								       &msg),
							 0);
					assert_int_equal(msg.defects, 0);
					assert_slice(msg.body, seen == 2 ? "abc" : "");
				}
				taken += len;
			}
			assert_int_equal(kind, SIP_FRAME_MORE);
		}
		assert_int_equal(seen, ARRAY_SIZE(kinds));
		assert_int_equal(taken, sizeof(stream) - 1);
	}
}

static void stream_pong_and_ping(void **state)
{
	struct sip_framer framer = { .expect_pong = true };
	size_t len;

	(void)state;
	assert_int_equal(sip_frame_next(&framer, SLICE("\r\n"), &len), SIP_FRAME_PONG);
	assert_int_equal(len, 2);
	assert_false(framer.expect_pong);
	assert_int_equal(sip_frame_next(&framer, SLICE("\r\n"), &len), SIP_FRAME_MORE);
	assert_int_equal(sip_frame_next(&framer, SLICE("\r\n\r\n"), &len), SIP_FRAME_PING);
	assert_int_equal(sip_frame_next(&framer, SLICE(""), &len), SIP_FRAME_MORE);
}

static void stream_out_of_step(void **state)
{
	struct sip_framer framer = { 0 };
	char *huge = malloc(SIP_MSG_MAX + 1);
	size_t len;

	(void)state;
	assert_int_equal(sip_frame_next(&framer, SLICE("\x16\x03\x01"), &len), -EBADMSG);
	assert_int_equal(sip_frame_next(&framer, SLICE("\rx"), &len), -EBADMSG);
	assert_int_equal(sip_frame_next(&framer, SLICE("\r\n\rx"), &len), -EBADMSG);
	assert_int_equal(sip_frame_next(&framer, SLICE("BYE sip:a SIP/2.0\r\n\r\nx"), &len),
			 SIP_FRAME_MESSAGE);
	assert_true(framer.no_length);
	assert_int_equal(sip_frame_next(&framer, SLICE("BYE sip:a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n"),
					&len),
			 SIP_FRAME_MESSAGE);
	assert_true(framer.no_length);
	assert_int_equal(sip_frame_next(&framer, SLICE("BYE sip:a SIP/2.0\r\nl: 65536\r\n\r\n"),
					&len),
			 -EMSGSIZE);
	memset(huge, 'x', SIP_MSG_MAX + 1);
	framer = (struct sip_framer){ 0 };
	assert_int_equal(sip_frame_next(&framer, slice_make(huge, SIP_MSG_MAX), &len),
			 SIP_FRAME_MORE);
	assert_int_equal(sip_frame_next(&framer, slice_make(huge, SIP_MSG_MAX + 1), &len),
			 -EMSGSIZE);
	free(huge);
}

/* What came behind a field in the message before is only a guess. */
static void the_message_before_leaves_no_trace(void **state)
{
	static const char *const texts[] = {
		"BYE sip:a SIP/2.0\r\nFrom: <sip:b>\r\nTo: <sip:c>\r\nCall-ID: d\r\n\r\n",
		"BYE sip:a SIP/2.0\r\nFrom: <sip:b>\r\nToo: <sip:c>\r\nCall-ID: d\r\n\r\n",
		"BYE sip:a SIP/2.0\r\nFrom: <sip:b>\r\nTo\t: <sip:c>\r\nCall-ID: d\r\n\r\n",
		"BYE sip:a SIP/2.0\r\nFrom: <sip:b>\r\nTo\r\n\r\n",
		"BYE sip:a SIP/2.0\r\nFrom: <sip:b>\r\nCall-ID: d\r\nTo: <sip:c>\r\n\r\n",
	};
	static const enum sip_header_id second[] = { SIP_HDR_TO, SIP_HDR_OTHER, SIP_HDR_TO,
						     SIP_HDR_OTHER, SIP_HDR_CALL_ID };

	(void)state;
	for (size_t i = 0; i < 25; i++) {
		size_t n = i % 5;

		assert_int_equal(sip_msg_parse(slice_str(texts[n]), &msg), 0);
		assert_int_equal(msg.header_count, n == 3 ? 1 : 3);
		assert_int_equal(msg.defects != 0, n == 3);
		if (n != 3)
			assert_int_equal(msg.headers[1].id, second[n]);
		if (n == 1)
			assert_true(slice_eq(msg.headers[1].name, SLICE("Too")));
		assert_int_equal(sip_msg_parse(slice_str(texts[(i * 3 + 1) % 5]), &msg), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_is_cut_into_fields),
		cmocka_unit_test(response_is_cut_into_fields),
		cmocka_unit_test(keep_alives_and_leading_crlfs),
		cmocka_unit_test(what_is_not_sip_is_refused),
		cmocka_unit_test(defects_are_noted),
		cmocka_unit_test(the_message_before_leaves_no_trace),
		cmocka_unit_test(fields_are_limited),
		cmocka_unit_test(stream_gives_message_by_message_at_any_cut),
		cmocka_unit_test(stream_pong_and_ping),
		cmocka_unit_test(stream_out_of_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
