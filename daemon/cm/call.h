/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - the calls of this server: the halves that one global session id ties together, the live
 * view of them and the records that are left when they are over. */
#pragma once
#include "base/json_field.h"
#include "base/map.h"
#include "cm/half.h"

#define CALL_GSID_SIZE 65
#define CALL_HALVES_MAX 16 /* of one global session id: a transfer adds some, a loop does not */

/* What the record of the whole call says, gathered as halves end; the originating half knows best. */
struct call_summary {
	bool set;
	unsigned
		rank; /* of the half it was taken from: the first orig half's, a term half's, others' */
	char caller[HALF_PARTY_SIZE];
	char callee[HALF_PARTY_SIZE];
	int64_t started_at, answered_at, ended_at;
	enum half_result result;
	unsigned sip_status;
};

struct call {
	struct map_node by_gsid;
	struct list halves;
	unsigned half_count;
	unsigned numbered[2]; /* halves of each phase so far, for the key of their records */
	char gsid[CALL_GSID_SIZE];
	struct call_summary summary;
};

struct call_table {
	struct map by_gsid;
	size_t limit; /* calls at a time */
};

void call_table_init(struct call_table *t, size_t limit);
void call_table_done(struct call_table *t); /* every half must have been removed */

/* Put a half under its global session id, making the call if it is the first. An empty or unusable
 * gsid gets a new one. Errors: -EUSERS too many calls, -EMLINK too many halves of this one (a loop),
 * -ENOMEM. */
int call_add_half(struct call_table *t, struct half *h, struct slice gsid);
/* Take it out; the call goes with its last half. A half in no call is left alone. */
void call_remove_half(struct call_table *t, struct half *h);
/* A gsid that may be used as it came: 1 to 64 of letters, digits, "-", ".", "_", "@". */
bool call_gsid_is_valid(struct slice gsid);

/* A half is over: remember what the call's record needs. True if no half of the call is live any
 * more, so that call_record() is due. */
bool call_note_over(struct call *c, const struct half *h);
/* The records of node/records.h; new references, NULL without memory. */
json_t *call_record(const struct call *c);
json_t *call_half_record(const struct half *h);

/* {"items":[…]} of the live calls, at most limit; a new reference, NULL without memory. */
json_t *call_table_json(const struct call_table *t, size_t limit);
/* A number that differs whenever call_table_json() does; cheap. */
uint64_t call_table_version(const struct call_table *t, size_t limit);
/* How many calls are live. */
size_t call_live_count(const struct call_table *t);
