/* SPDX-License-Identifier: Apache-2.0 */
/* forward.c - a received message as it goes on to the next hop (RFC 3261 sections 16.6, 16.7). */
#include "sm/forward.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "codec/sip/sip_edit.h"
#include "codec/sip/sip_msg.h"
#include "sm/odi.h"
#include "sm/trust.h"
#include "stack/sip/sip_wire.h"

static bool wants_privacy(const struct sip_msg *msg)
{
	struct slice value = sip_msg_value(msg, SIP_HDR_PRIVACY);

	while (value.len) {
		struct slice one = slice_trim(slice_take_until(&value, ';', NULL));

		if (slice_eq_str_nocase(one, "id") || slice_eq_str_nocase(one, "user"))
			return true;
	}
	return false;
}

static void create(struct sip_edit *edit, enum trust_item item, const struct forward *f)
{
	char icid[80];

	switch (item) {
	case TRUST_IDENTITY:
		if (f->identity.len)
			sip_edit_append(edit, SIP_HDR_P_ASSERTED_IDENTITY, f->identity);
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
			struct peer to, const struct forward *f)
{
	for (int i = 0; i < TRUST_ITEMS; i++) {
		const struct trust_row *row = trust_row((enum trust_item)i);
		enum trust_action out = (enum trust_action)row->to[to.kind];
		bool present, believed;

		if (row->header == SIP_HDR_OTHER)
			continue;
		if (row->item == TRUST_IDENTITY && trust_is_phone(to.kind) && wants_privacy(msg))
			out = TRUST_STRIP;
		present = sip_msg_header(msg, row->header) != NULL;
		believed = present && row->from[from.kind] == TRUST_KEEP;
		if (believed && out != TRUST_STRIP)
			continue;
		if (present)
			sip_edit_remove_all(edit, row->header);
		if (out == TRUST_CREATE && f)
			create(edit, row->item, f);
	}
}

static void push_record_route(struct sm *sm, struct sip_edit *edit, uint32_t listen,
			      const char *cookie)
{
	AUTO_BUF text = { 0 };

	buf_add_char(&text, '<');
	sip_wire_uri(sm->wire, listen, SLICE(""), &text);
	buf_printf(&text, ";lr;d=%s>", cookie);
	sip_edit_push(edit, SIP_HDR_RECORD_ROUTE, buf_slice(&text));
}

static int write_request(struct sm *sm, const struct forward *f, const struct sip_flow *flow,
			 struct buf *out)
{
	char cookie[ODI_COOKIE_SIZE];
	struct sip_edit edit;

	sip_edit_init(&edit, f->request);
	if (f->uri.len)
		sip_edit_request_uri(&edit, f->uri);
	if (f->drop_routes)
		sip_edit_remove_all(&edit, SIP_HDR_ROUTE);
	else if (f->pop_routes)
		sip_edit_pop(&edit, SIP_HDR_ROUTE, f->pop_routes);
	if (f->back.len)
		sip_edit_push(&edit, SIP_HDR_ROUTE, f->back);
	if (f->application.len)
		sip_edit_push(&edit, SIP_HDR_ROUTE, f->application);
	if (f->record_route) {
		odi_cookie(sm->key, sip_msg_call_id(f->request), cookie);
		if (f->in_flow->listen != flow->listen)
			push_record_route(sm, &edit, f->in_flow->listen, cookie);
		push_record_route(sm, &edit, flow->listen, cookie);
	}
	sip_edit_set_u32(&edit, SIP_HDR_MAX_FORWARDS, f->max_forwards);
	if (f->max_breadth)
		sip_edit_set_u32(&edit, SIP_HDR_MAX_BREADTH, f->max_breadth);
	if (f->authenticated)
		sip_edit_remove_all(&edit, SIP_HDR_PROXY_AUTHORIZATION);
	apply_trust(&edit, f->request, f->from, f->to, f);
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

int forward_response(struct sm *sm, const struct sip_msg *response, struct peer from,
		     struct peer to, unsigned status, struct buf *out)
{
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
	apply_trust(&edit, response, from, to, NULL);
	r = sip_edit_apply(&edit, out);
	return r < 0 ? r : buf_ok(out) ? 0 : -EMSGSIZE;
}
