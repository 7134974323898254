/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - the route table: one row gives dispatch, access check, OpenAPI and the contract test.
 *
 * A room writes routes.def with rows
 *	ROUTE(GET, "/api/v1/vms", VMS_READ, vms_list, none, vm_list, "List virtual machines")
 * (method, path, permission, handler, body, answer, summary) and expands it with
 *	#define ROUTE HTTP_ROUTE_THUNK
 * for the adapters (context type and handler prototypes are the room's, see control/api) and with
 *	#define ROUTE HTTP_ROUTE_ROW
 * for the table. `body` names a `const struct json_field body_fields[]` or is `none`; `answer`
 * names a row of the room's table of answer schemas (schema.h) or is `none`. */
#pragma once
#include <stddef.h>
#include <string.h>

#include "http/request.h"

struct error;
struct http_reply;
struct json_field;

/* What a route asks of its caller, beside a permission's own name ("vms:read"). */
#define HTTP_PUBLIC NULL   /* anybody */
#define HTTP_ANY_ACTOR "*" /* whoever is logged in */

typedef int http_handler(void *context, const struct http_request *req, struct http_reply *reply,
			 struct error *err);

struct http_route {
	enum http_method method;
	const char *path;	/* "/api/v1/vms/{name}": each {…} is one segment */
	const char *permission; /* HTTP_PUBLIC, HTTP_ANY_ACTOR or RESOURCE:read|write|act */
	http_handler *handler;
	const char *body_name;	       /* "none" or the schema's name in the OpenAPI document */
	const struct json_field *body; /* NULL: a body is refused unless it is empty */
	const char *answer;	       /* name of the answer's schema or "none" */
	const char *name;	       /* operationId */
	const char *summary;
};

/* Adapter from void * to the room's context type: HTTP_CONTEXT is defined by the room. */
#define HTTP_ROUTE_THUNK(method_, path_, permission_, handler_, body_, answer_, summary_)          \
	static int thunk_##handler_(void *context, const struct http_request *req,                 \
				    struct http_reply *reply, struct error *err)                   \
	{                                                                                          \
		return handler_((HTTP_CONTEXT *)context, req, reply, err);                         \
	}

#define HTTP_ROUTE_ROW(method_, path_, permission_, handler_, body_, answer_, summary_)            \
	{                                                                                          \
		.method = HTTP_##method_,                                                          \
		.path = (path_),                                                                   \
		.permission = (permission_),                                                       \
		.handler = thunk_##handler_,                                                       \
		.body_name = #body_,                                                               \
		.body = body_##_fields,                                                            \
		.answer = #answer_,                                                                \
		.name = #handler_,                                                                 \
		.summary = (summary_),                                                             \
	},

/* No body: `none` in a row. */
#define none_fields NULL

/* A change of a resource takes ?dry_run=true; logging in or out and the own password are none. */
static inline bool http_route_has_dry_run(const struct http_route *route)
{
	return !http_method_safe(route->method) && route->permission &&
	       strcmp(route->permission, HTTP_ANY_ACTOR) != 0;
}

struct http_router;

/* Prepare a table for matching; borrows routes for ever.
 * Errors: -EINVAL (two rows for one method and path, malformed path), -ENOMEM. */
int http_router_new(const struct http_route *routes, size_t count, struct http_router **ret,
		    struct error *err);
struct http_router *http_router_free(struct http_router *router);

/* Find the row for method and path and cut the parameters out of path (still encoded).
 * Errors: -ENOENT no such path; -EOPNOTSUPP path known, not this method: *allow gets a bit per
 * enum http_method that would do. */
int http_router_match(const struct http_router *router, enum http_method method, struct slice path,
		      const struct http_route **route, struct slice param[HTTP_PARAM_MAX],
		      unsigned *allow);

/* Refuse request targets that could mean two things: %00, %2f, control bytes, "..", "//", bad
 * escapes, no leading slash, over 4 KiB. Errors: -EPROTO. */
int http_target_check(struct slice target);
/* Percent-decode in into buf (NUL-terminated). Errors: -EPROTO bad escape, NUL or bad UTF-8;
 * -ENOBUFS. plus: '+' is a space (query). Returns the length. */
int http_decode(struct slice in, bool plus, char *buf, size_t size);
