/* SPDX-License-Identifier: Apache-2.0 */
/* test_sdp.c - session descriptions: what a call half reads and changes. */
#include "helper_codec.h"

#include <errno.h>

#include "codec/sdp/sdp.h"

#define TOP "v=0\r\no=alice 2890844526 2890844527 IN IP4 host.example\r\ns=-\r\n"

static const char offer[] =
	TOP "c=IN IP4 192.0.2.5\r\nb=TIAS:64000\r\nt=0 0\r\na=csup:avf-v0\r\n"
	    "a=sendonly\r\n"
	    "m=audio 49170/2 RTP/AVP 0 120\r\ni=voice\r\na=rtpmap:120 telephone-event/8000\r\n"
	    "m=video 51372 RTP/SAVP 31\r\nc=IN IP6 ff15::101/3\r\na=inactive\r\na=mid:2\r\n";

static struct sdp sdp;

static void parts_are_found(void **state)
{
	struct slice value;

	(void)state;
	assert_int_equal(sdp_parse(slice_str(offer), &sdp), 0);
	assert_slice(sdp.origin_user, "alice");
	assert_slice(sdp.session_id, "2890844526");
	assert_slice(sdp.session_version, "2890844527");
	assert_slice(sdp.origin_address, "host.example");
	assert_int_equal(sdp.media_count, 2);
	assert_slice(sdp.media[0].kind, "audio");
	assert_int_equal(sdp.media[0].port, 49170);
	assert_int_equal(sdp.media[0].port_count, 2);
	assert_slice(sdp.media[0].formats, "0 120");
	assert_slice(sdp.media[1].proto, "RTP/SAVP");
	assert_slice(sdp_connection_of(&sdp, 0).address, "192.0.2.5");
	assert_slice(sdp_connection_of(&sdp, 1).address, "ff15::101");
	assert_true(sdp_connection_of(&sdp, 1).ipv6);
	assert_int_equal(sdp_direction_of(&sdp, 0), SDP_SENDONLY);
	assert_int_equal(sdp_direction_of(&sdp, 1), SDP_INACTIVE);
	assert_true(sdp_is_hold(&sdp, 0));
	assert_true(sdp_attribute(sdp.media[0].section, SLICE("rtpmap"), &value));
	assert_slice(value, "120 telephone-event/8000");
	assert_false(sdp_attribute(sdp.media[0].section, SLICE("mid"), NULL));
	assert_true(sdp_attribute(sdp.session, SLICE("csup"), NULL));
}

static void line_feeds_alone_are_taken(void **state)
{
	(void)state;
	assert_int_equal(sdp_parse(SLICE("v=0\no=- 1 1 IN IP4 h\ns= \nt=0 0\nm=audio 0 RTP/AVP 0"),
				   &sdp),
			 0);
	assert_int_equal(sdp.media[0].port, 0);
	assert_false(sdp_is_hold(&sdp, 0));
	assert_int_equal(sdp_direction_of(&sdp, 0), SDP_SENDRECV);
}

static void hold_by_address(void **state)
{
	(void)state;
	assert_int_equal(
		sdp_parse(SLICE(TOP "c=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"), &sdp),
		0);
	assert_true(sdp_is_hold(&sdp, 0));
}

static void mirrors(void **state)
{
	(void)state;
	assert_int_equal(sdp_direction_mirror(SDP_SENDONLY), SDP_RECVONLY);
	assert_int_equal(sdp_direction_mirror(SDP_RECVONLY), SDP_SENDONLY);
	assert_int_equal(sdp_direction_mirror(SDP_INACTIVE), SDP_INACTIVE);
	assert_int_equal(sdp_direction_mirror(SDP_SENDRECV), SDP_SENDRECV);
	assert_int_equal(sdp_direction_mirror(SDP_DIR_NONE), SDP_SENDRECV);
}

static void rewritten(const struct sdp_change *change, const char *should)
{
	AUTO_BUF out = { 0 };

	assert_int_equal(sdp_parse(slice_str(offer), &sdp), 0);
	sdp_write(&sdp, change, &out);
	assert_buf(&out, should);
	assert_int_equal(sdp_parse(buf_slice(&out), &sdp), 0);
}

static void nothing_changes_unasked(void **state)
{
	(void)state;
	rewritten(&(struct sdp_change){ 0 }, offer);
}

static void direction_port_address_and_version_change(void **state)
{
	const struct sdp_change change = { .direction = SDP_INACTIVE,
					   .close = { false, true },
					   .address = SLICE("2001:db8::7"),
					   .ipv6 = true,
					   .session_version = SLICE("5") };

	(void)state;
	rewritten(
		&change,
		"v=0\r\no=alice 2890844526 5 IN IP6 2001:db8::7\r\ns=-\r\nc=IN IP6 2001:db8::7\r\n"
		"b=TIAS:64000\r\nt=0 0\r\na=csup:avf-v0\r\n"
		"m=audio 49170/2 RTP/AVP 0 120\r\ni=voice\r\na=rtpmap:120 telephone-event/8000\r\n"
		"a=inactive\r\n"
		"m=video 0 RTP/SAVP 31\r\nc=IN IP6 2001:db8::7\r\na=mid:2\r\na=inactive\r\n");
}

static void rejects_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"v=0\r\n",
		"v=1\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n",
		TOP,
		TOP "t=0\r\n",
		TOP "t=0 0\r\nm=audio 1 RTP/AVP 0\r\n", /* no connection */
		TOP "t=0 0\r\nc=IN IP4 h\r\nm=audio 70000 RTP/AVP 0\r\n",
		TOP "t=0 0\r\nc=IN IP4 h\r\nm=audio 1/0 RTP/AVP 0\r\n",
		TOP "t=0 0\r\nc=IN IP4 h\r\nm=audio x RTP/AVP 0\r\n",
		TOP "t=0 0\r\nc=IN IP4 h\r\nm=audio 1 RTP/AVP\r\n",
		TOP "t=0 0\r\nc=IN IP4 h\r\nm=audio 1 RTP/AVP 0\r\ns=-\r\n",
		TOP "t=0 0\r\nc=IN IP5 h\r\n",
		TOP "t=0 0\r\nc=IN IP4\r\n",
		TOP "t=0 0\r\nc=IN IP4 /3\r\n",
		TOP "t=0 0\r\nc=IN IP4 h\r\nc=IN IP4 h\r\n",
		TOP "t=0 0\r\n\r\n",
		TOP "t=0 0\r\nx\r\n",
		TOP "t=0 0\r\n=x\r\n",
		TOP "t=0 0\r\na=x\ry\r\n",
		TOP "t=0 0\r\na=x\r",
		TOP "m=audio 0 RTP/AVP 0\r\nt=0 0\r\n",
		"o=- 1 1 IN IP4 h\r\nv=0\r\ns=-\r\nt=0 0\r\n",
		"v=0\r\no=- a 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n",
		"v=0\r\no=- 1 1 IN IP4\r\ns=-\r\nt=0 0\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct slice in = exact_copy(slice_str(bad[i]));

		if (sdp_parse(in, &sdp) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		free((char *)in.p);
	}
}

static void limits_hold(void **state)
{
	AUTO_BUF text = { 0 };

	(void)state;
	buf_add_str(&text, TOP "t=0 0\r\n");
	for (int i = 0; i < SDP_MEDIA_MAX; i++)
		buf_add_str(&text, "m=audio 0 RTP/AVP 0\r\n");
	assert_int_equal(sdp_parse(buf_slice(&text), &sdp), 0);
	buf_add_str(&text, "m=audio 0 RTP/AVP 0\r\n");
	assert_int_equal(sdp_parse(buf_slice(&text), &sdp), -EMSGSIZE);
	buf_reset(&text);
	buf_add_str(&text, TOP "t=0 0\r\n");
	for (int i = 0; i < SDP_LINES_MAX; i++)
		buf_add_str(&text, "a=x\r\n");
	assert_int_equal(sdp_parse(buf_slice(&text), &sdp), -EMSGSIZE);
	while (text.len <= SDP_MAX)
		buf_add_str(&text, "a=xxxxxxxxxxxxxxxxxxx\r\n");
	assert_int_equal(sdp_parse(buf_slice(&text), &sdp), -EMSGSIZE);
}

static void the_origin_is_found(void **state)
{
	static const struct {
		const char *text, *origin;
	} good[] = {
		{ offer, "alice 2890844526 2890844527 IN IP4 host.example" },
		{ "v=0\no=- 1 1 IN IP4 a\ns=-\n", "- 1 1 IN IP4 a" },
		{ "v=0\r\no=A B 1 x\r\ns=", "A B 1 x" }, /* malformed it is one, too */
		{ "v=0\r\no=\r\ns=\r\n", "" },
	};
	static const char *const bad[] = {
		"",
		"v=0",
		"v=0\r\n",
		"v=0\r\no=- 1 1 IN IP4 a",
		"v=0\r\no=- 1 1 IN IP4 a\r\n",
		"v=0\r\no=- 1 1 IN IP4 a\r\no=- 1 2 IN IP4 a\r\ns=-\r\n",
		"v=0\r\no=- 1 1 IN IP4 a\rs=-\r\nt=0 0\r\n",
		"v=0\ro=- 1 1 IN IP4 a\rs=-\r",
		"v=0\r\n\r\no=- 1 1 IN IP4 a\r\ns=-\r\n",
		"v=1\r\no=- 1 1 IN IP4 a\r\ns=-\r\n",
		"o=- 1 1 IN IP4 a\r\ns=-\r\n",
		"v=0\r\ns=-\r\no=- 1 1 IN IP4 a\r\n",
		"v=0\r\ns=-\r\nt=0 0\r\n",
		"v=0\r\nO=- 1 1 IN IP4 a\r\ns=-\r\n",
		"v=0\r\n o=- 1 1 IN IP4 a\r\ns=-\r\n",
	};
	static const char nul[] = "v=0\r\no=-\0 1 IN IP4 a\r\ns=-\r\n";
	struct slice in, origin;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		in = exact_copy(slice_str(good[i].text));
		assert_int_equal(sdp_origin(in, &origin), 0);
		assert_slice(origin, good[i].origin);
		free((char *)in.p);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		in = exact_copy(slice_str(bad[i]));
		assert_int_equal(sdp_origin(in, &origin), -EBADMSG);
		free((char *)in.p);
	}
	assert_int_equal(sdp_origin(slice_make(nul, sizeof(nul) - 1), &origin), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_found),
		cmocka_unit_test(line_feeds_alone_are_taken),
		cmocka_unit_test(hold_by_address),
		cmocka_unit_test(mirrors),
		cmocka_unit_test(nothing_changes_unasked),
		cmocka_unit_test(direction_port_address_and_version_change),
		cmocka_unit_test(rejects_malformed),
		cmocka_unit_test(the_origin_is_found),
		cmocka_unit_test(limits_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
