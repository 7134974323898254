/* SPDX-License-Identifier: Apache-2.0 */
/* Dialogs between two user agents: a call, its ACK and 2xx, forks, order, routes. */
#include "helper_sim.h"

#include "codec/sip/sip_build.h"

struct call {
	struct sim sim;
	struct sip_dialog *caller, *callee, *fork;
	struct sip_server_txn *server;
	struct sip_client_txn *client;
	unsigned int invites, acks, no_acks, in_dialog, responses, forks, acked_again;
	unsigned int last_status;
	bool ack_at_once;
	struct slice extra_headers; /* of the callee's answers */
};

static void callee_request(void *user, struct sip_dialog *dialog, const struct sip_incoming *in)
{
	struct call *c = user;
	struct sip_server_txn *txn;

	c->in_dialog++;
	assert_int_equal(sip_server_txn_new(dialog == c->caller ? c->sim.a.stack : c->sim.b.stack,
					    in, NULL, NULL, &txn),
			 0);
	assert_int_equal(sip_dialog_reply(dialog, txn, 200, NULL), 0);
}

static void callee_ack(void *user, struct sip_dialog *dialog, const struct sip_incoming *in)
{
	struct call *c = user;

	(void)dialog;
	(void)in;
	c->acks++;
}

static void callee_no_ack(void *user, struct sip_dialog *dialog)
{
	struct call *c = user;

	(void)dialog;
	c->no_acks++;
}

static const struct sip_dialog_handlers dialog_handlers = { .request = callee_request,
							    .ack = callee_ack,
							    .no_ack = callee_no_ack };

static void on_request(void *user, const struct sip_incoming *in)
{
	struct call *c = user;

	c->invites++;
	assert_int_equal(sip_server_txn_new(c->sim.b.stack, in, NULL, NULL, &c->server), 0);
	assert_int_equal(sip_dialog_new_uas(c->sim.b.stack, c->server, (struct slice){ 0 },
					    &dialog_handlers, c, &c->callee, NULL),
			 0);
}

static const struct sip_stack_handlers stack_handlers = { .request = on_request };

static void on_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct call *c = user;
	struct sip_dialog *d;
	struct sip_cseq cseq;
	int r;

	(void)txn;
	c->responses++;
	c->last_status = in->msg->status;
	if (sip_dialog_is_acked(c->caller, in->msg)) {
		c->acked_again++;
		return;
	}
	r = sip_dialog_response(c->caller, in->msg, &d);
	assert_true(r >= 0);
	if (r == 1) {
		c->forks++;
		c->fork = d;
	}
	if (in->msg->status >= 200 && in->msg->status < 300 && c->ack_at_once &&
	    sip_msg_cseq_method(in->msg) == SIP_INVITE) {
		assert_int_equal(sip_msg_cseq(in->msg, &cseq), 0);
		assert_int_equal(sip_dialog_ack(d, cseq.number, NULL), 0);
	}
}

static const struct sip_client_handlers client_handlers = { .response = on_response };

static void invite(struct call *c, struct slice routes)
{
	struct sip_dialog_uac spec = { .local = SLICE("\"A\" <sip:a@x>"),
				       .remote = SLICE("<sip:b@x>"),
				       .target = SLICE("sip:b@192.0.2.2"),
				       .routes = routes,
				       .cseq = 100 };

	assert_int_equal(sip_dialog_new_uac(c->sim.a.stack, &spec, &dialog_handlers, c, &c->caller,
					    NULL),
			 0);
	assert_int_equal(sip_dialog_request(c->caller, SLICE("INVITE"), NULL, NULL,
					    &client_handlers, c, &c->client, NULL),
			 0);
}

static void begin(struct call *c)
{
	*c = (struct call){ .ack_at_once = true };
	sim_init(&c->sim, SIP_TRANSPORT_UDP);
	assert_int_equal(sim_start(&c->sim.a, &stack_handlers, c), 0);
	assert_int_equal(sim_start(&c->sim.b, &stack_handlers, c), 0);
}

static void end(struct call *c)
{
	sip_dialog_free(c->caller);
	sip_dialog_free(c->callee);
	sip_dialog_free(c->fork);
	sim_done(&c->sim);
}

static void answer(struct call *c, unsigned int status)
{
	struct sip_extra extra = { .headers = c->extra_headers };

	assert_int_equal(sip_dialog_reply(c->callee, c->server, status, &extra), 0);
	sim_run(&c->sim, 25);
}

static void a_call_is_made_and_ended(void **state)
{
	struct call c;

	(void)state;
	begin(&c);
	invite(&c, (struct slice){ 0 });
	sim_run(&c.sim, 15);
	assert_int_equal(c.invites, 1);
	answer(&c, 180);
	assert_int_equal(sip_dialog_state(c.caller), SIP_DIALOG_EARLY);
	assert_int_equal(sip_dialog_state(c.callee), SIP_DIALOG_EARLY);
	answer(&c, 200);
	assert_int_equal(sip_dialog_state(c.caller), SIP_DIALOG_CONFIRMED);
	assert_int_equal(sip_dialog_state(c.callee), SIP_DIALOG_CONFIRMED);
	assert_true(slice_eq(sip_dialog_local_tag(c.caller), sip_dialog_remote_tag(c.callee)));
	assert_true(slice_eq(sip_dialog_local_tag(c.callee), sip_dialog_remote_tag(c.caller)));
	assert_true(slice_eq_str(sip_dialog_target(c.caller), "sip:192.0.2.2:5060"));
	assert_true(slice_eq_str(sip_dialog_target(c.callee), "sip:192.0.2.1:5060"));
	assert_true(slice_eq_str(sip_dialog_remote(c.callee), "\"A\" <sip:a@x>"));
	assert_int_equal(c.acks, 1);
	assert_false(sip_dialog_awaits_ack(c.callee));
	/* Either side may ask, each counts its own CSeq. */
	assert_int_equal(sip_dialog_request(c.caller, SLICE("INFO"), NULL, NULL, &client_handlers,
					    &c, NULL, NULL),
			 0);
	assert_int_equal(sip_dialog_request(c.callee, SLICE("INFO"), NULL, NULL, NULL, NULL, NULL,
					    NULL),
			 0);
	sim_run(&c.sim, 25);
	assert_int_equal(c.in_dialog, 2);
	sip_dialog_bye(c.caller, NULL);
	c.caller = NULL;
	sim_run(&c.sim, 15);
	assert_int_equal(c.in_dialog, 3);
	assert_int_equal(sim_count(&c.sim.a, "BYE sip:192.0.2.2:5060 SIP/2.0"), 1);
	end(&c);
}

static void the_2xx_is_repeated_until_its_ack(void **state)
{
	struct call c;

	(void)state;
	begin(&c);
	c.ack_at_once = false;
	invite(&c, (struct slice){ 0 });
	sim_run(&c.sim, 15);
	answer(&c, 200);
	sim_run(&c.sim, 475); /* 500 */
	assert_int_equal(sim_count(&c.sim.b, "SIP/2.0 200"), 2);
	sim_run(&c.sim, 1000);
	assert_int_equal(sim_count(&c.sim.b, "SIP/2.0 200"), 3);
	assert_int_equal(sip_dialog_ack(c.caller, 100, NULL), 0);
	sim_run(&c.sim, 15);
	assert_int_equal(c.acks, 1);
	sim_run(&c.sim, 40000);
	assert_int_equal(sim_count(&c.sim.b, "SIP/2.0 200"), 3);
	assert_int_equal(c.no_acks, 0);
	end(&c);
}

static void a_repeated_2xx_gets_the_same_ack(void **state)
{
	struct call c;

	(void)state;
	begin(&c);
	invite(&c, (struct slice){ 0 });
	sim_run(&c.sim, 15);
	assert_int_equal(sip_dialog_reply(c.callee, c.server, 200, NULL), 0);
	sim_run(&c.sim, 10); /* the ACK is on its way */
	c.sim.loss_percent = 0;
	assert_int_equal(sip_dialog_reply(c.callee, c.server, 200, NULL), 0);
	sim_run(&c.sim, 25);
	assert_int_equal(c.acked_again, 1);
	assert_int_equal(sim_count(&c.sim.a, "ACK"), 2);
	end(&c);
}

static void a_2xx_never_acknowledged_is_told(void **state)
{
	struct call c;

	(void)state;
	begin(&c);
	c.ack_at_once = false;
	invite(&c, (struct slice){ 0 });
	sim_run(&c.sim, 15);
	answer(&c, 200);
	sim_run(&c.sim, 31900);
	assert_int_equal(c.no_acks, 0);
	sim_run(&c.sim, 4000);
	assert_int_equal(c.no_acks, 1);
	assert_int_equal(sim_count(&c.sim.b, "SIP/2.0 200"), 11);
	end(&c);
}

static void another_to_tag_is_another_dialog(void **state)
{
	char text[1024];
	struct sip_via via;
	struct call c;

	(void)state;
	begin(&c);
	invite(&c, (struct slice){ 0 });
	sim_run(&c.sim, 15);
	answer(&c, 180);
	assert_int_equal(sip_msg_top_via(sip_client_txn_request(c.client), &via), 0);
	(void)snprintf(
		text, sizeof(text),
		"SIP/2.0 183 x\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=%.*s\r\n"
		"From: \"A\" <sip:a@x>;tag=%.*s\r\nTo: <sip:b@x>;tag=other\r\nCall-ID: %.*s\r\n"
		"CSeq: 100 INVITE\r\nContact: <sip:c@192.0.2.3>\r\nContent-Length: 0\r\n\r\n",
		SLICE_ARG(via.branch), SLICE_ARG(sip_dialog_local_tag(c.caller)),
		SLICE_ARG(sip_dialog_call_id(c.caller)));
	sim_deliver(&c.sim.a, text);
	sim_deliver(&c.sim.a, text);
	assert_int_equal(c.forks, 1);
	assert_true(slice_eq_str(sip_dialog_remote_tag(c.fork), "other"));
	assert_true(slice_eq_str(sip_dialog_target(c.fork), "sip:c@192.0.2.3"));
	assert_true(slice_eq_str(sip_dialog_target(c.caller), "sip:192.0.2.2:5060"));
	assert_ptr_equal(sip_dialog_find(c.sim.a.stack, sip_dialog_call_id(c.caller),
					 sip_dialog_local_tag(c.caller), SLICE("other")),
			 c.fork);
	end(&c);
}

static void the_route_set_is_that_of_the_answer_reversed(void **state)
{
	const struct sip_msg *bye;
	struct call c;

	(void)state;
	begin(&c);
	invite(&c, SLICE("<sip:first;lr>"));
	sim_run(&c.sim, 15);
	assert_true(slice_eq_str(sip_msg_value(sim_sent(&c.sim.a, 0), SIP_HDR_ROUTE),
				 "<sip:first;lr>"));
	c.extra_headers = SLICE("Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\n");
	answer(&c, 200);
	sip_dialog_bye(TAKE(c.caller), NULL);
	bye = sim_sent(&c.sim.a, c.sim.a.sent - 1);
	assert_true(slice_eq_str(sip_msg_value(bye, SIP_HDR_ROUTE), "<sip:p1;lr>, <sip:p2;lr>"));
	assert_true(slice_eq_str(bye->uri, "sip:192.0.2.2:5060"));
	end(&c);
}

static void a_strict_router_gets_the_old_form(void **state)
{
	const struct sip_msg *bye;
	struct call c;

	(void)state;
	begin(&c);
	invite(&c, (struct slice){ 0 });
	sim_run(&c.sim, 15);
	c.extra_headers = SLICE("Record-Route: <sip:p2;lr>, <sip:old>\r\n");
	answer(&c, 200);
	sip_dialog_bye(TAKE(c.caller), NULL);
	bye = sim_sent(&c.sim.a, c.sim.a.sent - 1);
	assert_true(slice_eq_str(bye->uri, "sip:old"));
	assert_true(slice_eq_str(sip_msg_value(bye, SIP_HDR_ROUTE),
				 "<sip:p2;lr>, <sip:192.0.2.2:5060>"));
	end(&c);
}

static void requests_out_of_order_are_refused(void **state)
{
	char text[1024];
	struct call c;

	(void)state;
	begin(&c);
	invite(&c, (struct slice){ 0 });
	sim_run(&c.sim, 15);
	answer(&c, 200);
	(void)snprintf(text, sizeof(text),
		       "INFO sip:192.0.2.2:5060 SIP/2.0\r\nVia: SIP/2.0/UDP "
		       "192.0.2.1:5060;branch=z9hG4bKlate\r\nMax-Forwards: 70\r\n"
		       "From: <sip:a@x>;tag=%.*s\r\nTo: <sip:b@x>;tag=%.*s\r\nCall-ID: %.*s\r\n"
		       "CSeq: 99 INFO\r\nContent-Length: 0\r\n\r\n",
		       SLICE_ARG(sip_dialog_local_tag(c.caller)),
		       SLICE_ARG(sip_dialog_local_tag(c.callee)),
		       SLICE_ARG(sip_dialog_call_id(c.caller)));
	sim_deliver(&c.sim.b, text);
	assert_int_equal(c.in_dialog, 0);
	assert_int_equal(sim_count(&c.sim.b, "SIP/2.0 500"), 1);
	end(&c);
}

static void a_refusal_leaves_the_dialog_ready_for_another_try(void **state)
{
	struct call c;

	(void)state;
	begin(&c);
	invite(&c, (struct slice){ 0 });
	sim_run(&c.sim, 15);
	answer(&c, 407);
	assert_int_equal(sip_dialog_state(c.caller), SIP_DIALOG_TRYING);
	assert_int_equal(sip_dialog_state(c.callee), SIP_DIALOG_ENDED);
	c.callee = sip_dialog_free(c.callee);
	assert_int_equal(sip_dialog_request(c.caller, SLICE("INVITE"), NULL, NULL, &client_handlers,
					    &c, &c.client, NULL),
			 0);
	sim_run(&c.sim, 15);
	assert_int_equal(c.invites, 2);
	answer(&c, 200);
	assert_int_equal(sip_dialog_state(c.caller), SIP_DIALOG_CONFIRMED);
	assert_int_equal(c.acks, 1);
	end(&c);
}

static void a_dialogs_texts_are_bounded(void **state)
{
	static char huge[SIP_DIALOG_TEXT_MAX + 1];
	struct sip_dialog_uac spec = { .local = SLICE("<sip:a@x>"), .remote = SLICE("<sip:b@x>") };
	struct sip_dialog *d;
	struct call c;

	(void)state;
	begin(&c);
	memset(huge, 'a', sizeof(huge));
	spec.target = slice_make(huge, sizeof(huge));
	assert_int_equal(sip_dialog_new_uac(c.sim.a.stack, &spec, NULL, NULL, &d, NULL), -EMSGSIZE);
	assert_int_equal(sip_stack_stats(c.sim.a.stack).dialogs, 0);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_made_and_ended),
		cmocka_unit_test(the_2xx_is_repeated_until_its_ack),
		cmocka_unit_test(a_repeated_2xx_gets_the_same_ack),
		cmocka_unit_test(a_2xx_never_acknowledged_is_told),
		cmocka_unit_test(another_to_tag_is_another_dialog),
		cmocka_unit_test(the_route_set_is_that_of_the_answer_reversed),
		cmocka_unit_test(a_strict_router_gets_the_old_form),
		cmocka_unit_test(requests_out_of_order_are_refused),
		cmocka_unit_test(a_refusal_leaves_the_dialog_ready_for_another_try),
		cmocka_unit_test(a_dialogs_texts_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
