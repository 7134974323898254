/* SPDX-License-Identifier: Apache-2.0 */
/* task_store.c - see task.h: tasks in PostgreSQL and box.db, and after a restart. */
#include "base/clock.h"
#include "base/job.h"
#include "base/json_field.h"
#include "base/log.h"
#include "base/random.h"
#include "control/task/event.h"
#include "control/task/sql.h"
#include "store/listing_sql.h"
#include "control/task/task_private.h"
#include "store/local_db.h"

#include <stdio.h>
#include <time.h>

#define KEEPER_MS 500
#define QUEUE_LIMIT (2 * TASK_QUEUE_MAX)

const char TASK_BOX_MIGRATION[] =
	"CREATE TABLE task_running (id TEXT PRIMARY KEY, document TEXT NOT NULL)";

static json_t *time_json(int64_t ms)
{
	char text[CLOCK_RFC3339_SIZE];

	return ms ? json_string(clock_format(ms, text)) : json_null();
}

static const char *step_state(const struct task *task, size_t i)
{
	if (i < task->steps_done)
		return "succeeded";
	if (i > task->steps_done || !task->step_running)
		return "pending";
	return task->ended_at ? task_state_name(task->step_end) : "running";
}

static json_t *steps_json(const struct task *task)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < task->step_count; i++)
		(void)json_array_append_new(steps, json_pack("{s:s, s:s}", "name", task->step[i],
							     "state", step_state(task, i)));
	return steps;
}

/* Work that reports no figures of its own is measured by its steps. */
static json_t *progress_of_steps(const struct task *task)
{
	return json_pack("{s:I, s:I, s:s, s:f, s:n}", "done", (json_int_t)task->steps_done, "total",
			 (json_int_t)task->step_count, "unit", "steps", "rate", 0.0, "eta_s");
}

static json_t *progress_json(const struct task *task)
{
	uint64_t ms = task->progress_ms ? clock_now(clock_system()) - task->progress_ms : 0;
	double rate = 0;
	json_t *eta = NULL;

	if (task->total == 0 && task->step_count > 0)
		return progress_of_steps(task);
	if (ms > 200 && task->done > task->progress_first)
		rate = (double)(task->done - task->progress_first) * 1000.0 / (double)ms;
	if (rate > 0 && task->total > task->done)
		eta = json_integer((json_int_t)((double)(task->total - task->done) / rate));
	return json_pack("{s:I, s:o, s:s?, s:f, s:o}", "done", (json_int_t)task->done, "total",
			 task->total ? json_integer((json_int_t)task->total) : json_null(), "unit",
			 task->unit, "rate", rate, "eta_s", eta ? eta : json_null());
}

/* The resource of DESIGN section 5. Lock held. */
static json_t *task_json(const struct task *task)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:b, s:o, s:o, s:o, s:O?, s:O?}",
			 "id", task->id, "kind", task->kind, "state", task_state_name(task->state),
			 "progress", progress_json(task), "steps", steps_json(task), "target",
			 task->target, "actor", task->actor, "cancellable", task->cancellable,
			 "created_at", time_json(task->created_at), "started_at",
			 time_json(task->started_at), "ended_at", time_json(task->ended_at),
			 "result", task->result, "problem", task->problem);
}

/* What is written: the resource and its log, as text. */
struct snapshot {
	char id[TASK_ID_SIZE];
	json_t *task;
	char *text, *log;
	bool ended;
};

static void snapshot_done(struct snapshot *s)
{
	json_decref(s->task);
	free(s->text);
	free(s->log);
}

static int snapshot_take(const struct task *task, struct snapshot *s)
{
	memcpy(s->id, task->id, sizeof(s->id));
	s->task = task_json(task);
	s->text = s->task ? json_dumps(s->task, JSON_COMPACT) : NULL;
	s->log = json_dumps(task->log, JSON_COMPACT);
	s->ended = task->ended_at != 0;
	return s->text && s->log ? 0 : -ENOMEM;
}

static int row_write(struct store_tx *tx, const char *text, const char *log, struct error *err)
{
	static const char sql[] =
		"INSERT INTO task (id, kind, state, target, actor, cancellable, progress, steps, result, "
		"problem, log, created_at, started_at, ended_at) "
		"SELECT (d->>'id')::uuid, d->>'kind', d->>'state', d->>'target', d->>'actor', "
		"(d->>'cancellable')::boolean, d->'progress', d->'steps', "
		"nullif(d->'result', 'null')::json, nullif(d->'problem', 'null')::json, $2::json, "
		"(d->>'created_at')::timestamptz, (d->>'started_at')::timestamptz, "
		"(d->>'ended_at')::timestamptz FROM (SELECT $1::jsonb AS d) AS given "
		"ON CONFLICT (id) DO UPDATE SET state = excluded.state, progress = excluded.progress, "
		"steps = excluded.steps, result = excluded.result, problem = excluded.problem, "
		"log = CASE WHEN json_array_length(excluded.log) = 0 THEN task.log ELSE excluded.log END, "
		"started_at = excluded.started_at, ended_at = excluded.ended_at, "
		"updated_at = now() WHERE task.ended_at IS NULL";

	return store_tx_exec(tx, sql, (const char *[]){ text, log }, 2, err);
}

static int write_both(struct store_tx *tx, const struct snapshot *s, struct error *err)
{
	int r = row_write(tx, s->text, s->log, err);

	return r < 0 ? r : event_add(tx, "tasks", "task.changed", s->id, json_incref(s->task), err);
}

static int snapshot_commit(struct store *store, const struct snapshot *s, struct error *err)
{
	AUTO(store_tx) struct store_tx *tx = NULL;
	int r = store_tx_begin(store, false, &tx, err);

	if (r == 0)
		r = write_both(tx, s, err);
	return r < 0 ? r : store_tx_commit(tx, err);
}

int task_insert(struct task *task, struct store_tx *tx, struct error *err)
{
	struct snapshot s = { 0 };
	int r;

	(void)pthread_mutex_lock(&task->tasks->lock);
	r = snapshot_take(task, &s);
	(void)pthread_mutex_unlock(&task->tasks->lock);
	if (r < 0)
		r = error_set(err, r, "no memory for a task");
	else if (tx)
		r = write_both(tx, &s, err);
	else
		r = snapshot_commit(task->tasks->config.store, &s, err);
	snapshot_done(&s);
	return r;
}

static int box_write(struct tasks *tasks, const char *id, const char *text)
{
	static const char sql[] =
		"INSERT OR REPLACE INTO task_running (id, document) VALUES (?1, ?2)";

	if (!tasks->config.box)
		return 0;
	return local_db_exec(tasks->config.box, sql, (const char *[]){ id, text }, 2, NULL);
}

static void box_delete(struct tasks *tasks, const char *id)
{
	if (tasks->config.box)
		(void)local_db_exec(tasks->config.box, "DELETE FROM task_running WHERE id = ?1",
				    (const char *[]){ id }, 1, NULL);
}

void task_box_write(struct task *task)
{
	struct snapshot s = { 0 };
	int r;

	(void)pthread_mutex_lock(&task->tasks->lock);
	r = snapshot_take(task, &s);
	(void)pthread_mutex_unlock(&task->tasks->lock);
	if (r == 0)
		r = box_write(task->tasks, s.id, s.text);
	if (r < 0)
		log_failure(LOG_LEVEL_WARNING, "task.box_failed", r, NULL);
	snapshot_done(&s);
}

/* One write at a time a task, or an older state could overtake a newer one. */
void task_save(struct task *task)
{
	struct tasks *tasks = task->tasks;
	struct error err = { 0 };
	int r;

	(void)pthread_mutex_lock(&tasks->lock);
	while (task->saving)
		(void)pthread_cond_wait(&tasks->wake, &tasks->lock);
	while (task->dirty) {
		struct snapshot s = { 0 };

		task->dirty = false;
		task->saving = true;
		r = snapshot_take(task, &s);
		(void)pthread_mutex_unlock(&tasks->lock);
		if (r == 0)
			r = box_write(tasks, s.id, s.text);
		if (r >= 0)
			r = snapshot_commit(tasks->config.store, &s, &err);
		if (r >= 0 && s.ended)
			box_delete(tasks, s.id);
		(void)pthread_mutex_lock(&tasks->lock);
		task->saving = false;
		(void)pthread_cond_broadcast(&tasks->wake);
		if (r < 0) {
			task->dirty = true;
			log_failure(LOG_LEVEL_WARNING, "task.save_failed", r, &err);
		}
		if (r >= 0 && s.ended)
			task_unref(task); /* the list's */
		snapshot_done(&s);
		if (r < 0 || s.ended)
			break;
	}
	(void)pthread_mutex_unlock(&tasks->lock);
}

static struct task *next_dirty(struct tasks *tasks, const struct task *after)
{
	struct task *task;
	bool passed = after == NULL;

	LIST_FOREACH (task, &tasks->list, struct task, link) {
		if (passed && task->dirty && !task->saving)
			return task;
		passed |= task == after;
	}
	return NULL;
}

/* Writes progress, and what could not be written while the database was away. */
static void *keep(void *arg)
{
	struct tasks *tasks = arg;
	struct timespec nap = { .tv_nsec = KEEPER_MS * 1000000L };
	struct task *task;

	for (;;) {
		(void)nanosleep(&nap, NULL);
		(void)pthread_mutex_lock(&tasks->lock);
		if (tasks->closing && tasks->active == 0) {
			(void)pthread_mutex_unlock(&tasks->lock);
			return NULL;
		}
		task = next_dirty(tasks, NULL);
		while (task) {
			struct task *next;

			task->refs++;
			(void)pthread_mutex_unlock(&tasks->lock);
			task_save(task);
			(void)pthread_mutex_lock(&tasks->lock);
			next = next_dirty(tasks, task);
			task_unref(task);
			task = next;
		}
		(void)pthread_mutex_unlock(&tasks->lock);
	}
}

int tasks_new(const struct tasks_config *config, struct tasks **ret, struct error *err)
{
	struct tasks *tasks = calloc(1, sizeof(*tasks));
	int r;

	if (!tasks)
		return error_set(err, -ENOMEM, "no memory for tasks");
	tasks->config = *config;
	list_init(&tasks->list);
	(void)pthread_mutex_init(&tasks->lock, NULL);
	(void)pthread_cond_init(&tasks->wake, NULL);
	r = job_pool_new(config->loop, config->threads ? config->threads : 8, QUEUE_LIMIT,
			 &tasks->pool);
	if (r == 0 && pthread_create(&tasks->keeper, NULL, keep, tasks) != 0)
		r = -EAGAIN;
	if (r < 0) {
		(void)job_pool_free(tasks->pool);
		free(tasks);
		return error_set(err, r, "no threads for tasks");
	}
	*ret = tasks;
	return 0;
}

struct tasks *tasks_stop(struct tasks *tasks, uint32_t timeout_ms)
{
	struct timespec nap = { .tv_nsec = 10000000 };
	uint64_t until = clock_now(clock_system()) + timeout_ms;
	struct task *task;
	bool idle;

	if (!tasks)
		return NULL;
	(void)pthread_mutex_lock(&tasks->lock);
	tasks->closing = true;
	LIST_FOREACH (task, &tasks->list, struct task, link)
		atomic_store(&task->cancel, true);
	(void)pthread_cond_broadcast(&tasks->wake);
	idle = tasks->active == 0;
	(void)pthread_mutex_unlock(&tasks->lock);
	while (!idle && clock_now(clock_system()) < until) {
		(void)nanosleep(&nap, NULL);
		(void)pthread_mutex_lock(&tasks->lock);
		idle = tasks->active == 0;
		(void)pthread_mutex_unlock(&tasks->lock);
	}
	if (!idle) /* its threads still use it */
		return tasks;
	(void)pthread_join(tasks->keeper, NULL);
	(void)job_pool_free(tasks->pool);
	while ((task = LIST_FIRST(&tasks->list, struct task, link)) != NULL) {
		task->refs = 1;
		task_unref(task);
	}
	(void)pthread_mutex_destroy(&tasks->lock);
	(void)pthread_cond_destroy(&tasks->wake);
	free(tasks);
	return NULL;
}

/* Recovery -------------------------------------------------------------------------------------- */

static const char *member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void fail_steps(json_t *document)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(document, "steps"), i, step)
	{
		if (strcmp(member(step, "state"), "running") == 0)
			(void)json_object_set_new(step, "state", json_string("failed"));
	}
}

static int recover_one(struct tasks *tasks, json_t *document, const char *log, task_recover_fn *fn,
		       void *user, struct error *err)
{
	struct snapshot s = { .ended = true, .task = document };
	struct error undo = { 0 };
	int r = 0;

	(void)snprintf(s.id, sizeof(s.id), "%s", member(document, "id"));
	if (!json_is_string(json_object_get(document, "ended_at"))) {
		if (fn)
			r = fn(user, s.id, member(document, "kind"), member(document, "target"),
			       &undo);
		(void)json_object_set_new(document, "state", json_string("failed"));
		(void)json_object_set_new(document, "ended_at", time_json(task_wall_ms()));
		(void)json_object_set_new(
			document, "problem",
			json_pack(
				"{s:s, s:s, s:s, s:s}", "code", "interrupted", "title",
				"The task was interrupted", "detail",
				r < 0 ? error_text(&undo, r)
				      : "auraboxd ended while the task ran; what was half-done is undone",
				"resolution", "Start it again."));
		fail_steps(document);
		log_info("task.ended", F("id", (const char *)s.id),
			 F("kind", member(document, "kind")), F("state", "failed"));
	}
	s.text = json_dumps(document, JSON_COMPACT);
	s.log = strdup(log);
	r = s.text && s.log ? snapshot_commit(tasks->config.store, &s, err) : -ENOMEM;
	if (r >= 0)
		box_delete(tasks, s.id);
	s.task = NULL;
	snapshot_done(&s);
	return r < 0 ? r : 0;
}

#define TASK_JSON                                                                                       \
	"json_build_object('id', id, 'kind', kind, 'state', state, 'progress', progress, 'steps', "     \
	"steps, 'target', target, 'actor', actor, 'cancellable', cancellable, 'created_at', " SQL_TIME( \
		"created_at") ", 'started_at', " SQL_TIME("started_at") ", 'ended_at', " SQL_TIME("ended_at") ", 'result', result, 'problem', problem)"

int tasks_recover(struct tasks *tasks, task_recover_fn *fn, void *user, struct error *err)
{
	static const char sql[] = "SELECT " TASK_JSON ", log FROM task WHERE ended_at IS NULL";
	AUTO(store_rows) struct store_rows *box = NULL;
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = 0;

	if (tasks->config.box)
		r = local_db_query(tasks->config.box, "SELECT document FROM task_running", NULL, 0,
				   &box, err);
	for (size_t i = 0; r >= 0 && i < store_rows_count(box); i++) {
		AUTO(json) json_t *document = store_rows_json(box, i, 0);

		if (document)
			r = recover_one(tasks, document, "[]", fn, user, err);
	}
	if (r >= 0)
		r = store_query(tasks->config.store, sql, NULL, 0, &rows, err);
	for (size_t i = 0; r >= 0 && i < store_rows_count(rows); i++) {
		AUTO(json) json_t *document = store_rows_json(rows, i, 0);

		if (document)
			r = recover_one(tasks, document, store_rows_text(rows, i, 1), fn, user,
					err);
	}
	return r < 0 ? r : 0;
}

/* For the API ------------------------------------------------------------------------------------ */

static int not_found(const char *id, struct error *err)
{
	return error_set(err, -ENOENT, "there is no task '%s'", id);
}

static int fetch(struct tasks *tasks, const char *sql, const char *id, json_t **ret,
		 struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r;

	if (!uuid_is_valid(slice_str(id)))
		return not_found(id, err);
	r = store_query(tasks->config.store, sql, (const char *[]){ id }, 1, &rows, err);
	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return not_found(id, err);
	*ret = store_rows_json(rows, 0, 0);
	return *ret ? 0 : error_set(err, -ENOMEM, "no memory for a task");
}

int task_get(struct tasks *tasks, const char *id, json_t **ret, struct error *err)
{
	static const char sql[] = "SELECT " TASK_JSON " FROM task WHERE id = $1::uuid";
	struct task *task;

	(void)pthread_mutex_lock(&tasks->lock);
	task = task_find(tasks, id);
	if (task)
		*ret = task_json(task);
	(void)pthread_mutex_unlock(&tasks->lock);
	return task ? 0 : fetch(tasks, sql, id, ret, err);
}

int task_log_get(struct tasks *tasks, const char *id, json_t **ret, struct error *err)
{
	static const char sql[] =
		"SELECT json_build_object('lines', log) FROM task WHERE id = $1::uuid";
	struct task *task;

	(void)pthread_mutex_lock(&tasks->lock);
	task = task_find(tasks, id);
	if (task)
		*ret = json_pack("{s:o}", "lines", json_deep_copy(task->log));
	(void)pthread_mutex_unlock(&tasks->lock);
	return task ? 0 : fetch(tasks, sql, id, ret, err);
}

static const char *const state_words[] = { "queued", "running",	  "cancelling", "succeeded",
					   "failed", "cancelled", NULL };

const struct listing task_listing = {
	.sort = "-id",
	.fields =
		(const struct listing_field[]){
			{ .name = "id", .kind = LISTING_ID, .use = LISTING_KEY },
			{ .name = "created_at",
			  .kind = LISTING_TIME,
			  .use = LISTING_SORT | LISTING_RANGE,
			  .help = "When it was asked for" },
			{ .name = "state",
			  .kind = LISTING_WORD,
			  .use = LISTING_FILTER,
			  .words = state_words,
			  .help = "State" },
			{ .name = "kind",
			  .use = LISTING_FILTER | LISTING_SEARCH,
			  .help = "Kind of work" },
			{ .name = "target",
			  .use = LISTING_FILTER | LISTING_SEARCH,
			  .help = "What it works on" },
			{ .name = NULL } },
};

int task_list(struct tasks *tasks, const struct listing_query *query, struct listing_page *ret,
	      struct error *err)
{
	static const struct store_listing source = { .item = TASK_JSON, .from = "task" };

	return store_listing(tasks->config.store, &source, query, ret, err);
}
