/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - one byte-stream connection on the loop, plain TCP, TLS or a unix socket alike:
 * bounded receive and send buffers, idle timeout, one close report. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"

struct addr;
struct loop;
struct stream; /* opaque, see stream.c */
struct tls_context;

struct stream_handlers {
	/* The connection is established and, with TLS, the peer verified. May be NULL. */
	void (*open)(void *user, struct stream *stream);
	/* All bytes received and not yet consumed. Returns how many were consumed (the rest is
	 * shown again with what comes next), or a negative errno to close. A full buffer of which
	 * nothing is consumed closes with -EMSGSIZE. */
	ssize_t (*data)(void *user, struct stream *stream, struct slice bytes);
	/* The send queue fell to empty after stream_write() had returned -EAGAIN. May be NULL. */
	void (*drained)(void *user, struct stream *stream);
	/* Last call, exactly once, never from inside another call of this stream's API: reason 0 =
	 * peer closed, else negative errno (-ETIMEDOUT, -ECONNREFUSED, -ECONNRESET, -EPROTO TLS
	 * failure, -ECANCELED own stream_close()). The stream is freed afterwards. */
	void (*closed)(void *user, struct stream *stream, int reason);
};

struct stream_limits {
	size_t receive_max;	       /* bytes of the receive buffer; 0 = 65,536 */
	size_t send_max;	       /* bytes queued for sending; 0 = 262,144 */
	uint32_t connect_timeout_ms;   /* TCP connect; 0 = 4,000 */
	uint32_t handshake_timeout_ms; /* TLS; 0 = 5,000 */
	uint32_t idle_timeout_ms;      /* nothing received; 0 = never */
	uint32_t write_timeout_ms;     /* queued bytes that nobody takes; 0 = 30,000 */
};

/* Take over a connected socket (fd is closed by the stream, on failure too). tls may be NULL;
 * it is referenced. server says which side of a TLS handshake this is; server_name (client, may be
 * NULL) is sent as SNI and must match the certificate. handlers stay borrowed.
 * Errors: -ENOMEM, -EINVAL. */
int stream_adopt(struct loop *loop, int fd, const struct addr *peer, struct tls_context *tls,
		 bool server, const char *server_name, const struct stream_limits *limits,
		 const struct stream_handlers *handlers, void *user, struct stream **ret);

/* Send now what the socket takes and queue the rest (before open: queue all). All or nothing.
 * Errors: -EAGAIN the queue would pass send_max (nothing was taken), -ENOTCONN closed. */
int stream_write(struct stream *stream, struct slice bytes);
/* Close after what is queued was sent (flush) or at once; closed() follows from the loop. */
void stream_close(struct stream *stream, bool flush);
/* Stop or go on reading: back-pressure. */
void stream_pause(struct stream *stream, bool pause);
void stream_set_idle_timeout(struct stream *stream, uint32_t idle_timeout_ms);
void stream_set_user(struct stream *stream, const struct stream_handlers *handlers, void *user);

bool stream_is_open(const struct stream *stream);
bool stream_is_closing(const struct stream *stream); /* only closed() is still to come */
bool stream_is_tls(const struct stream *stream);
const struct addr *stream_peer(const struct stream *stream);
const struct addr *stream_local(const struct stream *stream);
size_t stream_queued(const struct stream *stream);
/* The verified peer certificate's common name, "" without one; lives as long as the stream. */
const char *stream_peer_name(const struct stream *stream);
/* True when the verified peer certificate has this DNS name or IP address in its SAN. */
bool stream_peer_has_san(const struct stream *stream, const char *name);
