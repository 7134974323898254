/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - see event.h. */
#include "control/task/event.h"
#include "base/buf.h"
#include "base/json_field.h"
#include "base/log.h"
#include "control/task/sql.h"
#include "store/listing_sql.h"
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define POLL_MS 1000
#define BUSY_POLL_MS 15
#define BUSY_MS 1500 /* after an event_add() the commit is expected within this */
#define PRUNE_EVERY 500

struct events {
	struct store *store;
	event_fn *fn;
	void *user;
	uint64_t seen;
	uint32_t since_prune;
	pthread_t thread;
	bool started;
};

/* Who adds a row rings; the reader then looks often for a while. One table, one process. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	uint64_t rung;
	bool closing;
} bell = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

static void ring(bool closing)
{
	(void)pthread_mutex_lock(&bell.lock);
	bell.rung++;
	/* an event that is added while the reader is told to end must not call it back */
	bell.closing = bell.closing || closing;
	(void)pthread_cond_broadcast(&bell.wake);
	(void)pthread_mutex_unlock(&bell.lock);
}

/* Wait until it rings, at most ms. Returns false when closing. */
static bool bell_wait(uint64_t *heard, unsigned ms, bool *rung)
{
	struct timespec until;
	bool open;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_mutex_lock(&bell.lock);
	while (!bell.closing && bell.rung == *heard) {
		if (pthread_cond_timedwait(&bell.wake, &bell.lock, &until) != 0)
			break;
	}
	*rung = bell.rung != *heard;
	*heard = bell.rung;
	open = !bell.closing;
	(void)pthread_mutex_unlock(&bell.lock);
	return open;
}

static char *row_text(const struct store_rows *rows, size_t i)
{
	AUTO(json) json_t *subject = json_string(store_rows_text(rows, i, 4));
	AUTO(str)
	char *quoted = subject ? json_dumps(subject, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	AUTO_BUF b = { 0 };

	buf_printf(&b,
		   "{\"id\":%s,\"at\":\"%s\",\"topic\":\"%s\",\"type\":\"%s\",\"subject\":%s,"
		   "\"data\":%s}",
		   store_rows_text(rows, i, 0), store_rows_text(rows, i, 1),
		   store_rows_text(rows, i, 2), store_rows_text(rows, i, 3),
		   quoted ? quoted : "\"\"", store_rows_text(rows, i, 5));
	return buf_take_str(&b);
}

#define EVENT_COLUMNS "id, " SQL_TIME("at") ", topic, type, subject, data::text"

int event_after(struct events *events, uint64_t after, event_fn *fn, void *user, struct error *err)
{
	static const char sql[] =
		"SELECT " EVENT_COLUMNS " FROM event WHERE id > $1::bigint ORDER BY id LIMIT 500";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_query(events->store, sql, (const char *[]){ store_num((int64_t)after) }, 1,
			    &rows, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < store_rows_count(rows); i++) {
		AUTO(str) char *text = row_text(rows, i);

		if (!text)
			return error_set(err, -ENOMEM, "no memory for events");
		fn(user, &(struct event){ .id = (uint64_t)store_rows_i64(rows, i, 0, 0),
					  .topic = store_rows_text(rows, i, 2),
					  .type = store_rows_text(rows, i, 3),
					  .text = text });
	}
	return (int)store_rows_count(rows);
}

static void seen(void *user, const struct event *event)
{
	struct events *e = user;

	e->fn(e->user, event);
	e->seen = event->id;
	e->since_prune++;
}

static void prune(struct events *e)
{
	static const char sql[] =
		"DELETE FROM event WHERE id <= (SELECT last FROM event_counter) - $1::bigint";

	if (e->since_prune < PRUNE_EVERY)
		return;
	e->since_prune = 0;
	(void)store_exec(e->store, sql, (const char *[]){ store_num(EVENT_KEEP) }, 1, NULL);
}

static void *follow(void *arg)
{
	struct events *e = arg;
	uint64_t heard = 0;
	unsigned busy = BUSY_MS;
	bool rung;

	while (bell_wait(&heard, busy > 0 ? BUSY_POLL_MS : POLL_MS, &rung)) {
		if (rung)
			busy = BUSY_MS;
		else if (busy > 0)
			busy -= BUSY_POLL_MS < busy ? BUSY_POLL_MS : busy;
		while (event_after(e, e->seen, seen, e, NULL) == EVENT_BATCH)
			;
		prune(e);
	}
	return NULL;
}

int events_new(struct store *store, struct events **ret, struct error *err)
{
	struct events *e = calloc(1, sizeof(*e));

	if (!e)
		return error_set(err, -ENOMEM, "no memory for events");
	e->store = store;
	*ret = e;
	return 0;
}

int event_range(struct events *events, uint64_t *before, uint64_t *newest, struct error *err)
{
	static const char sql[] = "SELECT last, coalesce((SELECT min(id) - 1 FROM event), last) "
				  "FROM event_counter";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_query(events->store, sql, NULL, 0, &rows, err);

	if (r < 0)
		return r;
	if (store_rows_count(rows) != 1)
		return error_set(err, -EIO, "the table event_counter has no row");
	*newest = (uint64_t)store_rows_i64(rows, 0, 0, 0);
	*before = (uint64_t)store_rows_i64(rows, 0, 1, 0);
	return 0;
}

int events_start(struct events *events, event_fn *fn, void *user, uint64_t after, struct error *err)
{
	int r;

	events->fn = fn;
	events->user = user;
	events->seen = after;
	bell.closing = false;
	r = pthread_create(&events->thread, NULL, follow, events);
	if (r != 0)
		return error_set(err, -EAGAIN, "no thread for events");
	events->started = true;
	return 0;
}

void events_stop(struct events *events)
{
	if (!events->started)
		return;
	ring(true);
	(void)pthread_join(events->thread, NULL);
	events->started = false;
}

struct events *events_free(struct events *events)
{
	if (!events)
		return NULL;
	events_stop(events);
	free(events);
	return NULL;
}

int event_add(struct store_tx *tx, const char *topic, const char *type, const char *subject,
	      json_t *data, struct error *err)
{
	static const char sql[] =
		"WITH n AS (UPDATE event_counter SET last = last + 1 RETURNING last) "
		"INSERT INTO event (id, topic, type, subject, data) "
		"SELECT last, $1, $2, $3, $4::json FROM n";
	AUTO(str) char *text = data ? json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	int r;

	json_decref(data);
	if (!text)
		return error_set(err, -ENOMEM, "no memory for an event");
	r = store_tx_exec(tx, sql, (const char *[]){ topic, type, subject, text }, 4, err);
	ring(false);
	return r < 0 ? r : 0;
}

int event_publish(struct events *events, const char *topic, const char *type, const char *subject,
		  json_t *data, struct error *err)
{
	AUTO(store_tx) struct store_tx *tx = NULL;
	int r = store_tx_begin(events->store, false, &tx, err);

	if (r < 0) {
		json_decref(data);
		return r;
	}
	r = event_add(tx, topic, type, subject, data, err);
	if (r == 0)
		r = store_tx_commit(tx, err);
	ring(false);
	return r;
}

const struct listing event_listing = {
	.sort = "-id",
	.fields =
		(const struct listing_field[]){
			{ .name = "id", .kind = LISTING_NUMBER, .use = LISTING_KEY },
			{ .name = "topics",
			  .use = LISTING_OTHER,
			  .help = "Topics, several with commas" },
			{ .name = "type", .use = LISTING_FILTER, .help = "Type" },
			{ .name = "subject",
			  .use = LISTING_FILTER,
			  .help = "Id of what it is about" },
			{ .name = "at",
			  .kind = LISTING_TIME,
			  .use = LISTING_RANGE,
			  .help = "When it happened" },
			{ .name = NULL } },
};

int event_list(struct events *events, const char *const *topics, const struct listing_query *query,
	       struct listing_page *ret, struct error *err)
{
	AUTO(json) json_t *names = json_array();
	AUTO(str) char *wanted = NULL;
	struct store_listing source = {
		.item = "json_build_object('id', id, 'at', " SQL_TIME(
			"at") ", 'topic', topic, 'type', type, 'subject', subject, 'data', data)",
		.from = "event",
		.where = "to_jsonb(topic) <@ $1::jsonb",
		.param_count = 1,
	};

	for (; *topics; topics++)
		(void)json_array_append_new(names, json_string(*topics));
	wanted = names ? json_dumps(names, JSON_COMPACT) : NULL;
	if (!wanted)
		return error_set(err, -ENOMEM, "no memory for events");
	source.param[0] = wanted;
	return store_listing(events->store, &source, query, ret, err);
}
