/* SPDX-License-Identifier: Apache-2.0 */
/* calls.h - the live calls by global session id, and which Call-ID belongs to which. */
#pragma once
#include "base/json_field.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "net/addr.h"

struct calls; /* opaque, see calls.c */

#define CALLS_MAX 65536
#define CALLS_LEGS_MAX 32
#define CALLS_DIALOGS_MAX 16 /* Call-IDs of one call */
#define CALLS_AGE_MAX_MS (24LL * 3600 * 1000)

enum call_state { CALL_RINGING, CALL_TALKING, CALL_HELD };

/* Errors: -ENOMEM. */
int calls_new(struct calls **ret);
struct calls *calls_free(struct calls *calls);
DEFINE_AUTO(calls)

/* An INVITE outside of a dialog passes. The first one of a gsid begins the call. true: it did. */
bool calls_invite(struct calls *calls, struct slice gsid, struct slice call_id, struct slice caller,
		  struct slice callee, int64_t now_ms);
/* Who began it, from where; kept until it ends. */
#define CALLS_CALLER_SIZE 65
struct entity;
struct call_origin {
	struct addr source;
	struct entity *entity;		/* NULL: a phone */
	bool trusted;			/* over a trusted link */
	char caller[CALLS_CALLER_SIZE]; /* handle, "" none of ours */
};
void calls_set_origin(struct calls *calls, struct slice gsid, const struct call_origin *origin);
const struct call_origin *calls_origin(const struct calls *calls, struct slice gsid); /* or NULL */
/* The caller is off-hook and has dialled nothing yet: no call to show before calls_dialled(). */
void calls_reserved(struct calls *calls, struct slice gsid);
void calls_dialled(struct calls *calls, struct slice gsid, struct slice callee);
/* A phone of that user rings, or answered. */
void calls_leg(struct calls *calls, struct slice gsid, struct slice handle, struct slice contact,
	       enum call_state state, int64_t now_ms);
void calls_leg_ended(struct calls *calls, struct slice gsid, struct slice contact);
/* The call goes on without that application, or ends: what it still sends comes too late. */
void calls_lose(struct calls *calls, struct slice gsid, unsigned half, unsigned place);
/* May the application at that place go on with the call? */
bool calls_awaits(const struct calls *calls, struct slice gsid, unsigned half, unsigned place);
void calls_held(struct calls *calls, struct slice call_id, bool held);
void calls_ended(struct calls *calls, struct slice gsid);
/* One of its dialogs has ended; the call has with its last one: a transfer ends some and makes others. */
void calls_dialog_ended(struct calls *calls, struct slice call_id);
/* The gsid of a dialog, empty when none is known; valid until the call ends. */
struct slice calls_gsid(const struct calls *calls, struct slice call_id);
void calls_expire(struct calls *calls, int64_t now_ms); /* those nobody ended */
size_t calls_count(const struct calls *calls);
/* {"items":[{gsid,caller,callee,state,started_at,answered_at,legs:[{handle,contact,state}]}]};
 * new reference, NULL without memory. */
json_t *calls_to_json(const struct calls *calls);
