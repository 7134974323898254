/* SPDX-License-Identifier: Apache-2.0 */
/* odi.c - the correlation token of application sequencing: an HMAC over served user, place in the
 * sequence, global session id and expiry; nothing has to be remembered between two passes. */
#include "sm/odi.h"

#include <stdio.h>

#include "base/error.h"
#include "net/digest.h"

#define MAC_BYTES 16
#define COOKIE_BYTES 8

static void seal(const uint8_t *key, struct slice head, struct slice gsid, char *out)
{
	const struct slice parts[] = { SLICE("odi"), head, SLICE("/"), gsid };
	uint8_t mac[DIGEST_SHA256_LEN];

	digest_hmac_sha256(slice_make(key, ODI_KEY_SIZE), parts, ARRAY_SIZE(parts), mac);
	digest_to_hex(mac, MAC_BYTES, out);
}

int odi_make(const uint8_t key[static ODI_KEY_SIZE], const struct odi *odi, struct slice gsid,
	     char *out)
{
	size_t len = strlen(odi->user);
	char hex[2 * ODI_USER_MAX + 1];
	int n;

	if (odi->place > 9 || len == 0 || odi->expires_s < 0 || odi->expires_s > 9999999999)
		return -EINVAL;

	digest_to_hex(odi->user, len, hex);
	n = snprintf(out, ODI_TEXT_SIZE, "%c%u-%lld-%s-", odi->half == ODI_ORIGINATING ? 'o' : 't',
		     odi->place, (long long)odi->expires_s, hex);
	seal(key, slice_make(out, (size_t)n), gsid, out + n);
	return 0;
}

static int read_head(struct slice text, struct odi *out)
{
	uint64_t expires = 0;
	struct slice user;
	bool found;
	ssize_t n;

	if (slice_skip_char(&text, 'o'))
		out->half = ODI_ORIGINATING;
	else if (slice_skip_char(&text, 't'))
		out->half = ODI_TERMINATING;
	else
		return -EBADMSG;
	if (text.len < 2 || !ascii_is_digit((unsigned char)text.p[0]) || text.p[1] != '-')
		return -EBADMSG;
	out->place = (unsigned)(text.p[0] - '0');
	text = slice_sub(text, 2, text.len);

	if (slice_take_u64(&text, &expires) < 0 || expires > 9999999999 ||
	    !slice_skip_char(&text, '-'))
		return -EBADMSG;
	out->expires_s = (int64_t)expires;

	user = slice_take_until(&text, '-', &found);
	n = found ? digest_from_hex(user, out->user, ODI_USER_MAX) : -EBADMSG;
	if (n <= 0 || text.len != 0)
		return -EBADMSG;
	out->user[n] = 0;
	return 0;
}

int odi_read(const uint8_t key[static ODI_KEY_SIZE], struct slice text, struct slice gsid,
	     int64_t now_s, struct odi *ret)
{
	struct odi out = { 0 };
	char mac[2 * MAC_BYTES + 1];
	struct slice head;
	int r;

	if (text.len <= 2 * MAC_BYTES || text.len >= ODI_TEXT_SIZE)
		return -EBADMSG;
	head = slice_sub(text, 0, text.len - 2 * MAC_BYTES);
	r = read_head(head, &out);
	if (r < 0)
		return r;

	seal(key, head, gsid, mac);
	if (!digest_equal(mac, text.p + head.len, 2 * MAC_BYTES))
		return -EKEYREJECTED;
	if (out.expires_s <= now_s)
		return -ETIME;
	*ret = out;
	return 0;
}

void odi_cookie(const uint8_t key[static ODI_KEY_SIZE], struct slice call_id, char *out)
{
	const struct slice parts[] = { SLICE("route"), call_id };
	uint8_t mac[DIGEST_TAG_LEN];

	digest_tag(key, parts, ARRAY_SIZE(parts), mac);
	digest_to_hex(mac, COOKIE_BYTES, out);
}

void odi_seal_flow(const uint8_t key[static ODI_KEY_SIZE], struct slice text, struct slice call_id,
		   char *out)
{
	const struct slice parts[] = { SLICE("flow"), text, call_id };
	uint8_t mac[DIGEST_TAG_LEN];

	digest_tag(key, parts, ARRAY_SIZE(parts), mac);
	digest_to_hex(mac, COOKIE_BYTES, out);
}

bool odi_cookie_valid(const uint8_t key[static ODI_KEY_SIZE], struct slice cookie,
		      struct slice call_id)
{
	char want[ODI_COOKIE_SIZE];

	odi_cookie(key, call_id, want);
	return digest_equal_slice(cookie, slice_str(want));
}
