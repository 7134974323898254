/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_edit.c - messages are forwarded by edits: what goes, what comes, what stays byte by byte. */
#include "helper_codec.h"

#include <errno.h>

#include "codec/sip/sip_edit.h"
#include "codec/sip/sip_msg.h"

#define START "INVITE sip:3002@aurabox.internal SIP/2.0\r\n"
#define VIA "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKa\r\n"
#define ROUTE "Route: <sip:p1;lr>, <sip:p2;lr> ,<sip:p3;lr>\r\nRoute: <sip:p4;lr>\r\n"
#define REST                                                                                       \
	"From: <sip:3001@aurabox.internal>;tag=a\r\nMax-Forwards: 70\r\nSubject:\r\n"              \
	"Supported: timer\r\n"
#define LENGTH "Content-Length: 3\r\n"

static const char text[] = START VIA ROUTE
REST LENGTH "\r\nabc";

static struct sip_msg msg;
static struct sip_edit edit;
static struct buf out;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(sip_msg_parse(slice_str(text), &msg), 0);
	sip_edit_init(&edit, &msg);
	buf_done(&out);
	buf_init(&out, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_done(&out);
	return 0;
}

static void expect(const char *should)
{
	assert_int_equal(sip_edit_apply(&edit, &out), 0);
	assert_buf(&out, should);
}

static void nothing_changes_without_edits(void **state)
{
	(void)state;
	expect(text);
}

static void a_proxy_forwards(void **state)
{
	(void)state;
	sip_edit_request_uri(&edit, SLICE("sip:3002@192.0.2.9:1026"));
	sip_edit_stamp_via(&edit, SLICE("198.51.100.7"), 40000, false);
	sip_edit_push(&edit, SIP_HDR_VIA, SLICE("SIP/2.0/TLS sm;branch=z9hG4bKn"));
	sip_edit_push(&edit, SIP_HDR_RECORD_ROUTE, SLICE("<sip:sm;lr>"));
	sip_edit_pop(&edit, SIP_HDR_ROUTE, 1);
	sip_edit_set_u32(&edit, SIP_HDR_MAX_FORWARDS, 69);
	sip_edit_append(&edit, SIP_HDR_AV_GLOBAL_SESSION_ID, SLICE("64bf44a0"));
	expect("INVITE sip:3002@192.0.2.9:1026 SIP/2.0\r\n"
	       "Record-Route: <sip:sm;lr>\r\n"
	       "Via: SIP/2.0/TLS sm;branch=z9hG4bKn\r\n"
	       "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;received=198.51.100.7;rport=40000\r\n"
	       "Route: <sip:p2;lr> ,<sip:p3;lr>\r\nRoute: <sip:p4;lr>\r\n"
	       "From: <sip:3001@aurabox.internal>;tag=a\r\nMax-Forwards: 69\r\nSubject:\r\n"
	       "Supported: timer\r\n" LENGTH "Av-Global-Session-ID: 64bf44a0\r\n\r\nabc");
}

static void via_comes_back_off(void **state)
{
	static const char two[] =
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a , SIP/2.0/UDP b\r\nl: 0\r\n\r\n";

	(void)state;
	assert_int_equal(sip_msg_parse(slice_str(two), &msg), 0);
	sip_edit_init(&edit, &msg);
	sip_edit_pop(&edit, SIP_HDR_VIA, 1);
	expect("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP b\r\nl: 0\r\n\r\n");
}

static void pops_run_over_fields(void **state)
{
	static const char *const left[] = {
		ROUTE,
		"Route: <sip:p2;lr> ,<sip:p3;lr>\r\nRoute: <sip:p4;lr>\r\n",
		"Route: <sip:p3;lr>\r\nRoute: <sip:p4;lr>\r\n",
		"Route: <sip:p4;lr>\r\n",
		"",
	};

	for (size_t n = 0; n < ARRAY_SIZE(left); n++) {
		AUTO_BUF should = { 0 };

		setup(state);
		buf_printf(&should, START VIA "%s" REST LENGTH "\r\nabc", left[n]);
		sip_edit_pop(&edit, SIP_HDR_ROUTE, n);
		expect(should.data);
		teardown(state);
	}
	setup(state);
	assert_int_equal(sip_edit_pop(&edit, SIP_HDR_ROUTE, 5), -EINVAL);
}

/* Any subset of the three values in any order leaves a well-formed field. */
static void single_values_go(void **state)
{
	static const char *const left[] = {
		"Route: <sip:p1;lr>, <sip:p2;lr> ,<sip:p3;lr>\r\n",
		"Route: <sip:p2;lr> ,<sip:p3;lr>\r\n",
		"Route: <sip:p1;lr>, <sip:p3;lr>\r\n",
		"Route: <sip:p3;lr>\r\n",
		"Route: <sip:p1;lr>, <sip:p2;lr>\r\n",
		"Route: <sip:p2;lr>\r\n",
		"Route: <sip:p1;lr>\r\n",
		"",
	};

	for (unsigned set = 0; set < 8; set++) {
		for (int turn = 0; turn < 2; turn++) {
			AUTO_BUF should = { 0 };

			setup(state);
			buf_printf(&should,
				   START VIA "%sRoute: <sip:p4;lr>\r\n" REST LENGTH "\r\nabc",
				   left[set]);
			for (int k = 0; k < 3; k++) {
				int i = turn ? 2 - k : k;
				struct sip_values it = sip_values_of(&msg, SIP_HDR_ROUTE);
				struct slice value;

				for (int j = 0; j <= i; j++)
					assert_true(sip_values_next(&it, &value));
				if (set & 1U << i)
					sip_edit_remove_value(&edit, it.header, value);
			}
			expect(should.data);
			teardown(state);
		}
	}
}

static void fields_go_and_come(void **state)
{
	const struct sip_header *from = sip_msg_header(&msg, SIP_HDR_FROM);

	(void)state;
	sip_edit_remove_all(&edit, SIP_HDR_ROUTE);
	sip_edit_remove_all(&edit, SIP_HDR_ROUTE);
	sip_edit_remove(&edit, sip_msg_header(&msg, SIP_HDR_MAX_FORWARDS));
	sip_edit_insert_before(&edit, from, SLICE("A: 1\r\nB: 2\r\n"));
	sip_edit_insert_after(&edit, from, SLICE("C: 3\r\n"));
	sip_edit_set(&edit, SIP_HDR_SUBJECT, SLICE("new"));
	sip_edit_set(&edit, SIP_HDR_SUPPORTED, SLICE("path"));
	sip_edit_set(&edit, SIP_HDR_SUPPORTED, SLICE("path, gruu"));
	sip_edit_append_named(&edit, SLICE("X-Last"), SLICE("y"));
	expect(START VIA "A: 1\r\nB: 2\r\nFrom: <sip:3001@aurabox.internal>;tag=a\r\nC: 3\r\n"
			 "Subject: new\r\nSupported: path, gruu\r\n" LENGTH "X-Last: y\r\n\r\nabc");
}

static void pushes_stand_in_their_order(void **state)
{
	(void)state;
	sip_edit_remove_all(&edit, SIP_HDR_VIA);
	sip_edit_remove_all(&edit, SIP_HDR_ROUTE);
	sip_edit_push(&edit, SIP_HDR_ROUTE, SLICE("<sip:second>"));
	sip_edit_push(&edit, SIP_HDR_ROUTE, SLICE("<sip:first>"));
	sip_edit_push(&edit, SIP_HDR_VIA, SLICE("SIP/2.0/UDP x"));
	expect(START
	       "Via: SIP/2.0/UDP x\r\nRoute: <sip:first>\r\nRoute: <sip:second>\r\n" REST LENGTH
	       "\r\nabc");
}

static void bodies(void **state)
{
	(void)state;
	sip_edit_body(&edit, SLICE("application/sdp"), SLICE("v=0\r\n"));
	expect(START VIA ROUTE REST
	       "Content-Length: 5\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n");
	buf_reset(&out);
	sip_edit_init(&edit, &msg);
	sip_edit_body(&edit, SLICE(""), SLICE(""));
	expect(START VIA ROUTE REST "Content-Length: 0\r\n\r\n");
}

static void missing_length_is_added(void **state)
{
	(void)state;
	assert_int_equal(sip_msg_parse(SLICE("BYE sip:a SIP/2.0\r\nTo: x\r\n\r\nab"), &msg), 0);
	sip_edit_init(&edit, &msg);
	expect("BYE sip:a SIP/2.0\r\nTo: x\r\nContent-Length: 2\r\n\r\nab");
	buf_reset(&out);
	assert_int_equal(sip_msg_parse(SLICE("BYE sip:a SIP/2.0\r\n\r\n"), &msg), 0);
	sip_edit_init(&edit, &msg);
	sip_edit_push(&edit, SIP_HDR_VIA, SLICE("v"));
	expect("BYE sip:a SIP/2.0\r\nVia: v\r\nContent-Length: 0\r\n\r\n");
}

static void start_line_and_parts(void **state)
{
	struct sip_addr from;

	(void)state;
	assert_int_equal(sip_msg_from(&msg, &from), 0);
	sip_edit_start_line(&edit, SLICE("BYE sip:x SIP/2.0"));
	sip_edit_replace(&edit, from.uri.host, SLICE("example.com"));
	expect("BYE sip:x SIP/2.0\r\n" VIA ROUTE
	       "From: <sip:3001@example.com>;tag=a\r\nMax-Forwards: 70\r\nSubject:\r\n"
	       "Supported: timer\r\n" LENGTH "\r\nabc");
}

static void errors_stick(void **state)
{
	(void)state;
	assert_int_equal(sip_edit_append(&edit, SIP_HDR_SUBJECT, SLICE("a\r\nEvil: 1")), -EINVAL);
	sip_edit_append(&edit, SIP_HDR_SUBJECT, SLICE("fine"));
	assert_int_equal(sip_edit_apply(&edit, &out), -EINVAL);
	assert_int_equal(out.len, 0);

	setup(state);
	assert_int_equal(sip_edit_replace(&edit, SLICE("elsewhere"), SLICE("x")), -EINVAL);
	setup(state);
	assert_int_equal(sip_edit_request_uri(&edit, SLICE("sip:a b")), -EINVAL);
	setup(state);
	sip_edit_remove(&edit, sip_msg_header(&msg, SIP_HDR_FROM));
	sip_edit_replace(&edit, slice_sub(sip_msg_value(&msg, SIP_HDR_FROM), 2, 5), SLICE("x"));
	assert_int_equal(sip_edit_apply(&edit, &out), -EINVAL);
	setup(state);
	for (int i = 0; i <= SIP_EDITS_MAX; i++)
		sip_edit_append(&edit, SIP_HDR_SUBJECT, SLICE("x"));
	assert_int_equal(sip_edit_apply(&edit, &out), -ENOBUFS);
	setup(state);
	for (int i = 0; i < 5; i++) {
		static char thousand[1000];

		memset(thousand, 'x', sizeof(thousand));
		sip_edit_append(&edit, SIP_HDR_SUBJECT, slice_make(thousand, sizeof(thousand)));
	}
	assert_int_equal(sip_edit_apply(&edit, &out), -ENOBUFS);
}

static void defective_messages_are_not_edited(void **state)
{
	(void)state;
	assert_int_equal(sip_msg_parse(SLICE("BYE sip:a SIP/2.0\r\nTo: x"), &msg), 0);
	sip_edit_init(&edit, &msg);
	sip_edit_append(&edit, SIP_HDR_SUBJECT, SLICE("x"));
	assert_int_equal(sip_edit_apply(&edit, &out), -EINVAL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_changes_without_edits),
		TEST(a_proxy_forwards),
		TEST(via_comes_back_off),
		cmocka_unit_test(pops_run_over_fields),
		cmocka_unit_test(single_values_go),
		TEST(fields_go_and_come),
		TEST(pushes_stand_in_their_order),
		TEST(bodies),
		TEST(missing_length_is_added),
		TEST(start_line_and_parts),
		TEST(errors_stick),
		TEST(defective_messages_are_not_edited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
