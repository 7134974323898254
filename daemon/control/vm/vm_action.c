/* SPDX-License-Identifier: Apache-2.0 */
/* vm_action.c - what changes VMs: deploy, actions, change, delete; each checks (vm_check.c), then queues
 * a task. */
#include <stdio.h>

#include "base/log.h"
#include "base/random.h"
#include "control/task/task.h"
#include "control/vm/vm_disk.h"
#include "control/vm/vm_internal.h"

struct work {
	struct vm_manager *m;
	char id[VM_UUID_SIZE];
	enum vm_action action;
	bool let_go; /* the VM is no longer busy with this: it may be with the next one */
};

static void work_release(void *data)
{
	struct work *w = data;
	struct vm *vm;

	vm_lock(w->m);
	vm = vm_find(w->m, w->id);
	if (vm && vm->phase == VM_PHASE_DEPLOYING) {
		/* the task never ran: the watch removes what was reserved */
		vm->fresh = false;
		atomic_store(&w->m->reconciled, false);
	}
	if (vm && !w->let_go)
		vm->busy = NULL;
	vm_unlock(w->m);
	free(w);
}

/* ---- deploy ---- */

static const char *const deploy_steps[] = { "check", "disk", "define", "start", "ready", NULL };

static int deploy_steps_run(struct work *w, struct task *task, uint32_t *timeout_s,
			    struct error *err)
{
	struct vm_manager *m = w->m;
	const struct vm_template *t = NULL;
	char name[VM_NAME_MAX + 1] = "";
	struct vm_image image;
	struct vm *vm;
	int r;

	task_step(task, "check");
	vm_lock(m);
	vm = vm_find(m, w->id);
	if (vm) {
		t = vm->t;
		memcpy(name, vm->name, sizeof(name));
	}
	vm_unlock(m);
	if (!t)
		return vm_none(w->id, err);
	*timeout_s = t->ready_timeout_s;
	r = vm_image_check(m->config.images_dir, t, false, &image, err);
	if (r < 0)
		return r;
	task_step(task, "disk");
	if (t->data_size_mib > 0)
		r = vm_disk_create(m->config.disks_dir, name, t->data_size_mib, err);
	if (r < 0)
		return r;
	if (r == 0)
		task_log(task, "the data disk that was kept is used again");
	task_step(task, "define");
	r = vm_work_define(m, w->id, err);
	if (r < 0)
		return r;
	task_step(task, "start");
	return vm_work_start(m, w->id, true, task, err);
}

/* From "start" on a guest that ends early is started again, as at any other time. */
static int deploy_wait(struct work *w, struct task *task, uint32_t timeout_s, struct error *err)
{
	struct vm *vm;
	int r;

	task_step(task, "ready");
	vm_lock(w->m);
	vm = vm_find(w->m, w->id);
	if (vm)
		vm->waiting = true;
	vm_unlock(w->m);
	r = vm_work_wait_ready(w->m, w->id, timeout_s, task, err);
	for (bool restarting = true; restarting;) {
		vm_lock(w->m);
		vm = vm_find(w->m, w->id);
		if (vm)
			vm->waiting = false;
		restarting = vm && vm->restarting;
		vm_unlock(w->m);
		if (restarting)
			(void)vm_pause(w->m, NULL, 50);
	}
	return r;
}

static int deploy_run(struct task *task, void *data, struct error *err)
{
	struct work *w = data;
	struct error undo = { 0 };
	uint32_t timeout_s = 60;
	struct vm *vm;
	int r, u;

	r = deploy_steps_run(w, task, &timeout_s, err);
	if (r >= 0)
		r = deploy_wait(w, task, timeout_s, err);
	vm_lock(w->m);
	vm = vm_find(w->m, w->id);
	if (r == 0 && vm) {
		vm->phase = VM_PHASE_DEFINED;
		r = vm_record_save(vm, err);
		if (r < 0)
			vm->phase = VM_PHASE_DEPLOYING;
	}
	if (r == 0 && vm) {
		vm->busy = NULL;
		w->let_go = true;
		vm_touch(vm);
		task_result(task, json_pack("{s:s,s:s}", "id", vm->id, "name", vm->name));
	}
	vm_unlock(w->m);
	if (r == 0)
		return 0;
	/* the box is going down: the next start undoes it, and the guest may be adopted never */
	task_log(task, "undone: %s", error_text(err, r));
	u = vm_work_remove(w->m, w->id, &undo);
	if (u < 0) {
		log_failure(LOG_LEVEL_ERROR, "vm.undo_failed", u, &undo);
		vm_lock(w->m);
		vm = vm_find(w->m, w->id);
		if (vm) {
			vm->busy = NULL;
			vm->fresh = false; /* the watch goes on undoing */
		}
		vm_unlock(w->m);
		atomic_store(&w->m->reconciled, false);
	}
	return r;
}

static void make_identity(struct vm *vm)
{
	uint8_t r[3];

	uuid_v7(vm->id);
	random_bytes(r, sizeof(r));
	(void)snprintf(vm->mac, sizeof(vm->mac), "52:54:00:%02x:%02x:%02x", r[0], r[1], r[2]);
}

/* Reserve name and address: the VM is in the list and in box.db before anything is made. Locked. */
static int reserve(struct vm_manager *m, const struct vm_deploy *spec, const struct vm_template *t,
		   struct vm **ret, struct error *err)
{
	struct vm_wish wish;
	struct vm *vm;
	int r = vm_check_deploy(m, spec, t, &wish, err);

	if (r < 0)
		return r;
	vm = vm_new(m);
	if (!vm)
		return error_set(err, -ENOMEM, "out of memory");
	make_identity(vm);
	(void)snprintf(vm->name, sizeof(vm->name), "%s", wish.name);
	(void)snprintf(vm->template_name, sizeof(vm->template_name), "%s", t->name);
	memcpy(vm->address, wish.address, sizeof(vm->address));
	vm->t = t;
	vm->cpus = wish.cpus;
	vm->memory_mib = wish.memory_mib;
	vm->phase = VM_PHASE_DEPLOYING;
	vm->fresh = true;
	vm->desired_running = true;
	vm->disk_was_there = wish.disk_was_there;
	vm->created_at = vm->updated_at = vm_wall(m);
	vm->busy = "deploy";
	(void)snprintf(vm->reason, sizeof(vm->reason), "being deployed");
	r = vm_record_save(vm, err);
	if (r < 0) {
		vm_unlink(vm);
		return r;
	}
	*ret = vm;
	return 0;
}

int vm_manager_deploy(struct vm_manager *m, const struct vm_deploy *spec, const char *actor,
		      char id[VM_TASK_ID_SIZE], struct error *err)
{
	const struct vm_template *t;
	AUTO(mem) void *hold = calloc(1, sizeof(struct work));
	struct work *w = hold;
	char target[96];
	struct vm *vm = NULL;
	int r;

	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	r = vm_check_template(m, spec, &t, err);
	if (r < 0)
		return r;
	vm_lock(m);
	r = reserve(m, spec, t, &vm, err);
	if (r == 0) {
		w->m = m;
		memcpy(w->id, vm->id, sizeof(w->id));
		(void)snprintf(target, sizeof(target), "vms/%s", vm->name);
	}
	vm_unlock(m);
	if (r < 0)
		return r;
	r = task_create(m->config.tasks, NULL,
			&(struct task_spec){ .kind = "vm.deploy",
					     .target = target,
					     .actor = actor,
					     .steps = deploy_steps,
					     .cancellable = true,
					     .run = deploy_run,
					     .release = work_release,
					     .data = w },
			NULL, id, err);
	if (r < 0) {
		vm_lock(m);
		vm_record_drop(vm);
		vm_unlink(vm);
		vm_unlock(m);
		return r;
	}
	(void)TAKE(hold);
	vm_lock(m);
	vm = vm_find(m, target + 5);
	if (vm)
		vm_touch(vm);
	vm_unlock(m);
	return 0;
}

/* ---- actions ---- */

static const struct {
	const char *kind;
	const char *steps[4];
} actions[] = {
	[VM_START] = { "vm.start", { "start", "ready" } },
	[VM_SHUTDOWN] = { "vm.shutdown", { "shutdown" } },
	[VM_STOP] = { "vm.stop", { "stop" } },
	[VM_RESTART] = { "vm.restart", { "shutdown", "start", "ready" } },
};

/* After the domain runs the VM is free for other actions; only the task waits on. */
static int start_and_wait(struct work *w, struct task *task, struct error *err)
{
	uint32_t timeout_s = 60;
	struct vm *vm;
	int r;

	task_step(task, "start");
	r = vm_work_start(w->m, w->id, true, task, err);
	vm_lock(w->m);
	vm = vm_find(w->m, w->id);
	if (vm) {
		vm->busy = NULL;
		w->let_go = true;
		if (vm->t)
			timeout_s = vm->t->ready_timeout_s;
		/* cancelled before it began: what is wanted is what is; not so when auraboxd ends */
		if (r == -ECANCELED && vm->fsm.state == VM_STOPPED && !vm_closing(w->m)) {
			vm->desired_running = false;
			(void)vm_record_save(vm, NULL);
			vm_touch(vm);
		}
	}
	vm_unlock(w->m);
	if (r < 0)
		return r;
	task_step(task, "ready");
	return vm_work_wait_ready(w->m, w->id, timeout_s, task, err);
}

/* A forced stop while a shutdown is under way makes that one end; both have then done their work. */
static int join_shutdown(struct work *w, struct error *err)
{
	for (;;) {
		struct vm *vm;
		bool stopped, stopping;

		vm_lock(w->m);
		vm = vm_find(w->m, w->id);
		stopped = !vm || vm->fsm.state == VM_STOPPED;
		stopping = vm && vm->fsm.state == VM_STOPPING;
		vm_unlock(w->m);
		if (stopped)
			return 0;
		if (!stopping)
			return error_set(err, -EIO, "the VM could not be stopped");
		if (vm_pause(w->m, NULL, 50))
			return error_set(err, -ECANCELED, "auraboxd is ending");
	}
}

static int action_run(struct task *task, void *data, struct error *err)
{
	struct work *w = data;
	int r = 0;

	switch (w->action) {
	case VM_START:
		return start_and_wait(w, task, err);
	case VM_SHUTDOWN:
		task_step(task, "shutdown");
		return vm_work_stop(w->m, w->id, true, task, err);
	case VM_STOP:
		task_step(task, "stop");
		return vm_work_stop(w->m, w->id, false, task, err);
	case VM_RESTART:
		task_step(task, "shutdown");
		r = vm_work_stop(w->m, w->id, true, task, err);
		return r < 0 ? r : start_and_wait(w, task, err);
	}
	return r;
}

static int join_run(struct task *task, void *data, struct error *err)
{
	task_step(task, "stop");
	return join_shutdown(data, err);
}

static void begin_action(struct vm *vm, enum vm_action action)
{
	vm->busy = vm_action_word(action);
	vm->start_wanted = false;
	vm->desired_running = action == VM_START || action == VM_RESTART;
	vm->attempt = 0;
	vm->updated_at = vm_wall(vm->m);
	(void)vm_record_save(vm, NULL);
	vm_touch(vm);
}

static void join_release(void *data)
{
	free(data);
}

int vm_manager_act(struct vm_manager *m, const char *name, enum vm_action action, const char *actor,
		   char id[VM_TASK_ID_SIZE], struct error *err)
{
	AUTO(mem) void *hold = calloc(1, sizeof(struct work));
	struct work *w = hold;
	bool join = false, was = false;
	char target[96];
	struct vm *vm;
	int r;

	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	vm_lock(m);
	vm = vm_find(m, name);
	r = vm ? 0 : vm_none(name, err);
	if (vm) {
		*w = (struct work){ .m = m, .action = action };
		memcpy(w->id, vm->id, sizeof(w->id));
		(void)snprintf(target, sizeof(target), "vms/%s", vm->name);
		join = vm_joins_shutdown(vm, action);
		if (!join)
			r = vm_check_action(vm, action, err);
		was = vm->desired_running;
		if (r == 0 && join)
			vm->force = true;
		else if (r == 0)
			begin_action(vm, action);
	}
	vm_unlock(m);
	if (r < 0)
		return r;
	r = task_create(m->config.tasks, NULL,
			&(struct task_spec){ .kind = actions[action].kind,
					     .target = target,
					     .actor = actor,
					     .steps = actions[action].steps,
					     .cancellable = action == VM_START && !join,
					     .run = join ? join_run : action_run,
					     .release = join ? join_release : work_release,
					     .data = w },
			NULL, id, err);
	if (r == 0) {
		(void)TAKE(hold);
		return 0;
	}
	vm_lock(m);
	vm = vm_find(m, w->id);
	if (vm && !join) {
		vm->busy = NULL;
		vm->desired_running = was;
		(void)vm_record_save(vm, NULL);
		vm_touch(vm);
	}
	vm_unlock(m);
	return r;
}

/* ---- delete, change ---- */

int vm_manager_delete(struct vm_manager *m, const char *name, bool purge, struct error *err)
{
	char id[VM_UUID_SIZE] = "";
	bool was;
	struct vm *vm;
	int r;

	vm_lock(m);
	vm = vm_find(m, name);
	r = vm ? 0 : vm_none(name, err);
	if (vm)
		r = vm_check_idle(vm, err);
	if (r == 0) {
		memcpy(id, vm->id, sizeof(id));
		was = vm->desired_running;
		vm->phase = purge ? VM_PHASE_PURGING : VM_PHASE_DELETING;
		vm->desired_running = false;
		vm->busy = "delete";
		r = vm_record_save(vm, err);
		if (r < 0) {
			vm->phase = VM_PHASE_DEFINED;
			vm->desired_running = was;
			vm->busy = NULL;
		}
	}
	vm_unlock(m);
	if (r < 0)
		return r;
	r = vm_work_remove(m, id, err);
	if (r == 0)
		return 0;
	vm_lock(m);
	vm = vm_find(m, id);
	if (vm) {
		vm->phase = VM_PHASE_DEFINED;
		vm->busy = NULL;
		(void)vm_record_save(vm, NULL);
		vm_touch(vm);
	}
	vm_unlock(m);
	return r == -ENOTCONN ? (err ? (err->code = -EAGAIN) : -EAGAIN) : r;
}

/* Two changes that have seen the same: the second one comes too late. */
static int check_seen(struct vm *vm, const json_t *was, struct error *err)
{
	static const char *const members[] = { "cpus", "memory_mib", "pending", "desired_state" };
	AUTO(json) json_t *now = was ? vm_to_json(vm) : NULL;

	for (size_t i = 0; was && i < ARRAY_SIZE(members); i++) {
		if (!json_equal(json_object_get(was, members[i]), json_object_get(now, members[i])))
			return error_set(err, -ESTALE, "the VM has changed since it was read");
	}
	return 0;
}

int vm_manager_change(struct vm_manager *m, const char *name, const struct vm_change *change,
		      json_t **ret, struct error *err)
{
	uint32_t cpus, memory;
	struct vm *vm;
	int r;

	vm_lock(m);
	vm = vm_find(m, name);
	r = vm ? 0 : vm_none(name, err);
	if (r == 0)
		r = check_seen(vm, change->was, err);
	if (r == 0)
		r = vm_check_change(vm, change, &cpus, &memory, err);
	if (r == 0) {
		uint32_t old_cpus = vm->cpus, old_memory = vm->memory_mib;

		vm->cpus = cpus;
		vm->memory_mib = memory;
		vm->updated_at = vm_wall(m);
		r = vm_record_save(vm, err);
		if (r < 0) {
			vm->cpus = old_cpus;
			vm->memory_mib = old_memory;
		}
	}
	if (r == 0) {
		vm_touch(vm);
		*ret = vm_to_json(vm);
	}
	vm_unlock(m);
	return r;
}
