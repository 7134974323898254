/* SPDX-License-Identifier: Apache-2.0 */
/* setup_routes.c - /setup: the first run. */
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"
#include "control/task/task.h"

int setup_get(struct api *api, const struct http_request *req, struct http_reply *reply,
	      struct error *err)
{
	static const char *const none[] = { NULL };
	json_t *state = NULL;
	int r = http_query_only(req, none, err);

	if (r == 0)
		r = setup_state(api->config.setup, &state, err);
	return r < 0 ? r : reply_json(reply, 200, state, err);
}

int setup_plan_post(struct api *api, const struct http_request *req, struct http_reply *reply,
		    struct error *err)
{
	json_t *plan = NULL;
	int r = setup_plan(api->config.setup, req->json, &plan, err);

	return r < 0 ? r : reply_json(reply, 200, plan, err);
}

int setup_apply_post(struct api *api, const struct http_request *req, struct http_reply *reply,
		     struct error *err)
{
	AUTO(change) struct change *change = NULL;
	char task_id[TASK_ID_SIZE];
	json_t *task = NULL;
	int r;

	if (api_dry_run(req))
		return setup_plan_post(api, req, reply, err);
	r = api_change(api, req, &change, err);
	if (r == 0)
		r = setup_apply(api->config.setup, change, api_actor(req), req->json, task_id, err);
	if (r == 0)
		r = task_get(api->config.tasks, task_id, &task, err);
	return r < 0 ? r : reply_task(reply, task_id, task, err);
}
