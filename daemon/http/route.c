/* SPDX-License-Identifier: Apache-2.0 */
/* route.c - see route.h. */
#include "http/route.h"
#include "base/error.h"

#include <stdlib.h>

#define TARGET_MAX 4096

struct http_router {
	const struct http_route *routes;
	size_t count;
};

/* The next segment after a '/', up to the next one. */
static bool next_segment(struct slice *path, struct slice *segment)
{
	if (!slice_skip_char(path, '/'))
		return false;
	segment->p = path->p;
	segment->len = 0;
	while (path->len > 0 && *path->p != '/') {
		path->p++;
		path->len--;
		segment->len++;
	}
	return true;
}

static bool is_param(struct slice segment)
{
	return segment.len > 2 && segment.p[0] == '{' && segment.p[segment.len - 1] == '}';
}

static bool path_matches(const char *pattern, struct slice path, struct slice *param)
{
	struct slice rest = slice_str(pattern), want, have;
	size_t n = 0;

	while (rest.len > 0 || path.len > 0) {
		if (!next_segment(&rest, &want) || !next_segment(&path, &have))
			return false;
		if (is_param(want)) {
			if (have.len == 0 || n == HTTP_PARAM_MAX)
				return false;
			param[n++] = have;
		} else if (!slice_eq(want, have)) {
			return false;
		}
	}
	return true;
}

static int route_check(const struct http_route *route, struct error *err)
{
	struct slice rest = slice_str(route->path), segment;
	size_t params = 0;

	while (next_segment(&rest, &segment)) {
		if (is_param(segment))
			params++;
		else if (slice_find(segment, '{') >= 0 || slice_find(segment, '}') >= 0)
			params = HTTP_PARAM_MAX + 1;
	}
	if (rest.len > 0 || params > HTTP_PARAM_MAX || !route->handler)
		return error_set(err, -EINVAL, "route %s %s is malformed",
				 http_method_name(route->method), route->path);
	return 0;
}

int http_router_new(const struct http_route *routes, size_t count, struct http_router **ret,
		    struct error *err)
{
	struct http_router *router;
	int r;

	for (size_t i = 0; i < count; i++) {
		r = route_check(&routes[i], err);
		if (r < 0)
			return r;
		for (size_t j = 0; j < i; j++) {
			if (routes[j].method == routes[i].method &&
			    strcmp(routes[j].path, routes[i].path) == 0)
				return error_set(err, -EINVAL, "route %s is there twice",
						 routes[i].path);
		}
	}
	router = calloc(1, sizeof(*router));
	if (!router)
		return error_set(err, -ENOMEM, "no memory for routes");
	router->routes = routes;
	router->count = count;
	*ret = router;
	return 0;
}

struct http_router *http_router_free(struct http_router *router)
{
	free(router);
	return NULL;
}

/* A literal segment beats a parameter: rows without parameters are looked at first. */
int http_router_match(const struct http_router *router, enum http_method method, struct slice path,
		      const struct http_route **route, struct slice param[HTTP_PARAM_MAX],
		      unsigned *allow)
{
	enum http_method as = method == HTTP_HEAD ? HTTP_GET : method;
	const struct http_route *best = NULL;
	struct slice found[HTTP_PARAM_MAX];

	*allow = 0;
	for (size_t i = 0; i < router->count; i++) {
		const struct http_route *row = &router->routes[i];

		memset(found, 0, sizeof(found));
		if (!path_matches(row->path, path, found))
			continue;
		*allow |= 1U << row->method;
		if (row->method == HTTP_GET)
			*allow |= 1U << HTTP_HEAD;
		if (row->method != as)
			continue;
		if (!best || strchr(best->path, '{')) {
			best = row;
			memcpy(param, found, sizeof(found));
		}
	}
	if (best) {
		*route = best;
		return 0;
	}
	return *allow ? -EOPNOTSUPP : -ENOENT;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte of an escape "%hh" at p[0..2], or -1. */
static int escaped(const char *p, size_t len)
{
	int high, low;

	if (len < 3)
		return -1;
	high = hex_digit(p[1]);
	low = hex_digit(p[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool is_dots(struct slice segment)
{
	return slice_eq(segment, SLICE(".")) || slice_eq(segment, SLICE(".."));
}

int http_target_check(struct slice target)
{
	char plain[TARGET_MAX];
	struct slice path = target, segment;
	ptrdiff_t query = slice_find(target, '?');
	size_t n = 0;

	if (target.len == 0 || target.len >= TARGET_MAX || target.p[0] != '/')
		return -EPROTO;
	for (size_t i = 0; i < target.len; i++) {
		unsigned char c = (unsigned char)target.p[i];

		if (c <= ' ' || c == 127 || c == '#' || c == '\\')
			return -EPROTO;
	}
	if (query >= 0)
		path.len = (size_t)query;
	for (size_t i = 0; i < path.len; i++) {
		int c = (unsigned char)path.p[i];

		if (c == '%') {
			c = escaped(path.p + i, path.len - i);
			i += 2;
			if (c < ' ' || c == 127 || c == '/' || c == '\\' || c == '%')
				return -EPROTO;
		}
		plain[n++] = (char)c;
	}
	path = slice_make(plain, n);
	while (next_segment(&path, &segment)) {
		if (is_dots(segment) || (segment.len == 0 && path.len > 0))
			return -EPROTO;
	}
	return 0;
}

/* Is it UTF-8 without surrogates and overlong forms (RFC 3629)? */
static bool utf8_valid(const unsigned char *p, size_t len)
{
	size_t i = 0;

	while (i < len) {
		unsigned char c = p[i++];
		size_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		uint32_t code = c < 0x80 ? c : c & (0x3fU >> more);

		if (c >= 0x80 && (c < 0xc2 || c > 0xf4))
			return false;
		for (size_t k = 0; k < more; k++, i++) {
			if (i >= len || (p[i] & 0xc0) != 0x80)
				return false;
			code = code << 6 | (p[i] & 0x3fU);
		}
		if ((more == 2 && code < 0x800) || (more == 3 && code < 0x10000) ||
		    code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return false;
	}
	return true;
}

int http_decode(struct slice in, bool plus, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		int c = (unsigned char)in.p[i];

		if (c == '%') {
			c = escaped(in.p + i, in.len - i);
			if (c <= 0)
				return -EPROTO;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (n + 1 >= size)
			return -ENOBUFS;
		buf[n++] = (char)c;
	}
	if (size == 0)
		return -ENOBUFS;
	buf[n] = '\0';
	return utf8_valid((const unsigned char *)buf, n) ? (int)n : -EPROTO;
}
