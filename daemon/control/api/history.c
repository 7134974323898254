/* SPDX-License-Identifier: Apache-2.0 */
/* history.c - /audit, /tasks, /alarms: what was done, what runs, what needs a hand. */
#include "control/api/api_private.h"
#include "control/task/alarm.h"
#include "control/task/task.h"

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
