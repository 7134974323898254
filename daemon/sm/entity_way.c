/* SPDX-License-Identifier: Apache-2.0 */
/* entity_way.c - one entity link: its OPTIONS, and whether it is alive. cm and presence are asked
 * every link.probe_ms and judged by silence; all others as their monitoring says: every proactive_s,
 * dead after 1 + retries unanswered ones, then every reactive_s. */
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "node/metrics.h"
#include "sm/entity.h"
#include "sm/proxy.h"
#include "sm/resolve.h"
#include "sm/seats.h"
#include "sm/sm.h"
#include "sm/sm_options.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"
#include "stack/sip/sip_wire.h"

#define PLACES_MAX 4	    /* of a name, tried at once when one is dead */
#define LOOK_AGAIN_MS 30000 /* has its name moved? */
#define LATE_MS 50	    /* a timer that comes so much later: this process stood still */

static void schedule(struct entity_way *w);

static void link_changed(struct link *link, bool usable)
{
	struct entity_way *w = CONTAINER_OF(link, struct entity_way, link);
	struct entity *e = w->entity;
	char text[ADDR_TEXT_MAX];

	if (usable)
		log_info("link.up", F("entity", (const char *)e->name),
			 F("address", addr_format(&w->flow.remote, text)));
	else
		log_warning("link.down", F("entity", (const char *)e->name),
			    F("address", addr_format(&w->flow.remote, text)),
			    F("reason", link->reason), F("answer", (const char *)w->answer));
	metric_set(e->sm->metrics, SM_LINKS_DOWN, (int64_t)entities_down(e->sm->entities));
	w->places = 0;
	if (usable)
		return;
	w->misplaced = w->host[0] != '\0';

	/* The way back is a new connection: the old one would wait for its next retransmission. */
	if (w->connection)
		sip_wire_close(e->sm->wire, w->connection);
	w->connection = 0;
	if (!entity_usable(e))
		seats_lost(e->sm->seats, slice_str(e->name));
	if (!e->fast)
		return;
	/* Calls in flight are answered now; those that came from there are given up. */
	sip_stack_fail_remote(e->sm->stack, SIP_TRANSPORT_OTHER, &w->flow.remote);
	if (!entity_usable(e))
		proxy_upstream_lost(e->sm, e);
}

/* What is not monitored is never judged. */
static bool judged(const struct entity_way *w)
{
	return w->entity->fast || w->entity->monitoring.enabled;
}

/* What came while this process stood still waits in its sockets, unread: no silence of the peer's. */
static void pardon(struct entity_way *w, uint64_t now)
{
	if (w->due_ms && now > w->due_ms + LATE_MS)
		link_late(&w->link, now - w->due_ms, now);
	w->due_ms = 0;
}

static void judge(struct entity_way *w)
{
	uint64_t now = sm_now_ms(w->entity->sm);

	pardon(w, now);
	link_check(&w->link, now);
}

/* Probes ------------------------------------------------------------------------------------- */
static bool is_sick(const struct entity_way *w, unsigned status, struct slice reason)
{
	const struct uc_monitoring *m = &w->entity->monitoring;

	if (w->entity->fast || m->down_on_count == 0)
		return link_answer_is_sick(status, &reason);
	for (size_t i = 0; i < m->down_on_count; i++)
		if (m->down_on[i] == status)
			return true;
	return false;
}

/* When to ask again, of what is not asked all the time. */
static void rest(struct entity_way *w)
{
	const struct uc_monitoring *m = &w->entity->monitoring;

	if (w->entity->fast)
		return;
	if (w->host[0] && !link_usable(&w->link) && w->places < PLACES_MAX) {
		w->places++;
		w->misplaced = true;
		w->next_probe_ms = 0; /* at the next place of its name */
		schedule(w);
		return;
	}
	w->next_probe_ms = sm_now_ms(w->entity->sm) +
			   1000ULL * (link_usable(&w->link) ? m->proactive_s : m->reactive_s);
	schedule(w);
}

static void probe_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct entity_way *w = user;

	if (in->msg->status < 200)
		return;
	w->probe = NULL; /* it waits for copies of the answer on its own */
	snprintf(w->answer, sizeof(w->answer), "%u %.*s", in->msg->status,
		 SLICE_ARG(in->msg->reason));
	for (char *c = w->answer; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	w->attempts = 0;
	link_heard(&w->link, !is_sick(w, in->msg->status, in->msg->reason),
		   sm_now_ms(w->entity->sm));
	rest(w);
}

static void probe_lost(struct entity_way *w, bool refused)
{
	struct entity *e = w->entity;

	snprintf(w->answer, sizeof(w->answer), "%s", refused ? "refused" : "no answer");
	if (w->host[0] && !link_usable(&w->link))
		w->misplaced = true;
	if (e->fast) {
		if (refused)
			link_refused(&w->link, sm_now_ms(e->sm));
		else
			judge(w);
		return;
	}
	if (!refused && ++w->attempts <= e->monitoring.retries && link_usable(&w->link)) {
		w->next_probe_ms = 0;
		schedule(w);
		return;
	}
	w->attempts = 0;
	if (refused)
		link_refused(&w->link, sm_now_ms(e->sm));
	else
		link_silent(&w->link, sm_now_ms(e->sm));
	rest(w);
}

static void probe_failed(void *user, struct sip_client_txn *txn, int reason)
{
	struct entity_way *w = user;

	w->probe = NULL;
	if (reason == -EHOSTUNREACH && !link_usable(&w->link))
		return; /* ended by ourselves */
	probe_lost(w, reason != -ETIMEDOUT);
}

static void probe_ended(void *user, struct sip_client_txn *txn)
{
	struct entity_way *w = user;

	if (w->probe == txn)
		w->probe = NULL;
}

static const struct sip_client_handlers probe_handlers = {
	.response = probe_response,
	.failed = probe_failed,
	.ended = probe_ended,
};

static void build_probe(struct entity_way *w, struct buf *out)
{
	char call_id[SIP_TAG_LEN], tag[SIP_TAG_LEN], host[ADDR_TEXT_MAX];
	struct slice domain = sm_domain(w->entity->sm);
	AUTO_BUF uri = { 0 };

	buf_printf(&uri, "sip:%s:%u;transport=%s", addr_format_host(&w->flow.remote, host),
		   addr_port(&w->flow.remote), sip_flow_transport_text(&w->flow));
	snprintf(w->asked, sizeof(w->asked), "OPTIONS %.*s", SLICE_ARG(buf_slice(&uri)));
	sip_stack_tag(call_id);
	sip_stack_tag(tag);
	sip_build_request(out, SLICE("OPTIONS"), buf_slice(&uri));
	sip_build_header_u32(out, SIP_HDR_MAX_FORWARDS, 70);
	sip_build_headerf(out, SIP_HDR_FROM, "<sip:%.*s>;tag=%s", SLICE_ARG(domain), tag);
	sip_build_headerf(out, SIP_HDR_TO, "<%.*s>", SLICE_ARG(buf_slice(&uri)));
	sip_build_headerf(out, SIP_HDR_CALL_ID, "%s", call_id);
	sip_build_cseq(out, 1, SLICE("OPTIONS"));
	sip_build_body(out, SLICE(""), SLICE(""));
}

static void probe(struct entity_way *w)
{
	struct entity *e = w->entity;
	const struct sip_client_options options = {
		.timeout_ms = e->fast ? w->link.limits.down_after_ms : e->timer_b_ms,
	};
	AUTO_BUF out = { 0 };
	int r;

	if (w->probe)
		return;
	build_probe(w, &out);
	if (!buf_ok(&out))
		return;
	w->asked_ms = sm_now_ms(e->sm);
	r = sip_client_txn_new(e->sm->stack, &w->flow, buf_slice(&out), &options, &probe_handlers,
			       w, &w->probe, NULL);
	if (r < 0) {
		probe_lost(w, true);
		return;
	}
	w->connection = sip_client_txn_flow(w->probe)->connection;
	link_sent(&w->link, w->asked_ms);
}

static void place_found(struct sip_locate_wait *wait, int r)
{
	struct entity_way *w = CONTAINER_OF(wait, struct entity_way, wait);

	w->next_probe_ms = 0;
	schedule(w);
}

/* Is it known where it is? Asked again now and then: a name may move. */
static bool has_place(struct entity_way *w)
{
	struct entity *e = w->entity;
	struct addr before = w->flow.remote;
	char text[ADDR_TEXT_MAX];
	int r;

	if (!w->host[0])
		return true;
	w->wait.woken = place_found;
	r = resolve_entity(e->sm, w->host, w->port, w->flow.transport, w->misplaced, &w->flow,
			   &w->wait);
	w->misplaced = false;
	if (r == -EINPROGRESS)
		return w->flow.remote.len > 0;
	if (r < 0) {
		snprintf(w->answer, sizeof(w->answer), "its name is not known");
		link_refused(&w->link, sm_now_ms(e->sm));
		return false;
	}
	if (!addr_equal(&before, &w->flow.remote)) {
		w->next_probe_ms = 0;
		log_info("entity.place", F("entity", (const char *)e->name),
			 F("host", (const char *)w->host),
			 F("address", addr_format(&w->flow.remote, text)));
	}
	return true;
}

static void tick(struct timer *timer)
{
	struct entity_way *w = CONTAINER_OF(timer, struct entity_way, timer);
	uint64_t now = sm_now_ms(w->entity->sm);

	bool placed = has_place(w);

	judge(w);
	if (now >= w->next_probe_ms) {
		w->next_probe_ms =
			now + (w->entity->fast ? w->link.limits.probe_ms
					       : 1000ULL * w->entity->monitoring.proactive_s);
		if (placed && judged(w))
			probe(w);
	}
	schedule(w);
}

static void schedule(struct entity_way *w)
{
	uint64_t now = sm_now_ms(w->entity->sm);
	uint64_t wait = w->next_probe_ms > now ? w->next_probe_ms - now : 1;
	uint64_t due;

	pardon(w, now);
	due = link_due(&w->link, now);
	if (due && due < wait)
		wait = due;
	if (w->host[0] && wait > LOOK_AGAIN_MS)
		wait = LOOK_AGAIN_MS;
	w->due_ms = now + wait;
	loop_timer_start(w->entity->sm->loop, &w->timer, wait, tick);
}

/* What entity.c says ------------------------------------------------------------------------- */
void entity_way_start(struct entity_way *w)
{
	const struct sm_options *options = w->entity->sm->options;
	const struct link_limits fast = { options->down_after_ms, options->probe_ms };
	const struct link_limits none = { 0, 0 };

	link_init(&w->link, w->entity->fast ? &fast : &none, link_changed);
	if (judged(w) || w->host[0])
		loop_timer_start(w->entity->sm->loop, &w->timer, 1, tick);
}

void entity_way_stop(struct entity_way *w)
{
	w->due_ms = 0;
	loop_timer_stop(w->entity->sm->loop, &w->timer);
	sip_locate_stop(&w->wait);
	if (w->probe)
		sip_client_txn_detach(TAKE(w->probe));
}

void entity_way_ask(struct entity_way *w)
{
	if (!judged(w) || w->entity->gone)
		return;
	w->next_probe_ms = 0;
	schedule(w);
}

void entity_way_sent(struct entity_way *w)
{
	if (!w->entity->fast)
		return;
	link_sent(&w->link, sm_now_ms(w->entity->sm));
	schedule(w);
}

void entity_way_heard(struct entity_way *w)
{
	/* One that says of itself that it is not in service is asked, not believed. */
	if (!judged(w) || (w->link.fsm.state == LINK_DOWN && link_is_sick(&w->link)))
		return;
	link_heard(&w->link, true, sm_now_ms(w->entity->sm));
}

void entity_way_refused(struct entity_way *w)
{
	if (!judged(w))
		return;
	link_refused(&w->link, sm_now_ms(w->entity->sm));
	rest(w);
}

void entity_way_suspect(struct entity_way *w)
{
	if (!judged(w) || w->entity->fast || w->entity->gone)
		return;
	snprintf(w->answer, sizeof(w->answer), "no answer to a call");
	link_silent(&w->link, sm_now_ms(w->entity->sm));
	entity_way_ask(w);
}
