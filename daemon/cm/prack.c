/* SPDX-License-Identifier: Apache-2.0 */
/* prack.c - reliable provisional answers on each leg of a half by itself. RFC 3262, RFC 3264.
 *
 * Each leg has its own RSeq and its own PRACK. They are tied together only where a description is:
 * the PRACK below is held while the caller's side still has to answer the offer in the 1xx, and a 2xx
 * goes up only once the reliable 1xx with a description is acknowledged. */
#include "cm/prack.h"

#include "base/error.h"
#include "base/log.h"
#include "cm/b2bua.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_reliable.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

/* A 2xx that waits, with the bytes that its message points into. */
struct b2bua_held {
	struct b2bua_branch *branch;
	struct sip_flow flow;
	struct sip_msg msg;
	char bytes[];
};

static bool can(const struct sip_msg *msg, enum sip_header_id id)
{
	return sip_msg_has_token(msg, id, SLICE("100rel"));
}

void prack_begin(struct b2bua_half *b)
{
	const struct sip_msg *invite = sip_server_txn_request(b->up_txn);

	b->up_demands_100rel = can(invite, SIP_HDR_REQUIRE);
	b->up_has_100rel = b->up_demands_100rel || can(invite, SIP_HDR_SUPPORTED);
	b->up_offered = invite->body.len > 0;
}

/* Without an offer in the INVITE a reliable 1xx has one, and only a caller who can acknowledge it can
 * answer. */
bool prack_offered(const struct b2bua_half *b)
{
	return b->up_has_100rel || b->up_offered;
}

bool prack_wanted(const struct b2bua_half *b, bool below)
{
	return b->up_demands_100rel || (below && b->up_has_100rel);
}

/* -- below ------------------------------------------------------------------------------ */

static void acknowledge(const struct b2bua_branch *br, struct sip_dialog *dialog, uint32_t rseq)
{
	AUTO_BUF headers = { 0 };
	struct sip_extra extra = { 0 };
	int r;

	sip_reliable_rack(&headers, rseq, br->cseq);
	if (br->owner->half.call)
		sip_build_header(&headers, SIP_HDR_AV_GLOBAL_SESSION_ID,
				 slice_str(br->owner->half.call->gsid));
	if (!buf_ok(&headers))
		return;
	extra.headers = buf_slice(&headers);
	r = sip_dialog_request(dialog, SLICE("PRACK"), &extra, NULL, NULL, NULL, NULL, NULL);
	if (r < 0)
		log_failure(LOG_LEVEL_WARNING, "call.prack_not_sent", r, NULL);
}

static void keep_answer(struct b2bua_early *e, const struct sip_msg *msg)
{
	buf_reset(&e->answer);
	buf_add_slice(&e->answer, msg->body);
	(void)slice_copy(sip_msg_value(msg, SIP_HDR_CONTENT_TYPE), e->answer_type,
			 sizeof(e->answer_type));
}

int prack_received(struct b2bua_branch *br, int early, struct sip_dialog *dialog,
		   const struct sip_msg *msg)
{
	struct b2bua_half *b = br->owner;
	struct b2bua_early *e = &b->early[early];
	bool offer = msg->body.len > 0 && !b->up_offered && !e->offered;
	uint32_t rseq = 0;
	int r;

	r = sip_reliable_receive(dialog, msg, &rseq);
	if (r != 1)
		return r;
	if (offer && !b->up_has_100rel)
		return -EPROTO; /* it was not told that it may */
	if (offer) {
		e->offered = true;
		e->held_rseq = rseq;
		return 1;
	}
	if (msg->body.len > 0 && !b->up_has_100rel)
		keep_answer(e, msg);
	acknowledge(br, dialog, rseq);
	return 1;
}

void prack_complete(const struct b2bua_half *b, int early, struct sip_extra *extra)
{
	const struct b2bua_early *e = &b->early[early];

	if (extra->body.len > 0 || e->answer.len == 0 || !buf_ok(&e->answer))
		return;
	extra->body = buf_slice(&e->answer);
	extra->content_type = slice_str(e->answer_type);
}

/* -- above ------------------------------------------------------------------------------ */

/* The answer to the offer below, or, when that was answered before, an offer of its own: below there
 * is no PRACK left to put it in, so it goes as an UPDATE (RFC 3311). */
static void with_description(struct b2bua_leg *leg, struct sip_dialog *dialog,
			     struct sip_dialog *other, const struct sip_incoming *in)
{
	struct b2bua_half *b = leg->owner;
	struct b2bua_early *e = &b->early[leg->index];
	uint8_t branch = b->half.forks.early[leg->index].branch;
	AUTO_BUF rack = { 0 };

	if (e->held_rseq) {
		sip_reliable_rack(&rack, e->held_rseq, b->branches[branch].cseq);
		e->held_rseq = 0;
		relay_as(leg, dialog, other, in, SLICE("PRACK"), buf_slice(&rack));
	} else if (e->updates) {
		relay_as(leg, dialog, other, in, SLICE("UPDATE"), SLICE(""));
	} else {
		relay_answer_now(b, dialog, in, 488, SLICE(""));
	}
}

void prack_request(struct b2bua_leg *leg, struct sip_dialog *dialog, struct sip_dialog *other,
		   const struct sip_incoming *in)
{
	struct b2bua_half *b = leg->owner;
	int r = leg->up ? sip_reliable_take_prack(dialog, in->msg) : -ENOENT;

	if (r < 0) {
		relay_answer_now(b, dialog, in, r == -ENOENT ? 481 : 400, SLICE(""));
		return;
	}
	if (b->early[leg->index].held_rseq || in->msg->body.len > 0)
		with_description(leg, dialog, other, in);
	else
		relay_answer_now(b, dialog, in, 200, SLICE(""));
	if (b->up_txn)
		sip_reliable_next(dialog, b->up_txn);
	prack_resume(b);
}

/* -- the 2xx that waits ----------------------------------------------------------------- */

static bool is_ringing(const struct b2bua_half *b)
{
	return half_state(&b->half) == HALF_RINGING;
}

bool prack_hold(struct b2bua_branch *br, const struct sip_incoming *in)
{
	struct b2bua_half *b = br->owner;
	int i = fork_early_find(&b->half.forks, br->number, sip_msg_to_tag(in->msg));
	struct slice raw = in->msg->raw;
	struct b2bua_held *held;

	if (i < 0 || !b->up[i] || !is_ringing(b) || !sip_reliable_holds(b->up[i]))
		return false;
	/* It comes again by itself until it is acknowledged: no more than one need be kept. */
	held = b->held ? NULL : calloc(1, sizeof(*held) + raw.len);
	if (!held)
		return true;
	memcpy(held->bytes, raw.p, raw.len);
	held->branch = br;
	held->flow = in->flow;
	if (sip_msg_parse(slice_make(held->bytes, raw.len), &held->msg) < 0)
		free(held);
	else
		b->held = held;
	return true;
}

void prack_resume(struct b2bua_half *b)
{
	struct b2bua_held *held = b->held;
	struct sip_incoming in = { 0 };

	if (!held || b->half.fsm.busy)
		return;
	b->held = NULL;
	in.msg = &held->msg;
	in.flow = held->flow;
	in.peer_name = "";
	b2bua_take_answer(held->branch, &in); /* which may keep it once more */
	free(held);
}

void prack_forget(struct b2bua_half *b, int early)
{
	for (int i = 0; i < FORK_EARLY_MAX; i++) {
		if (early >= 0 && i != early)
			continue;
		buf_done(&b->early[i].answer);
		b->early[i] = (struct b2bua_early){ 0 };
	}
	if (early < 0) {
		free(b->held);
		b->held = NULL;
	}
}
