/* SPDX-License-Identifier: Apache-2.0 */
/* The stack beside its transactions: answers without state, what is malformed, what is nobody's. */
#include "helper_sim.h"

#define HEAD(method, branch, to)                                                                   \
	method " sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=" branch        \
	       "\r\nFrom: <sip:a@x>;tag=f\r\nTo: <sip:b@x>" to "\r\nCall-ID: s\r\nCSeq: 4 " method \
	       "\r\nContact: <sip:a@192.0.2.1>\r\n"
#define REQUEST(method, branch, to)                                                                \
	HEAD(method, branch, to) "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"

struct user {
	struct sim sim;
	unsigned int requests, acks, responses;
	unsigned int status; /* answered without state */
	bool for_good;
	struct sip_extra extra;
};

static void on_request(void *user, const struct sip_incoming *in)
{
	struct user *u = user;

	u->requests++;
	if (u->for_good)
		assert_int_equal(sip_stack_answer(u->sim.b.stack, in, 200, &u->extra), 0);
	else if (u->status)
		assert_int_equal(sip_stack_reply(u->sim.b.stack, in, u->status, &u->extra), 0);
}

static void on_ack(void *user, const struct sip_incoming *in)
{
	struct user *u = user;

	(void)in;
	u->acks++;
}

static void on_response(void *user, const struct sip_incoming *in)
{
	struct user *u = user;

	(void)in;
	u->responses++;
}

static const struct sip_stack_handlers handlers = { .request = on_request,
						    .ack = on_ack,
						    .response = on_response };

static void begin(struct user *u)
{
	*u = (struct user){ 0 };
	sim_init(&u->sim, SIP_TRANSPORT_UDP);
	assert_int_equal(sim_start(&u->sim.a, &handlers, u), 0);
	assert_int_equal(sim_start(&u->sim.b, &handlers, u), 0);
}

static void a_stateless_answer_is_the_same_each_time_and_its_ack_absorbed(void **state)
{
	char text[1024], tag[64];
	struct user u;

	(void)state;
	begin(&u);
	u.status = 407;
	sim_deliver(&u.sim.b, REQUEST("INVITE", "z9hG4bK1", ""));
	sim_deliver(&u.sim.b, REQUEST("INVITE", "z9hG4bK1", ""));
	assert_int_equal(u.requests, 2);
	assert_string_equal(u.sim.b.log[0], u.sim.b.log[1]);
	assert_int_equal(sip_stack_stats(u.sim.b.stack).server_txns, 0);
	(void)slice_copy(sip_msg_to_tag(sim_sent(&u.sim.b, 0)), tag, sizeof(tag));
	assert_true(strlen(tag) > 8);
	(void)snprintf(text, sizeof(text),
		       "ACK sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP "
		       "192.0.2.1:5060;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=f\r\n"
		       "To: <sip:b@x>;tag=%s\r\nCall-ID: s\r\nCSeq: 4 ACK\r\nMax-Forwards: 70\r\n"
		       "Content-Length: 0\r\n\r\n",
		       tag);
	sim_deliver(&u.sim.b, text);
	assert_int_equal(u.acks, 0);
	sim_deliver(&u.sim.b, REQUEST("ACK", "z9hG4bK2", ";tag=s0123456789abcdef"));
	assert_int_equal(u.acks, 1); /* not ours: the user's */
	assert_int_equal(u.sim.b.sent, 2);
	sim_done(&u.sim);
}

static void a_stateless_answer_is_at_most_twice_the_request(void **state)
{
	static char lines[3000];
	struct user u;
	size_t request = strlen(REQUEST("OPTIONS", "z9hG4bK1", ""));

	(void)state;
	begin(&u);
	(void)snprintf(lines, sizeof(lines), "X-Long: %02900d\r\n", 0);
	u.status = 401;
	u.extra.headers = slice_str(lines);
	sim_deliver(&u.sim.b, REQUEST("OPTIONS", "z9hG4bK1", ""));
	assert_true(strlen(u.sim.b.log[0]) <= 2 * request);
	u.extra.headers = SLICE("X-Short: 1\r\n");
	u.extra.body = slice_str(lines);
	u.extra.content_type = SLICE("text/plain");
	sim_deliver(&u.sim.b, REQUEST("OPTIONS", "z9hG4bK2", ""));
	assert_true(strlen(u.sim.b.log[1]) <= 2 * request);
	assert_non_null(strstr(u.sim.b.log[1], "X-Short"));
	sim_done(&u.sim);
}

static void malformed_requests_are_answered_without_the_user(void **state)
{
	struct user u;

	(void)state;
	begin(&u);
	sim_deliver(&u.sim.b, HEAD("OPTIONS", "z9hG4bK1", "") "Max-Forwards: many\r\n"
							      "Content-Length: 0\r\n\r\n");
	assert_int_equal(sim_count(&u.sim.b, "SIP/2.0 400"), 1);
	sim_deliver(&u.sim.b, HEAD("OPTIONS", "z9hG4bK2", "") "Max-Forwards: 70\r\n"
							      "Require: x-magic\r\n"
							      "Content-Length: 0\r\n\r\n");
	assert_int_equal(sim_count(&u.sim.b, "SIP/2.0 420"), 1);
	assert_true(
		slice_eq_str(sip_msg_value(sim_sent(&u.sim.b, 1), SIP_HDR_UNSUPPORTED), "x-magic"));
	sim_deliver(&u.sim.b, HEAD("ACK", "z9hG4bK3", "") "Max-Forwards: many\r\n"
							  "Content-Length: 0\r\n\r\n");
	assert_int_equal(u.sim.b.sent, 2); /* an ACK is never answered */
	assert_int_equal(u.requests, 0);
	assert_int_equal(sip_stack_stats(u.sim.b.stack).rejected, 3);
	sim_done(&u.sim);
}

static void an_answer_for_good_is_repeated_until_timer_j(void **state)
{
	struct user u;

	(void)state;
	begin(&u);
	u.for_good = true;
	sim_deliver(&u.sim.b, REQUEST("REGISTER", "z9hG4bK1", ""));
	sim_run(&u.sim, 1000);
	sim_deliver(&u.sim.b, REQUEST("REGISTER", "z9hG4bK2", ""));
	sim_deliver(&u.sim.b, REQUEST("REGISTER", "z9hG4bK1", ""));
	assert_int_equal(u.requests, 2);
	assert_int_equal(u.sim.b.sent, 3);
	assert_string_equal(u.sim.b.log[0], u.sim.b.log[2]);
	assert_string_not_equal(u.sim.b.log[0], u.sim.b.log[1]);
	assert_int_equal(sip_stack_stats(u.sim.b.stack).server_txns, 0);
	sim_run(&u.sim, 31500); /* 32.5 s after the first, 31.5 s after the second */
	sim_deliver(&u.sim.b, REQUEST("REGISTER", "z9hG4bK1", ""));
	assert_int_equal(u.requests, 3);
	sim_deliver(&u.sim.b, REQUEST("REGISTER", "z9hG4bK2", ""));
	assert_int_equal(u.requests, 3);
	sim_run(&u.sim, 1000);
	sim_deliver(&u.sim.b, REQUEST("REGISTER", "z9hG4bK2", ""));
	assert_int_equal(u.requests, 4);
	sim_done(&u.sim);
}

static void a_strange_response_is_shown_to_the_user(void **state)
{
	struct user u;

	(void)state;
	begin(&u);
	sim_deliver(&u.sim.b,
		    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKno\r\n"
		    "From: <sip:b@x>;tag=1\r\nTo: <sip:a@x>;tag=2\r\nCall-ID: z\r\n"
		    "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(u.responses, 1);
	assert_int_equal(sip_stack_stats(u.sim.b.stack).stray_responses, 1);
	sim_done(&u.sim);
}

static void a_request_may_leave_without_transaction(void **state)
{
	struct sip_flow flow;
	struct sip_via via;
	struct user u;

	(void)state;
	begin(&u);
	flow = sim_flow(&u.sim.b);
	assert_int_equal(sip_stack_send(u.sim.a.stack, &flow,
					SLICE("ACK sip:b@x SIP/2.0\r\nFrom: <sip:a@x>;tag=1\r\n"
					      "To: <sip:b@x>;tag=2\r\nCall-ID: k\r\nCSeq: 1 ACK\r\n"
					      "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"),
					SLICE("z9hG4bKmine")),
			 0);
	assert_int_equal(sip_msg_top_via(sim_sent(&u.sim.a, 0), &via), 0);
	assert_true(slice_eq_str(via.branch, "z9hG4bKmine"));
	sim_run(&u.sim, 20);
	assert_int_equal(u.acks, 1);
	assert_int_equal(sip_stack_stats(u.sim.a.stack).client_txns, 0);
	assert_int_equal(sip_stack_send(u.sim.a.stack, &flow, SLICE("garbage"),
					(struct slice){ 0 }),
			 -EBADMSG);
	sim_done(&u.sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stateless_answer_is_the_same_each_time_and_its_ack_absorbed),
		cmocka_unit_test(a_stateless_answer_is_at_most_twice_the_request),
		cmocka_unit_test(malformed_requests_are_answered_without_the_user),
		cmocka_unit_test(an_answer_for_good_is_repeated_until_timer_j),
		cmocka_unit_test(a_strange_response_is_shown_to_the_user),
		cmocka_unit_test(a_request_may_leave_without_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
