/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_body.c - the description inside a body: "Content-Type field LF body". What is found lies inside the
 * body, and with another origin, as a call half writes it, it is found again with all else as it was. */
#include "fuzz.h"

#include "base/buf.h"
#include "codec/sdp/sdp.h"
#include "codec/sip/sip_body.h"

#define OURS "- 1 2 IN IP4 127.0.0.1"

static bool is_within(struct slice part, struct slice whole)
{
	return part.p >= whole.p && part.p + part.len <= whole.p + whole.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = slice_make(data, size), type, sdp, origin, again;
	size_t before, after;
	AUTO_BUF out = { 0 };

	type = slice_take_until(&body, '\n', NULL);
	if (!sip_body_description(type, body, &sdp))
		return 0;
	MUST(is_within(sdp, body));
	if (sdp_origin(sdp, &origin) < 0)
		return 0;
	MUST(is_within(origin, sdp));
	before = (size_t)(origin.p - body.p);
	after = body.len - before - origin.len;

	buf_add(&out, body.p, before);
	buf_add_str(&out, OURS);
	buf_add(&out, origin.p + origin.len, after);
	MUST(buf_ok(&out));
	MUST(sip_body_description(type, buf_slice(&out), &again));
	MUST(again.p - out.data == sdp.p - body.p);
	MUST(again.len - sizeof(OURS) + 1 == sdp.len - origin.len);
	MUST(sdp_origin(again, &origin) == 0);
	MUST(slice_eq_str(origin, OURS));
	return 0;
}
