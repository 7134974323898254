/* SPDX-License-Identifier: Apache-2.0 */
/* prack.h - reliable provisional answers on each leg of a half by itself. RFC 3262, RFC 3264. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct b2bua_branch;
struct b2bua_half;
struct b2bua_leg;
struct sip_dialog;
struct sip_extra;
struct sip_incoming;
struct sip_msg;

/* Look at the INVITE that came: what its sender can and wants. */
void prack_begin(struct b2bua_half *b);
/* May the callee's side be offered 100rel? */
bool prack_offered(const struct b2bua_half *b);
/* A 1xx in an early dialog below. 0 an ordinary one, 1 a reliable one (its PRACK is on its way, or is
 * held until the caller's side has answered the offer in it); negative: dropped. */
int prack_received(struct b2bua_branch *br, int early, struct sip_dialog *dialog,
		   const struct sip_msg *msg);
/* Does a 1xx go up as a reliable one? below: it came as such. */
bool prack_wanted(const struct b2bua_half *b, bool below);
/* A PRACK inside a call. other: the dialog on the other side. */
void prack_request(struct b2bua_leg *leg, struct sip_dialog *dialog, struct sip_dialog *other,
		   const struct sip_incoming *in);
/* A 2xx from below must wait, for a PRACK from above: true, and it was kept. */
bool prack_hold(struct b2bua_branch *br, const struct sip_incoming *in);
/* Give the 2xx that waits again, if nothing is in its way any more. */
void prack_resume(struct b2bua_half *b);
/* A 2xx without the description that only a reliable 1xx had: the caller's side, which got that one
 * as an ordinary 1xx, needs it in the 2xx. */
void prack_complete(const struct b2bua_half *b, int early, struct sip_extra *extra);
/* An early dialog's place is given to another, or the half goes (early -1: all). */
void prack_forget(struct b2bua_half *b, int early);
