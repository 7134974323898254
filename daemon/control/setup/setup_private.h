/* SPDX-License-Identifier: Apache-2.0 */
/* setup_private.h - what the files of control/setup share. */
#pragma once
#include <pthread.h>

#include "control/setup/appliance.h"
#include "control/setup/setup.h"

struct setup {
	struct setup_config config;
	pthread_mutex_t lock;
	char task_id[TASK_ID_SIZE]; /* of the apply under way; "" none, "-" being made */
};

/* A body as its table reads it. */
struct setup_person {
	char *handle, *name, *password;
};
struct setup_spec {
	char *name, *time_zone;
	struct json_strings components;
	struct json_objects people; /* of struct setup_person */
	bool finished;
};
/* Read and check all that needs no look at the box. Errors: -EINVAL. */
int setup_spec_read(const json_t *body, struct setup_spec *ret, struct error *err);
/* Passwords are overwritten first. */
void setup_spec_done(struct setup_spec *spec);
#define AUTO_SPEC __attribute__((cleanup(setup_spec_done))) struct setup_spec

/* What there is at this moment. */
struct setup_facts {
	struct appliance_row appliance;
	json_t *templates; /* sound ones, core first, each kind in start order */
	json_t *vms;
	bool smgr_ready;
	int64_t people; /* -1: smgr cannot be asked */
	bool called;	/* an answered call has been recorded */
};
int setup_facts_take(struct setup *s, struct setup_facts *ret, struct error *err);
void setup_facts_done(struct setup_facts *facts);
#define AUTO_FACTS __attribute__((cleanup(setup_facts_done))) struct setup_facts

/* The template of that name, the (first) VM of a template; NULL. Borrowed. */
const json_t *setup_template(const struct setup_facts *facts, const char *name);
const json_t *setup_vm(const struct setup_facts *facts, const char *template_name);
const char *setup_text(const json_t *object, const char *member); /* "" when absent */
bool setup_is_core(const json_t *template_json);
bool setup_is_deploying(const json_t *vm);

/* setup_plan.c: against the facts; members as setup_plan(). */
int setup_plan_make(struct setup *s, const struct setup_spec *spec, const struct setup_facts *facts,
		    json_t **ret, struct error *err);
/* Can it be done at all? Errors: as setup_apply(). */
int setup_plan_check(const struct setup_spec *spec, const struct setup_facts *facts,
		     struct error *err);
