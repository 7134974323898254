/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ladder.c - any texts as a trace: ladder, capture, text and page. Messages are parted by the byte
 * 0x1e; the first byte of each says who saw it, which way, and where the other end is. */
#include "fuzz.h"

#include <stdio.h>

#include "base/buf.h"
#include "control/uc/uc_ladder.h"
#include "control/uc/uc_trace_export.h"

static json_t *item_of(struct slice message, json_int_t at)
{
	static const char *const nodes[] = { "sm", "cm", "presence" };
	static const char *const ends[] = { "192.0.2.1:5060", "[2001:db8::1]:5060",
					    "10.77.0.12:5061", "" };
	unsigned char flags = message.len ? (unsigned char)message.p[0] : 0;
	json_t *text;
	char id[32];

	slice_take(&message, 1);
	text = json_stringn(message.p, message.len);
	(void)snprintf(id, sizeof(id), "sm-%lld", (long long)at);
	return json_pack("{s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:b,s:s}", "id", id, "node",
			 nodes[(flags & 3) % 3], "at_us", at, "direction", flags & 4 ? "out" : "in",
			 "transport", flags & 8 ? "udp" : "tls", "local", "10.77.0.11:5061",
			 "remote", ends[flags >> 4 & 3], "call_id", flags & 64 ? "a" : "b", "gsid",
			 "g", "summary", "x", "message", text ? text : json_string("odd"),
			 "truncated", 0, "encoding", flags & 128 ? "latin-1" : "utf-8");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make(data, size);
	AUTO(json) json_t *items = json_array();
	AUTO(json)
	json_t *entities = json_pack("[{s:s,s:s,s:s}]", "name", "cm", "type", "cm", "address",
				     "10.77.0.12:5061");
	AUTO(json) json_t *ladder = NULL;
	AUTO(json) json_t *once = NULL;
	AUTO_BUF out = { 0 };
	size_t count;

	while (rest.len && json_array_size(items) < 200)
		(void)json_array_append_new(items, item_of(slice_take_until(&rest, 0x1e, NULL),
							   (json_int_t)json_array_size(items) + 1));
	MUST(uc_ladder_name(items, entities) == 0);
	MUST(uc_ladder("g", items, entities, &ladder) == 0);
	MUST(uc_ladder_fold(items, entities, &once) == 0);
	count = json_array_size(json_object_get(ladder, "messages"));
	MUST(count == json_array_size(once) && count <= json_array_size(items));
	MUST(uc_trace_pcapng(once, &out) == 0 && out.len % 4 == 0);
	MUST(uc_trace_text(once, false, &out) == 0);
	buf_reset(&out);
	MUST(uc_trace_html(once, ladder, &out) == 0);
	MUST(!memmem(out.data, out.len, "<script", 7));
	return 0;
}
