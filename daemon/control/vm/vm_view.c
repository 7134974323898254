/* SPDX-License-Identifier: Apache-2.0 */
/* vm_view.c - a VM as the API shows it. */
#include "base/clock.h"
#include "control/vm/vm_internal.h"

static json_t *time_json(int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	return wall_ms > 0 ? json_string(clock_format(wall_ms, text)) : json_null();
}

static const char *kind_name(const struct vm_template *t)
{
	static const char *const names[] = { "core", "application", "foreign" };

	return t ? names[t->kind] : "application";
}

/* What waits for the next start. */
static json_t *pending_json(const struct vm *vm)
{
	json_t *o;

	if (vm->run_cpus == 0 || (vm->run_cpus == vm->cpus && vm->run_memory_mib == vm->memory_mib))
		return json_null();
	o = json_object();
	if (vm->run_cpus != vm->cpus)
		(void)json_object_set_new(o, "cpus", json_integer(vm->cpus));
	if (vm->run_memory_mib != vm->memory_mib)
		(void)json_object_set_new(o, "memory_mib", json_integer(vm->memory_mib));
	return o;
}

static json_t *guest_json(const struct vm *vm)
{
	struct vm_agent_status s;

	if (!vm->agent)
		return json_null();
	vm_agent_status(vm->agent, &s);
	if (!s.connected)
		return json_null();
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:f}", "agent", s.version, "uptime_s",
			 (json_int_t)s.uptime_s, "memory_total_bytes",
			 (json_int_t)s.memory_total_kib * 1024, "memory_available_bytes",
			 (json_int_t)s.memory_available_kib * 1024, "data_size_bytes",
			 (json_int_t)s.data_size_bytes, "data_used_bytes",
			 (json_int_t)s.data_used_bytes, "load1", s.load1);
}

json_t *vm_to_json(struct vm *vm)
{
	uint32_t cpus = vm->run_cpus ? vm->run_cpus : vm->cpus;
	uint32_t memory = vm->run_memory_mib ? vm->run_memory_mib : vm->memory_mib;
	json_t *disks = json_array(), *o = json_object();

	if (vm->t && vm->t->data_size_mib > 0)
		(void)json_array_append_new(disks,
					    json_pack("{s:s,s:I,s:I}", "name", "data", "size_bytes",
						      (json_int_t)vm->t->data_size_mib << 20,
						      "used_bytes", (json_int_t)vm->disk_used));
	(void)json_object_set_new(o, "id", json_string(vm->id));
	(void)json_object_set_new(o, "name", json_string(vm->name));
	(void)json_object_set_new(o, "template", json_string(vm->template_name));
	(void)json_object_set_new(o, "kind", json_string(kind_name(vm->t)));
	(void)json_object_set_new(o, "state",
				  json_string(vm->phase == VM_PHASE_DEPLOYING &&
							      vm->fsm.state != VM_RUNNING
						      ? "deploying"
						      : fsm_state_name(&vm->fsm)));
	(void)json_object_set_new(o, "desired_state",
				  json_string(vm->desired_running ? "running" : "stopped"));
	(void)json_object_set_new(o, "ready", json_boolean(vm->ready));
	(void)json_object_set_new(o, "reason", vm->ready ? json_null() : json_string(vm->reason));
	(void)json_object_set_new(o, "accelerator", json_string(vm->m->kvm ? "kvm" : "tcg"));
	(void)json_object_set_new(o, "cpus", json_integer(cpus));
	(void)json_object_set_new(o, "memory_mib", json_integer(memory));
	(void)json_object_set_new(o, "addresses", json_pack("[s]", vm->address));
	(void)json_object_set_new(o, "mac", json_string(vm->mac));
	(void)json_object_set_new(o, "restarts", json_integer(vm->restarts));
	(void)json_object_set_new(o, "started_at",
				  time_json(vm->fsm.state == VM_RUNNING ? vm->started_at : 0));
	(void)json_object_set_new(o, "ready_at", time_json(vm->ready ? vm->ready_at : 0));
	(void)json_object_set_new(o, "pending", pending_json(vm));
	(void)json_object_set_new(o, "root",
				  json_pack("{s:s,s:s}", "version", vm->root_version, "sha256",
					    vm->root_sha256));
	(void)json_object_set_new(o, "disks", disks);
	(void)json_object_set_new(o, "guest", guest_json(vm));
	(void)json_object_set_new(o, "created_at", time_json(vm->created_at));
	(void)json_object_set_new(o, "updated_at", time_json(vm->updated_at));
	return o;
}
