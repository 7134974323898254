/* SPDX-License-Identifier: Apache-2.0 */
/* registrar.c - REGISTER: who may, what is granted, what the answer says (RFC 3261 section 10). */
#include "sm/registrar.h"

#include "base/buf.h"
#include "base/log.h"
#include "codec/sip/sip_msg.h"
#include "node/metrics.h"
#include "node/uc_model.h"
#include "sm/auth.h"
#include "sm/sm.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

/* Below this a short time is refused; a longer minimum than an hour never is (section 10.2.8). */
#define BRIEF_MAX_S 3600

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

static unsigned read_contact(const struct sm_options *options, const struct sip_addr *addr,
			     uint32_t expires_s, struct location_change *out)
{
	struct slice text;

	if (addr->uri.scheme != SIP_SCHEME_SIP && addr->uri.scheme != SIP_SCHEME_SIPS)
		return 400;
	if (addr->uri.text.len > LOCATION_URI_MAX || addr->uri.headers.len)
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

unsigned registrar_read(const struct sm_options *options, const struct sip_msg *msg,
			struct location_request *ret)
{
	struct sip_values it = sip_values_of(msg, SIP_HDR_CONTACT);
	uint32_t expires_s = options->default_expires_s;
	struct sip_cseq cseq = { 0 };
	struct sip_addr addr;
	struct slice value;
	unsigned status;

	if (sip_msg_expires(msg, &expires_s) == -EBADMSG)
		expires_s = options->default_expires_s;
	if (sip_msg_cseq(msg, &cseq) < 0)
		return 400;
	ret->call_id = sip_msg_call_id(msg);
	ret->cseq = cseq.number;
	ret->user_agent = sip_msg_value(msg, SIP_HDR_USER_AGENT);
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
		status = read_contact(options, &addr, expires_s, &ret->changes[ret->count]);
		if (status)
			return status;
		ret->count++;
	}
	return 0;
}

static void refuse(struct sm *sm, struct sip_server_txn *txn, unsigned status)
{
	struct sip_extra extra = { 0 };
	AUTO_BUF lines = { 0 };

	if (status == 423)
		buf_printf(&lines, "Min-Expires: %u\r\n", sm->options->min_expires_s);
	extra.headers = buf_slice(&lines);
	sip_server_txn_reply(txn, status, &extra);
}

/* The binding as it stands now; Expires repeats the first time granted in this request. */
static void answer(struct sm *sm, struct sip_server_txn *txn, const struct location_request *rq)
{
	const struct list *bindings = location_of(sm->location, slice_str(rq->handle));
	struct sip_extra extra = { 0 };
	AUTO_BUF lines = { 0 };
	const struct binding *b;
	int64_t left;

	if (bindings)
		LIST_FOREACH (b, bindings, struct binding, link) {
			left = (b->expires_ms - rq->now_ms + 500) / 1000;
			buf_printf(&lines, "Contact: <%s>;expires=%lld", b->uri,
				   (long long)(left > 0 ? left : 0));
			if (b->instance[0])
				buf_printf(&lines, ";+sip.instance=\"%s\"", b->instance);
			if (b->q < 1000)
				buf_printf(&lines, ";q=0.%03u", b->q);
			buf_add_str(&lines, "\r\n");
		}
	if (rq->count || rq->remove_all)
		buf_printf(&lines, "Expires: %u\r\n", rq->count ? rq->changes[0].expires_s : 0);
	extra.headers = buf_slice(&lines);
	sip_server_txn_reply(txn, 200, &extra);
}

/* A Via that names another address than the one it came from: a translator stands between. */
static bool is_translated(const struct sip_incoming *in)
{
	struct addr sent_by;
	struct sip_via via;

	return sip_msg_top_via(in->msg, &via) < 0 || addr_parse_ip(via.host, 0, &sent_by) < 0 ||
	       !addr_equal_ip(&sent_by, &in->flow.remote);
}

static void change(struct sm *sm, const struct sip_incoming *in, struct sip_server_txn *txn,
		   const struct uc_user *user)
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
	unsigned status;
	int r;

	status = registrar_read(options, in->msg, &rq);
	if (status) {
		refuse(sm, txn, status);
		return;
	}
	rq.max_contacts = user->max_contacts && user->max_contacts < options->max_contacts
				  ? user->max_contacts
				  : options->max_contacts;
	r = location_update(sm->location, &rq);
	metric_set(sm->metrics, SM_BINDINGS, (int64_t)location_count(sm->location));
	if (r == 0)
		answer(sm, txn, &rq);
	else
		refuse(sm, txn, r == -EDQUOT ? 403 : 500);
}

void registrar_request(struct sm *sm, const struct sip_incoming *in)
{
	const struct uc_user *user;
	struct sip_server_txn *txn;
	struct sip_addr to;

	if (auth_check(sm, in, false, &user) < 0)
		return;
	if (sip_server_txn_new(sm->stack, in, NULL, NULL, &txn) < 0)
		return;
	if (sip_msg_to(in->msg, &to) < 0)
		refuse(sm, txn, 400);
	else if (!sm_uri_is_local(sm, &to.uri))
		refuse(sm, txn, 404);
	else if (!sip_uri_user_is(&to.uri, slice_str(user->handle)))
		refuse(sm, txn, 403);
	else
		change(sm, in, txn, user);
}
