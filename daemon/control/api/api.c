/* SPDX-License-Identifier: Apache-2.0 */
/* api.c - see api.h: the route table, the server, what all handlers share. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "control/api/api_private.h"
#include "control/task/event.h"
#include "control/uc/uc.h"
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
	json_decref(api->network);
	free(api->openapi);
	free(api->name);
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
	};
	AUTO(json) json_t *document = NULL;
	uint64_t before, newest;
	int r;

	api->name = strdup(api->config.name ? api->config.name : "aurabox");
	if (!api->name)
		return error_set(err, -ENOMEM, "no memory for the API");
	if (api->config.network_text)
		api->network = json_loads(api->config.network_text, 0, NULL);
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
	return events_start(api->config.events, publish, api, newest, err);
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
		api->server = http_server_stop(api->server, 0);
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
	api->server = http_server_stop(api->server, grace);
	api->hub = sse_hub_let_go(api->hub);
	api_free(api);
	return NULL;
}

/* What handlers share ------------------------------------------------------------------------- */

int api_change(struct api *api, const struct http_request *req, struct change **ret,
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

/* How many rows pass the filters; names of tables and columns are literals of the handlers. */
static int count_rows(struct api *api, const struct http_request *req, const struct api_rows *rows,
		      int64_t *ret, struct error *err)
{
	const char *params[HTTP_QUERY_MAX + 2];
	AUTO(store_rows) struct store_rows *result = NULL;
	AUTO(json) json_t *topics = json_array();
	AUTO(str) char *wanted = NULL;
	AUTO_BUF sql = { 0 };
	size_t n = 0;
	int r;

	for (const char *const *topic = rows->topics; topic && *topic; topic++)
		(void)json_array_append_new(topics, json_string(*topic));
	wanted = json_text(topics);
	buf_printf(&sql, "SELECT count(*) FROM %s WHERE true", rows->table);
	for (const char *const *filter = rows->filters; filter && *filter; filter++) {
		params[n] = http_query(req, *filter);
		if (params[n])
			buf_printf(&sql, " AND %s = $%zu", *filter, ++n);
	}
	if (rows->owner) {
		params[n] = rows->owner;
		buf_printf(&sql, " AND admin_id = $%zu::uuid", ++n);
	}
	if (rows->topics) {
		params[n] = wanted;
		buf_printf(&sql, " AND to_jsonb(topic) <@ $%zu::jsonb", ++n);
	}
	if (!buf_ok(&sql) || !wanted)
		return error_set(err, -ENOMEM, "no memory for a list");
	r = store_query(api->config.store, sql.data, params, n, &result, err);
	if (r < 0)
		return r;
	*ret = store_rows_i64(result, 0, 0, 0);
	return 0;
}

int api_reply_rows(struct api *api, const struct http_request *req, const struct http_page *page,
		   const struct api_rows *rows, json_t *items, struct http_reply *reply,
		   struct error *err)
{
	AUTO(json) json_t *owned = items;
	char cursor[HTTP_CURSOR_SIZE], number[24];
	bool more = json_array_size(owned) > page->limit, count;
	int64_t total = 0;
	json_t *answer;
	int r = http_query_bool(req, "count", false, &count, err);

	if (r == 0 && count)
		r = count_rows(api, req, rows, &total, err);
	while (json_array_size(items) > page->limit)
		(void)json_array_remove(items, json_array_size(items) - 1);
	if (r == 0 && more) {
		const json_t *value =
			json_object_get(json_array_get(items, page->limit - 1), rows->key);
		const char *text = json_string_value(value);

		(void)snprintf(number, sizeof(number), "%lld",
			       (long long)json_integer_value(value));
		r = http_cursor_make(page, (const char *const[]){ text ? text : number }, 1, cursor,
				     err);
	}
	if (r < 0)
		return r;
	answer = json_pack("{s:O, s:s?}", "items", items, "next_cursor", more ? cursor : NULL);
	if (count)
		(void)json_object_set_new(answer, "total", json_integer(total));
	return reply_json(reply, 200, answer, err);
}

/* The sort value of an item: its first key, and the second where the first is not unique. */
static void whole_key(const json_t *item, const struct api_whole *whole, char out[HTTP_KEY_SIZE])
{
	const char *first = json_string_value(json_object_get(item, whole->key));
	const char *second =
		whole->second ? json_string_value(json_object_get(item, whole->second)) : NULL;

	(void)snprintf(out, HTTP_KEY_SIZE, "%s\x1f%s", first ? first : "", second ? second : "");
}

struct whole_item {
	char key[HTTP_KEY_SIZE];
	json_t *item; /* borrowed */
};

static int whole_compare(const void *a, const void *b)
{
	return strcmp(((const struct whole_item *)a)->key, ((const struct whole_item *)b)->key);
}

static json_t *whole_page(const struct whole_item *sorted, size_t count,
			  const struct http_page *page, const char **last)
{
	json_t *out = json_array();
	size_t i = 0;

	*last = NULL;
	while (page->key_count && i < count && strcmp(sorted[i].key, page->key[0]) <= 0)
		i++;
	for (size_t n = 0; i < count && n < page->limit; i++, n++) {
		(void)json_array_append(out, sorted[i].item);
		*last = i + 1 < count ? sorted[i].key : NULL;
	}
	return out;
}

int api_reply_whole(const struct http_request *req, json_t *items, const struct api_whole *whole,
		    struct http_reply *reply, struct error *err)
{
	AUTO(json) json_t *owned = items;
	size_t count = json_array_size(owned);
	AUTO(mem) void *memory = calloc(count + 1, sizeof(struct whole_item));
	struct whole_item *sorted = memory;
	char cursor[HTTP_CURSOR_SIZE];
	struct http_page page;
	const char *last;
	bool counted;
	json_t *answer;
	int r = http_page_read(req, whole->filters, 1, &page, err);

	if (r == 0)
		r = http_query_bool(req, "count", false, &counted, err);
	if (r < 0)
		return r;
	if (!sorted)
		return error_set(err, -ENOMEM, "no memory for a list");
	for (size_t i = 0; i < count; i++) {
		sorted[i].item = json_array_get(items, i);
		whole_key(sorted[i].item, whole, sorted[i].key);
	}
	qsort(sorted, count, sizeof(*sorted), whole_compare);
	answer = json_pack("{s:o}", "items", whole_page(sorted, count, &page, &last));
	if (last)
		r = http_cursor_make(&page, &last, 1, cursor, err);
	if (r < 0) {
		json_decref(answer);
		return r;
	}
	(void)json_object_set_new(answer, "next_cursor", last ? json_string(cursor) : json_null());
	if (counted)
		(void)json_object_set_new(answer, "total", json_integer((json_int_t)count));
	return reply_json(reply, 200, answer, err);
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
