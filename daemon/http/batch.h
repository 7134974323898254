/* SPDX-License-Identifier: Apache-2.0 */
/* batch.h - an answer made of the answers to several GETs of the same client: each is a request of its own
 * with its own access check, all are under way at once, and one that is slow does not keep the rest. */
#pragma once
#include <stddef.h>

struct error;
struct http_reply;

enum {
	HTTP_BATCH_MAX = 16,
	HTTP_BATCH_WAIT_MS = 500,	/* who is not there by then is left out */
	HTTP_BATCH_BYTES = 1024 * 1024, /* of all bodies; who does not fit is left out */
};

/* Answer 200 with {"answers":[{"status","etag","body"}, …]} in the order of the targets ("/api/v1/vms?limit=5"),
 * which are copied. A target that cannot be is a problem in its place; status 0 is one that was left out and may be
 * asked for alone. Only routes that answer JSON can be parts. Errors: -EINVAL none or too many, -ENOMEM. */
int reply_batch(struct http_reply *reply, const char *const *targets, size_t count,
		struct error *err);
