/* SPDX-License-Identifier: Apache-2.0 */
/* entity.c - the table of SIP entities, their links, and who a message comes from. */
#include "sm/entity.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "sm/sips.h"
#include "sm/sm.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_wire.h"

struct entities {
	struct sm *sm;
	struct list all;
};

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
	for (size_t i = 0; i < e->way_count; i++)
		entity_way_stop(&e->ways[i]);
	entity_register_stop(e);
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
		n += !entity_usable(e);
	return n;
}

/* Links -------------------------------------------------------------------------------------- */
static bool way_takes(const struct entity_way *w)
{
	return !w->deny && link_usable(&w->link);
}

static const struct entity_way *best_way(const struct entity *entity, bool sips)
{
	const struct entity_way *best = NULL;

	for (size_t i = 0; i < entity->way_count; i++) {
		const struct entity_way *w = &entity->ways[i];

		if (way_takes(w) && (!sips || sips_hop(peer_of_way(w).kind, &w->flow)) &&
		    (!best || (best->link.fsm.state != LINK_UP && w->link.fsm.state == LINK_UP)))
			best = w;
	}
	return best;
}

const struct entity_way *entity_way_best(const struct entity *entity)
{
	const struct entity_way *best = best_way(entity, false);

	return best ? best : &entity->ways[0];
}

const struct entity_way *entity_way_sips(const struct entity *entity)
{
	return best_way(entity, true);
}

bool entity_usable(const struct entity *entity)
{
	return entity && !entity->gone && way_takes(entity_way_best(entity));
}

/* The link that a flow belongs to: by address and transport, else by address. */
static struct entity_way *way_of(struct entity *e, const struct sip_flow *flow)
{
	struct entity_way *found = &e->ways[0];

	for (size_t i = e->way_count; i-- > 0;) {
		struct entity_way *w = &e->ways[i];

		if (w->flow.transport == flow->transport &&
		    (addr_equal(&w->flow.remote, &flow->remote) ||
		     flow->transport != SIP_TRANSPORT_UDP))
			found = w;
	}
	return found;
}

void entity_sent(struct entity *entity, const struct sip_flow *flow)
{
	entity_way_sent(way_of(entity, flow));
}

void entity_heard(struct entity *entity, const struct sip_flow *flow)
{
	entity_way_heard(way_of(entity, flow));
}

void entity_refused(struct entity *entity, const struct sip_flow *flow)
{
	entity_way_refused(way_of(entity, flow));
}

void entity_suspect(struct entity *entity, const struct sip_flow *flow)
{
	entity_way_suspect(way_of(entity, flow));
}

enum route_link entity_route_link(const struct entity *entity, const char **why)
{
	const struct entity_way *w = entity_way_best(entity);

	*why = w->answer[0] ? w->answer : w->link.reason;
	if (entity->gone || !link_usable(&w->link))
		return ROUTE_LINK_DOWN;
	if (w->deny)
		return ROUTE_LINK_DENIED;
	if (entity_full(entity)) {
		*why = "has as many calls as it may";
		return ROUTE_LINK_FULL;
	}
	return w->link.fsm.state == LINK_UNKNOWN ? ROUTE_LINK_UNKNOWN : ROUTE_LINK_UP;
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

/* Where the row says; a name is looked up later, then flow->remote is empty. */
static void make_flow(const struct uc_entity *row, const struct uc_entity_link *link,
		      struct sip_flow *ret)
{
	struct sip_flow flow = { .transport = transport_of((enum uc_transport)link->transport),
				 .listen = SIP_LISTEN_ANY };

	(void)addr_parse_ip(slice_str(row->address), link->port, &flow.remote);
	*ret = flow;
}

static bool is_fast(enum uc_entity_type type)
{
	return type == UC_ENTITY_CM || type == UC_ENTITY_PRESENCE;
}

static bool same_monitoring(const struct uc_monitoring *a, const struct uc_monitoring *b)
{
	return a->enabled == b->enabled && a->proactive_s == b->proactive_s &&
	       a->reactive_s == b->reactive_s && a->retries == b->retries &&
	       a->down_on_count == b->down_on_count &&
	       memcmp(a->down_on, b->down_on, sizeof(a->down_on)) == 0;
}

static bool same_place(const struct entity_way *w, const struct uc_entity *row,
		       const struct uc_entity_link *link)
{
	struct sip_flow flow;

	make_flow(row, link, &flow);
	if (!w->host[0])
		return sip_flow_equal(&w->flow, &flow);
	return flow.remote.len == 0 && strcmp(w->host, row->address) == 0 &&
	       w->port == link->port && w->flow.transport == flow.transport;
}

static bool same(const struct entity *e, const struct uc_entity *row)
{
	if (e->type != row->type || e->way_count != row->link_count ||
	    e->timer_b_ms != row->timer_b_s * 1000 ||
	    !same_monitoring(&e->monitoring, &row->monitoring))
		return false;
	for (size_t i = 0; i < e->way_count; i++) {
		const struct uc_entity_link *link = &row->links[i];
		const struct entity_way *w = &e->ways[i];

		if (w->trusted != link->trusted || w->deny != link->deny_new_service ||
		    !same_place(w, row, link))
			return false;
	}
	return true;
}

static void add(struct entities *entities, const struct uc_entity *row)
{
	struct entity *e = calloc(1, sizeof(*e));

	if (!e)
		return;
	e->sm = entities->sm;
	e->type = row->type;
	e->fast = is_fast(row->type);
	e->monitoring = row->monitoring;
	e->timer_b_ms = row->timer_b_s * 1000;
	snprintf(e->name, sizeof(e->name), "%s", row->name);
	for (size_t i = 0; i < row->link_count; i++) {
		struct entity_way *w = &e->ways[i];

		w->entity = e;
		w->trusted = row->links[i].trusted || e->fast;
		w->deny = row->links[i].deny_new_service;
		make_flow(row, &row->links[i], &w->flow);
		w->port = row->links[i].port;
		if (w->flow.remote.len == 0)
			snprintf(w->host, sizeof(w->host), "%s", row->address);
	}
	e->way_count = row->link_count;
	list_append(&entities->all, &e->link_list);
	for (size_t i = 0; i < e->way_count; i++)
		entity_way_start(&e->ways[i]);
}

static void retire(struct entity *e)
{
	e->gone = true;
	stop_watching(e);
}

void entities_load(struct entities *entities, const struct uc_model *model)
{
	for (struct entity *e = entity_next(entities, NULL); e; e = entity_next(entities, e)) {
		const struct uc_entity *row = uc_entity_by_name(model, e->name, strlen(e->name));

		if (!row || !same(e, row))
			retire(e);
	}
	for (size_t i = 0; i < uc_entity_count(model); i++) {
		const struct uc_entity *row = uc_entity_at(model, i);

		if (row->type != UC_ENTITY_SM && !entity_by_name(entities, slice_str(row->name)))
			add(entities, row);
	}
	for (struct entity *e = entity_next(entities, NULL); e; e = entity_next(entities, e))
		entity_register_sync(e);
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
		if (ours && link_usable(&way_of(e, flow)->link))
			entity_way_ask(way_of(e, flow));
	}
}

bool entity_owns(const struct entity *entity, const struct sip_flow *flow)
{
	for (size_t i = 0; flow->connection && i < ENTITY_FLOWS; i++)
		if (entity->flows[i] == flow->connection)
			return true;
	for (size_t i = 0; i < entity->way_count; i++)
		if (addr_equal(&entity->ways[i].flow.remote, &flow->remote))
			return true;
	return false;
}

struct entity *entity_by_flow(const struct entities *entities, const struct sip_flow *flow)
{
	for (struct entity *e = entity_next(entities, NULL); e; e = entity_next(entities, e))
		if (entity_owns(e, flow))
			return e;
	return NULL;
}

/* Without a certificate an address is all there is. Ours are known by it on loopback alone, where
 * one with an address of its own may connect from any port; a provider's gateway is let in by it, but
 * never believed. */
static bool owns_by_address(const struct sm *sm, const struct entity *e,
			    const struct sip_flow *flow)
{
	const struct addr *remote = &e->ways[0].flow.remote;

	if (addr_is_loopback(&flow->remote) != addr_is_loopback(remote))
		return false;
	if (!addr_is_loopback(remote))
		return !e->fast && addr_equal_ip(remote, &flow->remote);
	if (entity_owns(e, flow))
		return true;
	if (flow->transport == SIP_TRANSPORT_UDP || !addr_equal_ip(remote, &flow->remote))
		return false;
	for (uint32_t i = 0; i < sip_wire_listen_count(sm->wire); i++)
		if (addr_equal_ip(sip_wire_local(sm->wire, i), &flow->remote))
			return false;
	return true;
}

struct peer peer_of_way(const struct entity_way *w)
{
	struct entity *e = w->entity;
	struct peer peer = { .kind = TRUST_UNTRUSTED, .entity = e, .denied = w->deny };

	if (e->type == UC_ENTITY_CM)
		peer.kind = TRUST_CM;
	else if (e->type == UC_ENTITY_PRESENCE)
		peer.kind = TRUST_PRESENCE;
	else if (w->trusted)
		peer.kind = TRUST_LINK;
	return peer;
}

struct peer peer_of_entity(struct entity *entity)
{
	return peer_of_way(entity_way_best(entity));
}

static bool has_certificate(const struct entity *e, const char *certificate)
{
	struct slice name = slice_str(certificate);

	/* By the entity's name, or the VM's own: cm, presence. */
	return slice_eq_str(name, e->name) ||
	       (e->type != UC_ENTITY_TRUNK && e->type != UC_ENTITY_OTHER &&
		slice_eq_str(name, uc_entity_type_name(e->type)));
}

static bool is_plain(const struct entity *e)
{
	for (size_t i = 0; i < e->way_count; i++)
		if (e->ways[i].flow.transport != SIP_TRANSPORT_TLS)
			return true;
	return false;
}

struct peer peer_of_flow(struct sm *sm, const struct sip_flow *flow, const char *certificate)
{
	struct peer peer = { .kind = sip_flow_is_reliable(flow) ? TRUST_PHONE_STREAM
								: TRUST_PHONE_UDP };

	/* A browser, or the relay of browsers, whatever its address and certificate are. */
	if (sip_transport_is_ws(flow->transport))
		return peer;
	for (struct entity *e = entity_next(sm->entities, NULL); e;
	     e = entity_next(sm->entities, e)) {
		if (flow->transport == SIP_TRANSPORT_TLS) {
			if (has_certificate(e, certificate))
				return peer_of_way(way_of(e, flow));
			continue;
		}
		if (!is_plain(e) || !owns_by_address(sm, e, flow))
			continue;
		peer = peer_of_way(way_of(e, flow));
		if (!addr_is_loopback(&flow->remote))
			peer.kind = TRUST_UNTRUSTED;
		return peer;
	}
	return peer;
}

struct peer peer_at(struct sm *sm, const struct sip_flow *flow)
{
	bool tls = flow->transport == SIP_TRANSPORT_TLS, exact = addr_port(&flow->remote) != 0;

	if (sip_transport_is_ws(flow->transport) || (!tls && exact))
		return peer_of_flow(sm, flow, "");
	for (struct entity *e = entity_next(sm->entities, NULL); e;
	     e = entity_next(sm->entities, e))
		for (size_t i = 0; i < e->way_count; i++) {
			struct sip_flow from = e->ways[i].flow;

			if (exact ? !addr_equal(&from.remote, &flow->remote)
				  : !addr_equal_ip(&from.remote, &flow->remote))
				continue;
			from.transport = flow->transport;
			if (tls)
				return peer_of_way(way_of(e, &from));
			if (is_plain(e) && owns_by_address(sm, e, &from))
				return peer_of_flow(sm, &from, "");
		}
	return peer_of_flow(sm, flow, "");
}

struct peer peer_identify(struct sm *sm, const struct sip_incoming *in)
{
	struct peer peer = peer_of_flow(sm, &in->flow, in->peer_name);

	if (peer.entity)
		entity_heard(peer.entity, &in->flow);
	return peer;
}

/* For people --------------------------------------------------------------------------------- */
static const char *way_state(const struct entity_way *w)
{
	return w->deny ? "deny_new_service" : fsm_state_name(&w->link.fsm);
}

/* All up, some up, all down; links that take nothing new do not count unless all do. */
static const char *entity_state(const struct entity *e)
{
	size_t up = 0, down = 0, denied = 0;

	for (size_t i = 0; i < e->way_count; i++) {
		const struct entity_way *w = &e->ways[i];

		denied += w->deny;
		up += !w->deny && w->link.fsm.state == LINK_UP;
		down += !w->deny && w->link.fsm.state == LINK_DOWN;
	}
	if (denied == e->way_count)
		return "deny_new_service";
	if (up && down)
		return "partially_up";
	return up ? "up" : down ? "down" : "unknown";
}

static json_t *time_json(const struct entity *e, uint64_t at_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	if (at_ms == 0)
		return json_null();
	return json_string(clock_format(sm_wall_at(e->sm, at_ms), text));
}

static json_t *way_json(const struct entity_way *w)
{
	char address[ADDR_TEXT_MAX];

	return json_pack("{s:s,s:s,s:i,s:s,s:s,s:b,s:o,s:o,s:s,s:s}", "transport",
			 sip_flow_transport_text(&w->flow), "address",
			 addr_format(&w->flow.remote, address), "port",
			 (int)addr_port(&w->flow.remote), "link", way_state(w), "reason",
			 w->link.reason, "trusted", w->trusted, "changed_at",
			 time_json(w->entity, w->link.changed_ms), "checked_at",
			 time_json(w->entity, w->asked_ms), "last_request", w->asked, "last_answer",
			 w->answer);
}

json_t *entity_to_json(const struct entity *e)
{
	const struct entity_way *w = entity_way_best(e);
	json_t *links = json_array();
	char address[ADDR_TEXT_MAX];

	for (size_t i = 0; i < e->way_count; i++)
		json_array_append_new(links, way_json(&e->ways[i]));
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:s,s:s,s:o,s:i,s:o}", "name", e->name,
			 "type", uc_entity_type_name(e->type), "address",
			 addr_format(&w->flow.remote, address), "transport",
			 sip_flow_transport_text(&w->flow), "link", entity_state(e), "reason",
			 w->link.reason, "changed_at", time_json(e, w->link.changed_ms),
			 "checked_at", time_json(e, w->asked_ms), "last_request", w->asked,
			 "last_answer", w->answer, "links", links, "calls", (int)entity_calls(e),
			 "registration", entity_register_to_json(e));
}
