/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_body.c - where a body has its session description, and where it has none. */
#include "helper_codec.h"

#include "codec/sip/sip_body.h"

#define MIXED "multipart/mixed;boundary=cut"
#define PART "--cut\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--cut--\r\n"

static bool find(const char *type, struct slice body, struct slice *ret)
{
	return sip_body_description(slice_str(type), body, ret);
}

static void it_is_found(void **state)
{
	static const struct {
		const char *type, *body, *description;
	} cases[] = {
		{ "application/sdp", "v=0\r\n", "v=0\r\n" },
		{ "Application / SDP ; charset=utf-8", "v=0\n", "v=0\n" },
		{ "application/sdp", "", "" },
		{ MIXED, PART, "v=0" },
		{ "Multipart/Mixed; start=a; BOUNDARY=\"cut\"", PART, "v=0" },
		{ MIXED, "preamble\r\n" PART "epilogue", "v=0" },
		{ MIXED, "--cut\nContent-Type: application/sdp\n\nv=0\no=x\n--cut--", "v=0\no=x" },
		{ MIXED,
		  "--cut \t\r\nc-l: 3\r\ncontent-TYPE :  application/sdp;x=y  \r\n\r\nv=0\r\n"
		  "--cut--",
		  "v=0" },
		{ MIXED,
		  "--cut\r\nContent-Type: text/plain\r\n\r\nv=9\r\n--cut\r\n"
		  "Content-Type: application/sdp\r\n\r\nv=0\r\n--cuts\r\n\r\n--cut--\r\n",
		  "v=0\r\n--cuts\r\n" },
		{ MIXED,
		  "--cut\r\nContent-Type: application/sdp\r\n"
		  "Content-Disposition: early-session\r\n\r\nv=1\r\n--cut\r\n"
		  "Content-Type: application/sdp\r\n"
		  "Content-Disposition: Session;handling=required\r\n\r\nv=0\r\n--cut--\r\n",
		  "v=0" },
		{ MIXED,
		  "--cut\r\nContent-Type: multipart/alternative;boundary=in\r\n\r\n"
		  "--in\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--in--\r\n--cut--\r\n",
		  "v=0" },
		{ MIXED, "--cut\r\nContent-Type: application/sdp\r\n\r\n\r\n--cut--\r\n", "" },
	};
	struct slice body, found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		body = exact_copy(slice_str(cases[i].body));
		assert_true(find(cases[i].type, body, &found));
		assert_slice(found, cases[i].description);
		free((char *)body.p);
	}
}

static void there_is_none(void **state)
{
	static const struct {
		const char *type, *body;
	} cases[] = {
		{ "", "v=0\r\n" },
		{ "application/sdpng", "v=0\r\n" },
		{ "application", "v=0\r\n" },
		{ "application/sdp;;", "v=0\r\n" },
		{ "application/dtmf-relay", "Signal=1\r\n" },
		{ "multipart/mixed", PART },
		{ "multipart/mixed;boundary=", PART },
		{ "multipart/mixed;boundary=\"\"", PART },
		{ "multipart/mixed;boundary=other", PART },
		{ "multipart/mixed;boundary="
		  "12345678901234567890123456789012345678901234567890123456789012345678901",
		  PART },
		{ "text/mixed;boundary=cut", PART },
		{ MIXED, "" },
		{ MIXED, "--cut" },
		{ MIXED, "--cut--\r\n" PART },
		{ MIXED, "--cut\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n" },
		{ MIXED, "--cut\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--cut" },
		{ MIXED, "--cut\r\nContent-Type: application/sdp\r\n--cut--\r\n" },
		{ MIXED, "--cut\r\nContent-Type application/sdp\r\n\r\nv=0\r\n--cut--\r\n" },
		{ MIXED, "--cut\r\n\r\nv=0\r\n--cut--\r\n" },
		{ MIXED, " --cut\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--cut--\r\n" },
	};
	struct slice body, found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		body = exact_copy(slice_str(cases[i].body));
		assert_false(find(cases[i].type, body, &found));
		free((char *)body.p);
	}
}

static void limits_hold(void **state)
{
	AUTO_BUF text = { 0 };
	struct slice found;

	(void)state;
	/* the last part that is looked at, and the one after it */
	for (int before = SIP_BODY_PARTS_MAX - 1; before <= SIP_BODY_PARTS_MAX; before++) {
		buf_reset(&text);
		for (int i = 0; i < before; i++)
			buf_add_str(&text, "--cut\r\n\r\n\r\n");
		buf_add_str(&text, PART);
		assert_int_equal(find(MIXED, buf_slice(&text), &found),
				 before < SIP_BODY_PARTS_MAX);
	}
	for (int depth = SIP_BODY_DEPTH_MAX; depth <= SIP_BODY_DEPTH_MAX + 1; depth++) {
		buf_reset(&text);
		for (int i = 1; i < depth; i++)
			buf_printf(&text,
				   "--b%d\r\nContent-Type: multipart/mixed;boundary=b%d\r\n\r\n", i,
				   i + 1);
		buf_printf(&text, "--b%d\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n", depth);
		for (int i = depth; i > 0; i--)
			buf_printf(&text, "--b%d--\r\n", i);
		assert_int_equal(find("multipart/mixed;boundary=b1", buf_slice(&text), &found),
				 depth <= SIP_BODY_DEPTH_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_found),
		cmocka_unit_test(there_is_none),
		cmocka_unit_test(limits_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
