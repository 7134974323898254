/* SPDX-License-Identifier: Apache-2.0 */
/* sse.c - see sse.h. Streams live on the server's thread; the lock guards what others look at. */
#include "http/sse.h"
#include "http/server_private.h"

#include <stdio.h>

#define STREAM_LIMIT (1U << 20) /* bytes a slow reader may be behind */

struct ring_slot {
	uint64_t id;
	char *topic;
	char *text; /* "id: …\nevent: …\ndata: …\n\n" */
};

struct sse_hub {
	struct http_server *server;
	pthread_mutex_t lock;
	struct list streams;
	struct ring_slot ring[SSE_RING];
	size_t first, count;
	size_t bytes;	 /* of the texts in the ring */
	uint64_t before; /* the ring holds every event above this id */
	uint64_t newest;
	struct timer ping;
	bool closing;
	size_t refs; /* streams, and the owner */
};

struct http_stream_source {
	struct list link;
	struct sse_hub *hub;
	struct MHD_Connection *mhd; /* NULL until the answer is queued */
	struct http_stream_source **slot;
	char owner[SSE_OWNER_SIZE];
	char *topics[SSE_TOPIC_MAX];
	size_t topic_count;
	uint64_t sent; /* newest id in out or skipped */
	struct buf out;
	bool linked;
	bool suspended;
	bool ended;
};

static char *event_text(const struct sse_event *event)
{
	AUTO_BUF b = { 0 };

	buf_printf(&b, "id: %llu\nevent: %s\ndata: %s\n\n", (unsigned long long)event->id,
		   event->type, event->data);
	return buf_take_str(&b);
}

static void hub_unref(struct sse_hub *hub)
{
	bool last;

	(void)pthread_mutex_lock(&hub->lock);
	last = --hub->refs == 0;
	(void)pthread_mutex_unlock(&hub->lock);
	if (!last)
		return;
	for (size_t i = 0; i < SSE_RING; i++) {
		free(hub->ring[i].topic);
		free(hub->ring[i].text);
	}
	(void)pthread_mutex_destroy(&hub->lock);
	free(hub);
}

static void stream_wake(struct http_stream_source *st)
{
	if (!st->suspended)
		return;
	st->suspended = false;
	MHD_resume_connection(st->mhd);
	server_pump_soon(st->hub->server);
}

static bool stream_wants(const struct http_stream_source *st, const char *topic)
{
	if (st->topic_count == 0)
		return false;
	for (size_t i = 0; i < st->topic_count; i++) {
		if (strcmp(st->topics[i], topic) == 0)
			return true;
	}
	return false;
}

static void stream_reset(struct http_stream_source *st, uint64_t newest)
{
	buf_reset(&st->out);
	buf_printf(&st->out, "id: %llu\nevent: reset\ndata: {}\n\n", (unsigned long long)newest);
	st->sent = newest;
}

static void stream_add(struct http_stream_source *st, uint64_t id, const char *text, size_t len)
{
	if (id <= st->sent)
		return;
	st->sent = id;
	if (st->out.len + len > STREAM_LIMIT) {
		stream_reset(st, st->hub->newest);
		return;
	}
	buf_add(&st->out, text, len);
}

/* Everything of the ring that the stream has not seen. */
static void stream_catch_up(struct http_stream_source *st)
{
	struct sse_hub *hub = st->hub;

	if (st->sent < hub->before) {
		stream_reset(st, hub->newest);
		return;
	}
	for (size_t i = 0; i < hub->count; i++) {
		const struct ring_slot *slot = &hub->ring[(hub->first + i) % SSE_RING];

		if (stream_wants(st, slot->topic))
			stream_add(st, slot->id, slot->text, strlen(slot->text));
	}
}

void sse_attach(struct http_stream_source *source, struct MHD_Connection *mhd,
		struct http_stream_source **slot)
{
	struct sse_hub *hub = source->hub;

	source->mhd = mhd;
	source->slot = slot;
	*slot = source;
	(void)pthread_mutex_lock(&hub->lock);
	source->linked = true;
	list_append(&hub->streams, &source->link);
	source->ended |= hub->closing;
	(void)pthread_mutex_unlock(&hub->lock);
	atomic_fetch_add(&hub->server->streams, 1);
	stream_catch_up(source);
}

void sse_detach(struct http_stream_source *source)
{
	source->slot = NULL;
}

ssize_t sse_read(void *user, uint64_t pos, char *buf, size_t max)
{
	struct http_stream_source *st = user;
	size_t n = st->out.len < max ? st->out.len : max;

	(void)pos;
	if (n > 0) {
		memcpy(buf, st->out.data, n);
		buf_consume(&st->out, n);
		return (ssize_t)n;
	}
	if (st->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	st->suspended = true;
	MHD_suspend_connection(st->mhd);
	return 0;
}

void sse_end(struct http_stream_source *st)
{
	st->ended = true;
	buf_reset(&st->out);
	stream_wake(st);
}

void sse_release(void *user)
{
	struct http_stream_source *st = user;
	struct sse_hub *hub = st->hub;

	if (st->slot)
		*st->slot = NULL;
	if (st->linked) {
		(void)pthread_mutex_lock(&hub->lock);
		list_remove(&st->link);
		(void)pthread_mutex_unlock(&hub->lock);
		atomic_fetch_sub(&hub->server->streams, 1);
	}
	for (size_t i = 0; i < st->topic_count; i++)
		free(st->topics[i]);
	buf_done(&st->out);
	free(st);
	hub_unref(hub);
}

static void ping(struct timer *t)
{
	struct sse_hub *hub = CONTAINER_OF(t, struct sse_hub, ping);
	struct http_stream_source *st;

	LIST_FOREACH (st, &hub->streams, struct http_stream_source, link) {
		if (st->out.len < STREAM_LIMIT)
			buf_add_str(&st->out, ": ping\n\n");
		stream_wake(st);
	}
	if (!hub->closing)
		loop_timer_start(hub->server->io, &hub->ping, SSE_PING_MS, ping);
}

static void hub_start(void *user)
{
	struct sse_hub *hub = user;

	loop_timer_start(hub->server->io, &hub->ping, SSE_PING_MS, ping);
}

int sse_hub_new(struct http_server *server, uint64_t after, struct sse_hub **ret, struct error *err)
{
	struct sse_hub *hub = calloc(1, sizeof(*hub));
	int r;

	if (!hub)
		return error_set(err, -ENOMEM, "no memory for event streams");
	hub->server = server;
	hub->before = after;
	hub->newest = after;
	hub->refs = 1;
	list_init(&hub->streams);
	(void)pthread_mutex_init(&hub->lock, NULL);
	r = loop_post(server->io, hub_start, hub);
	if (r < 0) {
		hub_unref(hub);
		return error_set(err, r, "the HTTP server does not run");
	}
	*ret = hub;
	return 0;
}

static void hub_close(void *user)
{
	struct sse_hub *hub = user;
	struct http_stream_source *st;

	loop_timer_stop(hub->server->io, &hub->ping);
	hub->closing = true;
	LIST_FOREACH (st, &hub->streams, struct http_stream_source, link)
		sse_end(st);
	hub_unref(hub);
}

struct sse_hub *sse_hub_free(struct sse_hub *hub)
{
	if (hub && loop_post(hub->server->io, hub_close, hub) < 0)
		hub_unref(hub);
	return NULL;
}

struct sse_hub *sse_hub_hold(struct sse_hub *hub)
{
	(void)pthread_mutex_lock(&hub->lock);
	hub->refs++;
	(void)pthread_mutex_unlock(&hub->lock);
	return hub;
}

struct sse_hub *sse_hub_let_go(struct sse_hub *hub)
{
	hub_unref(hub);
	return NULL;
}

struct posted_event {
	struct sse_hub *hub;
	struct ring_slot slot;
};

static void ring_drop(struct sse_hub *hub)
{
	struct ring_slot *oldest = &hub->ring[hub->first];

	hub->before = oldest->id;
	hub->bytes -= strlen(oldest->text);
	free(oldest->topic);
	free(oldest->text);
	*oldest = (struct ring_slot){ 0 };
	hub->first = (hub->first + 1) % SSE_RING;
	hub->count--;
}

static void ring_add(struct sse_hub *hub, struct ring_slot slot)
{
	hub->bytes += strlen(slot.text);
	while (hub->count == SSE_RING || (hub->count > 0 && hub->bytes > SSE_RING_BYTES))
		ring_drop(hub);
	hub->ring[(hub->first + hub->count++) % SSE_RING] = slot;
	hub->newest = slot.id;
}

static void publish(void *user)
{
	struct posted_event *p = user;
	struct sse_hub *hub = p->hub;
	struct http_stream_source *st;

	if (p->slot.id > hub->newest) {
		size_t len = strlen(p->slot.text);

		ring_add(hub, p->slot);
		LIST_FOREACH (st, &hub->streams, struct http_stream_source, link) {
			if (stream_wants(st, p->slot.topic)) {
				stream_add(st, p->slot.id, p->slot.text, len);
				stream_wake(st);
			}
		}
	} else {
		free(p->slot.topic);
		free(p->slot.text);
	}
	free(p);
	hub_unref(hub);
}

int sse_publish(struct sse_hub *hub, const struct sse_event *event)
{
	struct posted_event *p = calloc(1, sizeof(*p));
	int r = -ENOMEM;

	if (!p)
		return r;
	p->hub = hub;
	p->slot = (struct ring_slot){ .id = event->id,
				      .topic = strdup(event->topic),
				      .text = event_text(event) };
	(void)pthread_mutex_lock(&hub->lock);
	hub->refs++;
	(void)pthread_mutex_unlock(&hub->lock);
	if (p->slot.topic && p->slot.text)
		r = loop_post(hub->server->io, publish, p);
	if (r < 0) {
		free(p->slot.topic);
		free(p->slot.text);
		free(p);
		hub_unref(hub);
	}
	return r;
}

static int source_fill(struct http_stream_source *st, const struct sse_subscription *sub)
{
	(void)snprintf(st->owner, sizeof(st->owner), "%s", sub->owner);
	for (const char *const *topic = sub->topics; *topic; topic++) {
		if (st->topic_count == SSE_TOPIC_MAX)
			return -EINVAL;
		st->topics[st->topic_count] = strdup(*topic);
		if (!st->topics[st->topic_count])
			return -ENOMEM;
		st->topic_count++;
	}
	st->sent = sub->after;
	buf_add_str(&st->out, "retry: 2000\n\n");
	if (sub->reset)
		buf_printf(&st->out, "id: %llu\nevent: reset\ndata: {}\n\n",
			   (unsigned long long)sub->after);
	for (size_t i = 0; i < sub->backlog_count; i++) {
		AUTO(str) char *text = event_text(&sub->backlog[i]);

		if (!text)
			return -ENOMEM;
		buf_add_str(&st->out, text);
	}
	return buf_ok(&st->out) ? 0 : -ENOMEM;
}

int sse_subscribe(struct sse_hub *hub, const struct sse_subscription *subscription,
		  struct http_stream_source **ret, struct error *err)
{
	struct http_stream_source *st = calloc(1, sizeof(*st));
	int r;

	if (!st)
		return error_set(err, -ENOMEM, "no memory for an event stream");
	st->hub = hub;
	buf_init(&st->out, 4 * STREAM_LIMIT);
	(void)pthread_mutex_lock(&hub->lock);
	hub->refs++;
	(void)pthread_mutex_unlock(&hub->lock);
	r = source_fill(st, subscription);
	if (r < 0) {
		sse_release(st);
		return error_set(err, r, "the event stream cannot be made");
	}
	*ret = st;
	return 0;
}

size_t sse_listeners(struct sse_hub *hub, const char *topic)
{
	struct http_stream_source *st;
	size_t n = 0;

	(void)pthread_mutex_lock(&hub->lock);
	LIST_FOREACH (st, &hub->streams, struct http_stream_source, link)
		n += stream_wants(st, topic);
	(void)pthread_mutex_unlock(&hub->lock);
	return n;
}

struct closing_owner {
	struct sse_hub *hub;
	char owner[SSE_OWNER_SIZE];
};

static void close_owner(void *user)
{
	struct closing_owner *c = user;
	struct http_stream_source *st;

	LIST_FOREACH (st, &c->hub->streams, struct http_stream_source, link) {
		if (strcmp(st->owner, c->owner) == 0)
			sse_end(st);
	}
	hub_unref(c->hub);
	free(c);
}

void sse_close_owner(struct sse_hub *hub, const char *owner)
{
	struct closing_owner *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	c->hub = hub;
	(void)snprintf(c->owner, sizeof(c->owner), "%s", owner);
	(void)pthread_mutex_lock(&hub->lock);
	hub->refs++;
	(void)pthread_mutex_unlock(&hub->lock);
	if (loop_post(hub->server->io, close_owner, c) < 0) {
		hub_unref(hub);
		free(c);
	}
}

size_t sse_owners(struct sse_hub *hub, char (*owners)[SSE_OWNER_SIZE], size_t max)
{
	struct http_stream_source *st;
	size_t n = 0;

	(void)pthread_mutex_lock(&hub->lock);
	LIST_FOREACH (st, &hub->streams, struct http_stream_source, link) {
		size_t i = 0;

		while (i < n && i < max && strcmp(owners[i], st->owner) != 0)
			i++;
		if (i < n && i < max)
			continue;
		if (n < max)
			memcpy(owners[n], st->owner, SSE_OWNER_SIZE);
		n++;
	}
	(void)pthread_mutex_unlock(&hub->lock);
	return n;
}
