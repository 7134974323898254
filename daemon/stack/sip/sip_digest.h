/* SPDX-License-Identifier: Apache-2.0 */
/* sip_digest.h - digest authentication, both sides: MD5 and SHA-256, qop=auth, single-use nonces.
 * RFC 3261 section 22, RFC 7616, RFC 8760.
 *
 * A nonce is issue time, epoch and a serial number under an HMAC: no memory until it is used. Used
 * ones are remembered until they would have expired; if too many are, the oldest expire early. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "net/digest.h"

struct buf;
struct clock;
struct sip_auth;
struct sip_digest; /* opaque, see sip_digest.c */
struct sip_msg;

struct sip_digest_config {
	const struct clock *clock;
	uint32_t nonce_ttl_ms;	/* 0 = 30,000 */
	uint32_t epoch;		/* another one makes all nonces of before stale */
	uint32_t used_max;	/* 0 = 65,536 */
	const char *algorithms; /* "MD5", "SHA-256", "SHA-256,MD5": challenges in this order */
};

/* Errors: -ENOMEM, -EINVAL an unknown algorithm. */
int sip_digest_new(const struct sip_digest_config *config, struct sip_digest **ret,
		   struct error *err);
struct sip_digest *sip_digest_free(struct sip_digest *digest);
DEFINE_AUTO(sip_digest)
void sip_digest_set_epoch(struct sip_digest *digest, uint32_t epoch);

/* Append one WWW-Authenticate (proxy: Proxy-Authenticate) line with CRLF for each algorithm. */
void sip_digest_challenge(struct sip_digest *digest, bool proxy, struct slice realm, bool stale,
			  struct buf *out);

/* The credentials for that realm among the request's (Proxy-)Authorization fields.
 * 0; -ENOENT none for the realm; -EBADMSG malformed (answer 400). */
int sip_digest_credentials(const struct sip_msg *request, bool proxy, struct slice realm,
			   struct sip_auth *ret);

/* Hashes of "user:realm:password" in hex; a missing one is "". */
struct sip_digest_ha1 {
	char md5[33];
	char sha256[65];
};
void sip_digest_ha1(enum digest_kind kind, struct slice user, struct slice realm,
		    struct slice password, char ret[static DIGEST_HEX_MAX]);

/* Check credentials for a request of that method and Request-URI. ha1 NULL = unknown user (takes
 * the same time). On 0 the nonce is used up; the same transaction must not be checked again.
 *   0              right
 *   -EKEYREJECTED  wrong response, user, URI or algorithm: challenge anew (stale=false)
 *   -ESTALE        right, but the nonce is expired, used, of another epoch: challenge, stale=true
 *   -EBADMSG       a field is missing or qop is not "auth": 400 */
int sip_digest_verify(struct sip_digest *digest, const struct sip_auth *auth, struct slice method,
		      struct slice uri, const struct sip_digest_ha1 *ha1);

/* Client: the credential line (with CRLF) for a 401 or 407, taking the strongest challenge that we
 * have a secret for. user and password, or ha1 by its algorithm. Errors: -ENOENT no challenge we can
 * answer, -EKEYREJECTED the credentials of this request were refused (not stale). */
struct sip_digest_secret {
	struct slice user;
	struct slice password;		  /* empty = ha1 is used */
	const struct sip_digest_ha1 *ha1; /* may be NULL */
};
int sip_digest_answer(const struct sip_msg *challenge, struct slice method, struct slice uri,
		      const struct sip_digest_secret *secret, bool retried, struct buf *out);

/* The response value itself, hex, for tests and tools (RFC 7616 section 3.4.1; qop empty = RFC 2069).
 */
void sip_digest_response(enum digest_kind kind, struct slice ha1_hex, const struct sip_auth *auth,
			 struct slice method, char ret[static DIGEST_HEX_MAX]);

struct sip_digest_stats {
	uint64_t accepted, rejected, stale, replayed;
	size_t used;
};
struct sip_digest_stats sip_digest_stats(const struct sip_digest *digest);
