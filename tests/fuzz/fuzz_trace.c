/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_trace.c - any bytes as messages of the trace ring: bounds, JSON, masking. */
#include "fuzz.h"

#include "base/json_field.h"
#include "node/trace_ring.h"

static const char secret[] = "\r\nAuthorization: Digest response=\"5ecre7\"\r\n\r\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct trace_filter all = { .limit = 500 };
	static const struct trace_filter some = { .limit = 3, .user = "a", .text = "Tag" };
	struct trace_ring *ring = trace_ring_new(0);
	struct slice rest = slice_make(data, size);
	struct trace_entry entry = { .transport = "udp" };
	json_t *answer;

	MUST(ring);
	while (rest.len) {
		struct trace_fields fields;

		entry.gsid = slice_take(&rest, rest.p[0] & 127);
		entry.message = rest;
		fields = trace_scan(rest);
		trace_add(ring, &entry);
		trace_bind_gsid(ring, fields.call_id, entry.gsid);
		slice_take(&rest, rest.len / 3 + 1);
	}
	entry.message = slice_make(secret, sizeof(secret) - 1);
	trace_add(ring, &entry);
	MUST(trace_count(ring) > 0);
	answer = trace_query(ring, &some);
	MUST(answer);
	json_decref(answer);
	answer = trace_query(ring, &all);
	MUST(answer && json_array_size(json_object_get(answer, "items")) > 0);
	json_decref(answer);
	trace_ring_free(ring);
	return 0;
}
