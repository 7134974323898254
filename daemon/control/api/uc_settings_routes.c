/* SPDX-License-Identifier: Apache-2.0 */
/* uc_settings_routes.c - /uc/settings, and /uc/route-test, which asks sm where a call would go,
 * and /uc/import. */
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"
#include "control/uc/uc.h"
#include "control/uc/uc_check.h"
#include "control/uc/uc_import.h"

#include <stdio.h>

static const char *const transports[] = { "udp", "tcp", "tls", "ws", "wss", NULL };

const struct json_field uc_route_question_fields[] = {
	JSON_MEMBER(STRING, "caller", .required = true, .min = 1, .max = 512,
		    .check = uc_check_text, .help = "Who calls: sip:3001@example.org"),
	JSON_MEMBER(STRING, "callee", .required = true, .min = 1, .max = 512,
		    .check = uc_check_text, .help = "Who is called: digits, or sip:\xe2\x80\xa6"),
	JSON_MEMBER(STRING, "source", .nullable = true, .min = 1, .max = 64,
		    .check = uc_check_source, .help = "IP address that it comes from"),
	JSON_MEMBER(TIME, "at", .nullable = true, .help = "When; now if not said"),
	JSON_MEMBER(
		ENUM, "transport", .nullable = true, .choices = transports,
		.help = "That it comes over: decides who it is from, and what the link is worth"),
	JSON_END,
};

int uc_route_test_post(struct api *api, const struct http_request *req, struct http_reply *reply,
		       struct error *err)
{
	json_t *answer = NULL;
	int r = json_check(req->json, uc_route_question_fields, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_route_test(api->config.uc, req->json, &answer, err);
	if (r == 0 && api_dry_run(req)) {
		AUTO_PLAN plan = { 0 };

		json_decref(answer);
		return api_plan_reply(&plan, reply, err);
	}
	return r < 0 ? r : reply_json(reply, 200, answer, err);
}

static int reply_settings(json_t *settings, int64_t version, struct http_reply *reply,
			  struct error *err)
{
	char etag[HTTP_ETAG_SIZE];

	http_etag(etag, "settings", version);
	(void)reply_etag(reply, etag, err);
	return reply_json(reply, 200, settings, err);
}

int uc_settings_show(struct api *api, const struct http_request *req, struct http_reply *reply,
		     struct error *err)
{
	static const char *const none[] = { NULL };
	json_t *settings = NULL;
	int64_t version = 0;
	int r = http_query_only(req, none, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_settings_get(api->config.uc, &settings, &version, err);
	return r < 0 ? r : reply_settings(settings, version, reply, err);
}

int uc_settings_change(struct api *api, const struct http_request *req, struct http_reply *reply,
		       struct error *err)
{
	AUTO(change) struct change *change = NULL;
	AUTO(json) json_t *old = NULL;
	AUTO(json) json_t *settings = NULL;
	char etag[HTTP_ETAG_SIZE];
	int64_t version = 0;
	bool dry = api_dry_run(req);
	int r = api_uc_there(api, err);

	if (r == 0)
		r = uc_settings_get(api->config.uc, &old, &version, err);
	if (r < 0)
		return r;
	http_etag(etag, "settings", version);
	r = http_if_match(req, etag, true, err);
	if (r == 0 && !dry)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = uc_settings_patch(api->config.uc, req->json, version, dry, &settings, &version,
				      err);
	if (r < 0)
		return r;
	if (dry) {
		AUTO_PLAN plan = { 0 };

		api_plan_compare(&plan, "uc/settings", old, settings);
		return api_plan_reply(&plan, reply, err);
	}
	r = change_event(change, "uc.settings", "settings.changed", "settings",
			 json_deep_copy(settings), err);
	if (r == 0)
		r = change_commit(change, err);
	return r < 0 ? r : reply_settings(TAKE(settings), version, reply, err);
}

static int plan_import(const json_t *result, struct http_reply *reply, struct error *err)
{
	static const char *const words[][2] = { { "created", "create" },
						{ "changed", "change" },
						{ "deleted", "delete" } };
	AUTO_PLAN plan = { 0 };
	json_t *set;
	size_t i;

	json_array_foreach(json_object_get(result, "sets"), i, set)
	{
		for (size_t k = 0; k < ARRAY_SIZE(words); k++) {
			json_int_t n = json_integer_value(json_object_get(set, words[k][0]));
			char target[64];

			(void)snprintf(target, sizeof(target), "uc/%s",
				       json_string_value(json_object_get(set, "name")));
			for (char *p = target; *p; p++)
				*p = *p == '_' ? '-' : *p;
			if (n > 0)
				api_plan_add(&plan, words[k][1], target, "%lld", (long long)n);
		}
	}
	return api_plan_reply(&plan, reply, err);
}

int uc_import_post(struct api *api, const struct http_request *req, struct http_reply *reply,
		   struct error *err)
{
	AUTO(change) struct change *change = NULL;
	AUTO(json) json_t *result = NULL;
	bool replace = false, dry = api_dry_run(req);
	int r = http_query_bool(req, "replace", false, &replace, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0 && !dry)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = uc_import(api->config.uc, req->json, replace, dry, &result, err);
	if (r < 0)
		return r;
	if (dry)
		return plan_import(result, reply, err);
	r = change_event(change, "uc.import", "import.done", "import", json_deep_copy(result), err);
	if (r == 0)
		r = change_commit(change, err);
	return r < 0 ? r : reply_json(reply, 200, TAKE(result), err);
}
