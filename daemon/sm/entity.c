/* SPDX-License-Identifier: Apache-2.0 */
/* entity.c - the table of SIP entities, their OPTIONS, and who a message comes from. */
#include "sm/entity.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "node/metrics.h"
#include "sm/proxy.h"
#include "sm/sm.h"
#include "sm/sm_options.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"
#include "stack/sip/sip_wire.h"

struct entities {
	struct sm *sm;
	struct list all;
};

static void schedule(struct entity *e);

int entities_new(struct sm *sm, struct entities **ret)
{
	struct entities *entities = calloc(1, sizeof(*entities));

	if (!entities)
		return -ENOMEM;
	entities->sm = sm;
	list_init(&entities->all);
	*ret = entities;
	return 0;
}

static void stop_watching(struct entity *e)
{
	loop_timer_stop(e->sm->loop, &e->timer);
	if (e->probe)
		sip_client_txn_detach(TAKE(e->probe));
}

struct entities *entities_free(struct entities *entities)
{
	struct entity *e;

	if (!entities)
		return NULL;
	LIST_FOREACH (e, &entities->all, struct entity, link_list) {
		stop_watching(e);
		free(e);
	}
	free(entities);
	return NULL;
}

struct entity *entity_next(const struct entities *entities, struct entity *after)
{
	struct list *pos = after ? after->link_list.next : entities->all.next;

	for (; pos != &entities->all; pos = pos->next) {
		struct entity *e = LIST_ENTRY(pos, struct entity, link_list);

		if (!e->gone)
			return e;
	}
	return NULL;
}

struct entity *entity_by_name(const struct entities *entities, struct slice name)
{
	for (struct entity *e = entity_next(entities, NULL); e; e = entity_next(entities, e))
		if (slice_eq_str(name, e->name))
			return e;
	return NULL;
}

struct entity *entity_by_type(const struct entities *entities, enum uc_entity_type type)
{
	for (struct entity *e = entity_next(entities, NULL); e; e = entity_next(entities, e))
		if (e->type == type)
			return e;
	return NULL;
}

size_t entities_down(const struct entities *entities)
{
	size_t n = 0;

	for (struct entity *e = entity_next(entities, NULL); e; e = entity_next(entities, e))
		n += !link_usable(&e->link);
	return n;
}

/* Links -------------------------------------------------------------------------------------- */
static void link_changed(struct link *link, bool usable)
{
	struct entity *e = CONTAINER_OF(link, struct entity, link);
	char text[ADDR_TEXT_MAX];

	if (usable)
		log_info("link.up", F("entity", (const char *)e->name),
			 F("address", addr_format(&e->flow.remote, text)));
	else
		log_warning("link.down", F("entity", (const char *)e->name),
			    F("address", addr_format(&e->flow.remote, text)),
			    F("reason", link->reason));
	metric_set(e->sm->metrics, SM_LINKS_DOWN, (int64_t)entities_down(e->sm->entities));
	if (usable)
		return;

	/* The way back is a new connection: the old one would wait for its next retransmission. */
	if (e->connection)
		sip_wire_close(e->sm->wire, e->connection);
	e->connection = 0;
	/* Calls in flight are answered now; those that came from there are given up. */
	sip_stack_fail_remote(e->sm->stack, SIP_TRANSPORT_OTHER, &e->flow.remote);
	proxy_upstream_lost(e->sm, e);
}

bool entity_usable(const struct entity *entity)
{
	return entity && !entity->gone && link_usable(&entity->link);
}

void entity_sent(struct entity *entity)
{
	link_sent(&entity->link, sm_now_ms(entity->sm));
	schedule(entity);
}

void entity_heard(struct entity *entity)
{
	link_heard(&entity->link, true, sm_now_ms(entity->sm));
}

void entity_refused(struct entity *entity)
{
	link_refused(&entity->link, sm_now_ms(entity->sm));
}

void entity_suspect(struct entity *entity)
{
	if (entity->gone || !link_usable(&entity->link))
		return;
	entity->next_probe_ms = 0;
	schedule(entity);
}

enum route_link entity_route_link(const struct entity *entity, const char **why)
{
	*why = entity->link.reason;
	if (entity->gone || !link_usable(&entity->link))
		return ROUTE_LINK_DOWN;
	return entity->link.fsm.state == LINK_UNKNOWN ? ROUTE_LINK_UNKNOWN : ROUTE_LINK_UP;
}

static void probe_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct entity *e = user;
	struct slice reason = in->msg->reason;

	link_heard(&e->link, !link_answer_is_sick(in->msg->status, &reason), sm_now_ms(e->sm));
}

static void probe_failed(void *user, struct sip_client_txn *txn, int reason)
{
	struct entity *e = user;

	e->probe = NULL;
	if (reason == -EHOSTUNREACH && !link_usable(&e->link))
		return; /* ended by ourselves */
	if (reason == -ETIMEDOUT)
		link_check(&e->link, sm_now_ms(e->sm));
	else
		entity_refused(e);
}

static void probe_ended(void *user, struct sip_client_txn *txn)
{
	struct entity *e = user;

	if (e->probe == txn)
		e->probe = NULL;
}

static const struct sip_client_handlers probe_handlers = {
	.response = probe_response,
	.failed = probe_failed,
	.ended = probe_ended,
};

static void build_probe(struct entity *e, struct buf *out)
{
	char call_id[SIP_TAG_LEN], tag[SIP_TAG_LEN], host[ADDR_TEXT_MAX];
	struct slice domain = sm_domain(e->sm);
	AUTO_BUF uri = { 0 };

	buf_printf(&uri, "sip:%s:%u;transport=%s", addr_format_host(&e->flow.remote, host),
		   addr_port(&e->flow.remote), sip_flow_transport_text(&e->flow));
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

static void probe(struct entity *e)
{
	const struct sip_client_options options = { .timeout_ms = e->link.limits.down_after_ms };
	AUTO_BUF out = { 0 };
	int r;

	build_probe(e, &out);
	if (!buf_ok(&out) || e->probe)
		return;
	r = sip_client_txn_new(e->sm->stack, &e->flow, buf_slice(&out), &options, &probe_handlers,
			       e, &e->probe, NULL);
	if (r < 0) {
		entity_refused(e);
		return;
	}
	e->connection = sip_client_txn_flow(e->probe)->connection;
	link_sent(&e->link, sm_now_ms(e->sm));
}

static void tick(struct timer *timer)
{
	struct entity *e = CONTAINER_OF(timer, struct entity, timer);
	uint64_t now = sm_now_ms(e->sm);

	link_check(&e->link, now);
	if (now >= e->next_probe_ms) {
		e->next_probe_ms = now + e->link.limits.probe_ms;
		probe(e);
	}
	schedule(e);
}

static void schedule(struct entity *e)
{
	uint64_t now = sm_now_ms(e->sm);
	uint64_t wait = e->next_probe_ms > now ? e->next_probe_ms - now : 1;
	uint64_t judge = link_due(&e->link, now);

	if (judge && judge < wait)
		wait = judge;
	loop_timer_start(e->sm->loop, &e->timer, wait, tick);
}

/* The table ---------------------------------------------------------------------------------- */
static enum sip_transport transport_of(enum uc_transport transport)
{
	static const enum sip_transport map[] = {
		[UC_UDP] = SIP_TRANSPORT_UDP,
		[UC_TCP] = SIP_TRANSPORT_TCP,
		[UC_TLS] = SIP_TRANSPORT_TLS,
	};

	return map[transport];
}

static bool make_flow(const struct uc_entity *row, struct sip_flow *ret)
{
	struct sip_flow flow = { .transport = transport_of(row->transport),
				 .listen = SIP_LISTEN_ANY };

	if (addr_parse_ip(slice_str(row->address), row->port, &flow.remote) < 0)
		return false;
	*ret = flow;
	return true;
}

static bool same(const struct entity *e, const struct uc_entity *row, const struct sip_flow *flow)
{
	return e->type == row->type && e->trusted == row->trusted && sip_flow_equal(&e->flow, flow);
}

static void add(struct entities *entities, const struct uc_entity *row, const struct sip_flow *flow)
{
	const struct sm_options *options = entities->sm->options;
	const struct link_limits limits = { options->down_after_ms, options->probe_ms };
	struct entity *e = calloc(1, sizeof(*e));

	if (!e)
		return;
	e->sm = entities->sm;
	e->type = row->type;
	e->trusted = row->trusted;
	e->timer_b_ms = row->timer_b_s * 1000;
	e->flow = *flow;
	snprintf(e->name, sizeof(e->name), "%s", row->name);
	link_init(&e->link, &limits, link_changed);
	list_append(&entities->all, &e->link_list);
	loop_timer_start(e->sm->loop, &e->timer, 1, tick);
}

static void retire(struct entity *e)
{
	e->gone = true;
	stop_watching(e);
}

void entities_load(struct entities *entities, const struct uc_model *model)
{
	struct sip_flow flow;

	for (struct entity *e = entity_next(entities, NULL); e; e = entity_next(entities, e)) {
		const struct uc_entity *row = uc_entity_by_name(model, e->name, strlen(e->name));

		if (!row || !make_flow(row, &flow) || !same(e, row, &flow))
			retire(e);
	}
	for (size_t i = 0; i < uc_entity_count(model); i++) {
		const struct uc_entity *row = uc_entity_at(model, i);

		if (row->type == UC_ENTITY_SM || entity_by_name(entities, slice_str(row->name)))
			continue;
		if (make_flow(row, &flow))
			add(entities, row, &flow);
		else
			log_warning("entity.address", F("entity", row->name),
				    F("address", row->address));
	}
}

/* Who is it? --------------------------------------------------------------------------------- */
void entity_learn(struct entity *entity, uint64_t connection)
{
	if (connection == 0)
		return;
	for (size_t i = 0; i < ENTITY_FLOWS; i++)
		if (entity->flows[i] == connection)
			return;
	memmove(entity->flows + 1, entity->flows, sizeof(entity->flows) - sizeof(entity->flows[0]));
	entity->flows[0] = connection;
}

void entities_flow_closed(struct entities *entities, const struct sip_flow *flow)
{
	for (struct entity *e = entity_next(entities, NULL); e; e = entity_next(entities, e)) {
		bool ours = entity_owns(e, flow);

		for (size_t i = 0; i < ENTITY_FLOWS; i++)
			if (e->flows[i] == flow->connection)
				e->flows[i] = 0;
		/* Ask at once: a refused connection is the fastest proof that it is dead. */
		if (ours && link_usable(&e->link)) {
			e->next_probe_ms = 0;
			loop_timer_start(e->sm->loop, &e->timer, 1, tick);
		}
	}
}

bool entity_owns(const struct entity *entity, const struct sip_flow *flow)
{
	for (size_t i = 0; flow->connection && i < ENTITY_FLOWS; i++)
		if (entity->flows[i] == flow->connection)
			return true;
	return addr_equal(&entity->flow.remote, &flow->remote);
}

struct entity *entity_by_flow(const struct entities *entities, const struct sip_flow *flow)
{
	for (struct entity *e = entity_next(entities, NULL); e; e = entity_next(entities, e))
		if (entity_owns(e, flow))
			return e;
	return NULL;
}

/* An entity on a loopback address of its own may connect from any port. */
static bool owns_by_address(const struct sm *sm, const struct entity *e,
			    const struct sip_flow *flow)
{
	if (!addr_is_loopback(&flow->remote) || !addr_is_loopback(&e->flow.remote))
		return false;
	if (entity_owns(e, flow))
		return true;
	if (flow->transport == SIP_TRANSPORT_UDP || !addr_equal_ip(&e->flow.remote, &flow->remote))
		return false;
	for (uint32_t i = 0; i < sip_wire_listen_count(sm->wire); i++)
		if (addr_equal_ip(sip_wire_local(sm->wire, i), &flow->remote))
			return false;
	return true;
}

struct peer peer_of_entity(struct entity *entity)
{
	struct peer peer = { .kind = TRUST_UNTRUSTED, .entity = entity };

	if (entity->type == UC_ENTITY_CM)
		peer.kind = TRUST_CM;
	else if (entity->type == UC_ENTITY_PRESENCE)
		peer.kind = TRUST_PRESENCE;
	else if (entity->trusted)
		peer.kind = TRUST_LINK;
	return peer;
}

struct peer peer_of_flow(struct sm *sm, const struct sip_flow *flow, const char *certificate)
{
	struct peer phone = { .kind = sip_flow_is_reliable(flow) ? TRUST_PHONE_STREAM
								 : TRUST_PHONE_UDP };

	/* A browser, or the relay of browsers, whatever its address and certificate are. */
	if (sip_transport_is_ws(flow->transport))
		return phone;
	for (struct entity *e = entity_next(sm->entities, NULL); e;
	     e = entity_next(sm->entities, e)) {
		if (flow->transport == SIP_TRANSPORT_TLS) {
			/* By the entity's name, or the VM's own: cm, presence. */
			if (slice_eq_str(slice_str(certificate), e->name) ||
			    (e->type != UC_ENTITY_TRUNK && e->type != UC_ENTITY_OTHER &&
			     slice_eq_str(slice_str(certificate), uc_entity_type_name(e->type))))
				return peer_of_entity(e);
			continue;
		}
		if (e->flow.transport != SIP_TRANSPORT_TLS && owns_by_address(sm, e, flow))
			return peer_of_entity(e);
	}
	return phone;
}

struct peer peer_identify(struct sm *sm, const struct sip_incoming *in)
{
	struct peer peer = peer_of_flow(sm, &in->flow, in->peer_name);

	if (peer.entity)
		entity_heard(peer.entity);
	return peer;
}
