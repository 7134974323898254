/* SPDX-License-Identifier: Apache-2.0 */
/* tokens.c - /tokens: API tokens of whoever asks. */
#include "base/clock.h"
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"

#include <stdio.h>

struct token_spec {
	char *name;
	struct json_strings scopes;
	int64_t expires_at;
	uint8_t expires_at_given;
};

const struct json_field token_spec_fields[] = {
	JSON_STRING(struct token_spec, name, .required = true, .min = 1, .max = 256),
	JSON_STRINGS(struct token_spec, scopes, .required = true, .min = 1, .max = 64),
	JSON_TIME(struct token_spec, expires_at, .nullable = true,
		  JSON_PRESENCE(struct token_spec, expires_at_given)),
	JSON_END,
};

/* Scopes that exist and that the asker has: a token never has more than its owner. */
static int read_scopes(const struct token_spec *spec, const struct actor *actor, permissions *ret,
		       struct error *err)
{
	permissions all = 0;

	for (size_t i = 0; i < spec->scopes.count; i++) {
		permissions scope = permission_parse(spec->scopes.items[i]);
		char pointer[32];

		(void)snprintf(pointer, sizeof(pointer), "/scopes/%zu", i);
		if (!scope)
			return error_field(err, -EINVAL, pointer, "there is no scope '%s'",
					   spec->scopes.items[i]);
		if (!(actor->may & scope))
			return error_field(err, -EINVAL, pointer, "you do not have '%s' yourself",
					   spec->scopes.items[i]);
		all |= scope;
	}
	*ret = all;
	return 0;
}

static int plan_token(const char *action, const json_t *token, struct http_reply *reply,
		      struct error *err)
{
	AUTO(str) char *scopes = json_text(json_object_get(token, "scopes"));
	const char *expires = json_string_value(json_object_get(token, "expires_at"));
	AUTO_PLAN plan = { 0 };

	api_plan_add(&plan, action, "tokens", "%s, scopes %s, %s%s",
		     json_string_value(json_object_get(token, "name")), scopes ? scopes : "",
		     expires ? "valid until " : "without an end", expires ? expires : "");
	if (strcmp(action, "delete") == 0)
		api_plan_warn(&plan, "token_ends", "programs that use it are refused at once");
	else if (!expires)
		api_plan_warn(&plan, "never_expires", "it works until somebody revokes it");
	return api_plan_reply(&plan, reply, err);
}

static int create(struct api *api, const struct http_request *req, const struct token_spec *spec,
		  struct http_reply *reply, struct error *err)
{
	AUTO(change) struct change *change = NULL;
	json_t *token = NULL;
	char target[64];
	permissions scopes = 0;
	int r;

	if (spec->expires_at_given == JSON_PRESENT &&
	    spec->expires_at <= clock_wall(clock_system()))
		return error_field(err, -EINVAL, "/expires_at", "lies in the past");
	r = read_scopes(spec, api_actor(req), &scopes, err);
	if (r == 0)
		r = api_change_try(api, req, &change, err);
	if (r == 0)
		r = token_create(api->config.auth, change, api_actor(req), spec->name, scopes,
				 spec->expires_at_given == JSON_PRESENT ? spec->expires_at : 0,
				 &token, err);
	if (r < 0)
		return r;
	(void)snprintf(target, sizeof(target), "tokens/%s",
		       json_string_value(json_object_get(token, "id")));
	change_target(change, target);
	if (api_dry_run(req)) {
		AUTO(json) json_t *planned = token;

		return plan_token("create", planned, reply, err);
	}
	r = change_commit(change, err);
	if (r < 0) {
		json_decref(token);
		return r;
	}
	return reply_created(reply, API_PREFIX "tokens/", target + strlen("tokens/"), token, err);
}

int tokens_create(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	struct token_spec spec = { 0 };
	int r = json_read(req->json, token_spec_fields, &spec, err);

	if (r == 0)
		r = create(api, req, &spec, reply, err);
	json_release(token_spec_fields, &spec);
	return r;
}

int tokens_list(struct api *api, const struct http_request *req, struct http_reply *reply,
		struct error *err)
{
	AUTO_LISTING query = { 0 };
	AUTO_LISTING_PAGE page = { 0 };
	int r = http_listing_read(req, &token_listing, &query, err);

	if (r == 0)
		r = token_list(api->config.auth, api_actor(req), &query, &page, err);
	return r < 0 ? r : api_reply_page(&query, &page, reply, err);
}

int tokens_get(struct api *api, const struct http_request *req, struct http_reply *reply,
	       struct error *err)
{
	json_t *token = NULL;
	char etag[HTTP_ETAG_SIZE];
	int r = token_get(api->config.auth, api_actor(req), req->param[0], &token, err);

	if (r < 0)
		return r;
	api_etag(token, etag);
	(void)reply_etag(reply, etag, err);
	return reply_json(reply, 200, token, err);
}

int tokens_delete(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	AUTO(change) struct change *change = NULL;
	AUTO(json) json_t *old = NULL;
	int r = token_get(api->config.auth, api_actor(req), req->param[0], &old, err);

	if (r == 0 && api_dry_run(req))
		return plan_token("delete", old, reply, err);
	if (r == 0)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = token_delete(api->config.auth, change, api_actor(req), req->param[0], err);
	if (r == 0)
		r = change_commit(change, err);
	return r < 0 ? r : reply_empty(reply, 204, err);
}
