/* SPDX-License-Identifier: Apache-2.0 */
/* cursor.c - see cursor.h. base64url of "BINDING\0KEY\0KEY\0…". */
#include "http/cursor.h"
#include "base/buf.h"
#include "net/digest.h"

#include <stdio.h>

/* Not seeded: a cursor outlives a restart. */
static uint64_t fnv(uint64_t hash, const char *text)
{
	for (const char *p = text; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 0x100000001b3ULL;
	return (hash ^ 0xff) * 0x100000001b3ULL;
}

static int bad_cursor(struct error *err)
{
	return error_field(err, -EINVAL, "cursor", "is not a cursor of this list");
}

static int read_keys(struct slice bytes, size_t keys, struct http_page *page, struct error *err)
{
	char binding[24];
	bool found = false;

	(void)snprintf(binding, sizeof(binding), "%016llx", (unsigned long long)page->binding);
	if (!slice_eq_str(slice_take_until(&bytes, '\0', &found), binding) || !found)
		return bad_cursor(err);
	for (size_t i = 0; i < keys; i++) {
		struct slice key = slice_take_until(&bytes, '\0', &found);

		if (!found || slice_copy(key, page->key[i], HTTP_KEY_SIZE) < 0)
			return bad_cursor(err);
	}
	if (bytes.len > 0)
		return bad_cursor(err);
	page->key_count = keys;
	return 0;
}

int http_page_read(const struct http_request *req, const char *const *filters, size_t keys,
		   struct http_page *ret, struct error *err)
{
	const char *known[HTTP_QUERY_MAX] = { "limit", "cursor", "count" };
	const char *cursor = http_query(req, "cursor");
	char bytes[HTTP_CURSOR_SIZE];
	size_t n = 3;
	ssize_t len;
	int r;

	*ret = (struct http_page){ .binding = fnv(0xcbf29ce484222325ULL, req->path) };
	for (; filters && *filters && n < HTTP_QUERY_MAX - 1; filters++) {
		const char *value = http_query(req, *filters);

		known[n++] = *filters;
		ret->binding = fnv(fnv(ret->binding, *filters), value ? value : "\001");
	}
	r = http_query_only(req, known, err);
	if (r < 0)
		return r;
	r = http_query_u32(req, "limit", 1, HTTP_LIMIT_MAX, HTTP_LIMIT_DEFAULT, &ret->limit, err);
	if (r < 0 || !cursor)
		return r;
	len = digest_from_base64url(slice_str(cursor), bytes, sizeof(bytes));
	if (len < 0)
		return bad_cursor(err);
	return read_keys(slice_make(bytes, (size_t)len), keys, ret, err);
}

int http_cursor_make(const struct http_page *page, const char *const *keys, size_t count,
		     char buf[HTTP_CURSOR_SIZE], struct error *err)
{
	AUTO_BUF b = { 0 };

	buf_init(&b, HTTP_CURSOR_SIZE);
	buf_printf(&b, "%016llx", (unsigned long long)page->binding);
	buf_add_char(&b, '\0');
	for (size_t i = 0; i < count; i++) {
		buf_add_str(&b, keys[i]);
		buf_add_char(&b, '\0');
	}
	if (!buf_ok(&b) || DIGEST_BASE64_LEN(b.len) > HTTP_CURSOR_SIZE)
		return error_set(err, -ENOBUFS, "the cursor is too long");
	(void)digest_to_base64url(b.data, b.len, buf);
	return 0;
}
