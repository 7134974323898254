/* SPDX-License-Identifier: Apache-2.0 */
/* task.c - see task.h: the life of a task in memory, from queued to its end. */
#include "base/clock.h"
#include "base/job.h"
#include "base/log.h"
#include "base/random.h"
#include "control/task/task_private.h"
#include "http/problem.h"

#include <stdio.h>
#include <time.h>

static const char *const state_names[] = {
	[TASK_QUEUED] = "queued",	  [TASK_RUNNING] = "running",
	[TASK_CANCELLING] = "cancelling", [TASK_SUCCEEDED] = "succeeded",
	[TASK_FAILED] = "failed",	  [TASK_CANCELLED] = "cancelled",
};

const char *task_state_name(enum task_state state)
{
	return state_names[state];
}

int64_t task_wall_ms(void)
{
	return clock_wall(clock_system());
}

static void task_free(struct task *task)
{
	for (size_t i = 0; i < task->step_count; i++)
		free(task->step[i]);
	json_decref(task->result);
	json_decref(task->problem);
	json_decref(task->log);
	free(task->kind);
	free(task->target);
	free(task->actor);
	free(task->unit);
	free(task);
}

/* With tasks->lock held: nobody needs it any more when its end is written. */
void task_unref(struct task *task)
{
	if (--task->refs > 0)
		return;
	list_remove(&task->link);
	task->tasks->count--;
	task_free(task);
}

struct task *task_find(struct tasks *tasks, const char *id)
{
	struct task *task;

	LIST_FOREACH (task, &tasks->list, struct task, link) {
		if (strcmp(task->id, id) == 0)
			return task;
	}
	return NULL;
}

static void end_steps(struct task *task, enum task_state state)
{
	if (state == TASK_SUCCEEDED)
		task->steps_done = task->step_count;
	task->step_end = state;
}

static void finish(struct task *task, int r, const struct error *err)
{
	struct tasks *tasks = task->tasks;
	enum task_state state = TASK_SUCCEEDED;
	const struct http_problem *problem;

	if (r == -ECANCELED && atomic_load(&task->cancel))
		state = TASK_CANCELLED;
	else if (r < 0)
		state = TASK_FAILED;
	(void)pthread_mutex_lock(&tasks->lock);
	if (state == TASK_FAILED) {
		problem = http_problem_of(r, err);
		task->problem =
			json_pack("{s:s, s:s, s:s, s:s}", "code",
				  err->code_name[0] ? err->code_name : problem->code, "title",
				  problem->title, "detail", error_text(err, r), "resolution",
				  err->resolution[0] ? err->resolution : problem->resolution);
	}
	end_steps(task, state);
	task->state = state;
	task->ended_at = task_wall_ms();
	task->dirty = true;
	(void)pthread_mutex_unlock(&tasks->lock);
	log_info("task.ended", F("id", (const char *)task->id), F("kind", (const char *)task->kind),
		 F("state", task_state_name(state)));
	task_save(task);
}

static void run(void *user)
{
	struct task *task = user;
	struct tasks *tasks = task->tasks;
	struct error err = { 0 };
	int r = -ECANCELED;

	if (!atomic_load(&task->cancel)) {
		(void)pthread_mutex_lock(&tasks->lock);
		task->state = TASK_RUNNING;
		task->started_at = task_wall_ms();
		task->dirty = true;
		(void)pthread_mutex_unlock(&tasks->lock);
		task_save(task);
		r = task->run(task, task->data, &err);
	}
	if (task->release)
		task->release(task->data);
	finish(task, r, &err);
	(void)pthread_mutex_lock(&tasks->lock);
	tasks->active--;
	task_unref(task);
	(void)pthread_cond_broadcast(&tasks->wake);
	(void)pthread_mutex_unlock(&tasks->lock);
}

static int task_new(struct tasks *tasks, const struct task_spec *spec, struct task **ret)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		return -ENOMEM;
	task->tasks = tasks;
	task->kind = strdup(spec->kind);
	task->target = strdup(spec->target);
	task->actor = strdup(spec->actor);
	task->log = json_array();
	task->cancellable = spec->cancellable;
	task->created_at = task_wall_ms();
	task->refs = 2; /* the runner, and the list until the end is written */
	uuid_v7(task->id);
	for (const char *const *step = spec->steps; step && *step; step++) {
		if (task->step_count == TASK_STEPS_MAX)
			break;
		task->step[task->step_count] = strdup(*step);
		if (!task->step[task->step_count])
			break;
		task->step_count++;
	}
	if (!task->kind || !task->target || !task->actor || !task->log) {
		task_free(task);
		return -ENOMEM;
	}
	*ret = task;
	return 0;
}

int task_create(struct tasks *tasks, struct store_tx *tx, const struct task_spec *spec,
		struct task **ret, char id[TASK_ID_SIZE], struct error *err)
{
	struct task *task = NULL;
	int r = 0;

	(void)pthread_mutex_lock(&tasks->lock);
	if (tasks->closing)
		r = error_set(err, -EAGAIN, "the appliance is shutting down");
	else if (tasks->count >= TASK_QUEUE_MAX)
		r = error_set(err, -EUSERS, "%d tasks wait already", TASK_QUEUE_MAX);
	else if (task_new(tasks, spec, &task) < 0)
		r = error_set(err, -ENOMEM, "no memory for a task");
	if (r == 0) {
		list_append(&tasks->list, &task->link);
		tasks->count++;
	}
	(void)pthread_mutex_unlock(&tasks->lock);
	if (r < 0)
		return r;
	r = task_insert(task, tx, err);
	if (r < 0) {
		task->release = NULL; /* data stays the caller's */
		task_drop(task);
		return r;
	}
	task->run = spec->run;
	task->release = spec->release;
	task->data = spec->data;
	if (id)
		memcpy(id, task->id, TASK_ID_SIZE);
	if (ret)
		*ret = task;
	if (!tx)
		task_launch(task);
	return 0;
}

void task_launch(struct task *task)
{
	struct tasks *tasks = task->tasks;
	struct error err = { 0 };
	int r;

	(void)pthread_mutex_lock(&tasks->lock);
	tasks->active++;
	(void)pthread_mutex_unlock(&tasks->lock);
	task_box_write(task);
	r = job_submit(tasks->pool, run, NULL, task);
	if (r == 0)
		return;
	if (task->release)
		task->release(task->data);
	(void)error_set(&err, -EAGAIN, "the task could not be queued");
	finish(task, -EAGAIN, &err);
	(void)pthread_mutex_lock(&tasks->lock);
	tasks->active--;
	task_unref(task);
	(void)pthread_mutex_unlock(&tasks->lock);
}

void task_drop(struct task *task)
{
	struct tasks *tasks = task->tasks;

	if (task->release)
		task->release(task->data);
	(void)pthread_mutex_lock(&tasks->lock);
	task_unref(task);
	task_unref(task);
	(void)pthread_mutex_unlock(&tasks->lock);
}

const char *task_id(const struct task *task)
{
	return task->id;
}

void task_step(struct task *task, const char *step)
{
	struct tasks *tasks = task->tasks;

	(void)pthread_mutex_lock(&tasks->lock);
	for (size_t i = 0; i < task->step_count; i++) {
		if (strcmp(task->step[i], step) == 0) {
			task->steps_done = i;
			task->step_running = true;
		}
	}
	if (!task->unit || strcmp(task->unit, "steps") != 0) {
		task->done = 0;
		task->total = 0;
		task->progress_ms = 0;
	}
	task->dirty = true;
	(void)pthread_mutex_unlock(&tasks->lock);
	task_save(task);
}

void task_progress(struct task *task, uint64_t done, uint64_t total, const char *unit)
{
	struct tasks *tasks = task->tasks;

	(void)pthread_mutex_lock(&tasks->lock);
	if (task->progress_ms == 0) {
		task->progress_ms = clock_now(clock_system());
		task->progress_first = done;
	}
	task->done = done;
	task->total = total;
	if (unit && (!task->unit || strcmp(task->unit, unit) != 0)) {
		free(task->unit);
		task->unit = strdup(unit);
	}
	task->dirty = true;
	(void)pthread_mutex_unlock(&tasks->lock);
}

void task_log(struct task *task, const char *format, ...)
{
	struct tasks *tasks = task->tasks;
	char text[1024], at[CLOCK_RFC3339_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)clock_format(task_wall_ms(), at);
	(void)pthread_mutex_lock(&tasks->lock);
	(void)json_array_append_new(task->log, json_pack("{s:s, s:s}", "at", at, "text", text));
	task->log_bytes += strlen(text) + 64;
	while (task->log_bytes > TASK_LOG_MAX && json_array_size(task->log) > 1) {
		const json_t *oldest = json_array_get(task->log, 0);

		task->log_bytes -= json_string_length(json_object_get(oldest, "text")) + 64;
		(void)json_array_remove(task->log, 0);
	}
	task->dirty = true;
	(void)pthread_mutex_unlock(&tasks->lock);
}

bool task_cancelled(const struct task *task)
{
	return atomic_load(&task->cancel);
}

bool task_wait(struct task *task, uint32_t ms)
{
	struct tasks *tasks = task->tasks;
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_mutex_lock(&tasks->lock);
	while (!atomic_load(&task->cancel)) {
		if (pthread_cond_timedwait(&tasks->wake, &tasks->lock, &until) != 0)
			break;
	}
	(void)pthread_mutex_unlock(&tasks->lock);
	return atomic_load(&task->cancel);
}

void task_result(struct task *task, json_t *json)
{
	(void)pthread_mutex_lock(&task->tasks->lock);
	json_decref(task->result);
	task->result = json;
	(void)pthread_mutex_unlock(&task->tasks->lock);
}

/* With the lock held. */
static int begin_cancel(struct tasks *tasks, struct task *task, bool dry, struct error *err)
{
	if (!task->cancellable)
		return error_set(err, -EBUSY, "this task cannot be cancelled");
	if (dry)
		return 0;
	atomic_store(&task->cancel, true);
	task->state = TASK_CANCELLING;
	task->dirty = true;
	(void)pthread_cond_broadcast(&tasks->wake);
	return 0;
}

static int cancel(struct tasks *tasks, const char *id, bool dry, struct error *err)
{
	struct task *task;
	json_t *old = NULL;
	bool under_way;
	int r = 0;

	(void)pthread_mutex_lock(&tasks->lock);
	task = task_find(tasks, id);
	under_way = task && task->ended_at == 0;
	if (under_way)
		r = begin_cancel(tasks, task, dry, err);
	(void)pthread_mutex_unlock(&tasks->lock);
	if (under_way)
		return r;
	r = task_get(tasks, id, &old, err);
	json_decref(old);
	return r < 0 ? r : error_set(err, -EBUSY, "the task has ended already");
}

int task_cancel(struct tasks *tasks, const char *id, struct error *err)
{
	return cancel(tasks, id, false, err);
}

int task_can_cancel(struct tasks *tasks, const char *id, struct error *err)
{
	return cancel(tasks, id, true, err);
}

void tasks_counts(struct tasks *tasks, uint32_t *queued, uint32_t *running)
{
	struct task *task;

	*queued = 0;
	*running = 0;
	(void)pthread_mutex_lock(&tasks->lock);
	LIST_FOREACH (task, &tasks->list, struct task, link) {
		*queued += task->state == TASK_QUEUED;
		*running += task->state == TASK_RUNNING || task->state == TASK_CANCELLING;
	}
	(void)pthread_mutex_unlock(&tasks->lock);
}
