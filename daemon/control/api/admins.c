/* SPDX-License-Identifier: Apache-2.0 */
/* admins.c - /admins: who administers the appliance. */
#include "base/random.h"
#include "base/slice.h"
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"
#include "net/password.h"

#include <stdio.h>

struct admin_spec {
	char *name;
	uint32_t role;
	char *password;
	bool must_change_password;
	uint8_t role_given, must_change_given;
};

/* A path names an administrator by name or id: a name that is another's id would mean both. */
static int check_name(const char *value, struct error *err)
{
	if (uuid_is_valid(slice_str(value)))
		return error_set(err, -EINVAL, "must not look like a UUID");
	return 0;
}

#define NAME                                                                                       \
	JSON_STRING(struct admin_spec, name, .required = REQUIRED, .min = 1, .max = 256,           \
		    .check = check_name)
#define PASSWORD                                                                                   \
	JSON_STRING(struct admin_spec, password, .required = REQUIRED, .min = AUTH_PASSWORD_MIN,   \
		    .max = PASSWORD_MAX, .write_only = true)
#define ROLE                                                                                       \
	JSON_ENUM(struct admin_spec, role, .required = REQUIRED, .choices = role_names,            \
		  JSON_PRESENCE(struct admin_spec, role_given))
#define MUST_CHANGE                                                                                \
	JSON_BOOL(struct admin_spec, must_change_password,                                         \
		  JSON_PRESENCE(struct admin_spec, must_change_given))

#define REQUIRED true
const struct json_field admin_spec_fields[] = { NAME, ROLE, PASSWORD, MUST_CHANGE, JSON_END };
#undef REQUIRED
#define REQUIRED false
const struct json_field admin_patch_fields[] = { NAME, ROLE, PASSWORD, MUST_CHANGE, JSON_END };
#undef REQUIRED

static struct admin_change change_of(const struct admin_spec *spec)
{
	return (struct admin_change){
		.name = spec->name,
		.password = spec->password,
		.role = spec->role_given == JSON_PRESENT ? (int)spec->role : -1,
		.must_change_password = spec->must_change_given == JSON_PRESENT
						? (int)spec->must_change_password
						: -1,
	};
}

static int reply_admin(struct api *api, const char *name, struct http_reply *reply,
		       struct error *err)
{
	json_t *admin = NULL;
	char etag[HTTP_ETAG_SIZE];
	int64_t version;
	int r = admin_get(api->config.auth, name, &admin, &version, err);

	if (r < 0)
		return r;
	http_etag(etag, json_string_value(json_object_get(admin, "id")), version);
	r = reply_etag(reply, etag, err);
	if (r < 0) {
		json_decref(admin);
		return r;
	}
	return reply_json(reply, 200, admin, err);
}

int admins_list(struct api *api, const struct http_request *req, struct http_reply *reply,
		struct error *err)
{
	AUTO_LISTING query = { 0 };
	AUTO_LISTING_PAGE page = { 0 };
	int r = http_listing_read(req, &admin_listing, &query, err);

	if (r == 0)
		r = admin_list(api->config.auth, &query, &page, err);
	return r < 0 ? r : api_reply_page(&query, &page, reply, err);
}

int admins_get(struct api *api, const struct http_request *req, struct http_reply *reply,
	       struct error *err)
{
	return reply_admin(api, req->param[0], reply, err);
}

static int plan_create(const json_t *admin, const char *target, struct http_reply *reply,
		       struct error *err)
{
	AUTO_PLAN plan = { 0 };

	api_plan_add(&plan, "create", target, "%s, role %s",
		     json_string_value(json_object_get(admin, "name")),
		     json_string_value(json_object_get(admin, "role")));
	return api_plan_reply(&plan, reply, err);
}

/* A new password or role ends that administrator's sessions. */
static int plan_change(const json_t *old, const json_t *admin, const struct admin_change *values,
		       struct http_reply *reply, struct error *err)
{
	const char *name = json_string_value(json_object_get(old, "name"));
	AUTO_PLAN plan = { 0 };
	char target[360];

	(void)snprintf(target, sizeof(target), "admins/%s", name);
	if (values->password)
		api_plan_add(&plan, "change", target, "a new password");
	api_plan_compare(&plan, target, old, admin);
	if (values->password || values->role >= 0)
		api_plan_warn(&plan, "sessions_end", "%s is logged out everywhere", name);
	return api_plan_reply(&plan, reply, err);
}

static int plan_delete(const json_t *old, struct http_reply *reply, struct error *err)
{
	const char *name = json_string_value(json_object_get(old, "name"));
	AUTO_PLAN plan = { 0 };
	char target[360];

	(void)snprintf(target, sizeof(target), "admins/%s", name);
	api_plan_add(&plan, "delete", target, "%s, role %s", name,
		     json_string_value(json_object_get(old, "role")));
	api_plan_warn(&plan, "sessions_end", "%s is logged out everywhere", name);
	api_plan_warn(&plan, "tokens_end", "the API tokens of %s stop working", name);
	return api_plan_reply(&plan, reply, err);
}

static int create(struct api *api, const struct http_request *req, const struct admin_spec *spec,
		  struct http_reply *reply, struct error *err)
{
	AUTO(change) struct change *change = NULL;
	struct admin_change values = change_of(spec);
	json_t *admin = NULL;
	char target[360], etag[HTTP_ETAG_SIZE];
	const char *id;
	int r = api_change_try(api, req, &change, err);

	if (r < 0)
		return r;
	(void)snprintf(target, sizeof(target), "admins/%s", spec->name);
	change_target(change, target);
	r = admin_create(api->config.auth, change, &values, &admin, err);
	if (r == 0 && api_dry_run(req)) {
		AUTO(json) json_t *planned = admin;

		return plan_create(planned, target, reply, err);
	}
	if (r == 0)
		r = change_commit(change, err);
	if (r < 0) {
		json_decref(admin);
		return r;
	}
	id = json_string_value(json_object_get(admin, "id"));
	http_etag(etag, id, 1);
	(void)reply_etag(reply, etag, err);
	(void)snprintf(target, sizeof(target), "%s", id);
	return reply_created(reply, API_PREFIX "admins/", target, admin, err);
}

int admins_create(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	struct admin_spec spec = { 0 };
	int r = json_read(req->json, admin_spec_fields, &spec, err);

	if (r == 0)
		r = create(api, req, &spec, reply, err);
	json_release(admin_spec_fields, &spec);
	return r;
}

/* With a dry run the plan is the answer, and 1 is returned. */
static int patch(struct api *api, const struct http_request *req, const json_t *old,
		 int64_t version, struct http_reply *reply, struct error *err)
{
	static const char *const read_only[] = { "id", "created_at", "updated_at", NULL };
	AUTO(json) json_t *writable = NULL;
	AUTO(json) json_t *admin = NULL;
	AUTO(change) struct change *change = NULL;
	struct admin_spec spec = { 0 };
	struct admin_change values;
	int r = api_patch_writable(req->json, old, read_only, &writable, err);

	if (r == 0)
		r = json_read(writable, admin_patch_fields, &spec, err);
	if (r == 0)
		r = api_change_try(api, req, &change, err);
	values = change_of(&spec);
	if (r == 0)
		r = admin_update(api->config.auth, change, req->param[0], version, &values, &admin,
				 err);
	if (r == 0 && api_dry_run(req))
		r = plan_change(old, admin, &values, reply, err) < 0 ? -ENOMEM : 1;
	if (r == 0)
		r = change_commit(change, err);
	if (r == 0 && spec.password)
		auth_initial_password_gone(api->config.auth,
					   json_string_value(json_object_get(old, "name")));
	json_release(admin_patch_fields, &spec);
	return r;
}

int admins_patch(struct api *api, const struct http_request *req, struct http_reply *reply,
		 struct error *err)
{
	AUTO(json) json_t *old = NULL;
	char etag[HTTP_ETAG_SIZE];
	const char *id;
	int64_t version;
	int r = admin_get(api->config.auth, req->param[0], &old, &version, err);

	if (r < 0)
		return r;
	id = json_string_value(json_object_get(old, "id"));
	http_etag(etag, id, version);
	r = http_if_match(req, etag, true, err);
	if (r == 0)
		r = patch(api, req, old, version, reply, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return reply_admin(api, id, reply, err);
}

int admins_delete(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	AUTO(json) json_t *old = NULL;
	AUTO(change) struct change *change = NULL;
	char etag[HTTP_ETAG_SIZE];
	int64_t version;
	int r = admin_get(api->config.auth, req->param[0], &old, &version, err);

	if (r < 0)
		return r;
	http_etag(etag, json_string_value(json_object_get(old, "id")), version);
	r = http_if_match(req, etag, false, err);
	if (r == 0)
		r = api_change_try(api, req, &change, err);
	if (r == 0)
		r = admin_delete(api->config.auth, change, req->param[0], -1, err);
	if (r == 0 && api_dry_run(req))
		return plan_delete(old, reply, err);
	if (r == 0)
		r = change_commit(change, err);
	return r < 0 ? r : reply_empty(reply, 204, err);
}
