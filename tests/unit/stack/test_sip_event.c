/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions: a watcher and a notifier on the simulated network. */
#include "helper_sim.h"

#include "codec/sip/sip_build.h"
#include "stack/sip/sip_event_keep.h"

struct both {
	struct sim sim;
	struct sip_events *events;
	struct sip_event_package package;
	struct sip_dialog *watcher;
	unsigned int started, ended, notifies, responses, last_status;
	char end_reason[32], state[64], body[64], event[64], min[16], allow[64];
	unsigned int notify_answer;
	bool pending;
	int version;
	struct sip_subscription_kept kept; /* what the keeper was told last */
	char kept_texts[13][256];
	unsigned int keeps, forgets;
	uint32_t last_cseq;
};

static void take_notify(void *user, const struct sip_incoming *in)
{
	struct both *b = user;
	struct sip_server_txn *txn;

	struct sip_cseq cseq;

	assert_int_equal(in->msg->method, SIP_NOTIFY);
	assert_int_equal(sip_msg_cseq(in->msg, &cseq), 0);
	b->last_cseq = cseq.number;
	b->notifies++;
	(void)slice_copy(sip_msg_value(in->msg, SIP_HDR_SUBSCRIPTION_STATE), b->state,
			 sizeof(b->state));
	(void)slice_copy(sip_msg_value(in->msg, SIP_HDR_EVENT), b->event, sizeof(b->event));
	(void)slice_copy(in->msg->body, b->body, sizeof(b->body));
	assert_int_equal(sip_server_txn_new(b->sim.a.stack, in, NULL, NULL, &txn), 0);
	assert_int_equal(sip_server_txn_reply(txn, b->notify_answer, NULL), 0);
}

static void watcher_request(void *user, struct sip_dialog *dialog, const struct sip_incoming *in)
{
	(void)dialog;
	take_notify(user, in);
}

static const struct sip_dialog_handlers watcher_handlers = { .request = watcher_request };

static void notifier_request(void *user, const struct sip_incoming *in)
{
	struct both *b = user;

	assert_int_equal(sip_event_subscribe(b->events, in, SLICE("b"), b->pending), 0);
}

static void on_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct both *b = user;
	struct sip_dialog *d;

	(void)txn;
	b->responses++;
	b->last_status = in->msg->status;
	(void)slice_copy(sip_msg_value(in->msg, SIP_HDR_MIN_EXPIRES), b->min, sizeof(b->min));
	(void)slice_copy(sip_msg_value(in->msg, SIP_HDR_ALLOW_EVENTS), b->allow, sizeof(b->allow));
	assert_int_equal(sip_dialog_response(b->watcher, in->msg, &d), 0);
}

static const struct sip_client_handlers client_handlers = { .response = on_response };
static const struct sip_stack_handlers a_handlers = { .request = take_notify };
static const struct sip_stack_handlers b_handlers = { .request = notifier_request };

static void body(void *user, struct sip_subscription *sub, struct buf *out)
{
	struct both *b = user;

	assert_true(slice_eq_str(sip_subscription_resource(sub), "b"));
	buf_printf(out, "state %d", b->version);
}

static void started(void *user, struct sip_subscription *sub)
{
	struct both *b = user;

	assert_true(slice_eq_str(sip_subscription_watcher(sub), "sip:a@x"));
	b->started++;
}

static void ended(void *user, struct sip_subscription *sub, const char *reason)
{
	struct both *b = user;

	(void)sub;
	b->ended++;
	(void)snprintf(b->end_reason, sizeof(b->end_reason), "%s", reason);
}

static void begin(struct both *b, uint32_t throttle_ms)
{
	*b = (struct both){ .notify_answer = 200,
			    .package = { .name = "presence",
					 .content_type = "application/pidf+xml",
					 .throttle_ms = throttle_ms,
					 .body = body,
					 .started = started,
					 .ended = ended } };
	sim_init(&b->sim, SIP_TRANSPORT_UDP);
	assert_int_equal(sim_start(&b->sim.a, &a_handlers, b), 0);
	assert_int_equal(sim_start(&b->sim.b, &b_handlers, b), 0);
	assert_int_equal(sip_events_new(b->sim.b.stack, NULL, &b->events, NULL), 0);
	assert_int_equal(sip_events_add(b->events, &b->package, b), 0);
}

static void end(struct both *b)
{
	sip_events_free(b->events);
	sip_dialog_free(b->watcher);
	sim_done(&b->sim);
}

static void subscribe(struct both *b, const char *headers)
{
	struct sip_dialog_uac spec = { .local = SLICE("<sip:a@x>"),
				       .remote = SLICE("<sip:b@x>"),
				       .target = SLICE("sip:b@192.0.2.2") };
	struct sip_extra extra = { .headers = slice_str(headers) };

	if (!b->watcher)
		assert_int_equal(sip_dialog_new_uac(b->sim.a.stack, &spec, &watcher_handlers, b,
						    &b->watcher, NULL),
				 0);
	assert_int_equal(sip_dialog_request(b->watcher, SLICE("SUBSCRIBE"), &extra, NULL,
					    &client_handlers, b, NULL, NULL),
			 0);
	sim_run(&b->sim, 60);
}

static void a_subscription_begins_with_the_full_state(void **state)
{
	struct both b;

	(void)state;
	begin(&b, 0);
	subscribe(&b, "Event: presence;id=7\r\nExpires: 600\r\nAccept: application/pidf+xml\r\n");
	assert_int_equal(b.last_status, 200);
	assert_int_equal(b.started, 1);
	assert_int_equal(b.notifies, 1);
	assert_string_equal(b.state, "active;expires=600");
	assert_string_equal(b.event, "presence;id=7");
	assert_string_equal(b.body, "state 0");
	b.version = 1;
	assert_int_equal(sip_event_notify(b.events, "presence", SLICE("b")), 1);
	assert_int_equal(sip_event_notify(b.events, "dialog", SLICE("b")), 0);
	assert_int_equal(sip_event_notify(b.events, NULL, SLICE("c")), 0);
	sim_run(&b.sim, 30);
	assert_string_equal(b.body, "state 1");
	end(&b);
}

static void it_is_refreshed_ended_and_expires(void **state)
{
	struct both b;

	(void)state;
	begin(&b, 0);
	subscribe(&b, "Event: presence\r\nExpires: 100\r\n");
	sim_run(&b.sim, 90000);
	subscribe(&b, "Event: presence\r\nExpires: 100\r\n");
	assert_int_equal(b.notifies, 2);
	sim_run(&b.sim, 90000);
	assert_int_equal(b.ended, 0);
	subscribe(&b, "Event: presence\r\nExpires: 0\r\n");
	assert_int_equal(b.ended, 1);
	assert_string_equal(b.state, "terminated;reason=timeout");
	assert_int_equal(sip_events_count(b.events), 0);
	b.watcher = sip_dialog_free(b.watcher);
	subscribe(&b, "Event: presence\r\nExpires: 100\r\n");
	sim_run(&b.sim, 100100);
	assert_int_equal(b.ended, 2);
	assert_string_equal(b.end_reason, "timeout");
	end(&b);
}

static void a_fetch_leaves_nothing_behind(void **state)
{
	struct both b;

	(void)state;
	begin(&b, 0);
	subscribe(&b, "Event: presence\r\nExpires: 0\r\n");
	assert_int_equal(b.last_status, 200);
	assert_string_equal(b.body, "state 0");
	assert_int_equal(b.started + b.ended, 0);
	assert_int_equal(sip_events_count(b.events), 0);
	end(&b);
}

static void wrong_subscriptions_are_refused(void **state)
{
	static const struct {
		const char *headers;
		unsigned int status;
	} cases[] = { { "Event: weather\r\n", 489 },
		      { "", 489 },
		      { "Event: presence\r\nExpires: 30\r\n", 423 },
		      { "Event: presence\r\nAccept: text/html\r\n", 406 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct both b;

		begin(&b, 0);
		subscribe(&b, cases[i].headers);
		assert_int_equal(b.last_status, cases[i].status);
		assert_int_equal(sip_events_count(b.events), 0);
		assert_int_equal(b.notifies, 0);
		if (cases[i].status == 423)
			assert_string_equal(b.min, "60");
		if (cases[i].status == 489)
			assert_string_equal(b.allow, "presence");
		end(&b);
	}
}

static void what_changes_meanwhile_is_told_once(void **state)
{
	struct both b;

	(void)state;
	begin(&b, 1000);
	subscribe(&b, "Event: presence\r\nExpires: 600\r\n");
	for (b.version = 1; b.version < 6; b.version++)
		(void)sip_event_notify(b.events, "presence", SLICE("b"));
	sim_run(&b.sim, 900);
	assert_int_equal(b.notifies, 1);
	sim_run(&b.sim, 200);
	assert_int_equal(b.notifies, 2);
	assert_string_equal(b.body, "state 6");
	sim_run(&b.sim, 5000);
	assert_int_equal(b.notifies, 2);
	end(&b);
}

static void a_watcher_that_is_gone_is_forgotten(void **state)
{
	struct both b;

	(void)state;
	begin(&b, 0);
	subscribe(&b, "Event: presence\r\nExpires: 600\r\n");
	b.notify_answer = 481;
	(void)sip_event_notify(b.events, "presence", SLICE("b"));
	sim_run(&b.sim, 30);
	assert_int_equal(b.ended, 1);
	b.watcher = sip_dialog_free(b.watcher);
	b.notify_answer = 200;
	subscribe(&b, "Event: presence\r\nExpires: 600\r\n");
	b.sim.loss_percent = 100;
	(void)sip_event_notify(b.events, "presence", SLICE("b"));
	sim_run(&b.sim, 32100);
	assert_int_equal(b.ended, 2);
	assert_string_equal(b.end_reason, "unreachable");
	end(&b);
}

static void a_pending_one_sees_nothing_until_it_is_approved(void **state)
{
	struct both b;

	(void)state;
	begin(&b, 0);
	b.pending = true;
	subscribe(&b, "Event: presence\r\nExpires: 600\r\n");
	assert_string_equal(b.state, "pending;expires=600");
	assert_string_equal(b.body, "");
	assert_int_equal(sip_event_end_resource(b.events, NULL, SLICE("b"), "rejected"), 1);
	sim_run(&b.sim, 30);
	assert_string_equal(b.state, "terminated;reason=rejected");
	assert_string_equal(b.body, "");
	end(&b);
}

static void one_watcher_cannot_fill_the_memory(void **state)
{
	struct both b;

	(void)state;
	begin(&b, 0);
	for (int i = 0; i < 21; i++) {
		struct sip_dialog *last = b.watcher;

		b.watcher = NULL;
		subscribe(&b, "Event: presence\r\nExpires: 600\r\n");
		sip_dialog_free(last);
	}
	assert_int_equal(b.last_status, 503);
	assert_int_equal(sip_events_count(b.events), 20);
	end(&b);
}

/* Over a restart ------------------------------------------------------------------------------- */
static struct slice copied(char *to, struct slice text)
{
	assert_true(slice_copy(text, to, 256) >= 0);
	return slice_str(to);
}

static void keep(void *user, struct slice id, const struct sip_subscription_kept *k)
{
	struct both *b = user;

	assert_true(slice_eq(id, k->local_tag));
	b->keeps++;
	b->kept = *k;
	b->kept.package = copied(b->kept_texts[0], k->package);
	b->kept.resource = copied(b->kept_texts[1], k->resource);
	b->kept.watcher = copied(b->kept_texts[2], k->watcher);
	b->kept.event_id = copied(b->kept_texts[3], k->event_id);
	b->kept.accept = copied(b->kept_texts[4], k->accept);
	b->kept.call_id = copied(b->kept_texts[5], k->call_id);
	b->kept.local_tag = copied(b->kept_texts[6], k->local_tag);
	b->kept.remote_tag = copied(b->kept_texts[7], k->remote_tag);
	b->kept.local = copied(b->kept_texts[8], k->local);
	b->kept.remote = copied(b->kept_texts[9], k->remote);
	b->kept.target = copied(b->kept_texts[10], k->target);
	b->kept.routes = copied(b->kept_texts[11], k->routes);
	b->kept.contact = copied(b->kept_texts[12], k->contact);
}

static void forget(void *user, struct slice id)
{
	struct both *b = user;

	assert_true(slice_eq(id, b->kept.local_tag));
	b->forgets++;
}

static const struct sip_events_keeper keeper = { .keep = keep, .forget = forget };

/* The notifier's process dies without a word, another begins. */
static void restart(struct both *b)
{
	sip_events_set_keeper(b->events, NULL, NULL);
	sip_events_free(b->events);
	assert_int_equal(sip_events_new(b->sim.b.stack, NULL, &b->events, NULL), 0);
	assert_int_equal(sip_events_add(b->events, &b->package, b), 0);
	sip_events_set_keeper(b->events, &keeper, b);
}

static void it_goes_on_after_a_restart(void **state)
{
	struct both b;
	uint32_t cseq;

	(void)state;
	begin(&b, 0);
	sip_events_set_keeper(b.events, &keeper, &b);
	subscribe(&b, "Event: presence;id=7\r\nExpires: 600\r\n");
	assert_int_equal(b.keeps, 1);
	for (int i = 0; i < 3; i++) {
		for (b.version = 1; b.version < 900; b.version++) {
			(void)sip_event_notify(b.events, "presence", SLICE("b"));
			sim_run(&b.sim, 30);
		}
		cseq = b.last_cseq;
		assert_true(b.kept.local_cseq >= cseq && b.kept.version > 899);
		restart(&b);
		assert_int_equal(sip_events_restore(b.events, &b.kept), 0);
		assert_int_equal(sip_events_restore(b.events, &b.kept), -EEXIST);
		assert_int_equal(sip_events_count(b.events), 1);
		b.notifies = 0;
		sip_events_resume(b.events);
		sim_run(&b.sim, 300);
		assert_int_equal(b.notifies, 1);
		assert_true(b.last_cseq > cseq);
		assert_string_equal(b.event, "presence;id=7");
		assert_string_equal(b.body, "state 900");
		cseq = b.last_cseq;
		subscribe(&b, "Event: presence;id=7\r\nExpires: 600\r\n");
		assert_int_equal(b.last_status, 200);
		assert_int_equal(b.last_cseq, cseq + 1);
	}
	assert_int_equal(b.forgets + b.ended, 0);
	subscribe(&b, "Event: presence;id=7\r\nExpires: 0\r\n");
	assert_int_equal(b.forgets, 1);
	assert_int_equal(b.ended, 1);
	end(&b);
}

static void one_out_of_reach_after_a_restart_waits(void **state)
{
	struct both b;

	(void)state;
	begin(&b, 0);
	sip_events_set_keeper(b.events, &keeper, &b);
	subscribe(&b, "Event: presence\r\nExpires: 600\r\n");
	restart(&b);
	assert_int_equal(sip_events_restore(b.events, &b.kept), 0);
	sip_events_resume(b.events);
	b.sim.b.send_result = -EHOSTUNREACH;
	sim_run(&b.sim, 40000);
	b.sim.b.send_result = 0;
	assert_int_equal(sip_events_count(b.events), 1);
	b.notifies = 0;
	subscribe(&b, "Event: presence\r\nExpires: 100\r\n");
	assert_int_equal(b.notifies, 1);
	b.sim.b.send_result = -EHOSTUNREACH; /* heard of once, it is as any other */
	(void)sip_event_notify(b.events, "presence", SLICE("b"));
	sim_run(&b.sim, 40000);
	assert_int_equal(sip_events_count(b.events), 0);
	assert_int_equal(b.forgets, 1);
	b.sim.b.send_result = 0;
	end(&b);
}

static void what_was_not_kept_like_this_is_not_put_back(void **state)
{
	struct sip_subscription_kept k;
	struct both b;

	(void)state;
	begin(&b, 0);
	sip_events_set_keeper(b.events, &keeper, &b);
	subscribe(&b, "Event: presence\r\nExpires: 600\r\n");
	restart(&b);
#define REFUSED(member, value)                                                                     \
	k = b.kept;                                                                                \
	k.member = (value);                                                                        \
	assert_true(sip_events_restore(b.events, &k) < 0)
	REFUSED(package, SLICE("weather"));
	REFUSED(call_id, SLICE(""));
	REFUSED(local_tag, SLICE(""));
	REFUSED(local, SLICE(""));
	REFUSED(remote, SLICE(""));
	REFUSED(target, SLICE("nobody"));
	REFUSED(local_cseq, UINT32_MAX);
	REFUSED(remote_cseq, UINT32_MAX);
	REFUSED(expires_in_ms, 0);
	REFUSED(expires_in_ms, UINT64_MAX);
	REFUSED(transport, (enum sip_transport)77);
#undef REFUSED
	assert_int_equal(sip_events_count(b.events), 0);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_subscription_begins_with_the_full_state),
		cmocka_unit_test(it_is_refreshed_ended_and_expires),
		cmocka_unit_test(a_fetch_leaves_nothing_behind),
		cmocka_unit_test(wrong_subscriptions_are_refused),
		cmocka_unit_test(what_changes_meanwhile_is_told_once),
		cmocka_unit_test(a_watcher_that_is_gone_is_forgotten),
		cmocka_unit_test(a_pending_one_sees_nothing_until_it_is_approved),
		cmocka_unit_test(one_watcher_cannot_fill_the_memory),
		cmocka_unit_test(it_goes_on_after_a_restart),
		cmocka_unit_test(one_out_of_reach_after_a_restart_waits),
		cmocka_unit_test(what_was_not_kept_like_this_is_not_put_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
