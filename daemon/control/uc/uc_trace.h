/* SPDX-License-Identifier: Apache-2.0 */
/* uc_trace.h - the SIP messages that sm, cm and presence keep, as one trace. */
#pragma once
#include "base/json_field.h"
#include "control/uc/uc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr;

enum {
	UC_TRACE_MAX = 5000, /* messages of one ladder, one export */
	UC_TRACE_ID_SIZE = 40,
};

/* Which messages; NULL and 0: any. */
struct uc_trace_filter {
	const char *node;	  /* "sm": of this one alone */
	const char *user;	  /* a word of the request line, From or To */
	const char *call_id;	  /* equality */
	const char *gsid;	  /* equality */
	const char *address;	  /* IP address, with or without port, of either end */
	const char *text;	  /* somewhere in the message, in any case of ASCII */
	int64_t from_us;	  /* at this time or later */
	int64_t to_us;		  /* before it */
	uint64_t after[UC_NODES]; /* sequence numbers: only later ones */
	bool oldest;		  /* the first that match, not the last */
	uint32_t limit;		  /* 1..UC_TRACE_MAX */
};

/* What the nodes answered. */
struct uc_trace {
	json_t *items; /* array, oldest first: what the node tells, with `node`, `id` and `summary` */
	json_t *nodes; /* [{node,state:ok|unreachable|absent}] */
	int64_t matched;
	bool more; /* match than are given */
	bool answered[UC_NODES];
	uint64_t oldest[UC_NODES]; /* sequence numbers that a node has, 0 none */
	uint64_t newest[UC_NODES];
	uint64_t next[UC_NODES]; /* with filter.oldest: `after` of the next reading */
};
void uc_trace_done(struct uc_trace *trace);
#define AUTO_UC_TRACE __attribute__((cleanup(uc_trace_done))) struct uc_trace

/* Ask all nodes that are deployed; may block. A node that does not answer is told in `nodes`.
 * Errors: -EAGAIN no node answers, -EINVAL one refuses the filter, -ENOMEM. */
int uc_trace_read(struct uc *uc, const struct uc_trace_filter *filter, struct uc_trace *ret,
		  struct error *err);
/* One message by its id ("sm-1763744523123456"). Errors: -ENOENT, as above. */
int uc_trace_find(struct uc *uc, const char *id, json_t **ret, struct error *err);
/* "sm", "cm", "presence". */
const char *uc_trace_node(size_t index);
/* What sm says of its entities, [] when it does not answer; new reference. */
json_t *uc_trace_entities(struct uc *uc);
