/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_stun.c - any datagram as STUN; the answer to what is a request must be one itself, and short. */
#include "fuzz.h"

#include <string.h>

#include "base/buf.h"
#include "codec/stun/stun_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char address[16] = "sixteen bytes ..";
	struct slice in = slice_make(data, size);
	struct stun_msg request, answer;
	AUTO_BUF out = { 0 };

	if (stun_parse(in, &request) < 0)
		return 0;
	MUST(stun_is(in));
	MUST(request.unknown_count <= STUN_UNKNOWN_MAX);
	stun_write_binding(&request, slice_make(address, size % 2 ? 4 : 16), (uint16_t)size, &out);
	MUST(buf_ok(&out));
	MUST(out.len <= 2 * size + 8);
	MUST(stun_parse(buf_slice(&out), &answer) == 0);
	MUST(answer.type == (request.unknown_count ? STUN_BINDING_ERROR : STUN_BINDING_SUCCESS));
	MUST(slice_eq(answer.id, request.id));
	MUST(answer.fingerprint == request.fingerprint);
	MUST(answer.unknown_count == 0);
	return 0;
}
