/* SPDX-License-Identifier: Apache-2.0 */
/* sip_wire.c - listen points, connections and the way of a message. RFC 3261 section 18. */
#include "stack/sip/sip_wire.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/poison.h"
#include "codec/sip/sip_msg.h"
#include "codec/stun/stun_msg.h"
#include "net/stream.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "net/udp.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_wire_private.h"

#define VIA_ROOM 160 /* more, of a Via with received and rport */

static void destroy_point(struct point *p)
{
	udp_free(p->udp);
	tcp_listener_free(p->listener);
	tls_context_unref(p->tls);
	tls_context_unref(p->tls_out);
	free(p);
}

int sip_wire_new(struct loop *loop, const struct sip_wire_limits *limits,
		 const struct sip_wire_handlers *handlers, void *user, struct sip_wire **ret,
		 struct error *err)
{
	struct sip_wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return error_set(err, -ENOMEM, "no memory for SIP");
	wire->loop = loop;
	wire->handlers = *handlers;
	wire->user = user;
	if (limits)
		wire->limits = *limits;
	if (!wire->limits.connections_max)
		wire->limits.connections_max = 10240;
	if (!wire->limits.connections_per_address)
		wire->limits.connections_per_address = 64;
	if (!wire->limits.idle_timeout_ms)
		wire->limits.idle_timeout_ms = 3900000;
	if (!wire->limits.first_message_ms)
		wire->limits.first_message_ms = 32000;
	if (!wire->limits.connect_timeout_ms)
		wire->limits.connect_timeout_ms = 2000;
	map_init(&wire->by_id);
	map_init(&wire->by_remote);
	map_init(&wire->hosts);
	buf_init(&wire->scratch, SIP_MSG_MAX + 256);
	*ret = wire;
	return 0;
}

struct sip_wire *sip_wire_free(struct sip_wire *wire)
{
	struct map_node *node;
	struct map_iter it;

	if (!wire)
		return NULL;
	wire->closing = true;
	MAP_FOREACH (node, &wire->by_id, &it) {
		struct connection *c = MAP_ENTRY(node, struct connection, id_node);

		sip_connection_orphan(c);
	}
	MAP_FOREACH (node, &wire->hosts, &it)
		free(MAP_ENTRY(node, struct known_host, node));
	for (size_t i = 0; i < wire->point_count; i++)
		destroy_point(wire->points[i]);
	map_done(&wire->by_id);
	map_done(&wire->by_remote);
	map_done(&wire->hosts);
	buf_done(&wire->scratch);
	free(wire);
	return NULL;
}

/* A request's top Via gets the address it really came from (RFC 3261 section 18.2.1, RFC 3581): the
 * message is copied once with the longer value; what was cut out of it moves along. */
static int stamp(struct sip_wire *wire, const struct addr *from)
{
	struct sip_values it = sip_values_of(&wire->msg, SIP_HDR_VIA);
	struct sip_msg *msg = &wire->msg;
	struct buf *out = &wire->scratch;
	char ip[ADDR_TEXT_MAX];
	struct addr written;
	struct sip_via via;
	struct slice old;
	const char *end;
	int n;

	if (!sip_values_next(&it, &old) || sip_via_parse(old, &via) < 0)
		return 0; /* whoever judges the message will see it */
	if (!via.has_rport && addr_parse_ip(via.host, 0, &written) == 0 &&
	    addr_equal_ip(&written, from)) {
		msg->via = via;
		msg->typed |= SIP_TYPED_VIA;
		return 0;
	}
	end = msg->raw.p + msg->raw.len;
	if (out->data)
		unpoison(out->data, out->cap);
	buf_reset(out);
	if (buf_reserve(out, msg->raw.len + VIA_ROOM) < 0)
		return -EMSGSIZE;
	buf_add(out, msg->raw.p, (size_t)(old.p - msg->raw.p));
	n = sip_via_stamp_parsed(old, &via, slice_str(addr_format_ip(from, ip)), addr_port(from),
				 false, out->data + out->len, old.len + VIA_ROOM, &msg->via);
	if (n < 0)
		return n;
	out->len += (size_t)n;
	buf_add(out, old.p + old.len, (size_t)(end - old.p) - old.len);
	if (!buf_ok(out) || out->len > SIP_MSG_MAX)
		return -EMSGSIZE;
	msg->typed |= SIP_TYPED_VIA;
	sip_msg_move(msg, out->data, old.p + old.len, (ptrdiff_t)n - (ptrdiff_t)old.len);
	poison(out->data + out->len, out->cap - out->len);
	return 0;
}

void sip_wire_set_guard(struct sip_wire *wire, const struct sip_wire_guard *guard, void *user)
{
	wire->guard = guard;
	wire->guard_user = user;
}

void sip_wire_answer_stun(struct sip_wire *wire)
{
	wire->stun = true;
}

void sip_wire_blame(struct sip_wire *wire, const struct sip_flow *flow)
{
	if (wire && wire->guard)
		wire->guard->malformed(wire->guard_user, flow);
}

int sip_wire_received(struct sip_wire *wire, struct slice bytes, const struct sip_flow *flow,
		      const struct addr *local, const char *peer_name, bool out_of_step)
{
	struct sip_incoming in = { .msg = &wire->msg,
				   .flow = *flow,
				   .peer_name = peer_name,
				   .local = local,
				   .out_of_step = out_of_step };
	int r;

	r = wire->guard ? wire->guard->message(wire->guard_user, flow) : 0;
	if (r != 0)
		return r < 0 ? -EBADMSG : 0;
	if (wire->stun && flow->transport == SIP_TRANSPORT_UDP && stun_is(bytes))
		r = sip_stun_received(wire, bytes, flow) < 0 ? -EBADMSG : -ENODATA;
	else
		r = sip_msg_parse(bytes, &wire->msg);
	if (r == -ENODATA) {
		wire->stats.keepalives++;
		return 0;
	}
	if (r < 0) {
		wire->stats.malformed++;
		sip_wire_blame(wire, flow);
		return r;
	}
	wire->stats.received++;
	if (wire->handlers.trace)
		wire->handlers.trace(wire->user, &(struct sip_traced){ .msg = &wire->msg,
								       .flow = flow,
								       .local = local,
								       .bytes = wire->msg.raw });
	if (wire->msg.request) {
		r = stamp(wire, &flow->remote);
		if (r < 0) {
			wire->stats.malformed++;
			return 0;
		}
	}
	sip_msg_read(&wire->msg);
	wire->handlers.message(wire->user, &in);
	return 0;
}

static void datagram_received(void *user, struct slice data, const struct addr *from)
{
	struct point *p = user;
	struct sip_flow flow = { .transport = SIP_TRANSPORT_UDP,
				 .listen = p->index,
				 .remote = *from };

	(void)sip_wire_received(p->wire, data, &flow, udp_local(p->udp), "", false);
}

static const struct udp_handlers datagram_handlers = { .receive = datagram_received };

static int name_point(struct point *p, const struct sip_listen *listen)
{
	struct addr shown = p->local, nowhere;
	char text[ADDR_TEXT_MAX];

	p->port = listen->advertise_port ? listen->advertise_port : addr_port(&p->local);
	if (listen->advertise_host && *listen->advertise_host) {
		struct addr ip;
		bool numeric = addr_parse_ip(slice_str(listen->advertise_host), 0, &ip) == 0;

		if (numeric)
			p->shown = ip;
		return slice_copy(slice_str(numeric ? addr_format_host(&ip, text)
						    : listen->advertise_host),
				  p->host, sizeof(p->host));
	}
	if (addr_is_any(&p->local)) {
		/* A bound "any" has no name: the address that the default route leaves from. */
		bool six = addr_family(&p->local) == AF_INET6;

		(void)addr_parse_ip(six ? SLICE("2001:db8::1") : SLICE("192.0.2.1"), 9, &nowhere);
		if (addr_source_for(&nowhere, &shown) < 0)
			(void)addr_parse_ip(six ? SLICE("::1") : SLICE("127.0.0.1"), 0, &shown);
	}
	return slice_copy(slice_str(addr_format_host(&shown, text)), p->host, sizeof(p->host));
}

#define RELAYED_MAX 1024 /* WebSockets of one address: the relay brings everybody's from its own */

static uint32_t per_address(const struct sip_wire *wire, const struct sip_listen *listen)
{
	uint32_t limit = wire->limits.connections_per_address;

	if (addr_is_loopback(&listen->local))
		return wire->limits.connections_max;
	return listen->relay && limit < RELAYED_MAX ? RELAYED_MAX : limit;
}

static int open_point(struct point *p, const struct sip_listen *listen, struct error *err)
{
	struct sip_wire *wire = p->wire;
	struct tcp_listener_config config = {
		.local = &listen->local,
		.tls = listen->tls,
		.connections_max = wire->limits.connections_max,
		.connections_per_address = per_address(wire, listen),
		.limits =
			&(struct stream_limits){ .receive_max = SIP_MSG_MAX + 4,
						 .idle_timeout_ms = wire->limits.idle_timeout_ms },
	};
	int r;

	if (listen->transport == SIP_TRANSPORT_UDP) {
		r = udp_new(wire->loop, &listen->local, &datagram_handlers, p, &p->udp, err);
		if (r == 0)
			p->local = *udp_local(p->udp);
		return r;
	}
	r = tcp_listener_new(wire->loop, &config, sip_connection_accept, p, &p->listener, err);
	if (r == 0)
		p->local = *tcp_listener_local(p->listener);
	return r;
}

int sip_wire_listen(struct sip_wire *wire, const struct sip_listen *listen, struct error *err)
{
	struct point *p;
	int r;

	if (wire->point_count == SIP_LISTEN_MAX)
		return error_set(err, -ENOSPC, "at most %d listen points", SIP_LISTEN_MAX);
	if (listen->transport == SIP_TRANSPORT_OTHER || listen->transport == SIP_TRANSPORT_SCTP)
		return error_set(err, -EINVAL, "SIP listens on UDP, TCP, TLS and WebSocket only");
	if ((listen->transport == SIP_TRANSPORT_TLS || listen->transport == SIP_TRANSPORT_WSS) &&
	    !listen->tls)
		return error_set(err, -EINVAL, "a TLS listen point needs a certificate");
	p = calloc(1, sizeof(*p));
	if (!p)
		return error_set(err, -ENOMEM, "no memory for a listen point");
	p->wire = wire;
	p->index = (uint32_t)wire->point_count;
	p->transport = listen->transport;
	p->tls = tls_context_ref(listen->tls);
	p->tls_out = tls_context_ref(listen->tls_out);
	p->relay = listen->relay;
	r = open_point(p, listen, err);
	if (r == 0 && name_point(p, listen) < 0)
		r = error_set(err, -EINVAL, "the advertised host is too long");
	if (r < 0) {
		destroy_point(p);
		return r;
	}
	wire->points[wire->point_count++] = p;
	return (int)p->index;
}

const struct addr *sip_wire_local(const struct sip_wire *wire, uint32_t listen)
{
	return listen < wire->point_count ? &wire->points[listen]->local : NULL;
}

enum sip_transport sip_wire_transport(const struct sip_wire *wire, uint32_t listen)
{
	return listen < wire->point_count ? wire->points[listen]->transport : SIP_TRANSPORT_OTHER;
}

size_t sip_wire_listen_count(const struct sip_wire *wire)
{
	return wire->point_count;
}

void sip_wire_uri(const struct sip_wire *wire, uint32_t listen, struct slice user, struct buf *out)
{
	const struct point *p = wire->points[listen < wire->point_count ? listen : 0];

	buf_add_str(out, "sip:");
	if (user.len > 0) {
		buf_add_slice(out, user);
		buf_add_char(out, '@');
	}
	buf_add_str(out, p->host);
	buf_add_char(out, ':');
	buf_add_u64(out, p->port);
	if (p->transport == SIP_TRANSPORT_TCP)
		buf_add_str(out, ";transport=tcp");
	else if (p->transport == SIP_TRANSPORT_TLS)
		buf_add_str(out, ";transport=tls");
	else if (sip_transport_is_ws(p->transport))
		buf_add_str(out, ";transport=ws"); /* for both: RFC 7118 section 5.2 */
}

void sip_wire_sips_uri(const struct sip_wire *wire, uint32_t listen, struct buf *out)
{
	const struct point *p = wire->points[listen < wire->point_count ? listen : 0];

	if (p->transport != SIP_TRANSPORT_TLS && p->transport != SIP_TRANSPORT_WSS) {
		sip_wire_uri(wire, listen, SLICE(""), out);
		return;
	}
	/* transport=tls is of the past, and needless here (RFC 5630 section 3.1.4). */
	buf_printf(out, "sips:%s:%u%s", p->host, p->port,
		   p->transport == SIP_TRANSPORT_WSS ? ";transport=ws" : "");
}

int sip_wire_add_host(struct sip_wire *wire, const char *name, const struct addr *addr)
{
	struct known_host *host;
	struct map_node *node = map_get(&wire->hosts, slice_str(name));

	if (node) {
		MAP_ENTRY(node, struct known_host, node)->addr = *addr;
		return 0;
	}
	if (wire->hosts.count >= KNOWN_HOSTS_MAX)
		return -ENOSPC;
	host = calloc(1, sizeof(*host) + strlen(name) + 1);
	if (!host)
		return -ENOMEM;
	for (size_t i = 0; name[i]; i++)
		host->name[i] = ascii_lower(name[i]);
	host->addr = *addr;
	if (map_add(&wire->hosts, &host->node, slice_str(host->name)) < 0) {
		free(host);
		return -ENOMEM;
	}
	return 0;
}

void sip_wire_set_resolver(struct sip_wire *wire,
			   int (*resolve)(void *user, struct slice host, struct addr *ret),
			   void *user)
{
	wire->resolve = resolve;
	wire->resolve_user = user;
}

static int find_host(const struct sip_wire *wire, struct slice host, struct addr *ret)
{
	char name[256];
	struct map_node *node;

	if (addr_parse_ip(host, 0, ret) == 0)
		return 0;
	if (host.len >= sizeof(name))
		return -EADDRNOTAVAIL;
	for (size_t i = 0; i < host.len; i++)
		name[i] = ascii_lower(host.p[i]);
	node = map_get(&wire->hosts, slice_make(name, host.len));
	if (node) {
		*ret = MAP_ENTRY(node, struct known_host, node)->addr;
		return 0;
	}
	if (slice_eq_str_nocase(host, "localhost"))
		return addr_parse_ip(SLICE("127.0.0.1"), 0, ret);
	if (wire->resolve && wire->resolve(wire->resolve_user, host, ret) == 0)
		return 0;
	return -EADDRNOTAVAIL;
}

static bool port_matches(const struct point *p, uint16_t port)
{
	if (port == 0)
		port = p->transport == SIP_TRANSPORT_TLS   ? 5061
		       : p->transport == SIP_TRANSPORT_WS  ? 80
		       : p->transport == SIP_TRANSPORT_WSS ? 443
							   : 5060;
	return port == p->port || port == addr_port(&p->local);
}

static bool is_shown(const struct sip_wire *wire, struct slice host, uint16_t port)
{
	for (size_t i = 0; i < wire->point_count; i++) {
		const struct point *p = wire->points[i];
		struct slice shown = slice_str(p->host);

		if (shown.len > 2 && shown.p[0] == '[')
			shown = slice_sub(shown, 1, shown.len - 1);
		if (slice_eq_nocase(shown, host) && port_matches(p, port))
			return true;
	}
	return false;
}

bool sip_wire_is_mine(const struct sip_wire *wire, struct slice host, uint16_t port)
{
	struct addr ip;

	if (is_shown(wire, host, port))
		return true;
	if (find_host(wire, host, &ip) < 0)
		return false;
	for (size_t i = 0; i < wire->point_count; i++) {
		const struct point *p = wire->points[i];

		if (!port_matches(p, port))
			continue;
		if (addr_equal_ip(&ip, &p->local) || addr_equal_ip(&ip, &p->shown))
			return true;
		if (addr_is_any(&p->local) && addr_is_loopback(&ip))
			return true;
	}
	return false;
}

bool sip_wire_uri_is_mine(const struct sip_wire *wire, const struct sip_uri *uri)
{
	if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
		return false;
	return sip_wire_is_mine(wire, uri->host, uri->port);
}

static bool has_transport(const struct sip_wire *wire, enum sip_transport transport)
{
	for (size_t i = 0; i < wire->point_count; i++) {
		if (wire->points[i]->transport == transport)
			return true;
	}
	return false;
}

static int uri_transport(const struct sip_wire *wire, const struct sip_uri *uri,
			 enum sip_transport *ret)
{
	struct slice name = { 0 };
	enum sip_transport t = SIP_TRANSPORT_UDP;

	if (sip_uri_param(uri, SLICE("transport"), &name)) {
		t = sip_transport_lookup(name);
		if (uri->scheme == SIP_SCHEME_SIPS && t == SIP_TRANSPORT_TCP)
			t = SIP_TRANSPORT_TLS;
	} else if (uri->scheme == SIP_SCHEME_SIPS) {
		t = SIP_TRANSPORT_TLS;
	} else if (!has_transport(wire, t)) {
		t = has_transport(wire, SIP_TRANSPORT_TLS) ? SIP_TRANSPORT_TLS : SIP_TRANSPORT_TCP;
	}
	if (uri->scheme == SIP_SCHEME_SIPS && t != SIP_TRANSPORT_TLS)
		return -EPROTONOSUPPORT;
	if (sip_transport_is_ws(t))
		return -EPROTONOSUPPORT; /* who is there opened the connection, or cannot be reached */
	if (!has_transport(wire, t))
		return -EPROTONOSUPPORT;
	*ret = t;
	return 0;
}

int sip_wire_resolve(struct sip_wire *wire, const struct sip_uri *uri, struct sip_flow *ret)
{
	struct sip_flow out = { .listen = SIP_LISTEN_ANY };
	struct slice host = uri->host;
	uint16_t port = uri->port;
	int r;

	if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
		return -EPROTONOSUPPORT;
	r = uri_transport(wire, uri, &out.transport);
	if (r < 0)
		return r;
	(void)sip_uri_param(uri, SLICE("maddr"), &host);
	r = find_host(wire, host, &out.remote);
	if (r < 0)
		return r;
	if (port == 0)
		port = out.transport == SIP_TRANSPORT_TLS ? 5061 : 5060;
	addr_set_port(&out.remote, port);
	if (slice_copy(uri->host, out.tls_name, sizeof(out.tls_name)) < 0)
		out.tls_name[0] = '\0';
	*ret = out;
	return 0;
}

int sip_wire_reply_flow(struct sip_wire *wire, const struct sip_flow *request,
			const struct sip_via *via, struct sip_flow *ret)
{
	struct sip_flow out = *request;
	struct addr maddr;

	if (sip_flow_is_reliable(request) && sip_connection_find(wire, request->connection)) {
		*ret = out;
		return 0;
	}
	out.connection = 0;
	if (via && !(via->has_rport && via->rport)) {
		addr_set_port(&out.remote, via->port				? via->port
					   : out.transport == SIP_TRANSPORT_TLS ? 5061
										: 5060);
		if (via->maddr.len > 0 && addr_parse_ip(via->maddr, 0, &maddr) == 0) {
			addr_set_port(&maddr, addr_port(&out.remote));
			out.remote = maddr;
		}
	} else if (via && sip_flow_is_reliable(request)) {
		/* The connection is gone: its port was the peer's outgoing one. */
		addr_set_port(&out.remote, via->port				? via->port
					   : out.transport == SIP_TRANSPORT_TLS ? 5061
										: 5060);
	}
	*ret = out;
	return 0;
}

static const struct point *choose_point(const struct sip_wire *wire, const struct sip_flow *flow)
{
	const struct point *second = NULL;

	if (flow->listen < wire->point_count) {
		const struct point *p = wire->points[flow->listen];

		if (p->transport == flow->transport &&
		    addr_family(&p->local) == addr_family(&flow->remote))
			return p;
	}
	for (size_t i = 0; i < wire->point_count; i++) {
		const struct point *p = wire->points[i];

		if (p->transport != flow->transport ||
		    addr_family(&p->local) != addr_family(&flow->remote))
			continue;
		if (addr_is_any(&p->local) ||
		    addr_is_loopback(&p->local) == addr_is_loopback(&flow->remote))
			return p;
		if (!second)
			second = p;
	}
	return second;
}

int sip_wire_prepare(struct sip_wire *wire, struct sip_flow *flow, size_t length)
{
	struct sip_flow want = *flow;
	const struct point *p;
	int r;

	if (want.connection != 0) {
		const struct connection *c = sip_connection_find(wire, want.connection);

		if (!c)
			return -ENOTCONN;
		want.listen = c->point->index;
		want.transport = c->point->transport;
		want.remote = c->remote;
		*flow = want;
		return 0;
	}
	if (want.transport == SIP_TRANSPORT_UDP && length > SIP_UDP_REQUEST_MAX && !want.datagram) {
		want.transport = SIP_TRANSPORT_TCP;
		if (!choose_point(wire, &want))
			want.transport = SIP_TRANSPORT_UDP;
	}
	p = choose_point(wire, &want);
	if (!p)
		return -EPROTONOSUPPORT;
	want.listen = p->index;
	if (want.transport != SIP_TRANSPORT_UDP) {
		r = sip_connection_get(wire, wire->points[p->index], &want);
		if (r < 0)
			return r;
	}
	*flow = want;
	return 0;
}

void sip_wire_via(const struct sip_wire *wire, const struct sip_flow *flow, struct slice branch,
		  struct buf *out)
{
	const struct point *p = wire->points[flow->listen < wire->point_count ? flow->listen : 0];

	buf_add_str(out, "SIP/2.0/");
	buf_add_slice(out, sip_transport_name(p->transport));
	buf_add_char(out, ' ');
	buf_add_str(out, p->host);
	buf_add_char(out, ':');
	buf_add_u64(out, p->port);
	buf_add_str(out, ";branch=");
	buf_add_slice(out, branch);
	buf_add_str(out, ";rport");
}

int sip_wire_send(struct sip_wire *wire, const struct sip_flow *flow, struct slice message)
{
	const struct addr *local = NULL;
	int r;

	if (flow->transport == SIP_TRANSPORT_UDP) {
		const struct point *p = choose_point(wire, flow);

		if (!p)
			return -EPROTONOSUPPORT;
		local = &p->local;
		r = udp_send(p->udp, &flow->remote, message);
	} else {
		struct connection *c = sip_connection_find(wire, flow->connection);

		if (!c)
			return -ENOTCONN;
		local = stream_local(c->stream);
		r = sip_connection_send(c, message);
		if (r == -EAGAIN)
			stream_close(c->stream, false); /* a reader that slow is none */
	}
	if (r < 0) {
		wire->stats.send_failed++;
		return r;
	}
	wire->stats.sent++;
	if (wire->handlers.trace)
		wire->handlers.trace(wire->user, &(struct sip_traced){ .sent = true,
								       .flow = flow,
								       .local = local,
								       .bytes = message });
	return 0;
}

bool sip_wire_is_open(const struct sip_wire *wire, const struct sip_flow *flow)
{
	return !sip_flow_is_reliable(flow) || flow->connection == 0 ||
	       sip_connection_find(wire, flow->connection) != NULL;
}

void sip_wire_close(struct sip_wire *wire, uint64_t connection)
{
	struct connection *c = sip_connection_find(wire, connection);

	if (c)
		stream_close(c->stream, true);
}

const char *sip_wire_peer_name(const struct sip_wire *wire, const struct sip_flow *flow)
{
	const struct connection *c = sip_connection_find(wire, flow->connection);

	return c ? stream_peer_name(c->stream) : "";
}

const struct sip_wire_stats *sip_wire_stats(const struct sip_wire *wire)
{
	return &wire->stats;
}
