/* SPDX-License-Identifier: Apache-2.0 */
/* vm_check.c - may it be done now? What deploy, actions, delete and change ask before they begin, and what a
 * dry run of them answers. */
#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "control/vm/vm_disk.h"
#include "control/vm/vm_internal.h"

#define OVERHEAD_MIB 128 /* what QEMU needs beside the guest's memory */

static const char *const words[] = {
	[VM_START] = "start",
	[VM_SHUTDOWN] = "shutdown",
	[VM_STOP] = "stop",
	[VM_RESTART] = "restart",
};

int vm_action_parse(const char *word, enum vm_action *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i]) == 0) {
			*ret = (enum vm_action)i;
			return 0;
		}
	return -ENOENT;
}

const char *vm_action_word(enum vm_action action)
{
	return words[action];
}

int vm_none(const char *name, struct error *err)
{
	return error_set(err, -ENOENT, "there is no VM '%.63s'", name);
}

int vm_check_idle(const struct vm *vm, struct error *err)
{
	if (!vm->busy)
		return vm->restarting
			       ? error_set(err, -EBUSY, "VM %s is just being started", vm->name)
			       : 0;
	(void)error_set(err, -EBUSY, "VM %s: %s is under way", vm->name, vm->busy);
	error_resolution(err, "Wait for its task, or cancel it.");
	return -EBUSY;
}

static int choose_address(struct vm_manager *m, const struct vm_template *t, const char *wish,
			  char out[16], struct error *err)
{
	struct in_addr a;
	uint32_t host, size = 1U << (32 - m->prefix);
	struct vm *vm;

	if (!wish) {
		if (vm_address_of(m, t->host_number, out) < 0)
			return error_field(err, -EINVAL, "/template",
					   "its address does not fit the network");
	} else {
		if (inet_pton(AF_INET, wish, &a) != 1)
			return error_field(err, -EINVAL, "/address", "'%.45s' is no IPv4 address",
					   wish);
		host = ntohl(a.s_addr) - m->subnet;
		if (host < 2 || host >= size - 1)
			return error_field(err, -EINVAL, "/address",
					   "'%s' is no guest address of the appliance's network",
					   wish);
		(void)vm_address_of(m, host, out);
	}
	LIST_FOREACH (vm, &m->vms, struct vm, link)
		if (strcmp(vm->address, out) == 0) {
			(void)error_field(err, -EADDRINUSE, "/address",
					  "the address %s belongs to VM %s", out, vm->name);
			error_resolution(err, "Give another address.");
			return -EADDRINUSE;
		}
	return 0;
}

static int check_numbers(struct vm_manager *m, const struct vm_template *t, uint32_t cpus,
			 uint32_t memory_mib, const struct vm *except, struct error *err)
{
	uint64_t host = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;
	uint64_t sum = memory_mib + OVERHEAD_MIB;
	struct vm *vm;

	if (cpus < t->cpus_min || cpus > t->cpus_max)
		return error_field(err, -EINVAL, "/cpus", "must lie between %u and %u", t->cpus_min,
				   t->cpus_max);
	if (memory_mib < t->memory_mib_min || memory_mib > t->memory_mib_max)
		return error_field(err, -EINVAL, "/memory_mib", "must lie between %u and %u",
				   t->memory_mib_min, t->memory_mib_max);
	LIST_FOREACH (vm, &m->vms, struct vm, link)
		if (vm != except)
			sum += vm->memory_mib + OVERHEAD_MIB;
	if (sum > host)
		return error_field(err, -EDQUOT, "/memory_mib",
				   "the VMs would need %llu MiB, the host has %llu MiB",
				   (unsigned long long)sum, (unsigned long long)host);
	return 0;
}

int vm_check_template(struct vm_manager *m, const struct vm_deploy *spec,
		      const struct vm_template **ret, struct error *err)
{
	const struct vm_template *t = NULL;
	struct vm_image image;
	int r;

	if (!spec->template_name)
		return error_field(err, -EINVAL, "/template", "is required");
	r = vm_catalogue_find(m->catalogue, spec->template_name, &t, err);
	if (r == 0)
		r = vm_image_check(m->config.images_dir, t, false, &image, err);
	if (r == -ENOENT || r == -EILSEQ || r == -EBADMSG) {
		error_code_name(err, "state_conflict");
		return err ? (err->code = -EBUSY) : -EBUSY;
	}
	if (r == 0)
		*ret = t;
	return r;
}

int vm_check_deploy(struct vm_manager *m, const struct vm_deploy *spec, const struct vm_template *t,
		    struct vm_wish *ret, struct error *err)
{
	const char *name = spec->name ? spec->name : t->name;
	int r;

	*ret = (struct vm_wish){ .cpus = spec->cpus ? spec->cpus : t->cpus,
				 .memory_mib =
					 spec->memory_mib ? spec->memory_mib : t->memory_mib };
	if (!vm_name_ok(name))
		return error_field(
			err, -EINVAL, "/name",
			"must be 1 to 63 of a-z, 0-9 and '-', first a letter, last no '-'");
	if (vm_find(m, name))
		return error_field(err, -EEXIST, "/name", "there is a VM '%s' already", name);
	r = choose_address(m, t, spec->address, ret->address, err);
	if (r == 0)
		r = check_numbers(m, t, ret->cpus, ret->memory_mib, NULL, err);
	if (r < 0)
		return r;
	if (m->count >= VM_COUNT_MAX)
		return error_set(err, -EDQUOT, "there are %d VMs already", VM_COUNT_MAX);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	ret->disk_was_there = vm_disk_exists(m->config.disks_dir, name);
	return 0;
}

bool vm_joins_shutdown(const struct vm *vm, enum vm_action action)
{
	return action == VM_STOP && vm->busy && strcmp(vm->busy, "shutdown") == 0;
}

int vm_check_action(const struct vm *vm, enum vm_action action, struct error *err)
{
	enum vm_state s = (enum vm_state)vm->fsm.state;
	bool down = s == VM_STOPPED, up = s == VM_RUNNING || s == VM_PAUSED;
	int r = vm_check_idle(vm, err);

	if (r < 0)
		return r;
	if (vm->phase != VM_PHASE_DEFINED)
		return error_set(err, -EBUSY, "VM %s is just being started", vm->name);
	if ((action == VM_START && (down || s == VM_CRASHED)) ||
	    ((action == VM_STOP || action == VM_SHUTDOWN) && (up || s == VM_CRASHED)) ||
	    (action == VM_RESTART && (up || s == VM_CRASHED)))
		return 0;
	return error_set(err, -EBUSY, "VM %s is %s: it cannot %s", vm->name,
			 fsm_state_name(&vm->fsm), words[action]);
}

int vm_check_change(struct vm *vm, const struct vm_change *change, uint32_t *cpus,
		    uint32_t *memory_mib, struct error *err)
{
	if (vm->phase != VM_PHASE_DEFINED)
		return vm->busy ? vm_check_idle(vm, err)
				: error_set(err, -EBUSY, "not deployed yet");
	if (!vm->t)
		return error_set(err, -EBUSY, "the template '%s' is missing", vm->template_name);
	*cpus = change->cpus ? change->cpus : vm->cpus;
	*memory_mib = change->memory_mib ? change->memory_mib : vm->memory_mib;
	return check_numbers(vm->m, vm->t, *cpus, *memory_mib, vm, err);
}

/* ---- dry runs ---- */

int vm_manager_try_deploy(struct vm_manager *m, const struct vm_deploy *spec,
			  struct vm_preview *ret, struct error *err)
{
	const struct vm_template *t;
	struct vm_wish wish;
	int r = vm_check_template(m, spec, &t, err);

	if (r < 0)
		return r;
	vm_lock(m);
	r = vm_check_deploy(m, spec, t, &wish, err);
	vm_unlock(m);
	if (r < 0)
		return r;
	*ret = (struct vm_preview){ .template_name = t->name,
				    .cpus = wish.cpus,
				    .memory_mib = wish.memory_mib,
				    .data_size_mib = t->data_size_mib,
				    .disk_was_there = wish.disk_was_there,
				    .ready_timeout_s = t->ready_timeout_s,
				    .shutdown_timeout_s = t->shutdown_timeout_s };
	(void)snprintf(ret->name, sizeof(ret->name), "%s", wish.name);
	(void)snprintf(ret->address, sizeof(ret->address), "%s", wish.address);
	return 0;
}

/* What it is now; its last start tells how long the next one takes. Locked. */
static void preview(const struct vm *vm, struct vm_preview *ret)
{
	*ret = (struct vm_preview){
		.template_name = vm->t ? vm->t->name : "",
		.cpus = vm->cpus,
		.memory_mib = vm->memory_mib,
		.data_size_mib = vm->t ? vm->t->data_size_mib : 0,
		.data_used_bytes = vm->disk_used,
		.ready_timeout_s = vm->t ? vm->t->ready_timeout_s : 60,
		.shutdown_timeout_s = vm->t ? vm->t->shutdown_timeout_s : 20,
		.runs = vm->fsm.state == VM_RUNNING || vm->fsm.state == VM_PAUSED,
		.boot_ms = vm->ready_ms > vm->started_ms ? (uint32_t)(vm->ready_ms - vm->started_ms)
							 : 0,
	};
	(void)snprintf(ret->name, sizeof(ret->name), "%s", vm->name);
	(void)snprintf(ret->address, sizeof(ret->address), "%s", vm->address);
}

int vm_manager_try_act(struct vm_manager *m, const char *name, enum vm_action action,
		       struct vm_preview *ret, struct error *err)
{
	struct vm *vm;
	int r;

	vm_lock(m);
	vm = vm_find(m, name);
	r = vm ? 0 : vm_none(name, err);
	if (vm && !vm_joins_shutdown(vm, action))
		r = vm_check_action(vm, action, err);
	if (r == 0)
		preview(vm, ret);
	vm_unlock(m);
	return r;
}

int vm_manager_try_delete(struct vm_manager *m, const char *name, struct vm_preview *ret,
			  struct error *err)
{
	struct vm *vm;
	int r;

	vm_lock(m);
	vm = vm_find(m, name);
	r = vm ? vm_check_idle(vm, err) : vm_none(name, err);
	if (r == 0)
		preview(vm, ret);
	vm_unlock(m);
	return r;
}

int vm_manager_try_change(struct vm_manager *m, const char *name, const struct vm_change *change,
			  struct vm_preview *ret, struct error *err)
{
	uint32_t cpus, memory_mib;
	struct vm *vm;
	int r;

	vm_lock(m);
	vm = vm_find(m, name);
	r = vm ? vm_check_change(vm, change, &cpus, &memory_mib, err) : vm_none(name, err);
	if (r == 0)
		preview(vm, ret);
	vm_unlock(m);
	return r;
}
