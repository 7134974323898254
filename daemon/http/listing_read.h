/* SPDX-License-Identifier: Apache-2.0 */
/* listing_read.h - what a request asks of a list (base/listing.h), and the cursor to its next page. */
#pragma once
#include "base/buf.h"
#include "base/listing.h"
#include "http/request.h"

struct error;
struct json_t; /* Jansson */

/* limit, cursor, count, sort, q, filters and ranges, as far as the listing has them; anything else
 * is refused. The cursor must be of this path, order, q and filters. *ret is released with
 * listing_query_done() whatever the result. Errors: -EINVAL naming the parameter, -ENOMEM. */
int http_listing_read(const struct http_request *req, const struct listing *listing,
		      struct listing_query *ret, struct error *err);
/* {"items","next_cursor","total"?} of a page, whose items are taken out of it.
 * Errors: -ENOBUFS sort values too long, -ENOMEM. */
int http_listing_answer(const struct listing_query *query, struct listing_page *page,
			struct json_t **ret, struct error *err);
/* The parameters as OpenAPI has them, appended to an array. */
void http_listing_describe(const struct listing *listing, struct json_t *parameters);
