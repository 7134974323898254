/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: every row of the four tables, the timers, loss, CANCEL, bounds. */
#include "helper_sim.h"

#define INVITE_TO_B                                                                                \
	"INVITE sip:b@192.0.2.2 SIP/2.0\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=f1\r\n"         \
	"To: <sip:b@x>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.1>\r\n"         \
	"Content-Length: 0\r\n\r\n"
#define OPTIONS_TO_B                                                                               \
	"OPTIONS sip:b@192.0.2.2 SIP/2.0\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=f1\r\n"        \
	"To: <sip:b@x>\r\nCall-ID: c2\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n"

struct ua { /* the transaction users of both sides */
	struct sim sim;
	struct sip_server_txn *server;
	struct sip_client_txn *client;
	unsigned int requests, acks, cancels, server_ended;
	int server_reason;
	unsigned int responses, last_status, failures, client_ended;
	int fail_reason;
	unsigned int answer_with; /* at once, when not 0 */
};

static void server_cancel(void *user, struct sip_server_txn *txn, const struct sip_incoming *in)
{
	struct ua *ua = user;

	(void)in;
	ua->cancels++;
	assert_int_equal(sip_server_txn_reply(txn, 487, NULL), 0);
}

static void server_ended(void *user, struct sip_server_txn *txn, int reason)
{
	struct ua *ua = user;

	(void)txn;
	ua->server_ended++;
	ua->server_reason = reason;
	ua->server = NULL;
}

static const struct sip_server_handlers server_handlers = { .cancel = server_cancel,
							    .ended = server_ended };

static void request(void *user, const struct sip_incoming *in)
{
	struct ua *ua = user;

	ua->requests++;
	assert_int_equal(sip_server_txn_new(ua->sim.b.stack, in, &server_handlers, ua, &ua->server),
			 0);
	if (ua->answer_with)
		assert_int_equal(sip_server_txn_reply(ua->server, ua->answer_with, NULL), 0);
}

static void ack(void *user, const struct sip_incoming *in)
{
	struct ua *ua = user;

	(void)in;
	ua->acks++;
}

static const struct sip_stack_handlers stack_handlers = { .request = request, .ack = ack };

static void client_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct ua *ua = user;

	assert_ptr_equal(txn, ua->client);
	ua->responses++;
	ua->last_status = in->msg->status;
}

static void client_failed(void *user, struct sip_client_txn *txn, int reason)
{
	struct ua *ua = user;

	(void)txn;
	ua->failures++;
	ua->fail_reason = reason;
}

static void client_ended(void *user, struct sip_client_txn *txn)
{
	struct ua *ua = user;

	(void)txn;
	ua->client_ended++;
	ua->client = NULL;
}

static const struct sip_client_handlers client_handlers = { .response = client_response,
							    .failed = client_failed,
							    .ended = client_ended };

static void begin(struct ua *ua, enum sip_transport transport)
{
	*ua = (struct ua){ 0 };
	sim_init(&ua->sim, transport);
	assert_int_equal(sim_start(&ua->sim.a, &stack_handlers, ua), 0);
	assert_int_equal(sim_start(&ua->sim.b, &stack_handlers, ua), 0);
}

static int call(struct ua *ua, const char *text)
{
	struct sip_flow flow = sim_flow(&ua->sim.b);

	return sip_client_txn_new(ua->sim.a.stack, &flow, slice_str(text), NULL, &client_handlers,
				  ua, &ua->client, NULL);
}

static void tables_are_sound(void **state)
{
	(void)state;
	assert_true(fsm_table_is_sound(&sip_invite_server_table, IST_PROCEEDING, IST_STATES));
	assert_true(fsm_table_is_sound(&sip_plain_server_table, NST_TRYING, NST_STATES));
	assert_true(fsm_table_is_sound(&sip_invite_client_table, ICT_CALLING, ICT_STATES));
	assert_true(fsm_table_is_sound(&sip_plain_client_table, NCT_TRYING, NCT_STATES));
}

/* Does the table have that row? The tables below repeat the standard's figures, state by state. */
static const struct fsm_row *row(const struct fsm_table *table, uint8_t from, uint8_t event)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->rows[i].state == from && table->rows[i].event == event)
			return &table->rows[i];
	}
	return NULL;
}

struct expected {
	uint8_t state, event, next;
};

static void check_table(const struct fsm_table *table, const struct expected *want, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct fsm_row *r = row(table, want[i].state, want[i].event);

		assert_non_null(r);
		assert_int_equal(r->next, want[i].next);
	}
	assert_int_equal(table->count, count);
}

static void invite_client_rows_are_those_of_figure_5(void **state)
{
	static const struct expected want[] = {
		{ ICT_CALLING, EC_TIMER_A, ICT_CALLING },
		{ ICT_CALLING, EC_TIMER_B, ICT_TERMINATED },
		{ ICT_CALLING, EC_TRANSPORT_ERR, ICT_TERMINATED },
		{ ICT_CALLING, EC_1XX, ICT_PROCEEDING },
		{ ICT_CALLING, EC_2XX, ICT_ACCEPTED },
		{ ICT_CALLING, EC_300_699, ICT_COMPLETED },
		{ ICT_PROCEEDING, EC_1XX, ICT_PROCEEDING },
		{ ICT_PROCEEDING, EC_2XX, ICT_ACCEPTED },
		{ ICT_PROCEEDING, EC_300_699, ICT_COMPLETED },
		{ ICT_PROCEEDING, EC_TRANSPORT_ERR, ICT_TERMINATED },
		{ ICT_PROCEEDING, EC_TIMER_CANCEL, ICT_TERMINATED },
		{ ICT_ACCEPTED, EC_2XX, ICT_ACCEPTED },
		{ ICT_ACCEPTED, EC_TRANSPORT_ERR, ICT_ACCEPTED },
		{ ICT_ACCEPTED, EC_TIMER_M, ICT_TERMINATED },
		{ ICT_COMPLETED, EC_300_699, ICT_COMPLETED },
		{ ICT_COMPLETED, EC_TRANSPORT_ERR, ICT_TERMINATED },
		{ ICT_COMPLETED, EC_TIMER_D, ICT_TERMINATED },
	};

	(void)state;
	check_table(&sip_invite_client_table, want, ARRAY_SIZE(want));
}

static void invite_server_rows_are_those_of_rfc_6026(void **state)
{
	static const struct expected want[] = {
		{ IST_PROCEEDING, EV_REQUEST, IST_PROCEEDING },
		{ IST_PROCEEDING, EV_TIMER_TRYING, IST_PROCEEDING },
		{ IST_PROCEEDING, EV_SEND_1XX, IST_PROCEEDING },
		{ IST_PROCEEDING, EV_SEND_2XX, IST_ACCEPTED },
		{ IST_PROCEEDING, EV_SEND_300_699, IST_COMPLETED },
		{ IST_PROCEEDING, EV_TRANSPORT_ERR, IST_PROCEEDING },
		{ IST_ACCEPTED, EV_REQUEST, IST_ACCEPTED },
		{ IST_ACCEPTED, EV_SEND_2XX, IST_ACCEPTED },
		{ IST_ACCEPTED, EV_ACK, IST_ACCEPTED },
		{ IST_ACCEPTED, EV_TRANSPORT_ERR, IST_ACCEPTED },
		{ IST_ACCEPTED, EV_TIMER_L, IST_TERMINATED },
		{ IST_COMPLETED, EV_REQUEST, IST_COMPLETED },
		{ IST_COMPLETED, EV_TIMER_G, IST_COMPLETED },
		{ IST_COMPLETED, EV_TRANSPORT_ERR, IST_COMPLETED },
		{ IST_COMPLETED, EV_ACK, IST_CONFIRMED },
		{ IST_COMPLETED, EV_TIMER_H, IST_TERMINATED },
		{ IST_CONFIRMED, EV_ACK, IST_CONFIRMED },
		{ IST_CONFIRMED, EV_TIMER_I, IST_TERMINATED },
	};

	(void)state;
	check_table(&sip_invite_server_table, want, ARRAY_SIZE(want));
}

static void plain_rows_are_those_of_figures_6_and_8(void **state)
{
	static const struct expected client[] = {
		{ NCT_TRYING, EC_TIMER_E, NCT_TRYING },
		{ NCT_TRYING, EC_TIMER_F, NCT_TERMINATED },
		{ NCT_TRYING, EC_TRANSPORT_ERR, NCT_TERMINATED },
		{ NCT_TRYING, EC_1XX, NCT_PROCEEDING },
		{ NCT_TRYING, EC_2XX, NCT_COMPLETED },
		{ NCT_TRYING, EC_300_699, NCT_COMPLETED },
		{ NCT_PROCEEDING, EC_TIMER_E, NCT_PROCEEDING },
		{ NCT_PROCEEDING, EC_TIMER_F, NCT_TERMINATED },
		{ NCT_PROCEEDING, EC_TRANSPORT_ERR, NCT_TERMINATED },
		{ NCT_PROCEEDING, EC_1XX, NCT_PROCEEDING },
		{ NCT_PROCEEDING, EC_2XX, NCT_COMPLETED },
		{ NCT_PROCEEDING, EC_300_699, NCT_COMPLETED },
		{ NCT_COMPLETED, EC_TRANSPORT_ERR, NCT_TERMINATED },
		{ NCT_COMPLETED, EC_TIMER_K, NCT_TERMINATED },
	};
	static const struct expected server[] = {
		{ NST_TRYING, EV_REQUEST, NST_TRYING },
		{ NST_TRYING, EV_SEND_1XX, NST_PROCEEDING },
		{ NST_TRYING, EV_SEND_2XX, NST_COMPLETED },
		{ NST_TRYING, EV_SEND_300_699, NST_COMPLETED },
		{ NST_PROCEEDING, EV_REQUEST, NST_PROCEEDING },
		{ NST_PROCEEDING, EV_SEND_1XX, NST_PROCEEDING },
		{ NST_PROCEEDING, EV_SEND_2XX, NST_COMPLETED },
		{ NST_PROCEEDING, EV_SEND_300_699, NST_COMPLETED },
		{ NST_PROCEEDING, EV_TRANSPORT_ERR, NST_TERMINATED },
		{ NST_COMPLETED, EV_REQUEST, NST_COMPLETED },
		{ NST_COMPLETED, EV_TRANSPORT_ERR, NST_TERMINATED },
		{ NST_COMPLETED, EV_TIMER_J, NST_TERMINATED },
	};

	(void)state;
	check_table(&sip_plain_client_table, client, ARRAY_SIZE(client));
	check_table(&sip_plain_server_table, server, ARRAY_SIZE(server));
}

static void invite_is_repeated_at_doubling_intervals_until_timer_b(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	ua.sim.loss_percent = 100;
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	assert_int_equal(ua.sim.a.sent, 1);
	sim_run(&ua.sim, 499);
	assert_int_equal(ua.sim.a.sent, 1);
	sim_run(&ua.sim, 1); /* 500 */
	assert_int_equal(ua.sim.a.sent, 2);
	sim_run(&ua.sim, 999);
	assert_int_equal(ua.sim.a.sent, 2);
	sim_run(&ua.sim, 1); /* 1,500 */
	assert_int_equal(ua.sim.a.sent, 3);
	sim_run(&ua.sim, 30499); /* 31,999: 3,500, 7,500, 15,500 and 31,500 were there */
	assert_int_equal(ua.sim.a.sent, 7);
	assert_int_equal(ua.failures, 0);
	sim_run(&ua.sim, 1);
	assert_int_equal(ua.failures, 1);
	assert_int_equal(ua.fail_reason, -ETIMEDOUT);
	assert_int_equal(ua.client_ended, 1);
	sim_done(&ua.sim);
}

static void request_is_repeated_at_most_every_t2(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	ua.sim.loss_percent = 100;
	assert_int_equal(call(&ua, OPTIONS_TO_B), 0);
	sim_run(&ua.sim, 31999); /* 0, 0.5, 1.5, 3.5, 7.5, 11.5 ... 31.5 s */
	assert_int_equal(ua.sim.a.sent, 11);
	sim_run(&ua.sim, 1);
	assert_int_equal(ua.fail_reason, -ETIMEDOUT);
	sim_done(&ua.sim);
}

static void nothing_is_repeated_over_tcp(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_TCP);
	ua.sim.loss_percent = 100;
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	sim_run(&ua.sim, 31999);
	assert_int_equal(ua.sim.a.sent, 1);
	sim_run(&ua.sim, 1);
	assert_int_equal(ua.failures, 1);
	sim_done(&ua.sim);
}

static void every_exchange_ends_over_a_lossy_network(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 40; seed++) {
		static const unsigned int finals[] = { 200, 404, 486, 603 };
		struct ua ua;

		begin(&ua, SIP_TRANSPORT_UDP);
		ua.sim.seed = seed;
		ua.sim.loss_percent = 40;
		ua.answer_with = finals[seed % 4];
		assert_int_equal(call(&ua, seed % 2 ? INVITE_TO_B : OPTIONS_TO_B), 0);
		sim_run(&ua.sim, 130000);
		assert_int_equal(ua.client_ended, 1);
		assert_true(ua.last_status == finals[seed % 4] || ua.failures == 1);
		assert_true(ua.requests <= 1);
		assert_int_equal(ua.server_ended, ua.requests);
		assert_int_equal(sip_stack_stats(ua.sim.a.stack).client_txns, 0);
		assert_int_equal(sip_stack_stats(ua.sim.b.stack).server_txns, 0);
		sim_done(&ua.sim);
	}
}

static void refusal_is_acknowledged_with_the_branch_of_the_invite(void **state)
{
	struct ua ua;
	struct sip_via sent, acked;
	const struct sip_msg *msg;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	ua.answer_with = 486;
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	assert_int_equal(sip_msg_top_via(sip_client_txn_request(ua.client), &sent), 0);
	sim_run(&ua.sim, 25);
	assert_int_equal(ua.last_status, 486);
	assert_int_equal(ua.sim.a.sent, 2);
	msg = sim_sent(&ua.sim.a, 1);
	assert_int_equal(msg->method, SIP_ACK);
	assert_int_equal(sip_msg_top_via(msg, &acked), 0);
	assert_true(slice_eq(sip_msg_to_tag(msg), sip_server_txn_tag(ua.server)));
	assert_true(slice_eq(sent.branch, acked.branch));
	assert_int_equal(ua.acks, 0);
	sim_run(&ua.sim, 10000); /* Timer I over, G stopped */
	assert_int_equal(ua.server_ended, 1);
	assert_int_equal(ua.server_reason, 0);
	assert_int_equal(sim_count(&ua.sim.b, "SIP/2.0 486"), 1);
	sim_done(&ua.sim);
}

static void refusal_without_ack_is_repeated_and_given_up(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	sim_deliver(
		&ua.sim.b,
		"INVITE sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP "
		"192.0.2.1:5060;branch=z9hG4bKx\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=f\r\n"
		"To: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.1>\r\n"
		"Content-Length: 0\r\n\r\n");
	assert_int_equal(sip_server_txn_reply(ua.server, 486, NULL), 0);
	assert_int_equal(sip_server_txn_reply(ua.server, 200, NULL), -EALREADY);
	sim_run(&ua.sim, 31999); /* 0, 0.5, 1.5, 3.5, 7.5, 11.5 ... 31.5 s */
	assert_int_equal(ua.sim.b.sent, 11);
	sim_run(&ua.sim, 1);
	assert_int_equal(ua.server_ended, 1);
	assert_int_equal(ua.server_reason, -ETIMEDOUT);
	sim_done(&ua.sim);
}

static void trying_comes_by_itself(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	sim_run(&ua.sim, 159); /* 10 on the way, 150 waited */
	assert_int_equal(ua.sim.b.sent, 0);
	sim_run(&ua.sim, 1);
	assert_int_equal(sim_count(&ua.sim.b, "SIP/2.0 100"), 1);
	assert_true(sip_msg_to_tag(sim_sent(&ua.sim.b, 0)).len == 0);
	sim_run(&ua.sim, 10);
	assert_int_equal(ua.last_status, 100);
	sim_run(&ua.sim, 60000); /* it stops the repetition, and no timer ends PROCEEDING */
	assert_int_equal(ua.sim.a.sent, 1);
	assert_non_null(ua.client);
	sim_done(&ua.sim);
}

static void cancel_waits_for_a_provisional(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	sip_client_txn_cancel(ua.client, SLICE("Reason: SIP;cause=200\r\n"));
	sip_client_txn_cancel(ua.client, (struct slice){ 0 });
	assert_int_equal(ua.sim.a.sent, 1);
	sim_run(&ua.sim, 175); /* the 100 is there, the CANCEL has gone */
	assert_int_equal(ua.sim.a.sent, 2);
	assert_int_equal(sim_sent(&ua.sim.a, 1)->method, SIP_CANCEL);
	assert_true(slice_eq_str(sip_msg_value(sim_sent(&ua.sim.a, 1), SIP_HDR_REASON),
				 "SIP;cause=200"));
	sim_run(&ua.sim, 25);
	assert_int_equal(ua.cancels, 1);
	assert_int_equal(ua.last_status, 487);
	assert_int_equal(sim_count(&ua.sim.a, "CANCEL"), 1);
	assert_int_equal(sim_count(&ua.sim.b, "SIP/2.0 200"), 1); /* of the CANCEL */
	sim_run(&ua.sim, 60000);
	assert_int_equal(ua.client_ended, 1);
	assert_int_equal(ua.failures, 0);
	sim_done(&ua.sim);
}

static void cancel_after_the_final_is_not_sent(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	ua.answer_with = 200;
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	sim_run(&ua.sim, 25);
	sip_client_txn_cancel(ua.client, (struct slice){ 0 });
	assert_int_equal(sim_count(&ua.sim.a, "CANCEL"), 0);
	sim_done(&ua.sim);
}

static void cancelled_invite_without_final_fails(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	sim_run(&ua.sim, 175);
	ua.sim.loss_percent = 100;
	sip_client_txn_cancel(ua.client, (struct slice){ 0 });
	sim_run(&ua.sim, 31999);
	assert_int_equal(ua.failures, 0);
	sim_run(&ua.sim, 1);
	assert_int_equal(ua.failures, 1);
	assert_int_equal(ua.fail_reason, -ETIMEDOUT);
	sim_run(&ua.sim, 60000);
	sim_done(&ua.sim);
}

static void unknown_cancel_gets_481(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	sim_deliver(
		&ua.sim.b,
		"CANCEL sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP "
		"192.0.2.1:5060;branch=z9hG4bKno\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=f\r\n"
		"To: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(sim_count(&ua.sim.b, "SIP/2.0 481"), 1);
	sim_done(&ua.sim);
}

static void several_2xx_pass_both_transactions(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	ua.answer_with = 200;
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	sim_run(&ua.sim, 25);
	assert_int_equal(ua.responses, 1);
	assert_int_equal(sip_server_txn_reply(ua.server, 200, NULL), 0); /* repeated by its user */
	sim_run(&ua.sim, 25);
	assert_int_equal(ua.responses, 2);
	assert_int_equal(sip_server_txn_reply(ua.server, 486, NULL), -EALREADY);
	sim_run(&ua.sim, 31900);
	assert_non_null(ua.client);
	sim_run(&ua.sim, 200); /* Timers L and M */
	assert_int_equal(ua.client_ended, 1);
	assert_int_equal(ua.server_ended, 1);
	sim_done(&ua.sim);
}

static void retransmission_meets_its_transaction(void **state)
{
	static const char text[] =
		"OPTIONS sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP "
		"192.0.2.1:5060;branch=z9hG4bKr\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=f\r\n"
		"To: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	sim_deliver(&ua.sim.b, text);
	sim_deliver(&ua.sim.b, text);
	assert_int_equal(ua.requests, 1);
	assert_int_equal(ua.sim.b.sent, 0);
	assert_int_equal(sip_server_txn_reply(ua.server, 200, NULL), 0);
	sim_deliver(&ua.sim.b, text);
	assert_int_equal(ua.requests, 1);
	assert_int_equal(ua.sim.b.sent, 2);
	assert_string_equal(ua.sim.b.log[0], ua.sim.b.log[1]);
	sim_run(&ua.sim, 32001); /* Timer J: then it is a new request */
	sim_deliver(&ua.sim.b, text);
	assert_int_equal(ua.requests, 2);
	sim_done(&ua.sim);
}

static void old_branches_are_matched_by_the_message(void **state)
{
	static const char invite[] =
		"INVITE sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=1\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: old\r\n"
		"CSeq: 9 INVITE\r\nContact: <sip:a@192.0.2.1>\r\nContent-Length: 0\r\n\r\n";
	char ack_text[512];
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	sim_deliver(&ua.sim.b, invite);
	sim_deliver(&ua.sim.b, invite);
	assert_int_equal(ua.requests, 1);
	assert_int_equal(sip_server_txn_reply(ua.server, 404, NULL), 0);
	(void)snprintf(ack_text, sizeof(ack_text),
		       "ACK sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=1\r\n"
		       "Max-Forwards: 70\r\nFrom: <sip:a@x>;tag=f\r\nTo: <sip:b@x>;tag=%.*s\r\n"
		       "Call-ID: old\r\nCSeq: 9 ACK\r\nContent-Length: 0\r\n\r\n",
		       SLICE_ARG(sip_server_txn_tag(ua.server)));
	sim_deliver(&ua.sim.b, ack_text);
	assert_int_equal(ua.acks, 0);
	sim_run(&ua.sim, 5001);
	assert_int_equal(ua.server_ended, 1);
	assert_int_equal(ua.server_reason, 0);
	sim_done(&ua.sim);
}

static void merged_request_is_seen(void **state)
{
	static const char format[] =
		"INVITE sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=%s\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: m\r\n"
		"CSeq: %u INVITE\r\nContact: <sip:a@192.0.2.1>\r\nContent-Length: 0\r\n\r\n";
	struct sip_msg *msg = calloc(1, sizeof(*msg));
	struct sip_incoming in = { .msg = msg };
	char text[512];
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	(void)snprintf(text, sizeof(text), format, "z9hG4bK1", 1);
	sim_deliver(&ua.sim.b, text);
	(void)snprintf(text, sizeof(text), format, "z9hG4bK2", 1);
	assert_int_equal(sip_msg_parse(slice_str(text), msg), 0);
	assert_true(sip_server_txn_is_merged(ua.sim.b.stack, &in));
	(void)snprintf(text, sizeof(text), format, "z9hG4bK2", 2);
	assert_int_equal(sip_msg_parse(slice_str(text), msg), 0);
	assert_false(sip_server_txn_is_merged(ua.sim.b.stack, &in));
	free(msg);
	sim_done(&ua.sim);
}

static void lost_connection_ends_what_waits_on_it(void **state)
{
	struct sip_flow flow;
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_TCP);
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	sim_run(&ua.sim, 175);
	assert_int_equal(ua.last_status, 100);
	flow = *sip_client_txn_flow(ua.client);
	sip_stack_closed(ua.sim.a.stack, &flow, 0);
	assert_int_equal(ua.failures, 1);
	assert_int_equal(ua.fail_reason, -ECONNRESET);
	assert_int_equal(ua.client_ended, 1);
	sim_done(&ua.sim);
}

static void link_down_ends_what_is_under_way(void **state)
{
	struct sip_client_txn *second;
	struct sip_flow flow;
	struct ua ua, other = { 0 };

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	ua.sim.loss_percent = 100;
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	flow = sim_flow(&ua.sim.b);
	assert_int_equal(sip_client_txn_new(ua.sim.a.stack, &flow, slice_str(OPTIONS_TO_B), NULL,
					    &client_handlers, &other, &second, NULL),
			 0);
	assert_int_equal(sip_stack_fail_remote(ua.sim.a.stack, SIP_TRANSPORT_TCP, &ua.sim.b.addr),
			 0);
	assert_int_equal(sip_stack_fail_remote(ua.sim.a.stack, SIP_TRANSPORT_OTHER, &ua.sim.b.addr),
			 2);
	assert_int_equal(ua.fail_reason, -EHOSTUNREACH);
	assert_int_equal(other.failures, 1);
	sim_done(&ua.sim);
}

static void failed_send_is_told_from_the_loop(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_TCP);
	ua.sim.a.send_result = -ENOTCONN;
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	assert_int_equal(ua.failures, 0);
	sim_run(&ua.sim, 2);
	assert_int_equal(ua.failures, 1);
	assert_int_equal(ua.fail_reason, -ENOTCONN);
	sim_done(&ua.sim);
}

static void transactions_are_bounded(void **state)
{
	struct sip_client_txn *txn;
	struct sip_flow flow;
	struct ua ua;
	int r = 0;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	ua.sim.loss_percent = 100;
	flow = sim_flow(&ua.sim.b);
	for (int i = 0; i < 65; i++)
		r = sip_client_txn_new(ua.sim.a.stack, &flow, slice_str(OPTIONS_TO_B), NULL, NULL,
				       NULL, &txn, NULL);
	assert_int_equal(r, -EUSERS);
	assert_int_equal(sip_stack_stats(ua.sim.a.stack).client_txns, 64);
	sim_run(&ua.sim, 32001);
	assert_int_equal(sip_stack_stats(ua.sim.a.stack).client_txns, 0);
	sim_done(&ua.sim);
}

static void at_the_bound_the_oldest_answered_one_makes_room(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	ua.answer_with = 200;
	for (int i = 0; i < 200; i++) {
		char text[512];

		(void)snprintf(text, sizeof(text),
			       "OPTIONS sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP "
			       "192.0.2.1:5060;branch=z9hG4bKm%d\r\nMax-Forwards: 70\r\n"
			       "From: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: c\r\n"
			       "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
			       i);
		sim_deliver(&ua.sim.b, text);
	}
	assert_int_equal(ua.requests, 200);
	assert_int_equal(sip_stack_stats(ua.sim.b.stack).server_txns, 64);
	assert_int_equal(ua.server_ended, 200 - 64);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(call(&ua, OPTIONS_TO_B), 0);
		sim_run(&ua.sim, 25);
		assert_int_equal(ua.last_status, 200);
	}
	assert_int_equal(sip_stack_stats(ua.sim.a.stack).client_txns, 64);
	sim_done(&ua.sim);
}

static void fill(struct ua *ua, int count)
{
	char text[512];

	for (int i = 0; i < count; i++) {
		(void)snprintf(text, sizeof(text),
			       "OPTIONS sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP "
			       "192.0.2.1:5060;branch=z9hG4bKf%d\r\nMax-Forwards: 70\r\n"
			       "From: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: c\r\n"
			       "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
			       i);
		sim_deliver(&ua->sim.b, text);
	}
}

#define RECEIVED_BY_B(method)                                                                      \
	method " sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKi\r\n"   \
	       "Max-Forwards: 70\r\nFrom: <sip:a@x>;tag=f1\r\nTo: <sip:b@x>\r\nCall-ID: c1\r\n"    \
	       "CSeq: 1 " method "\r\nContact: <sip:a@192.0.2.1>\r\nContent-Length: 0\r\n\r\n"

static void a_late_cancel_may_take_the_place_of_its_invite(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	ua.answer_with = 486;
	sim_deliver(&ua.sim.b, RECEIVED_BY_B("INVITE"));
	fill(&ua, 63);
	assert_int_equal(ua.server_ended, 0);
	sim_deliver(&ua.sim.b, RECEIVED_BY_B("CANCEL"));
	assert_int_equal(ua.server_ended, 1); /* the INVITE, the oldest that is answered */
	assert_int_equal(ua.cancels, 0);
	assert_int_equal(sim_sent(&ua.sim.b, ua.sim.b.sent - 1)->status, 481);
	assert_int_equal(sip_stack_stats(ua.sim.b.stack).server_txns, 64);
	sim_done(&ua.sim);
}

static void a_cancel_at_the_bound_ends_nobody(void **state)
{
	struct sip_client_txn *invite;
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	invite = ua.client;
	sim_run(&ua.sim, 175);
	ua.answer_with = 200;
	for (int i = 0; i < 63; i++) {
		assert_int_equal(call(&ua, OPTIONS_TO_B), 0);
		sim_run(&ua.sim, 25);
	}
	assert_int_equal(sip_stack_stats(ua.sim.a.stack).client_txns, 64);
	assert_int_equal(ua.client_ended, 0);
	sip_client_txn_cancel(invite, (struct slice){ 0 });
	assert_int_equal(ua.client_ended, 0);
	assert_int_equal(sim_count(&ua.sim.a, "CANCEL"), 1);
	ua.client = invite;
	sim_run(&ua.sim, 25);
	assert_int_equal(ua.cancels, 1);
	assert_int_equal(ua.last_status, 487);
	sim_done(&ua.sim);
}

static void detached_transactions_finish_alone(void **state)
{
	struct ua ua;

	(void)state;
	begin(&ua, SIP_TRANSPORT_UDP);
	assert_int_equal(call(&ua, INVITE_TO_B), 0);
	sip_client_txn_detach(ua.client);
	sim_run(&ua.sim, 20);
	sip_server_txn_detach(ua.server);
	sim_run(&ua.sim, 70000);
	assert_int_equal(ua.responses, 0);
	assert_int_equal(sim_count(&ua.sim.b, "SIP/2.0 500"), 1);
	assert_int_equal(sim_count(&ua.sim.a, "ACK"), 1);
	assert_int_equal(sip_stack_stats(ua.sim.b.stack).server_txns, 0);
	sim_done(&ua.sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_sound),
		cmocka_unit_test(invite_client_rows_are_those_of_figure_5),
		cmocka_unit_test(invite_server_rows_are_those_of_rfc_6026),
		cmocka_unit_test(plain_rows_are_those_of_figures_6_and_8),
		cmocka_unit_test(invite_is_repeated_at_doubling_intervals_until_timer_b),
		cmocka_unit_test(request_is_repeated_at_most_every_t2),
		cmocka_unit_test(nothing_is_repeated_over_tcp),
		cmocka_unit_test(every_exchange_ends_over_a_lossy_network),
		cmocka_unit_test(refusal_is_acknowledged_with_the_branch_of_the_invite),
		cmocka_unit_test(refusal_without_ack_is_repeated_and_given_up),
		cmocka_unit_test(trying_comes_by_itself),
		cmocka_unit_test(cancel_waits_for_a_provisional),
		cmocka_unit_test(cancel_after_the_final_is_not_sent),
		cmocka_unit_test(cancelled_invite_without_final_fails),
		cmocka_unit_test(unknown_cancel_gets_481),
		cmocka_unit_test(several_2xx_pass_both_transactions),
		cmocka_unit_test(retransmission_meets_its_transaction),
		cmocka_unit_test(old_branches_are_matched_by_the_message),
		cmocka_unit_test(merged_request_is_seen),
		cmocka_unit_test(lost_connection_ends_what_waits_on_it),
		cmocka_unit_test(link_down_ends_what_is_under_way),
		cmocka_unit_test(failed_send_is_told_from_the_loop),
		cmocka_unit_test(transactions_are_bounded),
		cmocka_unit_test(at_the_bound_the_oldest_answered_one_makes_room),
		cmocka_unit_test(a_late_cancel_may_take_the_place_of_its_invite),
		cmocka_unit_test(a_cancel_at_the_bound_ends_nobody),
		cmocka_unit_test(detached_transactions_finish_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
