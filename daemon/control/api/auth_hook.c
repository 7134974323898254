/* SPDX-License-Identifier: Apache-2.0 */
/* auth_hook.c - before and after each handler: who asks, may they, and what was refused. */
#include "base/log.h"
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"

#include <stdio.h>
#include <strings.h>

#define COOKIE "__Host-aurabox"

/* "https://HOST[:PORT]" against the Host header; anything else is foreign. */
static bool origin_is_foreign(const struct http_request *req)
{
	const char *origin = http_header(req, "Origin");
	const char *host = http_header(req, "Host");

	if (!origin)
		return false;
	return strncasecmp(origin, "https://", 8) != 0 || !host ||
	       strcasecmp(origin + 8, host) != 0;
}

static bool is_session_route(const struct http_request *req)
{
	return strncmp(req->route->path, API_PREFIX "session", strlen(API_PREFIX "session")) == 0;
}

static int csrf_failed(struct error *err)
{
	(void)error_set(err, -EACCES, "the request comes from a foreign origin");
	error_code_name(err, "csrf_failed");
	return -EACCES;
}

/* A query member that a change does not know must not be ignored: it may have been dry_run. */
static int check_query(const struct http_request *req, struct error *err)
{
	static const char *const plain[] = { "dry_run", NULL };
	static const char *const purge[] = { "dry_run", "purge", NULL };
	static const char *const replace[] = { "dry_run", "replace", NULL };
	bool import = strcmp(req->route->name, "uc_import_post") == 0;
	bool dry_run;
	int r;

	if (http_method_safe(req->method))
		return 0;
	if (!http_route_has_dry_run(req->route))
		return http_query_only(req, plain + 1, err);
	r = http_query_only(req,
			    req->method == HTTP_DELETE ? purge
			    : import		       ? replace
						       : plain,
			    err);
	return r < 0 ? r : http_query_bool(req, "dry_run", false, &dry_run, err);
}

static int identify(struct api *api, const struct http_request *req, struct actor *actor,
		    struct error *err)
{
	char secret[AUTH_SECRET_SIZE];
	bool unsafe = !http_method_safe(req->method);
	bool stream = strcmp(req->route->answer, "event_stream") == 0 ||
		      strcmp(req->route->answer, "websocket") == 0;
	struct auth_credentials shown = {
		.address = req->peer->address,
		.local = req->peer->local,
		.uid = req->peer->uid,
		.gid = req->peer->gid,
		.pid = req->peer->pid,
		.authorization = http_header(req, "Authorization"),
		.cookie = http_cookie(req, COOKIE, secret, sizeof(secret)),
		.csrf = http_header(req, "X-CSRF-Token"),
		.unsafe = unsafe,
		.foreign_origin = (unsafe || stream) && origin_is_foreign(req),
	};
	struct error ignored = { 0 };
	bool is_public = req->route->permission == HTTP_PUBLIC;
	int r;

	if (is_public && shown.foreign_origin)
		return csrf_failed(err);
	r = auth_identify(api->config.auth, &shown, actor, is_public ? &ignored : err);
	if (r < 0 && is_public) {
		actor->kind = ACTOR_NONE;
		(void)snprintf(actor->address, sizeof(actor->address), "%s", req->peer->address);
		return 0;
	}
	return r;
}

int api_authorize(void *context, struct http_request *req, struct error *err)
{
	struct api *api = context;
	struct actor *actor = calloc(1, sizeof(*actor));
	int r;

	if (!actor)
		return error_set(err, -ENOMEM, "no memory for a request");
	req->actor = actor;
	r = identify(api, req, actor, err);
	if (r < 0)
		return r;
	if (req->route->permission != HTTP_PUBLIC && actor->kind == ACTOR_NONE)
		return error_set(err, -EKEYREJECTED, "log in first");
	if (actor->must_change_password && req->route->permission != HTTP_PUBLIC &&
	    !is_session_route(req)) {
		(void)error_set(err, -EACCES, "the password must be changed first");
		error_code_name(err, "password_change_required");
		return -EACCES;
	}
	if (!actor_may(actor, req->route->permission))
		return error_set(err, -EACCES, "the permission %s is needed",
				 req->route->permission);
	return check_query(req, err);
}

void api_done(void *context, struct http_request *req, unsigned status, const struct error *err)
{
	struct api *api = context;
	struct actor *actor = req->actor;
	const char *route = req->route->path, *path = req->path;
	char action[160];

	/* a plan that could not be made is no change that failed */
	if (actor && err && actor->kind != ACTOR_NONE && !http_method_safe(req->method) &&
	    (!api_dry_run(req) || err->code == -EACCES)) {
		struct error failed = { 0 };
		int r;

		if (strncmp(route, API_PREFIX, strlen(API_PREFIX)) == 0) {
			route += strlen(API_PREFIX);
			path += strlen(API_PREFIX);
		}
		(void)snprintf(action, sizeof(action), "%s %s", http_method_name(req->method),
			       route);
		r = audit_write(api->config.store, actor, action, path, err->code_name, &failed);
		if (r < 0)
			log_failure(LOG_LEVEL_WARNING, "api.audit_failed", r, &failed);
	}
	log_debug("api.request", F("method", http_method_name(req->method)), F("path", req->path),
		  F("status", status), F("request_id", req->id));
	free(actor);
	req->actor = NULL;
}
