/* SPDX-License-Identifier: Apache-2.0 */
/* api.c - see api.h: the route table, the server, what all handlers share. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"
#include "control/api/trace_follow.h"
#include "control/task/event.h"
#include "control/uc/uc.h"
#include "http/gzip/gzip.h"
#include "http/schema.h"
#include "http/server.h"
#include "http/sse.h"
#include "http/static.h"
#include "store/store.h"

#include <stdio.h>
#include <time.h>

#define ALIVE_CHECK_MS 2000

/* clang-format off */
#define ROUTE HTTP_ROUTE_THUNK
#include "control/api/routes.def"
#undef ROUTE

static const struct http_route routes[] = {
#define ROUTE HTTP_ROUTE_ROW
#include "control/api/routes.def"
#undef ROUTE
};

static const struct http_schema schemas[] = {
#define SCHEMA(name_, text_) { .name = #name_, .text = (text_) },
#include "control/api/schemas.def"
#undef SCHEMA
};

static const struct http_route_query queries[] = {
#define QUERY(route_, listing_) { .route = #route_, .listing = &(listing_) },
#include "control/api/queries.def"
#undef QUERY
};
/* clang-format on */

int api_openapi(json_t **ret, struct error *err)
{
	static const struct http_openapi document = {
		.title = "Aurabox",
		.version = AURA_VERSION,
		.description = "The REST API of one Aurabox appliance.",
		.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.schemas = schemas,
		.schema_count = ARRAY_SIZE(schemas),
		.queries = queries,
		.query_count = ARRAY_SIZE(queries),
	};

	return http_openapi_json(&document, ret, err);
}

static void publish(void *user, const struct event *event)
{
	struct api *api = user;
	struct sse_event out = {
		.id = event->id, .topic = event->topic, .type = event->type, .data = event->text
	};

	if (sse_publish(api->hub, &out) < 0)
		log_warning("api.event_lost", F("id", event->id));
}

static void api_free(struct api *api)
{
	(void)http_static_free(api->files);
	free(api->openapi);
	free(api);
}

static int api_make(struct api *api, struct error *err)
{
	struct http_config http = {
		.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.context = api,
		.hooks = { .authorize = api_authorize, .done = api_done },
		.run = HTTP_RUN_WORKERS,
		.loop = api->config.loop,
		.workers = api->config.workers,
		.gzip = gzip_bytes,
	};
	AUTO(json) json_t *document = NULL;
	uint64_t before, newest;
	int r;

	r = api_openapi(&document, err);
	if (r < 0)
		return r;
	api->openapi = json_text(document);
	if (!api->openapi)
		return error_set(err, -ENOMEM, "no memory for the API");
	if (api->config.webui_dir) {
		r = http_static_load(api->config.webui_dir, &api->files, err);
		if (r < 0)
			return r;
		http.files = api->files;
	}
	r = event_range(api->config.events, &before, &newest, err);
	if (r < 0)
		return r;
	r = http_server_new(&http, &api->server, err);
	if (r < 0)
		return r;
	r = sse_hub_new(api->server, newest, &api->hub, err);
	if (r < 0)
		return r;
	if (api->config.uc)
		r = trace_follow_new(&(struct trace_follow_config){ .loop = api->config.loop,
								    .workers = api->config.workers,
								    .uc = api->config.uc,
								    .server = api->server },
				     &api->follow, err);
	return r < 0 ? r : events_start(api->config.events, publish, api, newest, err);
}

int api_new(const struct api_config *config, struct api **ret, struct error *err)
{
	struct api *api = calloc(1, sizeof(*api));
	int r;

	if (!api)
		return error_set(err, -ENOMEM, "no memory for the API");
	api->config = *config;
	r = api_make(api, err);
	if (r < 0) {
		api->hub = sse_hub_free(api->hub);
		api->follow = trace_follow_stop(api->follow);
		api->server = http_server_stop(api->server, 0);
		api->follow = trace_follow_free(api->follow);
		api_free(api);
		return r;
	}
	loop_timer_start(config->loop, &api->alive_timer, ALIVE_CHECK_MS, api_streams_check);
	*ret = api;
	return 0;
}

int api_listen(struct api *api, const char *address, struct tls_context *tls, uint16_t *port,
	       struct error *err)
{
	return http_server_listen_tls(api->server, address, tls, port, err);
}

int api_listen_unix(struct api *api, const char *path, gid_t gid, struct error *err)
{
	return http_server_listen_unix(api->server, path, 0660, gid, err);
}

struct api *api_stop(struct api *api, uint32_t grace)
{
	struct timespec nap = { .tv_nsec = 5000000 };

	if (!api)
		return NULL;
	loop_timer_stop(api->config.loop, &api->alive_timer);
	while (atomic_load(&api->checking)) /* it uses the hub, on a worker */
		(void)nanosleep(&nap, NULL);
	events_stop(api->config.events);
	/* streams end now; the hub stays for requests under way, which the server waits for */
	(void)sse_hub_free(sse_hub_hold(api->hub));
	api->follow = trace_follow_stop(api->follow);
	api->server = http_server_stop(api->server, grace);
	api->follow = trace_follow_free(api->follow);
	api->hub = sse_hub_let_go(api->hub);
	api_free(api);
	return NULL;
}

/* What handlers share ------------------------------------------------------------------------- */

int api_change(struct api *api, const struct http_request *req, struct change **ret,
	       struct error *err)
{
	if (api_dry_run(req))
		return error_field(err, -EINVAL, "dry_run", "this change has no dry run");
	return api_change_try(api, req, ret, err);
}

int api_change_try(struct api *api, const struct http_request *req, struct change **ret,
		   struct error *err)
{
	const char *route = req->route->path, *path = req->path;
	char action[160], target[320];

	if (strncmp(route, API_PREFIX, strlen(API_PREFIX)) == 0)
		route += strlen(API_PREFIX);
	if (strncmp(path, API_PREFIX, strlen(API_PREFIX)) == 0)
		path += strlen(API_PREFIX);
	(void)snprintf(action, sizeof(action), "%s %s", http_method_name(req->method), route);
	(void)snprintf(target, sizeof(target), "%s", path);
	return change_begin(api->config.store, api_actor(req), action, target, ret, err);
}

void api_etag(const json_t *resource, char etag[HTTP_ETAG_SIZE])
{
	AUTO(str) char *text = json_dumps(resource, JSON_COMPACT);

	http_etag(etag, text ? text : "", 0);
}

int api_patch_writable(const json_t *patch, const json_t *resource, const char *const *read_only,
		       json_t **ret, struct error *err)
{
	AUTO(json) json_t *out = json_object();
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)patch, name, value)
	{
		const char *const *fixed = read_only;
		char pointer[80];

		while (*fixed && strcmp(*fixed, name) != 0)
			fixed++;
		if (!*fixed) {
			(void)json_object_set(out, name, value);
			continue;
		}
		(void)snprintf(pointer, sizeof(pointer), "/%s", *fixed);
		if (!json_equal(value, json_object_get(resource, name)))
			return error_field(err, -EINVAL, pointer, "cannot be changed");
	}
	*ret = TAKE(out);
	return 0;
}

int api_uc_there(struct api *api, struct error *err)
{
	return api->config.uc ? 0 : api_unavailable("System Manager (smgr) is", err);
}

int api_unavailable(const char *what, struct error *err)
{
	return error_set(err, -EAGAIN, "%s not there yet", what);
}

int openapi_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		struct error *err)
{
	static const char *const none[] = { NULL };
	int r = http_query_only(req, none, err);

	return r < 0 ? r
		     : reply_text(reply, 200, "application/json", api->openapi,
				  strlen(api->openapi), err);
}
