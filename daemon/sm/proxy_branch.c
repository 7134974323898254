/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_branch.c - one branch of a forwarded request: sent, watched, cancelled, ended. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "codec/sip/sip_msg.h"
#include "sm/entity.h"
#include "sm/forward.h"
#include "sm/location.h"
#include "sm/proxy_private.h"
#include "sm/sips.h"
#include "sm/sm_options.h"
#include "sm/way.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"
#include "stack/sip/sip_wire.h"

#define ODI_LIFE_S 3600

static void timer_c_fired(struct timer *timer)
{
	struct branch *b = CONTAINER_OF(timer, struct branch, timer_c);

	if (b->done || !b->txn)
		return;
	b->given_up = true;
	sip_client_txn_cancel(b->txn, SLICE("Reason: SIP;cause=408;text=\"Request Timeout\"\r\n"));
}

static void start_timer_c(struct branch *b)
{
	struct sm *sm = b->proxy->sm;

	if (b->proxy->invite)
		loop_timer_start(sm->loop, &b->timer_c, sm->options->timer_c_s * 1000ULL,
				 timer_c_fired);
}

static void branch_note(struct branch *b, unsigned status)
{
	struct proxy *p = b->proxy;
	struct slice gsid = slice_str(p->gsid), contact = slice_str(b->target);

	if (!b->contact || !p->invite || p->in_dialog)
		return;
	if (status < 300)
		calls_leg(p->sm->calls, gsid, slice_str(b->user), contact,
			  status < 200 ? CALL_RINGING : CALL_TALKING, sm_wall_ms(p->sm));
	else
		calls_leg_ended(p->sm->calls, gsid, contact);
}

/* The final answer of the branch is known; true the first time. */
static bool branch_done(struct branch *b)
{
	if (b->done)
		return false;
	b->done = true;
	b->proxy->open--;
	loop_timer_stop(b->proxy->sm->loop, &b->timer_c);
	return true;
}

/* It came to nothing, or the dialog is gone: the entity has room again. */
static void branch_leave(struct branch *b, const struct sip_msg *answer)
{
	struct proxy *p = b->proxy;
	const struct sip_msg *request = b->txn ? sip_client_txn_request(b->txn) : NULL;

	if (p->in_dialog && answer)
		entity_seats_answer(p->sm, answer, true);
	else if (p->in_dialog && request && p->invite)
		entity_seats_end(p->sm, request); /* nobody answered */
	else if (p->invite && request && b->to.entity && (!answer || answer->status >= 300))
		entity_seat_leave(b->to.entity, request);
}

static bool retry_other_flow(struct branch *b);

/* A provider that we subscribe to asks who we are: the same request once more with our credentials, as
 * a branch of its own. */
static bool answer_challenge(struct branch *b, const struct sip_msg *challenge)
{
	struct proxy *p = b->proxy;
	struct branch_spec spec = { .to = b->to,
				    .flow = b->asked,
				    .uri = slice_str(b->target),
				    .alternate = b->alternate,
				    .breadth = b->breadth };
	const struct sip_msg *sent = sip_client_txn_request(b->txn);
	AUTO_BUF line = { 0 };

	if (!b->to.entity || b->application || b->challenged || p->cancelled || p->finished ||
	    !p->server)
		return false;
	spec.timeout_ms = b->to.entity->timer_b_ms;
	if (entity_answer_challenge(b->to.entity, challenge, sent->method_name, sent->uri, false,
				    &line) < 0)
		return false;
	spec.credentials = buf_slice(&line);
	return branch_start(p, &spec) == 0;
}

static void on_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct branch *b = user;
	struct proxy *p = b->proxy;
	unsigned status = in->msg->status;

	if (b->to.entity)
		entity_heard(b->to.entity, &b->asked);
	proxy_enter(p);
	if (status < 200) {
		b->provisional = true;
		if (status > 100) {
			start_timer_c(b);
			branch_note(b, status);
			proxy_provisional(p, in->msg, b->to);
		}
	} else if (branch_done(b) || status < 300) {
		if (status == 430 && retry_other_flow(b)) {
			proxy_leave(p);
			return;
		}
		branch_note(b, status);
		if ((status == 401 || status == 407) && answer_challenge(b, in->msg)) {
			proxy_leave(p);
			return;
		}
		branch_leave(b, in->msg);
		if ((b->alternate && proxy_is_retried(status) && proxy_next_alternate(p)) ||
		    (status == 503 && proxy_next_place(p, b))) {
			proxy_leave(p);
			return;
		}
		if (b->given_up && status == 487)
			proxy_final(p, b, 408, NULL, b->to);
		else
			proxy_final(p, b, status, in->msg, b->to);
	}
	proxy_leave(p);
}

/* Over TCP only for its length, and nobody took the connection: once more over UDP (RFC 3261 section
 * 18.1.1). */
bool branch_spec_of(struct proxy *p, const struct binding *binding, const char *handle,
		    uint32_t breadth, struct branch_spec *ret)
{
	*ret = (struct branch_spec){ .handle = handle,
				     .uri = location_target(binding),
				     .path = binding->path,
				     .breadth = breadth,
				     .instance = location_instance(binding) };
	ret->tried[0] = binding->id;
	if (!location_takes(binding, p->sips) || !way_to_binding(p->sm, binding, &ret->flow))
		return false;
	ret->to.kind = sip_flow_is_reliable(&ret->flow) ? TRUST_PHONE_STREAM : TRUST_PHONE_UDP;
	return true;
}

/* The flow failed before the phone said anything: its next one (RFC 5626 section 6). */
static bool retry_other_flow(struct branch *b)
{
	struct proxy *p = b->proxy;
	struct slice handle = slice_str(b->user);
	const struct binding *next;
	struct branch_spec spec;
	size_t count = 0;

	if (!b->instance || b->provisional || b->given_up || p->cancelled || p->finished ||
	    !p->server)
		return false;
	while (count < BRANCH_FLOWS_MAX && b->tried[count])
		count++;
	if (count == BRANCH_FLOWS_MAX)
		return false;
	next = location_other_flow(p->sm->location, handle, b->instance, b->tried, count);
	if (!next || !branch_spec_of(p, next, b->user, b->breadth, &spec))
		return false;
	memcpy(spec.tried, b->tried, sizeof(spec.tried));
	spec.tried[count] = next->id;
	return branch_start(p, &spec) == 0;
}

static bool retry_over_udp(struct branch *b)
{
	struct proxy *p = b->proxy;
	struct branch_spec spec = { .to = b->to,
				    .flow = b->asked,
				    .uri = slice_str(b->target),
				    .handle = b->contact ? b->user : NULL,
				    .breadth = b->breadth };
	struct uc_sequence_entry entry = { 0 };
	const struct sequence_step step = { .kind = SEQUENCE_APPLICATION,
					    .half = b->half,
					    .place = b->place,
					    .application = &entry,
					    .served = slice_str(b->user) };

	if (!b->lengthy || b->provisional || b->given_up || p->cancelled || p->finished ||
	    !p->server || sip_client_txn_last_status(b->txn))
		return false;
	spec.flow.datagram = true;
	if (b->application) {
		entry.mandatory = b->mandatory;
		spec.step = &step;
	} else if (b->to.entity) {
		spec.named = b->named;
		spec.alternate = b->alternate;
		spec.timeout_ms = b->to.entity->timer_b_ms;
	} else {
		spec.to.kind = TRUST_PHONE_UDP;
		location_set_only_udp(p->sm->location, spec.uri.len ? spec.uri : p->request->uri);
	}
	return branch_start(p, &spec) == 0;
}

static void log_alternate(struct proxy *p, const struct entity *dead)
{
	uint64_t unlogged;

	if (log_limit_take(&p->sm->alternate_log, sm_now_ms(p->sm), &unlogged))
		log_info("call.alternate", F("gsid", (const char *)p->gsid),
			 F("instead_of", (const char *)dead->name), F("unlogged", unlogged));
}

static void on_failed(void *user, struct sip_client_txn *txn, int reason)
{
	struct branch *b = user;
	struct proxy *p = b->proxy;
	struct entity *entity = b->to.entity;

	proxy_enter(p);
	if (branch_done(b)) {
		log_debug("branch.failed", F("gsid", (const char *)p->gsid),
			  F("target", (const char *)b->target), F("reason", strerror(-reason)));
		if (retry_over_udp(b) || proxy_next_place(p, b) || retry_other_flow(b)) {
			proxy_leave(p);
			return;
		}
		branch_note(b, 480);
		branch_leave(b, NULL);
		if (p->cancelled || b->given_up)
			proxy_final(p, b, b->given_up ? 408 : 487, NULL, b->to);
		else if (b->alternate && proxy_next_alternate(p))
			log_alternate(p, entity);
		else if (entity)
			proxy_application_lost(p, b);
		else
			proxy_final(p, b, reason == -ETIMEDOUT ? 408 : 480, NULL, b->to);
	}
	proxy_leave(p);
	if (entity && reason == -ECONNREFUSED)
		entity_refused(entity, &b->asked);
	else if (entity && reason == -ETIMEDOUT)
		entity_suspect(entity, &b->asked);
}

static void branch_free(struct branch *b)
{
	loop_timer_stop(b->proxy->sm->loop, &b->timer_c);
	list_remove(&b->link);
	free(b);
}

static void on_ended(void *user, struct sip_client_txn *txn)
{
	struct branch *b = user;
	struct proxy *p = b->proxy;

	proxy_enter(p);
	if (!b->done)
		branch_leave(b, NULL);
	b->txn = NULL;
	if (branch_done(b))
		proxy_final(p, b, 408, NULL, b->to);
	branch_free(b);
	proxy_leave(p);
}

static const struct sip_client_handlers handlers = {
	.response = on_response,
	.failed = on_failed,
	.ended = on_ended,
};

/* Routes towards an application and back; the token says what was asked of it. */
static int application_routes(struct proxy *p, const struct branch_spec *spec, struct buf *there,
			      struct buf *back, const struct sip_flow *flow)
{
	const struct sequence_step *step = spec->step;
	char token[ODI_TEXT_SIZE], host[ADDR_TEXT_MAX];
	struct odi odi = { .half = step->half,
			   .place = step->place,
			   .expires_s = sm_wall_ms(p->sm) / 1000 + ODI_LIFE_S };
	int r;

	snprintf(odi.user, sizeof(odi.user), "%.*s", SLICE_ARG(step->served));
	r = odi_make(p->sm->key, &odi, slice_str(p->gsid), token);
	if (r < 0)
		return r;
	buf_printf(there, "<sip:%s:%u;transport=%s;lr;phase=%s>",
		   addr_format_host(&flow->remote, host), addr_port(&flow->remote),
		   sip_flow_transport_text(flow), sequence_out(step->half));
	buf_add_char(back, '<');
	sip_wire_uri(p->sm->wire, flow->listen, SLICE(""), back);
	buf_printf(back, ";lr;phase=%s;odi=%s>", sequence_back(step->half), token);
	return buf_ok(there) && buf_ok(back) ? 0 : -ENOMEM;
}

static bool records_route(const struct proxy *p)
{
	switch (p->request->method) {
	case SIP_INVITE:
	case SIP_SUBSCRIBE:
	case SIP_REFER:
	case SIP_NOTIFY:
		return true;
	default:
		return false;
	}
}

/* Of his names he may say which one he goes by (RFC 3325 section 9.2). */
static bool prefers_extension(const struct proxy *p, const struct uc_user *user)
{
	struct sip_values it = sip_values_of(p->request, SIP_HDR_P_PREFERRED_IDENTITY);
	struct slice value;
	struct sip_addr addr;

	if (!user->station || !trust_is_phone(p->from.kind) || !sip_values_next(&it, &value) ||
	    sip_addr_parse(value, &addr) < 0)
		return false;
	return sip_uri_user_is(&addr.uri, slice_str(user->station->extension)) &&
	       (addr.uri.scheme == SIP_SCHEME_TEL || sm_uri_is_local(p->sm, &addr.uri));
}

static void identity_of(const struct proxy *p, struct buf *out)
{
	struct slice domain = sm_domain(p->sm);
	const struct uc_user *user =
		p->caller[0] ? sequence_user(sm_model(p->sm), slice_str(p->caller)) : NULL;

	if (!user)
		return;
	if (user->name && user->name[0]) {
		buf_add_char(out, '"');
		for (const char *c = user->name; *c; c++) {
			if (*c == '"' || *c == '\\')
				buf_add_char(out, '\\');
			buf_add_char(out, (unsigned char)*c < ' ' ? ' ' : *c);
		}
		buf_add_str(out, "\" ");
	}
	buf_add_str(out, "<sip:");
	sip_escape_user(out, slice_str(prefers_extension(p, user) ? user->station->extension
								  : user->handle));
	buf_printf(out, "@%.*s>", SLICE_ARG(domain));
}

/* Would a sips: request, or one to a sips: contact, go there in clear? */
static bool is_exposed(const struct proxy *p, const struct branch_spec *spec,
		       const struct sip_flow *flow)
{
	return (p->sips || sips_is(spec->uri)) && !sips_hop(spec->to.kind, flow);
}

static int prepare(struct proxy *p, const struct branch_spec *spec, struct sip_flow *flow)
{
	int r;

	/* No connection is made in vain; what one that stands is, only preparing tells. */
	if (!flow->connection && is_exposed(p, spec, flow))
		return -EPROTONOSUPPORT;
	r = sip_wire_prepare(p->sm->wire, flow, p->request->raw.len);
	return r == 0 && is_exposed(p, spec, flow) ? -EPROTONOSUPPORT : r;
}

/* The Request-URI there; empty: as it came. The buffers keep one that is made. */
static struct slice uri_of(const struct proxy *p, const struct branch_spec *spec,
			   struct buf *adapted, struct buf *plain)
{
	const struct adapt adapt = { .out = forward_adapt(p->sm, p->from, spec->to).out };
	struct slice uri = spec->uri, whole;

	if (p->in_dialog) /* the other end's own */
		return uri;
	if (!uri.len && !spec->handle) {
		if (p->uri)
			uri = slice_str(p->uri);
		if (!spec->step && adapt_hop(&adapt, false, proxy_uri(p), adapted))
			uri = buf_slice(adapted);
	}
	whole = uri.len ? uri : p->request->uri;
	if (p->sips || !sips_is(whole))
		return uri;
	/* A request for a sip: URI stays one, though it goes over TLS (RFC 5630 section 5.3). */
	sips_to_sip(whole, plain);
	return buf_slice(plain);
}

static int send_branch(struct proxy *p, struct branch *b, const struct branch_spec *spec)
{
	AUTO_BUF there = { 0 };
	AUTO_BUF back = { 0 };
	AUTO_BUF identity = { 0 };
	AUTO_BUF adapted = { 0 };
	AUTO_BUF plain = { 0 };
	AUTO_BUF out = { .limit = FORWARD_MESSAGE_MAX };
	struct sip_flow flow = spec->flow, named = spec->flow;
	struct sip_client_options options = { 0 };
	char tail[SIP_GUARD_TAIL_LEN];
	struct forward f = {
		.request = p->request,
		.from = p->from,
		.to = spec->to,
		.in_flow = &p->in_flow,
		.uri = uri_of(p, spec, &adapted, &plain),
		.path = slice_str(spec->path),
		.pop_routes = p->pop_routes,
		.drop_routes = p->drop_routes,
		.hidden = p->hidden,
		.record_route = !p->in_dialog && records_route(p),
		.authenticated = p->authenticated,
		.gsid = slice_str(p->gsid),
		.credentials = spec->credentials,
		.max_forwards = p->max_forwards,
		.max_breadth = p->in_dialog ? 0 : spec->breadth,
	};
	int r;

	r = prepare(p, spec, &flow);
	if (r == 0 && spec->step)
		r = application_routes(p, spec, &there, &back, &flow);
	if (r < 0)
		return r;
	identity_of(p, &identity);
	f.application = buf_slice(&there);
	f.back = buf_slice(&back);
	f.identity = buf_slice(&identity);
	r = forward_request(p->sm, &f, &flow, &out);
	b->lengthy =
		spec->flow.transport == SIP_TRANSPORT_UDP && flow.transport != SIP_TRANSPORT_UDP;
	/* A phone that asked for UDP may have nothing else to send by: what follows in the dialog goes that way,
	 * though this one is too long for it. */
	named.datagram = true;
	if (r == 0 && b->lengthy && f.record_route)
		r = forward_request(p->sm, &f, &named, &out);
	if (r < 0)
		return r;
	sip_guard_tail(p->request, SLICE(""), tail);
	options.branch_tail = slice_str(tail);
	options.timeout_ms = spec->timeout_ms;
	b->asked = spec->flow;
	b->named = spec->named;
	b->breadth = spec->breadth;
	return sip_client_txn_new(p->sm->stack, &flow, buf_slice(&out), &options, &handlers, b,
				  &b->txn, NULL);
}

int branch_start(struct proxy *p, const struct branch_spec *spec)
{
	struct branch *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->proxy = p;
	b->to = spec->to;
	b->contact = spec->handle != NULL;
	b->alternate = spec->alternate;
	b->challenged = spec->credentials.len > 0;
	if (spec->step) {
		b->application = true;
		b->mandatory = spec->step->application->mandatory;
		b->half = spec->step->half;
		b->place = spec->step->place;
		snprintf(b->user, sizeof(b->user), "%.*s", SLICE_ARG(spec->step->served));
	} else if (spec->handle) {
		snprintf(b->user, sizeof(b->user), "%s", spec->handle);
	}
	b->instance = spec->instance;
	memcpy(b->tried, spec->tried, sizeof(b->tried));
	snprintf(b->target, sizeof(b->target), "%.*s", SLICE_ARG(spec->uri));
	r = send_branch(p, b, spec);
	if (r < 0) {
		free(b);
		return r;
	}
	list_append(&p->branches, &b->link);
	p->open++;
	start_timer_c(b);
	if (b->to.entity)
		entity_sent(b->to.entity, &b->asked);
	return 0;
}

void branch_cancel_all(struct proxy *p, const struct branch *except, struct slice reason)
{
	struct branch *b;

	LIST_FOREACH (b, &p->branches, struct branch, link)
		if (b != except && !b->done && b->txn)
			sip_client_txn_cancel(b->txn, reason);
}

void branch_free_all(struct proxy *p)
{
	struct branch *b;

	LIST_FOREACH (b, &p->branches, struct branch, link) {
		if (b->txn)
			sip_client_txn_detach(b->txn);
		branch_free(b);
	}
}
