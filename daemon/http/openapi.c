/* SPDX-License-Identifier: Apache-2.0 */
/* openapi.c - the OpenAPI 3.1 document of a route table (schema.h). */
#include "base/json_field.h"
#include "http/listing_read.h"
#include "http/problem.h"
#include "http/route.h"
#include "http/schema.h"

#include <stdio.h>
#include <string.h>

static const char problem_schema[] =
	"{type:string, title:string, status:int, code:string, detail:string, resolution:string, "
	"request_id:string, errors?:[{pointer?:string, parameter?:string, detail:string}]}";

static bool is_none(const char *name)
{
	return strcmp(name, "none") == 0;
}

static json_t *reference(const char *name)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "#/components/schemas/%s", name);
	return json_pack("{s:s}", "$ref", text);
}

static const struct http_schema *schema_find(const struct http_openapi *api, const char *name)
{
	for (size_t i = 0; i < api->schema_count; i++) {
		if (strcmp(api->schemas[i].name, name) == 0)
			return &api->schemas[i];
	}
	return NULL;
}

static json_t *path_parameters(const char *path)
{
	json_t *list = json_array();
	struct slice rest = slice_str(path), name;
	bool open = true;

	for (;;) {
		(void)slice_take_until(&rest, '{', &open);
		if (!open)
			return list;
		name = slice_take_until(&rest, '}', NULL);
		(void)json_array_append_new(list,
					    json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", name.p,
						      name.len, "in", "path", "required", 1,
						      "schema", "type", "string"));
	}
}

static const struct listing *listing_of(const struct http_openapi *api, const char *route)
{
	for (size_t i = 0; i < api->query_count; i++) {
		if (strcmp(api->queries[i].route, route) == 0)
			return api->queries[i].listing;
	}
	return NULL;
}

static json_t *dry_run_parameter(void)
{
	return json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", "dry_run", "in", "query",
			 "description", "true: change nothing, answer 200 with the schema `plan`",
			 "schema", "type", "boolean");
}

/* Those of the path, then those of the query. */
static json_t *parameters(const struct http_openapi *api, const struct http_route *route)
{
	json_t *list = path_parameters(route->path);
	const struct listing *listing = listing_of(api, route->name);

	if (listing)
		http_listing_describe(listing, list);
	if (http_route_has_dry_run(route))
		(void)json_array_append_new(list, dry_run_parameter());
	return list;
}

/* The kinds of answer a schema's name stands for: lists 200, created 201, tasks 202. */
static const char *success_status(const struct http_route *route)
{
	if (strncmp(route->answer, "created_", 8) == 0)
		return "201";
	if (strcmp(route->answer, "task_started") == 0)
		return "202";
	if (strcmp(route->answer, "websocket") == 0)
		return "101";
	return is_none(route->answer) ? "204" : "200";
}

/* Answers that are no JSON, by the name that stands for them in the route table. */
static const char *raw_type(const char *answer)
{
	static const struct {
		const char *name, *type;
	} types[] = { { "text", "text/plain" },
		      { "html", "text/html" },
		      { "binary", "application/octet-stream" },
		      { "event_stream", "text/event-stream" } };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].name, answer) == 0)
			return types[i].type;
	}
	return NULL;
}

static json_t *success(const struct http_route *route)
{
	const char *schema = route->answer;
	const char *type = "application/json";

	if (is_none(schema))
		return json_pack("{s:s}", "description", "Done");
	if (strcmp(schema, "websocket") == 0)
		return json_pack("{s:s}", "description", "The connection is a WebSocket");
	if (strncmp(schema, "created_", 8) == 0)
		schema += 8;
	if (raw_type(schema))
		type = raw_type(schema);
	if (strcmp(type, "application/json") != 0)
		return json_pack("{s:s, s:{s:{s:{s:s}}}}", "description", "OK", "content", type,
				 "schema", "type", "string");
	return json_pack("{s:s, s:{s:{s:o}}}", "description", "OK", "content", type, "schema",
			 reference(schema));
}

static json_t *operation(const struct http_openapi *api, const struct http_route *route)
{
	json_t *op = json_pack("{s:s, s:s, s:o, s:{s:o, s:{s:s}}}", "operationId", route->name,
			       "summary", route->summary, "parameters", parameters(api, route),
			       "responses", success_status(route), success(route), "default",
			       "$ref", "#/components/responses/problem");

	if (!op)
		return NULL;
	if (route->permission == HTTP_PUBLIC) {
		(void)json_object_set_new(op, "security", json_array());
	} else {
		(void)json_object_set_new(op, "x-permission", json_string(route->permission));
	}
	if (http_route_has_dry_run(route))
		(void)json_object_set_new(op, "x-dry-run", reference("plan"));
	if (route->body)
		(void)json_object_set_new(op, "requestBody",
					  json_pack("{s:b, s:{s:{s:o}}}", "required", 1, "content",
						    route->method == HTTP_PATCH
							    ? "application/merge-patch+json"
							    : "application/json",
						    "schema", reference(route->body_name)));
	return op;
}

static int add_paths(const struct http_openapi *api, json_t *paths, json_t *schemas,
		     struct error *err)
{
	for (size_t i = 0; i < api->route_count; i++) {
		const struct http_route *route = &api->routes[i];
		const char *answer = route->answer;
		char method[8];
		json_t *path = json_object_get(paths, route->path);
		size_t n = 0;

		if (strncmp(answer, "created_", 8) == 0)
			answer += 8;
		if (!is_none(answer) && !raw_type(answer) && strcmp(answer, "websocket") != 0 &&
		    !schema_find(api, answer))
			return error_set(err, -EINVAL, "route %s answers an unknown schema '%s'",
					 route->path, answer);
		if (!path) {
			path = json_object();
			(void)json_object_set_new(paths, route->path, path);
		}
		for (const char *p = http_method_name(route->method); *p && n < 7; p++)
			method[n++] = ascii_lower(*p);
		method[n] = '\0';
		if (json_object_set_new(path, method, operation(api, route)) < 0)
			return error_set(err, -ENOMEM, "no memory for the OpenAPI document");
		if (route->body && !json_object_get(schemas, route->body_name))
			(void)json_object_set_new(schemas, route->body_name,
						  json_schema(route->body));
	}
	return 0;
}

static json_t *problem_codes(void)
{
	size_t count;
	const struct http_problem *rows = http_problems(&count);
	json_t *codes = json_object();

	for (size_t i = 0; i < count; i++)
		(void)json_object_set_new(codes, rows[i].code, json_integer(rows[i].status));
	return codes;
}

int http_openapi_json(const struct http_openapi *api, json_t **ret, struct error *err)
{
	AUTO(json) json_t *paths = json_object();
	AUTO(json) json_t *schemas = json_object();
	json_t *schema = NULL;
	int r;

	r = http_schema_json(problem_schema, &schema, err);
	if (r < 0)
		return r;
	(void)json_object_set_new(schemas, "problem", schema);
	for (size_t i = 0; i < api->schema_count; i++) {
		schema = NULL;
		r = http_schema_json(api->schemas[i].text, &schema, err);
		if (r < 0)
			return r;
		(void)json_object_set_new(schemas, api->schemas[i].name, schema);
	}
	r = add_paths(api, paths, schemas, err);
	if (r < 0)
		return r;
	*ret = json_pack(
		"{s:s, s:{s:s, s:s, s:s}, s:[{s:s}], s:O, s:o, s:{s:O, s:{s:{s:s, s:{s:{s:o}}}}, "
		"s:{s:{s:s, s:s, s:s}, s:{s:s, s:s}}}, s:[{s:[]}, {s:[]}]}",
		"openapi", "3.1.0", "info", "title", api->title, "version", api->version,
		"description", api->description, "servers", "url", "/", "paths", paths,
		"x-problem-codes", problem_codes(), "components", "schemas", schemas, "responses",
		"problem", "description", "What went wrong (RFC 9457)", "content",
		"application/problem+json", "schema", reference("problem"), "securitySchemes",
		"session", "type", "apiKey", "in", "cookie", "name", "__Host-aurabox", "token",
		"type", "http", "scheme", "bearer", "security", "session", "token");
	return *ret ? 0 : error_set(err, -ENOMEM, "no memory for the OpenAPI document");
}
