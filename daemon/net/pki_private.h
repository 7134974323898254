/* SPDX-License-Identifier: Apache-2.0 */
/* pki_private.h - what pki.c and pki_ca.c share. */
#pragma once
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "net/pki.h"

DEFINE_AUTO_CALL(bio, BIO *, BIO_free)
DEFINE_AUTO_CALL(x509, X509 *, X509_free)
DEFINE_AUTO_CALL(x509_req, X509_REQ *, X509_REQ_free)
DEFINE_AUTO_CALL(x509_store, X509_STORE *, X509_STORE_free)
DEFINE_AUTO_CALL(x509_store_ctx, X509_STORE_CTX *, X509_STORE_CTX_free)
DEFINE_AUTO_CALL(x509_extension, X509_EXTENSION *, X509_EXTENSION_free)

struct pki_key {
	EVP_PKEY *pkey;
};

struct pki_ca {
	X509 *cert;
	struct pki_key *key;
	char *pem;
};

/* Errors: -ENOENT and others of open(), -EFBIG. */
int pki_read_file(const char *path, char buf[static PKI_PEM_MAX + 1], struct slice *ret,
		  struct error *err);
char *pki_bio_text(BIO *bio);
X509 *pki_parse_cert(struct slice pem);
bool pki_name_is_good(const char *name);
int pki_set_common_name(X509_NAME *name, const char *common_name);
