/* SPDX-License-Identifier: Apache-2.0 */
/* uc_routes.c - /uc/users, /uc/replication, /uc/export: what is administered. */
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"
#include "control/api/uc_list.h"
#include "control/api/uc_plan.h"
#include "control/uc/uc.h"

#include <stdio.h>

static void user_etag(const json_t *user, int64_t version, char etag[HTTP_ETAG_SIZE])
{
	const char *id = json_string_value(json_object_get(user, "id"));

	http_etag(etag, id ? id : "", version);
}

static int reply_user(json_t *user, int64_t version, struct http_reply *reply, struct error *err)
{
	char etag[HTTP_ETAG_SIZE];

	user_etag(user, version, etag);
	(void)reply_etag(reply, etag, err);
	return reply_json(reply, 200, user, err);
}

int uc_users_list(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	AUTO_LISTING query = { 0 };
	int r = http_listing_read(req, &uc_user_listing, &query, err);

	if (r == 0)
		r = api_uc_there(api, err);
	return r < 0 ? r : api_reply_uc_list(api, NULL, &query, reply, err);
}

int uc_users_create(struct api *api, const struct http_request *req, struct http_reply *reply,
		    struct error *err)
{
	AUTO(change) struct change *change = NULL;
	json_t *user = NULL;
	char etag[HTTP_ETAG_SIZE], target[160], id[40];
	const char *handle = json_string_value(json_object_get(req->json, "handle"));
	int64_t version = 0;
	int r = api_uc_there(api, err);

	if (r == 0 && api_dry_run(req))
		return uc_plan_create(api, req, reply, err);
	if (r == 0)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = uc_user_create(api->config.uc, req->json, &user, &version, err);
	if (r < 0)
		return r;
	(void)snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(user, "id")));
	(void)snprintf(target, sizeof(target), "uc/users/%s", handle ? handle : id);
	change_target(change, target);
	r = change_event(change, "uc.users", "user.created", id, json_deep_copy(user), err);
	if (r == 0)
		r = change_commit(change, err);
	if (r < 0) {
		json_decref(user);
		return r;
	}
	user_etag(user, version, etag);
	(void)reply_etag(reply, etag, err);
	return reply_created(reply, API_PREFIX "uc/users/", id, user, err);
}

int uc_users_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		 struct error *err)
{
	json_t *user = NULL;
	int64_t version = 0;
	int r = api_uc_there(api, err);

	if (r == 0)
		r = uc_user_get(api->config.uc, req->param[0], &user, &version, err);
	return r < 0 ? r : reply_user(user, version, reply, err);
}

int uc_users_patch(struct api *api, const struct http_request *req, struct http_reply *reply,
		   struct error *err)
{
	AUTO(change) struct change *change = NULL;
	AUTO(json) json_t *old = NULL;
	json_t *user = NULL;
	char etag[HTTP_ETAG_SIZE];
	int64_t version = 0;
	int r = api_uc_there(api, err);

	if (r == 0)
		r = uc_user_get(api->config.uc, req->param[0], &old, &version, err);
	if (r < 0)
		return r;
	user_etag(old, version, etag);
	r = http_if_match(req, etag, true, err);
	if (r == 0 && api_dry_run(req))
		return uc_plan_patch(api, req, old, version, reply, err);
	if (r == 0)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = uc_user_patch(api->config.uc, req->param[0], req->json, version, &user,
				  &version, err);
	if (r == 0)
		r = change_event(change, "uc.users", "user.changed",
				 json_string_value(json_object_get(user, "id")),
				 json_deep_copy(user), err);
	if (r == 0)
		r = change_commit(change, err);
	if (r < 0) {
		json_decref(user);
		return r;
	}
	return reply_user(user, version, reply, err);
}

int uc_users_delete(struct api *api, const struct http_request *req, struct http_reply *reply,
		    struct error *err)
{
	AUTO(change) struct change *change = NULL;
	AUTO(json) json_t *old = NULL;
	char etag[HTTP_ETAG_SIZE];
	const char *id;
	int64_t version = 0;
	int r = api_uc_there(api, err);

	if (r == 0)
		r = uc_user_get(api->config.uc, req->param[0], &old, &version, err);
	if (r < 0)
		return r;
	user_etag(old, version, etag);
	r = http_if_match(req, etag, false, err);
	if (r == 0 && api_dry_run(req))
		return uc_plan_delete(api, old, reply, err);
	if (r == 0)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = uc_user_delete(api->config.uc, req->param[0],
				   http_header(req, "If-Match") ? version : 0, err);
	if (r < 0)
		return r;
	id = json_string_value(json_object_get(old, "id"));
	r = change_event(change, "uc.users", "user.deleted", id,
			 json_pack("{s:s, s:O}", "id", id, "handle",
				   json_object_get(old, "handle")),
			 err);
	if (r == 0)
		r = change_commit(change, err);
	return r < 0 ? r : reply_empty(reply, 204, err);
}

int uc_replication_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		       struct error *err)
{
	AUTO_LISTING query = { 0 };
	json_t *items = NULL;
	int r = http_listing_read(req, &replication_listing, &query, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_replication(api->config.uc, &items, err);
	return r < 0 ? r : api_reply_whole(&query, items, reply, err);
}

int uc_export_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	static const char *const known[] = { NULL };
	json_t *document = NULL;
	int r = http_query_only(req, known, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_export(api->config.uc, actor_may(api_actor(req), "uc:act"), &document, err);
	return r < 0 ? r : reply_json(reply, 200, document, err);
}
