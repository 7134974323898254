/* SPDX-License-Identifier: Apache-2.0 */
/* seal.c - AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits, see seal.h. */
#include "net/seal.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/random.h"
#include "net/digest.h"
#include "net/pki.h"

#define NONCE_LEN 12
#define TAG_LEN 16
#define RAW_MAX (NONCE_LEN + SEAL_PLAIN_MAX + TAG_LEN)
#define PREFIX "v1."

static void context_free(EVP_CIPHER_CTX **context)
{
	EVP_CIPHER_CTX_free(*context);
}
#define AUTO_CONTEXT __attribute__((cleanup(context_free))) EVP_CIPHER_CTX

int seal_text(const uint8_t key[static SEAL_KEY_LEN], struct slice purpose, struct slice plain,
	      char ret[static SEAL_TEXT_MAX])
{
	AUTO_CONTEXT *context = EVP_CIPHER_CTX_new();
	uint8_t raw[RAW_MAX];
	uint8_t *body = raw + NONCE_LEN;
	int n = 0;

	if (plain.len > SEAL_PLAIN_MAX)
		return -EINVAL;
	if (!context)
		return -ENOMEM;
	random_bytes(raw, NONCE_LEN);
	if (EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, raw) != 1 ||
	    EVP_EncryptUpdate(context, NULL, &n, (const uint8_t *)purpose.p, (int)purpose.len) !=
		    1 ||
	    EVP_EncryptUpdate(context, body, &n, (const uint8_t *)plain.p, (int)plain.len) != 1 ||
	    EVP_EncryptFinal_ex(context, body + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_LEN, body + plain.len) != 1)
		return -ENOMEM;
	memcpy(ret, PREFIX, sizeof(PREFIX));
	digest_to_base64url(raw, NONCE_LEN + plain.len + TAG_LEN, ret + sizeof(PREFIX) - 1);
	return 0;
}

ssize_t seal_open(const uint8_t key[static SEAL_KEY_LEN], struct slice purpose, struct slice sealed,
		  char ret[static SEAL_PLAIN_MAX + 1])
{
	AUTO_CONTEXT *context = EVP_CIPHER_CTX_new();
	uint8_t raw[RAW_MAX];
	ssize_t len;
	int n = 0;

	if (!context)
		return -ENOMEM;
	if (!slice_starts_with_nocase(sealed, SLICE(PREFIX)))
		return -EBADMSG;
	len = digest_from_base64url(slice_sub(sealed, sizeof(PREFIX) - 1, sealed.len), raw,
				    sizeof(raw));
	if (len < NONCE_LEN + TAG_LEN)
		return -EBADMSG;
	len -= NONCE_LEN + TAG_LEN;
	if (EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, raw) != 1 ||
	    EVP_DecryptUpdate(context, NULL, &n, (const uint8_t *)purpose.p, (int)purpose.len) !=
		    1 ||
	    EVP_DecryptUpdate(context, (uint8_t *)ret, &n, raw + NONCE_LEN, (int)len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_LEN, raw + NONCE_LEN + len) !=
		    1 ||
	    EVP_DecryptFinal_ex(context, (uint8_t *)ret + len, &n) != 1) {
		explicit_bzero(ret, (size_t)len + 1);
		return -EBADMSG;
	}
	ret[len] = '\0';
	return len;
}

int seal_key_load(const char *path, uint8_t ret[static SEAL_KEY_LEN], struct error *err)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char hex[SEAL_KEY_HEX + 1];
	ssize_t n;
	int r = 0;

	if (fd < 0 && errno != ENOENT)
		return error_set(err, -errno, "cannot read %s", path);
	if (fd < 0) {
		random_bytes(ret, SEAL_KEY_LEN);
		digest_to_hex(ret, SEAL_KEY_LEN, hex);
		r = pki_write_file(path, slice_str(hex), 0600, err);
	} else {
		n = read(fd, hex, sizeof(hex));
		if (n < 0)
			return error_set(err, -errno, "cannot read %s", path);
		if (digest_from_hex(slice_trim(slice_make(hex, (size_t)n)), ret, SEAL_KEY_LEN) !=
		    SEAL_KEY_LEN)
			r = error_set(err, -EBADMSG, "%s holds no key", path);
	}
	explicit_bzero(hex, sizeof(hex));
	return r;
}
