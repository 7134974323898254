/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c - see digest.h. Long input by OpenSSL's EVP, its algorithms fetched once a process; the short
 * texts of the call plane by the functions below it, because EVP costs more than their hash. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "net/digest.h"

#include <endian.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <unistd.h>

#include "base/error.h"

#define FILE_CHUNK 65536
#define HMAC_BLOCK 64

struct digest {
	EVP_MD_CTX *ctx;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *md5, *sha256;

static void fetch(void)
{
	md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!md5 || !sha256)
		abort(); /* without its hashes nothing here can be right */
}

static const EVP_MD *algorithm(enum digest_kind kind)
{
	(void)pthread_once(&once, fetch);
	return kind == DIGEST_MD5 ? md5 : sha256;
}

/* A short hash on the stack. */
struct short_hash {
	enum digest_kind kind;
	union {
		MD5_CTX md5;
		SHA256_CTX sha256;
	};
};

static void short_begin(struct short_hash *h, enum digest_kind kind)
{
	h->kind = kind;
	(void)(kind == DIGEST_MD5 ? MD5_Init(&h->md5) : SHA256_Init(&h->sha256));
}

static void short_add(struct short_hash *h, const void *bytes, size_t len)
{
	if (h->kind == DIGEST_MD5)
		(void)MD5_Update(&h->md5, bytes, len);
	else
		(void)SHA256_Update(&h->sha256, bytes, len);
}

static void short_end(struct short_hash *h, uint8_t *ret)
{
	(void)(h->kind == DIGEST_MD5 ? MD5_Final(ret, &h->md5) : SHA256_Final(ret, &h->sha256));
}

size_t digest_len(enum digest_kind kind)
{
	return kind == DIGEST_MD5 ? DIGEST_MD5_LEN : DIGEST_SHA256_LEN;
}

void digest_parts(enum digest_kind kind, const struct slice *parts, size_t count, uint8_t *ret)
{
	struct short_hash h;

	short_begin(&h, kind);
	for (size_t i = 0; i < count; i++)
		short_add(&h, parts[i].p, parts[i].len);
	short_end(&h, ret);
}

void digest_hex_joined(enum digest_kind kind, const struct slice *parts, size_t count,
		       char ret[static DIGEST_HEX_MAX])
{
	uint8_t raw[DIGEST_MAX_LEN];
	struct short_hash h;

	short_begin(&h, kind);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			short_add(&h, ":", 1);
		short_add(&h, parts[i].p, parts[i].len);
	}
	short_end(&h, raw);
	digest_to_hex(raw, digest_len(kind), ret);
}

/* RFC 2104. */
void digest_hmac_sha256(struct slice key, const struct slice *parts, size_t count,
			uint8_t ret[static DIGEST_SHA256_LEN])
{
	uint8_t block[HMAC_BLOCK] = { 0 }, pad[HMAC_BLOCK], inner[DIGEST_SHA256_LEN];
	struct short_hash h;

	if (key.len > HMAC_BLOCK)
		digest_parts(DIGEST_SHA256, &key, 1, block);
	else if (key.len > 0)
		memcpy(block, key.p, key.len);
	for (size_t i = 0; i < HMAC_BLOCK; i++)
		pad[i] = block[i] ^ 0x36;
	short_begin(&h, DIGEST_SHA256);
	short_add(&h, pad, sizeof(pad));
	for (size_t i = 0; i < count; i++)
		short_add(&h, parts[i].p, parts[i].len);
	short_end(&h, inner);
	for (size_t i = 0; i < HMAC_BLOCK; i++)
		pad[i] = block[i] ^ 0x5c;
	short_begin(&h, DIGEST_SHA256);
	short_add(&h, pad, sizeof(pad));
	short_add(&h, inner, sizeof(inner));
	short_end(&h, ret);
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(pad, sizeof(pad));
}

#define TAG_SHORT 512 /* bytes that are joined first: whole words are hashed in half the time */

/* SipHash (Aumasson, Bernstein), two rounds a word and four at the end. */
struct tag_state {
	uint64_t v[4];
	uint64_t word;
	unsigned filled; /* bytes of word */
	uint8_t total;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void tag_rounds(uint64_t v[static 4], int rounds)
{
	uint64_t a = v[0], b = v[1], c = v[2], d = v[3];

	while (rounds-- > 0) {
		a += b;
		b = rotate(b, 13) ^ a;
		a = rotate(a, 32);
		c += d;
		d = rotate(d, 16) ^ c;
		a += d;
		d = rotate(d, 21) ^ a;
		c += b;
		b = rotate(b, 17) ^ c;
		c = rotate(c, 32);
	}
	v[0] = a;
	v[1] = b;
	v[2] = c;
	v[3] = d;
}

static void tag_word(struct tag_state *s, uint64_t word)
{
	s->v[3] ^= word;
	tag_rounds(s->v, 2);
	s->v[0] ^= word;
}

static uint64_t read_word(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

/* The last 1..7 bytes, without reading beyond them. */
static uint64_t read_tail(const uint8_t *p, size_t len)
{
	uint32_t low, high;
	uint16_t two;

	if (len >= 4) { /* two words that overlap */
		memcpy(&low, p, 4);
		memcpy(&high, p + len - 4, 4);
		return le32toh(low) | (uint64_t)le32toh(high) << (8 * (len - 4));
	}
	if (len == 1)
		return *p;
	memcpy(&two, p, 2);
	return le16toh(two) | (uint64_t)p[len - 1] << (8 * (len - 1));
}

/* 1..8 bytes behind those that did not fill a word yet; what of `word` is beyond them is zero. */
static void tag_bytes(struct tag_state *s, uint64_t word, unsigned count)
{
	unsigned shift = 8 * s->filled;

	s->word |= word << shift;
	s->filled += count;
	if (s->filled < 8)
		return;
	tag_word(s, s->word);
	s->filled -= 8;
	s->word = s->filled ? word >> (64 - shift) : 0;
}

/* All parts with their lengths, one behind the other; 0 when they are too long for that. */
static size_t tag_join(const struct slice *parts, size_t count, uint8_t out[static TAG_SHORT])
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t len = htole32((uint32_t)parts[i].len);

		if (parts[i].len > TAG_SHORT || at + sizeof(len) + parts[i].len > TAG_SHORT)
			return 0;
		memcpy(out + at, &len, sizeof(len));
		at += sizeof(len);
		if (parts[i].len)
			memcpy(out + at, parts[i].p, parts[i].len);
		at += parts[i].len;
	}
	return at;
}

static void tag_add(struct tag_state *s, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	s->total = (uint8_t)(s->total + len);
	for (; s->filled == 0 && len >= 8; p += 8, len -= 8)
		tag_word(s, read_word(p));
	for (; len >= 8; p += 8, len -= 8)
		tag_bytes(s, read_word(p), 8);
	if (len > 0)
		tag_bytes(s, read_tail(p, len), (unsigned)len);
}

void digest_tag(const uint8_t key[static DIGEST_KEY_LEN], const struct slice *parts, size_t count,
		uint8_t ret[static DIGEST_TAG_LEN])
{
	uint64_t k0 = read_word(key), k1 = read_word(key + 8), out;
	struct tag_state s = { .v = { k0 ^ 0x736f6d6570736575U, k1 ^ 0x646f72616e646f6dU ^ 0xee,
				      k0 ^ 0x6c7967656e657261U, k1 ^ 0x7465646279746573U } };
	uint8_t joined[TAG_SHORT];
	size_t len_of_all = tag_join(parts, count, joined);

	if (len_of_all > 0)
		tag_add(&s, joined, len_of_all);
	for (size_t i = 0; len_of_all == 0 && i < count; i++) {
		uint32_t len = htole32((uint32_t)parts[i].len);

		tag_add(&s, &len, sizeof(len));
		tag_add(&s, parts[i].p, parts[i].len);
	}
	tag_word(&s, s.word | (uint64_t)s.total << 56);
	s.v[2] ^= 0xee;
	tag_rounds(s.v, 4);
	out = htole64(s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3]);
	memcpy(ret, &out, 8);
	s.v[1] ^= 0xdd;
	tag_rounds(s.v, 4);
	out = htole64(s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3]);
	memcpy(ret + 8, &out, 8);
}

struct digest *digest_begin(enum digest_kind kind)
{
	struct digest *digest = malloc(sizeof(*digest));

	if (!digest)
		abort();
	digest->ctx = EVP_MD_CTX_new();
	if (!digest->ctx || EVP_DigestInit_ex2(digest->ctx, algorithm(kind), NULL) != 1)
		abort();
	return digest;
}

void digest_update(struct digest *digest, const void *bytes, size_t len)
{
	(void)EVP_DigestUpdate(digest->ctx, bytes, len);
}

void digest_finish(struct digest *digest, uint8_t *ret)
{
	uint8_t ignored[DIGEST_MAX_LEN];

	(void)EVP_DigestFinal_ex(digest->ctx, ret ? ret : ignored, NULL);
	EVP_MD_CTX_free(digest->ctx);
	free(digest);
}

int digest_file_sha256(const char *path, char ret[static DIGEST_HEX_MAX])
{
	uint8_t raw[DIGEST_SHA256_LEN];
	AUTO(mem) void *chunk = malloc(FILE_CHUNK);
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct digest *digest;
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (!chunk)
		return -ENOMEM;
	digest = digest_begin(DIGEST_SHA256);
	while ((n = read(fd, chunk, FILE_CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r = -errno;
			break;
		}
		digest_update(digest, chunk, (size_t)n);
	}
	digest_finish(digest, raw);
	if (r == 0)
		digest_to_hex(raw, sizeof(raw), ret);
	return r;
}

bool digest_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

bool digest_equal_slice(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.p, b.p, a.len) == 0);
}

void digest_to_hex(const void *bytes, size_t len, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++) {
		ret[2 * i] = digits[p[i] >> 4];
		ret[2 * i + 1] = digits[p[i] & 15];
	}
	ret[2 * len] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

ssize_t digest_from_hex(struct slice hex, void *ret, size_t size)
{
	uint8_t *out = ret;

	if (hex.len % 2 != 0 || hex.len / 2 > size)
		return -EINVAL;
	for (size_t i = 0; i < hex.len / 2; i++) {
		int high = hex_value(hex.p[2 * i]), low = hex_value(hex.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		out[i] = (uint8_t)(high * 16 + low);
	}
	return (ssize_t)(hex.len / 2);
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode(const uint8_t *p, size_t len, const char *alphabet, bool padded, char *ret)
{
	size_t n = 0, i = 0;

	for (; len - i >= 3; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];

		ret[n++] = alphabet[v >> 18];
		ret[n++] = alphabet[(v >> 12) & 63];
		ret[n++] = alphabet[(v >> 6) & 63];
		ret[n++] = alphabet[v & 63];
	}
	if (i < len) { /* one or two are left */
		uint32_t v = (uint32_t)p[i] << 16;
		size_t have = len - i;

		if (have > 1)
			v |= (uint32_t)p[i + 1] << 8;
		for (size_t k = 0; k <= have; k++)
			ret[n++] = alphabet[(v >> (18 - 6 * k)) & 63];
		for (size_t k = have; padded && k < 3; k++)
			ret[n++] = '=';
	}
	ret[n] = '\0';
	return n;
}

size_t digest_to_base64(const void *bytes, size_t len, char *ret)
{
	return encode(bytes, len, base64, true, ret);
}

size_t digest_to_base64url(const void *bytes, size_t len, char *ret)
{
	return encode(bytes, len, base64url, false, ret);
}

/* The alphabets differ in their last two alone. */
static int digit_of(char c, const char *alphabet)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == alphabet[62])
		return 62;
	return c == alphabet[63] ? 63 : -1;
}

static ssize_t decode(struct slice text, const char *alphabet, uint8_t *out, size_t size)
{
	uint32_t v = 0;
	unsigned int bits = 0;
	size_t n = 0;

	if (text.len % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++) {
		int digit = digit_of(text.p[i], alphabet);

		if (digit < 0)
			return -EINVAL;
		v = v << 6 | (uint32_t)digit;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			if (n == size)
				return -EINVAL;
			out[n++] = (uint8_t)(v >> bits);
		}
	}
	if ((v & ((1U << bits) - 1)) != 0)
		return -EINVAL; /* one value has one spelling */
	return (ssize_t)n;
}

ssize_t digest_from_base64(struct slice text, void *ret, size_t size)
{
	if (text.len % 4 != 0)
		return -EINVAL;
	for (int i = 0; i < 2 && text.len > 0 && text.p[text.len - 1] == '='; i++)
		text.len--;
	return decode(text, base64, ret, size);
}

ssize_t digest_from_base64url(struct slice text, void *ret, size_t size)
{
	return decode(text, base64url, ret, size);
}
