/* SPDX-License-Identifier: Apache-2.0 */
/* websocket.h - the server's side of a WebSocket over a stream (RFC 6455): handshake, whole messages,
 * ping and close. Framing is libwslay's. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct loop;
struct stream;
struct websocket; /* opaque, see websocket.c */

#define WEBSOCKET_HEADER_MAX 8192

/* What a client asked for; slices are borrowed during the call. */
struct websocket_request {
	struct slice path;	/* as sent, with its query */
	struct slice host;	/* Host */
	struct slice origin;	/* Origin, empty without one */
	struct slice forwarded; /* Forwarded (RFC 7239), of a relay; empty without one */
};

struct websocket_handlers {
	/* The handshake is well-formed and offers config.protocol: 0 to take it, else the HTTP status
	 * of the refusal. May be NULL. */
	unsigned (*asked)(void *user, const struct websocket_request *request);
	/* One whole message, text or binary. A negative errno closes. */
	int (*message)(void *user, struct slice message);
	/* Last call, once, as of a stream (stream.h); stream and websocket are freed afterwards. */
	void (*closed)(void *user, int reason);
};

struct websocket_config {
	const char *protocol; /* subprotocol that must be offered and is taken; borrowed for ever */
	size_t message_max;   /* longer ones close with 1009 */
	uint32_t ping_ms;     /* a ping after that silence, the end after twice; 0 = 30,000 */
};

/* Take over an accepted stream and answer its handshake. The stream's handlers become the
 * websocket's. Errors: -ENOMEM (the stream stays the caller's). */
int websocket_accept(struct loop *loop, struct stream *stream,
		     const struct websocket_config *config,
		     const struct websocket_handlers *handlers, void *user, struct websocket **ret);
/* Send one message: as text when it is UTF-8, else as binary. Errors: -ENOTCONN not open (any more),
 * -EAGAIN the queue is full, -ENOMEM. */
int websocket_send(struct websocket *ws, struct slice message);
/* Say goodbye (status of RFC 6455 section 7.4) and end the stream; closed() follows. */
void websocket_close(struct websocket *ws, unsigned status);
/* The owner goes away: no call any more; the stream ends on its own. Accepts NULL, returns NULL. */
struct websocket *websocket_orphan(struct websocket *ws);
