/* SPDX-License-Identifier: Apache-2.0 */
/* history.c - /audit, /tasks, /alarms: what was done, what runs, what needs a hand. */
#include "control/api/api_private.h"
#include "control/task/alarm.h"
#include "control/task/task.h"

static const char *cursor_of(const struct http_page *page)
{
	return page->key_count ? page->key[0] : NULL;
}

/* A filter whose values are words of a list. */
static int check_word(const struct http_request *req, const char *name, const char *const *words,
		      struct error *err)
{
	const char *value = http_query(req, name);

	if (!value)
		return 0;
	for (; *words; words++) {
		if (strcmp(*words, value) == 0)
			return 0;
	}
	return error_field(err, -EINVAL, name, "has no value '%s'", value);
}

int audit_get(struct api *api, const struct http_request *req, struct http_reply *reply,
	      struct error *err)
{
	static const char *const filters[] = { "actor", "action", "target", "result", NULL };
	struct http_page page;
	json_t *items = NULL;
	int r = http_page_read(req, filters, 1, &page, err);

	if (r == 0)
		r = audit_list(api->config.store,
			       &(struct audit_filter){ .actor = http_query(req, "actor"),
						       .action = http_query(req, "action"),
						       .target = http_query(req, "target"),
						       .result = http_query(req, "result"),
						       .before = cursor_of(&page),
						       .limit = page.limit + 1 },
			       &items, err);
	if (r < 0)
		return r;
	return api_reply_rows(api, req, &page,
			      &(struct api_rows){
				      .table = "audit", .key = "id", .filters = filters },
			      items, reply, err);
}

int tasks_list(struct api *api, const struct http_request *req, struct http_reply *reply,
	       struct error *err)
{
	static const char *const filters[] = { "state", "kind", "target", NULL };
	static const char *const states[] = { "queued", "running",   "cancelling", "succeeded",
					      "failed", "cancelled", NULL };
	struct http_page page;
	json_t *items = NULL;
	int r = http_page_read(req, filters, 1, &page, err);

	if (r == 0)
		r = check_word(req, "state", states, err);
	if (r == 0)
		r = task_list(api->config.tasks,
			      &(struct task_filter){ .state = http_query(req, "state"),
						     .kind = http_query(req, "kind"),
						     .target = http_query(req, "target"),
						     .before = cursor_of(&page),
						     .limit = page.limit + 1 },
			      &items, err);
	if (r < 0)
		return r;
	return api_reply_rows(api, req, &page,
			      &(struct api_rows){
				      .table = "task", .key = "id", .filters = filters },
			      items, reply, err);
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

int tasks_cancel(struct api *api, const struct http_request *req, struct http_reply *reply,
		 struct error *err)
{
	AUTO(change) struct change *change = NULL;
	json_t *task = NULL;
	int r = api_change(api, req, &change, err);

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
	static const char *const filters[] = { "state", "severity", "code", "target", NULL };
	static const char *const states[] = { "active", "cleared", NULL };
	static const char *const severities[] = { "warning", "major", "critical", NULL };
	struct http_page page;
	json_t *items = NULL;
	int r = http_page_read(req, filters, 1, &page, err);

	if (r == 0)
		r = check_word(req, "state", states, err);
	if (r == 0)
		r = check_word(req, "severity", severities, err);
	if (r == 0)
		r = alarm_list(api->config.alarms,
			       &(struct alarm_filter){ .state = http_query(req, "state"),
						       .severity = http_query(req, "severity"),
						       .code = http_query(req, "code"),
						       .target = http_query(req, "target"),
						       .before = cursor_of(&page),
						       .limit = page.limit + 1 },
			       &items, err);
	if (r < 0)
		return r;
	return api_reply_rows(api, req, &page,
			      &(struct api_rows){
				      .table = "alarm", .key = "id", .filters = filters },
			      items, reply, err);
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

int alarms_acknowledge(struct api *api, const struct http_request *req, struct http_reply *reply,
		       struct error *err)
{
	AUTO(change) struct change *change = NULL;
	json_t *alarm = NULL;
	int r = api_change(api, req, &change, err);

	if (r == 0)
		r = alarm_acknowledge(api->config.alarms, change_tx(change), req->param[0],
				      api_actor(req)->name, &alarm, err);
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
