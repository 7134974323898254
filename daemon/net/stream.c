/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - see stream.h. Bytes are read into one buffer shared by the thread; a stream holds memory
 * only for what is incomplete or waits to be sent. */
#include "net/stream.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/loop.h"
#include "net/addr.h"
#include "net/stream_private.h"
#include "net/tls.h"

#define READ_MAX 65536
#define READ_ROUNDS 8 /* reads a turn, so that other streams get theirs */

enum stream_state { CONNECTING, HANDSHAKE, OPEN, FLUSHING, DEAD };

struct stream {
	struct loop *loop;
	struct loop_io io;
	int fd;
	enum stream_state state;
	bool paused, in_handler, starved, greeted;
	int reason;
	struct tls_session *tls;
	struct addr peer, local;
	struct stream_limits limits;
	const struct stream_handlers *handlers;
	void *user;
	struct buf in, out;
	struct timer deadline; /* connect, handshake */
	struct timer idle;
	struct timer stuck; /* nobody takes what is queued */
	struct timer goodbye;
	void (*on_free)(void *owner, uint64_t key);
	void *owner;
	uint64_t key;
};

static void socket_ready(struct loop_io *io, uint32_t events);

static void set_defaults(struct stream_limits *l)
{
	l->receive_max = l->receive_max ? l->receive_max : 65536;
	l->send_max = l->send_max ? l->send_max : 262144;
	l->connect_timeout_ms = l->connect_timeout_ms ? l->connect_timeout_ms : 4000;
	l->handshake_timeout_ms = l->handshake_timeout_ms ? l->handshake_timeout_ms : 5000;
	l->write_timeout_ms = l->write_timeout_ms ? l->write_timeout_ms : 30000;
}

static void release(struct stream *s)
{
	if (s->on_free)
		s->on_free(s->owner, s->key);
	loop_timer_stop(s->loop, &s->deadline);
	loop_timer_stop(s->loop, &s->idle);
	loop_timer_stop(s->loop, &s->stuck);
	loop_timer_stop(s->loop, &s->goodbye);
	loop_io_remove(&s->io);
	tls_session_free(s->tls);
	if (s->fd >= 0)
		(void)close(s->fd);
	buf_done(&s->in);
	buf_done(&s->out);
	free(s);
}

static void report_and_release(struct stream *s)
{
	if (s->handlers && s->handlers->closed)
		s->handlers->closed(s->user, s, s->reason);
	release(s);
}

static void goodbye_fired(struct timer *t)
{
	report_and_release(CONTAINER_OF(t, struct stream, goodbye));
}

/* From here on only closed() is still to come: at the end of the running handler, or by a timer. */
static void die(struct stream *s, int reason)
{
	if (s->state == DEAD)
		return;
	s->state = DEAD;
	s->reason = reason;
	loop_timer_stop(s->loop, &s->deadline);
	loop_timer_stop(s->loop, &s->idle);
	loop_timer_stop(s->loop, &s->stuck);
	loop_io_remove(&s->io);
	s->tls = tls_session_free(s->tls);
	(void)close(s->fd);
	s->fd = -1;
	if (!s->in_handler)
		loop_timer_start(s->loop, &s->goodbye, 0, goodbye_fired);
}

/* When thousands come at once it is we who are late: who has said what he must is not punished for it. */
static bool waits_for_us(const struct stream *s)
{
	int unread = 0;

	return s->state == HANDSHAKE && ioctl(s->fd, FIONREAD, &unread) == 0 && unread > 0;
}

static void deadline_fired(struct timer *t)
{
	struct stream *s = CONTAINER_OF(t, struct stream, deadline);

	if (waits_for_us(s))
		loop_timer_start(s->loop, t, s->limits.handshake_timeout_ms, deadline_fired);
	else
		die(s, -ETIMEDOUT);
}

static void idle_fired(struct timer *t)
{
	die(CONTAINER_OF(t, struct stream, idle), -ETIMEDOUT);
}

static void stuck_fired(struct timer *t)
{
	die(CONTAINER_OF(t, struct stream, stuck), -ETIMEDOUT);
}

static void watch(struct stream *s)
{
	uint32_t events = 0;

	if (s->state == DEAD)
		return;
	if (s->state == CONNECTING)
		events = EPOLLOUT;
	else if (s->state == HANDSHAKE)
		events = tls_session_wants_write(s->tls) ? EPOLLOUT : EPOLLIN;
	else
		events = (s->paused ? 0U : EPOLLIN) | (s->out.len > 0 ? EPOLLOUT : 0U);
	if (loop_io_change(&s->io, events) < 0)
		die(s, -EIO);
}

static void touch_idle(struct stream *s)
{
	if (s->limits.idle_timeout_ms)
		loop_timer_start(s->loop, &s->idle, s->limits.idle_timeout_ms, idle_fired);
}

static ssize_t raw_write(struct stream *s, const char *p, size_t len)
{
	ssize_t n;

	if (s->tls)
		return tls_session_write(s->tls, p, len);
	n = send(s->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

static ssize_t raw_read(struct stream *s, char *p, size_t len)
{
	ssize_t n;

	if (s->tls)
		return tls_session_read(s->tls, p, len);
	n = recv(s->fd, p, len, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

/* Send what is queued; at its end report the drain or finish a flushing close. */
static void flush_out(struct stream *s)
{
	bool moved = false;

	while (s->out.len > 0) {
		ssize_t n = raw_write(s, s->out.data, s->out.len);

		if (n == -EINTR)
			continue;
		if (n == -EAGAIN)
			break;
		if (n < 0) {
			die(s, (int)n);
			return;
		}
		buf_consume(&s->out, (size_t)n);
		moved = true;
	}
	if (s->out.len > 0) {
		if (moved || !timer_active(&s->stuck))
			loop_timer_start(s->loop, &s->stuck, s->limits.write_timeout_ms,
					 stuck_fired);
		return;
	}
	loop_timer_stop(s->loop, &s->stuck);
	buf_done(&s->out);
	buf_init(&s->out, s->limits.send_max + 1);
	if (s->state == FLUSHING) {
		die(s, -ECANCELED);
	} else if (s->starved) {
		s->starved = false;
		if (s->handlers->drained)
			s->handlers->drained(s->user, s);
	}
}

static void become_open(struct stream *s)
{
	loop_timer_stop(s->loop, &s->deadline);
	if (s->state != FLUSHING)
		s->state = OPEN;
	touch_idle(s);
	if (s->state == OPEN && s->handlers->open)
		s->handlers->open(s->user, s);
	if (s->state == OPEN || s->state == FLUSHING)
		flush_out(s);
}

static void start_tls_or_open(struct stream *s)
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);

	if (getsockname(s->fd, (struct sockaddr *)&own, &len) == 0)
		(void)addr_from_sockaddr((struct sockaddr *)&own, len, &s->local);
	if (!s->tls) {
		become_open(s);
		return;
	}
	s->state = HANDSHAKE;
	loop_timer_start(s->loop, &s->deadline, s->limits.handshake_timeout_ms, deadline_fired);
}

static void continue_connect(struct stream *s)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error != 0)
		die(s, -error);
	else
		start_tls_or_open(s);
}

static void continue_handshake(struct stream *s)
{
	int r = tls_session_handshake(s->tls);

	if (r == 0) {
		become_open(s);
	} else if (r != -EAGAIN) {
		die(s, r);
	} else if (!s->greeted) { /* our half of the answer took its time as well */
		s->greeted = true;
		loop_timer_start(s->loop, &s->deadline, s->limits.handshake_timeout_ms,
				 deadline_fired);
	}
}

/* Show bytes to the owner and keep what it leaves. */
static bool deliver(struct stream *s, const char *fresh, size_t len)
{
	struct slice bytes = slice_make(fresh, len);
	ssize_t used;

	if (s->in.len > 0) {
		buf_add(&s->in, fresh, len);
		if (!buf_ok(&s->in)) {
			die(s, -ENOMEM);
			return false;
		}
		bytes = buf_slice(&s->in);
	}
	used = s->handlers->data(s->user, s, bytes);
	if (s->state == DEAD)
		return false;
	if (used < 0) {
		die(s, (int)used);
		return false;
	}
	if ((size_t)used > bytes.len)
		used = (ssize_t)bytes.len;
	if (s->in.len > 0) {
		buf_consume(&s->in, (size_t)used);
		if (s->in.len == 0) {
			buf_done(&s->in);
			buf_init(&s->in, s->limits.receive_max + 1);
		}
	} else if ((size_t)used < len) {
		buf_add(&s->in, fresh + used, len - (size_t)used);
	}
	if (!buf_ok(&s->in) || s->in.len >= s->limits.receive_max) {
		die(s, -EMSGSIZE);
		return false;
	}
	return true;
}

static void read_some(struct stream *s)
{
	static _Thread_local char shared[READ_MAX];

	for (int round = 0; round < READ_ROUNDS; round++) {
		size_t room = s->limits.receive_max - s->in.len;
		ssize_t n;

		if (s->paused || (s->state != OPEN && s->state != FLUSHING))
			return;
		n = raw_read(s, shared, room < READ_MAX ? room : READ_MAX);
		if (n == -EINTR)
			continue;
		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			die(s, (int)n);
			return;
		}
		if (s->state == FLUSHING)
			continue; /* what comes now is of no use */
		touch_idle(s);
		if (!deliver(s, shared, (size_t)n))
			return;
	}
	/* Decrypted bytes inside OpenSSL wake no epoll: come again by the socket's writability. */
	if (s->tls && s->state == OPEN && tls_session_has_pending(s->tls))
		(void)loop_io_change(&s->io, EPOLLIN | EPOLLOUT);
}

static void socket_ready(struct loop_io *io, uint32_t events)
{
	struct stream *s = CONTAINER_OF(io, struct stream, io);

	(void)events;
	s->in_handler = true;
	if (s->state == CONNECTING)
		continue_connect(s);
	if (s->state == HANDSHAKE)
		continue_handshake(s);
	if (s->out.len > 0 && (s->state == OPEN || s->state == FLUSHING))
		flush_out(s);
	if (s->state == OPEN || s->state == FLUSHING)
		watch(s);
	if (s->state == OPEN || s->state == FLUSHING)
		read_some(s);
	else
		watch(s);
	if (s->state != DEAD && (s->paused || !s->tls || !tls_session_has_pending(s->tls)))
		watch(s);
	s->in_handler = false;
	if (s->state == DEAD)
		report_and_release(s);
}

int stream_make(struct loop *loop, int fd, const struct addr *peer, struct tls_context *tls,
		bool server, bool connecting, const char *server_name,
		const struct stream_limits *limits, struct stream **ret)
{
	struct stream *s = calloc(1, sizeof(*s));
	int one = 1, r = 0;

	if (!s) {
		(void)close(fd);
		return -ENOMEM;
	}
	s->loop = loop;
	s->fd = fd;
	if (peer)
		s->peer = *peer;
	if (limits)
		s->limits = *limits;
	set_defaults(&s->limits);
	buf_init(&s->in, s->limits.receive_max + 1);
	buf_init(&s->out, s->limits.send_max + 1);
	(void)server;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (tls)
		r = tls_session_new(tls, fd, server_name, &s->tls);
	if (r == 0)
		r = loop_io_add(loop, &s->io, fd, EPOLLOUT, socket_ready);
	if (r < 0) {
		release(s);
		return r;
	}
	/* Also a connected socket goes through CONNECTING: open() then comes from the loop. */
	s->state = CONNECTING;
	loop_timer_start(loop, &s->deadline,
			 connecting ? s->limits.connect_timeout_ms : s->limits.handshake_timeout_ms,
			 deadline_fired);
	*ret = s;
	return 0;
}

int stream_adopt(struct loop *loop, int fd, const struct addr *peer, struct tls_context *tls,
		 bool server, const char *server_name, const struct stream_limits *limits,
		 const struct stream_handlers *handlers, void *user, struct stream **ret)
{
	struct stream *s;
	int r;

	r = stream_make(loop, fd, peer, tls, server, false, server_name, limits, &s);
	if (r < 0)
		return r;
	stream_set_user(s, handlers, user);
	*ret = s;
	return 0;
}

void stream_on_free(struct stream *stream, void (*fn)(void *owner, uint64_t key), void *owner,
		    uint64_t key)
{
	stream->on_free = fn;
	stream->owner = owner;
	stream->key = key;
}

void stream_discard(struct stream *stream)
{
	release(stream);
}

int stream_write(struct stream *stream, struct slice bytes)
{
	size_t done = 0;

	if (stream->state == DEAD || stream->state == FLUSHING)
		return -ENOTCONN;
	if (stream->out.len + bytes.len > stream->limits.send_max) {
		stream->starved = true;
		return -EAGAIN;
	}
	while (stream->state == OPEN && stream->out.len == 0 && done < bytes.len) {
		ssize_t n = raw_write(stream, bytes.p + done, bytes.len - done);

		if (n == -EINTR)
			continue;
		if (n == -EAGAIN)
			break;
		if (n < 0) {
			die(stream, (int)n);
			return -ENOTCONN;
		}
		done += (size_t)n;
	}
	if (done == bytes.len)
		return 0;
	buf_add(&stream->out, bytes.p + done, bytes.len - done);
	if (!buf_ok(&stream->out)) {
		die(stream, -ENOMEM); /* half a message must not be followed by another */
		return -ENOTCONN;
	}
	if (stream->state == OPEN && !timer_active(&stream->stuck))
		loop_timer_start(stream->loop, &stream->stuck, stream->limits.write_timeout_ms,
				 stuck_fired);
	if (!stream->in_handler)
		watch(stream);
	return 0;
}

void stream_close(struct stream *stream, bool flush)
{
	if (stream->state == DEAD || stream->state == FLUSHING)
		return;
	if (!flush || (stream->out.len == 0 && stream->state == OPEN) || stream->state != OPEN) {
		die(stream, -ECANCELED);
		return;
	}
	stream->state = FLUSHING;
	if (!stream->in_handler)
		watch(stream);
}

void stream_pause(struct stream *stream, bool pause)
{
	stream->paused = pause;
	if (!stream->in_handler && stream->state != DEAD) {
		watch(stream);
		if (!pause && stream->tls && stream->state == OPEN &&
		    tls_session_has_pending(stream->tls))
			(void)loop_io_change(&stream->io, EPOLLIN | EPOLLOUT);
	}
}

void stream_set_idle_timeout(struct stream *stream, uint32_t idle_timeout_ms)
{
	stream->limits.idle_timeout_ms = idle_timeout_ms;
	loop_timer_stop(stream->loop, &stream->idle);
	if (stream->state == OPEN)
		touch_idle(stream);
}

void stream_set_user(struct stream *stream, const struct stream_handlers *handlers, void *user)
{
	stream->handlers = handlers;
	stream->user = user;
}

bool stream_is_open(const struct stream *stream)
{
	return stream->state == OPEN;
}

bool stream_is_closing(const struct stream *stream)
{
	return stream->state == DEAD || stream->state == FLUSHING;
}

bool stream_is_tls(const struct stream *stream)
{
	return stream->tls != NULL;
}

const struct addr *stream_peer(const struct stream *stream)
{
	return &stream->peer;
}

const struct addr *stream_local(const struct stream *stream)
{
	return &stream->local;
}

size_t stream_queued(const struct stream *stream)
{
	return stream->out.len;
}

const char *stream_peer_name(const struct stream *stream)
{
	return stream->tls ? tls_session_peer_name(stream->tls) : "";
}

bool stream_peer_has_san(const struct stream *stream, const char *name)
{
	return stream->tls && tls_session_peer_has_san(stream->tls, name);
}
