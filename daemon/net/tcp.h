/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.h - TCP listener with limits per address, and connecting; both give streams (stream.h),
 * with TLS when a context is given. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct addr;
struct error;
struct loop;
struct stream;
struct stream_handlers;
struct stream_limits;
struct tcp_listener; /* opaque, see tcp.c */
struct tls_context;

struct tcp_listener_config {
	const struct addr *local;
	struct tls_context *tls;	    /* NULL = plain; referenced */
	uint32_t connections_max;	    /* in all; 0 = 1,024 */
	uint32_t connections_per_address;   /* 0 = 64; IPv6 is counted by /64 */
	const struct stream_limits *limits; /* NULL = defaults; copied */
};

struct tcp_listener_stats {
	uint64_t accepted, refused_total, refused_address;
};

/* Called for every accepted connection before its handshake; *handlers and *user are filled in by
 * the callee. Returns 0, or a negative errno to refuse (the socket is closed). */
typedef int tcp_accept_fn(void *user, struct stream *stream);

/* Listen. accept_fn must give the stream its handlers with stream_set_user().
 * Errors: -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -ENOMEM. */
int tcp_listener_new(struct loop *loop, const struct tcp_listener_config *config,
		     tcp_accept_fn *accept_fn, void *user, struct tcp_listener **ret,
		     struct error *err);
/* Stops listening; accepted streams live on. Accepts NULL, returns NULL. */
struct tcp_listener *tcp_listener_free(struct tcp_listener *listener);
DEFINE_AUTO(tcp_listener)
const struct addr *tcp_listener_local(const struct tcp_listener *listener);
const struct tcp_listener_stats *tcp_listener_stats(const struct tcp_listener *listener);

/* Connect without blocking; success and failure come through the handlers. source (may be NULL)
 * fixes the local IP address. server_name as in stream_adopt(). Errors: -ENOMEM, -EMFILE, and what
 * socket() and connect() refuse at once. */
int tcp_connect(struct loop *loop, const struct addr *to, const struct addr *source,
		struct tls_context *tls, const char *server_name,
		const struct stream_limits *limits, const struct stream_handlers *handlers,
		void *user, struct stream **ret);

/* A listening unix socket (mode e.g. 0660; an old socket file is replaced); its fd, or -errno. */
int tcp_unix_listen(const char *path, unsigned int mode, struct error *err);
