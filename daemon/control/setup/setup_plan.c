/* SPDX-License-Identifier: Apache-2.0 */
/* setup_plan.c - reads a wish and says what it would change, what it needs and what to think of. */
#include <stdio.h>
#include <unistd.h>

#include "control/setup/setup_private.h"
#include "control/uc/uc.h"
#include "control/vm/vm_manager.h"

#define OVERHEAD_MIB 128 /* what QEMU needs beside the guest's memory */

/* ---- the wish ---- */

/* clang-format off */
static const struct json_field person_fields[] = {
	JSON_STRING(struct setup_person, handle, .required = true, .min = 1, .max = 64,
		    .pattern = UC_HANDLE_PATTERN, .check = uc_handle_check,
		    .help = "SIP user part; digits become the extension too"),
	JSON_STRING(struct setup_person, name, .required = true, .min = 1, .max = 256),
	JSON_STRING(struct setup_person, password, .required = true, .write_only = true, .min = 1, .max = 128,
		    .help = "SIP password; of somebody who exists it stays as it is"),
	JSON_END,
};

const struct json_field setup_spec_fields[] = {
	JSON_STRING(struct setup_spec, name, .min = 1, .max = APPLIANCE_NAME_MAX,
		    .pattern = "^\\P{Cc}+$", .check = appliance_name_check),
	JSON_STRING(struct setup_spec, time_zone, .min = 1, .max = ZONE_NAME_MAX, .check = zone_check,
		    .help = "a name of the tz database"),
	JSON_STRINGS(struct setup_spec, components, .max = SETUP_COMPONENTS_MAX,
		     .help = "templates to deploy where they are missing"),
	JSON_OBJECTS(struct setup_spec, people, struct setup_person, person_fields,
		     .max = SETUP_PEOPLE_MAX),
	JSON_BOOL(struct setup_spec, finished, .help = "true ends the first run"),
	JSON_END,
};
/* clang-format on */

static int check_twice(const struct setup_spec *spec, struct error *err)
{
	const struct setup_person *people = spec->people.items;
	char pointer[40];

	for (size_t i = 1; i < spec->people.count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(people[i].handle, people[k].handle) != 0)
				continue;
			(void)snprintf(pointer, sizeof(pointer), "/people/%zu/handle", i);
			return error_field(err, -EINVAL, pointer, "stands twice");
		}
	}
	for (size_t i = 1; i < spec->components.count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(spec->components.items[i], spec->components.items[k]) != 0)
				continue;
			(void)snprintf(pointer, sizeof(pointer), "/components/%zu", i);
			return error_field(err, -EINVAL, pointer, "stands twice");
		}
	}
	return 0;
}

int setup_spec_read(const json_t *body, struct setup_spec *ret, struct error *err)
{
	int r = json_read(body, setup_spec_fields, ret, err);

	return r < 0 ? r : check_twice(ret, err);
}

void setup_spec_done(struct setup_spec *spec)
{
	struct setup_person *people = spec->people.items;

	for (size_t i = 0; i < spec->people.count; i++) {
		if (people[i].password)
			explicit_bzero(people[i].password, strlen(people[i].password));
	}
	json_release(setup_spec_fields, spec);
}

/* ---- can it be? ---- */

static bool wanted(const struct setup_spec *spec, const char *component)
{
	for (size_t i = 0; i < spec->components.count; i++) {
		if (strcmp(spec->components.items[i], component) == 0)
			return true;
	}
	return false;
}

int setup_plan_check(const struct setup_spec *spec, const struct setup_facts *facts,
		     struct error *err)
{
	char pointer[40];

	for (size_t i = 0; i < spec->components.count; i++) {
		if (setup_template(facts, spec->components.items[i]))
			continue;
		(void)snprintf(pointer, sizeof(pointer), "/components/%zu", i);
		return error_field(err, -EINVAL, pointer, "there is no sound template '%.63s'",
				   spec->components.items[i]);
	}
	if (spec->people.count == 0 || wanted(spec, "smgr") || setup_vm(facts, "smgr"))
		return 0;
	(void)error_field(err, -EBUSY, "/people", "people are kept by smgr, which is not deployed");
	error_resolution(err, "Add smgr to the components.");
	return -EBUSY;
}

/* ---- the plan ---- */

struct plan {
	const struct setup_spec *spec;
	const struct setup_facts *facts;
	json_t *items, *warnings;
	uint64_t memory_mib, disk_bytes;
	uint32_t seconds;
	bool kvm;
};

static void ERROR_PRINTF(5, 6) item(struct plan *p, const char *step, const char *action,
				    const char *target, const char *format, ...)
{
	char detail[500];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	(void)json_array_append_new(p->items,
				    json_pack("{s:s, s:s, s:s, s:s}", "step", step, "action",
					      action, "target", target, "detail", detail));
}

static void ERROR_PRINTF(3, 4) warning(struct plan *p, const char *code, const char *format, ...)
{
	char detail[500];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	(void)json_array_append_new(p->warnings,
				    json_pack("{s:s, s:s}", "code", code, "detail", detail));
}

static void plan_member(struct plan *p, const char *target, const char *what, const char *wish,
			const char *now, bool given)
{
	if (!wish)
		return;
	if (given && strcmp(wish, now) == 0)
		item(p, "appliance", "keep", target, "%s is %s.", what, now);
	else if (strcmp(wish, now) == 0)
		item(p, "appliance", "change", target, "%s stays %s, also if the host's changes.",
		     what, now);
	else
		item(p, "appliance", "change", target, "%s becomes %s; it is %s.", what, wish, now);
}

static void plan_appliance(struct plan *p)
{
	const struct appliance_row *now = &p->facts->appliance;

	plan_member(p, "appliance/name", "The name", p->spec->name, now->name, now->name_given);
	plan_member(p, "appliance/time_zone", "The time zone", p->spec->time_zone, now->time_zone,
		    now->zone_given);
	if (!zone_clock_synchronized())
		warning(p, "clock_not_synchronized",
			"The host's clock is not synchronized: certificates and call records need the "
			"right time. Set up NTP on the host.");
}

static int64_t number(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

static void warn_of_missing_peers(struct plan *p, const json_t *t)
{
	const json_t *needed;
	size_t i;

	json_array_foreach(json_object_get(t, "requires"), i, needed)
	{
		const char *name = json_string_value(needed);

		if (!wanted(p->spec, name) && !setup_vm(p->facts, name))
			warning(p, "component_missing",
				"%s needs %s, which is neither there nor asked for.",
				setup_text(t, "name"), name);
	}
}

static void plan_new_component(struct plan *p, const json_t *t)
{
	const json_t *disk = json_array_get(json_object_get(t, "disks"), 0);
	int64_t memory = number(t, "memory_mib"), size = number(disk, "size_mib");
	char target[80];

	(void)snprintf(target, sizeof(target), "vms/%s", setup_text(t, "name"));
	item(p, "components", "create", target,
	     "%s: %lld CPUs, %lld MiB of memory, a data disk of up to %lld MiB.",
	     setup_text(t, "title"), (long long)number(t, "cpus"), (long long)memory,
	     (long long)size);
	p->memory_mib += (uint64_t)memory + OVERHEAD_MIB;
	p->disk_bytes += (uint64_t)size << 20;
	warn_of_missing_peers(p, t);
}

static void plan_component(struct plan *p, const json_t *t)
{
	const json_t *vm = setup_vm(p->facts, setup_text(t, "name"));
	char target[80];

	if (!vm) {
		plan_new_component(p, t);
		return;
	}
	(void)snprintf(target, sizeof(target), "vms/%s", setup_text(vm, "name"));
	if (strcmp(setup_text(vm, "desired_state"), "running") != 0)
		item(p, "components", "change", target, "It is stopped and will be started.");
	else if (json_is_true(json_object_get(vm, "ready")))
		item(p, "components", "keep", target, "It is there and ready.");
	else
		item(p, "components", "keep", target, "It is there; its readiness is waited for.");
}

/* Guests that wait for nobody among the new ones start first, the others together after them; those that
 * start together share the processors. */
static void plan_seconds(struct plan *p, struct setup *s)
{
	uint32_t boot = s->config.vms ? vm_manager_boot_s(s->config.vms) : 0, count[2] = { 0, 0 };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const json_t *t, *before;
	size_t i, k;

	json_array_foreach(p->facts->templates, i, t)
	{
		bool waits = false;

		if (!wanted(p->spec, setup_text(t, "name")) ||
		    setup_vm(p->facts, setup_text(t, "name")))
			continue;
		json_array_foreach(json_object_get(t, "start_after"), k, before) waits =
			waits || (wanted(p->spec, json_string_value(before)) &&
				  !setup_vm(p->facts, json_string_value(before)));
		count[waits]++;
	}
	for (i = 0; i < ARRAY_SIZE(count); i++) {
		uint32_t share = cpus > 0 ? (count[i] * boot + (uint32_t)cpus - 1) / (uint32_t)cpus
					  : count[i] * boot;

		if (count[i] > 0)
			p->seconds += share > boot ? share : boot;
	}
}

static void warn_of_resources(struct plan *p, struct setup *s)
{
	uint64_t host = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;
	uint64_t free_bytes = s->config.vms ? vm_manager_disk_free(s->config.vms) : UINT64_MAX;
	unsigned long long disk_mib = p->disk_bytes >> 20, free_mib = free_bytes >> 20, taken = 0;
	const json_t *vm;
	size_t i;

	json_array_foreach(p->facts->vms, i, vm) taken +=
		(uint64_t)number(vm, "memory_mib") + OVERHEAD_MIB;
	if (p->memory_mib > 0 && taken + p->memory_mib > host)
		warning(p, "resources_exhausted",
			"The VMs would need %llu MiB of memory, the host has %llu MiB.",
			taken + p->memory_mib, (unsigned long long)host);
	if (disk_mib > free_mib)
		warning(p, "disk_small",
			"The disks can grow to %llu MiB, %llu MiB are free: they start small, so this "
			"is for later.",
			disk_mib, free_mib);
	if (p->memory_mib > 0 && !p->kvm)
		warning(p, "slow_guests",
			"This host has no usable hardware virtualization: guests work, but slower.");
}

static void plan_components(struct plan *p, struct setup *s)
{
	AUTO(json) json_t *summary = s->config.vms ? vm_manager_summary(s->config.vms) : NULL;
	const json_t *t;
	size_t i;

	p->kvm = strcmp(setup_text(summary, "accelerator"), "kvm") == 0;
	json_array_foreach(p->facts->templates, i, t)
	{
		if (wanted(p->spec, setup_text(t, "name")))
			plan_component(p, t);
	}
	plan_seconds(p, s);
	warn_of_resources(p, s);
}

static int person_exists(struct setup *s, const struct setup_facts *facts, const char *handle)
{
	AUTO(json) json_t *user = NULL;
	struct error ignored = { 0 };
	int64_t version;

	return s->config.uc && facts->people > 0 &&
	       uc_user_get(s->config.uc, handle, &user, &version, &ignored) == 0;
}

static void plan_people(struct plan *p, struct setup *s)
{
	const struct setup_person *people = p->spec->people.items;

	for (size_t i = 0; i < p->spec->people.count; i++) {
		char target[100];

		(void)snprintf(target, sizeof(target), "uc/users/%s", people[i].handle);
		if (person_exists(s, p->facts, people[i].handle))
			item(p, "people", "keep", target,
			     "Somebody has this handle: name and password stay as they are.");
		else
			item(p, "people", "create", target, "%s, with a phone and presence.",
			     people[i].name);
	}
	if (p->spec->people.count > 0 && setup_vm(p->facts, "smgr") && p->facts->people < 0)
		warning(p, "people_unknown",
			"smgr does not answer now: whoever exists already will be kept.");
}

static void plan_finish(struct plan *p)
{
	if (!p->spec->finished)
		return;
	if (p->facts->appliance.finished) {
		item(p, "finish", "keep", "setup", "The first run has been ended before.");
		return;
	}
	item(p, "finish", "change", "setup", "The first run ends; all of it can be changed later.");
	if (!p->facts->called)
		warning(p, "no_call_yet", "No call has been answered yet: try one first.");
}

int setup_plan_make(struct setup *s, const struct setup_spec *spec, const struct setup_facts *facts,
		    json_t **ret, struct error *err)
{
	struct plan p = {
		.spec = spec, .facts = facts, .items = json_array(), .warnings = json_array()
	};

	plan_appliance(&p);
	plan_components(&p, s);
	plan_people(&p, s);
	plan_finish(&p);
	*ret = json_pack("{s:o, s:o, s:{s:I, s:I, s:I}}", "plan", p.items, "warnings", p.warnings,
			 "needs", "memory_mib", (json_int_t)p.memory_mib, "disk_bytes",
			 (json_int_t)p.disk_bytes, "seconds", (json_int_t)p.seconds);
	return *ret ? 0 : error_set(err, -ENOMEM, "no memory for a plan");
}

int setup_plan(struct setup *s, const json_t *body, json_t **ret, struct error *err)
{
	AUTO_SPEC spec = { 0 };
	AUTO_FACTS facts = { 0 };
	int r = setup_spec_read(body, &spec, err);

	if (r == 0)
		r = setup_facts_take(s, &facts, err);
	if (r == 0)
		r = setup_plan_check(&spec, &facts, err);
	return r < 0 ? r : setup_plan_make(s, &spec, &facts, ret, err);
}
