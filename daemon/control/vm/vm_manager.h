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

struct alarms;
struct events;
struct job_pool;
struct local_db;
struct loop;
struct pki_ca;
struct store;
struct tasks;
struct vm_manager; /* opaque, see vm_manager.c */

#define VM_TASK_ID_SIZE 37 /* a UUID and its NUL */
#define VM_COUNT_MAX 64	   /* VMs on one box */

/* The statement that makes box.db's table; whoever opens box.db puts it among its migrations. */
extern const char VM_BOX_MIGRATION[];

/* Texts are copied; the pieces are borrowed and must outlive the manager. */
struct vm_manager_config {
	const char *libvirt_uri;
	const char *images_dir, *disks_dir, *logs_dir, *templates_dir;
	const char *bridge, *sip_domain;
	const char *subnet;	 /* "10.77.0.0/24"; the host has its first address */
	const char *advertise;	 /* address that phones use, "" for the host's own */
	const char *accelerator; /* "auto", "kvm" or "tcg" */
	const char *cert_file, *key_file, *ca_file; /* what probes show and trust */
	struct loop *loop;
	struct job_pool *jobs; /* for watching and probing: at least 4 threads */
	struct store *store;
	struct local_db *box;
	struct events *events;
	struct alarms *alarms;
	struct tasks *tasks;
	struct pki_ca *ca; /* signs the guests' certificates */
	/* Open a console log (index 0 newest) that only root may read: a descriptor or negative errno.
	 * May be NULL: then the file is opened directly. */
	int (*log_open)(void *user, const char *vm, unsigned index, struct error *err);
	/* A VM of the template became ready; on a job thread. May be NULL. */
	void (*ready)(void *user, const char *template_name);
	void *user;
};

/* Read the templates and what box.db knows, start libvirt's event thread and the watch; libvirt itself may
 * be down: it is tried again every second. The watch adopts what runs, undoes interrupted deployments and
 * starts what shall run, in order. On the main thread, before loop_run().
 * Errors: -EINVAL configuration, -ENOENT no templates, as local_db.h. */
int vm_manager_new(const struct vm_manager_config *config, struct vm_manager **ret,
		   struct error *err);
/* Stop watching; guests go on running. Call on the loop's thread when tasks and the job pool have ended. */
struct vm_manager *vm_manager_free(struct vm_manager *m);
/* No new work from now on; waits in tasks end soon. */
void vm_manager_close(struct vm_manager *m);

enum vm_action { VM_START, VM_SHUTDOWN, VM_STOP, VM_RESTART };

/* What POST /vms may say; strings are borrowed. NULL or 0 takes the template's value. */
struct vm_deploy {
	const char *template_name; /* required */
	const char *name;	   /* default: the template's name */
	const char *address; /* IPv4 in the appliance's subnet; default: the service address */
	uint32_t cpus;
	uint32_t memory_mib;
};

/* What PATCH /vms/{name} may change; 0 leaves a value alone. */
struct vm_change {
	uint32_t cpus;
	uint32_t memory_mib;
	/* The resource as whoever asks has seen it: it must still be that. NULL: whatever it is. */
	const json_t *was;
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

/* Dry runs: the same checks and errors, and nothing is changed. */
struct vm_preview {
	char name[64];
	char address[16];
	const char *template_name; /* "" when it is gone */
	uint32_t cpus, memory_mib; /* deploy: as they would be; else as they are */
	uint64_t data_size_mib, data_used_bytes;
	bool disk_was_there; /* deploy: data that was kept is adopted */
	bool runs;
	uint32_t ready_timeout_s, shutdown_timeout_s;
	uint32_t boot_ms; /* its last start took so long until it was ready; 0 unknown */
};
int vm_manager_try_deploy(struct vm_manager *m, const struct vm_deploy *spec,
			  struct vm_preview *ret, struct error *err);
int vm_manager_try_act(struct vm_manager *m, const char *vm, enum vm_action action,
		       struct vm_preview *ret, struct error *err);
int vm_manager_try_delete(struct vm_manager *m, const char *vm, struct vm_preview *ret,
			  struct error *err);
int vm_manager_try_change(struct vm_manager *m, const char *vm, const struct vm_change *change,
			  struct vm_preview *ret, struct error *err);

/* For /appliance, /healthz and /metrics: {accelerator, accelerator_reason, hypervisor:{connected,version},
 * capacity:{cpus,memory_mib,...}, vms:{total,running,ready,crashed}}. */
json_t *vm_manager_summary(struct vm_manager *m);
/* Seconds from start to readiness, as measured with the core's templates on this kind of host. */
uint32_t vm_manager_boot_s(struct vm_manager *m);
/* Bytes that the disks' file system can still take; 0 when it cannot be asked. */
uint64_t vm_manager_disk_free(struct vm_manager *m);
/* 0 when libvirt answers and every VM that is desired running is ready; -ENOTCONN, -EAGAIN else. */
int vm_manager_health(struct vm_manager *m, struct error *err);
/* The service address of the (first) VM of a template, "" when there is none: buf of 46 bytes.
 * Errors: -ENOENT. Used by uc/ to find smgr and the call servers. */
int vm_manager_address(struct vm_manager *m, const char *template_name, char buf[46],
		       struct error *err);
/* Is a VM of that template ready? */
bool vm_manager_ready(struct vm_manager *m, const char *template_name);
