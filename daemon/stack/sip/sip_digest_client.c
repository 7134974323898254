/* SPDX-License-Identifier: Apache-2.0 */
/* sip_digest_client.c - answering a 401 or 407. RFC 3261 section 22, RFC 7616 section 3.4, RFC 8760. */
#include "stack/sip/sip_digest.h"

#include "base/buf.h"
#include "base/random.h"
#include "codec/sip/sip_auth.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"

struct choice {
	struct sip_auth auth;
	enum digest_kind kind;
	bool proxy, found;
};

static bool has_secret(const struct sip_digest_secret *secret, enum digest_kind kind)
{
	if (secret->password.len > 0)
		return true;
	return secret->ha1 && (kind == DIGEST_MD5 ? secret->ha1->md5[0] : secret->ha1->sha256[0]);
}

/* The strongest algorithm we have a secret for. */
static void consider(struct choice *best, const struct sip_header *h, bool proxy,
		     const struct sip_digest_secret *secret)
{
	struct sip_auth auth;
	enum digest_kind kind = DIGEST_MD5;

	if (sip_auth_parse(h->value, &auth) < 0 || !auth.digest || !auth.nonce.p)
		return;
	if (slice_eq_str_nocase(auth.algorithm, "SHA-256"))
		kind = DIGEST_SHA256;
	else if (auth.algorithm.p && !slice_eq_str_nocase(auth.algorithm, "MD5"))
		return;
	if (auth.qop.p && !sip_auth_qop_has(&auth, SLICE("auth")))
		return;
	if (!has_secret(secret, kind) || (best->found && best->kind >= kind))
		return;
	*best = (struct choice){ .auth = auth, .kind = kind, .proxy = proxy, .found = true };
}

static void look(struct choice *best, const struct sip_msg *msg, bool proxy,
		 const struct sip_digest_secret *secret)
{
	const struct sip_header *h =
		sip_msg_header(msg, proxy ? SIP_HDR_PROXY_AUTHENTICATE : SIP_HDR_WWW_AUTHENTICATE);

	for (; h; h = sip_msg_header_next(msg, h))
		consider(best, h, proxy, secret);
}

int sip_digest_answer(const struct sip_msg *challenge, struct slice method, struct slice uri,
		      const struct sip_digest_secret *secret, bool retried, struct buf *out)
{
	struct choice c = { 0 };
	struct sip_auth answer;
	char ha1[DIGEST_HEX_MAX], response[DIGEST_HEX_MAX], cnonce[17];
	bool qop;

	look(&c, challenge, challenge->status == 407, secret);
	if (!c.found)
		return -ENOENT;
	if (retried && !c.auth.stale)
		return -EKEYREJECTED;
	qop = c.auth.qop.p != NULL;
	random_token(cnonce, 16);
	answer = c.auth;
	answer.uri = uri;
	answer.cnonce = slice_str(cnonce);
	answer.nc = SLICE("00000001");
	answer.qop = qop ? SLICE("auth") : (struct slice){ 0 };
	if (secret->password.len > 0)
		sip_digest_ha1(c.kind, secret->user, c.auth.realm, secret->password, ha1);
	else
		(void)slice_copy(slice_str(c.kind == DIGEST_MD5 ? secret->ha1->md5
								: secret->ha1->sha256),
				 ha1, sizeof(ha1));
	sip_digest_response(c.kind, slice_str(ha1), &answer, method, response);
	buf_printf(out,
		   "%s: Digest username=\"%.*s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%.*s\", "
		   "response=\"%s\"",
		   c.proxy ? "Proxy-Authorization" : "Authorization", SLICE_ARG(secret->user),
		   SLICE_ARG(c.auth.realm), SLICE_ARG(c.auth.nonce), SLICE_ARG(uri), response);
	if (c.auth.algorithm.p)
		buf_printf(out, ", algorithm=%.*s", SLICE_ARG(c.auth.algorithm));
	if (qop)
		buf_printf(out, ", qop=auth, nc=00000001, cnonce=\"%s\"", cnonce);
	if (c.auth.opaque.p)
		buf_printf(out, ", opaque=\"%.*s\"", SLICE_ARG(c.auth.opaque));
	buf_add_str(out, "\r\n");
	return buf_ok(out) ? 0 : -ENOMEM;
}
