/* SPDX-License-Identifier: Apache-2.0 */
/* trace_routes.c - /uc/trace: the messages of the call servers, one of them, a call as a ladder. */
#include "control/api/api_private.h"
#include "control/api/trace_follow.h"
#include "control/api/trace_query.h"
#include "control/uc/uc.h"
#include "control/uc/uc_ladder.h"
#include "http/sse.h"

#include <string.h>

#define SPARE 8 /* beyond the page: as many as could share the cursor's time, and one more */

/* Only as much as the page needs is asked of the nodes. */
static void narrow(const struct listing_query *query, struct uc_trace_filter *f)
{
	uint64_t at = 0;

	f->oldest = query->order_count && !query->order[0].descending;
	f->limit = query->limit + SPARE;
	if (!query->resumed || slice_to_u64(slice_str(query->after[0]), &at) < 0 || at >= INT64_MAX)
		return;
	if (f->oldest && (int64_t)at > f->from_us)
		f->from_us = (int64_t)at;
	if (!f->oldest && (!f->to_us || (int64_t)at + 1 < f->to_us))
		f->to_us = (int64_t)at + 1;
}

/* All that match, however far the walk is. */
static int count_all(struct api *api, struct uc_trace_filter f, int64_t *ret, struct error *err)
{
	AUTO_UC_TRACE trace = { 0 };
	int r;

	f.limit = 1;
	r = uc_trace_read(api->config.uc, &f, &trace, err);
	*ret = trace.matched;
	return r;
}

static int name_ends(struct api *api, json_t *items, struct error *err)
{
	AUTO(json) json_t *entities = uc_trace_entities(api->config.uc);
	int r = uc_ladder_name(items, entities);

	return r < 0 ? error_set(err, r, "no memory for the trace") : 0;
}

/* "?follow", "?follow=true" */
static int wants_to_follow(const struct http_request *req, bool *ret, struct error *err)
{
	static const char *const pages[] = { "limit", "cursor", "sort", "count" };
	const char *text = http_query(req, "follow");
	int r = 0;

	*ret = text && !*text;
	if (text && *text)
		r = http_query_bool(req, "follow", false, ret, err);
	for (size_t i = 0; r == 0 && *ret && i < ARRAY_SIZE(pages); i++)
		if (http_query(req, pages[i]))
			r = error_field(err, -EINVAL, pages[i], "does not go with follow");
	return r;
}

static int follow(struct api *api, const struct http_request *req, struct uc_trace_filter *filter,
		  struct http_reply *reply, struct error *err)
{
	const char *last = http_header(req, "Last-Event-ID");
	struct http_stream_source *source = NULL;
	char owner[SSE_OWNER_SIZE];
	uint64_t id = 0;
	int r;

	if (last && (slice_to_u64(slice_str(last), &id) < 0 || id >= INT64_MAX))
		return error_field(err, -EINVAL, "Last-Event-ID", "is no id of this stream");
	/* ids of one time are counted on for each who follows */
	if (id > TRACE_FOLLOWERS_MAX)
		filter->from_us = (int64_t)id - TRACE_FOLLOWERS_MAX;
	api_stream_owner(req, owner);
	r = trace_follow_add(api->follow, owner, filter, &source, err);
	return r < 0 ? r : reply_stream(reply, source, err);
}

int uc_trace_list(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	AUTO_LISTING query = { 0 };
	AUTO_LISTING_PAGE page = { 0 };
	AUTO_UC_TRACE trace = { 0 };
	struct uc_trace_filter filter = { 0 };
	json_t *answer = NULL;
	int64_t total = 0;
	bool live = false;
	int r = http_listing_read(req, &trace_listing, &query, err);

	if (r == 0)
		r = wants_to_follow(req, &live, err);
	if (r == 0)
		r = trace_filter_read(req, &query, &filter, err);
	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0 && live)
		return follow(api, req, &filter, reply, err);
	if (r == 0 && query.count)
		r = count_all(api, filter, &total, err);
	if (r < 0)
		return r;
	narrow(&query, &filter);
	r = uc_trace_read(api->config.uc, &filter, &trace, err);
	if (r == 0)
		r = name_ends(api, trace.items, err);
	if (r == 0)
		r = listing_json(&query, trace.items, &page, err);
	page.total = total;
	if (r == 0)
		r = http_listing_answer(&query, &page, &answer, err);
	if (r < 0)
		return r;
	(void)json_object_set(answer, "nodes", trace.nodes);
	return reply_json(reply, 200, answer, err);
}

int uc_trace_message_get(struct api *api, const struct http_request *req, struct http_reply *reply,
			 struct error *err)
{
	static const char *const none[] = { NULL };
	AUTO(json) json_t *items = json_array();
	json_t *item = NULL;
	int r = http_query_only(req, none, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_trace_find(api->config.uc, req->param[0], &item, err);
	if (r < 0)
		return r;
	(void)json_array_append_new(items, item);
	r = name_ends(api, items, err);
	return r < 0 ? r : reply_json(reply, 200, json_incref(item), err);
}

int uc_trace_ladder_get(struct api *api, const struct http_request *req, struct http_reply *reply,
			struct error *err)
{
	static const char *const none[] = { NULL };
	struct uc_trace_filter filter = { .gsid = req->param[0], .limit = UC_TRACE_MAX };
	AUTO(json) json_t *entities = NULL;
	AUTO_UC_TRACE trace = { 0 };
	json_t *ladder = NULL;
	int r = http_query_only(req, none, err);

	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_trace_read(api->config.uc, &filter, &trace, err);
	if (r < 0)
		return r;
	if (json_array_size(trace.items) == 0)
		return error_set(err, -ENOENT, "no message of call '%s' is kept", filter.gsid);
	entities = uc_trace_entities(api->config.uc);
	r = uc_ladder(filter.gsid, trace.items, entities, &ladder);
	if (r < 0)
		return error_set(err, r, "no memory for the ladder");
	(void)json_object_set_new(ladder, "truncated", json_boolean(trace.more));
	(void)json_object_set(ladder, "nodes", trace.nodes);
	return reply_json(reply, 200, ladder, err);
}
