/* SPDX-License-Identifier: Apache-2.0 */
/* vm_plans.c - see vm_plans.h. */
#include "control/api/vm_plans.h"
#include "control/api/api_dry_run.h"
#include "control/uc/uc.h"

#include <stdio.h>

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

static void target_of(const struct vm_preview *v, char out[80])
{
	(void)snprintf(out, 80, "vms/%s", v->name);
}

/* ---- who notices when it is away ---- */

/* Calls in talk at this moment; -1 when cm cannot be asked. */
static int calls_in_talk(struct api *api)
{
	AUTO(json) json_t *calls = NULL;
	struct error ignored = { 0 };
	const json_t *call;
	int count = 0;
	size_t i;

	if (!api->config.uc || !vm_manager_ready(api->config.vms, "cm") ||
	    uc_calls(api->config.uc, &calls, &ignored) < 0)
		return -1;
	json_array_foreach(calls, i, call) count += strcmp(text_of(call, "state"), "ringing") != 0;
	return count;
}

static const struct {
	const char *template_name, *code, *text, *talking;
} absences[] = {
	{ "sm", "calls_stop", "Phones cannot call or register until sm is back.",
	  "keep their sound, but nobody can hang up, hold or transfer in a clean way meanwhile" },
	{ "cm", "calls_stop", "Calls of stations are refused at once until cm is back.",
	  "keep their sound, but lose their features and their call record" },
	{ "smgr", "no_administration",
	  "People and settings cannot be changed until smgr is back; calls go on.", NULL },
	{ "presence", "no_presence",
	  "Nobody sees who is there until presence is back; calls go on.", NULL },
};

static void warn_of_absence(struct api *api, struct api_plan *plan, const struct vm_preview *v)
{
	for (size_t i = 0; v->runs && i < ARRAY_SIZE(absences); i++) {
		int talking;

		if (strcmp(absences[i].template_name, v->template_name) != 0)
			continue;
		api_plan_warn(plan, absences[i].code, "%s", absences[i].text);
		talking = absences[i].talking ? calls_in_talk(api) : 0;
		if (talking > 0)
			api_plan_warn(plan, "calls_in_talk", "%d %s in talk %s.", talking,
				      talking == 1 ? "call" : "calls", absences[i].talking);
	}
}

/* ---- lines of a plan ---- */

static void plan_start(struct api *api, struct api_plan *plan, const struct vm_preview *v)
{
	char target[80];

	target_of(v, target);
	if (v->boot_ms > 0)
		api_plan_add(plan, "start", target, "ready after about %u s, as last time",
			     (v->boot_ms + 999) / 1000);
	else
		api_plan_add(plan, "start", target, "ready after about %u s, at most %u s",
			     vm_manager_boot_s(api->config.vms), v->ready_timeout_s);
}

static void plan_stop(struct api_plan *plan, const struct vm_preview *v, bool ask)
{
	char target[80];

	target_of(v, target);
	if (ask)
		api_plan_add(plan, "stop", target, "asked to end, forced after %u s",
			     v->shutdown_timeout_s);
	else
		api_plan_add(plan, "stop", target, "forced off at once");
}

static const json_t *template_of(const json_t *templates, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(templates, i, one)
	{
		if (strcmp(text_of(one, "name"), name) == 0)
			return one;
	}
	return NULL;
}

/* What it needs and what is not there. */
static void warn_of_missing(struct api_plan *plan, const json_t *templates, const json_t *t)
{
	const json_t *needed;
	size_t i;

	json_array_foreach(json_object_get(t, "requires"), i, needed)
	{
		const json_t *other = template_of(templates, json_string_value(needed));

		if (json_array_size(json_object_get(other, "deployed")) == 0)
			api_plan_warn(plan, "component_missing",
				      "%s needs %s, which is not deployed.", text_of(t, "name"),
				      json_string_value(needed));
	}
}

int vm_plan_deploy(struct api *api, const struct vm_deploy *spec, struct http_reply *reply,
		   struct error *err)
{
	AUTO(json) json_t *templates = NULL;
	AUTO_PLAN plan = { 0 };
	struct vm_preview v;
	const json_t *t;
	char target[80];
	int r = vm_manager_try_deploy(api->config.vms, spec, &v, err);

	if (r < 0)
		return r;
	templates = vm_manager_templates(api->config.vms);
	t = template_of(templates, v.template_name);
	target_of(&v, target);
	api_plan_add(&plan, "create", target, "%s at %s: %u CPU%s, %u MiB of memory",
		     text_of(t, "title"), v.address, v.cpus, v.cpus == 1 ? "" : "s", v.memory_mib);
	if (v.disk_was_there)
		api_plan_add(&plan, "keep", target,
			     "the data disk that was kept is used again, with all that is on it");
	else if (v.data_size_mib > 0)
		api_plan_add(&plan, "create", target, "an empty data disk that grows to %llu MiB",
			     (unsigned long long)v.data_size_mib);
	plan_start(api, &plan, &v);
	warn_of_missing(&plan, templates, t);
	if (v.data_size_mib << 20 > vm_manager_disk_free(api->config.vms))
		api_plan_warn(&plan, "disk_small", "The disk can grow to more than what is free.");
	return api_plan_reply(&plan, reply, err);
}

int vm_plan_act(struct api *api, const char *vm, enum vm_action action, struct http_reply *reply,
		struct error *err)
{
	AUTO_PLAN plan = { 0 };
	struct vm_preview v;
	int r = vm_manager_try_act(api->config.vms, vm, action, &v, err);

	if (r < 0)
		return r;
	if (action != VM_START) {
		plan_stop(&plan, &v, action != VM_STOP);
		warn_of_absence(api, &plan, &v);
	}
	if (action == VM_STOP && v.runs)
		api_plan_warn(
			&plan, "forced",
			"What it has not written yet is lost; shutdown lets it end in order.");
	if (action == VM_START || action == VM_RESTART)
		plan_start(api, &plan, &v);
	return api_plan_reply(&plan, reply, err);
}

static void plan_data(struct api_plan *plan, const struct vm_preview *v, bool purge)
{
	unsigned long long mib = (unsigned long long)(v->data_used_bytes >> 20);
	char target[80];

	target_of(v, target);
	if (v->data_size_mib == 0)
		return;
	if (!purge) {
		api_plan_add(plan, "keep", target,
			     "its data disk (%llu MiB) stays, for a VM of that name", mib);
		return;
	}
	api_plan_add(plan, "delete", target, "its data disk (%llu MiB) and its logs", mib);
	api_plan_warn(plan, "data_lost", "%s",
		      strcmp(v->template_name, "smgr") == 0
			      ? "All people, settings and call records are lost for good."
			      : "Its data is lost for good.");
}

int vm_plan_delete(struct api *api, const char *vm, bool purge, struct http_reply *reply,
		   struct error *err)
{
	AUTO_PLAN plan = { 0 };
	struct vm_preview v;
	char target[80];
	int r = vm_manager_try_delete(api->config.vms, vm, &v, err);

	if (r < 0)
		return r;
	target_of(&v, target);
	if (v.runs)
		plan_stop(&plan, &v, false);
	api_plan_add(&plan, "delete", target, "the virtual machine");
	plan_data(&plan, &v, purge);
	warn_of_absence(api, &plan, &v);
	return api_plan_reply(&plan, reply, err);
}

int vm_plan_change(struct api *api, const char *vm, const struct vm_change *change,
		   struct http_reply *reply, struct error *err)
{
	AUTO_PLAN plan = { 0 };
	struct vm_preview v;
	const char *when;
	char target[80];
	bool changes = false;
	int r = vm_manager_try_change(api->config.vms, vm, change, &v, err);

	if (r < 0)
		return r;
	target_of(&v, target);
	when = v.runs ? "at its next start" : "at once";
	if (change->cpus && change->cpus != v.cpus) {
		api_plan_add(&plan, "change", target, "CPUs: %u \xe2\x86\x92 %u, %s", v.cpus,
			     change->cpus, when);
		changes = true;
	}
	if (change->memory_mib && change->memory_mib != v.memory_mib) {
		api_plan_add(&plan, "change", target, "memory: %u \xe2\x86\x92 %u MiB, %s",
			     v.memory_mib, change->memory_mib, when);
		changes = true;
	}
	if (!changes)
		api_plan_add(&plan, "keep", target, "nothing changes");
	else if (v.runs)
		api_plan_warn(&plan, "restart_needed",
			      "It runs on with what it has until it is restarted.");
	return api_plan_reply(&plan, reply, err);
}
