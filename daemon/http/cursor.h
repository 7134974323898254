/* SPDX-License-Identifier: Apache-2.0 */
/* cursor.h - keyset cursors: opaque text that holds the last row's sort values, bound to the list,
 * its sort and its filters, so that a cursor of another list is refused. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "http/request.h"

struct error;

enum {
	HTTP_CURSOR_SIZE = 768, /* bytes of a cursor with its NUL */
	HTTP_CURSOR_KEYS = 3,	/* sort values in it */
	HTTP_KEY_SIZE = 300,	/* bytes of one sort value with its NUL */
	HTTP_LIMIT_DEFAULT = 50,
	HTTP_LIMIT_MAX = 500,
};

/* What a list was asked for. */
struct http_page {
	uint32_t limit;				   /* 1..500 */
	size_t key_count;			   /* 0: from the start */
	char key[HTTP_CURSOR_KEYS][HTTP_KEY_SIZE]; /* last row's sort values */
	uint64_t binding;			   /* of path and filters */
};

/* Read limit= and cursor=; `filters` (NULL-terminated names) are the other query members that the
 * list knows and that bind the cursor. Errors: -EINVAL naming the parameter. */
int http_page_read(const struct http_request *req, const char *const *filters, size_t keys,
		   struct http_page *ret, struct error *err);
/* The cursor after a row with these sort values. Errors: -ENOBUFS too long. */
int http_cursor_make(const struct http_page *page, const char *const *keys, size_t count,
		     char buf[HTTP_CURSOR_SIZE], struct error *err);
