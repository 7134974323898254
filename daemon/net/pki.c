/* SPDX-License-Identifier: Apache-2.0 */
/* pki.c - keys, requests and what can be read off certificates. RFC 2986, RFC 5280. */
#include "net/pki.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "net/digest.h"
#include "net/pki_private.h"

/* Files ----------------------------------------------------------------------------------------- */

static int write_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.p, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes = slice_sub(bytes, (size_t)n, bytes.len);
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int sync_folder(const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	AUTO(fd) int fd = -1;

	if (slice_copy(slash ? slice_make(path, slash == path ? 1 : (size_t)(slash - path))
			     : SLICE("."),
		       folder, sizeof(folder)) < 0)
		return -ENAMETOOLONG;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int pki_write_file(const char *path, struct slice bytes, unsigned int mode, struct error *err)
{
	char temporary[4096];
	AUTO(fd) int fd = -1;
	int r;

	if (snprintf(temporary, sizeof(temporary), "%s.tmp.%d", path, (int)getpid()) >=
	    (int)sizeof(temporary))
		return error_set(err, -ENAMETOOLONG, "the path %s is too long", path);
	(void)unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_set(err, -errno, "cannot write %s", temporary);
	r = write_all(fd, bytes);
	if (r == 0 && fchmod(fd, mode) < 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(temporary);
		return error_set(err, r, "cannot write %s", path);
	}
	r = sync_folder(path);
	return r < 0 ? error_set(err, r, "cannot sync the folder of %s", path) : 0;
}

int pki_read_file(const char *path, char buf[static PKI_PEM_MAX + 1], struct slice *ret,
		  struct error *err)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return error_set(err, -errno, "cannot read %s", path);
	while ((n = read(fd, buf + len, PKI_PEM_MAX + 1 - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, -errno, "cannot read %s", path);
		len += (size_t)n;
		if (len > PKI_PEM_MAX)
			return error_set(err, -EFBIG, "%s is too large", path);
	}
	*ret = slice_make(buf, len);
	return 0;
}

/* Text of a memory BIO as a string for free(). */
char *pki_bio_text(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	return len > 0 ? strndup(data, (size_t)len) : NULL;
}

X509 *pki_parse_cert(struct slice pem)
{
	AUTO(bio) BIO *bio = pem.len <= PKI_PEM_MAX ? BIO_new_mem_buf(pem.p, (int)pem.len) : NULL;
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	ERR_clear_error();
	return cert;
}

/* Keys ------------------------------------------------------------------------------------------ */

int pki_key_new(struct pki_key **ret, struct error *err)
{
	AUTO(pki_key) struct pki_key *key = calloc(1, sizeof(*key));

	if (!key)
		return error_set(err, -ENOMEM, "no memory for a key");
	key->pkey = EVP_EC_gen("P-256");
	if (!key->pkey)
		return error_set(err, -EIO, "no key could be made");
	*ret = TAKE(key);
	return 0;
}

static int no_passphrase(char *buf, int size, int rwflag, void *user)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)user;
	return -1;
}

int pki_key_load(const char *path, struct pki_key **ret, struct error *err)
{
	char pem[PKI_PEM_MAX + 1];
	struct slice text;
	AUTO(bio) BIO *bio = NULL;
	AUTO(pki_key) struct pki_key *key = calloc(1, sizeof(*key));
	int r;

	if (!key)
		return error_set(err, -ENOMEM, "no memory for a key");
	r = pki_read_file(path, pem, &text, err);
	if (r < 0)
		return r;
	bio = BIO_new_mem_buf(text.p, (int)text.len);
	key->pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	OPENSSL_cleanse(pem, sizeof(pem));
	ERR_clear_error();
	if (!key->pkey)
		return error_set(err, -EBADMSG, "%s holds no private key", path);
	*ret = TAKE(key);
	return 0;
}

int pki_key_save(const struct pki_key *key, const char *path, struct error *err)
{
	AUTO(bio) BIO *bio = BIO_new(BIO_s_secmem());
	char *data;
	long len;

	if (!bio)
		return error_set(err, -ENOMEM, "no memory for a key");
	if (PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return error_set(err, -EIO, "the key cannot be written as text");
	len = BIO_get_mem_data(bio, &data);
	return pki_write_file(path, slice_make(data, (size_t)len), 0600, err);
}

int pki_key_load_or_create(const char *path, struct pki_key **ret, struct error *err)
{
	AUTO(pki_key) struct pki_key *key = NULL;
	int r;

	r = pki_key_load(path, &key, err);
	if (r == -ENOENT) {
		error_clear(err);
		r = pki_key_new(&key, err);
		if (r == 0)
			r = pki_key_save(key, path, err);
	}
	if (r < 0)
		return r;
	*ret = TAKE(key);
	return 0;
}

struct pki_key *pki_key_free(struct pki_key *key)
{
	if (!key)
		return NULL;
	EVP_PKEY_free(key->pkey);
	free(key);
	return NULL;
}

/* Requests -------------------------------------------------------------------------------------- */

bool pki_name_is_good(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	for (size_t i = 0; i < len; i++) {
		if (!ascii_is_alnum((unsigned char)name[i]) && name[i] != '.' && name[i] != '-')
			return false;
	}
	return len >= 1 && len <= 64;
}

int pki_set_common_name(X509_NAME *name, const char *common_name)
{
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					  (const unsigned char *)common_name, -1, -1, 0) == 1
		       ? 0
		       : -ENOMEM;
}

int pki_csr_make(const struct pki_key *key, const char *common_name, char **ret, struct error *err)
{
	AUTO(x509_req) X509_REQ *req = X509_REQ_new();
	AUTO(bio) BIO *bio = BIO_new(BIO_s_mem());
	AUTO(str) char *text = NULL;

	if (!pki_name_is_good(common_name))
		return error_set(err, -EINVAL,
				 "a name in a certificate is 1 to 64 of [A-Za-z0-9.-]");
	if (!req || !bio)
		return error_set(err, -ENOMEM, "no memory for a request");
	if (pki_set_common_name(X509_REQ_get_subject_name(req), common_name) < 0 ||
	    X509_REQ_set_pubkey(req, key->pkey) != 1 ||
	    X509_REQ_sign(req, key->pkey, EVP_sha256()) <= 0 ||
	    PEM_write_bio_X509_REQ(bio, req) != 1)
		return error_set(err, -EIO, "no certificate request could be made");
	text = pki_bio_text(bio);
	if (!text)
		return error_set(err, -ENOMEM, "no memory for a request");
	*ret = TAKE(text);
	return 0;
}

/* Certificates ---------------------------------------------------------------------------------- */

int pki_fingerprint(struct slice pem, char ret[static PKI_FINGERPRINT_LEN])
{
	AUTO(x509) X509 *cert = pki_parse_cert(pem);
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (!cert || X509_digest(cert, EVP_sha256(), raw, &len) != 1)
		return -EBADMSG;
	for (unsigned int i = 0; i < len; i++)
		(void)snprintf(ret + (size_t)3 * i, 4, "%02X%s", raw[i], i + 1 < len ? ":" : "");
	return 0;
}

int pki_not_after(struct slice cert_pem, int64_t *ret)
{
	AUTO(x509) X509 *cert = pki_parse_cert(cert_pem);
	struct tm tm;

	if (!cert || ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return -EBADMSG;
	*ret = (int64_t)timegm(&tm);
	return 0;
}

static int verify_chain(X509 *cert, X509 *ca, int64_t now, struct error *err)
{
	AUTO(x509_store) X509_STORE *store = X509_STORE_new();
	AUTO(x509_store_ctx) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	if (!store || !ctx || X509_STORE_add_cert(store, ca) != 1 ||
	    X509_STORE_CTX_init(ctx, store, cert, NULL) != 1)
		return error_set(err, -ENOMEM, "no memory to verify a certificate");
	X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)now);
	if (X509_verify_cert(ctx) != 1)
		return error_set(err, -EKEYREJECTED, "the certificate is not valid: %s",
				 X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	return 0;
}

int pki_verify(struct slice cert_pem, struct slice ca_pem, const struct pki_key *key, int64_t now,
	       struct error *err)
{
	AUTO(x509) X509 *cert = pki_parse_cert(cert_pem);
	AUTO(x509) X509 *ca = pki_parse_cert(ca_pem);

	if (!cert || !ca)
		return error_set(err, -EBADMSG, "not a certificate");
	if (key && X509_check_private_key(cert, key->pkey) != 1) {
		ERR_clear_error();
		return error_set(err, -EKEYREJECTED, "the certificate belongs to another key");
	}
	return verify_chain(cert, ca, now, err);
}
