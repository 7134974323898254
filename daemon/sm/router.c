/* SPDX-License-Identifier: Apache-2.0 */
/* router.c - what happens to a request outside of transactions: who sent it, may he, where to. */
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"
#include "node/metrics.h"
#include "node/uc_model.h"
#include "sm/auth.h"
#include "sm/calls.h"
#include "sm/entity.h"
#include "sm/flow_token.h"
#include "sm/forward.h"
#include "sm/late_ack.h"
#include "sm/notifier.h"
#include "sm/places.h"
#include "sm/privacy.h"
#include "sm/proxy.h"
#include "sm/registrar.h"
#include "sm/sips.h"
#include "sm/sm.h"
#include "sm/way.h"
#include "stack/sip/sip_guard.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_wire.h"

/* One request on its way through this file. */
struct routing {
	struct sm *sm;
	const struct sip_incoming *in;
	const struct sip_msg *msg;
	struct peer peer;
	struct sip_uri uri; /* Request-URI */
	unsigned pop;	    /* Routes on top that are ours */
	struct slice phase; /* of those, empty: none */
	struct slice odi;
	struct slice served;	/* by a call that cm itself began */
	bool any_phase;		/* in any Route, ours or not */
	struct flow_pair flows; /* of the dialog */
	bool hidden;		/* who began the dialog sends this, and did not want to be known */
	bool in_dialog;		/* a Route of ours carries the cookie of this Call-ID */
	struct slice gsid;
	char gsid_text[SIP_GSID_LEN];
	uint32_t max_forwards;
	struct buf adapted; /* Request-URI that the sender's adaptation made */
	bool emergency;
	char callee_text[ODI_USER_MAX + 1];
	struct slice callee; /* user part of the Request-URI, unescaped */
};

/* Reading --------------------------------------------------------------------------------- */
static void read_own_route(struct routing *rt, const struct sip_addr *route)
{
	char seal[ODI_COOKIE_SIZE];
	struct slice value;

	rt->pop++;
	if (sip_uri_param(&route->uri, SLICE("phase"), &value))
		rt->phase = value;
	if (sip_uri_param(&route->uri, SLICE("odi"), &value))
		rt->odi = value;
	if (sip_uri_param(&route->uri, SLICE("served"), &value))
		rt->served = value;
	if (sip_uri_param(&route->uri, SLICE("d"), &value) &&
	    odi_cookie_valid(rt->sm->key, value, sip_msg_call_id(rt->msg)))
		rt->in_dialog = sip_msg_to_tag(rt->msg).len > 0;
	flow_token_read(rt->sm, &route->uri, sip_msg_call_id(rt->msg), &rt->flows);
	if (sip_uri_param(&route->uri, SLICE("pv"), &value)) {
		forward_seal_hidden(rt->sm, rt->msg, seal);
		rt->hidden = rt->hidden || slice_eq_str(value, seal);
	}
}

static int read_routes(struct routing *rt)
{
	struct sip_values it = sip_values_of(rt->msg, SIP_HDR_ROUTE);
	struct sip_addr route;
	struct slice value;
	bool ours = true;

	while (sip_values_next(&it, &value)) {
		if (sip_addr_parse(value, &route) < 0)
			return -EBADMSG;
		if (sip_uri_param(&route.uri, SLICE("phase"), NULL) ||
		    sip_uri_param(&route.uri, SLICE("odi"), NULL))
			rt->any_phase = true;
		ours = ours && rt->pop < 16 && sip_wire_uri_is_mine(rt->sm->wire, &route.uri);
		if (ours)
			read_own_route(rt, &route);
	}
	return 0;
}

static void read_gsid(struct routing *rt)
{
	struct slice given = sip_guard_gsid(rt->msg);

	rt->gsid = calls_gsid(rt->sm->calls, sip_msg_call_id(rt->msg));
	if (given.len && trust_from(TRUST_SESSION, rt->peer.kind) == TRUST_KEEP)
		rt->gsid = given;
	if (rt->gsid.len == 0 && rt->msg->method == SIP_INVITE) {
		sip_guard_gsid_new(rt->gsid_text);
		rt->gsid = slice_str(rt->gsid_text);
	}
}

static void read_callee(struct routing *rt)
{
	int n = -1;

	if (rt->uri.user.len <= ODI_USER_MAX)
		n = sip_unescape(rt->uri.user, rt->callee_text, sizeof(rt->callee_text));
	rt->callee = slice_make(rt->callee_text, n > 0 ? (size_t)n : 0);
}

static bool is_local(const struct routing *rt)
{
	return rt->uri.scheme == SIP_SCHEME_TEL || sm_uri_is_local(rt->sm, &rt->uri);
}

/* Refusing -------------------------------------------------------------------------------- */
static void reply(struct routing *rt, unsigned status, struct slice headers)
{
	const struct sip_extra extra = { .headers = headers };

	sip_stack_reply(rt->sm->stack, rt->in, status, &extra);
}

static struct proxy *take(struct routing *rt, const struct uc_user *caller)
{
	const struct proxy_request request = {
		.from = rt->peer,
		.pop_routes = rt->pop,
		/* Outside of a dialog nobody but an application chooses the way on. */
		.drop_routes = !rt->in_dialog && !trust_is_internal(rt->peer.kind),
		.authenticated = caller != NULL,
		.in_dialog = rt->in_dialog,
		.hidden = rt->in_dialog && rt->hidden,
		.caller = caller,
		.gsid = rt->gsid,
		.max_forwards = rt->max_forwards,
		.uri = buf_slice(&rt->adapted),
		.emergency = rt->emergency,
	};
	struct proxy *p = NULL;

	return proxy_new(rt->sm, rt->in, &request, &p) < 0 ? NULL : p;
}

/* The token proves that an application gave the request back. Where links have no certificate it
 * also tells which connection is the application's. */
static bool read_odi(struct routing *rt, struct odi *ret)
{
	struct slice gsid = sip_guard_gsid(rt->msg);
	const struct uc_sequence *sequence;
	const struct uc_user *user;
	struct entity *e = NULL;
	int r;

	r = odi_read(rt->sm->key, rt->odi, gsid, sm_wall_ms(rt->sm) / 1000, ret);
	if (r < 0 || trust_is_internal(rt->peer.kind))
		return r == 0;

	user = uc_user_by_handle(sm_model(rt->sm), ret->user, strlen(ret->user));
	sequence = sequence_of(user,
			       user ? NULL
				    : route_implicit_number(sm_model(rt->sm), slice_str(ret->user)),
			       ret->half);
	if (sequence && ret->place < sequence->count)
		e = entity_by_name(rt->sm->entities, slice_str(sequence->entries[ret->place].name));
	if (!e || e->ways[0].flow.transport == SIP_TRANSPORT_TLS ||
	    rt->in->flow.transport == SIP_TRANSPORT_TLS ||
	    !addr_is_loopback(&rt->in->flow.remote) ||
	    !addr_equal_ip(&e->ways[0].flow.remote, &rt->in->flow.remote))
		return false;
	entity_learn(e, rt->in->flow.connection);
	entity_heard(e, &rt->in->flow);
	rt->peer = peer_of_entity(e);
	return true;
}

/* From must be the authenticated user's own address, or nobody's. */
static bool from_is(const struct routing *rt, const struct uc_user *user)
{
	struct sip_addr from;

	if (sip_msg_from(rt->msg, &from) < 0)
		return false;
	if (privacy_is_anonymous(&from.uri))
		return true; /* he says nothing, so nothing false */
	if (!sm_uri_is_local(rt->sm, &from.uri))
		return false;
	return sip_uri_user_is(&from.uri, slice_str(user->handle)) ||
	       (user->station && sip_uri_user_is(&from.uri, slice_str(user->station->extension)));
}

/* A sips: request that came in clear has broken its promise already: what goes on would look as if every hop
 * had been secure (RFC 3261 section 26.2.2). true: answered. */
static bool came_in_clear(struct routing *rt)
{
	AUTO_BUF lines = { 0 };

	if (!sips_is(rt->msg->uri) || rt->emergency || sips_hop(rt->peer.kind, &rt->in->flow))
		return false;
	sips_warning(sm_domain(rt->sm), &lines);
	reply(rt, 480, buf_slice(&lines));
	return true;
}

/* A phone or an unknown element: who is it? NULL: answered. On success *ret is the taken request;
 * entities come in unchallenged, with a NULL caller. */
static bool admit(struct routing *rt, const struct uc_user **caller, struct proxy **ret)
{
	bool free_call =
		rt->emergency && uc_model_routing(sm_model(rt->sm))->emergency_unauthenticated;

	*caller = NULL;
	if (came_in_clear(rt))
		return false;
	if (!rt->peer.entity && !free_call && auth_check(rt->sm, rt->in, true, caller) < 0)
		return false;
	*ret = take(rt, *caller);
	if (!*ret)
		return false;
	if (*caller && !from_is(rt, *caller)) {
		metric_add(rt->sm->metrics, SM_FROM_REFUSED, 1);
		proxy_refuse(*ret, 403, SLICE(""));
		return false;
	}
	return true;
}

/* The sender's entity may have an adaptation: all that follows sees what it makes. */
static void adapt_uri_in(struct routing *rt)
{
	const struct adapt adapt = { .in = forward_adapt(rt->sm, rt->peer, rt->peer).in };

	if (adapt.in && adapt_hop(&adapt, false, rt->msg->uri, &rt->adapted) &&
	    sip_uri_parse(buf_slice(&rt->adapted), &rt->uri) < 0)
		(void)sip_msg_request_uri(rt->msg, &rt->uri);
}

/* An emergency number, where the caller is? */
static bool is_emergency(const struct routing *rt)
{
	const struct call_origin *known = calls_origin(rt->sm->calls, rt->gsid);
	struct places_origin origin = { .source = rt->in->flow.remote, .entity = rt->peer.entity };
	struct route_query query;

	if (uc_model_routing(sm_model(rt->sm))->pattern_count == 0)
		return false;
	if (known) {
		origin.source = known->source;
		origin.entity = known->entity;
	}
	query = places_query(rt->sm, &origin, rt->uri.text);
	return route_is_emergency(rt->sm->routes, &query);
}

/* A call of an entity in the name of a number that has an originating sequence here. */
static void implicit_caller(const struct routing *rt, struct sequence_position *pos,
			    char number[static ROUTE_DIGITS_SIZE])
{
	const struct adapt adapt = { .in = forward_adapt(rt->sm, rt->peer, rt->peer).in };
	const struct uc_implicit_user *implicit;
	AUTO_BUF adapted = { 0 };
	struct sip_addr from;
	struct slice uri;

	if (!rt->peer.entity || sip_msg_from(rt->msg, &from) < 0)
		return;
	uri = adapt_hop(&adapt, true, from.uri.text, &adapted) ? buf_slice(&adapted)
							       : from.uri.text;
	implicit = route_implicit(sm_model(rt->sm), uri, false);
	if (!implicit || !implicit->origination)
		return;
	pos->phase = SEQUENCE_ORIGINATE;
	pos->implicit = implicit;
	pos->number = route_digits(uri, number);
}

/* A call that cm begins in the name of a user (a transfer, a diversion) has no token to bring back: cm has made
 * the decisions of its own place in that user's originating half, and the call goes on behind it. */
static bool is_begun_by_cm(const struct routing *rt)
{
	return rt->peer.kind == TRUST_CM && !rt->odi.len && rt->served.len &&
	       rt->served.len <= ODI_USER_MAX &&
	       slice_eq_str(rt->phase, sequence_back(ODI_ORIGINATING));
}

static void begun_by_cm(const struct routing *rt, struct sequence_position *pos)
{
	char handle[ODI_USER_MAX + 1];
	const struct uc_sequence *sequence;
	int n = sip_unescape(rt->served, handle, sizeof(handle) - 1);

	pos->user = uc_user_by_handle(sm_model(rt->sm), handle, n > 0 ? (size_t)n : 0);
	pos->phase = pos->user ? SEQUENCE_ORIGDONE : SEQUENCE_TERMINATE;
	sequence = sequence_of(pos->user, NULL, ODI_ORIGINATING);
	for (size_t i = 0; sequence && i < sequence->count; i++) {
		if (strcmp(sequence->entries[i].name, rt->peer.entity->name) == 0)
			pos->place = (unsigned)i + 1;
	}
}

/* Methods --------------------------------------------------------------------------------- */
static void route_invite(struct routing *rt)
{
	struct sequence_position pos = { .callee = rt->callee };
	const struct uc_user *caller = NULL;
	char number[ROUTE_DIGITS_SIZE];
	struct proxy *p;
	struct odi odi = { 0 };

	if (is_begun_by_cm(rt)) {
		begun_by_cm(rt, &pos);
		rt->emergency = is_emergency(rt);
		p = take(rt, NULL);
		if (!p)
			return;
	} else if (rt->phase.len) {
		if (!read_odi(rt, &odi) || !sequence_phase_read(rt->phase, odi.half, &pos.phase)) {
			metric_add(rt->sm->metrics, SM_PHASE_REFUSED, 1);
			reply(rt, 403, SLICE(""));
			return;
		}
		read_gsid(rt);
		if (!calls_awaits(rt->sm->calls, rt->gsid, odi.half, odi.place)) {
			reply(rt, 481, SLICE("")); /* the call went on without it */
			return;
		}
		pos.user = uc_user_by_handle(sm_model(rt->sm), odi.user, strlen(odi.user));
		pos.number = slice_str(odi.user);
		if (!pos.user)
			pos.implicit = route_implicit_number(sm_model(rt->sm), pos.number);
		pos.place = odi.place + 1;
		rt->emergency = is_emergency(rt);
		p = take(rt, NULL);
		if (!p)
			return;
	} else if (rt->peer.denied) {
		reply(rt, 503,
		      SLICE("Reason: SIP;cause=503;text=\"No new service on this link\"\r\n"));
		return;
	} else {
		rt->emergency = is_emergency(rt);
		if (!admit(rt, &caller, &p))
			return;
		if (rt->peer.entity && !entity_seat_take(rt->peer.entity, rt->msg, rt->emergency)) {
			proxy_full(p, rt->peer.entity->name);
			return;
		}
		pos.phase = caller ? SEQUENCE_ORIGINATE : SEQUENCE_TERMINATE;
		pos.user = caller;
		if (!caller && !rt->emergency)
			implicit_caller(rt, &pos, number);
	}
	proxy_sequence(p, &pos);
}

/* An event package that sm serves itself: here it is the server, so 401. */
static void route_own_event(struct routing *rt)
{
	struct notifier_request request = { .trusted = trust_is_internal(rt->peer.kind) };

	if (!rt->peer.entity && auth_check(rt->sm, rt->in, false, &request.asker) < 0)
		return;
	if (request.asker && !from_is(rt, request.asker)) {
		metric_add(rt->sm->metrics, SM_FROM_REFUSED, 1);
		reply(rt, 403, SLICE(""));
		return;
	}
	if (is_local(rt))
		request.owner = sequence_user(sm_model(rt->sm), rt->callee);
	notifier_request(rt->sm->notifier, rt->in, &request);
}

static bool is_presence(const struct routing *rt)
{
	struct slice value = sip_msg_value(rt->msg, SIP_HDR_EVENT);
	struct sip_event event = { 0 };

	return value.p && sip_event_parse(value, &event) == 0 &&
	       slice_eq_str_nocase(event.type, "presence");
}

/* SUBSCRIBE and PUBLISH: presence goes on to its server, which is asked as any callee is. */
static void route_event(struct routing *rt)
{
	struct entity *presence = entity_by_type(rt->sm->entities, UC_ENTITY_PRESENCE);
	const struct uc_user *caller;
	AUTO_BUF lines = { 0 };
	struct proxy *p;

	if (notifier_serves(rt->sm->notifier, sip_msg_value(rt->msg, SIP_HDR_EVENT))) {
		route_own_event(rt);
		return;
	}
	if (!presence || !is_presence(rt)) {
		buf_printf(&lines, "Allow-Events: %.*s%s\r\n", SLICE_ARG(notifier_packages()),
			   presence ? ", presence" : "");
		reply(rt, 489, buf_slice(&lines));
		return;
	}
	if (!admit(rt, &caller, &p))
		return;
	if (!is_local(rt))
		proxy_refuse(p, 404, SLICE(""));
	else
		proxy_to_entity(p, presence);
}

/* MESSAGE and the like go to the callee's phones at once. */
static void route_other(struct routing *rt)
{
	const struct uc_user *caller, *callee;
	struct proxy *p;

	if (!admit(rt, &caller, &p))
		return;
	callee = is_local(rt) ? sequence_user(sm_model(rt->sm), rt->callee) : NULL;
	if (callee)
		proxy_to_user(p, callee);
	else
		proxy_refuse(p, 404, SLICE(""));
}

static void route_options(struct routing *rt)
{
	if (!is_local(rt) || (rt->callee.len && sequence_user(sm_model(rt->sm), rt->callee))) {
		route_other(rt);
		return;
	}
	reply(rt, 200,
	      SLICE("Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, PRACK, SUBSCRIBE, NOTIFY, "
		    "PUBLISH, INFO, REFER, MESSAGE, UPDATE\r\n"
		    "Allow-Events: reg, dialog, message-summary, presence\r\n"
		    "Accept: application/sdp\r\n"));
}

static void note_in_dialog(struct routing *rt)
{
	struct slice body = rt->msg->body;
	bool held;

	if (rt->msg->method == SIP_BYE) {
		entity_seats_end(rt->sm, rt->msg);
		calls_dialog_ended(rt->sm->calls, sip_msg_call_id(rt->msg));
	} else if (rt->msg->method == SIP_INVITE && body.len) {
		held = memmem(body.p, body.len, "a=sendonly", 10) ||
		       memmem(body.p, body.len, "a=inactive", 10);
		calls_held(rt->sm->calls, sip_msg_call_id(rt->msg), held);
	}
}

/* The flow of the phone at the other end, where the dialog's Route names it. */
static const struct sip_flow *way_of(const struct routing *rt)
{
	return flow_token_way(rt->sm, &rt->flows, &rt->in->flow, rt->peer.entity != NULL);
}

static void route_in_dialog(struct routing *rt)
{
	struct proxy *p = take(rt, NULL);

	if (!p)
		return;
	note_in_dialog(rt);
	proxy_to_route(p, way_of(rt));
}

static void route_new(struct routing *rt)
{
	switch (rt->msg->method) {
	case SIP_INVITE:
		route_invite(rt);
		break;
	case SIP_REGISTER:
		if (sm_uri_is_local(rt->sm, &rt->uri))
			registrar_request(rt->sm, rt->in);
		else
			reply(rt, 404, SLICE(""));
		break;
	case SIP_OPTIONS:
		route_options(rt);
		break;
	case SIP_PUBLISH:
	case SIP_SUBSCRIBE:
		route_event(rt);
		break;
	default:
		route_other(rt);
		break;
	}
}

static void count_request(const struct routing *rt)
{
	enum sm_metric metric = SM_REQUESTS_OTHER;

	if (rt->msg->method == SIP_REGISTER)
		metric = SM_REQUESTS_REGISTER;
	else if (rt->msg->method == SIP_INVITE)
		metric = SM_REQUESTS_INVITE;
	metric_add(rt->sm->metrics, metric, 1);
}

/* What is wrong with it before anybody looks at who sent it; 0: nothing. */
static unsigned check(struct routing *rt)
{
	int r;

	if (read_routes(rt) < 0 || sip_msg_request_uri(rt->msg, &rt->uri) < 0)
		return 400;
	r = sip_guard_max_forwards(rt->msg, &rt->max_forwards);
	if (r < 0)
		return r == -ELOOP ? 483 : 400;
	if (!trust_is_internal(rt->peer.kind) && privacy_is_out_of_reach(privacy_of(rt->msg)))
		return 500;
	if (sip_guard_is_loop(rt->sm->wire, rt->msg)) {
		metric_add(rt->sm->metrics, SM_LOOPS, 1);
		return 482;
	}
	return 0;
}

void router_request(struct sm *sm, const struct sip_incoming *in)
{
	struct routing rt = { .sm = sm, .in = in, .msg = in->msg };
	unsigned status;

	rt.peer = peer_identify(sm, in);
	count_request(&rt);
	status = check(&rt);
	if (status) {
		reply(&rt, status, SLICE(""));
		return;
	}
	/* A phase from a phone is never obeyed; an application's token is checked further down, and
	 * none is inside a dialog. */
	if (rt.any_phase && !trust_is_internal(rt.peer.kind) &&
	    (rt.in_dialog || in->msg->method != SIP_INVITE || !rt.phase.len || !rt.odi.len)) {
		metric_add(sm->metrics, SM_PHASE_REFUSED, 1);
		reply(&rt, 403, SLICE(""));
		return;
	}
	read_gsid(&rt);
	if (rt.peer.entity && !rt.in_dialog)
		adapt_uri_in(&rt);
	read_callee(&rt);
	if (rt.in_dialog)
		route_in_dialog(&rt);
	else if (sip_msg_to_tag(in->msg).len && in->msg->method != SIP_INVITE)
		reply(&rt, 481, SLICE(""));
	else
		route_new(&rt);
	buf_done(&rt.adapted);
}

static int forward_ack(struct sm *sm, const struct sip_incoming *in, struct sip_locate_wait *wait)
{
	struct routing rt = { .sm = sm, .in = in, .msg = in->msg };
	struct forward f = { .request = in->msg, .in_flow = &in->flow };
	AUTO_BUF out = { .limit = FORWARD_MESSAGE_MAX };
	struct sip_flow flow;
	int r;

	rt.peer = peer_identify(sm, in);
	if (check(&rt) || !rt.in_dialog)
		return -EBADMSG;
	r = way_in_dialog(sm, in->msg, rt.pop, way_of(&rt), &f.to, &flow, wait);
	if (r < 0)
		return r;
	read_gsid(&rt);
	f.from = rt.peer;
	f.pop_routes = rt.pop;
	f.hidden = rt.hidden;
	f.gsid = rt.gsid;
	f.max_forwards = rt.max_forwards;
	if (forward_request(sm, &f, &flow, &out) == 0 &&
	    (!sips_is(in->msg->uri) || sips_hop(f.to.kind, &flow)))
		sip_stack_send(sm->stack, &flow, buf_slice(&out), SLICE(""));
	return 0;
}

void router_ack(struct sm *sm, const struct sip_incoming *in)
{
	struct sip_locate_wait *wait;

	if (forward_ack(sm, in, NULL) != -EINPROGRESS)
		return;
	wait = late_ack_keep(sm, in);
	if (wait && forward_ack(sm, in, wait) != -EINPROGRESS)
		late_ack_drop(wait);
}

void router_late_ack(struct sm *sm, const struct sip_incoming *in)
{
	(void)forward_ack(sm, in, NULL);
}
