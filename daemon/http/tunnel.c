/* SPDX-License-Identifier: Apache-2.0 */
/* tunnel.c - see tunnel.h. libmicrohttpd is told that the request has failed and lets go of its end of
 * the pair; the client's stream stays and is joined with the other one here, on the server's thread. */
#include "http/tunnel.h"

#include "base/log.h"
#include "http/reply.h"
#include "http/server_private.h"
#include "net/addr.h"
#include "net/stream.h"
#include "net/tcp.h"
#include "net/tls.h"

#include <stdio.h>

#define HELLO_MAX 4096

struct tunnel {
	struct connection *client; /* lives as long as this */
	struct stream *far;
	bool answered;
	struct addr to;
	struct tls_context *tls;
	char name[256];
	size_t hello_len;
	char hello[HELLO_MAX];
};

int reply_tunnel(struct http_reply *reply, const struct http_tunnel_to *to, struct error *err)
{
	struct tunnel *t;

	if (to->hello.len > HELLO_MAX)
		return error_set(err, -EMSGSIZE, "the handshake is too long");
	t = calloc(1, sizeof(*t));
	if (!t)
		return error_set(err, -ENOMEM, "no memory for the answer");
	t->to = *to->to;
	t->tls = tls_context_ref(to->tls);
	(void)snprintf(t->name, sizeof(t->name), "%s", to->name ? to->name : "");
	memcpy(t->hello, to->hello.p, to->hello.len);
	t->hello_len = to->hello.len;
	(void)tunnel_free(reply->tunnel);
	reply->tunnel = t;
	reply->status = 101;
	return 0;
}

struct tunnel *tunnel_free(struct tunnel *t)
{
	if (!t)
		return NULL;
	tls_context_unref(t->tls);
	free(t);
	return NULL;
}

static void far_open(void *user, struct stream *far)
{
	struct tunnel *t = user;

	if (stream_write(far, slice_make(t->hello, t->hello_len)) < 0)
		stream_close(far, false);
}

static ssize_t far_data(void *user, struct stream *far, struct slice bytes)
{
	struct tunnel *t = user;

	(void)far;
	t->answered = true;
	/* The queue is bounded: a client that takes nothing loses its connection. */
	if (t->client->stream && stream_write(t->client->stream, bytes) < 0)
		return -ENOBUFS;
	return (ssize_t)bytes.len;
}

static void far_closed(void *user, struct stream *far, int reason)
{
	static const char sorry[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
				    "Connection: close\r\nContent-Length: 0\r\n\r\n";
	struct tunnel *t = user;
	struct connection *c = t->client;
	char text[ADDR_TEXT_MAX];

	(void)far;
	if (!t->answered && c->stream) {
		log_warning("http.relay_failed", F("to", addr_format(&t->to, text)),
			    F("reason", reason < 0 ? strerror(-reason) : "closed"));
		(void)stream_write(c->stream, slice_str(sorry));
	}
	if (c->stream)
		stream_close(c->stream, true);
	c->server->tunnels--;
	c->tunnel = NULL;
	c->tunnelled = true;
	connection_unref(c);
	(void)tunnel_free(t);
}

static const struct stream_handlers far_handlers = {
	.open = far_open,
	.data = far_data,
	.closed = far_closed,
};

int tunnel_start(struct connection *c, struct tunnel *t)
{
	const struct stream_limits limits = { .write_timeout_ms = 30000 };
	int r;

	/* Half of the connections stay for everything else. */
	if (c->server->tunnels >= c->server->config.limits.connections / 2)
		return -EUSERS;
	r = tcp_connect(c->server->io, &t->to, NULL, t->tls, t->tls ? t->name : NULL, &limits,
			&far_handlers, t, &t->far);
	if (r < 0)
		return r;
	t->client = c;
	c->tunnel = t;
	c->server->tunnels++;
	return 0;
}

int tunnel_send(struct tunnel *t, struct slice bytes)
{
	return stream_write(t->far, bytes);
}

void tunnel_client_gone(struct tunnel *t)
{
	stream_close(t->far, true);
}
