/* SPDX-License-Identifier: Apache-2.0 */
/* Reliable provisional answers between two user agents: order, repetition, PRACK, no PRACK at all. */
#include "helper_sim.h"

#include "base/error.h"
#include "stack/sip/sip_reliable.h"

struct call {
	struct sim sim;
	struct sip_dialog *caller, *callee;
	struct sip_server_txn *server;
	struct sip_client_txn *client;
	bool prack; /* the caller acknowledges */
	unsigned int provisionals, copies, out_of_order, pracks, refused, no_pracks, bodies;
	uint32_t last_rseq;
};

static void callee_request(void *user, struct sip_dialog *dialog, const struct sip_incoming *in)
{
	struct call *c = user;
	struct sip_server_txn *txn;
	int r;

	assert_int_equal(in->msg->method, SIP_PRACK);
	r = sip_reliable_take_prack(dialog, in->msg);
	if (r == 0)
		c->pracks++;
	else
		c->refused++;
	assert_int_equal(sip_server_txn_new(c->sim.b.stack, in, NULL, NULL, &txn), 0);
	assert_int_equal(sip_dialog_reply(dialog, txn, r == 0 ? 200 : 481, NULL), 0);
	sip_reliable_next(dialog, c->server);
}

static void callee_no_prack(void *user, struct sip_dialog *dialog)
{
	struct call *c = user;

	(void)dialog;
	c->no_pracks++;
	assert_int_equal(sip_server_txn_reply(c->server, 504, NULL), 0);
}

static const struct sip_dialog_handlers dialog_handlers = { .request = callee_request,
							    .no_prack = callee_no_prack };

static void on_request(void *user, const struct sip_incoming *in)
{
	struct call *c = user;

	assert_int_equal(sip_server_txn_new(c->sim.b.stack, in, NULL, NULL, &c->server), 0);
	assert_int_equal(sip_dialog_new_uas(c->sim.b.stack, c->server, (struct slice){ 0 },
					    &dialog_handlers, c, &c->callee, NULL),
			 0);
}

static const struct sip_stack_handlers stack_handlers = { .request = on_request };

static void acknowledge(struct call *c, struct sip_dialog *d, uint32_t rseq)
{
	AUTO_BUF rack = { 0 };
	struct sip_extra extra = { 0 };

	sip_reliable_rack(&rack, rseq, 100);
	extra.headers = buf_slice(&rack);
	assert_int_equal(sip_dialog_request(d, SLICE("PRACK"), &extra, NULL, NULL, NULL, NULL,
					    NULL),
			 0);
}

static void on_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct call *c = user;
	struct sip_dialog *d;
	uint32_t rseq = 0;
	int r;

	(void)txn;
	assert_true(sip_dialog_response(c->caller, in->msg, &d) >= 0);
	if (in->msg->status >= 200)
		return;
	r = sip_reliable_receive(d, in->msg, &rseq);
	if (r == -EALREADY)
		c->copies++;
	if (r == -EPROTO)
		c->out_of_order++;
	if (r != 1)
		return;
	c->provisionals++;
	c->bodies += in->msg->body.len > 0;
	c->last_rseq = rseq;
	if (c->prack)
		acknowledge(c, d, rseq);
}

static const struct sip_client_handlers client_handlers = { .response = on_response };

static void begin(struct call *c, bool prack)
{
	struct sip_dialog_uac spec = { .local = SLICE("<sip:a@x>"),
				       .remote = SLICE("<sip:b@x>"),
				       .target = SLICE("sip:b@192.0.2.2"),
				       .cseq = 100 };

	*c = (struct call){ .prack = prack };
	sim_init(&c->sim, SIP_TRANSPORT_UDP);
	assert_int_equal(sim_start(&c->sim.a, &stack_handlers, c), 0);
	assert_int_equal(sim_start(&c->sim.b, &stack_handlers, c), 0);
	assert_int_equal(sip_dialog_new_uac(c->sim.a.stack, &spec, &dialog_handlers, c, &c->caller,
					    NULL),
			 0);
	assert_int_equal(sip_dialog_request(c->caller, SLICE("INVITE"), NULL, NULL,
					    &client_handlers, c, &c->client, NULL),
			 0);
	sim_run(&c->sim, 15);
	assert_non_null(c->callee);
}

static void end(struct call *c)
{
	sip_dialog_free(c->caller);
	sip_dialog_free(c->callee);
	sim_done(&c->sim);
}

static void one_is_out_at_a_time_and_each_is_acknowledged(void **state)
{
	const struct sip_extra with_body = { .content_type = SLICE("application/sdp"),
					     .body = SLICE("v=0\r\n") };
	struct call c;

	(void)state;
	begin(&c, true);
	assert_int_equal(sip_reliable_reply(c.callee, c.server, 180, NULL), 0);
	assert_int_equal(sip_reliable_reply(c.callee, c.server, 183, &with_body), 1);
	assert_int_equal(sip_reliable_reply(c.callee, c.server, 182, NULL), 1);
	assert_true(sip_reliable_holds(c.callee));
	sim_run(&c.sim, 5);
	assert_int_equal(c.provisionals, 0);
	sim_run(&c.sim, 200);
	assert_int_equal(c.provisionals, 3);
	assert_int_equal(c.bodies, 1);
	assert_int_equal(c.pracks, 3);
	assert_int_equal(c.last_rseq, 3);
	assert_int_equal(c.copies, 0);
	assert_false(sip_reliable_holds(c.callee));
	assert_int_equal(sip_dialog_reply(c.callee, c.server, 200, NULL), 0);
	assert_int_equal(sip_reliable_reply(c.callee, c.server, 183, NULL), -EALREADY);
	end(&c);
}

static void it_is_repeated_with_growing_gaps_until_nobody_came(void **state)
{
	struct call c;

	(void)state;
	begin(&c, false);
	assert_int_equal(sip_reliable_reply(c.callee, c.server, 183, NULL), 0);
	sim_run(&c.sim, 520); /* 500 */
	assert_int_equal(c.copies, 1);
	sim_run(&c.sim, 1000); /* 1500 */
	assert_int_equal(c.copies, 2);
	sim_run(&c.sim, 30000);
	assert_int_equal(c.no_pracks, 0);
	sim_run(&c.sim, 1000); /* 64 * T1 */
	assert_int_equal(c.no_pracks, 1);
	assert_int_equal(c.copies, 6); /* 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s */
	assert_int_equal(sip_server_txn_last_status(c.server), 504);
	end(&c);
}

static void loss_does_not_disturb_the_order(void **state)
{
	struct call c;

	(void)state;
	for (unsigned int seed = 1; seed < 20; seed++) {
		begin(&c, true);
		c.sim.seed = seed;
		c.sim.loss_percent = 30;
		for (unsigned int i = 0; i < 5; i++)
			assert_true(sip_reliable_reply(c.callee, c.server, 180 + i, NULL) >= 0);
		sim_run(&c.sim, 31000);
		/* A lost 1xx is repeated, a lost PRACK is repeated by its transaction. */
		assert_int_equal(c.out_of_order, 0);
		assert_true(c.provisionals == c.last_rseq);
		assert_true(c.provisionals >= 1);
		end(&c);
	}
}

static void pracks_for_nothing_and_too_many_answers_are_refused(void **state)
{
	struct call c;

	(void)state;
	begin(&c, false);
	for (unsigned int i = 0; i < SIP_RELIABLE_MAX; i++)
		assert_true(sip_reliable_reply(c.callee, c.server, 183, NULL) >= 0);
	assert_int_equal(sip_reliable_reply(c.callee, c.server, 183, NULL), -ENOSPC);
	sim_run(&c.sim, 25);
	assert_int_equal(c.provisionals, 1);
	acknowledge(&c, c.caller, 2);
	acknowledge(&c, c.caller, 0);
	sim_run(&c.sim, 25);
	assert_int_equal(c.refused, 2);
	assert_int_equal(c.pracks, 0);
	acknowledge(&c, c.caller, 1);
	sim_run(&c.sim, 25);
	assert_int_equal(c.pracks, 1);
	assert_int_equal(c.last_rseq, 2);
	end(&c);
}

static void after_the_final_answer_the_last_one_may_still_be_acknowledged(void **state)
{
	struct call c;

	(void)state;
	begin(&c, false);
	assert_int_equal(sip_reliable_reply(c.callee, c.server, 180, NULL), 0);
	assert_int_equal(sip_reliable_reply(c.callee, c.server, 180, NULL), 1);
	sim_run(&c.sim, 15);
	assert_int_equal(sip_dialog_reply(c.callee, c.server, 200, NULL), 0);
	sim_run(&c.sim, 3000);
	assert_int_equal(c.copies, 0);
	acknowledge(&c, c.caller, 1);
	sim_run(&c.sim, 25);
	assert_int_equal(c.pracks, 1);
	assert_int_equal(c.provisionals, 1); /* the one that waited never left */
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_out_at_a_time_and_each_is_acknowledged),
		cmocka_unit_test(it_is_repeated_with_growing_gaps_until_nobody_came),
		cmocka_unit_test(loss_does_not_disturb_the_order),
		cmocka_unit_test(pracks_for_nothing_and_too_many_answers_are_refused),
		cmocka_unit_test(after_the_final_answer_the_last_one_may_still_be_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
