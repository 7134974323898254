/* SPDX-License-Identifier: Apache-2.0 */
/* vm_internal.h - what the files of control/vm share: the manager and its VMs. Not for other rooms.
 *
 * m->lock guards the list and every member of every VM. It is never held over a libvirt, disk or
 * PostgreSQL call. Whoever leaves the lock keeps a VM alive by `busy`, or finds it again by its id. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/timer.h"
#include "control/vm/vm_agent.h"
#include "control/vm/vm_cycle.h"
#include "control/vm/vm_hyper.h"
#include "control/vm/vm_image.h"
#include "control/vm/vm_manager.h"
#include "control/vm/vm_ready.h"
#include "control/vm/vm_template.h"

struct task;

enum vm_phase { VM_PHASE_DEPLOYING, VM_PHASE_DEFINED, VM_PHASE_DELETING, VM_PHASE_PURGING };

struct vm {
	struct list link;
	struct vm_manager *m;
	char id[VM_UUID_SIZE];
	char name[VM_NAME_MAX + 1];
	char template_name[VM_NAME_MAX + 1];
	char mac[18];
	char address[16];
	const struct vm_template *t; /* NULL: the template is gone or broken */
	uint32_t cpus, memory_mib;
	uint32_t run_cpus, run_memory_mib; /* of the running domain; 0 unknown */
	enum vm_phase phase;
	bool disk_was_there; /* adopted at deployment: undoing must keep it */
	bool desired_running;
	bool fresh; /* made by this process, not read from box.db */
	struct fsm fsm;
	const char *busy;  /* what is under way; NULL: nothing */
	bool waiting;	   /* deployment that only waits for readiness: restarts are allowed */
	bool restarting;   /* a restart job is on its way */
	bool start_wanted; /* found stopped though it shall run */
	bool force;	   /* a shutdown under way shall not wait longer */
	bool ready;
	char reason[160];				      /* why not ready */
	int64_t created_at, updated_at, started_at, ready_at; /* wall, ms */
	uint64_t started_ms, ready_ms, restart_ms;	      /* monotonic */
	uint32_t restarts, attempt, epoch;
	struct vm_channel *channel;
	struct vm_agent *agent;
	bool probing, signing;
	uint64_t next_open_ms, next_probe_ms, signed_ms;
	unsigned probe_failures;
	char root_version[64], root_sha256[VM_IMAGE_SHA256];
	uint64_t disk_used;
	bool dirty; /* to be published */
};

struct vm_manager {
	struct vm_manager_config config; /* its texts are ours */
	char *texts[12];
	size_t text_count;
	struct vm_catalogue *catalogue;
	struct vm_hyper *hyper;
	bool kvm;
	char accelerator_reason[160];
	uint32_t subnet; /* host order */
	unsigned prefix;
	char gateway[16];
	struct vm_prober *prober;
	pthread_mutex_t lock;
	struct list vms;
	size_t count;
	struct timer timer;
	atomic_bool closing, ticking, reconciled, poked;
	uint64_t next_connect_ms, next_publish_ms, next_usage_ms;
	struct vm_channel *dropped[2 * VM_COUNT_MAX]; /* to be closed by the watch, unlocked */
	size_t dropped_count;
	bool connect_failed; /* said already */
	bool mirror_checked; /* rows of VMs that are no more were dropped from PostgreSQL */
};

/* vm_manager.c; with the lock held where it says so */
void vm_lock(struct vm_manager *m);
void vm_unlock(struct vm_manager *m);
struct vm *vm_find(struct vm_manager *m, const char *name_or_id); /* locked */
struct vm *vm_new(struct vm_manager *m);			  /* linked; locked */
void vm_unlink(struct vm *vm);					  /* removes and frees; locked */
void vm_drop_channel(struct vm *vm); /* locked; closed later, unlocked */
uint64_t vm_now(struct vm_manager *m);
int64_t vm_wall(struct vm_manager *m);
bool vm_closing(struct vm_manager *m);
int vm_address_of(struct vm_manager *m, uint32_t host_number, char out[16]);

/* vm_check.c; all but vm_check_template() with the lock held. Errors as vm_manager.h has them. */
struct vm_wish {
	char name[VM_NAME_MAX + 1];
	char address[16];
	uint32_t cpus, memory_mib;
	bool disk_was_there;
};
int vm_none(const char *name, struct error *err); /* -ENOENT */
int vm_check_idle(const struct vm *vm, struct error *err);
int vm_check_template(struct vm_manager *m, const struct vm_deploy *spec,
		      const struct vm_template **ret, struct error *err); /* and its images */
int vm_check_deploy(struct vm_manager *m, const struct vm_deploy *spec, const struct vm_template *t,
		    struct vm_wish *ret, struct error *err);
int vm_check_action(const struct vm *vm, enum vm_action action, struct error *err);
/* A forced stop while a shutdown is under way makes that one end. */
bool vm_joins_shutdown(const struct vm *vm, enum vm_action action);
int vm_check_change(struct vm *vm, const struct vm_change *change, uint32_t *cpus,
		    uint32_t *memory_mib, struct error *err);
const char *vm_action_word(enum vm_action action);

/* vm_view.c */
json_t *vm_to_json(struct vm *vm); /* locked */

/* vm_record.c */
int vm_record_load(struct vm_manager *m, struct error *err);
int vm_record_save(struct vm *vm, struct error *err); /* locked: a local file */
void vm_record_drop(struct vm *vm);		      /* locked */
void vm_publish(struct vm_manager *m); /* not locked; writes what is dirty to PostgreSQL */
void vm_publish_deleted(struct vm_manager *m, const char *id, const char *name);

/* vm_hooks.c: what goes with a step of the life cycle; locked */
bool vm_step(struct vm *vm, enum vm_event event);
void vm_set_ready(struct vm *vm, bool ready, const char *reason);
void vm_touch(struct vm *vm); /* changed: to be published */

/* vm_work.c: blocking work on job and task threads; not locked. task may be NULL. */
int vm_work_start(struct vm_manager *m, const char *id, bool order, struct task *task,
		  struct error *err);
int vm_work_stop(struct vm_manager *m, const char *id, bool ask, struct task *task,
		 struct error *err);
int vm_work_define(struct vm_manager *m, const char *id, struct error *err);
/* Remove everything of the VM, its data too where the phase says so, then the VM itself. */
int vm_work_remove(struct vm_manager *m, const char *id, struct error *err);
/* Wait until it is ready: 0; -ETIMEDOUT, -ECANCELED, -EBUSY somebody stopped it, -ENOENT. */
int vm_work_wait_ready(struct vm_manager *m, const char *id, uint32_t timeout_s, struct task *task,
		       struct error *err);
/* Sleep; true when the task was cancelled or the manager closes. */
bool vm_pause(struct vm_manager *m, struct task *task, uint32_t ms);

/* vm_watch.c */
extern const struct vm_hyper_ops vm_watch_ops;
extern const struct vm_agent_ops vm_watch_agent_ops;
void vm_watch_start(struct vm_manager *m);
void vm_watch_poke(struct vm_manager *m); /* look now; any thread */

/* vm_accel.c */
bool vm_accel_detect(const char *wish, char *reason, size_t size);
