/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - session timers on each leg of a half by itself. RFC 4028.
 *
 * The peer refreshes wherever it can; we do where it asks us to. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/timer.h"
#include "codec/sip/sip_misc.h"

struct b2bua_half;
struct sip_client_txn;
struct sip_dialog;
struct sip_extra;
struct sip_msg;

#define SESSION_LEAST_S 90 /* the smallest interval that may be asked for (section 4) */

/* What a message says about the session's interval. */
struct session_words {
	uint32_t interval_s; /* 0: nothing */
	uint32_t least_s;    /* Min-SE, at least SESSION_LEAST_S */
	enum sip_refresher refresher;
	bool supported; /* its sender knows session timers */
};

struct session_terms {
	uint32_t interval_s; /* 0: the session has no timer */
	bool we_refresh;
	bool demanded; /* the 2xx says Require: timer */
};

/* One leg's timer. */
struct session {
	struct b2bua_half *owner;
	struct timer timer;
	struct session_terms terms;
	struct sip_client_txn *txn; /* a refresh of ours */
	bool up, updates;	    /* the peer allows UPDATE */
	uint64_t ends_ms;	    /* loop time at which the session has expired */
	struct buf sdp;		    /* the description that it was told last, session_told() */
	char sdp_type[64];	    /* "" when its type is too long to be kept */
};

void session_read(const struct sip_msg *msg, struct session_words *ret);
/* A request whose interval is too small for us and whose sender can be told: 422 with Min-SE. */
bool session_is_short(const struct session_words *request);
/* The terms of a 2xx of ours; own_s: what we propose to one who knows timers and proposes nothing. */
void session_accept(const struct session_words *request, uint32_t own_s, struct session_terms *ret);
/* The terms of a 2xx that we got. */
void session_agree(const struct session_words *answer, struct session_terms *ret);

/* The INVITE that makes the call came: its leg. */
void session_begin(struct b2bua_half *b);
/* Lines for a request towards a side: the first INVITE (least_s: what a 422 asked for, 0 nothing), or
 * one inside the call. */
void session_propose(const struct b2bua_half *b, uint32_t least_s, struct buf *headers);
void session_keep(const struct b2bua_half *b, bool up, struct buf *headers);
/* Lines for a 2xx towards a side, to that request; the timer runs from now. */
void session_answer(struct b2bua_half *b, bool up, const struct sip_msg *request,
		    struct buf *headers);
/* A 2xx came from a side: the timer runs from now. */
void session_agreed(struct b2bua_half *b, bool up, const struct sip_msg *answer);
/* The description that a side was told last; empty: none. */
struct slice session_told(const struct session *s);
/* A description goes to a side in that dialog: extra's body gets the dialog's origin (origin.h) and is
 * kept; it is borrowed until the side is told something else. Not for one that session_told() gave. */
void session_tell(struct b2bua_half *b, bool up, struct sip_dialog *dialog,
		  struct sip_extra *extra);
/* What a side was told, or will have been: without sending. */
void session_note(struct b2bua_half *b, bool up, struct slice type, struct slice body);
/* That side has left. */
void session_stop_side(struct b2bua_half *b, bool up);
void session_stop(struct b2bua_half *b);
