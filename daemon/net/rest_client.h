/* SPDX-License-Identifier: Apache-2.0 */
/* rest_client.h - a blocking HTTP/1.1 client over libcurl: https or a unix socket, no redirects. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct rest_client; /* opaque; one thread at a time */

#define REST_CLIENT_BODY_MAX (64U << 20) /* bytes of an answer */

struct rest_client_config {
	const char *unix_socket; /* path, or NULL */
	const char *url;	 /* "https://host:8443"; NULL with a unix socket */
	const char *ca_file;	 /* NULL: the system's authorities */
	const char *cert_file;	 /* client certificate, or NULL */
	const char *key_file;
	const char *bearer;	     /* token, or NULL */
	uint32_t timeout_ms;	     /* of a whole request; 0 = 30000; streams have none */
	uint32_t connect_timeout_ms; /* 0 = 5000 */
};

struct rest_client_answer {
	int status;
	char *body; /* NUL-terminated */
	size_t len;
	char content_type[128];
	char etag[128];
	char location[512];
};
void rest_client_answer_done(struct rest_client_answer *answer);

/* Everything is copied. Errors: -EINVAL no address or bad bearer, -ENOMEM. */
int rest_client_new(const struct rest_client_config *config, struct rest_client **ret,
		    struct error *err);
struct rest_client *rest_client_free(struct rest_client *client);
DEFINE_AUTO(rest_client)

struct rest_client_request {
	const char *method; /* "GET" */
	const char *path;   /* "/api/v1/vms?limit=5": encoded already */
	const char *content_type;
	struct slice body;
	const char *if_match;
};
/* Any HTTP status is success. Errors: -ECONNREFUSED, -ETIMEDOUT, -EKEYREJECTED (certificate),
 * -EFBIG, -EPROTO. *ret is zeroed first and released by rest_client_answer_done(). */
int rest_client_send(struct rest_client *client, const struct rest_client_request *request,
		     struct rest_client_answer *ret, struct error *err);

/* GET whose lines go to fn as they come (without their end), until the server ends it or fn
 * returns non-zero, which is passed up. *status gets the HTTP status; lines of an error's body go
 * to fn too. last_id: Last-Event-ID or NULL. */
typedef int rest_client_line_fn(void *user, struct slice line);
int rest_client_stream(struct rest_client *client, const char *path, const char *last_id,
		       rest_client_line_fn *fn, void *user, int *status, struct error *err);

/* Percent-encode one path segment or query value into buf. Errors: -ENOBUFS. */
int rest_client_escape(const char *text, char *buf, size_t size);
