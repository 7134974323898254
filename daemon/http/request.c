/* SPDX-License-Identifier: Apache-2.0 */
/* request.c - see request.h. */
#include "http/request.h"
#include "base/error.h"

#include <strings.h>

static const char *const names[] = {
	[HTTP_GET] = "GET",	[HTTP_POST] = "POST",	  [HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_HEAD] = "HEAD",
};

const char *http_method_name(enum http_method method)
{
	return method < HTTP_METHOD_COUNT ? names[method] : "?";
}

bool http_method_safe(enum http_method method)
{
	return method == HTTP_GET || method == HTTP_HEAD;
}

const char *http_header(const struct http_request *req, const char *name)
{
	for (size_t i = 0; i < req->header_count; i++) {
		if (strcasecmp(req->header[i].name, name) == 0)
			return req->header[i].value;
	}
	return NULL;
}

const char *http_query(const struct http_request *req, const char *name)
{
	for (size_t i = 0; i < req->query_count; i++) {
		if (strcmp(req->query[i].name, name) == 0)
			return req->query[i].value;
	}
	return NULL;
}

const char *http_cookie(const struct http_request *req, const char *name, char *buf, size_t size)
{
	for (size_t i = 0; i < req->header_count; i++) {
		struct slice rest, pair, key;

		if (strcasecmp(req->header[i].name, "Cookie") != 0)
			continue;
		rest = slice_str(req->header[i].value);
		while (rest.len > 0) {
			pair = slice_trim(slice_take_until(&rest, ';', NULL));
			key = slice_take_until(&pair, '=', NULL);
			if (slice_eq_str(key, name))
				return slice_copy(pair, buf, size) == 0 ? buf : NULL;
		}
	}
	return NULL;
}

bool http_accepts(const char *header, const char *encoding)
{
	struct slice rest = slice_str(header), item, name;

	while (rest.len > 0) {
		item = slice_trim(slice_take_until(&rest, ',', NULL));
		name = slice_trim(slice_take_until(&item, ';', NULL));
		if (slice_eq_str_nocase(name, encoding))
			return !slice_eq(slice_trim(item), SLICE("q=0"));
	}
	return false;
}

int http_query_u32(const struct http_request *req, const char *name, uint32_t min, uint32_t max,
		   uint32_t fallback, uint32_t *ret, struct error *err)
{
	const char *text = http_query(req, name);
	uint32_t value = fallback;

	if (text && (slice_to_u32(slice_str(text), &value) < 0 || value < min || value > max))
		return error_field(err, -EINVAL, name, "must be a number from %u to %u", min, max);
	*ret = value;
	return 0;
}

int http_query_bool(const struct http_request *req, const char *name, bool fallback, bool *ret,
		    struct error *err)
{
	const char *text = http_query(req, name);

	if (!text)
		*ret = fallback;
	else if (strcmp(text, "true") == 0)
		*ret = true;
	else if (strcmp(text, "false") == 0)
		*ret = false;
	else
		return error_field(err, -EINVAL, name, "must be true or false");
	return 0;
}

int http_query_only(const struct http_request *req, const char *const *known, struct error *err)
{
	for (size_t i = 0; i < req->query_count; i++) {
		const char *const *name = known;

		while (*name && strcmp(*name, req->query[i].name) != 0)
			name++;
		if (!*name)
			return error_field(err, -EINVAL, req->query[i].name,
					   "there is no such query parameter here");
		for (size_t j = 0; j < i; j++) {
			if (strcmp(req->query[j].name, req->query[i].name) == 0)
				return error_field(err, -EINVAL, req->query[i].name,
						   "is given twice");
		}
	}
	return 0;
}

/* If-Match = "*" / #entity-tag (RFC 9110 section 13.1.1); weak tags never match. */
int http_if_match(const struct http_request *req, const char *etag, bool required,
		  struct error *err)
{
	const char *value = http_header(req, "If-Match");
	struct slice rest;

	if (!value) {
		if (!required)
			return 0;
		return error_set(err, -ENOKEY, "an If-Match header is needed here");
	}
	rest = slice_str(value);
	while (rest.len > 0) {
		struct slice tag = slice_trim(slice_take_until(&rest, ',', NULL));

		if (slice_eq_str(tag, "*") || slice_eq_str(tag, etag))
			return 0;
	}
	return error_set(err, -ESTALE, "the resource has changed since it was read");
}
