/* SPDX-License-Identifier: Apache-2.0 */
/* registrar.c - REGISTER: who may, what is granted, what the answer says (RFC 3261 section 10). */
#include "sm/registrar.h"

#include "base/buf.h"
#include "base/log.h"
#include "codec/sip/sip_msg.h"
#include "node/metrics.h"
#include "node/uc_model.h"
#include "sm/auth.h"
#include "sm/resolve.h"
#include "sm/sm.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_wire.h"

/* Below this a short time is refused; a longer minimum than an hour never is (section 10.2.8). */
#define BRIEF_MAX_S 3600
#define ANSWER_ROOM 512 /* for the lines of most answers */

int registrar_grant(const struct sm_options *options, uint32_t asked_s, uint32_t *ret)
{
	uint32_t granted = asked_s;

	if (granted && granted < options->min_expires_s) {
		if (options->short_expires == SHORT_EXPIRES_REJECT && granted < BRIEF_MAX_S)
			return -ERANGE;
		granted = options->min_expires_s;
	}
	if (granted > options->max_expires_s)
		granted = options->max_expires_s;
	*ret = granted;
	return 0;
}

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), as thousandths. */
static uint32_t read_q(struct slice text)
{
	uint32_t q = 0, weight = 100;

	if (text.len == 0 || text.p[0] != '0')
		return 1000;
	for (size_t i = 2; i < text.len && i < 5 && ascii_is_digit((unsigned char)text.p[i]); i++) {
		q += (uint32_t)(text.p[i] - '0') * weight;
		weight /= 10;
	}
	return q;
}

/* Parameters that are not ours are given back as they came. */
static struct slice keep_params(const struct sip_addr *addr, char text[static LOCATION_TEXT_MAX])
{
	static const struct slice ours[] = { SLICE("expires"), SLICE("q"), SLICE("+sip.instance"),
					     SLICE("reg-id") };
	struct slice rest = addr->params;
	struct sip_param param;
	size_t len = 0;

	for (struct slice at = rest; sip_param_next(&rest, &param) > 0; at = rest) {
		struct slice raw = sip_trim(slice_make(at.p, (size_t)(rest.p - at.p)));
		bool keep = len + raw.len < LOCATION_TEXT_MAX && !memchr(raw.p, '\r', raw.len);

		for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
			keep = keep && !slice_eq_nocase(param.name, ours[i]);
		if (!keep)
			continue;
		memcpy(text + len, raw.p, raw.len);
		len += raw.len;
	}
	return slice_make(text, len);
}

/* Any URI may stand in a Contact (RFC 3261 section 20.10): it is kept, whatever its scheme. */
static bool is_plain(struct slice uri)
{
	for (size_t i = 0; i < uri.len; i++)
		if ((unsigned char)uri.p[i] <= ' ' || (unsigned char)uri.p[i] >= 0x7f)
			return false;
	return true;
}

static unsigned read_contact(const struct sm_options *options, const struct sip_addr *addr,
			     uint32_t expires_s, struct location_change *out)
{
	struct slice text;

	if (addr->uri.text.len > LOCATION_URI_MAX || !is_plain(addr->uri.text))
		return 400;
	/* What cannot be read as a number counts as the default (section 10.3). */
	if (sip_addr_param(addr, SLICE("expires"), &text) &&
	    sip_number_parse(text, UINT32_MAX, &expires_s) == -EBADMSG)
		expires_s = options->default_expires_s;
	out->uri = addr->uri.text;
	out->q = sip_addr_param(addr, SLICE("q"), &text) ? read_q(text) : 1000;
	if (sip_addr_param(addr, SLICE("+sip.instance"), &text))
		out->instance = slice_sub(text, 0, LOCATION_TEXT_MAX);
	return registrar_grant(options, expires_s, &out->expires_s) < 0 ? 423 : 0;
}

/* The Path of a REGISTER that came through an edge proxy (RFC 3327 section 5.3). */
static unsigned read_path(const struct sip_msg *msg, char text[static LOCATION_PATH_MAX],
			  struct slice *ret, bool *edge_keeps_flow)
{
	struct sip_values it = sip_values_of(msg, SIP_HDR_PATH);
	struct sip_addr addr;
	struct slice value;
	size_t len = 0;

	while (sip_values_next(&it, &value)) {
		if (sip_addr_parse(value, &addr) < 0 || !addr.bracketed ||
		    (addr.uri.scheme != SIP_SCHEME_SIP && addr.uri.scheme != SIP_SCHEME_SIPS) ||
		    memchr(value.p, '\r', value.len) || len + value.len + 2 > LOCATION_PATH_MAX)
			return 400;
		if (len) {
			text[len++] = ',';
			text[len++] = ' ';
		}
		for (size_t i = 0; i < value.len; i++)
			text[len++] = value.p[i];
		/* The last is the phone's first hop. */
		*edge_keeps_flow = sip_uri_param(&addr.uri, SLICE("ob"), NULL);
	}
	if (len && !sip_msg_has_token(msg, SIP_HDR_SUPPORTED, SLICE("path")))
		return 420;
	*ret = slice_make(text, len);
	return 0;
}

/* One of several flows of an instance, where both ends can do that (RFC 5626 section 6). */
static unsigned read_flow(const struct sip_msg *msg, const struct sip_addr *addr, bool direct,
			  struct location_change *out)
{
	struct slice text;
	uint32_t id = 0;

	if (out->instance.len == 0 ||
	    (addr->uri.scheme != SIP_SCHEME_SIP && addr->uri.scheme != SIP_SCHEME_SIPS) ||
	    !sip_addr_param(addr, SLICE("reg-id"), &text) ||
	    sip_number_parse(text, INT32_MAX, &id) < 0 || id == 0 ||
	    !sip_msg_has_token(msg, SIP_HDR_SUPPORTED, SLICE("outbound")))
		return 0;
	if (!direct)
		return 439;
	out->reg_id = id;
	return 0;
}

static unsigned read_contacts(const struct sm_options *options, const struct sip_msg *msg,
			      bool direct, struct registrar_text *text,
			      struct location_request *ret)
{
	struct sip_values it = sip_values_of(msg, SIP_HDR_CONTACT);
	uint32_t expires_s = options->default_expires_s;
	struct location_change *change;
	struct sip_addr addr;
	struct slice value;
	unsigned status, flows = 0;

	if (sip_msg_expires(msg, &expires_s) == -EBADMSG)
		expires_s = options->default_expires_s;
	while (sip_values_next(&it, &value)) {
		if (sip_addr_parse(value, &addr) < 0 || ret->remove_all)
			return 400;
		if (addr.wildcard) {
			if (ret->count || expires_s != 0 ||
			    sip_msg_value(msg, SIP_HDR_EXPIRES).len == 0)
				return 400;
			ret->remove_all = true;
			continue;
		}
		if (ret->count == LOCATION_CONTACTS_MAX)
			return 403;
		change = &ret->changes[ret->count];
		status = read_contact(options, &addr, expires_s, change);
		if (status == 0)
			status = read_flow(msg, &addr, direct, change);
		if (status)
			return status;
		change->params = keep_params(&addr, text->params[ret->count]);
		flows += change->reg_id && change->expires_s;
		ret->count++;
	}
	return flows > 1 ? 400 : 0; /* one flow, one REGISTER */
}

unsigned registrar_read(const struct sm_options *options, const struct sip_msg *msg,
			struct registrar_text *text, struct location_request *ret)
{
	struct sip_cseq cseq = { 0 };
	bool edge_keeps_flow = false;
	unsigned status;

	if (sip_msg_cseq(msg, &cseq) < 0)
		return 400;
	ret->call_id = sip_msg_call_id(msg);
	ret->cseq = cseq.number;
	ret->user_agent = sip_msg_value(msg, SIP_HDR_USER_AGENT);
	status = read_path(msg, text->path, &ret->path, &edge_keeps_flow);
	if (status)
		return status;
	return read_contacts(options, msg,
			     ret->path.len ? edge_keeps_flow
					   : sip_values_count(msg, SIP_HDR_VIA) == 1,
			     text, ret);
}

static void refuse(struct sm *sm, const struct sip_incoming *in, unsigned status)
{
	struct sip_extra extra = { 0 };
	AUTO_BUF lines = { 0 };

	if (status == 423)
		buf_printf(&lines, "Min-Expires: %u\r\n", sm->options->min_expires_s);
	else if (status == 420)
		buf_add_str(&lines, "Unsupported: path\r\n");
	extra.headers = buf_slice(&lines);
	sip_stack_answer(sm->stack, in, status, &extra);
}

static void add_binding(const struct binding *b, int64_t now_ms, struct buf *lines)
{
	int64_t left = (b->expires_ms - now_ms + 500) / 1000;

	buf_add_str(lines, "Contact: <");
	buf_add_str(lines, b->uri);
	buf_add_str(lines, ">;expires=");
	buf_add_u64(lines, left > 0 ? (uint64_t)left : 0);
	if (b->instance[0]) {
		buf_add_str(lines, ";+sip.instance=\"");
		buf_add_str(lines, b->instance);
		buf_add_char(lines, '"');
	}
	if (b->reg_id)
		buf_printf(lines, ";reg-id=%u", b->reg_id);
	if (b->q < 1000)
		buf_printf(lines, ";q=0.%03u", b->q);
	if (b->params)
		buf_add_str(lines, b->params);
	buf_add_str(lines, "\r\n");
}

/* The binding as it stands now; Expires repeats the first time granted in this request. */
static void answer(struct sm *sm, const struct sip_incoming *in, const struct location_request *rq)
{
	const struct list *bindings = location_of(sm->location, slice_str(rq->handle));
	struct sip_extra extra = { 0 };
	AUTO_BUF lines = { 0 };
	const struct binding *b;

	(void)buf_reserve(&lines, ANSWER_ROOM);
	if (bindings)
		LIST_FOREACH (b, bindings, struct binding, link)
			add_binding(b, rq->now_ms, &lines);
	if (rq->count || rq->remove_all) {
		buf_add_str(&lines, "Expires: ");
		buf_add_u64(&lines, rq->count ? rq->changes[0].expires_s : 0);
		buf_add_str(&lines, "\r\n");
	}
	if (rq->path.len)
		buf_printf(&lines, "Path: %.*s\r\n", SLICE_ARG(rq->path));
	if (rq->count && rq->changes[0].reg_id)
		buf_add_str(&lines, "Require: outbound\r\n");
	if (bindings && sm->options->service_route) {
		buf_add_str(&lines, "Service-Route: <");
		sip_wire_uri(sm->wire, in->flow.listen, SLICE(""), &lines);
		buf_add_str(&lines, ";lr>\r\n");
	}
	extra.headers = buf_slice(&lines);
	sip_stack_answer(sm->stack, in, 200, &extra);
}

/* A Via that names another address than the one it came from: a translator stands between. */
static bool is_translated(const struct sip_incoming *in)
{
	struct addr sent_by;
	struct sip_via via;

	return sip_msg_top_via(in->msg, &via) < 0 || addr_parse_ip(via.host, 0, &sent_by) < 0 ||
	       !addr_equal_ip(&sent_by, &in->flow.remote);
}

/* A Contact may name its host: it is looked up before the first call needs it. */
static void look_up_names(struct sm *sm, const struct location_request *rq)
{
	struct sip_flow flow;
	struct sip_uri uri;

	for (size_t i = 0; i < rq->count; i++)
		if (rq->changes[i].expires_s && sip_uri_parse(rq->changes[i].uri, &uri) == 0 &&
		    (uri.scheme == SIP_SCHEME_SIP || uri.scheme == SIP_SCHEME_SIPS))
			(void)resolve_uri(sm, &uri, &flow, NULL);
}

static void change(struct sm *sm, const struct sip_incoming *in, const struct uc_user *user)
{
	const struct sm_options *options = sm->options;
	struct location_request rq = {
		.handle = user->handle,
		.replace_oldest = options->when_full == WHEN_FULL_REPLACE_OLDEST,
		.transport = in->flow.transport,
		.source = in->flow.remote,
		.by_source = is_translated(in),
		.flow = in->flow.connection,
		.now_ms = sm_wall_ms(sm),
	};
	struct registrar_text text;
	unsigned status;
	int r;

	status = registrar_read(options, in->msg, &text, &rq);
	if (status) {
		refuse(sm, in, status);
		return;
	}
	if (rq.path.len) { /* the flow is the edge's, and serves many */
		rq.flow = 0;
		rq.by_source = false;
	} else if (rq.count && rq.changes[0].reg_id) {
		rq.by_source = true; /* this flow and no other */
	}
	rq.max_contacts = user->max_contacts && user->max_contacts < options->max_contacts
				  ? user->max_contacts
				  : options->max_contacts;
	r = location_update(sm->location, &rq);
	if (r == 0)
		look_up_names(sm, &rq);
	metric_set(sm->metrics, SM_BINDINGS, (int64_t)location_count(sm->location));
	if (r == 0)
		answer(sm, in, &rq);
	else
		refuse(sm, in, r == -EDQUOT ? 403 : 500);
}

void registrar_request(struct sm *sm, const struct sip_incoming *in)
{
	const struct uc_user *user;
	struct sip_addr to;

	if (auth_check(sm, in, false, &user) < 0)
		return;
	if (sip_msg_to(in->msg, &to) < 0)
		refuse(sm, in, 400);
	else if (!sm_uri_is_local(sm, &to.uri))
		refuse(sm, in, 404);
	else if (!sip_uri_user_is(&to.uri, slice_str(user->handle)))
		refuse(sm, in, 403);
	else
		change(sm, in, user);
}
