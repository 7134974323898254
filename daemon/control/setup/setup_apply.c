/* SPDX-License-Identifier: Apache-2.0 */
/* setup_apply.c - the task setup.apply: appliance, components, people, in this order, each made where it is
 * missing. Nothing about it is kept but the task's row: what is there shows what is left to do. */
#include <stdio.h>

#include "control/auth/actor.h"
#include "control/auth/audit.h"
#include "control/setup/setup_private.h"
#include "control/setup/setup_work.h"
#include "control/uc/uc.h"
#include "control/vm/vm_manager.h"

#define STALE_TRIES 5
#define MADE_ELSEWHERE "-" /* as an id: it is being made just now */

static const char *const steps[] = { "appliance", "components", "people", NULL };
static const char *const steps_finish[] = { "appliance", "components", "people", "finish", NULL };

int setup_work_change(struct setup_work *w, const char *target, struct change **ret,
		      struct error *err)
{
	return change_begin(w->s->config.store, &w->actor, "setup.apply", target, ret, err);
}

void setup_work_did(struct setup_work *w, unsigned parts)
{
	w->done = w->done + parts < w->total ? w->done + parts : w->total;
	task_progress(w->task, w->done, w->total, "steps");
}

void setup_work_note(struct setup_work *w, bool created, const char *target)
{
	(void)json_array_append_new(created ? w->created : w->kept, json_string(target));
	task_log(w->task, "%s: %s", target, created ? "created" : "kept");
}

int setup_work_cancelled(const struct setup_work *w, struct error *err)
{
	return task_cancelled(w->task)
		       ? error_set(err, -ECANCELED, "cancelled; what is done stays, apply again")
		       : 0;
}

/* ---- the appliance's row ---- */

static bool differs(const char *wish, const char *now, bool given)
{
	return wish && (!given || strcmp(wish, now) != 0);
}

static int write_once(struct setup_work *w, bool finish, struct error *err)
{
	struct appliance *a = w->s->config.appliance;
	AUTO(change) struct change *change = NULL;
	AUTO(json) json_t *resource = NULL;
	struct appliance_change what = { .finish = finish };
	struct appliance_row row;
	int64_t version;
	int r = appliance_read(a, &row, err);

	if (r < 0)
		return r;
	version = row.version;
	if (!finish && differs(w->spec.name, row.name, row.name_given))
		what.name = w->spec.name;
	if (!finish && differs(w->spec.time_zone, row.time_zone, row.zone_given))
		what.time_zone = w->spec.time_zone;
	if (!what.name && !what.time_zone && (!finish || row.finished))
		return 0;
	r = appliance_next(a, &what, &row, &resource, err);
	if (r == 0)
		r = setup_work_change(w, finish ? "setup" : "appliance", &change, err);
	if (r == 0)
		r = appliance_write(change, &what, version, resource, err);
	return r < 0 ? r : change_commit(change, err);
}

/* Somebody else may write it at the same moment. */
static int write_appliance(struct setup_work *w, bool finish, struct error *err)
{
	int r = -ESTALE;

	for (int i = 0; i < STALE_TRIES && r == -ESTALE; i++)
		r = write_once(w, finish, err);
	if (r == 0)
		setup_work_did(w, 1);
	return r;
}

/* ---- the task ---- */

static int run_steps(struct setup_work *w, struct error *err)
{
	int r;

	task_step(w->task, "appliance");
	setup_work_did(w, 0);
	r = write_appliance(w, false, err);
	if (r == 0)
		r = setup_work_cancelled(w, err);
	if (r < 0)
		return r;
	task_step(w->task, "components");
	r = setup_components(w, err);
	if (r == 0)
		r = setup_work_cancelled(w, err);
	if (r < 0)
		return r;
	task_step(w->task, "people");
	r = setup_people(w, err);
	if (r < 0 || !w->spec.finished)
		return r;
	r = setup_work_cancelled(w, err);
	if (r < 0)
		return r;
	task_step(w->task, "finish");
	return write_appliance(w, true, err);
}

static int run(struct task *task, void *data, struct error *err)
{
	struct setup_work *w = data;
	AUTO_FACTS facts = { 0 };
	int r;

	w->task = task;
	r = setup_facts_take(w->s, &facts, err);
	if (r < 0)
		return r;
	w->total = 1 + setup_components_count(w, &facts) + w->spec.people.count +
		   (w->spec.finished ? 1 : 0);
	r = run_steps(w, err);
	if (r == 0) /* what became ready by itself meanwhile was not counted */
		setup_work_did(w, (unsigned)(w->total - w->done));
	task_result(task, json_pack("{s:O, s:O}", "created", w->created, "kept", w->kept));
	return r;
}

static void work_free(struct setup_work *w)
{
	setup_spec_done(&w->spec);
	json_decref(w->created);
	json_decref(w->kept);
	free(w);
}

static void set_current(struct setup *s, const char *id)
{
	(void)pthread_mutex_lock(&s->lock);
	(void)snprintf(s->task_id, sizeof(s->task_id), "%s", id);
	(void)pthread_mutex_unlock(&s->lock);
}

static void release(void *data)
{
	struct setup_work *w = data;

	set_current(w->s, "");
	work_free(w);
}

/* One at a time. */
static int reserve(struct setup *s, struct error *err)
{
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	if (s->task_id[0]) {
		r = error_set(err, -EBUSY, "another setup is being applied");
		if (strcmp(s->task_id, MADE_ELSEWHERE) != 0)
			error_resolution(err, "Wait for task %s, or cancel it.", s->task_id);
	} else {
		(void)snprintf(s->task_id, sizeof(s->task_id), "%s", MADE_ELSEWHERE);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

static int work_new(struct setup *s, const struct actor *actor, const json_t *body,
		    struct setup_work **ret, struct error *err)
{
	struct setup_work *w = calloc(1, sizeof(*w));
	AUTO_FACTS facts = { 0 };
	int r;

	if (!w)
		return error_set(err, -ENOMEM, "no memory for the setup");
	w->s = s;
	w->actor = *actor;
	w->created = json_array();
	w->kept = json_array();
	r = setup_spec_read(body, &w->spec, err);
	if (r == 0)
		r = setup_facts_take(s, &facts, err);
	if (r == 0)
		r = setup_plan_check(&w->spec, &facts, err);
	if (r < 0) {
		work_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

static int queue(struct setup *s, struct change *change, struct setup_work *w,
		 char id[TASK_ID_SIZE], struct error *err)
{
	struct task *task = NULL;
	int r = task_create(s->config.tasks, change_tx(change),
			    &(struct task_spec){ .kind = "setup.apply",
						 .target = "setup",
						 .actor = w->actor.name,
						 .steps = w->spec.finished ? steps_finish : steps,
						 .cancellable = true,
						 .run = run,
						 .release = release,
						 .data = w },
			    &task, id, err);

	if (r < 0) {
		release(w);
		return r;
	}
	r = change_commit(change, err);
	if (r < 0) {
		task_drop(task);
		return r;
	}
	set_current(s, id);
	task_launch(task);
	return 0;
}

int setup_apply(struct setup *s, struct change *change, const struct actor *actor,
		const json_t *body, char task_id[TASK_ID_SIZE], struct error *err)
{
	struct setup_work *w = NULL;
	int r = work_new(s, actor, body, &w, err);

	if (r < 0)
		return r;
	r = reserve(s, err);
	if (r < 0) {
		work_free(w);
		return r;
	}
	return queue(s, change, w, task_id, err);
}
