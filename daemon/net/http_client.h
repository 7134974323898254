/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.h - HTTP requests of worker threads, over TLS or a unix socket; connections are kept for the
 * next request, because a handshake costs an emulated guest more than most answers. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct error;
struct http_client; /* opaque; any thread, several at once */

struct http_client_config {
	const char *ca_file;   /* PEM; needed for https, whose peer is always verified */
	const char *cert_file; /* client certificate (PEM) and its key; NULL: none */
	const char *key_file;
};

/* Everything is copied. Errors: -ENOMEM. */
int http_client_new(const struct http_client_config *config, struct http_client **ret);
struct http_client *http_client_free(struct http_client *client); /* no request may be under way */
DEFINE_AUTO(http_client)

struct http_client_request {
	const char *base; /* "https://10.77.0.11:7443" or "unix:/run/aura-sm.sock" */
	const char *path; /* "/v1/registrations?limit=5"; begins with '/' */
	const char
		*address; /* connect to this IP address whatever base's host is; NULL: look it up */
	uint32_t timeout_ms; /* 0: 3000, for all of it */
	size_t body_limit;   /* of the answer; 0: 8 MiB */
	const char *json;    /* POST it as application/json; NULL: GET */
};

struct http_client_answer {
	int status;
	char *body; /* NUL-terminated, owned: http_client_answer_done() */
	size_t len;
};

/* Blocks. Follows no redirect, uses no proxy. An answer of any status is success. A connection serves at most
 * a minute, so that new ones and their certificates are tried too.
 * Errors: -ECONNREFUSED no connection, -ETIMEDOUT, -EPROTO no HTTP answer, -EKEYREJECTED a certificate was
 * refused, -EFBIG body over the limit, -EINVAL base or path, -ENOMEM. */
int http_client_send(struct http_client *client, const struct http_client_request *request,
		     struct http_client_answer *ret, struct error *err);
void http_client_answer_done(struct http_client_answer *answer);
