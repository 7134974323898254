/* SPDX-License-Identifier: Apache-2.0 */
/* join.h - a new half takes over one side of a call that talks: what transfer, pick-up, park and the like
 * stand on. RFC 3891 asks for it (Replaces); a feature may do so itself.
 *
 *	borrow    the new half's INVITE goes, as a re-INVITE, to the side that stays
 *	settle    it was answered: that side's dialog is the new half's, the old half ends towards the other
 *	give back it was not, or the old half ended first: nothing has changed */
#pragma once
#include <stdbool.h>

struct b2bua_branch;
struct sip_incoming;
struct b2bua_half;
struct cm;
struct sip_msg;

/* The half, and the side of it, that a Replaces field names. 0 found; -ENOENT no field, or it names no
 * dialog of ours: the INVITE goes on with it. Errors: -EBADMSG malformed (400), -ENOTCONN that call is
 * not answered, or busy with another such change (486). */
int join_find(struct cm *cm, const struct sip_msg *invite, struct b2bua_half **ret, bool *ret_up);
/* The same by the ids of a dialog. */
struct sip_replaces;
int join_find_named(struct cm *cm, const struct sip_replaces *replaces, struct b2bua_half **ret,
		    bool *ret_up);
/* RFC 3911: 0 no Join, or one that names no dialog of ours. Else the status that refuses it: a
 * conversation is not mixed here. */
unsigned join_refusal(struct cm *cm, const struct sip_msg *invite);
/* `b`, which is new, shall have the side of `old` that is not replaced_up. Before b2bua_start(). */
void join_borrow(struct b2bua_half *b, struct b2bua_half *old, bool replaced_up);
/* Lend the branch the dialog that stays; false: it was lost meanwhile. */
bool join_lend(struct b2bua_branch *br);
/* The side that stays said yes while the new half gave up: it is told what it was told before. */
void join_crossed(struct b2bua_branch *br, const struct sip_incoming *in);
/* `b` was answered. */
void join_settle(struct b2bua_half *b);
/* `b` ends, in whatever way, or the half that it borrows from does. */
void join_give_back(struct b2bua_half *b);
void join_old_over(struct b2bua_half *old);
