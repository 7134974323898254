/* SPDX-License-Identifier: Apache-2.0 */
/* vm_hooks.c - steps of the life cycle with what belongs to them: log, alarm, restart, readiness. */
#include <stdio.h>

#include "base/log.h"
#include "control/task/alarm.h"
#include "control/vm/vm_internal.h"

#define STABLE_MS 60000 /* ready this long: the next crash starts with the shortest pause again */

void vm_touch(struct vm *vm)
{
	vm->dirty = true;
	vm_watch_poke(vm->m);
}

static void target_of(const struct vm *vm, char out[96])
{
	(void)snprintf(out, 96, "vms/%s", vm->name);
}

void vm_set_ready(struct vm *vm, bool ready, const char *reason)
{
	struct vm_manager *m = vm->m;
	char target[96];

	if (ready != vm->ready || strncmp(vm->reason, reason, sizeof(vm->reason) - 1) != 0)
		vm_touch(vm);
	(void)snprintf(vm->reason, sizeof(vm->reason), "%s", reason);
	if (ready == vm->ready)
		return;
	vm->ready = ready;
	if (!ready) {
		log_warning("vm.not_ready", F("vm", vm->name), F("reason", reason));
		return;
	}
	vm->ready_at = vm_wall(m);
	vm->ready_ms = vm_now(m);
	log_info("vm.ready", F("vm", vm->name), F("took_ms", vm->ready_ms - vm->started_ms));
	target_of(vm, target);
	alarm_clear(m->config.alarms, "vm_crashed", target);
	alarm_clear(m->config.alarms, "vm_start_failed", target);
	alarm_clear(m->config.alarms, "vm_not_ready", target);
	alarm_clear(m->config.alarms, "vm_start_order", target);
}

/* The guest's side is gone with the domain: channel and readiness start anew. */
static void forget_guest(struct vm *vm, const char *reason)
{
	vm_drop_channel(vm);
	vm_agent_closed(vm->agent);
	vm_set_ready(vm, false, reason);
	vm->next_open_ms = 0;
	vm->next_probe_ms = 0;
	vm->probe_failures = 0;
	vm->signed_ms = 0;
}

static void plan_restart(struct vm *vm, const char *code, const char *what)
{
	struct vm_manager *m = vm->m;
	uint64_t now = vm_now(m);
	uint32_t delay;
	char target[96], detail[200];

	if (vm->ready_ms > vm->started_ms && now - vm->ready_ms > STABLE_MS)
		vm->attempt = 0;
	delay = vm_restart_delay_ms(vm->attempt++);
	vm->restart_ms = now + delay;
	log_warning("vm.crashed", F("vm", vm->name), F("restart_in_ms", delay), F("cause", what));
	target_of(vm, target);
	(void)snprintf(detail, sizeof(detail), "VM %s %s; it is started again in %u s.", vm->name,
		       what, delay / 1000);
	alarm_raise(m->config.alarms,
		    &(struct alarm_raise){
			    .code = code,
			    .target = target,
			    .severity = ALARM_MAJOR,
			    .detail = detail,
			    .resolution = "If it happens again, read the VM's console log." });
}

static void on_running(struct vm *vm, bool adopted)
{
	struct vm_manager *m = vm->m;

	vm->epoch++;
	vm->started_ms = vm_now(m);
	vm->ready_ms = 0;
	vm->next_open_ms = 0;
	vm->next_probe_ms = 0;
	if (adopted) {
		log_info("vm.adopted", F("vm", vm->name));
		return;
	}
	vm->started_at = vm_wall(m);
	vm->ready_at = 0;
}

bool vm_step(struct vm *vm, enum vm_event event)
{
	enum vm_state from = (enum vm_state)vm->fsm.state;

	if (!fsm_step(&vm->fsm, (uint8_t)event, NULL))
		return false;
	switch (event) {
	case VM_EV_START:
		forget_guest(vm, "starting");
		if (from == VM_CRASHED)
			vm->restarts++;
		break;
	case VM_EV_STARTED:
	case VM_EV_ADOPT:
		on_running(vm, event == VM_EV_ADOPT);
		break;
	case VM_EV_START_FAILED:
		forget_guest(vm, "could not be started");
		plan_restart(vm, "vm_start_failed", "could not be started");
		break;
	case VM_EV_GONE:
		forget_guest(vm, from == VM_STOPPING ? "stopped" : "ended by itself");
		if (from != VM_STOPPING)
			plan_restart(vm, "vm_crashed", "ended by itself");
		vm->run_cpus = 0;
		vm->run_memory_mib = 0;
		break;
	case VM_EV_STOP:
		vm_set_ready(vm, false, "stopping");
		break;
	default:
		break;
	}
	vm_touch(vm);
	return true;
}
