/* SPDX-License-Identifier: Apache-2.0 */
/* alarm.c - see alarm.h: what is active lies in memory, a thread of its own brings it to the table. */
#include "control/task/alarm.h"
#include "base/clock.h"
#include "base/json_field.h"
#include "base/list.h"
#include "base/log.h"
#include "base/random.h"
#include "base/slice.h"
#include "control/task/event.h"
#include "control/task/sql.h"
#include "store/listing_sql.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define RETRY_S 2
#define ALARMS_MAX 1000 /* active at once; more are only logged */

struct alarm {
	struct list link;
	char code[64], target[160], detail[480], resolution[240];
	enum alarm_severity severity;
	uint64_t count; /* raised since the last write */
	int64_t raised_at;
	bool active, dirty;
};

struct alarms {
	struct store *store;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t writer;
	struct list list;
	size_t count;
	bool closing;
};

static const char *const severities[] = { "warning", "major", "critical" };

#define ALARM_JSON                                                                                                   \
	"json_build_object('id', id, 'code', code, 'target', target, 'severity', severity, "                         \
	"'state', state, 'detail', detail, 'resolution', resolution, 'count', count, "                               \
	"'raised_at', " SQL_TIME("raised_at") ", 'updated_at', " SQL_TIME("updated_at") ", 'cleared_at', " SQL_TIME( \
		"cleared_at") ", 'acknowledged_at', " SQL_TIME("acknowledged_at") ", 'acknowledged_by', acknowledged_by)"

static int changed(struct store_tx *tx, const struct store_rows *rows, struct error *err)
{
	json_t *alarm = store_rows_json(rows, 0, 0);
	struct slice id = slice_str(json_string_value(json_object_get(alarm, "id")));
	char subject[UUID_SIZE] = "";

	/* the row is given away with the call: its id must be ours */
	(void)slice_copy(id, subject, sizeof(subject));
	return event_add(tx, "alarms", "alarm.changed", subject, alarm, err);
}

/* Bring one alarm to its row: at most one active row a code and target. */
static int write_alarm(struct store *store, const struct alarm *a, struct error *err)
{
	static const char raise[] =
		"INSERT INTO alarm (id, code, target, severity, state, detail, resolution, count, "
		"raised_at, updated_at) VALUES ($1::uuid, $2, $3, $4, 'active', $5, $6, $7::bigint, " SQL_FROM_MS(
			"$8") ", now()) ON CONFLICT (code, target) WHERE state = 'active' "
			      "DO UPDATE SET severity = excluded.severity, detail = excluded.detail, "
			      "resolution = excluded.resolution, count = alarm.count + excluded.count, "
			      "updated_at = now() RETURNING " ALARM_JSON;
	static const char clear[] =
		"UPDATE alarm SET state = 'cleared', cleared_at = now(), updated_at = now() "
		"WHERE code = $1 AND target = $2 AND state = 'active' RETURNING " ALARM_JSON;
	AUTO(store_tx) struct store_tx *tx = NULL;
	AUTO(store_rows) struct store_rows *rows = NULL;
	char id[UUID_SIZE];
	int r = store_tx_begin(store, false, &tx, err);

	if (r < 0)
		return r;
	uuid_v7(id);
	/* Raised and cleared between two writes: the row tells both. */
	if (a->active || a->count > 0)
		r = store_tx_query(tx, raise,
				   (const char *[]){ id, a->code, a->target,
						     severities[a->severity], a->detail,
						     a->resolution, store_num((int64_t)a->count),
						     store_num(a->raised_at) },
				   8, &rows, err);
	if (r >= 0 && !a->active) {
		rows = store_rows_free(rows);
		r = store_tx_query(tx, clear, (const char *[]){ a->code, a->target }, 2, &rows,
				   err);
	}
	if (r >= 0 && store_rows_count(rows) > 0)
		r = changed(tx, rows, err);
	return r < 0 ? r : store_tx_commit(tx, err);
}

static struct alarm *next_dirty(struct alarms *alarms)
{
	struct alarm *a;

	LIST_FOREACH (a, &alarms->list, struct alarm, link) {
		if (a->dirty)
			return a;
	}
	return NULL;
}

static void alarm_forget(struct alarms *alarms, struct alarm *a)
{
	list_remove(&a->link);
	alarms->count--;
	free(a);
}

/* Lock held on entry and on return. Only this thread frees alarms. */
static int write_next(struct alarms *alarms, struct alarm *a)
{
	struct alarm copy = *a;
	struct error err = { 0 };
	int r;

	a->dirty = false;
	a->count = 0;
	(void)pthread_mutex_unlock(&alarms->lock);
	if (copy.count == 0 && copy.active)
		copy.count = 1;
	r = write_alarm(alarms->store, &copy, &err);
	(void)pthread_mutex_lock(&alarms->lock);
	if (r < 0) {
		a->dirty = true;
		a->count += copy.count;
		log_failure(LOG_LEVEL_WARNING, "alarm.save_failed", r, &err);
	} else if (!a->active && !a->dirty) {
		alarm_forget(alarms, a);
	}
	return r;
}

static void *write_all(void *arg)
{
	struct alarms *alarms = arg;
	struct timespec until;
	struct alarm *a;
	int r = 0;

	(void)pthread_mutex_lock(&alarms->lock);
	while (!alarms->closing || (next_dirty(alarms) && r >= 0)) {
		a = next_dirty(alarms);
		if (!a) {
			(void)pthread_cond_wait(&alarms->wake, &alarms->lock);
			continue;
		}
		r = write_next(alarms, a);
		if (r >= 0)
			continue;
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += RETRY_S;
		if (!alarms->closing)
			(void)pthread_cond_timedwait(&alarms->wake, &alarms->lock, &until);
	}
	(void)pthread_mutex_unlock(&alarms->lock);
	return NULL;
}

static struct alarm *alarm_find(struct alarms *alarms, const char *code, const char *target)
{
	struct alarm *a;

	LIST_FOREACH (a, &alarms->list, struct alarm, link) {
		if (strcmp(a->code, code) == 0 && strcmp(a->target, target) == 0)
			return a;
	}
	return NULL;
}

static struct alarm *alarm_add(struct alarms *alarms, const char *code, const char *target)
{
	struct alarm *a = alarms->count < ALARMS_MAX ? calloc(1, sizeof(*a)) : NULL;

	if (!a)
		return NULL;
	(void)snprintf(a->code, sizeof(a->code), "%s", code);
	(void)snprintf(a->target, sizeof(a->target), "%s", target);
	a->raised_at = clock_wall(clock_system());
	list_append(&alarms->list, &a->link);
	alarms->count++;
	return a;
}

/* What was active when the last process ended still is, until it is cleared. */
static void load(struct alarms *alarms)
{
	static const char sql[] =
		"SELECT code, target, severity, detail, resolution FROM alarm WHERE state = 'active'";
	AUTO(store_rows) struct store_rows *rows = NULL;
	struct error err = { 0 };
	int r = store_query(alarms->store, sql, NULL, 0, &rows, &err);

	if (r < 0)
		log_failure(LOG_LEVEL_WARNING, "alarm.load_failed", r, &err);
	for (size_t i = 0; i < store_rows_count(rows); i++) {
		struct alarm *a =
			alarm_add(alarms, store_rows_text(rows, i, 0), store_rows_text(rows, i, 1));

		if (!a)
			return;
		a->active = true;
		for (int s = 0; s < 3; s++) {
			if (strcmp(severities[s], store_rows_text(rows, i, 2)) == 0)
				a->severity = (enum alarm_severity)s;
		}
		(void)snprintf(a->detail, sizeof(a->detail), "%s", store_rows_text(rows, i, 3));
		(void)snprintf(a->resolution, sizeof(a->resolution), "%s",
			       store_rows_text(rows, i, 4));
	}
}

int alarms_new(struct store *store, struct alarms **ret, struct error *err)
{
	struct alarms *alarms = calloc(1, sizeof(*alarms));

	if (!alarms)
		return error_set(err, -ENOMEM, "no memory for alarms");
	alarms->store = store;
	list_init(&alarms->list);
	(void)pthread_mutex_init(&alarms->lock, NULL);
	(void)pthread_cond_init(&alarms->wake, NULL);
	load(alarms);
	if (pthread_create(&alarms->writer, NULL, write_all, alarms) != 0) {
		while (!list_empty(&alarms->list))
			alarm_forget(alarms, LIST_FIRST(&alarms->list, struct alarm, link));
		free(alarms);
		return error_set(err, -ENOMEM, "no thread for alarms");
	}
	*ret = alarms;
	return 0;
}

struct alarms *alarms_free(struct alarms *alarms)
{
	if (!alarms)
		return NULL;
	(void)pthread_mutex_lock(&alarms->lock);
	alarms->closing = true;
	(void)pthread_cond_signal(&alarms->wake);
	(void)pthread_mutex_unlock(&alarms->lock);
	(void)pthread_join(alarms->writer, NULL);
	while (!list_empty(&alarms->list))
		alarm_forget(alarms, LIST_FIRST(&alarms->list, struct alarm, link));
	(void)pthread_mutex_destroy(&alarms->lock);
	(void)pthread_cond_destroy(&alarms->wake);
	free(alarms);
	return NULL;
}

void alarm_raise(struct alarms *alarms, const struct alarm_raise *alarm)
{
	struct alarm *a;
	bool fresh = true;

	if (!alarms)
		return;
	(void)pthread_mutex_lock(&alarms->lock);
	a = alarm_find(alarms, alarm->code, alarm->target);
	if (a)
		fresh = !a->active;
	else
		a = alarm_add(alarms, alarm->code, alarm->target);
	if (a) {
		a->severity = alarm->severity;
		(void)snprintf(a->detail, sizeof(a->detail), "%s", alarm->detail);
		(void)snprintf(a->resolution, sizeof(a->resolution), "%s", alarm->resolution);
		a->active = true;
		a->dirty = true;
		a->count++;
		(void)pthread_cond_signal(&alarms->wake);
	}
	(void)pthread_mutex_unlock(&alarms->lock);
	if (fresh)
		log_warning("alarm.raised", F("code", alarm->code), F("target", alarm->target),
			    F("detail", alarm->detail));
}

static void clear_one(struct alarms *alarms, struct alarm *a)
{
	a->active = false;
	a->dirty = true;
	(void)pthread_cond_signal(&alarms->wake);
	log_info("alarm.cleared", F("code", (const char *)a->code),
		 F("target", (const char *)a->target));
}

void alarm_clear(struct alarms *alarms, const char *code, const char *target)
{
	struct alarm *a;

	if (!alarms)
		return;
	(void)pthread_mutex_lock(&alarms->lock);
	a = alarm_find(alarms, code, target);
	if (a && a->active)
		clear_one(alarms, a);
	(void)pthread_mutex_unlock(&alarms->lock);
}

void alarm_clear_target(struct alarms *alarms, const char *target)
{
	struct alarm *a;

	if (!alarms)
		return;
	(void)pthread_mutex_lock(&alarms->lock);
	LIST_FOREACH (a, &alarms->list, struct alarm, link) {
		if (a->active && strcmp(a->target, target) == 0)
			clear_one(alarms, a);
	}
	(void)pthread_mutex_unlock(&alarms->lock);
}

void alarms_counts(struct alarms *alarms, uint32_t counts[3])
{
	struct alarm *a;

	memset(counts, 0, 3 * sizeof(counts[0]));
	(void)pthread_mutex_lock(&alarms->lock);
	LIST_FOREACH (a, &alarms->list, struct alarm, link)
		counts[a->severity] += a->active;
	(void)pthread_mutex_unlock(&alarms->lock);
}

static const char *const state_words[] = { "active", "cleared", NULL };
static const char *const severity_words[] = { "warning", "major", "critical", NULL };

const struct listing alarm_listing = {
	.sort = "-id",
	.fields =
		(const struct listing_field[]){
			{ .name = "id", .kind = LISTING_ID, .use = LISTING_KEY },
			{ .name = "raised_at",
			  .kind = LISTING_TIME,
			  .use = LISTING_SORT | LISTING_RANGE,
			  .help = "When it was raised" },
			{ .name = "state",
			  .kind = LISTING_WORD,
			  .use = LISTING_FILTER,
			  .words = state_words,
			  .help = "State" },
			{ .name = "severity",
			  .kind = LISTING_WORD,
			  .use = LISTING_FILTER,
			  .words = severity_words,
			  .help = "Severity" },
			{ .name = "acknowledged",
			  .kind = LISTING_BOOL,
			  .use = LISTING_FILTER,
			  .column = "(acknowledged_at IS NOT NULL)",
			  .help = "Has somebody seen it?" },
			{ .name = "code", .use = LISTING_FILTER | LISTING_SEARCH, .help = "Code" },
			{ .name = "target",
			  .use = LISTING_FILTER | LISTING_SEARCH,
			  .help = "What it is about" },
			{ .name = NULL } },
};

int alarm_list(struct alarms *alarms, const struct listing_query *query, struct listing_page *ret,
	       struct error *err)
{
	static const struct store_listing source = { .item = ALARM_JSON, .from = "alarm" };

	return store_listing(alarms->store, &source, query, ret, err);
}

static int one(const struct store_rows *rows, const char *id, json_t **ret, struct error *err)
{
	if (store_rows_count(rows) == 0)
		return error_set(err, -ENOENT, "there is no alarm '%s'", id);
	*ret = store_rows_json(rows, 0, 0);
	return *ret ? 0 : error_set(err, -ENOMEM, "no memory for an alarm");
}

int alarm_get(struct alarms *alarms, const char *id, json_t **ret, struct error *err)
{
	static const char sql[] = "SELECT " ALARM_JSON " FROM alarm WHERE id = $1::uuid";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r;

	if (!uuid_is_valid(slice_str(id)))
		return one(NULL, id, ret, err);
	r = store_query(alarms->store, sql, (const char *[]){ id }, 1, &rows, err);
	return r < 0 ? r : one(rows, id, ret, err);
}

int alarm_acknowledge(struct alarms *alarms, struct store_tx *tx, const char *id, const char *actor,
		      json_t **ret, struct error *err)
{
	static const char sql[] =
		"UPDATE alarm SET acknowledged_at = now(), acknowledged_by = $2, updated_at = now() "
		"WHERE id = $1::uuid AND acknowledged_at IS NULL RETURNING " ALARM_JSON;
	AUTO(store_rows) struct store_rows *rows = NULL;
	json_t *old = NULL;
	int r = alarm_get(alarms, id, &old, err);

	json_decref(old);
	if (r < 0)
		return r;
	r = store_tx_query(tx, sql, (const char *[]){ id, actor }, 2, &rows, err);
	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return error_set(err, -EBUSY, "the alarm is acknowledged already");
	return one(rows, id, ret, err);
}
