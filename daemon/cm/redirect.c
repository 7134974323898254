/* SPDX-License-Identifier: Apache-2.0 */
/* redirect.c - the call goes to somebody else in the place of one who refused it. RFC 7044. */
#include "cm/redirect.h"

#include "base/error.h"
#include "base/log.h"
#include "cm/b2bua.h"
#include "cm/operation.h"
#include "cm/own_invite.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "node/metrics.h"
#include "stack/sip/sip_txn.h"

#define ENTRIES_MAX 64 /* of History-Info */

const char *redirect_served(const struct b2bua_half *b)
{
	return b->half.station;
}

/* -- History-Info ------------------------------------------------------------------------ */

/* The entry of who is left behind says why (section 10.2): Reason as a header of its URI. */
static void entry_with_cause(const struct sip_addr *entry, unsigned cause, struct buf *out)
{
	struct slice uri = entry->uri.text;

	buf_add_char(out, '<');
	buf_add_slice(out, uri);
	buf_printf(out, "%sReason=SIP%%3Bcause%%3D%u>", entry->uri.headers.len ? "&" : "?", cause);
	buf_add_slice(out, entry->params);
}

int redirect_history(const struct sip_msg *invite, unsigned cause, struct slice target,
		     struct buf *out)
{
	struct sip_values it = sip_values_of(invite, SIP_HDR_HISTORY_INFO);
	struct slice value, before = { 0 }, index = SLICE("1");
	unsigned count = 0, diversions = 0;
	struct sip_addr last;
	AUTO_BUF list = { 0 };
	AUTO_BUF first = { 0 };

	while (sip_values_next(&it, &value)) {
		if (before.p)
			buf_printf(&list, "%.*s, ", SLICE_ARG(before));
		if (sip_addr_parse(value, &last) < 0 || last.wildcard || ++count > ENTRIES_MAX)
			return -EBADMSG;
		if (sip_addr_param(&last, SLICE("mp"), NULL))
			diversions++;
		before = value;
	}
	if (diversions >= REDIRECT_MAX)
		return -ELOOP;
	if (count == 0) {
		buf_printf(&first, "<%.*s>;index=1", SLICE_ARG(invite->uri));
		if (!buf_ok(&first) || sip_addr_parse(buf_slice(&first), &last) < 0)
			return -EBADMSG;
	}
	entry_with_cause(&last, cause, &list);
	(void)sip_addr_param(&last, SLICE("index"), &index);
	buf_printf(&list, ", <%.*s>;index=%.*s.1;mp=%.*s", SLICE_ARG(target), SLICE_ARG(index),
		   SLICE_ARG(index));
	if (!buf_ok(&list))
		return -EBADMSG;
	sip_build_header(out, SIP_HDR_HISTORY_INFO, buf_slice(&list));
	return buf_ok(out) ? 0 : -EBADMSG;
}

/* -- what a 3xx names -------------------------------------------------------------------- */

/* "q" in thousandths; 1 where it is not said. */
static unsigned q_of(const struct sip_addr *contact)
{
	struct slice q;
	unsigned value = 0, digits = 0;

	if (!sip_addr_param(contact, SLICE("q"), &q) || q.len == 0 || q.p[0] == '1')
		return 1000;
	for (size_t i = 2; i < q.len && digits < 3; i++, digits++) {
		if (!ascii_is_digit((unsigned char)q.p[i]))
			return 0;
		value = value * 10 + (unsigned)(q.p[i] - '0');
	}
	for (; digits < 3; digits++)
		value *= 10;
	return value;
}

void redirect_keep(struct b2bua_half *b, const struct sip_msg *msg)
{
	struct slice value, best = { 0 };
	struct sip_addr contact;
	struct sip_values it;
	unsigned best_q = 0;

	free(b->redirected);
	b->redirected = NULL;
	if (!msg || msg->status < 300 || msg->status > 399 || msg->status == 380)
		return;
	it = sip_values_of(msg, SIP_HDR_CONTACT);
	while (sip_values_next(&it, &value)) {
		if (sip_addr_parse(value, &contact) < 0 || contact.wildcard ||
		    (contact.uri.scheme != SIP_SCHEME_SIP && contact.uri.scheme != SIP_SCHEME_SIPS))
			continue;
		if (best.len > 0 && q_of(&contact) <= best_q)
			continue;
		best = contact.uri.text;
		best_q = q_of(&contact);
	}
	if (best.len > 0)
		b->redirected = slice_dup(best);
}

bool redirect_follow(struct b2bua_half *b)
{
	unsigned cause = fork_best_status(&b->half.forks);
	char *target = b->redirected;
	struct error err = { 0 };
	struct sip_uri uri;
	int r;

	b->redirected = NULL;
	if (!target || !b->up_txn || b->lender || half_state(&b->half) > HALF_RINGING) {
		free(target);
		return false;
	}
	r = sip_uri_parse(slice_str(target), &uri);
	if (r == 0)
		r = redirect_to(b, &uri, cause, &err);
	if (r < 0)
		log_failure(LOG_LEVEL_INFO, "call.not_redirected", r, &err);
	free(target);
	return r == 0;
}

/* -- sending on --------------------------------------------------------------------------- */

/* What came for a sips: URI goes to no other (RFC 5630 section 5.1.1). Takes the target; NULL without memory. */
static char *keep_sips(char *target)
{
	AUTO_BUF out = { 0 };

	if (slice_starts_with_nocase(slice_str(target), SLICE("sip:")))
		buf_printf(&out, "sips:%s", target + 4);
	else
		buf_add_str(&out, target);
	free(target);
	return buf_take_str(&out);
}

static int build(struct b2bua_half *b, const struct sip_uri *uri, unsigned cause,
		 struct own_invite **ret, struct error *err)
{
	const struct sip_msg *invite = sip_server_txn_request(b->up_txn);
	struct own_invite *own;
	struct service_verdict v;
	int r = -ENOMEM;

	own_decide(b->cm, redirect_served(b), uri, &v);
	if (v.status)
		return error_set(err, -EACCES, "%s", v.reason ? v.reason : "refused");
	own = calloc(1, sizeof(*own));
	if (!own)
		return error_set(err, -ENOMEM, "out of memory");
	own->target = own_target(b->cm, uri, &v);
	if (own->target && slice_starts_with_nocase(invite->uri, SLICE("sips:")))
		own->target = keep_sips(own->target);
	if (own->target)
		r = redirect_history(invite, cause, slice_str(own->target), &own->lines);
	if (r < 0) {
		own_invite_free(own);
		return error_set(err, r, "no way to go on");
	}
	*ret = own;
	return 0;
}

int redirect_to(struct b2bua_half *b, const struct sip_uri *uri, unsigned cause, struct error *err)
{
	struct own_invite *own = NULL;
	int r;

	if (operation_raise(b, ENGINE_REDIRECT).action == ENGINE_REFUSE || !b->up_txn ||
	    redirect_served(b)[0] == '\0')
		return error_set(err, -EBUSY, "the call cannot go elsewhere now");
	if (b->half.forks.branch_count >= FORK_BRANCH_MAX)
		return error_set(err, -ENOSPC, "the call has been elsewhere often enough");
	r = build(b, uri, cause, &own, err);
	if (r < 0)
		return r;
	log_info("call.redirected", F("gsid", b->half.call->gsid), F("cause", cause),
		 F("to", own->target));
	metric_add(b->cm->metrics, CM_REDIRECTED, 1);
	fork_forget_best(&b->half.forks);
	r = b2bua_branch_add(b, own, err);
	/* He is out of it: his line is free, and whoever is called has a half of his own. */
	if (r == 0 && b->half.phase == HALF_IMSTERM) {
		b->half.diverted = true;
		operation_free_line(b);
	}
	return r;
}
