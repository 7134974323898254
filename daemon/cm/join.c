/* SPDX-License-Identifier: Apache-2.0 */
/* join.c - a new half takes over one side of a call that talks. RFC 3891 sections 3 and 5.
 *
 * While it is asked, the dialog that stays belongs to the old half and is only lent to the branch of the
 * new one: a refusal leaves the call as it was. */
#include "cm/join.h"

#include "base/error.h"
#include "base/log.h"
#include "cm/b2bua.h"
#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

int join_find(struct cm *cm, const struct sip_msg *invite, struct b2bua_half **ret, bool *ret_up)
{
	struct slice value = sip_msg_value(invite, SIP_HDR_REPLACES);
	struct sip_replaces replaces;
	struct sip_dialog *dialog;
	struct b2bua_half *b;
	int8_t winner;

	if (!value.p)
		return -ENOENT;
	if (sip_replaces_parse(value, &replaces) < 0)
		return -EBADMSG;
	/* to-tag is the recipient's: ours (RFC 3891 section 3) */
	dialog = sip_dialog_find(cm->stack, replaces.call_id, replaces.to_tag, replaces.from_tag);
	if (!dialog)
		return -ENOENT;
	LIST_FOREACH (b, &cm->halves, struct b2bua_half, link) {
		winner = b->half.forks.winner;
		if (winner < 0 || (b->up[winner] != dialog && b->down[winner] != dialog))
			continue;
		if (half_state(&b->half) != HALF_TALKING || replaces.early_only || b->borrower ||
		    b->lender || b->reinvite)
			return -ENOTCONN;
		*ret = b;
		*ret_up = b->up[winner] == dialog;
		return 0;
	}
	return -ENOTCONN;
}

void join_borrow(struct b2bua_half *b, struct b2bua_half *old, bool replaced_up)
{
	b->lender = old;
	b->lender_up = !replaced_up;
	old->borrower = b;
}

static struct sip_dialog **staying(const struct b2bua_half *b)
{
	struct b2bua_half *old = b->lender;
	int8_t winner = old->half.forks.winner;

	return b->lender_up ? &old->up[winner] : &old->down[winner];
}

bool join_lend(struct b2bua_branch *br)
{
	br->base = *staying(br->owner);
	return br->base != NULL;
}

void join_settle(struct b2bua_half *b)
{
	struct b2bua_half *old = b->lender;
	struct sip_dialog **place;

	if (!old)
		return;
	place = staying(b);
	log_info("call.joined", F("gsid", b->half.call->gsid), F("from", old->half.call->gsid));
	for (unsigned i = 0; i < FORK_BRANCH_MAX; i++) {
		if (old->branches[i].base == *place)
			old->branches[i].base = NULL;
	}
	*place = NULL;
	b->lender = NULL;
	old->borrower = NULL;
	b2bua_release(old, 200, NULL);
}

void join_give_back(struct b2bua_half *b)
{
	if (!b->lender)
		return;
	/* The dialog is not ours to free. */
	for (unsigned i = 0; i < FORK_BRANCH_MAX; i++)
		b->branches[i].base = NULL;
	b->lender->borrower = NULL;
	b->lender = NULL;
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
	join_give_back(b);
	b2bua_release(b, 481, NULL);
}
