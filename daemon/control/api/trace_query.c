/* SPDX-License-Identifier: Apache-2.0 */
/* trace_query.c - see trace_query.h. */
#include "control/api/trace_query.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/listing.h"
#include "http/request.h"
#include "net/addr.h"

#include <string.h>

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
				     .text = query->q ? query->q : http_query(req, "q") };
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
