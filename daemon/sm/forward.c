/* SPDX-License-Identifier: Apache-2.0 */
/* forward.c - a received message as it goes on to the next hop (RFC 3261 sections 16.6, 16.7). */
#include "sm/forward.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "codec/sip/sip_edit.h"
#include "codec/sip/sip_msg.h"
#include "node/uc_model.h"
#include "sm/entity.h"
#include "sm/flow_token.h"
#include "sm/odi.h"
#include "sm/privacy.h"
#include "sm/sips.h"
#include "sm/trust.h"
#include "sm/way.h"
#include "stack/sip/sip_wire.h"

static const struct uc_adaptation *adaptation_of(struct sm *sm, const struct entity *entity)
{
	const struct uc_entity *row;

	if (!entity)
		return NULL;
	row = uc_entity_by_name(sm_model(sm), entity->name, strlen(entity->name));
	return adapt_active(row ? row->adaptation : NULL, false);
}

struct adapt forward_adapt(struct sm *sm, struct peer from, struct peer to)
{
	return (struct adapt){ .in = adaptation_of(sm, from.entity),
			       .out = adaptation_of(sm, to.entity) };
}

/* The URI of one address as the adaptations want it. */
static void adapt_address(struct sip_edit *edit, const struct adapt *adapt, bool origination,
			  struct slice value)
{
	AUTO_BUF uri = { 0 };
	struct sip_addr addr;

	if (sip_addr_parse(value, &addr) == 0 && !addr.wildcard &&
	    adapt_hop(adapt, origination, addr.uri.text, &uri))
		sip_edit_replace(edit, addr.uri.text, buf_slice(&uri));
}

static void adapt_addresses(struct sip_edit *edit, const struct adapt *adapt, enum sip_header_id id)
{
	struct sip_values it = sip_values_of(edit->msg, id);
	struct slice value;

	while (sip_values_next(&it, &value))
		adapt_address(edit, adapt, id != SIP_HDR_TO, value);
}

/* Fields that an adaptation takes away; those of the table of trust are judged there. */
static void remove_adapted(struct sip_edit *edit, const struct adapt *adapt)
{
	const struct sip_msg *msg = edit->msg;

	for (size_t i = 0; i < msg->header_count; i++) {
		const struct sip_header *h = &msg->headers[i];

		if (adapt_removes(adapt, h->id, h->name) && !trust_covers(h->id))
			sip_edit_remove(edit, h);
	}
}

static void append_identity(struct sip_edit *edit, const struct adapt *adapt, struct slice identity)
{
	AUTO_BUF text = { 0 };
	AUTO_BUF uri = { 0 };
	struct sip_addr addr;

	if (sip_addr_parse(identity, &addr) < 0 || !adapt_hop(adapt, true, addr.uri.text, &uri)) {
		sip_edit_append(edit, SIP_HDR_P_ASSERTED_IDENTITY, identity);
		return;
	}
	buf_add(&text, identity.p, (size_t)(addr.uri.text.p - identity.p));
	buf_add_slice(&text, buf_slice(&uri));
	buf_add_str(&text, ">");
	sip_edit_append(edit, SIP_HDR_P_ASSERTED_IDENTITY, buf_slice(&text));
}

static void create(struct sip_edit *edit, enum trust_item item, const struct adapt *adapt,
		   const struct forward *f)
{
	char icid[80];

	switch (item) {
	case TRUST_IDENTITY:
		if (f->identity.len)
			append_identity(edit, adapt, f->identity);
		break;
	case TRUST_SESSION:
		if (f->gsid.len)
			sip_edit_append(edit, SIP_HDR_AV_GLOBAL_SESSION_ID, f->gsid);
		break;
	case TRUST_CHARGING:
		if (f->gsid.len == 0)
			break;
		snprintf(icid, sizeof(icid), "icid-value=\"%.*s\"", SLICE_ARG(f->gsid));
		sip_edit_append(edit, SIP_HDR_P_CHARGING_VECTOR, slice_str(icid));
		break;
	default:
		break;
	}
}

/* Internal headers by the table: f is NULL for a response, where nothing is created. */
static void apply_trust(struct sip_edit *edit, const struct sip_msg *msg, struct peer from,
			struct peer to, const struct adapt *adapt, const struct forward *f)
{
	for (int i = 0; i < TRUST_ITEMS; i++) {
		const struct trust_row *row = trust_row((enum trust_item)i);
		enum trust_action out = (enum trust_action)row->to[to.kind];
		bool present, believed;

		if (row->header == SIP_HDR_OTHER)
			continue;
		if (row->item == TRUST_IDENTITY && !trust_is_internal(to.kind) &&
		    (privacy_of(msg) & (PRIVACY_ID | PRIVACY_USER)))
			out = TRUST_STRIP;
		if (adapt_removes(adapt, row->header, SLICE("")))
			out = TRUST_STRIP;
		present = sip_msg_header(msg, row->header) != NULL;
		believed = present && row->from[from.kind] == TRUST_KEEP;
		if (believed && out != TRUST_STRIP) {
			if (row->item == TRUST_IDENTITY)
				adapt_addresses(edit, adapt, row->header);
			continue;
		}
		if (present)
			sip_edit_remove_all(edit, row->header);
		if (out == TRUST_CREATE && f)
			create(edit, row->item, adapt, f);
	}
}

void forward_seal_hidden(const struct sm *sm, const struct sip_msg *request, char *out)
{
	AUTO_BUF text = { 0 };

	buf_printf(&text, "hidden %.*s", SLICE_ARG(sip_msg_from_tag(request)));
	odi_seal_flow(sm->key, buf_slice(&text), sip_msg_call_id(request), out);
}

/* How the phones of this dialog are reached. */
static void write_flows(struct sm *sm, const struct forward *f, const struct sip_flow *flow,
			struct buf *out)
{
	struct slice call_id = sip_msg_call_id(f->request);
	struct sip_addr contact;
	struct sip_uri target;
	bool known;

	known = sip_msg_contact(f->request, &contact) == 0 && !contact.wildcard;
	flow_token_write(sm, f->in_flow, f->from.kind, known ? &contact.uri : NULL, call_id, true,
			 out);
	if (f->path.len)
		return; /* the edge writes its own */
	known = sip_uri_parse(f->uri.len ? f->uri : f->request->uri, &target) == 0;
	flow_token_write(sm, flow, f->to.kind, known ? &target : NULL, call_id, false, out);
}

/* Must the next hop not learn who sends this? A dialog begun so stays so: requests inside it carry the
 * marker, and no Privacy. */
static bool hides_user(const struct forward *f)
{
	if (trust_is_internal(f->to.kind))
		return false;
	return f->hidden ||
	       (sip_msg_to_tag(f->request).len == 0 && (privacy_of(f->request) & PRIVACY_USER));
}

/* RFC 3261 section 16.6 item 4: is the Request-URI or the next Route sips:? */
static bool wants_sips(const struct forward *f)
{
	struct sip_uri next;

	if (sips_is(f->uri.len ? f->uri : f->request->uri))
		return true;
	return !f->drop_routes && way_next_uri(f->request, f->pop_routes, &next) == 0 &&
	       next.scheme == SIP_SCHEME_SIPS;
}

static void push_record_route(struct sm *sm, struct sip_edit *edit, uint32_t listen, bool sips,
			      const char *cookie, struct slice flows)
{
	AUTO_BUF text = { 0 };

	buf_add_char(&text, '<');
	if (sips)
		sip_wire_sips_uri(sm->wire, listen, &text);
	else
		sip_wire_uri(sm->wire, listen, SLICE(""), &text);
	buf_printf(&text, ";lr;d=%s%.*s>", cookie, SLICE_ARG(flows));
	sip_edit_push(edit, SIP_HDR_RECORD_ROUTE, buf_slice(&text));
}

static void append_line(struct sip_edit *edit, struct slice line)
{
	struct slice name = slice_take_until(&line, ':', NULL);

	sip_edit_append_named(edit, slice_trim(name), slice_trim(line));
}

static void hide_user(struct sip_edit *edit, const struct adapt *adapt)
{
	privacy_hide_from(edit);
	for (size_t i = 0; i < edit->msg->header_count; i++) {
		const struct sip_header *h = &edit->msg->headers[i];

		if (privacy_names_user(h->id) && !adapt_removes(adapt, h->id, SLICE("")))
			sip_edit_remove(edit, h);
	}
}

/* The addresses that tell a call's way. Of History-Info (RFC 7044) the last entry is where it is sent
 * now, a destination; those before it diverted it, as who wrote Diversion (RFC 5806) did. */
static void adapt_history(struct sip_edit *edit, const struct adapt *adapt, enum sip_header_id id)
{
	struct sip_values it = sip_values_of(edit->msg, id);
	size_t left = sip_values_count(edit->msg, id);
	struct slice value;

	while (sip_values_next(&it, &value)) {
		left--;
		adapt_address(edit, adapt, id != SIP_HDR_HISTORY_INFO || left > 0, value);
	}
}

static void adapt_way(struct sip_edit *edit, const struct adapt *adapt)
{
	static const enum sip_header_id lists[] = { SIP_HDR_HISTORY_INFO, SIP_HDR_DIVERSION };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (!adapt_removes(adapt, lists[i], SLICE("")))
			adapt_history(edit, adapt, lists[i]);
	if (!adapt_removes(adapt, SIP_HDR_REFER_TO, SLICE("")))
		adapt_address(edit, adapt, false, sip_msg_value(edit->msg, SIP_HDR_REFER_TO));
	if (!adapt_removes(adapt, SIP_HDR_REFERRED_BY, SLICE("")))
		adapt_address(edit, adapt, true, sip_msg_value(edit->msg, SIP_HDR_REFERRED_BY));
}

static void apply_adapt(struct sip_edit *edit, const struct adapt *adapt, bool hidden)
{
	if (!adapt->in && !adapt->out)
		return;
	remove_adapted(edit, adapt);
	if (edit->msg->request && !hidden)
		adapt_way(edit, adapt);
	if (edit->msg->request && adapt_from_to(adapt)) {
		if (!hidden)
			adapt_addresses(edit, adapt, SIP_HDR_FROM);
		adapt_addresses(edit, adapt, SIP_HDR_TO);
	}
}

static int write_request(struct sm *sm, const struct forward *f, const struct sip_flow *flow,
			 struct buf *out)
{
	const struct adapt adapt = forward_adapt(sm, f->from, f->to);
	char cookie[ODI_COOKIE_SIZE], seal[ODI_COOKIE_SIZE];
	AUTO_BUF flows = { 0 };
	struct sip_edit edit;
	bool sips;

	sip_edit_init(&edit, f->request);
	if (f->uri.len)
		sip_edit_request_uri(&edit, f->uri);
	if (f->drop_routes)
		sip_edit_remove_all(&edit, SIP_HDR_ROUTE);
	else if (f->pop_routes)
		sip_edit_pop(&edit, SIP_HDR_ROUTE, f->pop_routes);
	if (f->path.len)
		sip_edit_push(&edit, SIP_HDR_ROUTE, f->path);
	if (f->back.len)
		sip_edit_push(&edit, SIP_HDR_ROUTE, f->back);
	if (f->application.len)
		sip_edit_push(&edit, SIP_HDR_ROUTE, f->application);
	if (f->record_route) {
		odi_cookie(sm->key, sip_msg_call_id(f->request), cookie);
		write_flows(sm, f, flow, &flows);
		if (hides_user(f)) {
			forward_seal_hidden(sm, f->request, seal);
			buf_printf(&flows, ";pv=%s", seal);
		}
		sips = wants_sips(f);
		if (f->in_flow->listen != flow->listen)
			push_record_route(sm, &edit, f->in_flow->listen, sips, cookie, SLICE(""));
		push_record_route(sm, &edit, flow->listen, sips, cookie, buf_slice(&flows));
	}
	sip_edit_set_u32(&edit, SIP_HDR_MAX_FORWARDS, f->max_forwards);
	if (f->max_breadth)
		sip_edit_set_u32(&edit, SIP_HDR_MAX_BREADTH, f->max_breadth);
	if (f->authenticated)
		sip_edit_remove_all(&edit, SIP_HDR_PROXY_AUTHORIZATION);
	if (f->credentials.len)
		append_line(&edit, f->credentials);
	apply_trust(&edit, f->request, f->from, f->to, &adapt, f);
	if (hides_user(f))
		hide_user(&edit, &adapt);
	apply_adapt(&edit, &adapt, hides_user(f));
	return sip_edit_apply(&edit, out);
}

int forward_request(struct sm *sm, const struct forward *forward, struct sip_flow *flow,
		    struct buf *out)
{
	/* The Via of this hop comes on top later. */
	const size_t via_room = 160;
	enum sip_transport transport;
	uint32_t listen;
	int r;

	r = sip_wire_prepare(sm->wire, flow, forward->request->raw.len);
	for (int pass = 0; r == 0 && pass < 3; pass++) {
		transport = flow->transport;
		listen = flow->listen;
		buf_reset(out);
		r = write_request(sm, forward, flow, out);
		if (r == 0)
			r = sip_wire_prepare(sm->wire, flow, out->len + via_room);
		if (r == 0 && flow->transport == transport && flow->listen == listen)
			return buf_ok(out) ? 0 : -EMSGSIZE;
	}
	return r < 0 ? r : -EHOSTUNREACH;
}

/* From and To as the sender of the request knows them. */
static void restore_addresses(struct sip_edit *edit, const struct sip_msg *request)
{
	static const enum sip_header_id ids[] = { SIP_HDR_FROM, SIP_HDR_TO };
	struct sip_addr ours, theirs;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (sip_addr_parse(sip_msg_value(request, ids[i]), &ours) == 0 &&
		    sip_addr_parse(sip_msg_value(edit->msg, ids[i]), &theirs) == 0 &&
		    !slice_eq(ours.uri.text, theirs.uri.text))
			sip_edit_replace(edit, theirs.uri.text, ours.uri.text);
}

static bool is_hidden(const struct sip_msg *response)
{
	struct sip_addr from;

	return sip_msg_from(response, &from) == 0 && privacy_is_anonymous(&from.uri);
}

int forward_response(struct sm *sm, const struct sip_msg *response, const struct sip_msg *request,
		     struct peer from, struct peer to, unsigned status, struct buf *out)
{
	const struct adapt adapt = forward_adapt(sm, from, to);
	struct sip_edit edit;
	char line[96];
	int r;

	sip_edit_init(&edit, response);
	sip_edit_pop(&edit, SIP_HDR_VIA, 1);
	if (status) {
		snprintf(line, sizeof(line), "SIP/2.0 %u %.*s", status,
			 SLICE_ARG(sip_reason_phrase(status)));
		sip_edit_start_line(&edit, slice_str(line));
		sip_edit_remove_all(&edit, SIP_HDR_RETRY_AFTER);
	}
	apply_trust(&edit, response, from, to, &adapt, NULL);
	apply_adapt(&edit, &adapt, false);
	if (request && (adapt.in || adapt.out || is_hidden(response)))
		restore_addresses(&edit, request);
	r = sip_edit_apply(&edit, out);
	return r < 0 ? r : buf_ok(out) ? 0 : -EMSGSIZE;
}
