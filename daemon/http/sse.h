/* SPDX-License-Identifier: Apache-2.0 */
/* sse.h - event streams (WHATWG server-sent events): a ring of recent events, open streams with
 * their topics, resume by id. Events come from a database in the order of their ids. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct http_server;
struct http_stream_source;
struct sse_hub;

enum {
	SSE_RING = 2048, /* events kept for streams that come back, and their bytes */
	SSE_RING_BYTES = 8 << 20,
	SSE_OWNER_SIZE = 48, /* bytes of an owner's name */
	SSE_TOPIC_MAX = 32,  /* topics one stream may ask for */
	SSE_PING_MS = 15000,
};

struct sse_event {
	uint64_t id;	   /* above 0, above all before it */
	const char *topic; /* "vms" */
	const char *type;  /* "vm.changed" */
	const char *data;  /* one line of JSON */
};

/* A hub for one server. after: the newest id that is not in the ring, normally the newest id in
 * the database at start. Freed before its server's stop returns; see sse_hub_free(). */
int sse_hub_new(struct http_server *server, uint64_t after, struct sse_hub **ret,
		struct error *err);
/* End all streams and free. NULL is fine. Call before http_server_stop(). */
struct sse_hub *sse_hub_free(struct sse_hub *hub);

/* Keep the hub's memory after sse_hub_free(), for requests under way that may still use it; let go of it
 * when the server has stopped. */
struct sse_hub *sse_hub_hold(struct sse_hub *hub);
struct sse_hub *sse_hub_let_go(struct sse_hub *hub);

/* Hand an event to the ring and to every stream that has its topic. Any thread; ids in order. */
int sse_publish(struct sse_hub *hub, const struct sse_event *event);

struct sse_subscription {
	const char *owner;	   /* who listens; sse_close_owner() ends by it */
	const char *const *topics; /* NULL-terminated; "uc.*" is not a pattern: list each */
	uint64_t after;		   /* up to here the client has it, or the backlog holds it */
	bool reset;		   /* send `reset` first: the client's id was too old or unknown */
	const struct sse_event *backlog; /* from the database, in order, up to `after`; copied */
	size_t backlog_count;
};

/* Make the source for reply_stream(): first the backlog, then the ring, then live.
 * An `after` that the ring no longer reaches makes a `reset`; one beyond the ring is the caller's to
 * judge, for the database may be ahead of it. The reply owns the source. */
int sse_subscribe(struct sse_hub *hub, const struct sse_subscription *subscription,
		  struct http_stream_source **ret, struct error *err);
/* How many streams have that topic. Any thread. */
size_t sse_listeners(struct sse_hub *hub, const char *topic);
/* End the streams of an owner. Any thread. */
void sse_close_owner(struct sse_hub *hub, const char *owner);
/* Owners with open streams, each once: copies at most max names; returns how many there are. */
size_t sse_owners(struct sse_hub *hub, char (*owners)[SSE_OWNER_SIZE], size_t max);
