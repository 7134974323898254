/* SPDX-License-Identifier: Apache-2.0 */
/* stun_msg.c - see stun_msg.h. */
#include "codec/stun/stun_msg.h"

#include <errno.h>

#include "base/buf.h"

#define COOKIE 0x2112a442U
#define FINGERPRINT_XOR 0x5354554eU
#define FAMILY_IPV4 1
#define FAMILY_IPV6 2
#define UNKNOWN_ATTRIBUTE 420

enum attribute { /* section 18.3 */
		 ATTR_MAPPED_ADDRESS = 0x0001,
		 ATTR_USERNAME = 0x0006,
		 ATTR_MESSAGE_INTEGRITY = 0x0008,
		 ATTR_ERROR_CODE = 0x0009,
		 ATTR_UNKNOWN_ATTRIBUTES = 0x000a,
		 ATTR_REALM = 0x0014,
		 ATTR_NONCE = 0x0015,
		 ATTR_MESSAGE_INTEGRITY_SHA256 = 0x001c,
		 ATTR_PASSWORD_ALGORITHM = 0x001d,
		 ATTR_USERHASH = 0x001e,
		 ATTR_XOR_MAPPED_ADDRESS = 0x0020,
		 ATTR_OPTIONAL = 0x8000, /* from here on nobody has to understand them */
		 ATTR_FINGERPRINT = 0x8028,
};

static uint16_t u16_at(struct slice in, size_t at)
{
	return (uint16_t)((unsigned char)in.p[at] << 8 | (unsigned char)in.p[at + 1]);
}

static uint32_t u32_at(struct slice in, size_t at)
{
	return (uint32_t)u16_at(in, at) << 16 | u16_at(in, at + 2);
}

/* CRC-32 of ITU-T V.42. */
static uint32_t crc32(struct slice in)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < in.len; i++) {
		crc ^= (unsigned char)in.p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

bool stun_is(struct slice in)
{
	return in.len >= STUN_HEADER_SIZE && (unsigned char)in.p[0] <= 0x3f &&
	       u32_at(in, 4) == COOKIE;
}

/* Who does not ask for credentials understands them, and leaves them alone (section 9). */
static bool is_understood(uint16_t attribute)
{
	switch (attribute) {
	case ATTR_MAPPED_ADDRESS:
	case ATTR_USERNAME:
	case ATTR_MESSAGE_INTEGRITY:
	case ATTR_ERROR_CODE:
	case ATTR_UNKNOWN_ATTRIBUTES:
	case ATTR_REALM:
	case ATTR_NONCE:
	case ATTR_MESSAGE_INTEGRITY_SHA256:
	case ATTR_PASSWORD_ALGORITHM:
	case ATTR_USERHASH:
	case ATTR_XOR_MAPPED_ADDRESS:
		return true;
	default:
		return attribute >= ATTR_OPTIONAL;
	}
}

/* attribute = type (16) length (16) value *padding-to-32-bits; the fingerprint covers all before it. */
static int take_attribute(struct slice whole, size_t *at, struct stun_msg *out)
{
	uint16_t type, length;
	size_t padded;

	if (out->fingerprint || whole.len - *at < 4)
		return -EBADMSG;
	type = u16_at(whole, *at);
	length = u16_at(whole, *at + 2);
	padded = ((size_t)length + 3) & ~(size_t)3;
	if (padded > whole.len - *at - 4)
		return -EBADMSG;
	if (type == ATTR_FINGERPRINT) {
		if (length != 4 ||
		    u32_at(whole, *at + 4) != (crc32(slice_sub(whole, 0, *at)) ^ FINGERPRINT_XOR))
			return -EBADMSG;
		out->fingerprint = true;
	}
	if (!is_understood(type)) {
		if (out->unknown_count < STUN_UNKNOWN_MAX)
			out->unknown[out->unknown_count++] = type;
	}
	*at += 4 + padded;
	return 0;
}

int stun_parse(struct slice in, struct stun_msg *ret)
{
	struct stun_msg out = { 0 };
	size_t at = STUN_HEADER_SIZE;

	if (!stun_is(in) || (in.len & 3) != 0 || u16_at(in, 2) != in.len - STUN_HEADER_SIZE)
		return -EBADMSG;
	out.type = u16_at(in, 0);
	out.id = slice_make(in.p + 8, STUN_ID_SIZE);
	while (at < in.len) {
		int r = take_attribute(in, &at, &out);

		if (r < 0)
			return r;
	}
	*ret = out;
	return 0;
}

/* Writing ---------------------------------------------------------------------------------------- */
static void add_u16(struct buf *out, uint16_t n)
{
	const unsigned char bytes[] = { (unsigned char)(n >> 8), (unsigned char)n };

	buf_add(out, bytes, sizeof(bytes));
}

static void add_u32(struct buf *out, uint32_t n)
{
	add_u16(out, (uint16_t)(n >> 16));
	add_u16(out, (uint16_t)n);
}

/* Each byte of an address and port is hidden from translators that would change it (section 14.2). */
static void add_mapped(const struct stun_msg *request, struct slice address, uint16_t port,
		       struct buf *out)
{
	const unsigned char mask[16] = { COOKIE >> 24, COOKIE >> 16 & 0xff, COOKIE >> 8 & 0xff,
					 COOKIE & 0xff };

	add_u16(out, ATTR_XOR_MAPPED_ADDRESS);
	add_u16(out, (uint16_t)(4 + address.len));
	add_u16(out, address.len == 4 ? FAMILY_IPV4 : FAMILY_IPV6);
	add_u16(out, (uint16_t)(port ^ (COOKIE >> 16)));
	for (size_t i = 0; i < address.len; i++) {
		unsigned char m = i < 4 ? mask[i] : (unsigned char)request->id.p[i - 4];

		buf_add_char(out, (char)((unsigned char)address.p[i] ^ m));
	}
}

static void add_unknown(const struct stun_msg *request, struct buf *out)
{
	add_u16(out, ATTR_ERROR_CODE);
	add_u16(out, 4);
	add_u32(out, UNKNOWN_ATTRIBUTE / 100 << 8 | UNKNOWN_ATTRIBUTE % 100);
	add_u16(out, ATTR_UNKNOWN_ATTRIBUTES);
	add_u16(out, (uint16_t)(2 * request->unknown_count));
	for (size_t i = 0; i < request->unknown_count; i++)
		add_u16(out, request->unknown[i]);
	if (request->unknown_count % 2)
		add_u16(out, 0);
}

void stun_write_binding(const struct stun_msg *request, struct slice address, uint16_t port,
			struct buf *out)
{
	size_t begin = out->len, length;

	add_u16(out, request->unknown_count ? STUN_BINDING_ERROR : STUN_BINDING_SUCCESS);
	add_u16(out, 0);
	add_u32(out, COOKIE);
	buf_add_slice(out, request->id);
	if (request->unknown_count)
		add_unknown(request, out);
	else
		add_mapped(request, address, port, out);
	if (!buf_ok(out))
		return;
	length = out->len - begin - STUN_HEADER_SIZE + (request->fingerprint ? 8 : 0);
	out->data[begin + 2] = (char)(length >> 8);
	out->data[begin + 3] = (char)length;
	if (request->fingerprint) {
		uint32_t crc = crc32(slice_make(out->data + begin, out->len - begin));

		add_u16(out, ATTR_FINGERPRINT);
		add_u16(out, 4);
		add_u32(out, crc ^ FINGERPRINT_XOR);
	}
}
