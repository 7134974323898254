/* SPDX-License-Identifier: Apache-2.0 */
/* random.c - see random.h. */
#include "base/random.h"
#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void random_bytes(void *out, size_t len)
{
	char *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			abort(); /* without entropy nothing that follows is safe */
		p += n;
		len -= (size_t)n;
	}
}

uint32_t random_u32(void)
{
	uint32_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

uint32_t random_below(uint32_t bound)
{
	uint32_t limit = UINT32_MAX - UINT32_MAX % bound;
	uint32_t value;

	do
		value = random_u32();
	while (value >= limit);
	return value % bound;
}

/* Tags and branches come many a call: one system call fills several. What was taken is wiped. */
static void take_pooled(unsigned char *out, size_t len)
{
	static _Thread_local unsigned char pool[512];
	static _Thread_local size_t left;

	if (len > left) {
		random_bytes(pool, sizeof(pool));
		left = sizeof(pool);
	}
	left -= len;
	memcpy(out, pool + left, len);
	memset(pool + left, 0, len);
}

void random_token(char *out, size_t len)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	unsigned char bytes[64];

	for (size_t at = 0; at < len; at += sizeof(bytes)) {
		size_t n = len - at < sizeof(bytes) ? len - at : sizeof(bytes);

		take_pooled(bytes, n);
		for (size_t i = 0; i < n; i++)
			out[at + i] = digits[bytes[i] & 31];
	}
	out[len] = '\0';
}

static void put_hex(char *out, const unsigned char *in, size_t len)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex[in[i] >> 4];
		out[2 * i + 1] = hex[in[i] & 15];
	}
}

void uuid_v7(char out[UUID_SIZE])
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static uint64_t last; /* milliseconds << 12 | counter, so that ids of one process ascend */
	unsigned char b[16];
	uint64_t stamp;

	random_bytes(b, sizeof(b));
	(void)pthread_mutex_lock(&lock);
	stamp = (uint64_t)clock_wall(clock_system()) << 12;
	if (stamp <= last)
		stamp = last + 1;
	last = stamp;
	(void)pthread_mutex_unlock(&lock);

	for (int i = 0; i < 6; i++)
		b[i] = (unsigned char)(stamp >> (12 + 8 * (5 - i)));
	b[6] = (unsigned char)(0x70 | ((stamp >> 8) & 0x0f));
	b[7] = (unsigned char)stamp;
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	put_hex(out, b, 4);
	out[8] = '-';
	put_hex(out + 9, b + 4, 2);
	out[13] = '-';
	put_hex(out + 14, b + 6, 2);
	out[18] = '-';
	put_hex(out + 19, b + 8, 2);
	out[23] = '-';
	put_hex(out + 24, b + 10, 6);
	out[36] = '\0';
}

bool uuid_is_valid(struct slice text)
{
	if (text.len != UUID_SIZE - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = ascii_lower(text.p[i]);
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? c != '-' : !(ascii_is_digit((unsigned char)c) || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}
