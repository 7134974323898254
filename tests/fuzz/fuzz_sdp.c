/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sdp.c - any body as SDP; what is parsed is rewritten and must be parsed again. */
#include "fuzz.h"

#include "base/buf.h"
#include "codec/sdp/sdp.h"

static struct sdp sdp, again;

static void rewrite(const struct sdp_change *change)
{
	AUTO_BUF out = { 0 };

	sdp_write(&sdp, change, &out);
	MUST(buf_ok(&out));
	if (out.len > SDP_MAX)
		return;
	/* one more direction a media may pass the limit of lines */
	if (sdp_parse(buf_slice(&out), &again) == -EMSGSIZE)
		return;
	MUST(sdp_parse(buf_slice(&out), &again) == 0);
	MUST(again.media_count == sdp.media_count);
	for (size_t i = 0; i < again.media_count; i++) {
		MUST(again.media[i].port == (change->close[i] ? 0 : sdp.media[i].port));
		MUST(sdp_direction_of(&again, i) ==
		     (change->direction ? change->direction : sdp_direction_of(&sdp, i)));
		MUST(slice_eq(again.media[i].formats, sdp.media[i].formats));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice value;

	if (sdp_parse(slice_make(data, size), &sdp) < 0)
		return 0;
	for (size_t i = 0; i < sdp.media_count; i++) {
		(void)sdp_is_hold(&sdp, i);
		(void)sdp_attribute(sdp.media[i].section, SLICE("rtpmap"), &value);
	}
	rewrite(&(struct sdp_change){ 0 });
	rewrite(&(struct sdp_change){ .direction = SDP_RECVONLY,
				      .close = { true },
				      .address = SLICE("192.0.2.1"),
				      .session_version = SLICE("7") });
	return 0;
}
