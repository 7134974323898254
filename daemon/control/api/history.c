/* SPDX-License-Identifier: Apache-2.0 */
/* history.c - /audit, /tasks, /alarms: what was done, what runs, what needs a hand. */
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"
#include "control/task/alarm.h"
#include "control/task/task.h"

#include <stdio.h>

int audit_get(struct api *api, const struct http_request *req, struct http_reply *reply,
	      struct error *err)
{
	AUTO_LISTING query = { 0 };
	AUTO_LISTING_PAGE page = { 0 };
	int r = http_listing_read(req, &audit_listing, &query, err);

	if (r == 0)
		r = audit_list(api->config.store, &query, &page, err);
	return r < 0 ? r : api_reply_page(&query, &page, reply, err);
}

int tasks_list(struct api *api, const struct http_request *req, struct http_reply *reply,
	       struct error *err)
{
	AUTO_LISTING query = { 0 };
	AUTO_LISTING_PAGE page = { 0 };
	int r = http_listing_read(req, &task_listing, &query, err);

	if (r == 0)
		r = task_list(api->config.tasks, &query, &page, err);
	return r < 0 ? r : api_reply_page(&query, &page, reply, err);
}

int tasks_get(struct api *api, const struct http_request *req, struct http_reply *reply,
	      struct error *err)
{
	json_t *task = NULL;
	char etag[HTTP_ETAG_SIZE];
	int r = task_get(api->config.tasks, req->param[0], &task, err);

	if (r < 0)
		return r;
	api_etag(task, etag);
	(void)reply_etag(reply, etag, err);
	return reply_json(reply, 200, task, err);
}

int tasks_log(struct api *api, const struct http_request *req, struct http_reply *reply,
	      struct error *err)
{
	json_t *log = NULL;
	int r = task_log_get(api->config.tasks, req->param[0], &log, err);

	return r < 0 ? r : reply_json(reply, 200, log, err);
}

/* What becomes of it depends on the kind of work. */
static const struct {
	const char *kind, *text;
} cancels[] = {
	{ "vm.deploy", "what is made already is undone; a data disk of before stays" },
	{ "vm.start", "it is no longer waited for; a guest that runs already goes on" },
	{ "setup.apply", "guests under way are undone; what is done stays, apply it again later" },
};

static int plan_cancel(struct api *api, const char *id, struct http_reply *reply, struct error *err)
{
	AUTO(json) json_t *task = NULL;
	AUTO_PLAN plan = { 0 };
	const char *kind, *text = "it ends as soon as it can";
	char target[64];
	int r = task_can_cancel(api->config.tasks, id, err);

	if (r == 0)
		r = task_get(api->config.tasks, id, &task, err);
	if (r < 0)
		return r;
	kind = json_string_value(json_object_get(task, "kind"));
	for (size_t i = 0; i < ARRAY_SIZE(cancels); i++)
		text = strcmp(cancels[i].kind, kind) == 0 ? cancels[i].text : text;
	(void)snprintf(target, sizeof(target), "tasks/%s", id);
	api_plan_add(&plan, "cancel", target, "%s of %s: %s", kind,
		     json_string_value(json_object_get(task, "target")), text);
	return api_plan_reply(&plan, reply, err);
}

int tasks_cancel(struct api *api, const struct http_request *req, struct http_reply *reply,
		 struct error *err)
{
	AUTO(change) struct change *change = NULL;
	json_t *task = NULL;
	int r;

	if (api_dry_run(req))
		return plan_cancel(api, req->param[0], reply, err);
	r = api_change(api, req, &change, err);
	if (r == 0)
		r = task_cancel(api->config.tasks, req->param[0], err);
	if (r == 0)
		r = change_commit(change, err);
	if (r == 0)
		r = task_get(api->config.tasks, req->param[0], &task, err);
	return r < 0 ? r : reply_json(reply, 200, task, err);
}

int alarms_list(struct api *api, const struct http_request *req, struct http_reply *reply,
		struct error *err)
{
	AUTO_LISTING query = { 0 };
	AUTO_LISTING_PAGE page = { 0 };
	int r = http_listing_read(req, &alarm_listing, &query, err);

	if (r == 0)
		r = alarm_list(api->config.alarms, &query, &page, err);
	return r < 0 ? r : api_reply_page(&query, &page, reply, err);
}

int alarms_get(struct api *api, const struct http_request *req, struct http_reply *reply,
	       struct error *err)
{
	json_t *alarm = NULL;
	char etag[HTTP_ETAG_SIZE];
	int r = alarm_get(api->config.alarms, req->param[0], &alarm, err);

	if (r < 0)
		return r;
	api_etag(alarm, etag);
	(void)reply_etag(reply, etag, err);
	return reply_json(reply, 200, alarm, err);
}

/* Takes over alarm. */
static int plan_acknowledge(json_t *alarm, struct http_reply *reply, struct error *err)
{
	AUTO(json) json_t *owned = alarm;
	AUTO_PLAN plan = { 0 };
	char target[64];

	(void)snprintf(target, sizeof(target), "alarms/%s",
		       json_string_value(json_object_get(owned, "id")));
	api_plan_add(&plan, "change", target, "marked as seen by %s",
		     json_string_value(json_object_get(owned, "acknowledged_by")));
	if (strcmp(json_string_value(json_object_get(owned, "state")), "active") == 0)
		api_plan_warn(&plan, "still_active",
			      "The cause stays until it is mended; the alarm clears itself then.");
	return api_plan_reply(&plan, reply, err);
}

int alarms_acknowledge(struct api *api, const struct http_request *req, struct http_reply *reply,
		       struct error *err)
{
	AUTO(change) struct change *change = NULL;
	json_t *alarm = NULL;
	int r = api_change_try(api, req, &change, err);

	if (r == 0)
		r = alarm_acknowledge(api->config.alarms, change_tx(change), req->param[0],
				      api_actor(req)->name, &alarm, err);
	if (r == 0 && api_dry_run(req))
		return plan_acknowledge(alarm, reply, err);
	if (r == 0)
		r = change_event(change, "alarms", "alarm.changed", req->param[0],
				 json_deep_copy(alarm), err);
	if (r == 0)
		r = change_commit(change, err);
	if (r < 0) {
		json_decref(alarm);
		return r;
	}
	return reply_json(reply, 200, alarm, err);
}
