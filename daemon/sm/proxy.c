/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.c - one request on its way through sm: which answer goes back, and what comes next when an
 * application has failed. */
#include "sm/proxy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "codec/sip/sip_edit.h"
#include "codec/sip/sip_msg.h"
#include "node/metrics.h"
#include "node/node.h"
#include "node/trace_ring.h"
#include "sm/best.h"
#include "sm/entity.h"
#include "sm/forward.h"
#include "sm/places.h"
#include "sm/location.h"
#include "sm/proxy_private.h"
#include "sm/sips.h"
#include "sm/way.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"
#include "stack/sip/sip_wire.h"

void proxy_enter(struct proxy *p)
{
	p->depth++;
}

static void proxy_free(struct proxy *p)
{
	if (p->server)
		sip_server_txn_detach(p->server);
	branch_free_all(p);
	sip_locate_stop(&p->place_wait);
	list_remove(&p->link);
	buf_done(&p->best_bytes);
	buf_done(&p->best_text);
	free(p->alternates);
	free(p->uri);
	free(p);
}

void proxy_leave(struct proxy *p)
{
	if (--p->depth == 0 && !p->server && list_empty(&p->branches))
		proxy_free(p);
}

void proxy_free_all(struct sm *sm)
{
	struct proxy *p;

	LIST_FOREACH (p, &sm->proxies, struct proxy, link)
		proxy_free(p);
}

/* The answer ------------------------------------------------------------------------------- */
static void note_final(struct proxy *p, unsigned status)
{
	p->finished = true;
	if (!p->invite || p->in_dialog)
		return;
	if (status >= 300 && p->from.entity)
		entity_seat_leave(p->from.entity, p->request);
	if (status >= 300 && p->began)
		calls_ended(p->sm->calls, slice_str(p->gsid));
	else if (status >= 300 && p->request && !trust_is_phone(p->from.kind))
		calls_dialog_ended(p->sm->calls, sip_msg_call_id(p->request));
}

static void answer(struct proxy *p, unsigned status, struct slice headers)
{
	const struct sip_extra extra = { .headers = headers };

	if (p->finished || !p->server)
		return;
	note_final(p, status);
	sip_server_txn_reply(p->server, status, &extra);
}

void proxy_refuse(struct proxy *p, unsigned status, struct slice headers)
{
	proxy_enter(p);
	answer(p, status, headers);
	proxy_leave(p);
}

void proxy_settle(struct proxy *p)
{
	if (p->open || p->finished || !p->server)
		return;
	if (p->best && p->best_bytes.len) {
		note_final(p, p->best);
		sip_server_txn_send(p->server, buf_slice(&p->best_bytes));
		return;
	}
	if (p->cancelled)
		answer(p, 487, SLICE(""));
	else
		answer(p, p->best ? p->best : 408, buf_slice(&p->best_text));
}

void proxy_provisional(struct proxy *p, const struct sip_msg *msg, struct peer from)
{
	AUTO_BUF out = { .limit = FORWARD_MESSAGE_MAX };

	if (!p->server || p->finished)
		return;
	if (forward_response(p->sm, msg, p->request, from, p->from, 0, &out) == 0)
		sip_server_txn_send(p->server, buf_slice(&out));
}

/* The caller's own phone is a leg of the call, too. */
static void note_caller(struct proxy *p, enum call_state state)
{
	struct sip_addr contact;

	if (p->request && p->caller[0] && sip_msg_contact(p->request, &contact) == 0)
		calls_leg(p->sm->calls, slice_str(p->gsid), slice_str(p->caller), contact.uri.text,
			  state, sm_wall_ms(p->sm));
}

static void success(struct proxy *p, struct branch *branch, const struct sip_msg *msg,
		    struct peer from)
{
	AUTO_BUF out = { .limit = FORWARD_MESSAGE_MAX };
	int r;

	branch_cancel_all(p, branch,
			  SLICE("Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n"));
	if (p->finished && !(p->invite && p->answered))
		return; /* a second 2xx of a request other than INVITE */
	r = forward_response(p->sm, msg, p->request, from, p->from, 0, &out);
	if (r < 0)
		return;
	if (!p->answered && p->began) {
		metric_add(p->sm->metrics, SM_CALLS_ANSWERED, 1);
		note_caller(p, CALL_TALKING);
	}
	p->answered = true;
	p->finished = true;
	entity_seats_answer(p->sm, msg, p->in_dialog);
	if (p->server)
		sip_server_txn_send(p->server, buf_slice(&out));
	else
		sip_stack_send_response(p->sm->stack, buf_slice(&out));
}

void proxy_final(struct proxy *p, struct branch *branch, unsigned status, const struct sip_msg *msg,
		 struct peer from)
{
	if (status < 300) {
		success(p, branch, msg, from);
		return;
	}
	if (status >= 600)
		branch_cancel_all(p, branch, SLICE(""));
	if (!p->finished && best_is_better(status, p->best)) {
		unsigned outward = best_outward(status);

		p->best = outward;
		buf_reset(&p->best_bytes);
		p->best_bytes.limit = FORWARD_MESSAGE_MAX;
		if (msg && forward_response(p->sm, msg, p->request, from, p->from,
					    outward == status ? 0 : outward, &p->best_bytes) < 0)
			buf_reset(&p->best_bytes);
	}
	proxy_settle(p);
}

static void unavailable(struct proxy *p, const char *name)
{
	struct slice domain = sm_domain(p->sm);
	uint64_t unlogged;

	buf_reset(&p->best_text);
	buf_printf(&p->best_text,
		   "Reason: SIP;cause=503;text=\"%s does not answer\"\r\n"
		   "Warning: 399 %.*s \"%s does not answer\"\r\n",
		   name, SLICE_ARG(domain), name);
	metric_add(p->sm->metrics, SM_APPLICATION_FAILED, 1);
	if (log_limit_take(&p->sm->unavailable_log, sm_now_ms(p->sm), &unlogged))
		log_warning("call.unavailable", F("gsid", (const char *)p->gsid), F("entity", name),
			    F("unlogged", unlogged));
}

/* Where it goes ---------------------------------------------------------------------------- */
static bool is_usable(void *user, const struct uc_entity *row)
{
	struct sm *sm = user;

	return entity_usable(entity_by_name(sm->entities, slice_str(row->name)));
}

void proxy_unavailable(struct proxy *p, const char *name)
{
	unavailable(p, name);
	answer(p, 500, buf_slice(&p->best_text));
}

void proxy_exposed(struct proxy *p)
{
	buf_reset(&p->best_text);
	sips_warning(sm_domain(p->sm), &p->best_text);
	answer(p, 480, buf_slice(&p->best_text));
}

void proxy_full(struct proxy *p, const char *name)
{
	struct slice domain = sm_domain(p->sm);
	uint64_t unlogged;

	buf_reset(&p->best_text);
	buf_printf(&p->best_text,
		   "Reason: Q.850;cause=34;text=\"No circuit available\"\r\n"
		   "Warning: 399 %.*s \"%s has as many calls as it may\"\r\n",
		   SLICE_ARG(domain), name);
	if (log_limit_take(&p->sm->full_log, sm_now_ms(p->sm), &unlogged))
		log_info("call.full", F("gsid", (const char *)p->gsid), F("entity", name),
			 F("unlogged", unlogged));
	proxy_refuse(p, trust_is_phone(p->from.kind) || trust_is_internal(p->from.kind) ? 486 : 503,
		     buf_slice(&p->best_text));
}

struct slice proxy_uri(const struct proxy *p)
{
	return p->uri ? slice_str(p->uri) : p->request->uri;
}

/* The user part of the Request-URI, unescaped, into out; empty where nobody of ours can be meant. */
static struct slice callee_of(const struct proxy *p, char out[static ODI_USER_MAX + 1])
{
	struct sip_uri uri;
	int n = -1;

	if (!p->emergency && sip_uri_parse(proxy_uri(p), &uri) == 0 &&
	    (uri.scheme == SIP_SCHEME_TEL || sm_uri_is_local(p->sm, &uri)) &&
	    uri.user.len <= ODI_USER_MAX)
		n = sip_unescape(uri.user, out, ODI_USER_MAX + 1);
	return slice_make(out, n > 0 ? (size_t)n : 0);
}

static int to_application(struct proxy *p, const struct sequence_step *step)
{
	struct entity *e = entity_by_name(p->sm->entities, slice_str(step->application->name));
	const struct entity_way *way;
	struct branch_spec spec = { .step = step };
	int r;

	if (!e)
		return -EHOSTUNREACH;
	way = p->sips ? entity_way_sips(e) : entity_way_best(e);
	if (!way)
		return -EPROTONOSUPPORT;
	spec.to = peer_of_way(way);
	spec.flow = way->flow;
	spec.breadth = sip_guard_max_breadth(p->request);
	r = branch_start(p, &spec);
	if (r < 0 && r != -EUSERS && r != -ENOMEM)
		entity_refused(e, &spec.flow);
	return r;
}

void proxy_to_user(struct proxy *p, const struct uc_user *user)
{
	struct slice handle = slice_str(user->handle);
	const struct list *bindings = location_of(p->sm->location, handle);
	uint32_t count = (uint32_t)location_callable(p->sm->location, handle, p->sips);
	uint32_t breadth = sip_guard_max_breadth(p->request);
	const struct binding *b;
	unsigned started = 0;
	uint32_t index = 0;

	proxy_enter(p);
	if (bindings)
		LIST_FOREACH (b, bindings, struct binding, link) {
			struct branch_spec spec;
			uint32_t share;

			if (!location_takes(b, p->sips))
				continue;
			share = sip_guard_share(breadth, count, index++);
			if (share && !location_is_spare(b) &&
			    branch_spec_of(p, b, user->handle, share, &spec))
				started += branch_start(p, &spec) == 0;
		}
	if (!started && !count && location_callable(p->sm->location, handle, false) > 0)
		proxy_exposed(p);
	else if (!started)
		answer(p, count && breadth == 0 ? 440 : 480, SLICE(""));
	proxy_leave(p);
}

/* A number that a pattern of implicit users holds, in a domain of ours. */
static const struct uc_implicit_user *implicit_callee(const struct proxy *p)
{
	struct sip_uri uri;

	if (sip_uri_parse(proxy_uri(p), &uri) < 0)
		return NULL;
	return route_implicit(sm_model(p->sm), uri.text, sip_wire_uri_is_mine(p->sm->wire, &uri));
}

void proxy_sequence(struct proxy *p, const struct sequence_position *position)
{
	struct sequence_position pos = *position;
	char callee[ODI_USER_MAX + 1], number[ROUTE_DIGITS_SIZE];
	struct sequence_step step;
	int r;

	pos.callee = callee_of(p, callee);
	if (!p->emergency) {
		pos.callee_implicit = implicit_callee(p);
		pos.callee_number = route_digits(proxy_uri(p), number);
	}
	proxy_enter(p);
	for (bool again = true; again;) {
		again = false;
		sequence_next(sm_model(p->sm), &pos, is_usable, p->sm, &step);
		metric_add(p->sm->metrics, SM_APPLICATION_SKIPPED, step.skipped);
		switch (step.kind) {
		case SEQUENCE_APPLICATION:
			r = to_application(p, &step);
			if (r == 0)
				break;
			if (step.application->mandatory && !p->emergency) {
				if (r == -EPROTONOSUPPORT && p->sips)
					proxy_exposed(p);
				else
					proxy_unavailable(p, step.application->name);
				break;
			}
			again = true;
			break;
		case SEQUENCE_CONTACTS:
			proxy_to_user(p, step.user);
			break;
		case SEQUENCE_FAIL:
			if (p->emergency)
				again = true;
			else
				proxy_unavailable(p, step.application->name);
			break;
		case SEQUENCE_NOBODY:
			proxy_route(p);
			break;
		}
		if (!again)
			break;
		metric_add(p->sm->metrics, SM_APPLICATION_SKIPPED, 1);
		pos.phase = step.half == ODI_ORIGINATING ? SEQUENCE_ORIGDONE : SEQUENCE_TERMDONE;
		pos.user = step.user;
		pos.implicit = step.implicit;
		pos.number = step.served;
		pos.place = step.place + 1;
	}
	proxy_leave(p);
}

void proxy_application_lost(struct proxy *p, struct branch *branch)
{
	struct sequence_position pos = { .place = branch->place + 1 };

	if (p->finished || !p->server)
		return;
	if (branch->application)
		calls_lose(p->sm->calls, slice_str(p->gsid), branch->half, branch->place);
	if (!branch->application || (branch->mandatory && !p->emergency)) {
		unavailable(p, branch->to.entity->name);
		p->best = 500;
		buf_reset(&p->best_bytes);
		proxy_settle(p);
		return;
	}
	metric_add(p->sm->metrics, SM_APPLICATION_SKIPPED, 1);
	pos.phase = branch->half == ODI_ORIGINATING ? SEQUENCE_ORIGDONE : SEQUENCE_TERMDONE;
	pos.user = sequence_user(sm_model(p->sm), slice_str(branch->user));
	pos.number = slice_str(branch->user);
	if (!pos.user)
		pos.implicit = route_implicit_number(sm_model(p->sm), pos.number);
	proxy_sequence(p, &pos);
}

void proxy_to_entity(struct proxy *p, struct entity *entity)
{
	const struct entity_way *way = entity_way_best(entity);
	struct branch_spec spec = { .to = peer_of_way(way), .flow = way->flow };
	int r;

	proxy_enter(p);
	r = entity_usable(entity) ? branch_start(p, &spec) : -EHOSTUNREACH;
	if (r == -EPROTONOSUPPORT && p->sips)
		proxy_exposed(p);
	else if (r < 0)
		proxy_unavailable(p, entity->name);
	proxy_leave(p);
}

void proxy_to_route(struct proxy *p, const struct sip_flow *way)
{
	p->way_known = way != NULL;
	if (way)
		p->way = *way;
	proxy_to_place(p);
}

/* Life ------------------------------------------------------------------------------------- */
static void on_cancel(void *user, struct sip_server_txn *txn, const struct sip_incoming *cancel)
{
	struct proxy *p = user;
	const struct sip_header *reason = sip_msg_header(cancel->msg, SIP_HDR_REASON);

	proxy_enter(p);
	p->cancelled = true;
	branch_cancel_all(p, NULL, reason ? reason->line : SLICE(""));
	proxy_settle(p);
	proxy_leave(p);
}

static void on_ended(void *user, struct sip_server_txn *txn, int reason)
{
	struct proxy *p = user;

	proxy_enter(p);
	if (p->invite && !p->in_dialog && !p->finished && p->from.entity)
		entity_seat_leave(p->from.entity, p->request);
	p->server = NULL;
	p->request = NULL;
	p->cancelled = true;
	branch_cancel_all(p, NULL, SLICE(""));
	proxy_leave(p);
}

static const struct sip_server_handlers server_handlers = {
	.cancel = on_cancel,
	.ended = on_ended,
};

void proxy_upstream_lost(struct sm *sm, const struct entity *entity)
{
	struct proxy *p;

	LIST_FOREACH (p, &sm->proxies, struct proxy, link) {
		if (p->from.entity != entity || p->finished)
			continue;
		p->cancelled = true;
		branch_cancel_all(p, NULL,
				  SLICE("Reason: SIP;cause=500;text=\"Application lost\"\r\n"));
	}
}

/* A phone that is off-hook dials in a second INVITE of the same Call-ID: the call is that one's from now
 * on, and does not end with the first. */
static void take_over(struct proxy *p, struct slice callee)
{
	struct proxy *first;

	LIST_FOREACH (first, &p->sm->proxies, struct proxy, link) {
		if (first == p || !first->began || first->finished || !first->request ||
		    strcmp(first->gsid, p->gsid) != 0 ||
		    !slice_eq(sip_msg_call_id(first->request), sip_msg_call_id(p->request)))
			continue;
		first->began = false;
		p->began = true;
	}
	if (p->began)
		calls_dialled(p->sm->calls, slice_str(p->gsid), callee);
}

static void note_call(struct proxy *p)
{
	struct sm *sm = p->sm;
	struct sip_addr from = { 0 };
	struct sip_uri uri = { 0 };
	struct slice function;

	sip_msg_from(p->request, &from);
	sip_msg_request_uri(p->request, &uri);
	p->began = calls_invite(sm->calls, slice_str(p->gsid), sip_msg_call_id(p->request),
				from.uri.user, uri.user, sm_wall_ms(sm));
	if (p->began && sip_uri_param(&uri, SLICE("avaya-cm-fnu"), &function) &&
	    slice_eq_str_nocase(function, "off-hook"))
		calls_reserved(sm->calls, slice_str(p->gsid));
	else if (!p->began && trust_is_phone(p->from.kind))
		take_over(p, uri.user);
	if (p->began) {
		struct call_origin origin = { .source = p->in_flow.remote,
					      .entity = p->from.entity,
					      .trusted = trust_is_internal(p->from.kind) };

		snprintf(origin.caller, sizeof(origin.caller), "%s", p->caller);
		calls_set_origin(sm->calls, slice_str(p->gsid), &origin);
		metric_add(sm->metrics, SM_CALLS_STARTED, 1);
		note_caller(p, CALL_RINGING);
	}
	trace_bind_gsid(node_trace(sm->node), sip_msg_call_id(p->request), slice_str(p->gsid));
}

int proxy_new(struct sm *sm, const struct sip_incoming *in, const struct proxy_request *request,
	      struct proxy **ret)
{
	struct proxy *p = calloc(1, sizeof(*p));
	int r;

	if (!p) {
		sip_stack_reply(sm->stack, in, 500, NULL);
		return -ENOMEM;
	}
	p->sm = sm;
	p->in_flow = in->flow;
	p->from = request->from;
	p->pop_routes = request->pop_routes;
	p->drop_routes = request->drop_routes;
	p->authenticated = request->authenticated;
	p->in_dialog = request->in_dialog;
	p->hidden = request->hidden;
	p->max_forwards = request->max_forwards;
	p->emergency = request->emergency;
	/* An emergency call goes on in clear rather than not at all (RFC 6443 section 9.1). */
	p->sips = sips_is(in->msg->uri) && !p->emergency;
	p->invite = in->msg->method == SIP_INVITE;
	list_init(&p->branches);
	if (request->caller)
		snprintf(p->caller, sizeof(p->caller), "%s", request->caller->handle);
	snprintf(p->gsid, sizeof(p->gsid), "%.*s", SLICE_ARG(request->gsid));
	if (request->uri.len)
		p->uri = slice_dup(request->uri);
	r = sip_server_txn_new(sm->stack, in, &server_handlers, p, &p->server);
	if (r < 0) {
		free(p->uri);
		free(p);
		if (r != -EEXIST)
			sip_stack_reply(sm->stack, in, 500, NULL);
		return r;
	}
	p->request = sip_server_txn_request(p->server);
	list_append(&sm->proxies, &p->link);
	if (p->invite)
		sip_server_txn_reply(p->server, 100, NULL);
	if (p->invite && !p->in_dialog)
		note_call(p);
	*ret = p;
	return 0;
}
