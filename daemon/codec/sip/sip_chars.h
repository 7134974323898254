/* SPDX-License-Identifier: Apache-2.0 */
/* sip_chars.h - character classes of RFC 3261 section 25.1 as one table; inside codec/sip only. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum sip_char_class {
	SIP_C_TOKEN = 1 << 0, /* token */
	SIP_C_WORD = 1 << 1,  /* word */
	SIP_C_USER =
		1 << 2, /* unreserved, user-unreserved, and "#" that phones send in feature codes */
	SIP_C_PASSWORD = 1 << 3, /* unreserved and & = + $ , */
	SIP_C_PARAM = 1 << 4,	 /* paramchar of a URI, without escapes */
	SIP_C_HNAME = 1 << 5,	 /* hname and hvalue of a URI, without escapes */
	SIP_C_VALUE = 1 << 6,	 /* value of a header parameter: what cannot end it */
	SIP_C_HEX = 1 << 7,
};

/* Generated from the grammar; bytes from 0x80 are in no class. */
extern const uint8_t sip_chars[256];

static inline bool sip_char_in(char c, unsigned classes)
{
	return (sip_chars[(unsigned char)c] & classes) != 0;
}

/* Consume the longest run of a class. */
static inline struct slice sip_take_class(struct slice *in, unsigned classes)
{
	struct slice out = { in->p, 0 };

	while (out.len < in->len && sip_char_in(in->p[out.len], classes))
		out.len++;
	if (out.len) {
		in->p += out.len;
		in->len -= out.len;
	}
	return out;
}

static inline bool sip_all_in(struct slice in, unsigned classes)
{
	for (size_t i = 0; i < in.len; i++) {
		if (!sip_char_in(in.p[i], classes))
			return false;
	}
	return true;
}

static inline char sip_peek(struct slice in)
{
	return in.len ? in.p[0] : '\0';
}

static inline void sip_advance(struct slice *in, size_t n)
{
	in->p += n;
	in->len -= n;
}

/* Every byte is of the class or starts "%" HEX HEX. */
bool sip_escaped_valid(struct slice in, unsigned classes);
/* Value of a hex digit, -1 when it is none. */
int sip_hex(char c);
