/* SPDX-License-Identifier: Apache-2.0 */
/* uc_firewall_routes.c - /uc/firewall: the SIP firewall at work, as sm tells it; its rules are rows
 * (/uc/firewall-rules), its limits members of /uc/settings. */
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"
#include "control/uc/uc.h"
#include "control/uc/uc_check.h"

#include <string.h>

const struct json_field uc_firewall_address_fields[] = {
	JSON_MEMBER(STRING, "address", .nullable = true, .min = 1, .max = 64,
		    .check = uc_check_source, .help = "IP address; all if not said"),
	JSON_END,
};

int uc_firewall_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		    struct error *err)
{
	static const char *const none[] = { NULL };
	json_t *answer = NULL;
	int r = http_query_only(req, none, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_firewall(api->config.uc, &answer, err);
	return r < 0 ? r : reply_json(reply, 200, answer, err);
}

static int plan(const json_t *firewall, const char *address, struct http_reply *reply,
		struct error *err)
{
	AUTO_PLAN plan = { 0 };
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(firewall, "quarantined"), i, item)
	{
		const char *one = json_string_value(json_object_get(item, "address"));

		if (one && (!address || strcmp(one, address) == 0))
			api_plan_add(&plan, "release", "uc/firewall", "%s", one);
	}
	return api_plan_reply(&plan, reply, err);
}

int uc_firewall_release(struct api *api, const struct http_request *req, struct http_reply *reply,
			struct error *err)
{
	const char *address = json_string_value(json_object_get(req->json, "address"));
	AUTO(change) struct change *change = NULL;
	AUTO(json) json_t *answer = NULL;
	int r = json_check(req->json, uc_firewall_address_fields, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0 && api_dry_run(req)) {
		r = uc_firewall(api->config.uc, &answer, err);
		return r < 0 ? r : plan(answer, address, reply, err);
	}
	if (r == 0)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = uc_firewall_let_go(api->config.uc, req->json, &answer, err);
	if (r < 0)
		return r;
	r = change_event(change, "uc.firewall", "firewall.released", address ? address : "*",
			 json_deep_copy(answer), err);
	if (r == 0)
		r = change_commit(change, err);
	return r < 0 ? r : reply_json(reply, 200, TAKE(answer), err);
}
