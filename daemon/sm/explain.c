/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c - POST /v1/route-test: where a call would go and why, by the function that routes calls. */
#include "sm/explain.h"

#include "base/json_field.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "codec/sip/sip_uri.h"
#include "node/uc_model.h"
#include "sm/adapt.h"
#include "sm/entity.h"
#include "sm/places.h"
#include "sm/sequence.h"
#include "sm/sm.h"
#include "sm/trust.h"
#include "stack/sip/sip_flow.h"

struct explain_body {
	char *caller, *callee, *source, *transport;
	int64_t at;
	uint8_t at_came;
};

const struct json_field explain_fields[] = {
	JSON_STRING(struct explain_body, caller, .max = 512, .nullable = true),
	JSON_STRING(struct explain_body, callee, .required = true, .min = 1, .max = 512),
	JSON_STRING(struct explain_body, source, .max = 64, .nullable = true),
	JSON_TIME(struct explain_body, at, .nullable = true,
		  JSON_PRESENCE(struct explain_body, at_came)),
	JSON_STRING(struct explain_body, transport, .max = 8, .nullable = true),
	JSON_END,
};

/* One question on its way through this file. */
struct explaining {
	struct sm *sm;
	const struct uc_model *model;
	struct places_origin origin;
	enum sip_transport transport; /* that the request comes over */
	bool transport_said;
	bool denied; /* the link that it comes over takes no new calls */
	struct adapt in;
	struct buf caller, callee, adapted;
	struct route_steps steps;
	struct route route;
};

/* "3001" and "+4930" stand for sip:…@ our domain. */
static int read_uri(const struct explaining *x, const char *text, const char *field,
		    struct buf *out, struct error *err)
{
	struct slice given = slice_trim(slice_str(text));
	struct sip_uri uri;

	if (!slice_starts_with_nocase(given, SLICE("sip:")) &&
	    !slice_starts_with_nocase(given, SLICE("sips:")) &&
	    !slice_starts_with_nocase(given, SLICE("tel:"))) {
		buf_add_str(out, "sip:");
		if (slice_find(given, '@') >= 0) {
			buf_add_slice(out, given);
		} else {
			sip_escape_user(out, given);
			buf_printf(out, "@%s", uc_model_domain(x->model));
		}
	} else {
		buf_add_slice(out, given);
	}
	if (!buf_ok(out) || sip_uri_parse(buf_slice(out), &uri) < 0)
		return error_field(err, -EINVAL, field, "is no SIP or tel URI and no number");
	return 0;
}

static const struct uc_user *user_of(const struct explaining *x, struct slice text)
{
	struct sip_uri uri;
	char plain[256];
	int n;

	if (sip_uri_parse(text, &uri) < 0 || uri.user.len >= sizeof(plain) ||
	    !(uri.scheme == SIP_SCHEME_TEL || sm_uri_is_local(x->sm, &uri)))
		return NULL;
	n = sip_unescape(uri.user, plain, sizeof(plain));
	return n > 0 ? sequence_user(x->model, slice_make(plain, (size_t)n)) : NULL;
}

/* An address says which entity sends; with a port exactly, without one the first there. */
static const struct entity *entity_at(const struct explaining *x, const struct addr *source)
{
	for (struct entity *e = entity_next(x->sm->entities, NULL); e;
	     e = entity_next(x->sm->entities, e))
		for (size_t i = 0; i < e->way_count; i++)
			if (addr_port(source) ? addr_equal(&e->ways[i].flow.remote, source)
					      : addr_equal_ip(&e->ways[i].flow.remote, source))
				return e;
	return NULL;
}

static int read_transport(struct explaining *x, const char *text, struct error *err)
{
	static const enum sip_transport all[] = { SIP_TRANSPORT_UDP, SIP_TRANSPORT_TCP,
						  SIP_TRANSPORT_TLS, SIP_TRANSPORT_WS,
						  SIP_TRANSPORT_WSS };

	if (!text || !*text)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(all) && !x->transport_said; i++) {
		const struct sip_flow flow = { .transport = all[i] };

		x->transport = all[i];
		x->transport_said = strcmp(text, sip_flow_transport_text(&flow)) == 0;
	}
	return x->transport_said ? 0
				 : error_field(err, -EINVAL, "transport",
					       "must be one of: udp, tcp, tls, ws, wss");
}

/* Who sends, and what his link is worth: as of a request that comes over that transport. When none is
 * said it is the one that the entity's best link has. */
static void note_sender(struct explaining *x)
{
	struct sip_flow flow = { .transport = x->transport, .remote = x->origin.source };
	struct peer peer;

	if (!x->transport_said) {
		x->origin.entity = entity_at(x, &x->origin.source);
		if (!x->origin.entity)
			return;
		flow.transport = entity_way_best(x->origin.entity)->flow.transport;
	}
	peer = peer_at(x->sm, &flow);
	if (x->transport_said)
		x->origin.entity = peer.entity;
	if (!x->origin.entity)
		return;
	x->origin.trusted = trust_is_internal(peer.kind);
	x->denied = x->transport_said && peer.denied;
	x->transport = flow.transport;
}

static int read_source(struct explaining *x, const char *source, struct error *err)
{
	if (!source || !*source)
		return 0;
	if (addr_parse(slice_str(source), 0, &x->origin.source) < 0)
		return error_field(err, -EINVAL, "source", "is no IP address");
	/* A user of ours calls from his phone, wherever that is. */
	if (!x->origin.user || addr_port(&x->origin.source))
		note_sender(x);
	if (x->origin.entity)
		x->origin.user = NULL;
	return 0;
}

static const struct uc_adaptation *adaptation_of(const struct explaining *x, const char *entity,
						 const char **why)
{
	const struct uc_entity *row = uc_entity_by_name(x->model, entity, strlen(entity));
	const struct uc_adaptation *a = row ? row->adaptation : NULL;

	*why = a && a->state == UC_ADAPTATION_TEST_ONLY ? " (for tests only)" : "";
	return a;
}

static void adapt_in(struct explaining *x)
{
	const struct uc_adaptation *a;
	const char *why;

	if (!x->origin.entity)
		return;
	a = adaptation_of(x, x->origin.entity->name, &why);
	if (!a)
		return;
	if (!adapt_active(a, true)) {
		route_note(&x->steps, "adaptation", ROUTE_SKIP, a->name, "disabled");
		return;
	}
	x->in.in = a;
	if (adapt_hop(&x->in, false, buf_slice(&x->callee), &x->adapted)) {
		route_note(&x->steps, "adaptation", ROUTE_MATCH, a->name, "ingress: %.*s%s",
			   SLICE_ARG(buf_slice(&x->adapted)), why);
		buf_reset(&x->callee);
		buf_add_slice(&x->callee, buf_slice(&x->adapted));
	} else {
		route_note(&x->steps, "adaptation", ROUTE_NONE, a->name,
			   "ingress: the callee stays as it is%s", why);
	}
}

static json_t *location_json(const struct uc_location *location)
{
	return location ? json_string(location->name) : json_null();
}

/* What the candidate gets to see. */
static json_t *candidate_json(struct explaining *x, const struct route_candidate *c)
{
	struct adapt hop = { .in = x->in.in };
	const struct uc_adaptation *a;
	AUTO_BUF uri = { 0 };
	AUTO_BUF from = { 0 };
	json_t *headers = json_object();
	struct adapt out_only;
	const char *why;

	a = adaptation_of(x, c->entity->name, &why);
	hop.out = adapt_active(a, true);
	out_only = (struct adapt){ .out = hop.out };
	if (!adapt_hop(&out_only, false, buf_slice(&x->callee), &uri))
		buf_add_slice(&uri, buf_slice(&x->callee));
	if (x->caller.len) {
		bool changed = adapt_hop(&hop, true, buf_slice(&x->caller), &from);
		struct slice asserted = buf_slice(changed ? &from : &x->caller);

		json_object_set_new(headers, "P-Asserted-Identity",
				    json_stringn(asserted.p, asserted.len));
		if (adapt_from_to(&hop))
			json_object_set_new(headers, "From",
					    json_stringn(asserted.p, asserted.len));
	}
	if (hop.out)
		route_note(&x->steps, "adaptation", ROUTE_MATCH, a->name, "egress to %s: %.*s%s",
			   c->entity->name, SLICE_ARG(buf_slice(&uri)), why);
	else if (a)
		route_note(&x->steps, "adaptation", ROUTE_SKIP, a->name, "egress to %s: disabled",
			   c->entity->name);
	return json_pack("{s:s,s:s?,s:i,s:s,s:s,s:s%,s:o}", "entity", c->entity->name, "policy",
			 c->policy ? c->policy->name : NULL, "rank", (int)c->rank, "link_state",
			 route_link_name(c->link), "reason", c->why, "request_uri", uri.data,
			 uri.len, "headers", headers);
}

static json_t *steps_json(const struct route_steps *steps)
{
	json_t *list = json_array();

	for (size_t i = 0; i < steps->count; i++) {
		const struct route_step *s = &steps->items[i];

		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s}", "step", s->step,
						      "result", route_result_name(s->result),
						      "name", s->name, "detail", s->detail));
	}
	return list;
}

static void note_entity(struct explaining *x)
{
	const struct sip_flow flow = { .transport = x->transport };
	const char *name = x->origin.entity->name, *over = sip_flow_transport_text(&flow);

	route_note(&x->steps, "caller", ROUTE_MATCH, name, "from the entity at this address");
	route_note(&x->steps, "trust", x->origin.trusted ? ROUTE_MATCH : ROUTE_NONE, name,
		   x->origin.trusted ? "over %s: believed, may call foreign domains"
				     : "over %s: let in, not believed",
		   over);
	if (x->denied)
		route_note(&x->steps, "link", ROUTE_SKIP, name, "over %s: takes no new calls",
			   over);
}

static void note_caller(struct explaining *x)
{
	const struct uc_user *user = x->origin.user;

	if (x->origin.entity)
		note_entity(x);
	else if (user)
		route_note(&x->steps, "caller", ROUTE_MATCH, user->handle, "%s%s",
			   user->sequence ? "first through the sequence "
					  : "no application sequence",
			   user->sequence ? user->sequence->name : "");
	else
		route_note(&x->steps, "caller", ROUTE_NONE, "",
			   "nobody of ours: a phone would have to log in");
}

/* The first candidate that takes the call, else the first. */
static size_t chosen(const struct route *route)
{
	for (size_t i = 0; i < route->count; i++)
		if (route->candidates[i].link == ROUTE_LINK_UP ||
		    route->candidates[i].link == ROUTE_LINK_UNKNOWN)
			return i;
	return 0;
}

static int compose(struct explaining *x, const struct route_query *query, json_t **ret,
		   struct error *err)
{
	const struct route *route = &x->route;
	json_t *candidates = json_array(), *uri;
	const char *outcome = route_outcome_name(route->outcome);

	for (size_t i = 0; i < route->count; i++)
		json_array_append_new(candidates, candidate_json(x, &route->candidates[i]));
	if (x->route.status == 486 && x->origin.entity)
		x->route.status = 503; /* who is no phone may know */
	uri = route->count ? json_incref(json_object_get(json_array_get(candidates, chosen(route)),
							 "request_uri"))
			   : json_stringn(x->callee.data, x->callee.len);
	*ret = json_pack("{s:s,s:o,s:o,s:o,s:b,s:o,s:o,s:o,s:o}", "outcome", outcome, "sip_status",
			 route->status ? json_integer(route->status) : json_null(), "location",
			 location_json(query->actual), "home_location",
			 location_json(query->home ? query->home : query->actual), "emergency",
			 route->emergency, "user",
			 route->user ? json_string(route->user->handle) : json_null(), "candidates",
			 candidates, "request_uri", uri, "steps", steps_json(&x->steps));
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int explain(struct explaining *x, const struct explain_body *body, json_t **ret,
		   struct error *err)
{
	struct route_query query;
	int r = 0;

	if (body->caller && *body->caller)
		r = read_uri(x, body->caller, "caller", &x->caller, err);
	if (r == 0)
		r = read_uri(x, body->callee, "callee", &x->callee, err);
	if (r < 0)
		return r;
	if (x->caller.len)
		x->origin.user = user_of(x, buf_slice(&x->caller));
	r = read_transport(x, body->transport, err);
	if (r == 0)
		r = read_source(x, body->source, err);
	if (r < 0)
		return r;
	note_caller(x);
	adapt_in(x);
	query = places_query(x->sm, &x->origin, buf_slice(&x->callee));
	if (body->at_came == JSON_PRESENT)
		query.at_ms = body->at;
	if (x->denied)
		x->route = (struct route){ .outcome = ROUTE_DENIED, .status = 503 };
	else
		route_decide(x->sm->routes, &query, &x->steps, &x->route);
	return compose(x, &query, ret, err);
}

int explain_post(void *server, const json_t *json, json_t **ret, struct error *err)
{
	struct explaining x = { .sm = server };
	struct explain_body body = { 0 };
	int r;

	x.model = sm_model(x.sm);
	r = json_read(json, explain_fields, &body, err);
	if (r == 0)
		r = explain(&x, &body, ret, err);
	json_release(explain_fields, &body);
	buf_done(&x.caller);
	buf_done(&x.callee);
	buf_done(&x.adapted);
	return r;
}
