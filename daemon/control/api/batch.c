/* SPDX-License-Identifier: Apache-2.0 */
/* batch.c - /batch: several GETs in one request, for a page that shows many things at once. */
#include "control/api/api_private.h"
#include "http/batch.h"

#include <string.h>

int batch_get(struct api *api, const struct http_request *req, struct http_reply *reply,
	      struct error *err)
{
	const char *targets[HTTP_QUERY_MAX];

	(void)api;
	for (size_t i = 0; i < req->query_count; i++) {
		if (strcmp(req->query[i].name, "get") != 0)
			return error_field(err, -EINVAL, req->query[i].name,
					   "there is no such query parameter here");
		targets[i] = req->query[i].value;
	}
	return reply_batch(reply, targets, req->query_count, err);
}
