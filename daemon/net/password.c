/* SPDX-License-Identifier: Apache-2.0 */
/* password.c - see password.h. scrypt (RFC 7914) by OpenSSL. */
#include "net/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "base/error.h"
#include "base/random.h"
#include "net/digest.h"

#define LOG_N 15
#define BLOCK 8
#define PARALLEL 1
#define SALT_LEN 16
#define KEY_LEN 32
#define MEMORY_MAX (64ULL << 20)

static int derive(struct slice password, const uint8_t salt[static SALT_LEN],
		  uint8_t key[static KEY_LEN])
{
	return EVP_PBE_scrypt(password.len ? password.p : "", password.len, salt, SALT_LEN,
			      1ULL << LOG_N, BLOCK, PARALLEL, MEMORY_MAX, key, KEY_LEN) == 1
		       ? 0
		       : -ENOMEM;
}

int password_hash(struct slice password, char ret[static PASSWORD_HASH_LEN], struct error *err)
{
	uint8_t salt[SALT_LEN], key[KEY_LEN];
	char salt_text[DIGEST_BASE64_LEN(SALT_LEN)], key_text[DIGEST_BASE64_LEN(KEY_LEN)];
	int r;

	if (password.len > PASSWORD_MAX)
		return error_set(err, -EINVAL, "a password has at most %d bytes", PASSWORD_MAX);
	random_bytes(salt, sizeof(salt));
	r = derive(password, salt, key);
	if (r < 0)
		return error_set(err, r, "no memory to hash a password");
	(void)digest_to_base64url(salt, sizeof(salt), salt_text);
	(void)digest_to_base64url(key, sizeof(key), key_text);
	OPENSSL_cleanse(key, sizeof(key));
	(void)snprintf(ret, PASSWORD_HASH_LEN, "scrypt$%d$%d$%d$%s$%s", LOG_N, BLOCK, PARALLEL,
		       salt_text, key_text);
	return 0;
}

/* Only the parameters that password_hash() writes: a stored line cannot ask for gigabytes. */
static int read_hash(const char *hash, uint8_t salt[static SALT_LEN], uint8_t key[static KEY_LEN])
{
	char prefix[32];
	struct slice in = slice_str(hash), salt_text;
	bool found;

	(void)snprintf(prefix, sizeof(prefix), "scrypt$%d$%d$%d$", LOG_N, BLOCK, PARALLEL);
	if (!slice_skip(&in, slice_str(prefix)))
		return -EBADMSG;
	salt_text = slice_take_until(&in, '$', &found);
	if (!found || digest_from_base64url(salt_text, salt, SALT_LEN) != SALT_LEN ||
	    digest_from_base64url(in, key, KEY_LEN) != KEY_LEN)
		return -EBADMSG;
	return 0;
}

int password_verify(struct slice password, const char *hash)
{
	uint8_t salt[SALT_LEN], want[KEY_LEN], key[KEY_LEN];
	bool equal;
	int r;

	if (password.len > PASSWORD_MAX)
		return -EKEYREJECTED;
	r = read_hash(hash, salt, want);
	if (r == 0)
		r = derive(password, salt, key);
	if (r < 0)
		return r;
	equal = digest_equal(key, want, sizeof(key));
	OPENSSL_cleanse(key, sizeof(key));
	return equal ? 0 : -EKEYREJECTED;
}

int password_verify_none(struct slice password)
{
	uint8_t salt[SALT_LEN] = { 0 }, key[KEY_LEN];

	if (password.len <= PASSWORD_MAX)
		(void)derive(password, salt, key);
	OPENSSL_cleanse(key, sizeof(key));
	return -EKEYREJECTED;
}
