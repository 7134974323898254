/* SPDX-License-Identifier: Apache-2.0 */
/* sip_header.c - see sip_header.h. The lookup table is filled once before main() and only read
 * afterwards, so that the list in sip_header.def stays the only one. */
#include "codec/sip/sip_header.h"

#include <stdlib.h>

#include "codec/sip/sip_chars.h"

enum { LIST = 1, ONCE = 2, SLOTS = 512, NAME_MAX_LEN = 28 };

/* What a lookup reads stands in half a line of the cache. */
static const struct {
	char name[NAME_MAX_LEN + 1];
	uint8_t len;
	uint8_t flags;
	char compact;
} fields[SIP_HDR_COUNT] = {
#define SIP_HEADER(id, text, short_form, bits)                                                     \
	[SIP_HDR_##id] = { text, sizeof(text) - 1, bits, short_form },
#include "codec/sip/sip_header.def"
#undef SIP_HEADER
};

static uint8_t slots[SLOTS];	  /* field ids by hash, 0 = free */
static uint8_t compact_forms[32]; /* field ids by letter & 31 */

_Static_assert(SIP_HDR_COUNT <= 255, "ids are kept in bytes");

/* Letters differ from their other case in one bit that this throws away. */
static unsigned hash_name(const char *p, size_t len)
{
	unsigned h = (unsigned)len * 7;

	h += ((unsigned char)p[0] & 31U) * 31;
	h += ((unsigned char)p[len - 1] & 31U) * 5;
	h += ((unsigned char)p[len / 2] & 31U) * 109;
	return h % SLOTS;
}

__attribute__((constructor)) static void fill_slots(void)
{
	for (unsigned id = 1; id < SIP_HDR_COUNT; id++) {
		unsigned h = hash_name(fields[id].name, fields[id].len);

		while (slots[h])
			h = (h + 1) % SLOTS;
		slots[h] = (uint8_t)id;
		if (fields[id].compact)
			compact_forms[fields[id].compact & 31] = (uint8_t)id;
	}
}

/* Two words that overlap compare what memcmp() would be called for: most fields come as they stand here. */
static inline bool same_bytes(const char *a, const char *b, size_t len)
{
	if (len > 16 || len < 2)
		return memcmp(a, b, len) == 0;
	if (len >= 8)
		return memcmp(a, b, 8) == 0 && memcmp(a + len - 8, b + len - 8, 8) == 0;
	if (len >= 4)
		return memcmp(a, b, 4) == 0 && memcmp(a + len - 4, b + len - 4, 4) == 0;
	return memcmp(a, b, 2) == 0 && memcmp(a + len - 2, b + len - 2, 2) == 0;
}

enum sip_header_id sip_header_lookup(struct slice name)
{
	if (name.len == 0 || name.len > NAME_MAX_LEN)
		return SIP_HDR_OTHER;
	if (name.len == 1)
		return ascii_is_alpha((unsigned char)name.p[0])
			       ? (enum sip_header_id)compact_forms[name.p[0] & 31]
			       : SIP_HDR_OTHER;
	for (unsigned h = hash_name(name.p, name.len); slots[h]; h = (h + 1) % SLOTS) {
		unsigned id = slots[h];

		if (fields[id].len == name.len &&
		    (same_bytes(fields[id].name, name.p, name.len) ||
		     slice_eq_nocase(slice_make(fields[id].name, name.len), name)))
			return (enum sip_header_id)id;
	}
	return SIP_HDR_OTHER;
}

size_t sip_header_begins(struct slice line, enum sip_header_id id)
{
	size_t len = fields[id].len; /* 0 of what we do not know */

	return len > 0 && line.len > len && line.p[len] == ':' &&
			       same_bytes(fields[id].name, line.p, len)
		       ? len
		       : 0;
}

struct slice sip_header_name(enum sip_header_id id)
{
	if (id <= SIP_HDR_OTHER || id >= SIP_HDR_COUNT)
		return SLICE("");
	return slice_make(fields[id].name, fields[id].len);
}

bool sip_header_is_list(enum sip_header_id id)
{
	return (fields[id].flags & LIST) != 0;
}

bool sip_header_is_once(enum sip_header_id id)
{
	return (fields[id].flags & ONCE) != 0;
}
