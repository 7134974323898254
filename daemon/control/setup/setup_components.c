/* SPDX-License-Identifier: Apache-2.0 */
/* setup_components.c - see setup_work.h: the step that brings the guests up. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "control/auth/audit.h"
#include "control/setup/setup_work.h"
#include "control/vm/vm_manager.h"

#define POLL_MS 200
#define DEPLOY_PARTS 5 /* steps of vm.deploy */
#define START_PARTS 2  /* steps of vm.start */
#define WAIT_PARTS 1

struct component {
	const char *name;	    /* of the template; borrowed from the catalogue's copy */
	char vm[64];		    /* the VM's name */
	char task_id[TASK_ID_SIZE]; /* makes or starts it; "" when it is only waited for */
	unsigned parts, seen;
	uint64_t until_ms; /* monotonic, when nothing but its readiness is waited for */
	bool ended;
	bool created;
	int r;
	struct error why;
};

struct group {
	struct setup_work *w;
	struct setup_facts facts;
	struct component items[SETUP_COMPONENTS_MAX];
	size_t count;
};

static bool wanted(const struct setup_work *w, const char *name)
{
	for (size_t i = 0; i < w->spec.components.count; i++) {
		if (strcmp(w->spec.components.items[i], name) == 0)
			return true;
	}
	return false;
}

static bool is_ready(const json_t *vm)
{
	return json_is_true(json_object_get(vm, "ready"));
}

static bool is_stopped(const json_t *vm)
{
	return strcmp(setup_text(vm, "desired_state"), "running") != 0;
}

static unsigned parts_of(const json_t *vm)
{
	if (!vm)
		return DEPLOY_PARTS;
	if (is_stopped(vm))
		return START_PARTS;
	return is_ready(vm) ? 0 : WAIT_PARTS;
}

unsigned setup_components_count(const struct setup_work *w, const struct setup_facts *facts)
{
	unsigned parts = 0;
	const json_t *t;
	size_t i;

	json_array_foreach(facts->templates, i, t)
	{
		if (wanted(w, setup_text(t, "name")))
			parts += parts_of(setup_vm(facts, setup_text(t, "name")));
	}
	return parts;
}

static void component_end(struct setup_work *w, struct component *c, int r)
{
	char target[80];

	(void)snprintf(target, sizeof(target), "vms/%s", c->vm);
	c->ended = true;
	c->r = r;
	if (r < 0) {
		task_log(w->task, "%s: %s", target, error_text(&c->why, r));
		return;
	}
	setup_work_did(w, c->parts - c->seen);
	setup_work_note(w, c->created, target);
}

/* A change around vm_manager_deploy() or vm_manager_act(), as the routes of /vms do it. */
static int begin(struct setup_work *w, struct component *c, bool deploy, struct error *err)
{
	struct vm_manager *vms = w->s->config.vms;
	AUTO(change) struct change *change = NULL;
	char target[80];
	int r;

	(void)snprintf(target, sizeof(target), "vms/%s", c->vm);
	r = setup_work_change(w, target, &change, err);
	if (r < 0)
		return r;
	if (deploy)
		r = vm_manager_deploy(vms, &(struct vm_deploy){ .template_name = c->name },
				      w->actor.name, c->task_id, err);
	else
		r = vm_manager_act(vms, c->vm, VM_START, w->actor.name, c->task_id, err);
	return r < 0 ? r : change_commit(change, err);
}

static void component_begin(struct group *g, struct component *c, const json_t *t, const json_t *vm)
{
	uint64_t now = clock_now(clock_system());
	int64_t timeout_s =
		json_integer_value(json_object_get(json_object_get(t, "ready"), "ready_timeout_s"));
	int r = 0;

	c->name = setup_text(t, "name");
	c->parts = parts_of(vm);
	c->until_ms = now + (uint64_t)(timeout_s > 0 ? timeout_s : 60) * 1000;
	(void)snprintf(c->vm, sizeof(c->vm), "%s", vm ? setup_text(vm, "name") : c->name);
	if (!vm || is_stopped(vm)) {
		c->created = !vm;
		task_log(g->w->task, "vms/%s: %s", c->vm, vm ? "starting" : "deploying");
		r = begin(g->w, c, !vm, &c->why);
	}
	if (r < 0 || (vm && is_ready(vm) && !is_stopped(vm)))
		component_end(g->w, c, r);
}

/* How far the task is that makes it. */
static void look_at_task(struct group *g, struct component *c)
{
	AUTO(json) json_t *task = NULL;
	const json_t *step, *problem;
	const char *state;
	unsigned done = 0;
	size_t i;
	int r = task_get(g->w->s->config.tasks, c->task_id, &task, &c->why);

	if (r < 0) /* the database is away for a moment: the task goes on */
		return;
	state = setup_text(task, "state");
	json_array_foreach(json_object_get(task, "steps"), i, step) done +=
		strcmp(setup_text(step, "state"), "succeeded") == 0;
	if (done > c->seen && done <= c->parts) {
		setup_work_did(g->w, done - c->seen);
		c->seen = done;
	}
	if (strcmp(state, "succeeded") == 0) {
		component_end(g->w, c, 0);
	} else if (strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0) {
		problem = json_object_get(task, "problem");
		r = error_set(&c->why, -EIO, "%s: %s", c->vm,
			      json_is_object(problem) ? setup_text(problem, "detail") : state);
		error_code_name(&c->why, json_is_object(problem) ? setup_text(problem, "code")
								 : "state_conflict");
		error_resolution(&c->why, "%s",
				 json_is_object(problem) ? setup_text(problem, "resolution")
							 : "Apply again.");
		component_end(g->w, c, r);
	}
}

/* It was being deployed by somebody, or undone after a crash, and is gone now: then by us. */
static void deploy_instead(struct group *g, struct component *c)
{
	int r;

	g->w->total += DEPLOY_PARTS - c->parts;
	c->parts = DEPLOY_PARTS;
	c->created = true;
	(void)snprintf(c->vm, sizeof(c->vm), "%s", c->name);
	error_clear(&c->why);
	r = begin(g->w, c, true, &c->why);
	if (r < 0)
		component_end(g->w, c, r);
}

static void look_at_vm(struct group *g, struct component *c)
{
	AUTO(json) json_t *vm = NULL;
	int r = vm_manager_get(g->w->s->config.vms, c->vm, &vm, &c->why);

	if (r == -ENOENT)
		deploy_instead(g, c);
	else if (r < 0)
		component_end(g->w, c, r);
	else if (is_ready(vm))
		component_end(g->w, c, 0);
	else if (is_stopped(vm))
		component_end(g->w, c,
			      error_set(&c->why, -EBUSY, "%s was stopped meanwhile", c->vm));
	else if (clock_now(clock_system()) > c->until_ms)
		component_end(g->w, c,
			      error_set(&c->why, -ETIMEDOUT, "%s is not ready: %s", c->vm,
					setup_text(vm, "reason")));
}

static size_t look(struct group *g)
{
	size_t left = 0;

	for (size_t i = 0; i < g->count; i++) {
		struct component *c = &g->items[i];

		if (!c->ended && c->task_id[0])
			look_at_task(g, c);
		else if (!c->ended)
			look_at_vm(g, c);
		left += !c->ended;
	}
	return left;
}

/* Deployments undo themselves; what is only waited for is left alone. */
static void cancel_all(struct group *g)
{
	struct error ignored = { 0 };

	for (size_t i = 0; i < g->count; i++) {
		struct component *c = &g->items[i];

		if (!c->ended && c->task_id[0])
			(void)task_cancel(g->w->s->config.tasks, c->task_id, &ignored);
		else if (!c->ended)
			component_end(g->w, c,
				      error_set(&c->why, -ECANCELED, "%s is no longer waited for",
						c->vm));
	}
}

static void wait_all(struct group *g)
{
	struct timespec nap = { .tv_nsec = POLL_MS * 1000000L };
	bool cancelled = false;

	while (look(g) > 0) {
		if (!cancelled && task_cancelled(g->w->task)) {
			cancel_all(g);
			cancelled = true;
		}
		(void)nanosleep(&nap, NULL);
	}
}

static int work_group(struct group *g, struct error *err)
{
	const json_t *t;
	size_t i;
	int r = setup_facts_take(g->w->s, &g->facts, err);

	if (r < 0)
		return r;
	json_array_foreach(g->facts.templates, i, t)
	{
		const char *name = setup_text(t, "name");

		if (g->count < SETUP_COMPONENTS_MAX && wanted(g->w, name) &&
		    !task_cancelled(g->w->task))
			component_begin(g, &g->items[g->count++], t, setup_vm(&g->facts, name));
	}
	wait_all(g);
	r = setup_work_cancelled(g->w, err);
	for (i = 0; i < g->count && r == 0; i++) {
		r = g->items[i].r;
		if (r < 0 && err)
			*err = g->items[i].why;
	}
	return r;
}

int setup_components(struct setup_work *w, struct error *err)
{
	AUTO(mem) void *memory = calloc(1, sizeof(struct group));
	struct group *g = memory;
	int r;

	if (w->spec.components.count == 0)
		return 0;
	if (!g)
		return error_set(err, -ENOMEM, "no memory for the components");
	if (!w->s->config.vms)
		return error_set(err, -EAGAIN, "no virtual machines are managed");
	g->w = w;
	r = work_group(g, err);
	setup_facts_done(&g->facts);
	return r;
}
