/* SPDX-License-Identifier: Apache-2.0 */
/* task_private.h - what task.c and task_store.c share. */
#pragma once
#include "base/json_field.h"
#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/list.h"
#include "control/task/task.h"

enum task_state {
	TASK_QUEUED,
	TASK_RUNNING,
	TASK_CANCELLING,
	TASK_SUCCEEDED,
	TASK_FAILED,
	TASK_CANCELLED,
};

/* Everything but the constant members is guarded by tasks->lock. */
struct task {
	struct list link;
	struct tasks *tasks;
	unsigned refs;
	char id[TASK_ID_SIZE];
	char *kind, *target, *actor;
	bool cancellable;
	int (*run)(struct task *task, void *data, struct error *err);
	void (*release)(void *data);
	void *data;
	atomic_bool cancel;
	enum task_state state;
	char *step[TASK_STEPS_MAX];
	size_t step_count, steps_done;
	bool step_running;
	enum task_state step_end; /* how the running step ended */
	uint64_t done, total, progress_ms, progress_first;
	char *unit;
	json_t *log, *result, *problem;
	size_t log_bytes;
	int64_t created_at, started_at, ended_at; /* wall, ms; 0 not yet */
	bool dirty;				  /* differs from the tables */
	bool saving;				  /* one thread writes it */
};

struct tasks {
	struct tasks_config config;
	struct job_pool *pool;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* cancelled, ended, closing */
	struct list list;    /* queued, running, or ended and not yet written */
	size_t count, active;
	bool closing;
	pthread_t keeper;
	bool kept;
};

const char *task_state_name(enum task_state state);
int64_t task_wall_ms(void);
void task_unref(struct task *task);			     /* lock held */
struct task *task_find(struct tasks *tasks, const char *id); /* lock held */

/* task_store.c */
/* The first row and event; tx NULL: an own transaction. */
int task_insert(struct task *task, struct store_tx *tx, struct error *err);
/* Write what differs to box.db and PostgreSQL; what fails is tried again by the keeper. */
void task_save(struct task *task);
void task_box_write(struct task *task);
