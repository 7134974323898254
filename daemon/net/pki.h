/* SPDX-License-Identifier: Apache-2.0 */
/* pki.h - the box's certificate authority: keys, requests, certificates (ECDSA P-256, SHA-256). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct error;
struct pki_ca;	/* opaque: CA certificate and key */
struct pki_key; /* opaque: a private key */

#define PKI_PEM_MAX 16384      /* bytes of one PEM document that is read */
#define PKI_SAN_MAX 8	       /* alternative names a certificate */
#define PKI_FINGERPRINT_LEN 96 /* "AB:CD:..." of SHA-256 with NUL */
#define PKI_CA_DAYS 7300
#define PKI_CERT_DAYS 825

/* Private keys ------------------------------------------------------------------------------- */
int pki_key_new(struct pki_key **ret, struct error *err); /* fresh P-256 key */
int pki_key_load(const char *path, struct pki_key **ret, struct error *err);
/* Load path, or make a key and write it there (0600, temporary file + fsync + rename). */
int pki_key_load_or_create(const char *path, struct pki_key **ret, struct error *err);
int pki_key_save(const struct pki_key *key, const char *path, struct error *err);
struct pki_key *pki_key_free(struct pki_key *key);
DEFINE_AUTO(pki_key)

/* Certificate requests ----------------------------------------------------------------------- */
/* A PEM request for the CN, signed with key. *ret is a NUL-terminated string for free(). */
int pki_csr_make(const struct pki_key *key, const char *common_name, char **ret, struct error *err);

/* What a certificate says; the requester's wishes are never copied, the signer decides. */
struct pki_subject {
	const char *common_name;      /* 1..64 of [A-Za-z0-9.-] */
	const char *dns[PKI_SAN_MAX]; /* NULL-terminated unless full */
	const char *ip[PKI_SAN_MAX];  /* IP literals */
	bool server, client;	      /* extended key usage */
	uint32_t days;		      /* 0 = PKI_CERT_DAYS */
};

/* The CA --------------------------------------------------------------------------------------- */
/* Load DIR/ca.pem and DIR/ca-key.pem, or create both (key 0600). name: CN of a new CA.
 * Errors: -EIO, -EBADMSG damaged files, -EKEYREJECTED they do not belong together. */
int pki_ca_open(const char *dir, const char *name, struct pki_ca **ret, struct error *err);
struct pki_ca *pki_ca_free(struct pki_ca *ca);
DEFINE_AUTO(pki_ca)
const char *pki_ca_pem(const struct pki_ca *ca); /* the CA certificate, lives as long as ca */
/* Verify the request's own signature and key (P-256 only) and sign subject over its key. *ret is a
 * PEM string for free(). Errors: -EBADMSG not a request, -EKEYREJECTED bad signature or key,
 * -EINVAL bad subject. */
int pki_ca_sign(const struct pki_ca *ca, struct slice csr_pem, const struct pki_subject *subject,
		char **ret, struct error *err);
/* A key and certificate of the box itself: DIR/NAME-key.pem (0600) and DIR/NAME.pem, made or
 * renewed when missing, for another subject, or in the last third of their life.
 * Returns 1 when something was written, else 0. */
int pki_ca_issue_local(const struct pki_ca *ca, const char *dir, const char *name,
		       const struct pki_subject *subject, struct error *err);

/* Certificates ----------------------------------------------------------------------------------- */
/* "AB:CD:..." SHA-256 of the first certificate in the PEM. Errors: -EBADMSG. */
int pki_fingerprint(struct slice pem, char ret[static PKI_FINGERPRINT_LEN]);
/* 0 when the certificate is signed by the CA in ca_pem, is valid at unix time `now` and belongs to
 * key (NULL = not checked). Errors: -EBADMSG, -EKEYREJECTED. */
int pki_verify(struct slice cert_pem, struct slice ca_pem, const struct pki_key *key, int64_t now,
	       struct error *err);
int pki_not_after(struct slice cert_pem, int64_t *ret); /* unix seconds; -EBADMSG */

/* Write bytes as path with mode through a temporary file, fsync, rename, fsync of the folder. */
int pki_write_file(const char *path, struct slice bytes, unsigned int mode, struct error *err);
