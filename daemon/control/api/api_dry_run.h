/* SPDX-License-Identifier: Apache-2.0 */
/* api_dry_run.h - ?dry_run=true: what a change would do, said instead of done.
 *
 * Each change route takes the parameter (route.h). A handler checks all that it would check anyway and
 * asks api_dry_run() before it changes anything:
 *
 *	if (api_dry_run(req)) {
 *		AUTO_PLAN plan = { 0 };
 *
 *		api_plan_add(&plan, "stop", "vms/sm", "ends at once");
 *		api_plan_warn(&plan, "calls_end", "%d in talk lose their call", n);
 *		return api_plan_reply(&plan, reply, err);
 *	}
 *
 * A handler that forgot cannot change anything either: api_change() refuses a dry run, unless the
 * handler opened it with api_change_try(), which never commits. */
#pragma once
#include <stdbool.h>

#include "base/error.h"

struct api;
struct change;
struct http_reply;
struct http_request;
struct json_t; /* Jansson */

struct api_plan {
	struct json_t *steps, *warnings;
};
void api_plan_done(struct api_plan *plan);
#define AUTO_PLAN __attribute__((cleanup(api_plan_done))) struct api_plan

bool api_dry_run(const struct http_request *req);
/* One line of the plan: action is a verb ("create", "change", "delete", "stop"), target a resource
 * ("uc/users/3001"), the text says to people what exactly. */
void api_plan_add(struct api_plan *plan, const char *action, const char *target, const char *format,
		  ...) ERROR_PRINTF(4, 5);
/* What one should know before: code is stable ("calls_end"), the text for people. */
void api_plan_warn(struct api_plan *plan, const char *code, const char *format, ...)
	ERROR_PRINTF(3, 4);
/* "change" lines for the members of `now` that differ from `was`; none: one line "keep". Objects are
 * compared member by member. */
void api_plan_compare(struct api_plan *plan, const char *target, const struct json_t *was,
		      const struct json_t *now);
/* 200 {"plan":[…],"warnings":[…]}. */
int api_plan_reply(struct api_plan *plan, struct http_reply *reply, struct error *err);

/* As api_change(), also for a dry run: then the database's own rules are asked by doing it, and
 * change_free() undoes it; it must not be committed. */
int api_change_try(struct api *api, const struct http_request *req, struct change **ret,
		   struct error *err);
