/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.h - one HTTP request at a time for worker threads, over TLS or a unix socket. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct error;

struct http_client_request {
	const char *base;      /* "https://10.77.0.11:7443" or "unix:/run/aura-sm.sock" */
	const char *path;      /* "/v1/registrations?limit=5"; begins with '/' */
	const char *ca_file;   /* PEM; needed for https, whose peer is always verified */
	const char *cert_file; /* client certificate (PEM) and its key; NULL: none */
	const char *key_file;
	uint32_t timeout_ms; /* 0: 3000, for all of it */
	size_t body_limit;   /* of the answer; 0: 8 MiB */
	const char *json;    /* what http_client_post() sends */
};

struct http_client_answer {
	int status;
	char *body; /* NUL-terminated, owned: http_client_answer_done() */
	size_t len;
};

/* GET. Blocking, any thread. Follows no redirect, uses no proxy. An answer of any status is
 * success. Errors: -EAGAIN no connection or no answer in time, -EKEYREJECTED a certificate was
 * refused, -EFBIG body over the limit, -EINVAL base or path, -ENOMEM. */
int http_client_get(const struct http_client_request *request, struct http_client_answer *ret,
		    struct error *err);
/* POST of request->json as application/json; else as http_client_get(). */
int http_client_post(const struct http_client_request *request, struct http_client_answer *ret,
		     struct error *err);
void http_client_answer_done(struct http_client_answer *answer);
