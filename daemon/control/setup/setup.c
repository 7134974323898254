/* SPDX-License-Identifier: Apache-2.0 */
/* setup.c - see setup.h: what there is, as the first run shows it. */
#include "control/setup/setup.h"

#include <stdio.h>

#include "base/clock.h"
#include "control/setup/setup_private.h"
#include "control/uc/uc.h"
#include "control/vm/vm_manager.h"

int setup_new(const struct setup_config *config, struct setup **ret, struct error *err)
{
	struct setup *s = calloc(1, sizeof(*s));

	if (!s)
		return error_set(err, -ENOMEM, "no memory for the setup");
	s->config = *config;
	(void)pthread_mutex_init(&s->lock, NULL);
	*ret = s;
	return 0;
}

struct setup *setup_free(struct setup *s)
{
	if (!s)
		return NULL;
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
	return NULL;
}

const char *setup_text(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

bool setup_is_core(const json_t *template_json)
{
	return strcmp(setup_text(template_json, "kind"), "core") == 0;
}

bool setup_is_deploying(const json_t *vm)
{
	return strcmp(setup_text(vm, "state"), "deploying") == 0;
}

/* ---- facts ---- */

const json_t *setup_template(const struct setup_facts *facts, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(facts->templates, i, one)
	{
		if (strcmp(setup_text(one, "name"), name) == 0)
			return one;
	}
	return NULL;
}

const json_t *setup_vm(const struct setup_facts *facts, const char *template_name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(facts->vms, i, one)
	{
		if (strcmp(setup_text(one, "template"), template_name) == 0)
			return one;
	}
	return NULL;
}

static bool has(const json_t *names, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(names, i, one)
	{
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

/* Must a come before b, as one that b needs or waits for? */
static bool comes_before(const json_t *a, const json_t *b)
{
	const char *name = setup_text(a, "name");

	if (setup_is_core(a) != setup_is_core(b))
		return setup_is_core(a);
	return has(json_object_get(b, "requires"), name) ||
	       has(json_object_get(b, "start_after"), name);
}

/* The catalogue comes in the order of names: always the first that no other one must precede. In a circle
 * the order of names decides. */
static json_t *in_start_order(json_t *all)
{
	json_t *sorted = json_array(), *a, *b;

	for (size_t i = json_array_size(all); i-- > 0;) {
		if (!json_is_true(json_object_get(json_array_get(all, i), "valid")))
			(void)json_array_remove(all, i);
	}
	while (json_array_size(all) > 0) {
		size_t i, k, next = 0;
		bool found = false;

		json_array_foreach(all, i, a)
		{
			bool first = true;

			json_array_foreach(all, k, b) first =
				first && (k == i || !comes_before(b, a));
			if (first && !found) {
				next = i;
				found = true;
			}
		}
		(void)json_array_append(sorted, json_array_get(all, next));
		(void)json_array_remove(all, next);
	}
	return sorted;
}

int setup_facts_take(struct setup *s, struct setup_facts *ret, struct error *err)
{
	struct setup_facts facts = { .people = -1 };
	AUTO(json) json_t *catalogue = NULL;
	struct error silent = { 0 };
	int r = appliance_read(s->config.appliance, &facts.appliance, err);

	if (r < 0)
		return r;
	catalogue = s->config.vms ? vm_manager_templates(s->config.vms) : json_array();
	facts.templates = in_start_order(catalogue);
	facts.vms = s->config.vms ? vm_manager_list(s->config.vms) : json_array();
	facts.smgr_ready = s->config.vms && vm_manager_ready(s->config.vms, "smgr");
	if (facts.smgr_ready && s->config.uc &&
	    uc_totals(s->config.uc, &facts.people, &facts.called, &silent) < 0)
		facts.people = -1;
	*ret = facts;
	return 0;
}

void setup_facts_done(struct setup_facts *facts)
{
	json_decref(facts->templates);
	json_decref(facts->vms);
}

/* ---- GET /setup ---- */

static json_t *step(const char *name, bool done, const char *detail)
{
	return json_pack("{s:s, s:s, s:s}", "name", name, "state", done ? "done" : "todo", "detail",
			 detail);
}

static json_t *appliance_step(const struct setup_facts *f)
{
	const struct appliance_row *a = &f->appliance;
	char detail[400];

	if (a->name_given && a->zone_given)
		(void)snprintf(detail, sizeof(detail), "It is called %s; its time zone is %s.",
			       a->name, a->time_zone);
	else if (a->name_given)
		(void)snprintf(detail, sizeof(detail),
			       "It is called %s; the time zone is the host's, %s.", a->name,
			       a->time_zone);
	else
		(void)snprintf(detail, sizeof(detail),
			       "It has the host's name, %s; the time zone is %s.", a->name,
			       a->time_zone);
	return step("appliance", a->name_given && a->zone_given, detail);
}

static void add_name(char *list, size_t size, const char *name)
{
	size_t len = strlen(list);

	(void)snprintf(list + len, size - len, "%s%s", len ? ", " : "", name);
}

static json_t *components_step(const struct setup_facts *f)
{
	char there[300] = "", missing[300] = "", detail[700];
	const json_t *t;
	size_t i;

	json_array_foreach(f->templates, i, t)
	{
		const json_t *vm = setup_vm(f, setup_text(t, "name"));

		if (vm && !setup_is_deploying(vm))
			add_name(there, sizeof(there), setup_text(t, "name"));
		else if (setup_is_core(t))
			add_name(missing, sizeof(missing), setup_text(t, "name"));
	}
	if (!missing[0])
		(void)snprintf(detail, sizeof(detail), "Deployed: %s.", there);
	else
		(void)snprintf(detail, sizeof(detail), "Not deployed: %s.", missing);
	return step("components", there[0] && !missing[0], detail);
}

static json_t *people_step(const struct setup_facts *f)
{
	char detail[80] = "System Manager (smgr) is not there yet.";

	if (f->people == 1)
		(void)snprintf(detail, sizeof(detail), "1 person.");
	else if (f->people >= 0)
		(void)snprintf(detail, sizeof(detail), "%lld people.", (long long)f->people);
	return step("people", f->people > 0, detail);
}

static json_t *call_step(const struct setup_facts *f)
{
	return step("call", f->called,
		    f->called ? "A call has been answered." : "No call has been answered yet.");
}

static const char *state_of(const struct setup_facts *f)
{
	const struct appliance_row *a = &f->appliance;

	if (a->finished)
		return "done";
	if (!a->name_given && !a->zone_given && json_array_size(f->vms) == 0 && f->people <= 0)
		return "fresh";
	return "in_progress";
}

static json_t *defaults_json(const struct setup_facts *f)
{
	json_t *names = json_array();
	const json_t *t;
	size_t i;

	json_array_foreach(f->templates, i, t)
	{
		if (setup_is_core(t))
			(void)json_array_append(names, json_object_get(t, "name"));
	}
	return json_pack("{s:s, s:s, s:o, s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]}", "name",
			 f->appliance.name, "time_zone", f->appliance.time_zone, "components",
			 names, "people", "handle", "3001", "name", "Ada Lovelace", "handle",
			 "3002", "name", "Alexander Graham Bell", "handle", "3003", "name",
			 "Grace Hopper");
}

/* The core of the catalogue, and whatever else is deployed. */
static json_t *current_json(const struct setup_facts *f)
{
	json_t *components = json_array();
	const json_t *t;
	size_t i;

	json_array_foreach(f->templates, i, t)
	{
		const json_t *vm = setup_vm(f, setup_text(t, "name"));

		if (vm || setup_is_core(t))
			(void)json_array_append_new(
				components,
				json_pack("{s:s, s:s, s:b, s:b}", "name", setup_text(t, "name"),
					  "title", setup_text(t, "title"), "deployed",
					  (int)(vm && !setup_is_deploying(vm)), "ready",
					  (int)json_is_true(json_object_get(vm, "ready"))));
	}
	return json_pack("{s:s, s:s, s:o, s:o}", "name", f->appliance.name, "time_zone",
			 f->appliance.time_zone, "components", components, "people",
			 f->people >= 0 ? json_integer(f->people) : json_null());
}

static json_t *task_json(struct setup *s)
{
	json_t *id;

	(void)pthread_mutex_lock(&s->lock);
	id = strlen(s->task_id) > 1 ? json_string(s->task_id) : json_null();
	(void)pthread_mutex_unlock(&s->lock);
	return id;
}

int setup_state(struct setup *s, json_t **ret, struct error *err)
{
	char now[CLOCK_RFC3339_SIZE];
	AUTO_FACTS f = { 0 };
	int r = setup_facts_take(s, &f, err);

	if (r < 0)
		return r;
	*ret = json_pack("{s:s, s:[o, o, o, o], s:o, s:{s:s, s:s, s:b}, s:o, s:o}", "state",
			 state_of(&f), "steps", appliance_step(&f), components_step(&f),
			 people_step(&f), call_step(&f), "defaults", defaults_json(&f), "time",
			 "now", clock_format(clock_wall(clock_system()), now), "zone",
			 f.appliance.time_zone, "synchronized", (int)zone_clock_synchronized(),
			 "current", current_json(&f), "task", task_json(s));
	return *ret ? 0 : error_set(err, -ENOMEM, "no memory for the setup");
}
