/* SPDX-License-Identifier: Apache-2.0 */
/* sip_connection.c - one TCP, TLS or WebSocket connection of the wire: framing, keep-alive, reuse.
 * RFC 3261 sections 18.1.1 and 18.3, RFC 5626 section 3.5.1, RFC 7118. */
#include <stdio.h>

#include "base/log.h"
#include "base/loop.h"
#include "net/stream.h"
#include "net/tcp.h"
#include "net/websocket.h"
#include "stack/sip/sip_wire_private.h"

struct connection *sip_connection_find(const struct sip_wire *wire, uint64_t id)
{
	struct connection *c;
	struct map_node *node;

	if (id == 0)
		return NULL;
	node = map_get(&wire->by_id, slice_make(&id, sizeof(id)));
	if (!node)
		return NULL;
	c = MAP_ENTRY(node, struct connection, id_node);
	return stream_is_closing(c->stream) ? NULL : c;
}

static void forget(struct connection *c)
{
	loop_timer_stop(c->wire->loop, &c->first);
	(void)map_remove(&c->wire->by_id, &c->id_node);
	if (c->by_remote)
		(void)map_remove(&c->wire->by_remote, &c->remote_node);
	c->wire->stats.connections = (uint32_t)c->wire->by_id.count;
	if (c->guarded)
		c->wire->guard->left(c->wire->guard_user, &c->remote);
	free(c);
}

static struct sip_flow flow_of(const struct connection *c)
{
	return (struct sip_flow){ .transport = c->point->transport,
				  .listen = c->point->index,
				  .connection = c->id,
				  .remote = c->remote };
}

static ssize_t take_message(struct connection *c, struct slice bytes)
{
	struct sip_wire *wire = c->wire;
	struct sip_flow flow = flow_of(c);
	struct addr local = *stream_local(c->stream);
	bool out_of_step = c->framer.no_length;
	struct stream *stream = c->stream;

	loop_timer_stop(wire->loop, &c->first);
	if (sip_wire_received(wire, bytes, &flow, &local, stream_peer_name(stream), out_of_step) <
	    0)
		return -EBADMSG;
	if (out_of_step)
		stream_close(stream, true);
	return (ssize_t)bytes.len;
}

static ssize_t bytes_received(void *user, struct stream *stream, struct slice bytes)
{
	struct connection *c = user;
	size_t used = 0, len;

	c->heard = true;

	while (used < bytes.len) {
		struct slice rest = slice_sub(bytes, used, bytes.len);
		int kind;

		len = 0;
		kind = sip_frame_next(&c->framer, rest, &len);
		if (kind < 0) {
			struct sip_flow flow = flow_of(c);

			sip_wire_blame(c->wire, &flow);
			return kind;
		}
		if (kind == SIP_FRAME_MORE)
			break;
		if (kind == SIP_FRAME_PING) {
			c->wire->stats.keepalives++;
			loop_timer_stop(c->wire->loop, &c->first);
			(void)stream_write(stream, SLICE("\r\n"));
		}
		if (kind == SIP_FRAME_MESSAGE && take_message(c, slice_sub(rest, 0, len)) < 0)
			return -EBADMSG;
		used += len;
		if (!stream_is_open(stream))
			break;
	}
	return (ssize_t)used;
}

static void connection_closed(struct connection *c, int reason)
{
	struct sip_wire *wire = c->wire;
	struct sip_flow flow = flow_of(c);

	if (reason < 0 && reason != -ECANCELED && !c->heard && c->outgoing)
		wire->stats.connect_failed++;
	forget(c);
	if (wire->handlers.closed)
		wire->handlers.closed(wire->user, &flow, reason);
}

static void stream_closed(void *user, struct stream *stream, int reason)
{
	(void)stream;
	connection_closed(user, reason);
}

static const struct stream_handlers connection_handlers = {
	.data = bytes_received,
	.closed = stream_closed,
};

/* WebSocket ---------------------------------------------------------------------------------- */

/* Forwarded: for="[2001:db8::1]:4711" (RFC 7239): where the relay's client is. */
static unsigned upgrade_asked(void *user, const struct websocket_request *request)
{
	struct connection *c = user;
	struct slice value = request->forwarded;
	struct addr client;

	if (!c->point->relay || value.len == 0 ||
	    strcmp(stream_peer_name(c->stream), c->point->relay) != 0)
		return 0;
	if (!slice_skip_nocase(&value, SLICE("for=\"")) || value.len == 0 ||
	    value.p[value.len - 1] != '"' ||
	    addr_parse(slice_sub(value, 0, value.len - 1), 0, &client) < 0)
		return 400;
	c->remote = client;
	return 0;
}

/* One message of SIP, whole and alone; or the keep-alive of RFC 5626 (RFC 7118 section 6). */
static int websocket_received(void *user, struct slice bytes)
{
	struct connection *c = user;
	struct sip_wire *wire = c->wire;
	struct sip_flow flow = flow_of(c);
	struct addr local = *stream_local(c->stream);

	c->heard = true;
	loop_timer_stop(wire->loop, &c->first);
	if (slice_eq_str(bytes, "\r\n\r\n")) {
		wire->stats.keepalives++;
		return websocket_send(c->ws, SLICE("\r\n"));
	}
	return sip_wire_received(wire, bytes, &flow, &local, "", false);
}

static void websocket_closed(void *user, int reason)
{
	connection_closed(user, reason);
}

static const struct websocket_handlers websocket_handlers = {
	.asked = upgrade_asked,
	.message = websocket_received,
	.closed = websocket_closed,
};

static int attach(struct connection *c, struct stream *stream)
{
	static const struct websocket_config config = { .protocol = "sip",
							.message_max = SIP_MSG_MAX };

	if (sip_transport_is_ws(c->point->transport))
		return websocket_accept(c->wire->loop, stream, &config, &websocket_handlers, c,
					&c->ws);
	stream_set_user(stream, &connection_handlers, c);
	return 0;
}

int sip_connection_send(struct connection *c, struct slice message)
{
	return c->ws ? websocket_send(c->ws, message) : stream_write(c->stream, message);
}

static ssize_t orphan_data(void *user, struct stream *stream, struct slice bytes)
{
	(void)user;
	(void)stream;
	return (ssize_t)bytes.len;
}

static void orphan_closed(void *user, struct stream *stream, int reason)
{
	(void)user;
	(void)stream;
	(void)reason;
}

static const struct stream_handlers orphan_handlers = {
	.data = orphan_data,
	.closed = orphan_closed,
};

void sip_connection_orphan(struct connection *c)
{
	if (c->ws) {
		(void)websocket_orphan(c->ws);
	} else {
		stream_set_user(c->stream, &orphan_handlers, NULL);
		stream_close(c->stream, true);
	}
	forget(c);
}

static void silent_too_long(struct timer *t)
{
	struct connection *c = CONTAINER_OF(t, struct connection, first);

	stream_close(c->stream, false);
}

/* Transport, address and, for TLS, the name that was verified. */
static struct slice make_remote_key(char out[static REMOTE_KEY_MAX], const struct point *point,
				    const struct sip_flow *flow)
{
	char ip[ADDR_TEXT_MAX];
	const char *name = point->transport == SIP_TRANSPORT_TLS ? flow->tls_name : "";
	int n = snprintf(out, REMOTE_KEY_MAX, "%u %s %.40s", point->index, name,
			 addr_format(&flow->remote, ip));

	return slice_make(out, n < REMOTE_KEY_MAX ? (size_t)n : REMOTE_KEY_MAX - 1);
}

static int link_connection(struct connection *c, const struct sip_flow *flow, bool reusable)
{
	struct sip_wire *wire = c->wire;

	c->id = ++wire->last_id;
	if (map_add(&wire->by_id, &c->id_node, slice_make(&c->id, sizeof(c->id))) < 0)
		return -ENOMEM;
	if (reusable) {
		struct slice key = make_remote_key(c->remote_key, c->point, flow);

		c->by_remote = map_add(&wire->by_remote, &c->remote_node, key) == 0;
	}
	wire->stats.connections = (uint32_t)wire->by_id.count;
	return 0;
}

int sip_connection_accept(void *user, struct stream *stream)
{
	struct point *point = user;
	struct sip_wire *wire = point->wire;
	struct sip_flow flow = { .transport = point->transport, .remote = *stream_peer(stream) };
	bool guarded = wire->guard && !point->relay;
	struct connection *c;

	if (wire->by_id.count >= wire->limits.connections_max ||
	    (guarded && !wire->guard->accept(wire->guard_user, &flow.remote))) {
		wire->stats.refused++;
		return -EUSERS;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		if (guarded)
			wire->guard->left(wire->guard_user, &flow.remote);
		return -ENOMEM;
	}
	c->wire = wire;
	c->point = point;
	c->stream = stream;
	c->remote = flow.remote;
	c->guarded = guarded;
	/* An accepted TLS connection is used for what names it, never found by address: who is at
	 * that address was not verified by name. */
	if (link_connection(c, &flow, point->transport == SIP_TRANSPORT_TCP) < 0) {
		if (guarded)
			wire->guard->left(wire->guard_user, &flow.remote);
		free(c);
		return -ENOMEM;
	}
	if (attach(c, stream) < 0) {
		forget(c);
		return -ENOMEM;
	}
	loop_timer_start(wire->loop, &c->first, wire->limits.first_message_ms, silent_too_long);
	wire->stats.accepted++;
	return 0;
}

static int open_connection(struct connection *c, const struct sip_flow *flow)
{
	struct sip_wire *wire = c->wire;
	struct point *point = c->point;
	bool tls = point->transport == SIP_TRANSPORT_TLS;
	char ip[ADDR_TEXT_MAX];
	const char *name = flow->tls_name[0] ? flow->tls_name : addr_format_ip(&flow->remote, ip);
	struct stream_limits limits = { .receive_max = SIP_MSG_MAX + 4,
					.connect_timeout_ms = wire->limits.connect_timeout_ms,
					.handshake_timeout_ms = wire->limits.connect_timeout_ms,
					.idle_timeout_ms = wire->limits.idle_timeout_ms };

	if (tls && !point->tls_out)
		return -EPROTONOSUPPORT;
	return tcp_connect(wire->loop, &flow->remote, &point->local, tls ? point->tls_out : NULL,
			   tls ? name : NULL, &limits, &connection_handlers, c, &c->stream);
}

int sip_connection_get(struct sip_wire *wire, struct point *point, struct sip_flow *flow)
{
	char key[REMOTE_KEY_MAX];
	struct map_node *node = map_get(&wire->by_remote, make_remote_key(key, point, flow));
	struct connection *c;
	int r;

	if (node) {
		c = MAP_ENTRY(node, struct connection, remote_node);
		if (!stream_is_closing(c->stream)) {
			flow->connection = c->id;
			return 0;
		}
		(void)map_remove(&wire->by_remote, node);
		c->by_remote = false;
	}
	if (wire->by_id.count >= wire->limits.connections_max)
		return -EMFILE;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->wire = wire;
	c->point = point;
	c->remote = flow->remote;
	c->outgoing = true;
	r = open_connection(c, flow);
	if (r < 0) {
		free(c);
		wire->stats.connect_failed++;
		return r;
	}
	r = link_connection(c, flow, true);
	if (r < 0) {
		stream_set_user(c->stream, &orphan_handlers, NULL);
		stream_close(c->stream, false);
		free(c);
		return r;
	}
	wire->stats.connected++;
	flow->connection = c->id;
	return 0;
}
