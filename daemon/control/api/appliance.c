/* SPDX-License-Identifier: Apache-2.0 */
/* appliance.c - /appliance: what this box is, and what can be changed of it: name and time zone. */
#include "control/setup/appliance.h"
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"

struct appliance_patch {
	char *name, *time_zone;
};

const struct json_field appliance_patch_fields[] = {
	JSON_STRING(struct appliance_patch, name, .min = 1, .max = APPLIANCE_NAME_MAX,
		    .pattern = "^\\P{Cc}+$", .check = appliance_name_check),
	JSON_STRING(struct appliance_patch, time_zone, .min = 1, .max = ZONE_NAME_MAX,
		    .check = zone_check, .help = "a name of the tz database"),
	JSON_END,
};

/* Of the row alone: no live figure beside it changes the ETag. */
static int reply_appliance(json_t *appliance, const struct appliance_row *row,
			   struct http_reply *reply, struct error *err)
{
	char etag[HTTP_ETAG_SIZE];

	http_etag(etag, row->name, row->version);
	(void)reply_etag(reply, etag, err);
	return reply_json(reply, 200, appliance, err);
}

int appliance_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	struct appliance_row row;
	json_t *appliance = NULL;
	int r = appliance_read(api->config.appliance, &row, err);

	(void)req;
	if (r == 0)
		r = appliance_json(api->config.appliance, &row, &appliance, err);
	return r < 0 ? r : reply_appliance(appliance, &row, reply, err);
}

/* The row, its event and the audit row; row becomes what is. */
static int change_row(struct api *api, const struct http_request *req,
		      const struct appliance_patch *spec, struct appliance_row *row, json_t **ret,
		      struct error *err)
{
	struct appliance_change what = { .name = spec->name, .time_zone = spec->time_zone };
	AUTO(change) struct change *change = NULL;
	AUTO(json) json_t *appliance = NULL;
	int64_t version = row->version;
	int r = appliance_next(api->config.appliance, &what, row, &appliance, err);

	if (r == 0)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = appliance_write(change, &what, version, appliance, err);
	if (r == 0)
		r = change_commit(change, err);
	if (r == 0)
		*ret = TAKE(appliance);
	return r;
}

static int plan_row(const struct appliance_patch *spec, const struct appliance_row *row,
		    struct http_reply *reply, struct error *err)
{
	AUTO(json)
	json_t *was = json_pack("{s:s, s:s}", "name", row->name, "time_zone", row->time_zone);
	AUTO(json) json_t *now = json_deep_copy(was);
	AUTO_PLAN plan = { 0 };

	if (spec->name)
		(void)json_object_set_new(now, "name", json_string(spec->name));
	if (spec->time_zone)
		(void)json_object_set_new(now, "time_zone", json_string(spec->time_zone));
	api_plan_compare(&plan, "appliance", was, now);
	return api_plan_reply(&plan, reply, err);
}

/* 1: a dry run, and reply has its plan. */
static int patch(struct api *api, const struct http_request *req, struct appliance_row *row,
		 json_t **ret, struct http_reply *reply, struct error *err)
{
	static const char *const read_only[] = {
		"version",    "accelerator", "accelerator_reason", "network",	 "capacity",
		"hypervisor", "vms",	     "components",	   "started_at", "setup_finished",
		NULL
	};
	AUTO(json) json_t *writable = NULL;
	AUTO(json) json_t *now = NULL;
	struct appliance_patch spec = { 0 };
	int r = appliance_json(api->config.appliance, row, &now, err);

	if (r == 0)
		r = api_patch_writable(req->json, now, read_only, &writable, err);
	if (r == 0)
		r = json_read(writable, appliance_patch_fields, &spec, err);
	if (r == 0 && api_dry_run(req)) {
		r = plan_row(&spec, row, reply, err);
		r = r < 0 ? r : 1;
	} else if (r == 0) {
		r = change_row(api, req, &spec, row, ret, err);
	}
	json_release(appliance_patch_fields, &spec);
	return r;
}

int appliance_patch(struct api *api, const struct http_request *req, struct http_reply *reply,
		    struct error *err)
{
	struct appliance_row row;
	char etag[HTTP_ETAG_SIZE];
	json_t *appliance = NULL;
	int r = appliance_read(api->config.appliance, &row, err);

	if (r < 0)
		return r;
	http_etag(etag, row.name, row.version);
	r = http_if_match(req, etag, true, err);
	if (r == 0)
		r = patch(api, req, &row, &appliance, reply, err);
	if (r == 1)
		return 0;
	return r < 0 ? r : reply_appliance(appliance, &row, reply, err);
}
