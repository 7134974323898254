/* SPDX-License-Identifier: Apache-2.0 */
/* slice.c - see slice.h. */
#include "base/slice.h"
#include "base/random.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

bool slice_same_nocase(const char *a, const char *b, size_t len)
{
	/* longer ones are mostly written alike, or differ at once */
	if (len >= 8 && memcmp(a, b, len) == 0)
		return true;
	for (size_t i = 0; i < len; i++) {
		if (a[i] != b[i] && ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	}
	return true;
}

bool slice_starts_with(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_eq(slice_make(s.p, prefix.len), prefix);
}

bool slice_starts_with_nocase(struct slice s, struct slice prefix)
{
	if (s.len < prefix.len)
		return false;
	/* mostly it is written as it is here */
	return slice_eq(slice_make(s.p, prefix.len), prefix) ||
	       slice_eq_nocase(slice_make(s.p, prefix.len), prefix);
}

bool slice_ends_with(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len &&
	       slice_eq(slice_make(s.p + s.len - suffix.len, suffix.len), suffix);
}

int slice_cmp(struct slice a, struct slice b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter ? memcmp(a.p, b.p, shorter) : 0;

	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
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

struct slice slice_take_while(struct slice *in, bool (*is)(unsigned char c))
{
	size_t n = 0;

	while (n < in->len && is((unsigned char)in->p[n]))
		n++;
	return slice_take(in, n);
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

/* SipHash-1-3 (Aumasson, Bernstein): what a peer chooses as keys cannot be made to collide. */
struct sip_state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t hash_seed[2];
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;

static void hash_draw_seed(void)
{
	random_bytes(hash_seed, sizeof(hash_seed));
}

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void hash_round(struct sip_state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static inline void hash_word(struct sip_state *s, uint64_t word)
{
	s->v3 ^= word;
	hash_round(s);
	s->v0 ^= word;
}

static void hash_start(struct sip_state *s)
{
	(void)pthread_once(&hash_once, hash_draw_seed);
	*s = (struct sip_state){ hash_seed[0] ^ 0x736f6d6570736575U,
				 hash_seed[1] ^ 0x646f72616e646f6dU,
				 hash_seed[0] ^ 0x6c7967656e657261U,
				 hash_seed[1] ^ 0x7465646279746573U };
}

static uint64_t hash_finish(struct sip_state *s)
{
	s->v2 ^= 0xff;
	hash_round(s);
	hash_round(s);
	hash_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* The last 0..7 bytes as a number, without reading beyond them. */
static uint64_t tail_word(const char *p, size_t len)
{
	uint32_t low, high;
	uint64_t word = 0;

	if (len >= 4) { /* two words that overlap */
		memcpy(&low, p, 4);
		memcpy(&high, p + len - 4, 4);
		return low | (uint64_t)high << (8 * (len - 4));
	}
	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return word;
}

uint64_t slice_hash(struct slice s)
{
	struct sip_state state;
	uint64_t word;
	size_t left = s.len;

	hash_start(&state);
	for (; left >= 8; left -= 8, s.p += 8) {
		memcpy(&word, s.p, 8);
		hash_word(&state, word);
	}
	hash_word(&state, (uint64_t)s.len << 56 | tail_word(s.p, left));
	return hash_finish(&state);
}

uint64_t slice_hash_nocase(struct slice s)
{
	struct sip_state state;
	uint64_t word = 0;
	size_t n = 0;

	hash_start(&state);
	for (size_t i = 0; i < s.len; i++) {
		word |= (uint64_t)(unsigned char)ascii_lower(s.p[i]) << (8 * n);
		if (++n == 8) {
			hash_word(&state, word);
			word = 0;
			n = 0;
		}
	}
	hash_word(&state, word | (uint64_t)s.len << 56);
	return hash_finish(&state);
}
