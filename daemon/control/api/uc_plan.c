/* SPDX-License-Identifier: Apache-2.0 */
/* uc_plan.c - see uc_plan.h. */
#include "control/api/uc_plan.h"
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"
#include "control/uc/uc.h"

#include <stdio.h>

enum { TARGET_SIZE = 300 };

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

static void target_of(const json_t *user, char out[TARGET_SIZE])
{
	(void)snprintf(out, TARGET_SIZE, "uc/users/%s", text_of(user, "handle"));
}

static size_t count_equal(const json_t *items, const char *member, const char *value)
{
	const json_t *item;
	size_t n = 0, i;

	json_array_foreach((json_t *)items, i, item) n += strcmp(text_of(item, member), value) == 0;
	return n;
}

/* Live state is asked as far as the call servers answer: a plan does not wait for them to be well. */
static void warn_of_phones(struct api *api, struct api_plan *plan, const char *handle,
			   const char *code, const char *what)
{
	AUTO(json) json_t *phones = NULL;
	struct error ignored = { 0 };
	size_t n;

	if (uc_registrations(api->config.uc, &phones, &ignored) < 0)
		return;
	n = count_equal(phones, "handle", handle);
	if (n > 0)
		api_plan_warn(plan, code, "%zu %s of %s %s", n, n == 1 ? "phone" : "phones", handle,
			      what);
}

static void warn_of_calls(struct api *api, struct api_plan *plan, const char *handle)
{
	AUTO(json) json_t *calls = NULL;
	struct error ignored = { 0 };
	size_t n;

	if (uc_calls(api->config.uc, &calls, &ignored) < 0)
		return;
	n = count_equal(calls, "caller", handle) + count_equal(calls, "callee", handle);
	if (n > 0)
		api_plan_warn(plan, "calls_go_on", "%zu %s of %s %s until hung up", n,
			      n == 1 ? "call" : "calls", handle, n == 1 ? "goes on" : "go on");
}

int uc_plan_create(struct api *api, const struct http_request *req, struct http_reply *reply,
		   struct error *err)
{
	AUTO(json) json_t *user = NULL;
	AUTO_PLAN plan = { 0 };
	char target[TARGET_SIZE];
	const json_t *station;
	int r = uc_user_try(api->config.uc, NULL, req->json, 0, &user, err);

	if (r < 0)
		return r;
	target_of(user, target);
	station = json_object_get(user, "station");
	api_plan_add(&plan, "create", target, "%s", text_of(user, "name"));
	if (json_is_object(json_object_get(user, "sip")))
		api_plan_add(&plan, "create", target, "SIP identity %s",
			     text_of(json_object_get(user, "sip"), "aor"));
	if (json_is_object(station))
		api_plan_add(&plan, "create", target, "station with extension %s",
			     text_of(station, "extension"));
	if (json_is_object(json_object_get(user, "presence")))
		api_plan_add(&plan, "create", target, "presence");
	return api_plan_reply(&plan, reply, err);
}

int uc_plan_patch(struct api *api, const struct http_request *req, const json_t *old,
		  int64_t version, struct http_reply *reply, struct error *err)
{
	AUTO(json) json_t *user = NULL;
	AUTO_PLAN plan = { 0 };
	char target[TARGET_SIZE];
	const char *handle = text_of(old, "handle");
	bool password = json_is_string(json_object_get(req->json, "password"));
	int r = uc_user_try(api->config.uc, req->param[0], req->json, version, &user, err);

	if (r < 0)
		return r;
	target_of(old, target);
	if (password)
		api_plan_add(&plan, "change", target, "a new password");
	api_plan_compare(&plan, target, old, user);
	if (strcmp(handle, text_of(user, "handle")) != 0 ||
	    (json_is_object(json_object_get(old, "sip")) &&
	     !json_is_object(json_object_get(user, "sip"))))
		warn_of_phones(api, &plan, handle, "phones_lost",
			       "can no longer be reached under this handle");
	else if (password)
		warn_of_phones(api, &plan, handle, "phones_log_in_again",
			       "must be given the new password");
	return api_plan_reply(&plan, reply, err);
}

int uc_plan_delete(struct api *api, const json_t *old, struct http_reply *reply, struct error *err)
{
	const char *handle = text_of(old, "handle");
	AUTO_PLAN plan = { 0 };
	char target[TARGET_SIZE];

	target_of(old, target);
	api_plan_add(&plan, "delete", target, "%s", text_of(old, "name"));
	if (json_is_object(json_object_get(old, "sip")))
		api_plan_add(&plan, "delete", target, "SIP identity %s",
			     text_of(json_object_get(old, "sip"), "aor"));
	if (json_is_object(json_object_get(old, "station")))
		api_plan_add(&plan, "delete", target, "station with extension %s",
			     text_of(json_object_get(old, "station"), "extension"));
	if (json_is_object(json_object_get(old, "presence")))
		api_plan_add(&plan, "delete", target, "presence");
	warn_of_phones(api, &plan, handle, "phones_lost", "can no longer be used");
	warn_of_calls(api, &plan, handle);
	return api_plan_reply(&plan, reply, err);
}
