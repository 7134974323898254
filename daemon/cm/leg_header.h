/* SPDX-License-Identifier: Apache-2.0 */
/* leg_header.h - which header fields cross from one leg of a half to the other: one table. */
#pragma once
#include "base/slice.h"
#include "codec/sip/sip_header.h"

struct buf;
struct sip_msg;

/* What a message on its way through is. */
enum leg_way {
	LEG_WAY_INVITE = 1 << 0,   /* the INVITE that makes the call */
	LEG_WAY_PROGRESS = 1 << 1, /* 1xx */
	LEG_WAY_ANSWER = 1 << 2,   /* 2xx */
	LEG_WAY_REFUSAL = 1 << 3,  /* 3xx to 6xx */
	LEG_WAY_REQUEST = 1 << 4,  /* inside the dialog, and its answers */
	LEG_WAY_DIVERTED =
		1 << 5, /* the INVITE again, to somebody else: History-Info is written anew */
};

/* Does a field of that id cross on this way? What no row names does not: Via, Route, Contact, Require,
 * Supported and credentials belong to one leg. */
bool leg_header_crosses(enum sip_header_id id, enum leg_way way);
/* Append whole lines of all fields that cross. Av-Global-Session-ID does not: the call has it. */
void leg_header_copy(const struct sip_msg *msg, enum leg_way way, struct buf *out);

/* A final status as the other side may see it: credentials are not asked for across a half, a
 * redirection is not followed, and a 503 would make a phone leave its session manager. */
unsigned leg_status_pass(unsigned status);

/* From or To without its tag. 0, or -EBADMSG. */
int leg_party_text(struct slice value, struct buf *out);
