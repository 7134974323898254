/* SPDX-License-Identifier: Apache-2.0 */
/* uc_ladder_private.h - a trace being read: its messages, and who takes part. */
#pragma once
#include "base/map.h"
#include "control/uc/uc_ladder.h"

#define UC_LADDER_PARTIES_MAX 250 /* the last stands for all beyond */
#define UC_LADDER_NAME_SIZE 96

enum party_kind { PARTY_NODE, PARTY_ENTITY, PARTY_PHONE, PARTY_UNKNOWN };

struct party {
	enum party_kind kind;
	char name[UC_LADDER_NAME_SIZE];
	const char *address; /* borrowed from an item; NULL of a node */
	bool caller;	     /* the first outsider who spoke */
	int column;
};

/* One message of the trace, read once. Texts are the item's. */
struct arrow {
	struct map_node link; /* by text, while it waits for its receiver */
	struct map_node seen; /* by text, the first of its way */
	json_t *item;
	struct arrow *receipt; /* of what was sent: the same message at the other node */
	bool merged;	       /* is such a receipt */
	bool sent, request, sdp, again;
	const char *node, *local, *remote;
	int64_t at_us;
	unsigned status;
	uint32_t cseq;
	char method[24]; /* of the request, also of a response's CSeq */
	char phase[16];
	char reason[48];
	char from_user[UC_LADDER_NAME_SIZE], to_user[UC_LADDER_NAME_SIZE],
		uri_user[UC_LADDER_NAME_SIZE];
	size_t from, to, leg;
};

struct ladder {
	struct arrow *arrow;
	size_t count;
	struct party party[UC_LADDER_PARTIES_MAX];
	size_t parties;
	const json_t *entities;
	json_t *legs;
};

/* A text member of an item; "" where there is none. */
const char *uc_ladder_text(const json_t *item, const char *member);

/* The whole message. */
struct slice uc_ladder_bytes(const struct arrow *a);

/* Read the items (borrowed) into arrows, pair what one node sent with what another received, and set one
 * clock for all. Errors: -ENOMEM. */
int uc_ladder_read(struct ladder *l, json_t *items);

/* Who is at both ends of each arrow: needs the pairs. Errors: -ENOMEM. */
int uc_ladder_find_ends(struct ladder *l);
