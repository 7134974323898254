/* SPDX-License-Identifier: Apache-2.0 */
/* sip_reliable.h - provisional answers that the peer acknowledges with PRACK, either side of a dialog.
 * RFC 3262. One answer is out at a time, those after it wait; each dialog counts its own RSeq. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct buf;
struct sip_dialog;
struct sip_extra;
struct sip_msg;
struct sip_server_txn;

#define SIP_RELIABLE_MAX 8 /* of one dialog: the one that is out and those that wait */

/* UAS: give a 101 to 199 that must be acknowledged; Require and RSeq are added. It is repeated until
 * its PRACK; without one in 64 * T1 the dialog's no_prack() is called. 0 it went out, 1 it waits.
 * Errors: -ENOSPC too many wait, -EALREADY the INVITE has its final answer, -ENOMEM, -EMSGSIZE. */
int sip_reliable_reply(struct sip_dialog *dialog, struct sip_server_txn *txn, unsigned status,
		       const struct sip_extra *extra);
/* A PRACK came in this dialog. 0: it names the answer that is out, which is acknowledged now; the user
 * answers the PRACK, then calls sip_reliable_next(). Errors: -ENOENT nothing like that is out (answer
 * 481), -EBADMSG no usable RAck (400). */
int sip_reliable_take_prack(struct sip_dialog *dialog, const struct sip_msg *prack);
/* The next one that waits leaves. */
void sip_reliable_next(struct sip_dialog *dialog, struct sip_server_txn *txn);
/* Is an answer not acknowledged yet that has a body? A 2xx waits for it (section 3). */
bool sip_reliable_holds(const struct sip_dialog *dialog);
/* The INVITE has its final answer: nothing is repeated or sent any more; what is out may still be
 * acknowledged. */
void sip_reliable_stop(struct sip_dialog *dialog);

/* UAC: what a 1xx given to sip_dialog_response() means for the dialog it belongs to. 1: reliable and
 * the next in order, to be acknowledged with *rseq; 0: not reliable. Errors: -EALREADY a copy,
 * -EPROTO out of order: both are dropped. */
int sip_reliable_receive(struct sip_dialog *dialog, const struct sip_msg *response, uint32_t *rseq);
/* "RAck: RSEQ CSEQ INVITE", a whole line. */
void sip_reliable_rack(struct buf *out, uint32_t rseq, uint32_t invite_cseq);
