/* SPDX-License-Identifier: Apache-2.0 */
/* writer.c - state_journal.h and records.h over one queue, one thread, one local file. */
#include "node/writer.h"

#include "base/clock.h"
#include "base/json_field.h"
#include "base/list.h"
#include "base/log.h"
#include "node/records.h"
#include "node/state_journal.h"
#include "store/local_db.h"
#include "store/store.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define STATE_QUEUE_LIMIT 65536
#define RECORD_QUEUE_LIMIT 16384
#define GROUP_MS 80
#define RETRY_MS 1000

const char *const node_migrations[] = {
	"CREATE TABLE replica_set (row_set TEXT PRIMARY KEY, version INTEGER NOT NULL);"
	"CREATE TABLE replica_row (row_set TEXT NOT NULL, key TEXT NOT NULL,"
	" version INTEGER NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (row_set, key)) WITHOUT ROWID;"
	"CREATE TABLE state (kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
	" expires_ms INTEGER NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;"
	"CREATE TABLE record (seq INTEGER PRIMARY KEY AUTOINCREMENT, gsid TEXT NOT NULL,"
	" half TEXT NOT NULL, doc TEXT NOT NULL, refused INTEGER NOT NULL DEFAULT 0,"
	" UNIQUE (gsid, half));",
};
const uint32_t node_migration_count = ARRAY_SIZE(node_migrations);

enum change_kind { CHANGE_PUT, CHANGE_DELETE, CHANGE_RECORD };

struct change {
	struct list link;
	enum change_kind what;
	const char *kind; /* of state */
	char *key;	  /* of state; gsid of a record */
	char *value;	  /* of state; half of a record */
	char *doc;	  /* of a record */
	int64_t expires_ms;
};

struct state_journal {
	struct writer *writer;
	state_hook_fn *hook;
	void *hook_user;
	uint64_t seq;
};
struct record_journal {
	struct writer *writer;
};

struct writer {
	struct local_db *db;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_cond_t done;
	struct list queue;
	size_t queued[CHANGE_RECORD + 1];
	bool busy; /* a group is being written */
	bool idle; /* waits for the first change of a group: only then it has to be woken */
	bool stop;
	bool forget_state;
	bool started;
	void (*on_records)(void *user);
	void *on_records_user;
	struct state_journal state;
	struct record_journal records;
};

static struct change *change_free(struct change *c)
{
	if (c) {
		free(c->key);
		free(c->value);
		free(c->doc);
		free(c);
	}
	return NULL;
}
DEFINE_AUTO(change)

static int write_change(struct local_db *db, const struct change *c, struct error *err)
{
	static const char put[] = "INSERT INTO state (kind, key, value, expires_ms)"
				  " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (kind, key) DO UPDATE SET"
				  " value = excluded.value, expires_ms = excluded.expires_ms";
	static const char del[] = "DELETE FROM state WHERE kind = ?1 AND key = ?2";
	static const char record[] =
		"INSERT OR REPLACE INTO record (gsid, half, doc) VALUES (?1, ?2, ?3)";

	switch (c->what) {
	case CHANGE_PUT:
		return local_db_exec(db, put,
				     (const char *[]){ c->kind, c->key, c->value,
						       store_num(c->expires_ms) },
				     4, err);
	case CHANGE_DELETE:
		return local_db_exec(db, del, (const char *[]){ c->kind, c->key }, 2, err);
	case CHANGE_RECORD:
		return local_db_exec(db, record, (const char *[]){ c->key, c->value, c->doc }, 3,
				     err);
	}
	return -EINVAL;
}

static int write_group(struct writer *w, struct list *group, bool *records, struct error *err)
{
	struct change *c;
	int r = local_db_begin(w->db, err);

	if (r < 0)
		return r;
	LIST_FOREACH (c, group, struct change, link) {
		r = write_change(w->db, c, err);
		if (r < 0) {
			local_db_rollback(w->db);
			return r;
		}
		*records = *records || c->what == CHANGE_RECORD;
	}
	return local_db_commit(w->db, err);
}

static void wait_ms(struct writer *w, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	while (!w->stop && pthread_cond_timedwait(&w->wake, &w->lock, &until) != ETIMEDOUT)
		;
}

/* Under the lock: take the queue, write it unlocked; what failed stays first in the queue. */
static int drain(struct writer *w)
{
	struct list group = LIST_INIT(group);
	struct error err = { 0 };
	bool records = false;
	struct change *c;
	int r;

	LIST_FOREACH (c, &w->queue, struct change, link) {
		list_remove(&c->link);
		list_append(&group, &c->link);
	}
	w->busy = true;
	pthread_mutex_unlock(&w->lock);
	r = write_group(w, &group, &records, &err);
	if (r < 0)
		log_failure(LOG_LEVEL_ERROR, "node.write_failed", r, &err);
	pthread_mutex_lock(&w->lock);
	if (r == 0 && records && w->on_records)
		w->on_records(w->on_records_user);
	while (!list_empty(&group)) {
		c = LIST_ENTRY(r < 0 ? group.prev : group.next, struct change, link);
		list_remove(&c->link);
		if (r < 0) {
			list_prepend(&w->queue, &c->link);
		} else {
			w->queued[c->what]--;
			change_free(c);
		}
	}
	w->busy = false;
	pthread_cond_broadcast(&w->done);
	return r;
}

static void *writer_main(void *user)
{
	struct writer *w = user;
	int r;

	pthread_mutex_lock(&w->lock);
	while (!w->stop || !list_empty(&w->queue)) {
		if (list_empty(&w->queue)) {
			w->idle = true;
			pthread_cond_wait(&w->wake, &w->lock);
			w->idle = false;
			continue;
		}
		wait_ms(w, GROUP_MS);
		r = drain(w);
		if (r < 0 && w->stop)
			break; /* the disk refuses and nobody waits any more */
		if (r < 0)
			wait_ms(w, RETRY_MS);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int writer_new(struct local_db *db, struct writer **ret, struct error *err)
{
	struct writer *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	char now[24];
	int r;

	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	snprintf(now, sizeof(now), "%lld", (long long)clock_wall(clock_system()));
	r = local_db_exec(db, "DELETE FROM state WHERE expires_ms > 0 AND expires_ms <= ?1",
			  (const char *[]){ now }, 1, err);
	if (r < 0) {
		free(w);
		return r;
	}
	w->db = db;
	w->state.writer = w;
	w->records.writer = w;
	list_init(&w->queue);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_cond_init(&w->done, &attr);
	pthread_condattr_destroy(&attr);
	r = pthread_create(&w->thread, NULL, writer_main, w);
	w->started = r == 0;
	if (r != 0) {
		writer_free(w);
		return error_set(err, -EAGAIN, "cannot start the writer's thread");
	}
	*ret = w;
	return 0;
}

struct writer *writer_free(struct writer *w)
{
	struct change *c;

	if (!w)
		return NULL;
	if (w->started) {
		pthread_mutex_lock(&w->lock);
		w->stop = true;
		pthread_cond_signal(&w->wake);
		pthread_mutex_unlock(&w->lock);
		pthread_join(w->thread, NULL);
	}
	LIST_FOREACH (c, &w->queue, struct change, link)
		change_free(c);
	pthread_cond_destroy(&w->wake);
	pthread_cond_destroy(&w->done);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}

struct state_journal *writer_state(struct writer *w)
{
	return &w->state;
}

void writer_forget_state(struct writer *w)
{
	w->forget_state = true;
}

struct record_journal *writer_records(struct writer *w)
{
	return &w->records;
}

void writer_on_records(struct writer *w, void (*fn)(void *user), void *user)
{
	pthread_mutex_lock(&w->lock);
	w->on_records_user = user;
	w->on_records = fn;
	pthread_mutex_unlock(&w->lock);
}

void writer_flush(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	while (w->busy || !list_empty(&w->queue))
		pthread_cond_wait(&w->done, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

static int enqueue(struct writer *w, struct change *c)
{
	size_t limit = c->what == CHANGE_RECORD ? RECORD_QUEUE_LIMIT : STATE_QUEUE_LIMIT;
	int r = 0;

	pthread_mutex_lock(&w->lock);
	if (w->queued[c->what] >= limit) {
		r = -ENOBUFS;
	} else {
		w->queued[c->what]++;
		list_append(&w->queue, &c->link);
		if (w->idle)
			pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
	return r;
}

static int state_change(struct state_journal *js, enum change_kind what, const char *kind,
			struct slice key, struct slice value, int64_t expires_ms)
{
	AUTO(change) struct change *c = NULL;
	int r;

	if (value.len > STATE_VALUE_MAX || key.len > STATE_VALUE_MAX)
		return -EFBIG;
	if (slice_has_nul(key) || slice_has_nul(value))
		return -EINVAL;
	if (!state_wanted(js))
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->what = what;
	c->kind = kind;
	c->key = slice_dup(key);
	c->value = slice_dup(value);
	c->expires_ms = expires_ms;
	if (!c->key || !c->value)
		return -ENOMEM;
	r = js->writer->forget_state ? 0 : enqueue(js->writer, c);
	if (r < 0)
		return r;
	if (!js->writer->forget_state)
		(void)TAKE(c);
	js->seq++;
	if (js->hook)
		js->hook(js->hook_user, js->seq, kind, key,
			 what == CHANGE_PUT ? value : (struct slice){ 0 }, expires_ms);
	return 0;
}

bool state_wanted(const struct state_journal *js)
{
	return !js->writer->forget_state || js->hook;
}

int state_put(struct state_journal *js, const char *kind, struct slice key, struct slice value,
	      int64_t expires_ms)
{
	return state_change(js, CHANGE_PUT, kind, key, value, expires_ms);
}

int state_delete(struct state_journal *js, const char *kind, struct slice key)
{
	return state_change(js, CHANGE_DELETE, kind, key, SLICE(""), 0);
}

int state_load(struct state_journal *js, const char *kind, state_load_fn *fn, void *user,
	       struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	int64_t now = clock_wall(clock_system());
	int r;

	r = local_db_query(js->writer->db,
			   "SELECT key, value, expires_ms FROM state WHERE kind = ?1",
			   (const char *[]){ kind }, 1, &rows, err);
	for (size_t i = 0; r >= 0 && i < store_rows_count(rows); i++) {
		int64_t expires = store_rows_i64(rows, i, 2, 0);

		if (expires != 0 && expires <= now)
			continue;
		r = fn(user, slice_str(store_rows_text(rows, i, 0)),
		       slice_str(store_rows_text(rows, i, 1)), expires);
	}
	return r < 0 ? r : 0;
}

void state_hook(struct state_journal *js, state_hook_fn *fn, void *user)
{
	js->hook = fn;
	js->hook_user = user;
}

int record_put(struct record_journal *rj, json_t *record)
{
	AUTO(json) json_t *owned = record;
	AUTO(change) struct change *c = NULL;
	const char *gsid = json_string_value(json_object_get(owned, "gsid"));
	const char *half = json_string_value(json_object_get(owned, "half"));
	int r;

	if (!gsid || !half || !*gsid || !*half)
		return -EINVAL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->what = CHANGE_RECORD;
	c->key = strdup(gsid);
	c->value = strdup(half);
	c->doc = json_text(owned);
	if (!c->key || !c->value || !c->doc)
		return -ENOMEM;
	r = enqueue(rj->writer, c);
	if (r == 0)
		(void)TAKE(c);
	return r;
}

int record_pending(struct record_journal *rj, size_t limit, json_t **ret, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	AUTO(json) json_t *items = json_array();
	int r;

	r = local_db_query(rj->writer->db, "SELECT doc FROM record ORDER BY seq DESC LIMIT ?1",
			   (const char *[]){ store_num((int64_t)limit) }, 1, &rows, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < store_rows_count(rows); i++)
		json_array_append_new(items, store_rows_json(rows, i, 0));
	*ret = json_pack("{s:O}", "items", items);
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}
