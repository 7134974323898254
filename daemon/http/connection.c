/* SPDX-License-Identifier: Apache-2.0 */
/* connection.c - one client of the server: TLS or unix stream on one side, a socket pair to
 * libmicrohttpd on the other, and the deadlines that libmicrohttpd cannot set. */
#include "base/log.h"
#include "http/server_private.h"
#include "net/addr.h"
#include "net/stream.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RELAY_BYTES 16384
#define TO_MHD_LIMIT (256 * 1024)
#define LINGER_MS 2000
#define UNIX_CONNECTIONS 128

/* sockaddr of our own: the family tells libmicrohttpd nothing, the rest is a pointer. */
struct address_cookie {
	sa_family_t family;
	struct connection *connection;
};

struct connection *connection_of_address(const struct sockaddr *address)
{
	struct address_cookie cookie;

	if (!address || address->sa_family != AF_UNIX)
		return NULL;
	memcpy(&cookie, address, sizeof(cookie));
	return cookie.connection;
}

void connection_unref(struct connection *c)
{
	struct http_server *s = c->server;

	if (c->stream || c->with_mhd || c->tunnel)
		return;
	loop_timer_stop(s->io, &c->deadline);
	list_remove(&c->link);
	if (c->peer.local)
		s->unix_open--;
	atomic_fetch_sub(&s->open, 1);
	buf_done(&c->to_mhd);
	buf_done(&c->to_client);
	free(c);
	server_pump_soon(s);
}

static void close_pair(struct connection *c)
{
	int fd = c->pair.fd;

	if (fd < 0)
		return;
	loop_io_remove(&c->pair);
	c->pair.fd = -1;
	(void)close(fd);
	server_pump_soon(c->server);
}

void connection_abort(struct connection *c)
{
	if (c->stream)
		stream_close(c->stream, false);
}

static void deadline_passed(struct timer *t)
{
	struct connection *c = CONTAINER_OF(t, struct connection, deadline);

	log_debug("http.deadline", F("peer", (const char *)c->peer.address),
		  F("phase", (int)c->phase));
	connection_abort(c);
}

void connection_phase(struct connection *c, enum connection_phase phase)
{
	const struct http_limits *limits = &c->server->config.limits;
	uint32_t ms = 0;

	if (c->phase == PHASE_LINGER)
		return;
	c->phase = phase;
	if (phase == PHASE_HEADER)
		ms = limits->header_timeout;
	else if (phase == PHASE_BODY)
		ms = limits->body_timeout;
	else if (phase == PHASE_IDLE)
		ms = limits->idle_timeout;
	else if (phase == PHASE_LINGER)
		ms = LINGER_MS;
	if (ms)
		loop_timer_start(c->server->io, &c->deadline, ms, deadline_passed);
	else
		loop_timer_stop(c->server->io, &c->deadline);
	if (phase == PHASE_IDLE && c->server->closing)
		connection_abort(c);
}

/* An answer to a body that is still coming lies unread in the pair when writing to it fails. */
static void take_last_answer(struct connection *c)
{
	char bytes[RELAY_BYTES];
	ssize_t n;

	while (c->pair.fd >= 0 && (n = recv(c->pair.fd, bytes, sizeof(bytes), 0)) > 0) {
		if (c->to_client.len > 0 || !c->stream ||
		    stream_write(c->stream, slice_make(bytes, (size_t)n)) < 0)
			buf_add(&c->to_client, bytes, (size_t)n);
	}
}

/* libmicrohttpd closed its end: send what is left, then close. */
static void mhd_closed(struct connection *c)
{
	bool unread = c->to_mhd.len > 0;

	if (c->tunnel || c->tunnelled) {
		close_pair(c);
		return;
	}
	take_last_answer(c);
	close_pair(c);
	if (!c->stream || c->flushing)
		return;
	if (unread) {
		buf_reset(&c->to_mhd);
		stream_pause(c->stream, false);
		connection_phase(c, PHASE_BODY);
	}
	if (c->to_client.len > 0)
		return; /* goes on in client_drained() */
	if (c->phase == PHASE_HEADER || c->phase == PHASE_BODY) {
		/* The rest of a refused request must be read, or its sender never sees our answer. */
		connection_phase(c, PHASE_LINGER);
		return;
	}
	c->flushing = true;
	stream_close(c->stream, true);
}

static bool client_flush(struct connection *c)
{
	if (c->to_client.len == 0)
		return true;
	if (!c->stream || stream_write(c->stream, buf_slice(&c->to_client)) < 0)
		return false;
	buf_reset(&c->to_client);
	return true;
}

static void want(struct connection *c)
{
	uint32_t events = 0;

	if (c->pair.fd < 0)
		return;
	if (c->to_client.len == 0)
		events |= EPOLLIN;
	if (c->to_mhd.len > 0)
		events |= EPOLLOUT;
	if (events != c->pair.events)
		(void)loop_io_change(&c->pair, events);
}

static int pair_flush(struct connection *c)
{
	while (c->to_mhd.len > 0) {
		ssize_t n = send(c->pair.fd, c->to_mhd.data, c->to_mhd.len, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		buf_consume(&c->to_mhd, (size_t)n);
		server_pump_soon(c->server);
	}
	if (c->stream)
		stream_pause(c->stream, false);
	return 0;
}

static void pair_ready(struct loop_io *io, uint32_t events)
{
	struct connection *c = CONTAINER_OF(io, struct connection, pair);
	char bytes[RELAY_BYTES];
	ssize_t n;

	if ((events & EPOLLOUT) && pair_flush(c) < 0) {
		mhd_closed(c);
		return;
	}
	/* Without EPOLLIN wanted, a hang-up waits until the client took what is queued. */
	if (c->to_client.len == 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
		n = recv(c->pair.fd, bytes, sizeof(bytes), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			mhd_closed(c);
			return;
		}
		if (n > 0 && c->stream && stream_write(c->stream, slice_make(bytes, (size_t)n)) < 0)
			buf_add(&c->to_client, bytes, (size_t)n);
		server_pump_soon(c->server);
	}
	want(c);
}

static ssize_t client_data(void *user, struct stream *stream, struct slice bytes)
{
	struct connection *c = user;

	if (c->tunnel)
		return tunnel_send(c->tunnel, bytes) < 0 ? -ENOBUFS : (ssize_t)bytes.len;
	if (c->pair.fd < 0)
		return (ssize_t)bytes.len; /* lingering or closing: swallowed */
	if (c->phase == PHASE_IDLE)
		connection_phase(c, PHASE_HEADER);
	buf_add_slice(&c->to_mhd, bytes);
	if (!buf_ok(&c->to_mhd))
		return -ENOBUFS;
	if (pair_flush(c) < 0) {
		mhd_closed(c);
		return (ssize_t)bytes.len;
	}
	if (c->to_mhd.len > 0)
		stream_pause(stream, true);
	want(c);
	return (ssize_t)bytes.len;
}

static void client_drained(void *user, struct stream *stream)
{
	struct connection *c = user;

	(void)stream;
	if (!client_flush(c))
		return;
	if (c->pair.fd < 0)
		mhd_closed(c);
	want(c);
}

static void client_closed(void *user, struct stream *stream, int reason)
{
	struct connection *c = user;

	(void)stream;
	(void)reason;
	c->stream = NULL;
	if (c->tunnel)
		tunnel_client_gone(c->tunnel);
	if (c->exchange)
		exchange_client_gone(c->exchange);
	close_pair(c);
	connection_unref(c);
}

void connection_mhd_gone(struct connection *c)
{
	c->with_mhd = false;
	c->exchange = NULL;
	/* Our end sees the end of file next and closes the client. */
	connection_unref(c);
}

/* Established: give libmicrohttpd one end of a pair. */
static int connection_start(struct connection *c)
{
	struct address_cookie cookie = { .family = AF_UNIX, .connection = c };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	c->with_mhd = true;
	if (MHD_add_connection(c->server->mhd, pair[1], (struct sockaddr *)&cookie,
			       sizeof(cookie)) != MHD_YES) {
		c->with_mhd = false; /* it closed pair[1] */
		(void)close(pair[0]);
		return -ENOMEM;
	}
	if (loop_io_add(c->server->io, &c->pair, pair[0], EPOLLIN, pair_ready) < 0) {
		c->pair.fd = -1;
		(void)close(pair[0]);
		return -ENOMEM;
	}
	connection_phase(c, PHASE_HEADER);
	server_pump_soon(c->server);
	return 0;
}

static void client_open(void *user, struct stream *stream)
{
	struct connection *c = user;

	(void)snprintf(c->peer.client_cn, sizeof(c->peer.client_cn), "%s",
		       stream_peer_name(stream));
	if (connection_start(c) < 0)
		stream_close(stream, false);
}

static const struct stream_handlers client_handlers = {
	.open = client_open,
	.data = client_data,
	.drained = client_drained,
	.closed = client_closed,
};

static struct connection *connection_new(struct http_server *s)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->server = s;
	c->pair.fd = -1;
	buf_init(&c->to_mhd, TO_MHD_LIMIT);
	buf_init(&c->to_client, TO_MHD_LIMIT);
	list_append(&s->connections, &c->link);
	atomic_fetch_add(&s->open, 1);
	return c;
}

int connection_accept_tls(void *server, struct stream *stream)
{
	struct connection *c = connection_new(server);

	if (!c)
		return -ENOMEM;
	c->stream = stream;
	c->peer.tls = stream_is_tls(stream);
	(void)addr_format_ip(stream_peer(stream), c->peer.address);
	c->peer.port = addr_port(stream_peer(stream));
	stream_set_user(stream, &client_handlers, c);
	return 0;
}

void connection_accept_unix(struct loop_io *io, uint32_t events)
{
	struct http_server *s = CONTAINER_OF(io, struct http_server, unix_io);
	struct stream_limits limits = { .write_timeout_ms = 60000 };
	struct addr nowhere = { .len = 0 };
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);
	struct connection *c;
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	if (s->unix_open >= UNIX_CONNECTIONS ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
		(void)close(fd);
		return;
	}
	c = connection_new(s);
	if (!c) {
		(void)close(fd);
		return;
	}
	s->unix_open++;
	c->peer = (struct http_peer){
		.address = "unix", .local = true, .uid = peer.uid, .gid = peer.gid, .pid = peer.pid
	};
	if (stream_adopt(s->io, fd, &nowhere, NULL, true, NULL, &limits, &client_handlers, c,
			 &c->stream) < 0) {
		c->stream = NULL;
		connection_unref(c);
	}
}
