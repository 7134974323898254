/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

void buf_init(struct buf *b, size_t limit)
{
	memset(b, 0, sizeof(*b));
	b->limit = limit;
}

void buf_done(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = 0;
	b->cap = 0;
}

struct buf *buf_new(size_t limit)
{
	struct buf *b = malloc(sizeof(*b));

	if (b)
		buf_init(b, limit);
	return b;
}

struct buf *buf_free(struct buf *b)
{
	if (b) {
		buf_done(b);
		free(b);
	}
	return NULL;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

int buf_reserve(struct buf *b, size_t extra)
{
	size_t limit = b->limit ? b->limit : BUF_DEFAULT_LIMIT;
	size_t cap = b->cap;
	char *data;

	if (extra > limit || b->len > limit - extra)
		return -EMSGSIZE;
	if (b->len + extra < cap)
		return 0;
	if (cap == 0)
		cap = 64;
	while (cap <= b->len + extra)
		cap *= 2;
	if (cap > limit + 1)
		cap = limit + 1; /* so that room alone says what fits */
	data = realloc(b->data, cap);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->cap = cap;
	return 0;
}

void buf_add_grown(struct buf *b, const void *p, size_t len)
{
	if (b->failed || buf_reserve(b, len) < 0) {
		b->failed = true;
		return;
	}
	if (len)
		memcpy(b->data + b->len, p, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_add_u64(struct buf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	if (n < 10) { /* the length of no body, mostly */
		buf_add_char(b, (char)('0' + n));
		return;
	}
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args, again;
	int need;

	if (b->failed)
		return;
	va_start(args, format);
	va_copy(again, args);
	need = vsnprintf(b->data ? b->data + b->len : NULL, b->cap - b->len, format, args);
	va_end(args);
	if (need < 0) {
		b->failed = true;
	} else if ((size_t)need < b->cap - b->len) {
		b->len += (size_t)need;
	} else if (buf_reserve(b, (size_t)need) < 0) {
		if (b->data)
			b->data[b->len] = '\0';
		b->failed = true;
	} else {
		(void)vsnprintf(b->data + b->len, (size_t)need + 1, format, again);
		b->len += (size_t)need;
	}
	va_end(again);
}

void buf_consume(struct buf *b, size_t len)
{
	if (len >= b->len) {
		b->len = 0;
	} else {
		memmove(b->data, b->data + len, b->len - len);
		b->len -= len;
	}
	if (b->data)
		b->data[b->len] = '\0';
}

char *buf_take_str(struct buf *b)
{
	char *out;

	if (!b->failed && !b->data)
		(void)buf_reserve(b, 1);
	if (b->failed || !b->data)
		return NULL;
	out = b->data;
	out[b->len] = '\0';
	b->data = NULL;
	b->len = 0;
	b->cap = 0;
	return out;
}
