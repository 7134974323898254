/* SPDX-License-Identifier: Apache-2.0 */
/* request.h - one HTTP request as a handler sees it: read-only, alive until the handler returns. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"

struct error;
struct http_route;
struct json_t; /* Jansson */

enum {
	HTTP_PARAM_MAX = 4,	       /* path parameters of one route */
	HTTP_QUERY_MAX = 32,	       /* query members of one request */
	HTTP_HEADER_MAX = 64,	       /* header fields of one request */
	HTTP_BODY_LIMIT = 1024 * 1024, /* bytes of a body, unless a route says otherwise */
};

enum http_method {
	HTTP_GET,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_HEAD, /* served by the GET route, without its body */
	HTTP_METHOD_COUNT,
};

/* Who is at the other end of the connection, as the transport proves it. */
struct http_peer {
	char address[64]; /* "192.0.2.1", "2001:db8::1" or "unix" */
	uint16_t port;	  /* 0 if local */
	bool local;	  /* came by the unix socket; uid, gid, pid are the kernel's word */
	bool tls;	  /* came by TLS */
	uid_t uid;	  /* meaningful if local */
	gid_t gid;
	pid_t pid;
	char client_cn[128]; /* common name of a verified client certificate, else "" */
};

struct http_pair {
	const char *name;
	const char *value; /* never NULL; query values are percent-decoded UTF-8 */
};

struct http_request {
	enum http_method method;
	const char *path; /* as sent, without the query; checked, see http_target_check() */
	const struct http_route *route;
	const char
		*param[HTTP_PARAM_MAX]; /* "{name}" segments in order, percent-decoded; else NULL */
	const struct http_pair *query;
	size_t query_count;
	const struct http_pair *header;
	size_t header_count;
	struct slice body;   /* whole body, {NULL, 0} if none */
	struct json_t *json; /* the body as JSON where the route has a body, else NULL; borrowed */
	const struct http_peer *peer;
	const char *id; /* request_id: 26 characters, also sent as X-Request-Id */
	void *actor;	/* what hooks.authorize set: the room above knows its type */
};

/* The value of a header field (any case), of a query member, of a cookie; NULL if absent.
 * http_cookie() copies into buf and returns buf. */
const char *http_header(const struct http_request *req, const char *name);
const char *http_query(const struct http_request *req, const char *name);
const char *http_cookie(const struct http_request *req, const char *name, char *buf, size_t size);

/* Does an Accept-Encoding header (NULL: there is none) name the encoding, and not with q=0? */
bool http_accepts(const char *header, const char *encoding);

/* A query member as a number in min..max (fallback if absent) or as true|false.
 * Errors: -EINVAL; err->field is the member's name, which the problem shows as `parameter`. */
int http_query_u32(const struct http_request *req, const char *name, uint32_t min, uint32_t max,
		   uint32_t fallback, uint32_t *ret, struct error *err);
int http_query_bool(const struct http_request *req, const char *name, bool fallback, bool *ret,
		    struct error *err);
/* Refuse query members that are not in the NULL-terminated list. Errors: -EINVAL. */
int http_query_only(const struct http_request *req, const char *const *known, struct error *err);

/* Compare If-Match with the resource's present etag (quoted, as reply_etag() sends it).
 * required: absent is -ENOKEY (428 precondition_required); no match is -ESTALE (412). */
int http_if_match(const struct http_request *req, const char *etag, bool required,
		  struct error *err);

const char *http_method_name(enum http_method method);
/* GET and HEAD: they change nothing, so no CSRF token is asked for. */
bool http_method_safe(enum http_method method);
