/* SPDX-License-Identifier: Apache-2.0 */
/* side.h - a re-INVITE of our own towards one side of a half, which the other side knows nothing of: hold and
 * resume, a new peer, a session refresh. RFC 3261 section 14: one at a time; 491 is tried again after its
 * random wait, and one that the peer has open is waited for. */
#pragma once
#include "base/slice.h"

#include <stdbool.h>

struct b2bua_half;
struct b2bua_leg;
struct cm;
struct sip_dialog;
struct sip_incoming;

#define SIDE_PATIENCE_MS 20000 /* after which an offer that always collides is given up */

/* status: the final answer; in: its message, NULL if there is none. A 2xx has been acknowledged, and the
 * side's session timer runs anew. Not called after side_cancel() or side_stop(). */
typedef void side_done_fn(void *user, unsigned status, const struct sip_incoming *in);

/* The description is copied. done may be NULL. Errors (done is not called): -EBUSY there is one already,
 * -ENOTCONN that side has left, -ENOMEM, what sip_dialog_request() gives. */
int side_offer(struct b2bua_half *b, bool up, struct slice type, struct slice body,
	       side_done_fn *done, void *user);
/* The description that it was told last, with media stopped. Does nothing when that stopped it, too. */
void side_hold(struct b2bua_half *b, bool up);
/* Nobody wants it any more: CANCEL. Should the peer have taken it already, it is told its last description
 * again. */
void side_cancel(struct b2bua_half *b);
/* The half is over. */
void side_stop(struct b2bua_half *b);
/* Those whose transactions outlived their halves; the stack is gone. */
void side_free_all(struct cm *cm);
/* A request in the call from the only side that is left: answered here. */
void side_answer_alone(struct b2bua_leg *leg, struct sip_dialog *dialog,
		       const struct sip_incoming *in);
