/* SPDX-License-Identifier: Apache-2.0 */
/* pki_ca.c - the box's certificate authority: what it signs is decided here, never by the request.
 * RFC 5280. */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/random.h"
#include "net/addr.h"
#include "net/pki_private.h"

#define DAY_S 86400L
#define BACKDATE_S 86400L /* a guest's clock may be behind the box's */

static int add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	AUTO(x509_extension) X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);

	return ext && X509_add_ext(cert, ext, -1) == 1 ? 0 : -EIO;
}

static int set_serial_and_time(X509 *cert, uint32_t days)
{
	uint8_t serial[16];
	BIGNUM *number;
	bool ok;

	random_bytes(serial, sizeof(serial));
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, never zero */
	number = BN_bin2bn(serial, sizeof(serial), NULL);
	ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
	BN_free(number);
	ok = ok && X509_set_version(cert, X509_VERSION_3) == 1 &&
	     X509_gmtime_adj(X509_getm_notBefore(cert), -BACKDATE_S) &&
	     X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * DAY_S);
	return ok ? 0 : -EIO;
}

static char *cert_text(X509 *cert)
{
	AUTO(bio) BIO *bio = BIO_new(BIO_s_mem());

	return bio && PEM_write_bio_X509(bio, cert) == 1 ? pki_bio_text(bio) : NULL;
}

/* The CA itself --------------------------------------------------------------------------------- */

static int make_ca_cert(struct pki_ca *ca, const char *name, struct error *err)
{
	X509V3_CTX ctx;
	X509 *cert = X509_new();
	int r;

	if (!cert)
		return error_set(err, -ENOMEM, "no memory for a certificate");
	ca->cert = cert;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	r = set_serial_and_time(cert, PKI_CA_DAYS);
	if (r == 0)
		r = pki_set_common_name(X509_get_subject_name(cert), name);
	if (r == 0 && (X509_set_issuer_name(cert, X509_get_subject_name(cert)) != 1 ||
		       X509_set_pubkey(cert, ca->key->pkey) != 1))
		r = -EIO;
	if (r == 0)
		r = add_extension(cert, &ctx, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	if (r == 0)
		r = add_extension(cert, &ctx, NID_key_usage, "critical,keyCertSign,cRLSign");
	if (r == 0)
		r = add_extension(cert, &ctx, NID_subject_key_identifier, "hash");
	if (r == 0 && X509_sign(cert, ca->key->pkey, EVP_sha256()) <= 0)
		r = -EIO;
	return r < 0 ? error_set(err, r, "no CA certificate could be made") : 0;
}

static int create_ca(struct pki_ca *ca, const char *name, const char *cert_path,
		     const char *key_path, struct error *err)
{
	int r;

	if (!pki_name_is_good(name))
		return error_set(err, -EINVAL, "a CA's name is 1 to 64 of [A-Za-z0-9.-]");
	/* A key without its certificate is what a crash in between leaves: it is used. */
	r = pki_key_load_or_create(key_path, &ca->key, err);
	if (r == 0)
		r = make_ca_cert(ca, name, err);
	if (r < 0)
		return r;
	ca->pem = cert_text(ca->cert);
	if (!ca->pem)
		return error_set(err, -ENOMEM, "no memory for a certificate");
	return pki_write_file(cert_path, slice_str(ca->pem), 0644, err);
}

static int load_ca(struct pki_ca *ca, struct slice pem, const char *key_path, struct error *err)
{
	int r;

	ca->cert = pki_parse_cert(pem);
	if (!ca->cert)
		return error_set(err, -EBADMSG, "the CA certificate is damaged");
	ca->pem = cert_text(ca->cert);
	if (!ca->pem)
		return error_set(err, -ENOMEM, "no memory for a certificate");
	r = pki_key_load(key_path, &ca->key, err);
	if (r < 0)
		return r;
	if (X509_check_private_key(ca->cert, ca->key->pkey) != 1) {
		ERR_clear_error();
		return error_set(err, -EKEYREJECTED, "the CA's key and certificate differ");
	}
	return 0;
}

int pki_ca_open(const char *dir, const char *name, struct pki_ca **ret, struct error *err)
{
	char cert_path[4096], key_path[4096], pem[PKI_PEM_MAX + 1];
	AUTO(pki_ca) struct pki_ca *ca = calloc(1, sizeof(*ca));
	struct slice text;
	int r;

	if (!ca)
		return error_set(err, -ENOMEM, "no memory for the CA");
	if (snprintf(cert_path, sizeof(cert_path), "%s/ca.pem", dir) >= (int)sizeof(cert_path) ||
	    snprintf(key_path, sizeof(key_path), "%s/ca-key.pem", dir) >= (int)sizeof(key_path))
		return error_set(err, -ENAMETOOLONG, "the path %s is too long", dir);
	r = pki_read_file(cert_path, pem, &text, err);
	if (r == -ENOENT) {
		error_clear(err);
		r = create_ca(ca, name, cert_path, key_path, err);
	} else if (r == 0) {
		r = load_ca(ca, text, key_path, err);
	}
	if (r < 0)
		return r;
	*ret = TAKE(ca);
	return 0;
}

struct pki_ca *pki_ca_free(struct pki_ca *ca)
{
	if (!ca)
		return NULL;
	X509_free(ca->cert);
	pki_key_free(ca->key);
	free(ca->pem);
	free(ca);
	return NULL;
}

const char *pki_ca_pem(const struct pki_ca *ca)
{
	return ca->pem;
}

/* Signing --------------------------------------------------------------------------------------- */

/* "DNS:a,IP:b" with every part checked: the text goes through OpenSSL's configuration syntax. */
static int write_san(const struct pki_subject *subject, struct buf *out, struct error *err)
{
	struct addr addr;
	char ip[ADDR_TEXT_MAX];

	for (size_t i = 0; i < PKI_SAN_MAX && subject->dns[i]; i++) {
		size_t len = strlen(subject->dns[i]);

		for (size_t k = 0; k < len; k++) {
			unsigned char c = (unsigned char)subject->dns[i][k];

			if (!ascii_is_alnum(c) && c != '.' && c != '-')
				len = 0;
		}
		if (len == 0 || len > 253)
			return error_set(err, -EINVAL, "'%s' is no host name", subject->dns[i]);
		buf_printf(out, "%sDNS:%s", out->len ? "," : "", subject->dns[i]);
	}
	for (size_t i = 0; i < PKI_SAN_MAX && subject->ip[i]; i++) {
		if (addr_parse_ip(slice_str(subject->ip[i]), 0, &addr) < 0)
			return error_set(err, -EINVAL, "'%s' is no IP address", subject->ip[i]);
		buf_printf(out, "%sIP:%s", out->len ? "," : "", addr_format_ip(&addr, ip));
	}
	return buf_ok(out) ? 0 : error_set(err, -ENOMEM, "no memory for a certificate");
}

static int add_leaf_extensions(const struct pki_ca *ca, X509 *cert,
			       const struct pki_subject *subject, const char *san)
{
	const char *usage = subject->server && subject->client ? "serverAuth,clientAuth"
			    : subject->server		       ? "serverAuth"
							       : "clientAuth";
	X509V3_CTX ctx;
	int r;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, ca->cert, cert, NULL, NULL, 0);
	r = add_extension(cert, &ctx, NID_basic_constraints, "critical,CA:FALSE");
	if (r == 0)
		r = add_extension(cert, &ctx, NID_key_usage, "critical,digitalSignature");
	if (r == 0)
		r = add_extension(cert, &ctx, NID_ext_key_usage, usage);
	if (r == 0)
		r = add_extension(cert, &ctx, NID_subject_key_identifier, "hash");
	if (r == 0)
		r = add_extension(cert, &ctx, NID_authority_key_identifier, "keyid");
	if (r == 0 && san[0])
		r = add_extension(cert, &ctx, NID_subject_alt_name, san);
	return r;
}

static int issue(const struct pki_ca *ca, EVP_PKEY *key, const struct pki_subject *subject,
		 char **ret, struct error *err)
{
	AUTO(x509) X509 *cert = X509_new();
	AUTO_BUF san = { 0 };
	AUTO(str) char *text = NULL;
	int r;

	if (!pki_name_is_good(subject->common_name) || (!subject->server && !subject->client))
		return error_set(err, -EINVAL,
				 "a certificate needs a name of [A-Za-z0-9.-] and a use");
	r = write_san(subject, &san, err);
	if (r < 0)
		return r;
	if (!cert)
		return error_set(err, -ENOMEM, "no memory for a certificate");
	r = set_serial_and_time(cert, subject->days ? subject->days : PKI_CERT_DAYS);
	if (r == 0)
		r = pki_set_common_name(X509_get_subject_name(cert), subject->common_name);
	if (r == 0 && (X509_set_issuer_name(cert, X509_get_subject_name(ca->cert)) != 1 ||
		       X509_set_pubkey(cert, key) != 1))
		r = -EIO;
	if (r == 0)
		r = add_leaf_extensions(ca, cert, subject, san.len ? san.data : "");
	if (r == 0 && X509_sign(cert, ca->key->pkey, EVP_sha256()) <= 0)
		r = -EIO;
	if (r == 0)
		text = cert_text(cert);
	if (!text) {
		ERR_clear_error();
		return error_set(err, r < 0 ? r : -ENOMEM, "the certificate could not be made");
	}
	*ret = TAKE(text);
	return 0;
}

static bool is_p256(EVP_PKEY *key)
{
	char group[64];
	size_t len = 0;

	return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
	       strcmp(group, SN_X9_62_prime256v1) == 0;
}

int pki_ca_sign(const struct pki_ca *ca, struct slice csr_pem, const struct pki_subject *subject,
		char **ret, struct error *err)
{
	AUTO(bio) BIO *bio = NULL;
	AUTO(x509_req) X509_REQ *req = NULL;
	EVP_PKEY *key;

	if (csr_pem.len == 0 || csr_pem.len > PKI_PEM_MAX)
		return error_set(err, -EBADMSG, "not a certificate request");
	bio = BIO_new_mem_buf(csr_pem.p, (int)csr_pem.len);
	req = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
	key = req ? X509_REQ_get0_pubkey(req) : NULL;
	ERR_clear_error();
	if (!key)
		return error_set(err, -EBADMSG, "not a certificate request");
	if (!is_p256(key) || X509_REQ_verify(req, key) != 1) {
		ERR_clear_error();
		return error_set(err, -EKEYREJECTED,
				 "the request is not signed by its own P-256 key");
	}
	return issue(ca, key, subject, ret, err);
}

/* The box's own certificates ----------------------------------------------------------------------- */

static bool subject_matches(X509 *cert, const struct pki_subject *subject)
{
	char name[80];

	if (X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
				      sizeof(name)) < 0 ||
	    strcmp(name, subject->common_name) != 0)
		return false;
	for (size_t i = 0; i < PKI_SAN_MAX && subject->dns[i]; i++) {
		if (X509_check_host(cert, subject->dns[i], 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
				    NULL) != 1)
			return false;
	}
	for (size_t i = 0; i < PKI_SAN_MAX && subject->ip[i]; i++) {
		if (X509_check_ip_asc(cert, subject->ip[i], 0) != 1)
			return false;
	}
	return true;
}

static bool is_current(const struct pki_ca *ca, const char *path, const struct pki_key *key,
		       const struct pki_subject *subject)
{
	char pem[PKI_PEM_MAX + 1];
	struct slice text;
	AUTO(x509) X509 *cert = NULL;
	int64_t now = (int64_t)time(NULL), ends;
	uint32_t days = subject->days ? subject->days : PKI_CERT_DAYS;

	if (pki_read_file(path, pem, &text, NULL) < 0)
		return false;
	cert = pki_parse_cert(text);
	return cert && subject_matches(cert, subject) &&
	       pki_verify(text, slice_str(ca->pem), key, now, NULL) == 0 &&
	       pki_not_after(text, &ends) == 0 && ends - now > (int64_t)days * DAY_S / 3;
}

int pki_ca_issue_local(const struct pki_ca *ca, const char *dir, const char *name,
		       const struct pki_subject *subject, struct error *err)
{
	char cert_path[4096], key_path[4096];
	AUTO(pki_key) struct pki_key *key = NULL;
	AUTO(str) char *text = NULL;
	int r;

	if (snprintf(cert_path, sizeof(cert_path), "%s/%s.pem", dir, name) >=
		    (int)sizeof(cert_path) ||
	    snprintf(key_path, sizeof(key_path), "%s/%s-key.pem", dir, name) >=
		    (int)sizeof(key_path))
		return error_set(err, -ENAMETOOLONG, "the path %s is too long", dir);
	r = pki_key_load_or_create(key_path, &key, err);
	if (r < 0)
		return r;
	if (is_current(ca, cert_path, key, subject))
		return 0;
	r = issue(ca, key->pkey, subject, &text, err);
	if (r == 0)
		r = pki_write_file(cert_path, slice_str(text), 0644, err);
	return r < 0 ? r : 1;
}
