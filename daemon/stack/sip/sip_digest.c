/* SPDX-License-Identifier: Apache-2.0 */
/* sip_digest.c - the server's side: nonces and their one use, verification. RFC 7616, RFC 8760. */
#include "stack/sip/sip_digest.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/random.h"
#include "codec/sip/sip_auth.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"

#define NONCE_MAC_LEN 12
#define NONCE_TEXT_LEN 48 /* 32 bytes as base64url, with NUL */

struct nonce { /* packed by hand, big to small */
	uint64_t issued_ms;
	uint64_t serial;
	uint32_t epoch;
};
#define NONCE_BODY_LEN 20

struct used {
	struct map_node node;
	uint64_t serial, issued_ms, used_ms;
};

struct sip_digest {
	const struct clock *clock;
	uint64_t ttl_ms;
	uint32_t epoch, used_max;
	enum digest_kind algorithms[2];
	size_t algorithm_count;
	uint8_t secret[32];
	uint64_t next_serial;
	uint64_t floor_ms; /* nonces issued up to here are stale: their use may be forgotten */
	struct map by_serial;
	struct used *ring; /* in order of use */
	uint32_t head, count;
	struct sip_digest_stats stats;
};

static const char *const algorithm_names[] = { [DIGEST_MD5] = "MD5", [DIGEST_SHA256] = "SHA-256" };

/* What becomes of a nonce in right credentials. */
enum nonce_state { NONCE_FRESH, NONCE_USED, NONCE_EXPIRED, NONCE_FOREIGN };

static int parse_algorithm(struct slice name, enum digest_kind *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithm_names); i++) {
		if (slice_eq_str_nocase(name, algorithm_names[i])) {
			*ret = (enum digest_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_algorithms(struct sip_digest *d, struct slice list)
{
	bool more = true;

	while (more) {
		struct slice name = slice_trim(slice_take_until(&list, ',', &more));

		if (d->algorithm_count == ARRAY_SIZE(d->algorithms) ||
		    parse_algorithm(name, &d->algorithms[d->algorithm_count]) < 0)
			return -EINVAL;
		d->algorithm_count++;
	}
	return 0;
}

int sip_digest_new(const struct sip_digest_config *config, struct sip_digest **ret,
		   struct error *err)
{
	AUTO(sip_digest) struct sip_digest *d = calloc(1, sizeof(*d));

	if (!d)
		return error_set(err, -ENOMEM, "no memory for digest authentication");
	d->clock = config->clock;
	d->ttl_ms = config->nonce_ttl_ms ? config->nonce_ttl_ms : 30000;
	d->epoch = config->epoch;
	d->used_max = config->used_max ? config->used_max : 65536;
	random_bytes(d->secret, sizeof(d->secret));
	map_init(&d->by_serial);
	if (parse_algorithms(d, slice_str(config->algorithms ? config->algorithms : "MD5")) < 0)
		return error_set(err, -EINVAL, "digest algorithms are MD5 and SHA-256");
	d->ring = calloc(d->used_max, sizeof(*d->ring));
	if (!d->ring)
		return error_set(err, -ENOMEM, "no memory for digest authentication");
	*ret = TAKE(d);
	return 0;
}

struct sip_digest *sip_digest_free(struct sip_digest *digest)
{
	if (!digest)
		return NULL;
	map_done(&digest->by_serial);
	free(digest->ring);
	free(digest);
	return NULL;
}

void sip_digest_set_epoch(struct sip_digest *digest, uint32_t epoch)
{
	digest->epoch = epoch;
}

/* Nonces ---------------------------------------------------------------------------------------- */

static void pack(const struct nonce *n, uint8_t out[static NONCE_BODY_LEN])
{
	for (int i = 0; i < 8; i++) {
		out[i] = (uint8_t)(n->issued_ms >> (56 - 8 * i));
		out[8 + i] = (uint8_t)(n->serial >> (56 - 8 * i));
	}
	for (int i = 0; i < 4; i++)
		out[16 + i] = (uint8_t)(n->epoch >> (24 - 8 * i));
}

static void unpack(const uint8_t in[static NONCE_BODY_LEN], struct nonce *n)
{
	*n = (struct nonce){ 0 };
	for (int i = 0; i < 8; i++) {
		n->issued_ms = n->issued_ms << 8 | in[i];
		n->serial = n->serial << 8 | in[8 + i];
	}
	for (int i = 0; i < 4; i++)
		n->epoch = n->epoch << 8 | in[16 + i];
}

static void sign(const struct sip_digest *d, const uint8_t body[static NONCE_BODY_LEN],
		 uint8_t mac[static DIGEST_TAG_LEN])
{
	struct slice part = slice_make(body, NONCE_BODY_LEN);

	digest_tag(d->secret, &part, 1, mac);
}

static void make_nonce(struct sip_digest *d, char text[static NONCE_TEXT_LEN])
{
	struct nonce n = { clock_now(d->clock), ++d->next_serial, d->epoch };
	uint8_t raw[NONCE_BODY_LEN + NONCE_MAC_LEN], mac[DIGEST_TAG_LEN];

	pack(&n, raw);
	sign(d, raw, mac);
	memcpy(raw + NONCE_BODY_LEN, mac, NONCE_MAC_LEN);
	(void)digest_to_base64url(raw, sizeof(raw), text);
}

static bool read_nonce(const struct sip_digest *d, struct slice text, struct nonce *ret)
{
	uint8_t raw[NONCE_BODY_LEN + NONCE_MAC_LEN], mac[DIGEST_TAG_LEN];

	if (digest_from_base64url(text, raw, sizeof(raw)) != (ssize_t)sizeof(raw))
		return false;
	sign(d, raw, mac);
	if (!digest_equal(mac, raw + NONCE_BODY_LEN, NONCE_MAC_LEN))
		return false;
	unpack(raw, ret);
	return true;
}

static struct used *oldest(struct sip_digest *d)
{
	return &d->ring[(d->head + d->used_max - d->count) % d->used_max];
}

static void forget_expired(struct sip_digest *d, uint64_t now)
{
	while (d->count > 0 && oldest(d)->used_ms + d->ttl_ms < now) {
		(void)map_remove(&d->by_serial, &oldest(d)->node);
		d->count--;
	}
}

/* Remember the use. When there is no room the oldest entry goes, and with it every nonce as old as
 * its: they are stale from now on, so none can be used twice. */
static void remember(struct sip_digest *d, const struct nonce *n, uint64_t now)
{
	struct used *u;

	if (d->count == d->used_max) {
		u = oldest(d);
		if (u->issued_ms > d->floor_ms)
			d->floor_ms = u->issued_ms;
		(void)map_remove(&d->by_serial, &u->node);
		d->count--;
	}
	u = &d->ring[d->head];
	*u = (struct used){ .serial = n->serial, .issued_ms = n->issued_ms, .used_ms = now };
	if (map_add(&d->by_serial, &u->node, slice_make(&u->serial, sizeof(u->serial))) < 0) {
		d->floor_ms = now; /* without memory no nonce of up to now is taken */
		return;
	}
	d->head = (d->head + 1) % d->used_max;
	d->count++;
}

static enum nonce_state state_of(struct sip_digest *d, struct slice text, uint64_t now,
				 struct nonce *n)
{
	if (!read_nonce(d, text, n) || n->epoch != d->epoch)
		return NONCE_FOREIGN;
	if (n->issued_ms > now || now - n->issued_ms > d->ttl_ms)
		return NONCE_EXPIRED;
	if (map_get(&d->by_serial, slice_make(&n->serial, sizeof(n->serial))))
		return NONCE_USED;
	return d->floor_ms > 0 && n->issued_ms <= d->floor_ms ? NONCE_EXPIRED : NONCE_FRESH;
}

/* Challenge and credentials ------------------------------------------------------------------------ */

void sip_digest_challenge(struct sip_digest *digest, bool proxy, struct slice realm, bool stale,
			  struct buf *out)
{
	char nonce[NONCE_TEXT_LEN];

	if (buf_reserve(out, 256 * digest->algorithm_count) < 0) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < digest->algorithm_count; i++) {
		make_nonce(digest, nonce);
		buf_add_slice(out, sip_header_name(proxy ? SIP_HDR_PROXY_AUTHENTICATE
							 : SIP_HDR_WWW_AUTHENTICATE));
		buf_add_str(out, ": Digest realm=\"");
		buf_add_slice(out, realm);
		buf_add_str(out, "\", nonce=\"");
		buf_add_str(out, nonce);
		buf_add_str(out, "\", algorithm=");
		buf_add_str(out, algorithm_names[digest->algorithms[i]]);
		buf_add_str(out, ", qop=\"auth\"");
		buf_add_str(out, stale ? ", stale=true\r\n" : "\r\n");
	}
}

int sip_digest_credentials(const struct sip_msg *request, bool proxy, struct slice realm,
			   struct sip_auth *ret)
{
	enum sip_header_id id = proxy ? SIP_HDR_PROXY_AUTHORIZATION : SIP_HDR_AUTHORIZATION;
	const struct sip_header *h = sip_msg_header(request, id);
	bool malformed = false;

	for (; h; h = sip_msg_header_next(request, h)) {
		struct sip_auth auth;

		if (sip_auth_parse(h->value, &auth) < 0) {
			malformed = true;
			continue;
		}
		if (auth.digest && slice_eq(auth.realm, realm)) {
			*ret = auth;
			return 0;
		}
	}
	return malformed ? -EBADMSG : -ENOENT;
}

void sip_digest_ha1(enum digest_kind kind, struct slice user, struct slice realm,
		    struct slice password, char ret[static DIGEST_HEX_MAX])
{
	const struct slice parts[] = { user, realm, password };

	digest_hex_joined(kind, parts, ARRAY_SIZE(parts), ret);
}

void sip_digest_response(enum digest_kind kind, struct slice ha1_hex, const struct sip_auth *auth,
			 struct slice method, char ret[static DIGEST_HEX_MAX])
{
	const struct slice a2[] = { method, auth->uri };
	char ha2[DIGEST_HEX_MAX];

	digest_hex_joined(kind, a2, ARRAY_SIZE(a2), ha2);
	if (auth->qop.len > 0) {
		const struct slice all[] = { ha1_hex,	   auth->nonce, auth->nc,
					     auth->cnonce, auth->qop,	slice_str(ha2) };

		digest_hex_joined(kind, all, ARRAY_SIZE(all), ret);
	} else {
		const struct slice old[] = { ha1_hex, auth->nonce, slice_str(ha2) };

		digest_hex_joined(kind, old, ARRAY_SIZE(old), ret);
	}
}

/* The credentials' URI never names another person than the Request-URI. Its host is not compared:
 * many phones (and SIPp) write their proxy's address there, without a user. */
static bool same_person(struct slice a, struct slice b)
{
	struct sip_uri x, y;

	if (slice_eq(a, b))
		return true;
	if (sip_uri_parse(a, &x) < 0 || sip_uri_parse(b, &y) < 0)
		return false;
	return x.user.len == 0 || y.user.len == 0 || slice_eq(x.user, y.user);
}

static int check_fields(const struct sip_digest *d, const struct sip_auth *auth,
			enum digest_kind *kind)
{
	*kind = DIGEST_MD5;
	if (!auth->digest || !auth->username.p || !auth->nonce.p || !auth->uri.p ||
	    !auth->response.p)
		return -EBADMSG;
	if (auth->qop.p &&
	    (!slice_eq_str_nocase(auth->qop, "auth") || auth->nc.len != 8 || auth->cnonce.len == 0))
		return -EBADMSG;
	if (auth->algorithm.p && parse_algorithm(auth->algorithm, kind) < 0)
		return -EKEYREJECTED;
	for (size_t i = 0; i < d->algorithm_count; i++) {
		if (d->algorithms[i] == *kind)
			return 0;
	}
	return -EKEYREJECTED;
}

static bool response_is_right(const struct sip_auth *auth, enum digest_kind kind,
			      struct slice method, const struct sip_digest_ha1 *ha1)
{
	static const struct sip_digest_ha1 nobody = {
		.md5 = "00000000000000000000000000000000",
		.sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
	};
	const struct sip_digest_ha1 *use = ha1 ? ha1 : &nobody;
	struct slice hex = slice_str(kind == DIGEST_MD5 ? use->md5 : use->sha256);
	char want[DIGEST_HEX_MAX];
	bool known = ha1 && hex.len > 0;

	sip_digest_response(kind, hex, auth, method, want);
	return digest_equal_slice(slice_str(want), auth->response) && known;
}

int sip_digest_verify(struct sip_digest *digest, const struct sip_auth *auth, struct slice method,
		      struct slice uri, const struct sip_digest_ha1 *ha1)
{
	uint64_t now = clock_now(digest->clock);
	enum nonce_state state;
	enum digest_kind kind;
	struct nonce n;
	int r;

	r = check_fields(digest, auth, &kind);
	if (r == 0 && (!response_is_right(auth, kind, method, ha1) || !same_person(auth->uri, uri)))
		r = -EKEYREJECTED;
	if (r < 0) {
		digest->stats.rejected++;
		return r;
	}
	forget_expired(digest, now);
	state = state_of(digest, auth->nonce, now, &n);
	if (state != NONCE_FRESH) {
		digest->stats.stale++;
		digest->stats.replayed += state == NONCE_USED;
		return -ESTALE;
	}
	remember(digest, &n, now);
	digest->stats.accepted++;
	return 0;
}

struct sip_digest_stats sip_digest_stats(const struct sip_digest *digest)
{
	struct sip_digest_stats out = digest->stats;

	out.used = digest->count;
	return out;
}
