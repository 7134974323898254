/* SPDX-License-Identifier: Apache-2.0 */
/* transfer.h - REFER that cm carries out itself: the served phone's call goes on between the other side and
 * somebody else. RFC 3515, RFC 3891, RFC 3892, RFC 4488; RFC 5589.
 *
 * For the new party a half of its own is made (the target half), below which the target is called without a
 * description; what it offers goes as a re-INVITE to the side that stays, and that one's answer in the ACK.
 * Only then does the side change halves. Refer-To with Replaces: the target is the dialog that the phone has
 * with it already, borrowed from that call's half (join.h), else an INVITE through sm. */
#pragma once
#include <stdbool.h>

struct b2bua_branch;
struct b2bua_half;
struct b2bua_leg;
struct buf;
struct error;
struct sip_dialog;
struct sip_incoming;

/* Is a REFER from this side ours to carry out? One of the station that the half serves. */
bool transfer_is_ours(const struct b2bua_leg *leg);
void transfer_refer(struct b2bua_leg *leg, struct sip_dialog *dialog,
		    const struct sip_incoming *in);
/* Whether somebody still wants the INVITE of a target half; false for all others. */
bool transfer_is_on(const struct b2bua_half *n);
/* Of that INVITE: its dialog, unless it borrows one, and its fields. Errors: -ENOTCONN who should stay has
 * left, as own_route() and sip_dialog_new_uac(). */
int transfer_dialog(struct b2bua_branch *br, struct error *err);
void transfer_headers(const struct b2bua_half *n, struct buf *out);
/* The half whose phone asked: the kept side is gone, let its phone go once it has heard so; it is over; it is
 * about to be freed. */
void transfer_let_go(struct b2bua_half *b);
void transfer_asker_over(struct b2bua_half *b);
void transfer_forget(struct b2bua_half *b);
