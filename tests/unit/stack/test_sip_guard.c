/* SPDX-License-Identifier: Apache-2.0 */
/* Loops, hops and breadth; the session id. */
#include "helper_sim.h"

#include "base/loop.h"
#include "stack/sip/sip_guard.h"

#define REQUEST(via, uri, more)                                                                    \
	"INVITE " uri " SIP/2.0\r\n" via                                                           \
	"From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: g\r\n"                                 \
	"CSeq: 1 INVITE\r\n" more "Content-Length: 0\r\n\r\n"

static struct sip_msg *parse(const char *text)
{
	struct sip_msg *msg = calloc(1, sizeof(*msg));

	assert_int_equal(sip_msg_parse(slice_str(text), msg), 0);
	return msg;
}

static void tail_of(const char *text, const char *extra, char ret[SIP_GUARD_TAIL_LEN])
{
	struct sip_msg *msg = parse(text);

	sip_guard_tail(msg, slice_str(extra), ret);
	free(msg);
}

static void the_tail_is_that_of_what_routes_the_request(void **state)
{
	char a[SIP_GUARD_TAIL_LEN], b[SIP_GUARD_TAIL_LEN];

	(void)state;
	tail_of(REQUEST("", "sip:b@x", ""), "", a);
	assert_int_equal(strlen(a), SIP_GUARD_TAIL_LEN - 1);
	tail_of(REQUEST("Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n", "sip:b@x", "Subject: s\r\n"), "",
		b);
	assert_string_equal(a, b);
	tail_of(REQUEST("", "sip:c@x", ""), "", b);
	assert_string_not_equal(a, b);
	tail_of(REQUEST("", "sip:b@x", "Route: <sip:p;lr>\r\n"), "", b);
	assert_string_not_equal(a, b);
	tail_of(REQUEST("", "sip:b@x", ""), "termdone", b);
	assert_string_not_equal(a, b);
}

static void a_spiral_is_no_loop(void **state)
{
	static const struct sip_wire_handlers none = { 0 };
	struct sip_listen listen = { .transport = SIP_TRANSPORT_UDP,
				     .advertise_host = "me.test",
				     .advertise_port = 5060 };
	char tail[SIP_GUARD_TAIL_LEN], via[200], text[600];
	struct sip_wire *wire;
	struct sip_msg *msg;
	struct loop *loop;

	(void)state;
	assert_int_equal(loop_new(NULL, &loop), 0);
	assert_int_equal(sip_wire_new(loop, NULL, &none, NULL, &wire, NULL), 0);
	assert_int_equal(addr_parse(SLICE("127.0.0.1:0"), 0, &listen.local), 0);
	assert_int_equal(sip_wire_listen(wire, &listen, NULL), 0);
	tail_of(REQUEST("", "sip:b@x", ""), "", tail);
	for (int i = 0; i < 3; i++) {
		const char *host = i == 1 ? "other.test" : "me.test";
		const char *uri = i == 2 ? "sip:changed@x" : "sip:b@x";

		(void)snprintf(via, sizeof(via),
			       "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
			       "Via: SIP/2.0/UDP %s:5060;branch=z9hG4bKabc%s\r\n",
			       host, tail);
		(void)snprintf(text, sizeof(text),
			       "INVITE %s SIP/2.0\r\n%sFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n"
			       "Call-ID: g\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
			       uri, via);
		msg = parse(text);
		assert_int_equal(sip_guard_is_loop(wire, msg), i == 0);
		free(msg);
	}
	sip_wire_free(wire);
	loop_free(loop);
}

static void hops_are_counted_down(void **state)
{
	static const struct {
		const char *header;
		int r;
		uint32_t left;
	} cases[] = { { "", 0, 70 },
		      { "Max-Forwards: 10\r\n", 0, 9 },
		      { "Max-Forwards: 1\r\n", 0, 0 },
		      { "Max-Forwards: 0\r\n", -ELOOP, 0 },
		      { "Max-Forwards: x\r\n", -EBADMSG, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[400];
		struct sip_msg *msg;
		uint32_t left = 0;

		(void)snprintf(text, sizeof(text),
			       "INVITE sip:b@x SIP/2.0\r\n%sFrom: <sip:a@x>;tag=1\r\n\r\n",
			       cases[i].header);
		msg = parse(text);
		assert_int_equal(sip_guard_max_forwards(msg, &left), cases[i].r);
		assert_int_equal(left, cases[i].left);
		free(msg);
	}
}

static void breadth_is_shared_out(void **state)
{
	uint32_t total = 0;
	struct sip_msg *msg = parse(REQUEST("", "sip:b@x", "Max-Breadth: 7\r\n"));

	(void)state;
	assert_int_equal(sip_guard_max_breadth(msg), 7);
	free(msg);
	msg = parse(REQUEST("", "sip:b@x", "Max-Breadth: 99999\r\n"));
	assert_int_equal(sip_guard_max_breadth(msg), SIP_MAX_BREADTH);
	free(msg);
	for (uint32_t i = 0; i < 3; i++)
		total += sip_guard_share(7, 3, i);
	assert_int_equal(total, 7);
	assert_int_equal(sip_guard_share(2, 3, 2), 0);
	assert_int_equal(sip_guard_share(2, 0, 0), 0);
}

static void the_session_id_is_a_uuid(void **state)
{
	char gsid[SIP_GSID_LEN], text[400];
	struct sip_msg *msg;

	(void)state;
	sip_guard_gsid_new(gsid);
	(void)snprintf(text, sizeof(text),
		       "INVITE sip:b@x SIP/2.0\r\nAv-Global-Session-ID: %s\r\n\r\n", gsid);
	msg = parse(text);
	assert_true(slice_eq_str(sip_guard_gsid(msg), gsid));
	free(msg);
	msg = parse("INVITE sip:b@x SIP/2.0\r\nAv-Global-Session-ID: <script>\r\n\r\n");
	assert_int_equal(sip_guard_gsid(msg).len, 0);
	free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tail_is_that_of_what_routes_the_request),
		cmocka_unit_test(a_spiral_is_no_loop),
		cmocka_unit_test(hops_are_counted_down),
		cmocka_unit_test(breadth_is_shared_out),
		cmocka_unit_test(the_session_id_is_a_uuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
