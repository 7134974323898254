/* SPDX-License-Identifier: Apache-2.0 */
/* task.h - long work: queued, run on threads of its own, with steps, progress, log and cancel;
 * kept in PostgreSQL and, while it runs, in box.db too, so that a killed daemon loses none. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/listing.h"

struct error;
struct json_t; /* Jansson */
struct local_db;
struct loop;
struct store;
struct store_tx;
struct task;  /* one piece of work while it is queued or runs */
struct tasks; /* all of them */

enum {
	TASK_ID_SIZE = 37,
	TASK_STEPS_MAX = 16,
	TASK_QUEUE_MAX = 256, /* queued and running; more is -EUSERS */
	TASK_LOG_MAX = 65536, /* bytes of one task's log; the oldest lines go */
};

struct tasks_config {
	struct store *store;
	struct local_db *box; /* has table task_running, see TASK_BOX_MIGRATION */
	struct loop *loop;
	unsigned threads; /* tasks that run at once; 0 = 8 */
};

/* The statement that makes box.db's table; whoever opens box.db puts it among its migrations. */
extern const char TASK_BOX_MIGRATION[];

/* What to do. All texts and steps are copied. */
struct task_spec {
	const char *kind;	  /* "vm.deploy" */
	const char *target;	  /* "vms/sm" */
	const char *actor;	  /* administrator's name, "system" for the box itself */
	const char *const *steps; /* NULL-terminated; may be NULL */
	bool cancellable;
	/* The work, on a task thread; may block. Returns 0 or a negative errno with err filled:
	 * the task ends succeeded or failed; -ECANCELED after task_cancelled() ends it cancelled. */
	int (*run)(struct task *task, void *data, struct error *err);
	/* Called exactly once after run, or instead of it when the task never ran. May be NULL. */
	void (*release)(void *data);
	void *data;
};

/* Errors: -ENOMEM, -EAGAIN no thread. Nothing is borrowed but what config points to. */
int tasks_new(const struct tasks_config *config, struct tasks **ret, struct error *err);
/* Ask all running tasks to cancel, wait at most timeout_ms for them and free all. What still runs is left
 * as it is in the tables: the next start's tasks_recover() reports it. Then `tasks` is returned: nothing
 * that tasks use may be freed any more, the process is to end. */
struct tasks *tasks_stop(struct tasks *tasks, uint32_t timeout_ms);

/* Once at start, before anything is created: each task that an earlier process left unfinished is
 * handed to fn (which undoes what is half-done; may be NULL), then ends failed, code "interrupted".
 * fn's own negative result is added to the detail. */
typedef int task_recover_fn(void *user, const char *id, const char *kind, const char *target,
			    struct error *err);
int tasks_recover(struct tasks *tasks, task_recover_fn *fn, void *user, struct error *err);

/* Write the task's row and its event in tx (NULL: a transaction of its own) and make it ready.
 * *ret must be given to task_launch() after the commit, or to task_drop() when there was none; with
 * tx NULL it is launched already and ret may be NULL. id may be NULL. spec->data is taken over on
 * success alone. Errors: -EUSERS too many, as store.h. */
int task_create(struct tasks *tasks, struct store_tx *tx, const struct task_spec *spec,
		struct task **ret, char id[TASK_ID_SIZE], struct error *err);
void task_launch(struct task *task);
void task_drop(struct task *task); /* calls release */

/* For run(), on its thread. ------------------------------------------------------------------- */
const char *task_id(const struct task *task);
/* Begin the named step: the one before it has succeeded. Unknown names are a contract violation. */
void task_step(struct task *task, const char *step);
/* done of total in unit ("bytes", "percent"); total 0: unknown, then the steps are counted. In unit
 * "steps" the figures are of the whole task and stay over its steps. Cheap: call as often as you like. */
void task_progress(struct task *task, uint64_t done, uint64_t total, const char *unit);
/* One line for GET /tasks/{id}/log; no secrets. */
void task_log(struct task *task, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Shall it end? Look at every wait; then undo and return -ECANCELED. */
bool task_cancelled(const struct task *task);
/* Sleep at most ms; returns early and true when cancelled. */
bool task_wait(struct task *task, uint32_t ms);
/* The result member; takes over json. */
void task_result(struct task *task, struct json_t *json);

/* For the API; any worker thread. --------------------------------------------------------------- */
/* The resource of DESIGN §5; running ones with live progress. Errors: -ENOENT, as store.h. */
int task_get(struct tasks *tasks, const char *id, struct json_t **ret, struct error *err);
/* Newest first. */
extern const struct listing task_listing;
int task_list(struct tasks *tasks, const struct listing_query *query, struct listing_page *ret,
	      struct error *err);
/* {"lines":[{"at","text"}]}. Errors: -ENOENT. */
int task_log_get(struct tasks *tasks, const char *id, struct json_t **ret, struct error *err);
/* Errors: -ENOENT; -EBUSY ended already or not cancellable. */
int task_cancel(struct tasks *tasks, const char *id, struct error *err);
/* Would it? The same errors, nothing done. */
int task_can_cancel(struct tasks *tasks, const char *id, struct error *err);
/* Queued and running now, for metrics. */
void tasks_counts(struct tasks *tasks, uint32_t *queued, uint32_t *running);
