/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - see server.h. libmicrohttpd runs on our own loop (external epoll): suspending,
 * resuming and streaming then need no locks, and stopping can wait for every connection. */
#include "http/server_private.h"
#include "base/log.h"
#include "net/addr.h"
#include "net/stream.h"
#include "net/tcp.h"

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define MHD_MEMORY_LIMIT 32768
#define STOP_CHECK_MS 20

static void default_u32(uint32_t *value, uint32_t fallback)
{
	if (*value == 0)
		*value = fallback;
}

/* Its two complaints a response ("Setting TCP_NODELAY failed") come from the socket pair. */
static void __attribute__((format(printf, 2, 0)))
mhd_log(void *user, const char *format, va_list args)
{
	char text[256];

	(void)user;
	if (strstr(format, "state failed"))
		return;
	(void)vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\r\n")] = '\0';
	log_debug("http.library", F("text", (const char *)text));
}

static void mhd_connection(void *user, struct MHD_Connection *mhd, void **socket_context,
			   enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;

	(void)user;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
		*socket_context = info ? connection_of_address(info->client_addr) : NULL;
		return;
	}
	if (*socket_context)
		connection_mhd_gone(*socket_context);
}

/* Run libmicrohttpd until it waits for something. */
static void pump(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG wait = 0;

	for (int turns = 0; turns < 64; turns++) {
		s->pump = false;
		(void)MHD_run(s->mhd);
		if (MHD_get_timeout(s->mhd, &wait) != MHD_YES) {
			loop_timer_stop(s->io, &s->mhd_timer);
			break;
		}
		if (wait > 0)
			break;
	}
}

static void pump_timer(struct timer *t)
{
	CONTAINER_OF(t, struct http_server, mhd_timer)->pump = true;
}

static void pump_if_wanted(void *user)
{
	struct http_server *s = user;
	MHD_UNSIGNED_LONG_LONG wait = 0;

	if (!s->mhd)
		return;
	if (s->pump)
		pump(s);
	if (MHD_get_timeout(s->mhd, &wait) == MHD_YES)
		loop_timer_start(s->io, &s->mhd_timer, wait, pump_timer);
	server_maybe_stopped(s);
}

static void mhd_ready(struct loop_io *io, uint32_t events)
{
	(void)events;
	CONTAINER_OF(io, struct http_server, mhd_io)->pump = true;
}

/* libmicrohttpd has work: after this turn of the loop. */
void server_pump_soon(struct http_server *server)
{
	server->pump = true;
	if (!timer_active(&server->mhd_timer))
		loop_timer_start(server->io, &server->mhd_timer, 0, pump_timer);
}

static void *server_thread(void *arg)
{
	struct http_server *s = arg;
	int r = loop_run(s->io);

	if (r < 0)
		log_failure(LOG_LEVEL_ERROR, "http.loop_failed", r, NULL);
	return NULL;
}

static int start_mhd(struct http_server *s, struct error *err)
{
	const union MHD_DaemonInfo *info;
	unsigned limit = s->config.limits.connections + s->config.limits.connections_per_address;

	s->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
					  MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
				  0, NULL, NULL, exchange_handle, s, MHD_OPTION_EXTERNAL_LOGGER,
				  mhd_log, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1,
				  MHD_OPTION_CONNECTION_LIMIT, limit, MHD_OPTION_CONNECTION_TIMEOUT,
				  0U, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MHD_MEMORY_LIMIT,
				  MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, s,
				  MHD_OPTION_NOTIFY_COMPLETED, exchange_completed, s,
				  MHD_OPTION_NOTIFY_CONNECTION, mhd_connection, s, MHD_OPTION_END);
	if (!s->mhd)
		return error_set(err, -EIO, "libmicrohttpd did not start");
	info = MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return error_set(err, -EIO, "libmicrohttpd has no epoll descriptor");
	if (loop_io_add(s->io, &s->mhd_io, info->epoll_fd, EPOLLIN, mhd_ready) < 0)
		return error_set(err, -EIO, "the loop refused libmicrohttpd's descriptor");
	return 0;
}

static void server_release(struct http_server *s)
{
	if (s->mhd) {
		loop_io_remove(&s->mhd_io);
		MHD_stop_daemon(s->mhd);
	}
	(void)http_router_free(s->router);
	(void)loop_free(s->io);
	free(s->unix_path);
	free(s);
}

int http_server_new(const struct http_config *config, struct http_server **ret, struct error *err)
{
	struct http_server *s = calloc(1, sizeof(*s));
	sigset_t all, old;
	int r;

	if (!s)
		return error_set(err, -ENOMEM, "no memory for the HTTP server");
	s->config = *config;
	default_u32(&s->config.limits.header_timeout, 10000);
	default_u32(&s->config.limits.body_timeout, 30000);
	default_u32(&s->config.limits.idle_timeout, 60000);
	default_u32(&s->config.limits.connections, 512);
	default_u32(&s->config.limits.connections_per_address, 128);
	default_u32(&s->config.limits.body_bytes, HTTP_BODY_LIMIT);
	list_init(&s->connections);
	s->unix_io.fd = -1;
	r = http_router_new(config->routes, config->route_count, &s->router, err);
	if (r == 0)
		r = loop_new(NULL, &s->io);
	if (r == 0)
		r = loop_after_turn(s->io, pump_if_wanted, s);
	if (r == 0)
		r = start_mhd(s, err);
	if (r == 0) {
		(void)sigfillset(&all);
		(void)pthread_sigmask(SIG_SETMASK, &all, &old);
		r = -pthread_create(&s->thread, NULL, server_thread, s);
		(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	if (r < 0) {
		server_release(s);
		return r;
	}
	*ret = s;
	return 0;
}

/* Something to do on the server's thread, waited for. */
struct errand {
	struct http_server *server;
	int (*fn)(struct errand *errand);
	const char *address;
	struct tls_context *tls;
	uint16_t port;
	int fd;
	struct error *err;
	int r;
	bool done;
	pthread_mutex_t lock;
	pthread_cond_t wake;
};

static void errand_run(void *user)
{
	struct errand *e = user;

	(void)pthread_mutex_lock(&e->lock);
	e->r = e->fn(e);
	e->done = true;
	(void)pthread_cond_signal(&e->wake);
	(void)pthread_mutex_unlock(&e->lock);
}

static int errand_wait(struct errand *e)
{
	int r;

	(void)pthread_mutex_init(&e->lock, NULL);
	(void)pthread_cond_init(&e->wake, NULL);
	r = loop_post(e->server->io, errand_run, e);
	if (r == 0) {
		(void)pthread_mutex_lock(&e->lock);
		while (!e->done)
			(void)pthread_cond_wait(&e->wake, &e->lock);
		(void)pthread_mutex_unlock(&e->lock);
		r = e->r;
	}
	(void)pthread_mutex_destroy(&e->lock);
	(void)pthread_cond_destroy(&e->wake);
	return r;
}

static int listen_tls(struct errand *e)
{
	const struct http_limits *limits = &e->server->config.limits;
	struct stream_limits stream = { .write_timeout_ms = 60000 };
	struct tcp_listener_config config = {
		.tls = e->tls,
		.connections_max = limits->connections,
		.connections_per_address = limits->connections_per_address,
		.limits = &stream,
	};
	struct addr local;
	int r;

	if (addr_parse(slice_str(e->address), 8443, &local) < 0)
		return error_set(e->err, -EINVAL, "'%s' is not ADDRESS:PORT", e->address);
	config.local = &local;
	r = tcp_listener_new(e->server->io, &config, connection_accept_tls, e->server,
			     &e->server->tls_listener, e->err);
	if (r < 0)
		return r;
	e->port = addr_port(tcp_listener_local(e->server->tls_listener));
	return 0;
}

int http_server_listen_tls(struct http_server *server, const char *address, struct tls_context *tls,
			   uint16_t *port, struct error *err)
{
	struct errand e = { .server = server, .fn = listen_tls, .address = address, .tls = tls };
	int r;

	e.err = err;
	r = errand_wait(&e);
	if (r == 0 && port)
		*port = e.port;
	return r;
}

static int listen_unix(struct errand *e)
{
	return loop_io_add(e->server->io, &e->server->unix_io, e->fd, EPOLLIN,
			   connection_accept_unix);
}

int http_server_listen_unix(struct http_server *server, const char *path, mode_t mode, gid_t gid,
			    struct error *err)
{
	struct errand e = { .server = server, .fn = listen_unix };
	AUTO(fd) int fd = -1;
	int r;

	fd = tcp_unix_listen(path, mode, err);
	if (fd < 0)
		return fd;
	if (gid != (gid_t)-1 && chown(path, (uid_t)-1, gid) < 0)
		return error_set(err, -errno, "the socket %s cannot be given to its group", path);
	free(server->unix_path);
	server->unix_path = strdup(path);
	if (!server->unix_path)
		return error_set(err, -ENOMEM, "no memory");
	e.fd = fd;
	r = errand_wait(&e);
	if (r < 0)
		return error_set(err, r, "the socket %s cannot be watched", path);
	(void)TAKE_FD(fd);
	return 0;
}

/* On the server's thread: is everything gone? Then the loop may end. */
void server_maybe_stopped(struct http_server *server)
{
	/* A late part of a batch still has to come back to this thread. */
	if (server->closing && list_empty(&server->connections) &&
	    atomic_load(&server->running) == 0)
		loop_stop(server->io);
}

static void close_quiet(struct http_server *s, bool all)
{
	struct connection *c;

	LIST_FOREACH (c, &s->connections, struct connection, link) {
		bool busy = c->exchange && c->exchange->state == EXCHANGE_RUNNING;
		bool answering =
			c->exchange && c->exchange->state >= EXCHANGE_DONE && !c->exchange->live;

		if (!busy && (all || !answering))
			connection_abort(c);
	}
}

static void stop_tick(struct timer *t)
{
	struct http_server *s = CONTAINER_OF(t, struct http_server, stop_timer);

	close_quiet(s, loop_now(s->io) >= s->stop_at);
	server_pump_soon(s);
	loop_timer_start(s->io, &s->stop_timer, STOP_CHECK_MS, stop_tick);
}

static void stop_begin(void *user)
{
	struct http_server *s = user;

	s->closing = true;
	s->stop_at = loop_now(s->io) + s->grace;
	s->tls_listener = tcp_listener_free(s->tls_listener);
	if (s->unix_io.fd >= 0) {
		int fd = s->unix_io.fd;

		loop_io_remove(&s->unix_io);
		(void)close(fd);
		(void)unlink(s->unix_path);
	}
	close_quiet(s, false);
	server_pump_soon(s);
	loop_timer_start(s->io, &s->stop_timer, STOP_CHECK_MS, stop_tick);
}

struct http_server *http_server_stop(struct http_server *server, uint32_t grace)
{
	struct timespec nap = { .tv_nsec = 5000000 };

	if (!server)
		return NULL;
	server->grace = grace;
	(void)loop_post(server->io, stop_begin, server);
	/* Handlers that are under way hold their requests: they are waited for in any case. */
	while (atomic_load(&server->running) > 0) {
		if (server->config.run == HTTP_RUN_LOOP)
			(void)loop_turn(server->config.loop, 5);
		else
			(void)nanosleep(&nap, NULL);
	}
	(void)pthread_join(server->thread, NULL);
	server_release(server);
	return NULL;
}

void http_server_stats(struct http_server *server, struct http_stats *ret)
{
	*ret = (struct http_stats){
		.requests = atomic_load(&server->requests),
		.open = atomic_load(&server->open),
		.streams = atomic_load(&server->streams),
	};
	for (size_t i = 0; i < ARRAY_SIZE(ret->answers); i++)
		ret->answers[i] = atomic_load(&server->answers[i]);
}
