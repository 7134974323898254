/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - HTTP/1.1 server: TLS and unix-socket listeners, deadlines, dispatch by a route table.
 *
 * The server has one thread of its own: accept, TLS, libmicrohttpd and event streams run there.
 * Handlers never do: they run as jobs on workers, or on the caller's loop (HTTP_RUN_LOOP), while
 * their connection is suspended. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "http/request.h"
#include "http/route.h"

struct error;
struct http_reply;
struct http_server;
struct http_static;
struct job_pool;
struct loop;
struct tls_context;

enum http_run {
	HTTP_RUN_WORKERS, /* handlers may block; several at once */
	HTTP_RUN_LOOP,	  /* handlers run on config.loop, one at a time, and must not block */
};

struct http_hooks {
	/* Say who asks and whether the route's permission lets them in: set req->actor or return
	 * -EKEYREJECTED (401), -EACCES (403), -EUSERS (429). Runs where handlers run, before the
	 * handler, also for HTTP_PUBLIC routes. NULL: everybody may do everything. */
	int (*authorize)(void *context, struct http_request *req, struct error *err);
	/* Called after the handler with its result and status (audit of refusals, counters);
	 * releases req->actor. May be NULL. */
	void (*done)(void *context, struct http_request *req, unsigned status,
		     const struct error *err);
};

/* Deadlines and bounds; zero members take the defaults named here. */
struct http_limits {
	uint32_t header_timeout; /* ms from the first byte to the end of the header: 10000 */
	uint32_t body_timeout;	 /* ms for the whole body: 30000 */
	uint32_t idle_timeout;	 /* ms a kept-alive connection may wait: 60000 */
	uint32_t connections;	 /* in all: 512 */
	uint32_t connections_per_address; /* 128 */
	uint32_t body_bytes;		  /* HTTP_BODY_LIMIT */
};

struct http_config {
	const struct http_route *routes;
	size_t route_count;
	void *context; /* first argument of handlers and hooks */
	struct http_hooks hooks;
	struct http_limits limits;
	enum http_run run;
	struct loop *loop;	  /* where HTTP_RUN_LOOP handlers run; borrowed */
	struct job_pool *workers; /* where HTTP_RUN_WORKERS handlers run; borrowed */
	/* Makes JSON over 1 kB smaller for those who accept gzip (gzip/gzip.h); runs where handlers run.
	 * NULL: answers are plain. Returns 0 or a negative errno, then the answer stays plain. */
	int (*gzip)(const void *bytes, size_t len, char **ret, size_t *ret_len);
	struct http_static *files; /* served for GETs that no route takes; may be NULL; borrowed */
};

/* Make a server that listens nowhere yet and start its thread. Copies config, not what it names.
 * Errors: -EINVAL bad route table, -ENOMEM, -EIO libmicrohttpd refused. */
int http_server_new(const struct http_config *config, struct http_server **ret, struct error *err);

/* Listen on "ADDRESS:PORT" ("[::]:8443", port 0 = any) with TLS, once at most. tls is referenced
 * (renew it by tls_context_reload()); a context that demands client certificates gives the handler
 * peer->client_cn. port may be NULL, else it gets the bound port.
 * Errors: -EINVAL, -EADDRINUSE, -EACCES, -EIO. */
int http_server_listen_tls(struct http_server *server, const char *address, struct tls_context *tls,
			   uint16_t *port, struct error *err);
/* Listen on a unix socket; a stale file is replaced, a live one is -EADDRINUSE. The file gets mode
 * and, unless gid is -1, the group. */
int http_server_listen_unix(struct http_server *server, const char *path, mode_t mode, gid_t gid,
			    struct error *err);

/* Close the listeners, let requests under way finish for at most grace ms, end all streams,
 * then free. Call on the thread that made it (for HTTP_RUN_LOOP: the loop's own). NULL is fine. */
struct http_server *http_server_stop(struct http_server *server, uint32_t grace);

/* Counters for /metrics; any thread. */
struct http_stats {
	uint64_t requests;
	uint64_t answers[6]; /* by first digit of the status, [0] unused */
	uint32_t open;	     /* connections now */
	uint32_t streams;    /* event streams now */
};
void http_server_stats(struct http_server *server, struct http_stats *ret);
