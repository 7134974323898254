/* SPDX-License-Identifier: Apache-2.0 */
/* slice.c - see slice.h. */
#include "base/slice.h"
#include "base/random.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

bool slice_eq_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	}
	return true;
}

bool slice_eq_str_nocase(struct slice a, const char *s)
{
	return slice_eq_nocase(a, slice_str(s));
}

bool slice_starts_with(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_eq(slice_make(s.p, prefix.len), prefix);
}

bool slice_starts_with_nocase(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_eq_nocase(slice_make(s.p, prefix.len), prefix);
}

bool slice_ends_with(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len &&
	       slice_eq(slice_make(s.p + s.len - suffix.len, suffix.len), suffix);
}

ptrdiff_t slice_find(struct slice s, char c)
{
	const char *at = s.len ? memchr(s.p, c, s.len) : NULL;

	return at ? at - s.p : -1;
}

int slice_cmp(struct slice a, struct slice b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter ? memcmp(a.p, b.p, shorter) : 0;

	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

struct slice slice_sub(struct slice s, size_t from, size_t to)
{
	if (to > s.len)
		to = s.len;
	if (from >= to)
		return slice_make(s.p, 0);
	return slice_make(s.p + from, to - from);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
	while (s.len > 0 && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

struct slice slice_take(struct slice *in, size_t len)
{
	struct slice out = slice_sub(*in, 0, len);

	if (out.len) {
		in->p += out.len;
		in->len -= out.len;
	}
	return out;
}

struct slice slice_take_while(struct slice *in, bool (*is)(unsigned char c))
{
	size_t n = 0;

	while (n < in->len && is((unsigned char)in->p[n]))
		n++;
	return slice_take(in, n);
}

struct slice slice_take_until(struct slice *in, char c, bool *found)
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

bool slice_skip(struct slice *in, struct slice prefix)
{
	if (!slice_starts_with(*in, prefix))
		return false;
	(void)slice_take(in, prefix.len);
	return true;
}

bool slice_skip_nocase(struct slice *in, struct slice prefix)
{
	if (!slice_starts_with_nocase(*in, prefix))
		return false;
	(void)slice_take(in, prefix.len);
	return true;
}

bool slice_skip_char(struct slice *in, char c)
{
	if (in->len == 0 || in->p[0] != c)
		return false;
	(void)slice_take(in, 1);
	return true;
}

size_t slice_skip_lws(struct slice *in)
{
	size_t n = 0;

	while (n < in->len && is_blank(in->p[n]))
		n++;
	(void)slice_take(in, n);
	return n;
}

int slice_take_u64(struct slice *in, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; n < in->len && ascii_is_digit((unsigned char)in->p[n]); n++) {
		uint64_t digit = (uint64_t)(in->p[n] - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	if (n == 0)
		return -EBADMSG;
	(void)slice_take(in, n);
	*ret = value;
	return 0;
}

int slice_take_u32(struct slice *in, uint32_t *ret)
{
	struct slice rest = *in;
	uint64_t value;
	int r;

	r = slice_take_u64(&rest, &value);
	if (r < 0)
		return r;
	if (value > UINT32_MAX)
		return -ERANGE;
	*in = rest;
	*ret = (uint32_t)value;
	return 0;
}

int slice_to_u32(struct slice in, uint32_t *ret)
{
	uint32_t value;
	int r;

	r = slice_take_u32(&in, &value);
	if (r < 0)
		return r;
	if (in.len != 0)
		return -EBADMSG;
	*ret = value;
	return 0;
}

int slice_to_u64(struct slice in, uint64_t *ret)
{
	uint64_t value;
	int r;

	r = slice_take_u64(&in, &value);
	if (r < 0)
		return r;
	if (in.len != 0)
		return -EBADMSG;
	*ret = value;
	return 0;
}

char *slice_dup(struct slice s)
{
	char *out = malloc(s.len + 1);

	if (!out)
		return NULL;
	if (s.len)
		memcpy(out, s.p, s.len);
	out[s.len] = '\0';
	return out;
}

bool slice_has_nul(struct slice s)
{
	return slice_find(s, '\0') >= 0;
}

int slice_copy(struct slice s, char *out, size_t size)
{
	if (s.len >= size)
		return -ENOSPC;
	if (s.len)
		memcpy(out, s.p, s.len);
	out[s.len] = '\0';
	return 0;
}

static uint64_t hash_seed;
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;

static void hash_draw_seed(void)
{
	random_bytes(&hash_seed, sizeof(hash_seed));
}

/* The last multiply and shift spread the entropy to the low bits, which index the tables. */
static uint64_t hash_finish(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93U;
	return h ^ (h >> 29);
}

uint64_t slice_hash(struct slice s)
{
	uint64_t h;

	(void)pthread_once(&hash_once, hash_draw_seed);
	h = 0xcbf29ce484222325U ^ hash_seed;
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3U;
	return hash_finish(h);
}

uint64_t slice_hash_nocase(struct slice s)
{
	uint64_t h;

	(void)pthread_once(&hash_once, hash_draw_seed);
	h = 0xcbf29ce484222325U ^ hash_seed;
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)ascii_lower(s.p[i])) * 0x100000001b3U;
	return hash_finish(h);
}
