/* SPDX-License-Identifier: Apache-2.0 */
/* setup.h - the first run: what there is, what a wish would change, and doing it as one task. */
#pragma once
#include "base/json_field.h"
#include "control/task/task.h"

struct actor;
struct appliance;
struct change;
struct setup; /* opaque, see setup.c */
struct store;
struct uc;
struct vm_manager;

enum { SETUP_PEOPLE_MAX = 100, SETUP_COMPONENTS_MAX = 64 };

/* All borrowed; they outlive it. vms and uc may be NULL. */
struct setup_config {
	struct store *store;
	struct tasks *tasks;
	struct vm_manager *vms;
	struct uc *uc;
	struct appliance *appliance;
};
int setup_new(const struct setup_config *config, struct setup **ret, struct error *err);
struct setup *setup_free(struct setup *s); /* no task and no job may use it any more */

/* The body of plan and apply. All is optional: what is not named is left as it is. */
extern const struct json_field setup_spec_fields[];

/* Every function blocks (SQL, smgr): job threads only.
 * {state, steps, defaults, time, current, task}: GET /setup. */
int setup_state(struct setup *s, json_t **ret, struct error *err);
/* {plan, warnings, needs}: what apply would do now. Errors: -EINVAL with err->field. */
int setup_plan(struct setup *s, const json_t *body, json_t **ret, struct error *err);
/* Queue the task setup.apply and commit change. What exists is kept, so it can be done again after a
 * failure: it does the rest. Passwords stay in memory, until the task has ended.
 * Errors: -EINVAL with err->field; -EBUSY one is under way, or people are wanted and no smgr is. */
int setup_apply(struct setup *s, struct change *change, const struct actor *actor,
		const json_t *body, char task_id[TASK_ID_SIZE], struct error *err);
