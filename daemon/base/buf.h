/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h - a growable byte buffer with a hard limit. */
#pragma once
#include "base/error.h"
#include "base/slice.h"

/* Appending past the limit or out of memory sets `failed` and drops the bytes: builders append
 * freely and test buf_ok() once at the end. data is always NUL-terminated when not NULL. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t limit; /* 0 means BUF_DEFAULT_LIMIT */
	bool failed;
};

#define BUF_DEFAULT_LIMIT (16U << 20)

void buf_init(struct buf *b, size_t limit); /* borrowed storage; nothing allocated yet */
void buf_done(struct buf *b);
struct buf *buf_new(size_t limit); /* NULL when out of memory */
struct buf *buf_free(struct buf *b);
DEFINE_AUTO(buf)

/* For a local: AUTO_BUF b = { 0 }; */
#define AUTO_BUF __attribute__((cleanup(buf_done))) struct buf

void buf_reset(struct buf *b); /* empty, memory kept, failed cleared */
/* 0, or -ENOMEM / -EMSGSIZE when the limit forbids it. */
int buf_reserve(struct buf *b, size_t extra);
void buf_add_grown(struct buf *b, const void *p, size_t len); /* what buf_add() does without room */

static inline void buf_add(struct buf *b, const void *p, size_t len)
{
	if (b->failed || len >= b->cap - b->len) {
		buf_add_grown(b, p, len);
		return;
	}
	if (len)
		memcpy(b->data + b->len, p, len);
	b->len += len;
	b->data[b->len] = '\0';
}

static inline void buf_add_slice(struct buf *b, struct slice s)
{
	buf_add(b, s.p, s.len);
}

static inline void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

static inline void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_add_u64(struct buf *b, uint64_t n);
void buf_printf(struct buf *b, const char *format, ...) ERROR_PRINTF(2, 3);
void buf_consume(struct buf *b, size_t len); /* drop from the front */
/* Hand the bytes over as a C string the caller frees; the buffer is empty afterwards.
 * NULL if it failed. */
char *buf_take_str(struct buf *b);

static inline bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

static inline struct slice buf_slice(const struct buf *b)
{
	return slice_make(b->data, b->len);
}
