/* SPDX-License-Identifier: Apache-2.0 */
/* transfer_private.h - between transfer.c (REFER, and what its phone is told) and transfer_target.c (the half of
 * the new party). */
#pragma once
#include "cm/transfer.h"

#include <stdint.h>

struct cm;
struct sip_client_txn;

/* A transfer, from its REFER to the last NOTIFY. It belongs to the half whose phone asked; when that is over
 * first, to the target half. */
struct transfer {
	struct b2bua_half *asker, *target; /* NULL once over */
	struct cm *cm;
	struct sip_client_txn *notify;
	uint32_t event_id; /* CSeq of the REFER */
	unsigned next;	   /* status to tell when the NOTIFY is answered; 0 none */
	bool quiet;	   /* Refer-Sub: false */
	bool decided;	   /* the last word is spoken */
};

/* Free it once nobody holds it. */
void transfer_settle(struct transfer *t);
/* Tell the phone of a status; it may be that nothing of the transfer is left then. */
void transfer_tell(struct transfer *t, unsigned status);
/* The last word, once: 2xx the kept side is joined. */
void transfer_decide(struct transfer *t, unsigned status);
/* Which side of the half stays. */
bool transfer_kept_up(const struct b2bua_half *asker);
/* A half for the new party, in the call of that one. Errors: -ENOMEM, as call_add_half(). */
int transfer_target_new(struct b2bua_half *b, uint32_t max_forwards, struct transfer *t,
			struct b2bua_half **ret);
