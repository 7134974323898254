/* SPDX-License-Identifier: Apache-2.0 */
/* vm_work.c - the blocking work on one VM: define, start, stop, remove, wait. Each function finds the VM
 * by its id under the lock, copies what it needs, works unlocked and steps the life cycle again. */
#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/task/alarm.h"
#include "control/task/task.h"
#include "control/vm/vm_disk.h"
#include "control/vm/vm_domain.h"
#include "control/vm/vm_internal.h"
#include "net/pki.h"

#define POLL_MS 100

bool vm_pause(struct vm_manager *m, struct task *task, uint32_t ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	if (task)
		return task_wait(task, ms) || vm_closing(m);
	(void)nanosleep(&t, NULL);
	return vm_closing(m);
}

static int vm_gone_error(const char *id, struct error *err)
{
	return error_set(err, -ENOENT, "the VM %s was deleted meanwhile", id);
}

/* ---- define ---- */

/* What define needs of the VM and its peers, copied under the lock. */
struct definition {
	struct vm vm;
	struct vm_guest guest;
	char peers[VM_PEERS_MAX][2][VM_NAME_MAX + 1];
};

static void add_peer(struct definition *d, const char *name, const char *address)
{
	size_t n = d->guest.peer_count;

	if (n == VM_PEERS_MAX)
		return;
	(void)snprintf(d->peers[n][0], sizeof(d->peers[n][0]), "%s", name);
	(void)snprintf(d->peers[n][1], sizeof(d->peers[n][1]), "%s", address);
	d->guest.peers[n] = (struct vm_peer){ d->peers[n][0], d->peers[n][1] };
	d->guest.peer_count++;
}

/* Every core template has an address, deployed or not: a peer may come later. */
static void add_peers(struct vm_manager *m, struct definition *d)
{
	const struct vm_template *t;

	for (size_t i = 0; (t = vm_catalogue_at(m->catalogue, i)) != NULL; i++) {
		char address[16];
		struct vm *vm;

		if (t->kind != VM_KIND_CORE || vm_address_of(m, t->host_number, address) < 0)
			continue;
		LIST_FOREACH (vm, &m->vms, struct vm, link)
			if (strcmp(vm->template_name, t->name) == 0 &&
			    strcmp(vm->name, t->name) == 0)
				(void)snprintf(address, sizeof(address), "%s", vm->address);
		add_peer(d, t->name, address);
	}
}

static int definition_take(struct vm_manager *m, const char *id, struct definition *d,
			   struct error *err)
{
	struct vm *vm;

	vm_lock(m);
	vm = vm_find(m, id);
	if (vm) {
		d->vm = *vm;
		add_peers(m, d);
	}
	vm_unlock(m);
	if (!vm)
		return vm_gone_error(id, err);
	if (!d->vm.t)
		return vm_catalogue_find(m->catalogue, d->vm.template_name, &d->vm.t, err);
	return 0;
}

static int write_config(struct vm_manager *m, struct definition *d, const char *path,
			struct error *err)
{
	AUTO(json) json_t *o = NULL;
	AUTO(str) char *text = NULL;
	char now[CLOCK_RFC3339_SIZE];

	d->guest.name = d->vm.name;
	d->guest.template_name = d->vm.template_name;
	d->guest.uuid = d->vm.id;
	d->guest.sip_domain = m->config.sip_domain;
	d->guest.address = d->vm.address;
	d->guest.gateway = m->gateway;
	d->guest.advertise = m->config.advertise;
	d->guest.prefix = m->prefix;
	d->guest.time = clock_format(vm_wall(m), now);
	d->guest.options = d->vm.t->options;
	o = vm_guest_config(&d->guest);
	text = o ? json_text(o) : NULL;
	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	if (strlen(text) > VM_CONFIG_MAX)
		return error_set(err, -EFBIG, "the guest's configuration is too large");
	/* world-readable: QEMU's user reads it, and nothing secret is in it */
	return pki_write_file(path, slice_str(text), 0644, err);
}

int vm_work_define(struct vm_manager *m, const char *id, struct error *err)
{
	AUTO(mem) void *hold = calloc(1, sizeof(struct definition));
	struct definition *d = hold;
	char disk[512], config[512], log[512];
	AUTO(str) char *xml = NULL;
	struct vm_image image;
	struct vm *vm;
	int r;

	if (!d)
		return error_set(err, -ENOMEM, "out of memory");
	r = definition_take(m, id, d, err);
	if (r == 0)
		r = vm_image_check(m->config.images_dir, d->vm.t, true, &image, err);
	if (r < 0)
		return r;
	(void)snprintf(config, sizeof(config), "%s/%s/config.json", m->config.disks_dir,
		       d->vm.name);
	(void)snprintf(log, sizeof(log), "%s/%s.log", m->config.logs_dir, d->vm.name);
	r = vm_disk_path(m->config.disks_dir, d->vm.name, disk, sizeof(disk));
	if (r == 0 && d->vm.t->data_size_mib > 0 &&
	    !vm_disk_exists(m->config.disks_dir, d->vm.name))
		return error_set(err, -ENOENT, "the data disk %s is missing", disk);
	if (r == 0)
		r = write_config(m, d, config, err);
	if (r < 0)
		return r;
	xml = vm_domain_xml(
		&(struct vm_domain){ .name = d->vm.name,
				     .uuid = d->vm.id,
				     .template_name = d->vm.template_name,
				     .mac = d->vm.mac,
				     .bridge = m->config.bridge,
				     .kvm = m->kvm,
				     .cpus = d->vm.cpus,
				     .memory_mib = d->vm.memory_mib,
				     .image = &image,
				     .cmdline = d->vm.t->cmdline,
				     .data_disk = d->vm.t->data_size_mib > 0 ? disk : NULL,
				     .config_file = config,
				     .log_file = log });
	if (!xml)
		return error_set(err, -ENOMEM, "out of memory");
	r = vm_hyper_define(m->hyper, xml, err);
	if (r < 0)
		return r;
	vm_lock(m);
	vm = vm_find(m, id);
	if (vm) {
		(void)snprintf(vm->root_version, sizeof(vm->root_version), "%s",
			       image.root_version);
		memcpy(vm->root_sha256, image.root_sha256, sizeof(vm->root_sha256));
	}
	vm_unlock(m);
	return vm ? 0 : vm_gone_error(id, err);
}

/* ---- start ---- */

/* The name of a VM that is to be waited for, or false. Locked inside. */
static bool waits_for(struct vm_manager *m, const char *id, char name[VM_NAME_MAX + 1],
		      uint32_t *timeout_s)
{
	struct vm *vm, *other;
	bool found = false;

	vm_lock(m);
	vm = vm_find(m, id);
	for (size_t i = 0; vm && vm->t && i < vm->t->start_after_count && !found; i++)
		LIST_FOREACH (other, &m->vms, struct vm, link) {
			if (strcmp(other->template_name, vm->t->start_after[i]) != 0 ||
			    other == vm || !other->desired_running || other->ready ||
			    other->phase >= VM_PHASE_DELETING)
				continue;
			(void)snprintf(name, VM_NAME_MAX + 1, "%s", other->name);
			if (other->t && other->t->ready_timeout_s > *timeout_s)
				*timeout_s = other->t->ready_timeout_s;
			found = true;
		}
	vm_unlock(m);
	return found;
}

/* Whoever comes first must not keep the others from starting for ever. */
static int wait_order(struct vm_manager *m, const char *id, struct task *task, struct error *err)
{
	uint64_t begin = vm_now(m);
	char name[VM_NAME_MAX + 1] = "", target[96], detail[200];
	uint32_t timeout_s = 0;
	struct vm *vm;

	while (waits_for(m, id, name, &timeout_s)) {
		if (vm_now(m) - begin > (uint64_t)timeout_s * 1000) {
			vm_lock(m);
			vm = vm_find(m, id);
			(void)snprintf(target, sizeof(target), "vms/%s", vm ? vm->name : "");
			vm_unlock(m);
			(void)snprintf(detail, sizeof(detail),
				       "%s was not ready within %u s; started without it.", name,
				       timeout_s);
			alarm_raise(m->config.alarms,
				    &(struct alarm_raise){
					    .code = "vm_start_order",
					    .target = target,
					    .severity = ALARM_WARNING,
					    .detail = detail,
					    .resolution = "Look why it does not become ready." });
			return 0;
		}
		if (vm_pause(m, task, POLL_MS))
			return error_set(err, -ECANCELED, "cancelled while waiting for %s", name);
	}
	return 0;
}

static int create_domain(struct vm_manager *m, const char *id, struct error *err)
{
	int r = vm_work_define(m, id, err);

	if (r == 0)
		r = vm_hyper_start(m->hyper, id, err);
	/* it may run already: after a lost connection the answer of an earlier start never came */
	if (r == -EBUSY && vm_hyper_active(m->hyper, id, NULL) == 1)
		r = 0;
	return r;
}

int vm_work_start(struct vm_manager *m, const char *id, bool order, struct task *task,
		  struct error *err)
{
	uint64_t begin;
	struct vm *vm;
	int r = 0;

	if (order)
		r = wait_order(m, id, task, err);
	if (r < 0)
		return r;
	begin = vm_now(m);
	vm_lock(m);
	vm = vm_find(m, id);
	if (vm && (!vm->desired_running || !vm_step(vm, VM_EV_START)))
		r = error_set(err, -EBUSY, "the VM is %s now", fsm_state_name(&vm->fsm));
	vm_unlock(m);
	if (!vm)
		return vm_gone_error(id, err);
	if (r < 0)
		return r;
	r = create_domain(m, id, err);
	vm_lock(m);
	vm = vm_find(m, id);
	if (vm) {
		(void)vm_step(vm, r == 0 ? VM_EV_STARTED : VM_EV_START_FAILED);
		vm->run_cpus = r == 0 ? vm->cpus : 0;
		vm->run_memory_mib = r == 0 ? vm->memory_mib : 0;
		if (r == 0)
			log_info("vm.started", F("vm", vm->name), F("took_ms", vm_now(m) - begin));
		(void)vm_record_save(vm, NULL);
	}
	vm_unlock(m);
	return r;
}

int vm_work_wait_ready(struct vm_manager *m, const char *id, uint32_t timeout_s, struct task *task,
		       struct error *err)
{
	uint64_t begin = vm_now(m);
	char reason[160] = "";

	for (;;) {
		bool ready, stopped;
		struct vm *vm;

		vm_lock(m);
		vm = vm_find(m, id);
		ready = vm && vm->ready;
		stopped = vm && !vm->desired_running;
		if (vm)
			(void)snprintf(reason, sizeof(reason), "%s", vm->reason);
		vm_unlock(m);
		if (!vm)
			return vm_gone_error(id, err);
		if (ready)
			return 0;
		if (stopped)
			return error_set(err, -EBUSY, "the VM was stopped before it was ready");
		if (vm_now(m) - begin > (uint64_t)timeout_s * 1000)
			return error_set(err, -ETIMEDOUT, "not ready within %u s: %s", timeout_s,
					 reason);
		if (vm_pause(m, task, POLL_MS))
			return error_set(err, -ECANCELED, "cancelled while waiting for readiness");
	}
}

/* ---- stop ---- */

/* Ask the guest, by its agent or by ACPI; the answer is its end. */
static void ask_guest(struct vm_manager *m, const char *id)
{
	struct vm *vm;
	int r = -ENOTCONN;

	vm_lock(m);
	vm = vm_find(m, id);
	if (vm && vm->agent)
		r = vm_agent_shutdown(vm->agent);
	vm_unlock(m);
	if (r < 0)
		(void)vm_hyper_acpi_shutdown(m->hyper, id, NULL);
}

static int wait_gone(struct vm_manager *m, const char *id, uint32_t timeout_s, struct task *task,
		     struct error *err)
{
	uint64_t begin = vm_now(m);

	for (;;) {
		struct vm *vm;
		bool force;
		int r = vm_hyper_active(m->hyper, id, err);

		if (r <= 0)
			return r;
		vm_lock(m);
		vm = vm_find(m, id);
		force = !vm || vm->force;
		vm_unlock(m);
		if (force || vm_now(m) - begin >= (uint64_t)timeout_s * 1000)
			return error_set(err, -ETIMEDOUT, "the guest did not end by itself");
		/* a cancelled shutdown must not leave a half-stopped VM: it is forced */
		if (vm_pause(m, task, POLL_MS))
			return error_set(err, -ECANCELED, "no longer waiting");
	}
}

int vm_work_stop(struct vm_manager *m, const char *id, bool ask, struct task *task,
		 struct error *err)
{
	uint32_t timeout_s = 20;
	struct vm *vm;
	int r;

	vm_lock(m);
	vm = vm_find(m, id);
	if (vm && vm->t)
		timeout_s = vm->t->shutdown_timeout_s;
	if (vm)
		(void)vm_step(vm, VM_EV_STOP);
	vm_unlock(m);
	if (!vm)
		return vm_gone_error(id, err);
	r = vm_hyper_active(m->hyper, id, err);
	if (r > 0 && ask) {
		ask_guest(m, id);
		r = wait_gone(m, id, timeout_s, task, err);
		if (r == -ETIMEDOUT && task)
			task_log(task, "the guest did not end within %u s: forced", timeout_s);
	}
	if (r > 0 || r == -ETIMEDOUT || r == -ECANCELED) {
		r = vm_hyper_destroy(m->hyper, id, err);
		if (r < 0 && vm_hyper_active(m->hyper, id, NULL) == 0)
			r = 0;
	}
	vm_lock(m);
	vm = vm_find(m, id);
	if (vm) {
		vm->force = false;
		(void)vm_step(vm, r == 0 ? VM_EV_GONE : VM_EV_STOP_FAILED);
		(void)vm_record_save(vm, NULL);
	}
	vm_unlock(m);
	if (r == 0)
		error_clear(err);
	return r;
}

/* ---- remove ---- */

static void remove_logs(struct vm_manager *m, const char *name)
{
	char path[560];

	(void)snprintf(path, sizeof(path), "%s/%s.log", m->config.logs_dir, name);
	(void)unlink(path);
	for (unsigned i = 0; i < 10; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s.log.%u", m->config.logs_dir, name, i);
		(void)unlink(path);
	}
}

int vm_work_remove(struct vm_manager *m, const char *id, struct error *err)
{
	char name[VM_NAME_MAX + 1], target[96];
	bool purge;
	struct vm *vm;
	int r;

	vm_lock(m);
	vm = vm_find(m, id);
	if (!vm) {
		vm_unlock(m);
		return 0;
	}
	(void)snprintf(name, sizeof(name), "%s", vm->name);
	purge = vm->phase == VM_PHASE_PURGING ||
		(vm->phase == VM_PHASE_DEPLOYING && !vm->disk_was_there);
	vm_unlock(m);

	r = vm_hyper_active(m->hyper, id, err);
	if (r == 1)
		r = vm_hyper_destroy(m->hyper, id, err);
	if (r == 0)
		r = vm_hyper_undefine(m->hyper, id, err);
	if (r < 0 && r != -ENOENT)
		return r;
	if (purge) {
		r = vm_disk_remove(m->config.disks_dir, name, err);
		if (r < 0)
			return r;
		remove_logs(m, name);
	}
	error_clear(err);
	vm_lock(m);
	vm = vm_find(m, id);
	if (vm) {
		vm_record_drop(vm);
		vm_unlink(vm);
	}
	vm_unlock(m);
	(void)snprintf(target, sizeof(target), "vms/%s", name);
	alarm_clear_target(m->config.alarms, target);
	vm_publish_deleted(m, id, name);
	log_info("vm.removed", F("vm", name), F("data_kept", !purge));
	return 0;
}
