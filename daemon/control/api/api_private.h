/* SPDX-License-Identifier: Apache-2.0 */
/* api_private.h - what the handler files of control/api share. */
#pragma once
#include <stdatomic.h>

#include "base/error.h"
#include "base/json_field.h"
#include "base/timer.h"
#include "control/api/api.h"
#include "control/auth/actor.h"
#include "control/auth/audit.h"
#include "control/auth/auth.h"
#include "control/setup/setup.h"
#include "control/uc/uc_import.h"
#include "control/uc/uc_resource_fields.h"
#include "http/listing_read.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/route.h"

struct http_server;
struct http_static;
struct sse_hub;
struct trace_follow;

struct api {
	struct api_config config;
	char *openapi; /* text, made once */
	struct http_server *server;
	struct http_static *files;
	struct sse_hub *hub;
	struct trace_follow *follow; /* NULL without uc */
	struct timer alive_timer;
	atomic_bool checking;
};

#define API_PREFIX "/api/v1/"
#define HTTP_CONTEXT struct api

/* clang-format off */
#define QUERY(route_, listing_) extern const struct listing listing_;
#include "control/api/queries.def"
#undef QUERY

#define ROUTE(method, path, permission, handler, body, answer, summary) \
	int handler(struct api *api, const struct http_request *req, struct http_reply *reply, \
		    struct error *err);
#include "control/api/routes.def"
#undef ROUTE
/* clang-format on */

extern const struct json_field login_fields[];
extern const struct json_field password_change_fields[];
extern const struct json_field token_spec_fields[];
extern const struct json_field admin_spec_fields[];
extern const struct json_field admin_patch_fields[];
extern const struct json_field appliance_patch_fields[];
extern const struct json_field uc_route_question_fields[], uc_firewall_address_fields[];
extern const struct json_field vm_spec_fields[];
extern const struct json_field vm_patch_fields[];

static inline const struct actor *api_actor(const struct http_request *req)
{
	return req->actor;
}

/* Open the change that a request makes: action is its method and route, target its path. A dry run
 * gets none (api_dry_run.h): -EINVAL. */
int api_change(struct api *api, const struct http_request *req, struct change **ret,
	       struct error *err);
/* A page of a list that was fetched; its items are taken out of it. */
int api_reply_page(const struct listing_query *query, struct listing_page *page,
		   struct http_reply *reply, struct error *err);
/* A page of a list that is whole in memory. Takes over items. */
int api_reply_whole(const struct listing_query *query, json_t *items, struct http_reply *reply,
		    struct error *err);
/* ETag of a resource by its content. */
void api_etag(const json_t *resource, char etag[HTTP_ETAG_SIZE]);
/* Read-only members of a merge patch must equal the resource's own; the others are copied to *ret,
 * which the caller owns. Errors: -EINVAL. */
int api_patch_writable(const json_t *patch, const json_t *resource, const char *const *read_only,
		       json_t **ret, struct error *err);
/* The vms or uc piece is not there: -EAGAIN, 503. */
int api_unavailable(const char *what, struct error *err);
int api_uc_there(struct api *api, struct error *err);

/* auth_hook.c */
int api_authorize(void *context, struct http_request *req, struct error *err);
void api_done(void *context, struct http_request *req, unsigned status, const struct error *err);

/* events.c: who listens, as sse_subscription.owner wants it (SSE_OWNER_SIZE bytes). */
void api_stream_owner(const struct http_request *req, char *owner);
/* events.c: end the streams of those who may not listen any more; runs every 2 s. */
void api_streams_check(struct timer *timer);
