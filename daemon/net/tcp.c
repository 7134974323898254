/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.c - see tcp.h. The count of connections outlives its listener: the last stream frees it. */
#include "net/tcp.h"

#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/loop.h"
#include "net/addr.h"
#include "net/stream.h"
#include "net/stream_private.h"
#include "net/tls.h"

#define BACKLOG 512
#define ACCEPT_ROUNDS 64
#define ACCEPT_PAUSE_MS 100 /* out of descriptors */
#define QUOTA_SLOTS 1024    /* power of two */

struct quota_entry {
	struct quota_entry *next;
	uint64_t key;
	uint32_t count;
};

struct quota {
	uint32_t refs, total;
	struct quota_entry *slots[QUOTA_SLOTS];
};

struct tcp_listener {
	struct loop *loop;
	struct loop_io io;
	struct timer pause;
	struct addr local;
	struct tls_context *tls;
	uint32_t connections_max, per_address;
	struct stream_limits limits;
	tcp_accept_fn *accept_fn;
	void *user;
	struct quota *quota;
	struct tcp_listener_stats stats;
	bool freed, accepting;
};

static void quota_unref(struct quota *q)
{
	if (q && --q->refs == 0)
		free(q);
}

static struct quota_entry **quota_find(struct quota *q, uint64_t key)
{
	struct quota_entry **at = &q->slots[key & (QUOTA_SLOTS - 1)];

	while (*at && (*at)->key != key)
		at = &(*at)->next;
	return at;
}

static int quota_take(struct quota *q, uint64_t key, uint32_t limit)
{
	struct quota_entry **at = quota_find(q, key);

	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return -ENOMEM;
		(*at)->key = key;
	}
	if ((*at)->count >= limit)
		return -EUSERS;
	(*at)->count++;
	q->total++;
	q->refs++;
	return 0;
}

static void quota_give(void *owner, uint64_t key)
{
	struct quota *q = owner;
	struct quota_entry **at = quota_find(q, key);
	struct quota_entry *entry = *at;

	if (entry && --entry->count == 0) {
		*at = entry->next;
		free(entry);
	}
	q->total--;
	quota_unref(q);
}

static void take_connection(struct tcp_listener *l, int fd, const struct addr *peer)
{
	uint64_t key = addr_hash_ip(peer, (uint64_t)(uintptr_t)l->quota);
	struct stream *stream;

	if (l->quota->total >= l->connections_max) {
		l->stats.refused_total++;
		(void)close(fd);
		return;
	}
	if (quota_take(l->quota, key, l->per_address) < 0) {
		l->stats.refused_address++;
		(void)close(fd);
		return;
	}
	if (stream_make(l->loop, fd, peer, l->tls, true, false, NULL, &l->limits, &stream) < 0) {
		quota_give(l->quota, key);
		return;
	}
	stream_on_free(stream, quota_give, l->quota, key);
	l->stats.accepted++;
	if (l->accept_fn(l->user, stream) < 0)
		stream_discard(stream);
}

static void pause_over(struct timer *t)
{
	struct tcp_listener *l = CONTAINER_OF(t, struct tcp_listener, pause);

	(void)loop_io_change(&l->io, EPOLLIN);
}

static void destroy(struct tcp_listener *l)
{
	quota_unref(l->quota);
	tls_context_unref(l->tls);
	free(l);
}

static void listener_ready(struct loop_io *io, uint32_t events)
{
	struct tcp_listener *l = CONTAINER_OF(io, struct tcp_listener, io);

	(void)events;
	l->accepting = true;
	for (int round = 0; round < ACCEPT_ROUNDS && !l->freed; round++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		struct addr peer;
		int fd = accept4(io->fd, (struct sockaddr *)&from, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS) {
				(void)loop_io_change(io, 0);
				loop_timer_start(l->loop, &l->pause, ACCEPT_PAUSE_MS, pause_over);
			}
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			break;
		}
		if (addr_from_sockaddr((struct sockaddr *)&from, len, &peer) < 0)
			(void)close(fd);
		else
			take_connection(l, fd, &peer);
	}
	l->accepting = false;
	if (l->freed)
		destroy(l);
}

static int open_listener(const struct addr *local, int *ret)
{
	AUTO(fd) int fd = -1;
	int one = 1;

	fd = socket(addr_family(local), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return -errno;
	if (addr_family(local) == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
		return -errno;
	if (bind(fd, &local->sa, local->len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

int tcp_listener_new(struct loop *loop, const struct tcp_listener_config *config,
		     tcp_accept_fn *accept_fn, void *user, struct tcp_listener **ret,
		     struct error *err)
{
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	char text[ADDR_TEXT_MAX];
	AUTO(fd) int fd = -1;
	AUTO(mem) void *storage = calloc(1, sizeof(struct tcp_listener));
	AUTO(mem) void *quota = calloc(1, sizeof(struct quota));
	struct tcp_listener *l = storage;
	int r;

	if (!storage || !quota)
		return error_set(err, -ENOMEM, "no memory for a listener");
	r = open_listener(config->local, &fd);
	if (r < 0)
		return error_set(err, r, "cannot listen on TCP %s",
				 addr_format(config->local, text));
	if (getsockname(fd, (struct sockaddr *)&bound, &len) < 0)
		return error_set(err, -errno, "cannot read the bound address");
	r = addr_from_sockaddr((struct sockaddr *)&bound, len, &l->local);
	if (r < 0)
		return error_set(err, r, "not an IP socket");
	r = loop_io_add(loop, &l->io, fd, EPOLLIN, listener_ready);
	if (r < 0)
		return error_set(err, r, "cannot watch the listener");
	(void)TAKE_FD(fd);
	l->loop = loop;
	l->tls = tls_context_ref(config->tls);
	l->connections_max = config->connections_max ? config->connections_max : 1024;
	l->per_address = config->connections_per_address ? config->connections_per_address : 64;
	if (config->limits)
		l->limits = *config->limits;
	l->accept_fn = accept_fn;
	l->user = user;
	l->quota = TAKE(quota);
	l->quota->refs = 1;
	*ret = TAKE(storage);
	return 0;
}

struct tcp_listener *tcp_listener_free(struct tcp_listener *listener)
{
	if (!listener || listener->freed)
		return NULL;
	loop_timer_stop(listener->loop, &listener->pause);
	loop_io_remove(&listener->io);
	(void)close(listener->io.fd);
	listener->freed = true;
	if (!listener->accepting)
		destroy(listener);
	return NULL;
}

const struct addr *tcp_listener_local(const struct tcp_listener *listener)
{
	return &listener->local;
}

const struct tcp_listener_stats *tcp_listener_stats(const struct tcp_listener *listener)
{
	return &listener->stats;
}

static int start_connect(const struct addr *to, const struct addr *source, int *ret)
{
	AUTO(fd) int fd = -1;

	fd = socket(addr_family(to), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (source && source->len && addr_family(source) == addr_family(to) &&
	    !addr_is_any(source)) {
		struct addr from = *source;

		addr_set_port(&from, 0);
		if (bind(fd, &from.sa, from.len) < 0)
			return -errno;
	}
	if (connect(fd, &to->sa, to->len) < 0 && errno != EINPROGRESS)
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

int tcp_connect(struct loop *loop, const struct addr *to, const struct addr *source,
		struct tls_context *tls, const char *server_name,
		const struct stream_limits *limits, const struct stream_handlers *handlers,
		void *user, struct stream **ret)
{
	struct stream *s;
	int fd = -1, r;

	r = start_connect(to, source, &fd);
	if (r < 0)
		return r;
	r = stream_make(loop, fd, to, tls, false, true, server_name, limits, &s);
	if (r < 0)
		return r;
	stream_set_user(s, handlers, user);
	*ret = s;
	return 0;
}

int tcp_unix_listen(const char *path, unsigned int mode, struct error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	AUTO(fd) int fd = -1;
	AUTO(fd) int probe = -1;

	if (slice_copy(slice_str(path), sun.sun_path, sizeof(sun.sun_path)) < 0)
		return error_set(err, -ENAMETOOLONG, "the socket path %s is too long", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || probe < 0)
		return error_set(err, -errno, "cannot make a socket");
	if (connect(probe, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return error_set(err, -EADDRINUSE, "%s is in use", path);
	if (errno == ECONNREFUSED && unlink(path) < 0)
		return error_set(err, -errno, "cannot replace %s", path);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		return error_set(err, -errno, "cannot listen on %s", path);
	if (chmod(path, mode) < 0 || listen(fd, BACKLOG) < 0)
		return error_set(err, -errno, "cannot listen on %s", path);
	return TAKE_FD(fd);
}
