/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h - answers' schemas in shorthand, and the OpenAPI 3.1 document made from them, from the
 * route table and from the bodies' field tables.
 *
 *	type   = base ["|null"]
 *	base   = "string" / "int" / "number" / "bool" / "any" / "uuid" / "time" / "object"
 *	       / "'" word *("|" word) "'"        one of these words
 *	       / "<" name ">"                    the schema of that name
 *	       / "[" type "]"                    an array
 *	       / "(" type ")"                    an object whose members are all of that type
 *	       / "{" [member *("," member)] "}"  an object with exactly these members
 *	member = name ["?"] ":" type             "?": it may be absent
 * Blanks are allowed everywhere. */
#pragma once
#include <stddef.h>

struct error;
struct http_route;
struct json_t;
struct listing;

struct http_schema {
	const char *name;
	const char *text;
};

/* The query of the route of that name. */
struct http_route_query {
	const char *route;
	const struct listing *listing;
};

struct http_openapi {
	const char *title;
	const char *version;
	const char *description;
	const struct http_route *routes;
	size_t route_count;
	const struct http_schema *schemas;
	size_t schema_count;
	const struct http_route_query *queries;
	size_t query_count;
};

/* One shorthand as JSON Schema (2020-12). Errors: -EBADMSG malformed, -ENOMEM. */
int http_schema_json(const char *text, struct json_t **ret, struct error *err);
/* The whole document. Errors: -EINVAL (a route names an unknown schema), -EBADMSG, -ENOMEM. */
int http_openapi_json(const struct http_openapi *api, struct json_t **ret, struct error *err);
