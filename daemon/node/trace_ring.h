/* SPDX-License-Identifier: Apache-2.0 */
/* trace_ring.h - the last SIP messages of a call server, in bounded memory, without secrets. */
#pragma once
#include "base/slice.h"

#include "base/json_field.h"
#include <stddef.h>
#include <stdint.h>

struct trace_ring;

enum trace_direction { TRACE_IN, TRACE_OUT };

/* Slices are copied by trace_add(); any may be empty. */
struct trace_entry {
	enum trace_direction direction;
	int64_t at_us;	       /* wall clock, microseconds since 1970 */
	const char *transport; /* "udp" "tcp" "tls"; a literal, kept by pointer */
	struct slice local;    /* address:port */
	struct slice remote;   /* address:port */
	struct slice call_id;
	struct slice gsid;
	struct slice message; /* the whole message; more than 16 KiB is cut */
};

struct trace_filter {
	const char *call_id; /* NULL: any; else equality */
	const char *gsid;
	const char *user;    /* substring of the From, To or request line */
	const char *address; /* prefix of local or remote */
	uint64_t after;	     /* sequence number: only later ones */
	size_t limit;	     /* 1..500 newest that match */
};

/* bytes: all the memory it will ever use, at least 64 KiB. NULL: no memory. One thread. */
struct trace_ring *trace_ring_new(size_t bytes);
struct trace_ring *trace_ring_free(struct trace_ring *ring);

/* Keep a message; the oldest make room. Values of digest `response`, `nonce`, `cnonce`,
 * `opaque`, and whole Basic or Bearer credentials are masked in the copy. ring may be NULL. */
void trace_add(struct trace_ring *ring, const struct trace_entry *entry);
/* A call's messages seen before its global session id was known are filed under it too. */
void trace_bind_gsid(struct trace_ring *ring, struct slice call_id, struct slice gsid);
/* {"items":[{seq,at,direction,transport,local,remote,call_id,gsid,message}]}, oldest first.
 * New reference, or NULL without memory. */
json_t *trace_query(const struct trace_ring *ring, const struct trace_filter *filter);
size_t trace_count(const struct trace_ring *ring);
