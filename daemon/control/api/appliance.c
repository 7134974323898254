/* SPDX-License-Identifier: Apache-2.0 */
/* appliance.c - /appliance: what this box is, and its name, which alone can be changed. */
#include "base/clock.h"
#include "control/api/api_private.h"
#include "control/task/sql.h"
#include "control/vm/vm_manager.h"
#include "store/store.h"

#include <stdio.h>

enum { NAME_MAX_CHARACTERS = 64 };

struct appliance_patch {
	char *name;
};

/* Control characters are U+0000..1F and U+007F..9F, the latter in UTF-8 as C2 80..9F. */
static int no_controls(const char *value, struct error *err)
{
	const unsigned char *p = (const unsigned char *)value;

	for (; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f))
			return error_set(err, -EINVAL, "must not hold control characters");
	return 0;
}

const struct json_field appliance_patch_fields[] = {
	JSON_STRING(struct appliance_patch, name, .min = 1, .max = NAME_MAX_CHARACTERS,
		    .pattern = "^\\P{Cc}+$", .check = no_controls),
	JSON_END,
};

/* What PATCH can change, as the database has it; the etag comes from nothing else. */
struct identity {
	char name[4 * NAME_MAX_CHARACTERS + 1];
	int64_t version;
	char etag[HTTP_ETAG_SIZE];
};

static int read_identity(struct api *api, struct identity *ret, struct error *err)
{
	static const char sql[] = "SELECT name, version FROM appliance";
	AUTO(store_rows) struct store_rows *rows = NULL;
	const char *name;
	int r = store_query(api->config.store, sql, NULL, 0, &rows, err);

	if (r < 0)
		return r;
	if (store_rows_count(rows) != 1)
		return error_set(err, -EIO, "the table appliance has no row");
	name = store_rows_text(rows, 0, 0);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name ? name : api->name);
	ret->version = store_rows_i64(rows, 0, 1, 0);
	http_etag(ret->etag, ret->name, ret->version);
	return 0;
}

static int make_resource(struct api *api, const char *name, json_t **ret, struct error *err)
{
	AUTO(json) json_t *summary = NULL;
	AUTO(json) json_t *appliance = NULL;
	char started[CLOCK_RFC3339_SIZE];
	const char *status;

	summary = api->config.vms ? vm_manager_summary(api->config.vms) : json_object();
	appliance = json_pack("{s:s, s:s, s:O?, s:o, s:s}", "name", name, "version", AURA_VERSION,
			      "network", api->network, "components", api_components(api, &status),
			      "started_at", clock_format(api->config.started_ms, started));
	if (!appliance || json_object_update(appliance, summary) < 0)
		return error_set(err, -ENOMEM, "no memory for the appliance");
	*ret = TAKE(appliance);
	return 0;
}

static int reply_appliance(json_t *appliance, const struct identity *identity,
			   struct http_reply *reply, struct error *err)
{
	(void)reply_etag(reply, identity->etag, err);
	return reply_json(reply, 200, appliance, err);
}

int appliance_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	struct identity identity;
	json_t *appliance = NULL;
	int r = read_identity(api, &identity, err);

	(void)req;
	if (r == 0)
		r = make_resource(api, identity.name, &appliance, err);
	return r < 0 ? r : reply_appliance(appliance, &identity, reply, err);
}

/* The row, its event and the audit row; identity is what was read and becomes what is. */
static int store_name(struct api *api, const struct http_request *req, const char *name,
		      struct identity *identity, const json_t *appliance, struct error *err)
{
	static const char sql[] =
		"UPDATE appliance SET name = coalesce($1, name), version = version + 1, "
		"updated_at = now() WHERE version = $2::bigint";
	AUTO(change) struct change *change = NULL;
	int r = api_change(api, req, &change, err);

	if (r == 0)
		r = store_tx_exec(change_tx(change), sql,
				  (const char *[]){ name, store_num(identity->version) }, 2, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ESTALE, "the appliance has changed since it was read");
	r = change_event(change, "appliance", "appliance.changed", "appliance",
			 json_deep_copy(appliance), err);
	if (r == 0)
		r = change_commit(change, err);
	if (r < 0)
		return r;
	(void)snprintf(identity->name, sizeof(identity->name), "%s",
		       json_string_value(json_object_get(appliance, "name")));
	identity->version++;
	http_etag(identity->etag, identity->name, identity->version);
	return 0;
}

static int patch(struct api *api, const struct http_request *req, struct identity *identity,
		 json_t *appliance, struct error *err)
{
	static const char *const read_only[] = { "version", "accelerator", "accelerator_reason",
						 "network", "capacity",	   "hypervisor",
						 "vms",	    "components",  "started_at",
						 NULL };
	AUTO(json) json_t *writable = NULL;
	struct appliance_patch spec = { 0 };
	int r = api_patch_writable(req->json, appliance, read_only, &writable, err);

	if (r == 0)
		r = json_read(writable, appliance_patch_fields, &spec, err);
	if (r == 0 && spec.name &&
	    json_object_set_new(appliance, "name", json_string(spec.name)) < 0)
		r = error_set(err, -ENOMEM, "no memory for the appliance");
	if (r == 0)
		r = store_name(api, req, spec.name, identity, appliance, err);
	json_release(appliance_patch_fields, &spec);
	return r;
}

int appliance_patch(struct api *api, const struct http_request *req, struct http_reply *reply,
		    struct error *err)
{
	struct identity identity;
	json_t *appliance = NULL;
	int r = read_identity(api, &identity, err);

	if (r == 0)
		r = http_if_match(req, identity.etag, true, err);
	if (r == 0)
		r = make_resource(api, identity.name, &appliance, err);
	if (r == 0)
		r = patch(api, req, &identity, appliance, err);
	if (r < 0) {
		json_decref(appliance);
		return r;
	}
	return reply_appliance(appliance, &identity, reply, err);
}
