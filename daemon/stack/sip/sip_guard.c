/* SPDX-License-Identifier: Apache-2.0 */
/* sip_guard.c - see sip_guard.h. */
#include "stack/sip/sip_guard.h"

#include <errno.h>

#include "base/random.h"
#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"
#include "net/digest.h"
#include "stack/sip/sip_wire.h"

#define PARTS_MAX 24

static void add_all(const struct sip_msg *msg, enum sip_header_id id, struct slice *parts,
		    size_t *count)
{
	const struct sip_header *h = sip_msg_header(msg, id);

	for (; h && *count + 1 < PARTS_MAX; h = sip_msg_header_next(msg, h)) {
		parts[(*count)++] = h->value;
		parts[(*count)++] = SLICE("\n");
	}
}

void sip_guard_tail(const struct sip_msg *request, struct slice extra,
		    char ret[static SIP_GUARD_TAIL_LEN])
{
	struct slice parts[PARTS_MAX + 12];
	static const uint8_t no_key[DIGEST_KEY_LEN]; /* whoever fakes it stops his own request */
	uint8_t hash[DIGEST_TAG_LEN];
	struct sip_cseq cseq = { 0 };
	size_t n = 0;

	(void)sip_msg_cseq(request, &cseq);
	add_all(request, SIP_HDR_ROUTE, parts, &n);
	add_all(request, SIP_HDR_PROXY_REQUIRE, parts, &n);
	parts[n++] = request->uri;
	parts[n++] = SLICE("\n");
	parts[n++] = sip_msg_from_tag(request);
	parts[n++] = SLICE("\n");
	parts[n++] = sip_msg_to_tag(request);
	parts[n++] = SLICE("\n");
	parts[n++] = sip_msg_call_id(request);
	parts[n++] = SLICE("\n");
	parts[n++] = extra;
	parts[n++] = slice_make(&cseq.number, sizeof(cseq.number));
	digest_tag(no_key, parts, n, hash);
	ret[0] = '.';
	digest_to_hex(hash, 8, ret + 1);
}

/* A branch that could be one of ours, by its form alone. */
static bool has_tail(struct slice branch)
{
	return branch.len >= SIP_GUARD_TAIL_LEN - 1 &&
	       branch.p[branch.len - (SIP_GUARD_TAIL_LEN - 1)] == '.';
}

bool sip_guard_is_loop(const struct sip_wire *wire, const struct sip_msg *request)
{
	struct sip_values it = sip_values_of(request, SIP_HDR_VIA);
	char tail[SIP_GUARD_TAIL_LEN] = "";
	struct slice value;
	bool top = true;

	for (; sip_values_next(&it, &value); top = false) {
		struct sip_via via;
		int r = top ? sip_msg_top_via(request, &via) : sip_via_parse(value, &via);

		if (r < 0 || !has_tail(via.branch))
			continue;
		if (!tail[0])
			sip_guard_tail(request, SLICE(""), tail);
		if (slice_ends_with(via.branch, slice_str(tail)) &&
		    sip_wire_is_mine(wire, via.host, via.port))
			return true;
	}
	return false;
}

int sip_guard_max_forwards(const struct sip_msg *request, uint32_t *ret)
{
	uint32_t value;
	int r = sip_msg_max_forwards(request, &value);

	if (r == -ENOENT) {
		*ret = SIP_MAX_FORWARDS;
		return 0;
	}
	if (r < 0)
		return -EBADMSG;
	if (value == 0)
		return -ELOOP;
	*ret = value - 1;
	return 0;
}

uint32_t sip_guard_max_breadth(const struct sip_msg *request)
{
	uint32_t value;
	struct slice text = sip_msg_value(request, SIP_HDR_MAX_BREADTH);

	if (!text.p || sip_number_parse(text, 1000000, &value) == -EBADMSG)
		return SIP_MAX_BREADTH;
	return value < SIP_MAX_BREADTH ? value : SIP_MAX_BREADTH;
}

uint32_t sip_guard_share(uint32_t breadth, uint32_t count, uint32_t index)
{
	if (count == 0 || index >= count)
		return 0;
	return breadth / count + (index < breadth % count ? 1 : 0);
}

struct slice sip_guard_gsid(const struct sip_msg *msg)
{
	struct slice value = sip_msg_value(msg, SIP_HDR_AV_GLOBAL_SESSION_ID);

	return value.p && uuid_is_valid(value) ? value : (struct slice){ 0 };
}

void sip_guard_gsid_new(char ret[static SIP_GSID_LEN])
{
	uuid_v7(ret);
}
