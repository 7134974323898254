/* SPDX-License-Identifier: Apache-2.0 */
/* slice.h - borrowed byte ranges: what every parser reads from; never NUL-terminated. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct slice {
	const char *p;
	size_t len;
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })
/* for printf: "%.*s", SLICE_ARG(s) */
#define SLICE_ARG(s) (int)(s).len, (s).p ? (s).p : ""

static inline struct slice slice_make(const void *p, size_t len)
{
	return (struct slice){ (const char *)p, len };
}

static inline struct slice slice_str(const char *s)
{
	return (struct slice){ s, s ? strlen(s) : 0 };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool slice_eq_str(struct slice a, const char *s)
{
	return slice_eq(a, slice_str(s));
}

/* ASCII only, whatever the locale */
bool slice_same_nocase(const char *a, const char *b, size_t len);

static inline bool slice_eq_nocase(struct slice a, struct slice b)
{
	return a.len == b.len && slice_same_nocase(a.p, b.p, a.len);
}

static inline bool slice_eq_str_nocase(struct slice a, const char *s)
{
	return slice_eq_nocase(a, slice_str(s));
}

bool slice_starts_with(struct slice s, struct slice prefix);
bool slice_starts_with_nocase(struct slice s, struct slice prefix);
bool slice_ends_with(struct slice s, struct slice suffix);
/* First position of c, or -1. */
static inline ptrdiff_t slice_find(struct slice s, char c)
{
	const char *at;

#ifdef __SSE2__
	if (s.len >= 16) { /* mostly it stands near: without a call then */
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)s.p);
		unsigned found =
			(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));

		if (found)
			return __builtin_ctz(found);
	}
#endif
	at = s.len ? memchr(s.p, c, s.len) : NULL;
	return at ? at - s.p : -1;
}

/* The first byte below space in p..end, or end. In one step what takes three of memchr(): lines of a message
 * are short, and end in CR or LF. */
static inline const char *slice_control(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i space = _mm_set1_epi8(' ');

	for (; end - p >= 16; p += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i text = _mm_cmpeq_epi8(_mm_max_epu8(bytes, space), bytes);
		unsigned found = 0xffffU ^ (unsigned)_mm_movemask_epi8(text);

		if (found)
			return p + __builtin_ctz(found);
	}
#endif
	while (p < end && (unsigned char)*p >= ' ')
		p++;
	return p;
}

/* memcmp order, shorter first. */
int slice_cmp(struct slice a, struct slice b);

/* [from, to) clamped to the slice. */
static inline struct slice slice_sub(struct slice s, size_t from, size_t to)
{
	if (to > s.len)
		to = s.len;
	if (from >= to)
		return slice_make(s.p, 0);
	return slice_make(s.p + from, to - from);
}

/* Without leading and trailing SP, HTAB, CR, LF. */
struct slice slice_trim(struct slice s);

/* The take functions consume from the front. On failure nothing is consumed. */
static inline struct slice slice_take(struct slice *in, size_t len) /* at most len bytes */
{
	struct slice out = slice_sub(*in, 0, len);

	if (out.len) {
		in->p += out.len;
		in->len -= out.len;
	}
	return out;
}

struct slice slice_take_while(struct slice *in, bool (*is)(unsigned char c));
/* Up to (not including) c, or everything; the delimiter is consumed, *found says if it was there
 * (found may be NULL). */
static inline struct slice slice_take_until(struct slice *in, char c, bool *found)
{
	ptrdiff_t at = slice_find(*in, c);
	struct slice out;

	if (found)
		*found = at >= 0;
	if (at < 0)
		return slice_take(in, in->len);
	out = slice_take(in, (size_t)at);
	(void)slice_take(in, 1);
	return out;
}

/* Consume the prefix if it is there. */
bool slice_skip(struct slice *in, struct slice prefix);
bool slice_skip_nocase(struct slice *in, struct slice prefix);
static inline bool slice_skip_char(struct slice *in, char c)
{
	if (in->len == 0 || in->p[0] != c)
		return false;
	(void)slice_take(in, 1);
	return true;
}

/* Skip linear white space (SP, HTAB and CRLF folding); returns how many bytes. */
size_t slice_skip_lws(struct slice *in);
/* 1*DIGIT. Errors: -EBADMSG no digit, -ERANGE too large. */
int slice_take_u32(struct slice *in, uint32_t *ret);
int slice_take_u64(struct slice *in, uint64_t *ret);
/* The whole slice is one number. Errors as above. */
int slice_to_u32(struct slice in, uint32_t *ret);
int slice_to_u64(struct slice in, uint64_t *ret);

/* A NUL-terminated copy the caller frees; NULL when out of memory. Refuses nothing: callers that
 * pass it to C strings check slice_has_nul() first. */
char *slice_dup(struct slice s);
bool slice_has_nul(struct slice s);
/* Copy into a fixed array with NUL; -ENOSPC if it does not fit. */
int slice_copy(struct slice s, char *out, size_t size);

/* Keyed by a random of the process, for hash tables fed by the network. */
uint64_t slice_hash(struct slice s);
uint64_t slice_hash_nocase(struct slice s);

/* FNV-1a, the same in every process: for tags, cursors and names that outlive one. */
#define SLICE_FNV1A 14695981039346656037ULL
static inline uint64_t slice_fnv1a(uint64_t hash, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (unsigned char)s.p[i]) * 1099511628211ULL;
	return hash;
}

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool ascii_is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_is_alnum(unsigned char c)
{
	return ascii_is_digit(c) || ascii_is_alpha(c);
}
