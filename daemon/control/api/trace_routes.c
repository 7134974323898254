/* SPDX-License-Identifier: Apache-2.0 */
/* trace_routes.c - /uc/trace: the messages of the call servers, one of them, a call as a ladder. */
#include "base/clock.h"
#include "control/api/api_private.h"
#include "control/api/trace_query.h"
#include "control/uc/uc.h"
#include "control/uc/uc_ladder.h"
#include "net/addr.h"

#include <string.h>

#define SPARE 8 /* beyond the page: as many as could share the cursor's time, and one more */

/* "2026-11-21T10:12:13.123Z" of a condition, as it was understood. */
static int64_t time_us(const char *text)
{
	int64_t ms = 0;

	return clock_parse(slice_str(text), &ms) < 0 ? 0 : ms * 1000;
}

static void read_range(const struct listing_query *query, struct uc_trace_filter *f)
{
	for (size_t i = 0; i < query->condition_count; i++) {
		const struct listing_condition *c = &query->condition[i];

		if (c->op == LISTING_GTE)
			f->from_us = time_us(c->value[0]);
		else if (c->op == LISTING_LT)
			f->to_us = time_us(c->value[0]);
	}
}

int trace_filter_read(const struct http_request *req, const struct listing_query *query,
		      struct uc_trace_filter *ret, struct error *err)
{
	static const char *const nodes[] = { "sm", "cm", "presence" };
	struct uc_trace_filter f = { .node = http_query(req, "node"),
				     .user = http_query(req, "user"),
				     .call_id = http_query(req, "call_id"),
				     .gsid = http_query(req, "gsid"),
				     .address = http_query(req, "address"),
				     .text = query->q };
	struct addr addr;
	size_t i = 0;

	while (f.node && i < ARRAY_SIZE(nodes) && strcmp(f.node, nodes[i]) != 0)
		i++;
	if (f.node && i == ARRAY_SIZE(nodes))
		return error_field(err, -EINVAL, "node", "is none of sm, cm, presence");
	if (f.address && addr_parse(slice_str(f.address), 0, &addr) < 0)
		return error_field(err, -EINVAL, "address",
				   "must be an IP address, with or without a port");
	read_range(query, &f);
	*ret = f;
	return 0;
}

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

int uc_trace_list(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	AUTO_LISTING query = { 0 };
	AUTO_LISTING_PAGE page = { 0 };
	AUTO_UC_TRACE trace = { 0 };
	struct uc_trace_filter filter = { 0 };
	json_t *answer = NULL;
	int64_t total = 0;
	int r = http_listing_read(req, &trace_listing, &query, err);

	if (r == 0)
		r = trace_filter_read(req, &query, &filter, err);
	if (r == 0)
		r = api_uc_there(api, err);
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
