/* SPDX-License-Identifier: Apache-2.0 */
/* setup_work.h - one setup.apply while it runs: what its steps share. */
#pragma once
#include "control/auth/actor.h"
#include "control/setup/setup_private.h"

struct setup_work {
	struct setup *s;
	struct actor actor;	/* whoever asked: each change is audited as theirs */
	struct setup_spec spec; /* with passwords: overwritten at the end */
	struct task *task;
	uint64_t done, total;	/* of steps: a guest has several */
	json_t *created, *kept; /* what the task's result names */
};

/* Open a change of that target in the name of whoever asked. */
int setup_work_change(struct setup_work *w, const char *target, struct change **ret,
		      struct error *err);
void setup_work_did(struct setup_work *w, unsigned parts);
void setup_work_note(struct setup_work *w, bool created, const char *target);
/* Errors: -ECANCELED. */
int setup_work_cancelled(const struct setup_work *w, struct error *err);

/* setup_components.c: deploy or start what is missing, all at once (each guest waits for those it starts
 * after), until all are ready. When one fails the others are waited for; cancelled, unfinished ones are
 * undone: there is never a half-made guest. */
int setup_components(struct setup_work *w, struct error *err);
/* How many parts of progress they are. */
unsigned setup_components_count(const struct setup_work *w, const struct setup_facts *facts);

/* setup_people.c: wait for smgr's tables, then create whoever is missing. */
int setup_people(struct setup_work *w, struct error *err);
