/* SPDX-License-Identifier: Apache-2.0 */
/* tunnel.h - an answer that joins the client's connection with another one: bytes both ways until one
 * side ends (a WebSocket handed on to who serves it). */
#pragma once
#include "base/slice.h"

struct addr;
struct error;
struct http_reply;
struct tls_context;

struct http_tunnel_to {
	const struct addr *to;
	struct tls_context *tls; /* NULL = plain */
	const char *name;	 /* whom the certificate must name */
	struct slice hello;	 /* sent there first: the request as it goes on; 4 KiB at most */
};

/* Answer so; everything is copied, tls referenced. What the other side says is the answer; when it cannot
 * be reached, 503. Errors: -ENOMEM, -EMSGSIZE. */
int reply_tunnel(struct http_reply *reply, const struct http_tunnel_to *to, struct error *err);
