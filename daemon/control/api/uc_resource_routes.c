/* SPDX-License-Identifier: Apache-2.0 */
/* uc_resource_routes.c - the resources of routing (control/uc/uc_rows.h): five handlers serve them all,
 * and each route has its own name for them. */
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"
#include "control/api/uc_list.h"
#include "control/api/uc_status.h"
#include "control/uc/uc.h"
#include "control/uc/uc_rows.h"

#include <stdio.h>

enum { TARGET_SIZE = 400 };

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

/* "uc/dial-patterns/ID" or, where there are names, "uc/locations/NAME". */
static void target_of(const struct uc_resource *res, const json_t *row, char out[TARGET_SIZE])
{
	(void)snprintf(out, TARGET_SIZE, "uc/%s/%s", res->path,
		       text_of(row, res->named ? res->label : "id"));
}

static void row_etag(const json_t *row, int64_t version, char etag[HTTP_ETAG_SIZE])
{
	http_etag(etag, text_of(row, "id"), version);
}

static int reply_row(struct api *api, const struct uc_resource *res, json_t *row, int64_t version,
		     struct http_reply *reply, struct error *err)
{
	char etag[HTTP_ETAG_SIZE];

	row_etag(row, version, etag);
	(void)reply_etag(reply, etag, err);
	if (res == &uc_sip_entities)
		uc_status_add_one(api->config.uc, row);
	return reply_json(reply, 200, row, err);
}

static int list_rows(struct api *api, const struct uc_resource *res, const struct http_request *req,
		     struct http_reply *reply, struct error *err)
{
	AUTO_LISTING query = { 0 };
	AUTO_LISTING_PAGE page = { 0 };
	int r = http_listing_read(req, res->listing, &query, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0 && res != &uc_sip_entities)
		return api_reply_uc_list(api, res, &query, reply, err);
	if (r == 0)
		r = uc_row_list(api->config.uc, res, &query, &page, err);
	if (r < 0)
		return r;
	uc_status_add(api->config.uc, page.items);
	return api_reply_page(&query, &page, reply, err);
}

/* The event and the commit of a change; takes the change's row for the event as a copy. */
static int settle(struct change *change, const struct uc_resource *res, const char *what,
		  const json_t *row, struct error *err)
{
	char topic[64], type[64];
	int r;

	(void)snprintf(topic, sizeof(topic), "uc.%s", res->path);
	(void)snprintf(type, sizeof(type), "%s.%s", res->kind, what);
	r = change_event(change, topic, type, text_of(row, "id"), json_deep_copy(row), err);
	return r < 0 ? r : change_commit(change, err);
}

static void plan_password(struct api_plan *plan, const char *target, const json_t *body)
{
	if (json_is_string(json_object_get(json_object_get(body, "registration"), "password")))
		api_plan_add(plan, "change", target, "a new password");
}

static int plan_create(struct api *api, const struct uc_resource *res,
		       const struct http_request *req, struct http_reply *reply, struct error *err)
{
	AUTO(json) json_t *row = NULL;
	AUTO_PLAN plan = { 0 };
	char target[TARGET_SIZE];
	int r = uc_row_try(api->config.uc, res, NULL, req->json, 0, &row, err);

	if (r < 0)
		return r;
	(void)snprintf(target, sizeof(target), "uc/%s/%s", res->path, text_of(row, res->label));
	api_plan_add(&plan, "create", target, "%s %s", res->title, text_of(row, res->label));
	return api_plan_reply(&plan, reply, err);
}

static int create_row(struct api *api, const struct uc_resource *res,
		      const struct http_request *req, struct http_reply *reply, struct error *err)
{
	AUTO(change) struct change *change = NULL;
	AUTO(json) json_t *row = NULL;
	char etag[HTTP_ETAG_SIZE], target[TARGET_SIZE], base[64];
	int64_t version = 0;
	int r = api_uc_there(api, err);

	if (r == 0 && api_dry_run(req))
		return plan_create(api, res, req, reply, err);
	if (r == 0)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = uc_row_create(api->config.uc, res, req->json, &row, &version, err);
	if (r < 0)
		return r;
	target_of(res, row, target);
	change_target(change, target);
	r = settle(change, res, "created", row, err);
	if (r < 0)
		return r;
	row_etag(row, version, etag);
	(void)reply_etag(reply, etag, err);
	(void)snprintf(base, sizeof(base), API_PREFIX "uc/%s/", res->path);
	if (res == &uc_sip_entities)
		uc_status_add_one(api->config.uc, row);
	(void)snprintf(target, sizeof(target), "%s", text_of(row, "id"));
	return reply_created(reply, base, target, TAKE(row), err);
}

static int get_row(struct api *api, const struct uc_resource *res, const struct http_request *req,
		   struct http_reply *reply, struct error *err)
{
	static const char *const none[] = { NULL };
	json_t *row = NULL;
	int64_t version = 0;
	int r = http_query_only(req, none, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_row_get(api->config.uc, res, req->param[0], &row, &version, err);
	return r < 0 ? r : reply_row(api, res, row, version, reply, err);
}

static int plan_patch(struct api *api, const struct uc_resource *res,
		      const struct http_request *req, const json_t *old, int64_t version,
		      struct http_reply *reply, struct error *err)
{
	AUTO(json) json_t *row = NULL;
	AUTO_PLAN plan = { 0 };
	char target[TARGET_SIZE];
	int r = uc_row_try(api->config.uc, res, req->param[0], req->json, version, &row, err);

	if (r < 0)
		return r;
	target_of(res, old, target);
	plan_password(&plan, target, req->json);
	api_plan_compare(&plan, target, old, row);
	return api_plan_reply(&plan, reply, err);
}

static int patch_row(struct api *api, const struct uc_resource *res, const struct http_request *req,
		     struct http_reply *reply, struct error *err)
{
	AUTO(change) struct change *change = NULL;
	AUTO(json) json_t *old = NULL;
	AUTO(json) json_t *row = NULL;
	char etag[HTTP_ETAG_SIZE];
	int64_t version = 0;
	int r = api_uc_there(api, err);

	if (r == 0)
		r = uc_row_get(api->config.uc, res, req->param[0], &old, &version, err);
	if (r < 0)
		return r;
	row_etag(old, version, etag);
	r = http_if_match(req, etag, true, err);
	if (r == 0 && api_dry_run(req))
		return plan_patch(api, res, req, old, version, reply, err);
	if (r == 0)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = uc_row_patch(api->config.uc, res, req->param[0], req->json, version, &row,
				 &version, err);
	if (r == 0)
		r = settle(change, res, "changed", row, err);
	return r < 0 ? r : reply_row(api, res, TAKE(row), version, reply, err);
}

static int delete_row(struct api *api, const struct uc_resource *res,
		      const struct http_request *req, struct http_reply *reply, struct error *err)
{
	AUTO(change) struct change *change = NULL;
	AUTO(json) json_t *old = NULL;
	AUTO(json) json_t *gone = NULL;
	char etag[HTTP_ETAG_SIZE], target[TARGET_SIZE];
	int64_t version = 0;
	bool dry = api_dry_run(req);
	int r = api_uc_there(api, err);

	if (r == 0)
		r = uc_row_get(api->config.uc, res, req->param[0], &old, &version, err);
	if (r < 0)
		return r;
	row_etag(old, version, etag);
	r = http_if_match(req, etag, false, err);
	if (r == 0 && !dry)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = uc_row_delete(api->config.uc, res, req->param[0],
				  http_header(req, "If-Match") ? version : 0, dry, err);
	if (r < 0)
		return r;
	target_of(res, old, target);
	if (dry) {
		AUTO_PLAN plan = { 0 };

		api_plan_add(&plan, "delete", target, "%s %s", res->title,
			     text_of(old, res->label));
		return api_plan_reply(&plan, reply, err);
	}
	gone = json_pack("{s:O, s:O}", "id", json_object_get(old, "id"), res->label,
			 json_object_get(old, res->label));
	r = settle(change, res, "deleted", gone, err);
	return r < 0 ? r : reply_empty(reply, 204, err);
}

/* The five names of a resource's routes. */
#define HANDLER(name_, function_, resource_)                                                       \
	int name_(struct api *api, const struct http_request *req, struct http_reply *reply,       \
		  struct error *err)                                                               \
	{                                                                                          \
		return function_(api, &(resource_), req, reply, err);                              \
	}
#define RESOURCE(plural_)                                                                          \
	HANDLER(uc_##plural_##_list, list_rows, uc_##plural_)                                      \
	HANDLER(uc_##plural_##_create, create_row, uc_##plural_)                                   \
	HANDLER(uc_##plural_##_get, get_row, uc_##plural_)                                         \
	HANDLER(uc_##plural_##_patch, patch_row, uc_##plural_)                                     \
	HANDLER(uc_##plural_##_delete, delete_row, uc_##plural_)

RESOURCE(domains)
RESOURCE(locations)
RESOURCE(adaptations)
RESOURCE(sip_entities)
RESOURCE(entity_links)
RESOURCE(time_ranges)
RESOURCE(routing_policies)
RESOURCE(dial_patterns)
RESOURCE(regular_expressions)
RESOURCE(application_sequences)
RESOURCE(implicit_users)
RESOURCE(firewall_rules)
