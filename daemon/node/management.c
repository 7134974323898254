/* SPDX-License-Identifier: Apache-2.0 */
/* management.c - the management API's routes, handled on the node's loop. */
#include "node/management.h"

#include "base/buf.h"
#include "base/json_field.h"
#include "http/reply.h"
#include "http/server.h"
#include "net/addr.h"
#include "net/tls.h"
#include "node/node.h"
#include "node/node_inside.h"
#include "node/records.h"
#include "node/trace_ring.h"

#include <string.h>

#define ROUTE_LIMIT 32

struct management {
	struct node *node;
	const struct node_server *server;
	struct http_server *http;
	struct tls_context *tls;
	struct http_route routes[ROUTE_LIMIT];
	size_t route_count;
};

static int handle_health(void *context, const struct http_request *req, struct http_reply *reply,
			 struct error *err)
{
	struct management *m = context;

	return reply_json(reply, 200, node_health(m->node), err);
}

static int handle_metrics(void *context, const struct http_request *req, struct http_reply *reply,
			  struct error *err)
{
	struct management *m = context;
	AUTO_BUF out = { 0 };
	int r = metrics_write(node_metrics(m->node), &out);

	trace_metrics(node_trace(m->node), &out);
	if (r < 0 || !buf_ok(&out))
		return error_set(err, -ENOMEM, "out of memory");
	return reply_text(reply, 200, "text/plain; version=0.0.4", out.data ? out.data : "",
			  out.len, err);
}

static int query_number(const struct http_request *req, const char *name, uint64_t *ret,
			struct error *err)
{
	const char *text = http_query(req, name);

	if (text && (slice_to_u64(slice_str(text), ret) < 0 || *ret > INT64_MAX))
		return error_field(err, -EINVAL, name, "is no number");
	return 0;
}

static int handle_trace(void *context, const struct http_request *req, struct http_reply *reply,
			struct error *err)
{
	static const char *const known[] = { "limit", "after",	 "call_id", "gsid",
					     "user",  "address", "from_us", "to_us",
					     "text",  "oldest",	 NULL };
	struct management *m = context;
	struct trace_filter filter = { .call_id = http_query(req, "call_id"),
				       .gsid = http_query(req, "gsid"),
				       .user = http_query(req, "user"),
				       .text = http_query(req, "text") };
	const char *address = http_query(req, "address");
	uint64_t from_us = 0, to_us = 0;
	struct addr addr;
	uint32_t limit = 0;
	int r = http_query_only(req, known, err);

	if (r == 0)
		r = http_query_u32(req, "limit", 1, TRACE_LIMIT_MAX, 100, &limit, err);
	if (r == 0)
		r = query_number(req, "after", &filter.after, err);
	if (r == 0)
		r = query_number(req, "from_us", &from_us, err);
	if (r == 0)
		r = query_number(req, "to_us", &to_us, err);
	if (r == 0)
		r = http_query_bool(req, "oldest", false, &filter.oldest, err);
	if (r < 0)
		return r;
	if (address && addr_parse(slice_str(address), 0, &addr) < 0)
		return error_field(err, -EINVAL, "address",
				   "is no IP address, with or without port");
	filter.address = address ? &addr : NULL;
	filter.from_us = (int64_t)from_us;
	filter.to_us = (int64_t)to_us;
	filter.limit = limit;
	return reply_json(reply, 200, trace_query(node_trace(m->node), &filter), err);
}

static int handle_records(void *context, const struct http_request *req, struct http_reply *reply,
			  struct error *err)
{
	struct management *m = context;
	json_t *body = NULL;
	uint32_t limit = 0;
	int r = http_query_u32(req, "limit", 1, 500, 500, &limit, err);

	if (r == 0)
		r = record_pending(node_records(m->node), limit, &body, err);
	return r < 0 ? r : reply_json(reply, 200, body, err);
}

/* A route that the server gave: the query as an object of strings. */
static int handle_server(void *context, const struct http_request *req, struct http_reply *reply,
			 struct error *err)
{
	struct management *m = context;
	AUTO(json) json_t *query = json_object();
	json_t *body = NULL;
	int r = -ENOENT;

	if (!node_state_of_server(m->node))
		return error_set(err, -EAGAIN, "the server is starting");
	for (size_t i = 0; query && i < req->query_count; i++)
		json_object_set_new(query, req->query[i].name, json_string(req->query[i].value));
	for (size_t i = 0; i < m->server->route_count; i++) {
		const struct node_route *route = &m->server->routes[i];

		if (strcmp(route->path, req->route->path) != 0)
			continue;
		if (req->method == HTTP_POST && route->post)
			r = route->post(node_state_of_server(m->node), req->json, &body, err);
		else if (req->method == HTTP_GET && route->get)
			r = route->get(node_state_of_server(m->node), query, &body, err);
	}
	return r < 0 ? r : reply_json(reply, 200, body, err);
}

/* Over TLS only the box's own daemon asks; on the unix socket the file's mode decides. */
static int authorize(void *context, struct http_request *req, struct error *err)
{
	if (req->peer->local || strcmp(req->peer->client_cn, "auraboxd") == 0)
		return 0;
	return error_set(err, -EACCES, "this certificate may not use the management API");
}

static void add_route(struct management *m, const char *path, http_handler *handler)
{
	if (m->route_count < ROUTE_LIMIT)
		m->routes[m->route_count++] = (struct http_route){
			.method = HTTP_GET,
			.path = path,
			.handler = handler,
			.body_name = "none",
			.answer = "none",
			.name = path,
			.summary = path,
		};
}

static void add_server_route(struct management *m, const struct node_route *route)
{
	if (route->get)
		add_route(m, route->path, handle_server);
	if (!route->post)
		return;
	add_route(m, route->path, handle_server);
	m->routes[m->route_count - 1].method = HTTP_POST;
	m->routes[m->route_count - 1].body = route->body;
	m->routes[m->route_count - 1].body_name = "body";
}

static int listen_tls(struct management *m, const char *address, struct error *err)
{
	const struct node_identity *id = node_identity(m->node);
	const struct tls_config config = { .server = true,
					   .verify = TLS_VERIFY_REQUIRED,
					   .cert_file = id->cert_file,
					   .key_file = id->key_file,
					   .ca_file = id->ca_file,
					   .alpn = "http/1.1" };
	int r = tls_context_new(&config, &m->tls, err);

	return r < 0 ? r : http_server_listen_tls(m->http, address, m->tls, NULL, err);
}

int management_new(struct node *node, const struct node_server *server, const char *unix_path,
		   const char *tls_address, struct management **ret, struct error *err)
{
	AUTO(management) struct management *m = calloc(1, sizeof(*m));
	struct http_config config = { 0 };
	int r;

	if (!m)
		return error_set(err, -ENOMEM, "out of memory");
	m->node = node;
	m->server = server;
	add_route(m, "/health", handle_health);
	add_route(m, "/metrics", handle_metrics);
	add_route(m, "/v1/trace", handle_trace);
	add_route(m, "/v1/records", handle_records);
	for (size_t i = 0; i < server->route_count; i++)
		add_server_route(m, &server->routes[i]);
	config.routes = m->routes;
	config.route_count = m->route_count;
	config.context = m;
	config.hooks.authorize = authorize;
	config.run = HTTP_RUN_LOOP;
	config.loop = node_loop(node);
	r = http_server_new(&config, &m->http, err);
	if (r == 0 && unix_path)
		r = http_server_listen_unix(m->http, unix_path, 0600, (gid_t)-1, err);
	if (r == 0 && tls_address)
		r = listen_tls(m, tls_address, err);
	if (r < 0)
		return r;
	*ret = TAKE(m);
	return 0;
}

struct management *management_free(struct management *m)
{
	if (!m)
		return NULL;
	http_server_stop(m->http, 200);
	tls_context_unref(m->tls);
	free(m);
	return NULL;
}
