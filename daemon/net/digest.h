/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - hashes and their text forms: MD5, SHA-256, HMAC-SHA-256, hex, base64, comparison in
 * constant time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"

struct digest; /* a running hash, opaque */

#define DIGEST_MD5_LEN 16
#define DIGEST_SHA256_LEN 32
#define DIGEST_MAX_LEN 32
#define DIGEST_HEX_MAX (2 * DIGEST_MAX_LEN + 1) /* with NUL */

enum digest_kind { DIGEST_MD5, DIGEST_SHA256 };

size_t digest_len(enum digest_kind kind);
/* Hash of the concatenated parts into ret (digest_len() bytes). */
void digest_parts(enum digest_kind kind, const struct slice *parts, size_t count, uint8_t *ret);
/* The same as lower-case hex with NUL; the form in which RFC 7616 joins: parts separated by ':'. */
void digest_hex_joined(enum digest_kind kind, const struct slice *parts, size_t count,
		       char ret[static DIGEST_HEX_MAX]);
void digest_hmac_sha256(struct slice key, const struct slice *parts, size_t count,
			uint8_t ret[static DIGEST_SHA256_LEN]);

#define DIGEST_KEY_LEN 16
#define DIGEST_TAG_LEN 16
/* SipHash-2-4 with 128 bits out, over the parts and their lengths: tags and nonces of one process, where
 * HMAC-SHA-256 would cost more than the message around it. Not a hash of the parts alone. */
void digest_tag(const uint8_t key[static DIGEST_KEY_LEN], const struct slice *parts, size_t count,
		uint8_t ret[static DIGEST_TAG_LEN]);

/* For long input. Thread-safe between objects. digest_finish() frees. */
struct digest *digest_begin(enum digest_kind kind);
void digest_update(struct digest *digest, const void *bytes, size_t len);
void digest_finish(struct digest *digest, uint8_t *ret);
/* SHA-256 of a file as lower-case hex. Errors: -ENOENT, -EIO. */
int digest_file_sha256(const char *path, char ret[static DIGEST_HEX_MAX]);

/* Equal length and bytes, in a time that depends on the length alone. */
bool digest_equal(const void *a, const void *b, size_t len);
bool digest_equal_slice(struct slice a, struct slice b);

/* Lower-case hex with NUL; ret has 2 * len + 1 bytes. */
void digest_to_hex(const void *bytes, size_t len, char *ret);
/* Returns the number of bytes. Errors: -EINVAL not hex, odd, or more than size bytes. */
ssize_t digest_from_hex(struct slice hex, void *ret, size_t size);
#define DIGEST_BASE64_LEN(len) ((((len) + 2) / 3) * 4 + 1)
/* Base64 with padding (or its URL alphabet without); returns the length without the NUL. */
size_t digest_to_base64(const void *bytes, size_t len, char *ret);
size_t digest_to_base64url(const void *bytes, size_t len, char *ret);
/* Accepts the one alphabet it is asked for. Errors: -EINVAL. */
ssize_t digest_from_base64(struct slice text, void *ret, size_t size);
ssize_t digest_from_base64url(struct slice text, void *ret, size_t size);
