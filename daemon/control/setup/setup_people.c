/* SPDX-License-Identifier: Apache-2.0 */
/* setup_people.c - see setup_work.h: the step that creates people, as POST /uc/users does. */
#include <stdio.h>

#include "base/clock.h"
#include "control/auth/audit.h"
#include "control/setup/setup_work.h"
#include "control/uc/uc.h"
#include "control/vm/vm_manager.h"

#define TABLES_MS 180000 /* how long smgr's tables may take */
#define PAUSE_MS 500

static int smgr_is_stopped(const struct setup_config *c, struct error *err)
{
	AUTO(json) json_t *vm = NULL;

	if (vm_manager_get(c->vms, "smgr", &vm, NULL) < 0 ||
	    strcmp(setup_text(vm, "desired_state"), "running") == 0)
		return 0;
	(void)error_set(err, -EBUSY, "smgr is stopped: people are kept there");
	error_resolution(err, "Start smgr, then apply again.");
	return -EBUSY;
}

/* smgr is ready a moment before its database has got its tables and settings; on a busy host its readiness
 * comes and goes, so the tables themselves are the question. */
static int wait_tables(struct setup_work *w, struct error *err)
{
	uint64_t until = clock_now(clock_system()) + TABLES_MS;
	const struct setup_config *c = &w->s->config;
	int r;

	for (;;) {
		r = uc_migrate(c->uc, err);
		if (r == 0)
			return 0;
		if (smgr_is_stopped(c, err) < 0)
			return -EBUSY;
		if (clock_now(clock_system()) > until)
			return r;
		if (task_wait(w->task, PAUSE_MS))
			return setup_work_cancelled(w, err);
	}
}

/* The string's memory is overwritten before it is given back. */
static void wipe(json_t *body)
{
	const json_t *password = json_object_get(body, "password");

	if (password)
		explicit_bzero((void *)(uintptr_t)json_string_value(password),
			       json_string_length(password));
	json_decref(body);
}

static int create(struct setup_work *w, const struct setup_person *person, const char *target,
		  struct error *err)
{
	AUTO(change) struct change *change = NULL;
	AUTO(json) json_t *user = NULL;
	json_t *body = json_pack("{s:s, s:s, s:s}", "handle", person->handle, "name", person->name,
				 "password", person->password);
	int64_t version;
	int r = body ? setup_work_change(w, target, &change, err)
		     : error_set(err, -ENOMEM, "no memory for a person");

	if (r == 0)
		r = uc_user_create(w->s->config.uc, body, &user, &version, err);
	wipe(body);
	if (r < 0)
		return r;
	r = change_event(change, "uc.users", "user.created", setup_text(user, "id"),
			 json_deep_copy(user), err);
	return r < 0 ? r : change_commit(change, err);
}

static int put(struct setup_work *w, const struct setup_person *person, struct error *err)
{
	AUTO(json) json_t *there = NULL;
	char target[100], detail[sizeof(err->detail)];
	int64_t version;
	int r = uc_user_get(w->s->config.uc, person->handle, &there, &version, err);

	(void)snprintf(target, sizeof(target), "uc/users/%s", person->handle);
	if (r == -ENOENT)
		r = create(w, person, target, err);
	if (r < 0) {
		(void)snprintf(detail, sizeof(detail), "%s", error_text(err, r));
		(void)snprintf(err->detail, sizeof(err->detail), "%s: %.400s", person->handle,
			       detail);
		err->field[0] = '\0'; /* it meant the person, not the body of the setup */
		return r;
	}
	setup_work_note(w, !there, target);
	setup_work_did(w, 1);
	return 0;
}

int setup_people(struct setup_work *w, struct error *err)
{
	const struct setup_person *people = w->spec.people.items;
	int r;

	if (w->spec.people.count == 0)
		return 0;
	if (!w->s->config.uc || !w->s->config.vms)
		return error_set(err, -EAGAIN, "System Manager (smgr) is not there");
	r = wait_tables(w, err);
	for (size_t i = 0; i < w->spec.people.count && r == 0; i++) {
		r = setup_work_cancelled(w, err);
		if (r == 0)
			r = put(w, &people[i], err);
	}
	return r;
}
