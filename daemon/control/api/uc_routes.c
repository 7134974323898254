/* SPDX-License-Identifier: Apache-2.0 */
/* uc_routes.c - /uc/...: users, live registrations and calls, records, replication, export. */
#include "control/api/api_private.h"
#include "control/uc/uc.h"

#include <stdio.h>

static int uc_there(struct api *api, struct error *err)
{
	return api->config.uc ? 0 : api_unavailable("System Manager (smgr) is", err);
}

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
	static const char *const filters[] = { "q", "sort", NULL };
	const char *sort = http_query(req, "sort");
	struct uc_user_query query = { 0 };
	struct http_page page;
	char cursor[HTTP_CURSOR_SIZE];
	const char *last;
	json_t *items = NULL, *answer;
	int64_t total = 0;
	bool more = false;
	int r = http_page_read(req, filters, 1, &page, err);

	if (r == 0 && sort && strcmp(sort, "handle") != 0 && strcmp(sort, "-handle") != 0)
		r = error_field(err, -EINVAL, "sort", "must be handle or -handle");
	if (r == 0)
		r = http_query_bool(req, "count", false, &query.count, err);
	if (r == 0)
		r = uc_there(api, err);
	if (r < 0)
		return r;
	query.limit = page.limit;
	query.after = page.key_count ? page.key[0] : NULL;
	query.q = http_query(req, "q");
	query.descending = sort && *sort == '-';
	r = uc_user_list(api->config.uc, &query, &items, &more, &total, err);
	if (r < 0)
		return r;
	last = json_string_value(json_object_get(
		json_array_get(items, json_array_size(items) ? json_array_size(items) - 1 : 0),
		"handle"));
	if (more && last)
		r = http_cursor_make(&page, &last, 1, cursor, err);
	answer = json_pack("{s:o, s:s?}", "items", items, "next_cursor",
			   more && last ? cursor : NULL);
	if (query.count)
		(void)json_object_set_new(answer, "total", json_integer(total));
	if (r < 0) {
		json_decref(answer);
		return r;
	}
	return reply_json(reply, 200, answer, err);
}

int uc_users_create(struct api *api, const struct http_request *req, struct http_reply *reply,
		    struct error *err)
{
	AUTO(change) struct change *change = NULL;
	json_t *user = NULL;
	char etag[HTTP_ETAG_SIZE], target[160], id[40];
	const char *handle = json_string_value(json_object_get(req->json, "handle"));
	int64_t version = 0;
	int r = uc_there(api, err);

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
	int r = uc_there(api, err);

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
	int r = uc_there(api, err);

	if (r == 0)
		r = uc_user_get(api->config.uc, req->param[0], &old, &version, err);
	if (r < 0)
		return r;
	user_etag(old, version, etag);
	r = http_if_match(req, etag, true, err);
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
	int r = uc_there(api, err);

	if (r == 0)
		r = uc_user_get(api->config.uc, req->param[0], &old, &version, err);
	if (r < 0)
		return r;
	user_etag(old, version, etag);
	r = http_if_match(req, etag, false, err);
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

int uc_registrations_list(struct api *api, const struct http_request *req, struct http_reply *reply,
			  struct error *err)
{
	static const char *const filters[] = { "handle", NULL };
	json_t *items = NULL;
	int r = uc_there(api, err);

	if (r == 0)
		r = uc_registrations(api->config.uc, http_query(req, "handle"), &items, err);
	if (r < 0)
		return r;
	return api_reply_whole(req, items,
			       &(struct api_whole){
				       .key = "aor", .second = "contact", .filters = filters },
			       reply, err);
}

int uc_calls_list(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	json_t *items = NULL;
	int r = uc_there(api, err);

	if (r == 0)
		r = uc_calls(api->config.uc, &items, err);
	if (r < 0)
		return r;
	return api_reply_whole(req, items,
			       &(struct api_whole){ .key = "started_at", .second = "gsid" }, reply,
			       err);
}

int uc_cdr_get(struct api *api, const struct http_request *req, struct http_reply *reply,
	       struct error *err)
{
	static const char *const filters[] = { "user", NULL };
	struct http_page page;
	char cursor[HTTP_CURSOR_SIZE];
	AUTO(str) char *next = NULL;
	json_t *items = NULL;
	int r = http_page_read(req, filters, 1, &page, err);

	if (r == 0)
		r = uc_there(api, err);
	if (r == 0)
		r = uc_cdr_list(api->config.uc,
				&(struct uc_cdr_query){ .limit = page.limit,
							.after =
								page.key_count ? page.key[0] : NULL,
							.user = http_query(req, "user") },
				&items, &next, err);
	if (r < 0)
		return r;
	if (next)
		r = http_cursor_make(&page, (const char *const[]){ next }, 1, cursor, err);
	if (r < 0) {
		json_decref(items);
		return r;
	}
	return reply_list(reply, items, next ? cursor : NULL, err);
}

int uc_replication_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		       struct error *err)
{
	json_t *items = NULL;
	int r = uc_there(api, err);

	if (r == 0)
		r = uc_replication(api->config.uc, &items, err);
	if (r < 0)
		return r;
	return api_reply_whole(req, items, &(struct api_whole){ .key = "node" }, reply, err);
}

int uc_export_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	static const char *const known[] = { NULL };
	json_t *document = NULL;
	int r = http_query_only(req, known, err);

	if (r == 0)
		r = uc_there(api, err);
	if (r == 0)
		r = uc_export(api->config.uc, actor_may(api_actor(req), "uc:act"), &document, err);
	return r < 0 ? r : reply_json(reply, 200, document, err);
}
