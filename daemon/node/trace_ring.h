/* SPDX-License-Identifier: Apache-2.0 */
/* trace_ring.h - the last SIP messages of a call server, in bounded memory, and never its secrets. */
#pragma once
#include "base/slice.h"

#include "base/json_field.h"
#include "net/addr.h"
#include "node/trace_text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct trace_ring;

enum trace_direction { TRACE_IN, TRACE_OUT };

enum { TRACE_LIMIT_MAX = 500 };

/* Slices are copied by trace_add(); any may be empty. */
struct trace_entry {
	enum trace_direction direction;
	int64_t at_us;		  /* wall clock, microseconds since 1970 */
	const char *transport;	  /* "udp" "tcp" "tls" "wss"; a literal, kept by pointer */
	const struct addr *local; /* NULL: not known */
	const struct addr *remote;
	const struct trace_fields *fields; /* as of trace_scan(); NULL: it is scanned here */
	/* Of no call: its global session id is that of its fields, and no other message of its Call-ID gets or gives
	 * one. fields->call_id may be empty then: it is read when somebody asks for it. */
	bool alone;
	struct slice gsid;    /* where the message itself has none; empty: not known */
	struct slice message; /* the whole message; more than 16 KiB is cut */
};

struct trace_filter {
	const char *call_id;	    /* NULL: any; else equality */
	const char *gsid;	    /* equality */
	const char *user;	    /* a word of the request line, From or To */
	const struct addr *address; /* NULL: any; else local or remote; port 0: with any port */
	const char *text;	    /* NULL: any; else somewhere in the message, in any case */
	uint64_t after;		    /* sequence number: only later ones */
	int64_t from_us;	    /* only at this time or later */
	int64_t to_us;		    /* 0: any; else only before it */
	bool oldest;		    /* the first that match, not the last */
	size_t limit;		    /* 1..TRACE_LIMIT_MAX */
};

/* bytes: the memory for messages, at least 64 KiB; the index of Call-IDs takes a 32nd more. NULL: no
 * memory. One thread. */
struct trace_ring *trace_ring_new(size_t bytes);
struct trace_ring *trace_ring_free(struct trace_ring *ring);

/* Keep a message; the oldest make room. Secrets are masked before anybody reads it (trace_text.h). Its time is
 * made later than that of the message before it, so that a time names one message. A message
 * without global session id gets its Call-ID's, and the first that has one gives it to those before it.
 * ring may be NULL. */
void trace_add(struct trace_ring *ring, const struct trace_entry *entry);
/* A call's messages seen before its global session id was known are filed under it too. */
void trace_bind_gsid(struct trace_ring *ring, struct slice call_id, struct slice gsid);
/* {"items":[{seq,at,at_us,direction,transport,local,remote,call_id,gsid,message,truncated,encoding}],"more",
 * "matched","oldest","newest"}, items oldest first; `more` match than are shown (the limit, or 2 MiB
 * of messages), oldest and newest are the ring's sequence numbers (0: empty). New reference, or NULL
 * without memory. */
json_t *trace_query(const struct trace_ring *ring, const struct trace_filter *filter);
size_t trace_count(const struct trace_ring *ring);
/* Append its metrics for Prometheus. */
void trace_metrics(const struct trace_ring *ring, struct buf *out);
