/* SPDX-License-Identifier: Apache-2.0 */
/* vm_manager.h - the virtual machines of this box: what the API asks for, done through libvirt.
 *
 * Every function may be called from any job thread and may block (libvirt, disks, SQL); none may be
 * called from the loop. A VM is named by its name or its id (UUID) wherever `vm` stands. Results are
 * the API's resources as JSON; the caller owns the references. Long work returns a task's id. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/json_field.h"

struct vm_catalogue;
struct vm_manager; /* opaque, see vm_manager.c */

#define VM_TASK_ID_SIZE 37 /* a UUID and its NUL */
#define VM_COUNT_MAX 64    /* VMs on one box */

enum vm_action { VM_START, VM_SHUTDOWN, VM_STOP, VM_RESTART };

/* What POST /vms may say; strings are borrowed. NULL or 0 takes the template's value. */
struct vm_deploy {
	const char *template_name; /* required */
	const char *name;          /* default: the template's name */
	const char *address;       /* IPv4 in the appliance's subnet; default: the service address */
	uint32_t cpus;
	uint32_t memory_mib;
};

/* What PATCH /vms/{name} may change; 0 leaves a value alone. */
struct vm_change {
	uint32_t cpus;
	uint32_t memory_mib;
};

/* All VMs, ordered by name: a JSON array of resources (DESIGN §13 "VM"). */
json_t *vm_manager_list(struct vm_manager *m);
/* One VM. Errors: -ENOENT. */
int vm_manager_get(struct vm_manager *m, const char *vm, json_t **ret, struct error *err);
/* The templates and, in each, `deployed`: the names of its VMs. */
json_t *vm_manager_templates(struct vm_manager *m);

/* Check everything that can be checked now, reserve the name and the address, and queue the work.
 * Steps of the task: check, disk, define, start, ready. Failure or cancel undoes all of it; a data disk
 * that was there before is kept. `actor` is who asked, for the task.
 * Errors: -EINVAL (err->field is the pointer), -ENOENT no such template (field /template),
 * -EEXIST name taken, -EADDRINUSE address taken, -EDQUOT too little memory, -EUSERS too many VMs. */
int vm_manager_deploy(struct vm_manager *m, const struct vm_deploy *spec, const char *actor,
		      char task_id[VM_TASK_ID_SIZE], struct error *err);
/* Queue start, shutdown, stop or restart. Errors: -ENOENT; -EBUSY the state does not allow it, or
 * another action is under way. */
int vm_manager_act(struct vm_manager *m, const char *vm, enum vm_action action, const char *actor,
		   char task_id[VM_TASK_ID_SIZE], struct error *err);
/* "start", "shutdown", "stop", "restart". Errors: -ENOENT. */
int vm_action_parse(const char *word, enum vm_action *ret);
/* Remove the VM at once (a running one is stopped by force); its data disk goes only with `purge`.
 * Errors: -ENOENT, -EBUSY. */
int vm_manager_delete(struct vm_manager *m, const char *vm, bool purge, struct error *err);
/* Change cpus and memory: at once when stopped, else they wait in `pending` for the next start. *ret is
 * the whole resource afterwards. Errors: -ENOENT, -EINVAL (err->field), -EBUSY while deploying. */
int vm_manager_change(struct vm_manager *m, const char *vm, const struct vm_change *change,
		      json_t **ret, struct error *err);

/* For /appliance, /healthz and /metrics: {accelerator, accelerator_reason, hypervisor:{connected,version},
 * capacity:{cpus,memory_mib,...}, vms:{total,running,ready,crashed}}. */
json_t *vm_manager_summary(struct vm_manager *m);
/* 0 when libvirt answers and every VM that is desired running is ready; -ENOTCONN, -EAGAIN else. */
int vm_manager_health(struct vm_manager *m, struct error *err);
/* The service address of the (first) VM of a template, "" when there is none: buf of 46 bytes.
 * Errors: -ENOENT. Used by uc/ to find smgr and the call servers. */
int vm_manager_address(struct vm_manager *m, const char *template_name, char buf[46],
		       struct error *err);
/* Is a VM of that template ready? */
bool vm_manager_ready(struct vm_manager *m, const char *template_name);
