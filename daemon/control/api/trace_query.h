/* SPDX-License-Identifier: Apache-2.0 */
/* trace_query.h - which messages a request about the trace means. */
#pragma once
#include "control/uc/uc_trace.h"

struct error;
struct http_request;
struct listing_query;

/* Query parameters to a filter without limit; its texts are the request's. Errors: -EINVAL. */
int trace_filter_read(const struct http_request *req, const struct listing_query *query,
		      struct uc_trace_filter *ret, struct error *err);
