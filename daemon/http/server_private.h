/* SPDX-License-Identifier: Apache-2.0 */
/* server_private.h - what server.c, connection.c, exchange.c, reply.c and sse.c share. */
#pragma once
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/list.h"
#include "base/loop.h"
#include "http/problem.h"
#include "http/server.h"

struct stream;
struct tcp_listener;
struct batch;
struct tunnel;

enum { REPLY_HEADER_MAX = 12, EXCHANGE_DRAIN = 4 * 1024 * 1024 };

struct http_reply {
	unsigned status; /* 0: nothing was set */
	struct {
		char *name;
		char *value;
	} header[REPLY_HEADER_MAX];
	size_t header_count;
	const char *content_type; /* literal or owned_type */
	char *owned_type;
	char *body; /* malloc'd, body_len bytes */
	size_t body_len;
	struct http_stream_source *stream;
	struct tunnel *tunnel;
	struct batch *batch;
};
void reply_done(struct http_reply *reply);

enum connection_phase {
	PHASE_OPENING, /* TLS handshake */
	PHASE_HEADER,  /* a header is awaited or under way */
	PHASE_BODY,
	PHASE_REPLY,
	PHASE_IDLE,   /* between requests */
	PHASE_LINGER, /* answered before the body was read: swallow the rest for a moment */
};

/* One client: a stream of net/ relayed to a socket pair whose other end is libmicrohttpd's. */
struct connection {
	struct list link;
	struct http_server *server;
	struct stream *stream; /* NULL once closed */
	struct loop_io pair;   /* our end; fd -1 once closed */
	bool with_mhd;	       /* libmicrohttpd has not reported its end yet */
	bool flushing;	       /* our stream is closing after its queue */
	struct buf to_mhd;     /* what the pair did not take yet */
	struct buf to_client;  /* what the stream did not take yet */
	enum connection_phase phase;
	struct timer deadline;
	struct http_peer peer;
	struct exchange *exchange; /* the request under way, or NULL */
	struct tunnel *tunnel;	   /* libmicrohttpd is out of it: bytes go there */
	bool tunnelled;		   /* and the tunnel has ended */
};

enum exchange_state { EXCHANGE_NEW, EXCHANGE_BODY, EXCHANGE_RUNNING, EXCHANGE_DONE, EXCHANGE_SENT };

/* One request and its answer. */
struct exchange {
	struct http_server *server;
	struct connection *connection; /* set by the first handler call */
	struct MHD_Connection *mhd;
	enum exchange_state state;
	char id[27];
	char *target; /* raw, as on the wire */
	struct http_request req;
	struct http_pair query[HTTP_QUERY_MAX];
	struct http_pair header[HTTP_HEADER_MAX];
	struct http_peer peer;
	char *arena; /* decoded parameters and query */
	struct buf body;
	size_t drained;
	int early; /* errno found before the body was there; answered once it is read */
	unsigned allow;
	bool close;
	struct error err;
	struct http_reply reply;
	struct http_stream_source *live; /* the event stream that is being sent, or NULL */
};

struct http_server {
	struct http_config config;
	struct http_router *router;
	struct loop *io;
	pthread_t thread;
	struct MHD_Daemon *mhd;
	struct loop_io mhd_io;
	struct timer mhd_timer;
	bool pump;
	bool closing;
	struct timer stop_timer;
	uint32_t grace;
	uint64_t stop_at;
	struct list connections;
	struct tcp_listener *tls_listener;
	struct loop_io unix_io;
	char *unix_path;
	uint32_t unix_open;
	uint32_t tunnels;
	_Atomic uint32_t running; /* exchanges that are with a handler */
	_Atomic uint64_t requests;
	_Atomic uint64_t answers[6];
	_Atomic uint32_t open;
	_Atomic uint32_t streams;
};

/* server.c */
void server_pump_soon(struct http_server *server);
void server_maybe_stopped(struct http_server *server);

/* connection.c */
int connection_accept_tls(void *server, struct stream *stream);
void connection_accept_unix(struct loop_io *io, uint32_t events);
void connection_phase(struct connection *c, enum connection_phase phase);
void connection_abort(struct connection *c);
void connection_mhd_gone(struct connection *c);
void connection_unref(struct connection *c); /* freed once nobody holds it */
/* The address given to libmicrohttpd holds the connection's pointer. */
struct connection *connection_of_address(const struct sockaddr *address);

/* tunnel.c */
struct tunnel *tunnel_free(struct tunnel *t); /* one that has not started */
/* From now on the connection's bytes go there. Errors: what tcp_connect() gives; t stays the caller's. */
int tunnel_start(struct connection *c, struct tunnel *t);
int tunnel_send(struct tunnel *t, struct slice bytes);
void tunnel_client_gone(struct tunnel *t);

/* batch.c */
struct batch *batch_free(struct batch *batch); /* one that has not started */
/* Takes the batch of x's reply; x is completed when it is answered. Errors: -ENOMEM. */
int batch_start(struct exchange *x);

/* exchange.c */
/* Splits x->target and finds its route. Errors: -ENOENT (without a text if a file may be there) … */
int exchange_read_target(struct exchange *x, const char *method);
/* The access check and the handler, where handlers run; a failure becomes the reply's problem. */
void exchange_run_handler(struct exchange *x);
/* Have run_it(user) called where handlers run. Errors: -EAGAIN. */
int exchange_submit(struct http_server *server, void (*run_it)(void *user), void *user);
/* The reply is there: the connection goes on. On the server's thread. */
void exchange_complete(struct exchange *x);
void *exchange_begin(void *server, const char *target, struct MHD_Connection *mhd);
enum MHD_Result exchange_handle(void *server, struct MHD_Connection *mhd, const char *url,
				const char *method, const char *version, const char *upload,
				size_t *upload_size, void **slot);
void exchange_completed(void *server, struct MHD_Connection *mhd, void **slot,
			enum MHD_RequestTerminationCode code);
/* The client is gone: an event stream must notice. */
void exchange_client_gone(struct exchange *x);

/* exchange_answer.c: the answer handed to libmicrohttpd */
enum MHD_Result exchange_answer(struct exchange *x);
void exchange_problem(struct exchange *x, int r);
/* Where it pays, and the caller takes it: after the handler, on its thread. */
void exchange_compress(struct exchange *x);

/* static.c: answer from memory; NULL when files has nothing for path. */
struct MHD_Response *static_response(struct http_static *files, struct slice path,
				     const char *accept_encoding, const char *if_none_match,
				     unsigned *status);

/* sse.c; all on the server's thread */
ssize_t sse_read(void *source, uint64_t pos, char *buf, size_t max);
void sse_release(void *source);
/* *slot points to the source until it is released. */
void sse_attach(struct http_stream_source *source, struct MHD_Connection *mhd,
		struct http_stream_source **slot);
void sse_detach(struct http_stream_source *source); /* slot goes away */
void sse_end(struct http_stream_source *source);
