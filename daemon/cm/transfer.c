/* SPDX-License-Identifier: Apache-2.0 */
/* transfer.c - REFER that cm carries out itself. RFC 3515, RFC 3891, RFC 3892, RFC 4488. */
#include "cm/transfer_private.h"

#include "base/error.h"
#include "base/log.h"
#include "cm/b2bua.h"
#include "cm/join.h"
#include "cm/leg_header.h"
#include "cm/operation.h"
#include "cm/own_invite.h"
#include "cm/side.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"
#include "node/metrics.h"
#include "node/node.h"
#include "node/uc_model.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_guard.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

#define EVENT_LIFE_S 300 /* of the subscription; a transfer ends sooner */
#define REPLACES_MAX 512

void transfer_settle(struct transfer *t)
{
	if (t->asker || t->target || t->notify)
		return;
	free(t);
}

bool transfer_kept_up(const struct b2bua_half *asker)
{
	return !asker->engine.asker_up;
}

/* -- what the phone is told ------------------------------------------------------------- */

/* The last word is out: a phone that has nobody left is let go. */
static void told(struct transfer *t)
{
	struct b2bua_half *b = t->asker;

	if (!b || !t->decided)
		return;
	t->asker = NULL;
	b->transfer = NULL;
	if (b->engine.state == ENGINE_TAKEN)
		b2bua_release(b, 200, NULL);
	transfer_settle(t);
}

static void notify_ended(void *user, struct sip_client_txn *txn)
{
	struct transfer *t = user;
	unsigned next = t->next;

	t->notify = NULL;
	t->next = 0;
	if (next)
		transfer_tell(t, next);
	else
		told(t);
}

/* Nobody wants to hear (481), or nobody is there: the transfer goes on all the same. */
static void notify_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct transfer *t = user;

	if (in->msg->status == 481)
		t->quiet = true;
	if (in->msg->status < 200)
		return;
	sip_client_txn_detach(txn);
	notify_ended(t, txn);
}

static void notify_failed(void *user, struct sip_client_txn *txn, int reason)
{
	struct transfer *t = user;

	t->quiet = true;
}

static const struct sip_client_handlers notify_handlers = {
	.response = notify_response,
	.failed = notify_failed,
	.ended = notify_ended,
};

static struct sip_dialog *asker_dialog(const struct b2bua_half *b)
{
	int8_t winner = b->half.forks.winner;

	return b->engine.asker_up ? b->up[winner] : b->down[winner];
}

/* Section 2.4.4: each NOTIFY has a fragment; the last one ends the subscription. */
static int notify(struct transfer *t, unsigned status)
{
	struct b2bua_half *b = t->asker;
	AUTO_BUF headers = { 0 };
	AUTO_BUF body = { 0 };
	struct sip_extra extra = { .content_type = SLICE("message/sipfrag;version=2.0") };

	if (!asker_dialog(b))
		return -ENOTCONN;
	sip_build_headerf(&headers, SIP_HDR_EVENT, "refer;id=%u", t->event_id);
	if (status < 200)
		sip_build_headerf(&headers, SIP_HDR_SUBSCRIPTION_STATE, "active;expires=%u",
				  EVENT_LIFE_S);
	else
		sip_build_header(&headers, SIP_HDR_SUBSCRIPTION_STATE,
				 SLICE("terminated;reason=noresource"));
	sip_build_header(&headers, SIP_HDR_AV_GLOBAL_SESSION_ID, slice_str(b->half.call->gsid));
	sip_build_status(&body, status, slice_make(NULL, 0));
	if (!buf_ok(&headers) || !buf_ok(&body))
		return -ENOMEM;
	extra.headers = buf_slice(&headers);
	extra.body = buf_slice(&body);
	return sip_dialog_request(asker_dialog(b), SLICE("NOTIFY"), &extra, NULL, &notify_handlers,
				  t, &t->notify, NULL);
}

/* One NOTIFY at a time, so that they arrive in order; what is overtaken meanwhile is not told. */
void transfer_tell(struct transfer *t, unsigned status)
{
	if (!t->asker)
		return;
	if (t->quiet || (t->decided && status < 200)) {
		told(t);
	} else if (t->notify) {
		t->next = status;
	} else if (notify(t, status) < 0) {
		t->quiet = true;
		told(t);
	}
}

void transfer_decide(struct transfer *t, unsigned status)
{
	struct b2bua_half *b = t->asker;

	if (t->decided)
		return;
	t->decided = true;
	metric_add(t->cm->metrics, status < 300 ? CM_TRANSFERRED : CM_TRANSFER_FAILED, 1);
	if (b)
		log_info("call.transfer", F("gsid", b->half.call->gsid), F("status", status));
	transfer_tell(t, status);
	if (b)
		(void)operation_raise(b, status < 300 ? ENGINE_JOINED : ENGINE_FAILED);
}

void transfer_let_go(struct b2bua_half *b)
{
	/* Else when it has heard that all went well. */
	if (!b->transfer || b->engine.left[b->engine.asker_up])
		b2bua_release(b, 200, NULL);
}

void transfer_asker_over(struct b2bua_half *b)
{
	struct transfer *t = b->transfer;

	if (t && t->target && !t->decided)
		b2bua_release(t->target, 487, NULL);
}

void transfer_forget(struct b2bua_half *b)
{
	struct transfer *t = b->transfer;

	if (!t)
		return;
	b->transfer = NULL;
	t->asker = NULL;
	if (t->notify)
		sip_client_txn_detach(t->notify);
	t->notify = NULL;
	transfer_settle(t);
}

/* -- REFER -------------------------------------------------------------------------------- */

/* What a REFER asks for. */
struct referral {
	struct sip_addr to;
	struct slice by;	     /* Referred-By, empty none */
	char replaces[REPLACES_MAX]; /* unescaped, "" none */
	uint32_t max_forwards, cseq;
	bool quiet;
};

/* 0, or the status that refuses it. */
static unsigned referral_read(const struct sip_msg *msg, struct referral *ret)
{
	struct slice headers, name, value, method;
	struct sip_cseq cseq;
	int n;

	*ret = (struct referral){
		.quiet = slice_eq_str_nocase(sip_msg_value(msg, SIP_HDR_REFER_SUB), "false")
	};
	if (sip_msg_header_count(msg, SIP_HDR_REFER_TO) != 1 ||
	    sip_addr_parse(sip_msg_value(msg, SIP_HDR_REFER_TO), &ret->to) < 0 ||
	    ret->to.wildcard || sip_msg_cseq(msg, &cseq) < 0)
		return 400;
	if (ret->to.uri.scheme != SIP_SCHEME_SIP && ret->to.uri.scheme != SIP_SCHEME_SIPS)
		return 416;
	if (sip_uri_param(&ret->to.uri, SLICE("method"), &method) &&
	    !slice_eq_str(method, "INVITE"))
		return 603;
	if (sip_guard_max_forwards(msg, &ret->max_forwards) < 0)
		return 483;
	ret->cseq = cseq.number;
	ret->by = sip_msg_value(msg, SIP_HDR_REFERRED_BY);
	headers = ret->to.uri.headers;
	while (sip_uri_header_next(&headers, &name, &value) > 0) {
		if (!slice_eq_str_nocase(name, "Replaces"))
			continue;
		n = ret->replaces[0]
			    ? -1
			    : sip_unescape(value, ret->replaces, sizeof(ret->replaces) - 1);
		if (n <= 0)
			return 400;
		ret->replaces[n] = '\0';
	}
	return 0;
}

/* The dialog that the phone has with the target already: of the same station, on its own side. 0 no, 1 yes;
 * else the status of its refusal. */
static unsigned consultation(struct b2bua_half *b, const struct referral *referral,
			     struct b2bua_half **ret, bool *ret_up)
{
	struct sip_replaces replaces;
	struct b2bua_half *k;
	int r;

	if (!referral->replaces[0])
		return 0;
	if (sip_replaces_parse(slice_str(referral->replaces), &replaces) < 0)
		return 400;
	r = join_find_named(b->cm, &replaces, &k, ret_up);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return 486;
	if (k == b || strcmp(k->half.station, b->half.station) != 0 ||
	    *ret_up != (k->half.phase == HALF_IMSORIG))
		return 403;
	*ret = k;
	return 1;
}

/* Whom the target sees, and who sent him: RFC 3325, RFC 3323, RFC 3892. */
static void identity_lines(struct b2bua_half *n, const struct referral *referral)
{
	const char *domain = uc_model_domain(node_model(n->cm->node));
	struct buf *out = &n->own_lines;
	AUTO_BUF user = { 0 };

	(void)sip_escape_user(&user, slice_str(n->half.caller));
	if (n->half.caller[0] && buf_ok(&user))
		sip_build_headerf(out, SIP_HDR_P_ASSERTED_IDENTITY, "<sip:%.*s@%s>",
				  SLICE_ARG(buf_slice(&user)), domain);
	if (n->private)
		sip_build_header(out, SIP_HDR_PRIVACY, SLICE("id"));
	if (referral->by.len > 0)
		sip_build_header(out, SIP_HDR_REFERRED_BY, referral->by);
	else
		sip_build_headerf(out, SIP_HDR_REFERRED_BY, "<sip:%s@%s>", n->half.served, domain);
	/* A dialog that is none of ours: the phone that it means will know. */
	if (referral->replaces[0]) {
		sip_build_header(out, SIP_HDR_REPLACES, slice_str(referral->replaces));
		sip_build_header(out, SIP_HDR_REQUIRE, SLICE("replaces"));
	}
}

static void target_start(struct b2bua_half *n, const struct referral *referral, unsigned refused)
{
	struct b2bua_half *b = n->target_of->asker;
	struct service_verdict v;

	own_decide(n->cm, n->half.served, &referral->to.uri, &v);
	/* In the records: between the side that stays and the new party. */
	memcpy(v.caller, transfer_kept_up(b) ? b->half.caller : b->half.callee, sizeof(v.caller));
	memcpy(n->half.caller, v.caller, sizeof(n->half.caller));
	identity_lines(n, referral);
	v.station = NULL; /* the line is the phone's until it has hung up */
	if (refused > 1)
		v.status = refused;
	else if (n->lender)
		v.status = 0; /* he talks to him already */
	n->target = own_target(n->cm, &referral->to.uri, &v);
	b2bua_start_own(n, &v);
}

/* Answer the REFER; RFC 4488: who wants no news gets none. */
static void accept_refer(struct b2bua_half *b, struct sip_dialog *dialog,
			 const struct sip_incoming *in, bool quiet)
{
	relay_answer_now(b, dialog, in, 202,
			 quiet ? SLICE("Refer-Sub: false\r\n") : slice_make(NULL, 0));
}

bool transfer_is_ours(const struct b2bua_leg *leg)
{
	const struct b2bua_half *b = leg->owner;

	return b->half.station[0] && leg->up == (b->half.phase == HALF_IMSORIG);
}

void transfer_refer(struct b2bua_leg *leg, struct sip_dialog *dialog, const struct sip_incoming *in)
{
	struct b2bua_half *b = leg->owner, *k = NULL, *n;
	const struct engine_cell *cell =
		engine_look((enum engine_state)b->engine.state, ENGINE_REFER);
	struct referral referral;
	struct transfer *t;
	unsigned status = referral_read(in->msg, &referral);
	bool replaced_up = false;

	if (status == 0 && (cell->action == ENGINE_REFUSE || b->transfer))
		status = cell->action == ENGINE_REFUSE ? cell->status : 491;
	if (status == 0 && !operation_dialog(b, !leg->up))
		status = 480;
	t = status == 0 ? calloc(1, sizeof(*t)) : NULL;
	if (!t) {
		relay_answer_now(b, dialog, in, status ? status : 500, slice_make(NULL, 0));
		return;
	}
	t->cm = b->cm;
	t->asker = b;
	t->quiet = referral.quiet;
	t->event_id = referral.cseq;
	status = consultation(b, &referral, &k, &replaced_up);
	b->engine.asker_up = leg->up;
	if (transfer_target_new(b, referral.max_forwards, t, &n) < 0) {
		free(t);
		relay_answer_now(b, dialog, in, 500, slice_make(NULL, 0));
		return;
	}
	b->transfer = t;
	(void)operation_ask(b, ENGINE_REFER, !leg->up);
	accept_refer(b, dialog, in, t->quiet);
	transfer_tell(t, 100);
	if (k)
		join_borrow(n, k, replaced_up);
	target_start(n, &referral, status);
}
