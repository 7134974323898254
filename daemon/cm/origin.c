/* SPDX-License-Identifier: Apache-2.0 */
/* origin.c - see origin.h. */
#include "cm/origin.h"

#include "base/buf.h"
#include "base/random.h"
#include "codec/sdp/sdp.h"
#include "codec/sip/sip_body.h"
#include "stack/sip/sip_dialog.h"

#define ID_BITS 53 /* exact even where numbers are floating point */

/* What a description says is what stands behind its o= line. */
static void count(struct sip_told *told, struct slice content)
{
	uint64_t hash = slice_hash(content);

	if (told->version > 0 && told->hash == hash)
		return;
	if (told->version == 0) {
		random_bytes(&told->id, sizeof(told->id));
		told->id >>= 64 - ID_BITS;
	}
	told->version++;
	told->hash = hash;
}

void origin_write(struct sip_dialog *dialog, struct slice type, struct slice body, struct buf *out)
{
	struct sip_told *told = sip_dialog_told(dialog);
	struct slice sdp, origin;
	const char *after;

	if (!sip_body_description(type, body, &sdp) || sdp_origin(sdp, &origin) < 0) {
		buf_add_slice(out, body);
		return;
	}
	after = origin.p + origin.len;
	count(told, slice_make(after, (size_t)(sdp.p + sdp.len - after)));

	/* An address in it means nothing to the peer (RFC 8866 section 5.2), and every true one tells
	 * something: where the far side is, or how the box is built inside. */
	buf_add(out, body.p, (size_t)(origin.p - body.p));
	buf_add_str(out, "- ");
	buf_add_u64(out, told->id);
	buf_add_char(out, ' ');
	buf_add_u64(out, told->version);
	buf_add_str(out, " IN IP4 127.0.0.1");
	buf_add(out, after, (size_t)(body.p + body.len - after));
}
