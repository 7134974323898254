/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c - a thread that holds one listening connection and posts what it hears to the loop. */
#include "store/listen.h"
#include "store/pg_conn.h"
#include "store/store.h"

#include "base/clock.h"
#include "base/loop.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 1000
#define CHANNEL_LIMIT 8

/* What both the thread and posts on their way to the loop hold; the last one frees it. */
struct store_listen {
	struct loop *loop;
	struct store_config config;
	char *strings[6];
	char *channels[CHANNEL_LIMIT];
	size_t channel_count;
	struct store_listen_handler handler;
	pthread_t thread;
	pthread_mutex_t lock;
	unsigned refs;
	bool closed;
	int wake; /* eventfd: readable when it is to end */
};

struct heard {
	struct store_listen *listen;
	bool is_state;
	bool up;
	char *channel;
	char *payload;
};

static struct store_listen *unref(struct store_listen *l)
{
	bool last;

	pthread_mutex_lock(&l->lock);
	last = --l->refs == 0;
	pthread_mutex_unlock(&l->lock);
	if (!last)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(l->strings); i++)
		free(l->strings[i]);
	for (size_t i = 0; i < l->channel_count; i++)
		free(l->channels[i]);
	if (l->wake >= 0)
		close(l->wake);
	pthread_mutex_destroy(&l->lock);
	free(l);
	return NULL;
}

static bool is_closed(struct store_listen *l)
{
	bool closed;

	pthread_mutex_lock(&l->lock);
	closed = l->closed;
	pthread_mutex_unlock(&l->lock);
	return closed;
}

static void deliver(void *user)
{
	struct heard *h = user;
	struct store_listen *l = h->listen;

	if (!is_closed(l)) {
		if (h->is_state && l->handler.state)
			l->handler.state(l->handler.user, h->up);
		if (!h->is_state && l->handler.notified)
			l->handler.notified(l->handler.user, h->channel, h->payload);
	}
	free(h->channel);
	free(h->payload);
	free(h);
	unref(l);
}

/* A notification that cannot be posted is as good as a gap, which the next state() reports. */
static void post(struct store_listen *l, bool is_state, bool up, const PGnotify *notify)
{
	struct heard *h = calloc(1, sizeof(*h));

	if (!h)
		return;
	*h = (struct heard){ .listen = l, .is_state = is_state, .up = up };
	if (notify) {
		h->channel = strdup(notify->relname);
		h->payload = strdup(notify->extra);
	}
	pthread_mutex_lock(&l->lock);
	l->refs++;
	pthread_mutex_unlock(&l->lock);
	if ((notify && (!h->channel || !h->payload)) || loop_post(l->loop, deliver, h) < 0) {
		free(h->channel);
		free(h->payload);
		free(h);
		unref(l);
	}
}

static int subscribe(struct store_listen *l, PGconn *conn)
{
	char sql[96];

	for (size_t i = 0; i < l->channel_count; i++) {
		snprintf(sql, sizeof(sql), "LISTEN %s", l->channels[i]);
		if (pg_conn_run(conn, sql, NULL, 0, 5000, NULL, NULL) < 0)
			return -EAGAIN;
	}
	return 0;
}

/* Until the connection breaks or it is to end. */
static void hear(struct store_listen *l, PGconn *conn)
{
	while (!is_closed(l)) {
		struct pollfd fds[2] = { { .fd = PQsocket(conn), .events = POLLIN },
					 { .fd = l->wake, .events = POLLIN } };
		PGnotify *notify;

		while ((notify = PQnotifies(conn)) != NULL) {
			post(l, false, false, notify);
			PQfreemem(notify);
		}
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (!PQconsumeInput(conn))
			return;
	}
}

static void *listen_main(void *user)
{
	struct store_listen *l = user;
	int backoff = BACKOFF_MIN_MS;

	while (!is_closed(l)) {
		struct pollfd fd = { .fd = l->wake, .events = POLLIN };
		PGconn *conn = NULL;

		if (pg_conn_open(&l->config, &conn, NULL) == 0 && subscribe(l, conn) == 0) {
			post(l, true, true, NULL);
			backoff = BACKOFF_MIN_MS;
			hear(l, conn);
			post(l, true, false, NULL);
		}
		PQfinish(conn);
		if (!is_closed(l))
			(void)poll(&fd, 1, backoff);
		backoff = backoff * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : backoff * 2;
	}
	return NULL;
}

static bool is_identifier(const char *name)
{
	return *name && strlen(name) < 64 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static int copy_config(struct store_listen *l, const struct store_config *config,
		       const char *const *channels, size_t n)
{
	const char *const from[] = { config->url,	config->user,	  config->ca_file,
				     config->cert_file, config->key_file, config->application };

	for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
		l->strings[i] = from[i] ? strdup(from[i]) : NULL;
		if (from[i] && !l->strings[i])
			return -ENOMEM;
	}
	l->config = *config;
	l->config.url = l->strings[0];
	l->config.user = l->strings[1];
	l->config.ca_file = l->strings[2];
	l->config.cert_file = l->strings[3];
	l->config.key_file = l->strings[4];
	l->config.application = l->strings[5];
	for (size_t i = 0; i < n; i++) {
		l->channels[i] = strdup(channels[i]);
		if (!l->channels[i])
			return -ENOMEM;
		l->channel_count++;
	}
	return 0;
}

int store_listen_new(struct loop *loop, const struct store_config *config,
		     const char *const *channels, size_t n,
		     const struct store_listen_handler *handler, struct store_listen **ret,
		     struct error *err)
{
	struct store_listen *l;
	int r;

	if (n == 0 || n > CHANNEL_LIMIT)
		return error_set(err, -EINVAL, "1 to 8 channels");
	for (size_t i = 0; i < n; i++)
		if (!is_identifier(channels[i]))
			return error_set(err, -EINVAL, "'%s' is no channel", channels[i]);
	l = calloc(1, sizeof(*l));
	if (!l)
		return error_set(err, -ENOMEM, "out of memory");
	l->refs = 1;
	l->loop = loop;
	l->handler = *handler;
	pthread_mutex_init(&l->lock, NULL);
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = l->wake < 0 ? -errno : copy_config(l, config, channels, n);
	if (r == 0)
		r = -pthread_create(&l->thread, NULL, listen_main, l);
	if (r < 0) {
		unref(l);
		return error_set(err, r, "cannot start the listening thread");
	}
	*ret = l;
	return 0;
}

struct store_listen *store_listen_free(struct store_listen *l)
{
	if (!l)
		return NULL;
	pthread_mutex_lock(&l->lock);
	l->closed = true;
	pthread_mutex_unlock(&l->lock);
	eventfd_write(l->wake, 1);
	pthread_join(l->thread, NULL);
	return unref(l);
}
