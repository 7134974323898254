/* SPDX-License-Identifier: Apache-2.0 */
/* uc_call_routes.c - /uc/registrations, /uc/calls, /uc/cdr: who is there, what is spoken, what was. */
#include "base/clock.h"
#include "control/api/api_private.h"
#include "control/uc/uc.h"

enum { DAY_MS = 86400000, STEP_S = 900, STEP_MAX_S = 31 * 86400 };

int uc_registrations_list(struct api *api, const struct http_request *req, struct http_reply *reply,
			  struct error *err)
{
	AUTO_LISTING query = { 0 };
	json_t *items = NULL;
	int r = http_listing_read(req, &registration_listing, &query, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_registrations(api->config.uc, &items, err);
	return r < 0 ? r : api_reply_whole(&query, items, reply, err);
}

static bool is_member(const json_t *call, const char *member, const char *handle)
{
	const char *value = json_string_value(json_object_get(call, member));

	return value && strcmp(value, handle) == 0;
}

/* Those with that handle on either side. */
static json_t *calls_of(const json_t *calls, const char *handle)
{
	json_t *kept = json_array(), *call;
	size_t i;

	json_array_foreach((json_t *)calls, i, call)
	{
		if (!handle || is_member(call, "caller", handle) ||
		    is_member(call, "callee", handle))
			(void)json_array_append(kept, call);
	}
	return kept;
}

int uc_calls_list(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	AUTO_LISTING query = { 0 };
	AUTO(json) json_t *calls = NULL;
	int r = http_listing_read(req, &call_listing, &query, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_calls(api->config.uc, &calls, err);
	if (r < 0)
		return r;
	return api_reply_whole(&query, calls_of(calls, http_query(req, "handle")), reply, err);
}

int uc_cdr_get(struct api *api, const struct http_request *req, struct http_reply *reply,
	       struct error *err)
{
	AUTO_LISTING query = { 0 };
	AUTO_LISTING_PAGE page = { 0 };
	int r = http_listing_read(req, &uc_cdr_listing, &query, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_cdr_list(api->config.uc, http_query(req, "handle"), &query, &page, err);
	return r < 0 ? r : api_reply_page(&query, &page, reply, err);
}

int uc_cdr_record_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		      struct error *err)
{
	static const char *const none[] = { NULL };
	json_t *record = NULL;
	int r = http_query_only(req, none, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_cdr_find(api->config.uc, req->param[0], &record, err);
	return r < 0 ? r : reply_json(reply, 200, record, err);
}

static int read_time(const struct http_request *req, const char *name, int64_t fallback,
		     int64_t *ret, struct error *err)
{
	const char *text = http_query(req, name);

	*ret = fallback;
	if (text && clock_parse(slice_str(text), ret) < 0)
		return error_field(err, -EINVAL, name, "must be a time as in 2026-11-21T10:12:13Z");
	return 0;
}

int uc_cdr_summary_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		       struct error *err)
{
	AUTO_LISTING query = { 0 };
	json_t *summary = NULL;
	int64_t from = 0, to = 0;
	uint32_t step = STEP_S;
	int r = http_listing_read(req, &cdr_summary_listing, &query, err);

	if (r == 0)
		r = read_time(req, "to", clock_wall(clock_system()), &to, err);
	if (r == 0)
		r = read_time(req, "from", to - DAY_MS, &from, err);
	if (r == 0)
		r = http_query_u32(req, "step_s", 1, STEP_MAX_S, STEP_S, &step, err);
	if (r == 0 && from >= to)
		r = error_field(err, -EINVAL, "from", "must lie before `to`");
	if (r == 0 && (to - from - 1) / 1000 / step >= UC_BUCKETS_MAX)
		r = error_field(err, -EINVAL, "step_s", "makes more than %d counts",
				UC_BUCKETS_MAX);
	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_cdr_summary(api->config.uc, from, to, step, &summary, err);
	return r < 0 ? r : reply_json(reply, 200, summary, err);
}
