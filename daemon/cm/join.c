/* SPDX-License-Identifier: Apache-2.0 */
/* join.c - a new half takes over one side of a call that talks. RFC 3891 sections 3 and 5.
 *
 * While it is asked, the dialog that stays belongs to the old half and is only lent to the branch of the
 * new one: a refusal leaves the call as it was. */
#include "cm/join.h"

#include "base/error.h"
#include "base/log.h"
#include "cm/b2bua.h"
#include "cm/operation.h"
#include "cm/side.h"
#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

int join_find(struct cm *cm, const struct sip_msg *invite, struct b2bua_half **ret, bool *ret_up)
{
	struct slice value = sip_msg_value(invite, SIP_HDR_REPLACES);
	struct sip_replaces replaces;

	if (!value.p)
		return -ENOENT;
	if (sip_replaces_parse(value, &replaces) < 0)
		return -EBADMSG;
	return join_find_named(cm, &replaces, ret, ret_up);
}

int join_find_named(struct cm *cm, const struct sip_replaces *replaces, struct b2bua_half **ret,
		    bool *ret_up)
{
	/* to-tag is the recipient's: ours (RFC 3891 section 3) */
	struct sip_dialog *dialog =
		sip_dialog_find(cm->stack, replaces->call_id, replaces->to_tag, replaces->from_tag);
	struct b2bua_half *b;
	int8_t winner;

	if (!dialog)
		return -ENOENT;
	LIST_FOREACH (b, &cm->halves, struct b2bua_half, link) {
		winner = b->half.forks.winner;
		if (winner < 0 || (b->up[winner] != dialog && b->down[winner] != dialog))
			continue;
		*ret_up = b->up[winner] == dialog;
		if (half_state(&b->half) != HALF_TALKING || replaces->early_only || b->lender ||
		    b->engine.offer != OFFER_FREE || !operation_dialog(b, !*ret_up) ||
		    engine_look((enum engine_state)b->engine.state, ENGINE_LEND)->action !=
			    ENGINE_GO)
			return -ENOTCONN;
		*ret = b;
		return 0;
	}
	return -ENOTCONN;
}

unsigned join_refusal(struct cm *cm, const struct sip_msg *invite)
{
	struct slice value = sip_msg_value(invite, SIP_HDR_JOIN);
	struct sip_replaces join;

	if (!value.p)
		return 0;
	/* Section 4: one Join, and no Replaces beside it. */
	if (sip_msg_header(invite, SIP_HDR_REPLACES) || sip_replaces_parse(value, &join) < 0)
		return 400;
	return sip_dialog_find(cm->stack, join.call_id, join.to_tag, join.from_tag) ? 488 : 0;
}

void join_borrow(struct b2bua_half *b, struct b2bua_half *old, bool replaced_up)
{
	b->lender = old;
	b->lender_up = !replaced_up;
	old->borrower = b;
	(void)operation_ask(old, ENGINE_LEND, !replaced_up);
}

bool join_lend(struct b2bua_branch *br)
{
	struct b2bua_half *b = br->owner;

	br->base = operation_dialog(b->lender, b->lender_up);
	return br->base != NULL;
}

void join_settle(struct b2bua_half *b)
{
	struct b2bua_half *old = b->lender;

	if (!old)
		return;
	log_info("call.joined", F("gsid", b->half.call->gsid), F("from", old->half.call->gsid));
	(void)operation_take(old, b->lender_up);
	b->lender = NULL;
	old->borrower = NULL;
	(void)operation_raise(old, ENGINE_JOINED);
}

static void part(struct b2bua_half *b)
{
	/* The dialog is not ours to free. */
	for (unsigned i = 0; i < FORK_BRANCH_MAX; i++)
		b->branches[i].base = NULL;
	b->lender->borrower = NULL;
	b->lender = NULL;
}

void join_give_back(struct b2bua_half *b)
{
	struct b2bua_half *old = b->lender;

	if (!old)
		return;
	part(b);
	(void)operation_raise(old, ENGINE_FAILED);
}

void join_crossed(struct b2bua_branch *br, const struct sip_incoming *in)
{
	struct b2bua_half *b = br->owner, *old = b->lender;
	bool up = b->lender_up;
	const struct session *s = up ? &old->session_up : &old->session_down;
	struct sip_extra extra = { 0 };
	AUTO_BUF body = { 0 };

	buf_add_slice(&body, session_told(s));
	if (b->target_of || !b->up_offered) {
		extra.content_type = slice_str(s->sdp_type);
		extra.body = buf_slice(&body);
		session_tell(old, up, br->base, &extra);
	}
	(void)sip_dialog_ack(br->base, br->cseq, &extra);
	join_give_back(b);
	if (extra.body.len == 0 && body.len > 0 && half_state(&old->half) == HALF_TALKING)
		(void)side_offer(old, up, slice_str(s->sdp_type), buf_slice(&body), NULL, NULL);
}

void join_old_over(struct b2bua_half *old)
{
	struct b2bua_half *b = old->borrower;

	if (!b)
		return;
	for (unsigned i = 0; i < FORK_BRANCH_MAX; i++) {
		if (b->branches[i].txn)
			sip_client_txn_detach(b->branches[i].txn);
		b->branches[i].txn = NULL;
	}
	part(b);
	b2bua_release(b, 481, NULL);
}
