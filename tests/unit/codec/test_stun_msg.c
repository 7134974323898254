/* SPDX-License-Identifier: Apache-2.0 */
/* test_stun_msg.c - STUN: the vectors of RFC 5769, and what is no message. */
#include "../base/unit.h"

#include <errno.h>

#include "base/buf.h"
#include "base/error.h"
#include "codec/stun/stun_msg.h"

/* RFC 5769 section 2.1: a request with five attributes. */
static const unsigned char request[] = {
	0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
	0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e,
	0x20, 0x74, 0x65, 0x73, 0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24,
	0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1,
	0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68,
	0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c,
	0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5,
	0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
};
static const char id[] = "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";

static void the_request_of_the_rfc(void **state)
{
	struct slice in = slice_make(request, sizeof(request));
	struct stun_msg msg;

	assert_true(stun_is(in));
	assert_int_equal(stun_parse(in, &msg), 0);
	assert_int_equal(msg.type, STUN_BINDING_REQUEST);
	assert_true(msg.fingerprint);
	assert_memory_equal(msg.id.p, id, STUN_ID_SIZE);
	assert_int_equal(msg.unknown_count, 1); /* PRIORITY is of ICE */
	assert_int_equal(msg.unknown[0], 0x0024);
}

static void every_changed_byte_breaks_the_fingerprint(void **state)
{
	unsigned char copy[sizeof(request)];
	struct stun_msg msg;

	for (size_t i = 0; i < sizeof(request); i++) {
		memcpy(copy, request, sizeof(copy));
		copy[i] ^= 0x10;
		if (i == 104 || i == 105 || stun_parse(slice_make(copy, sizeof(copy)), &msg) < 0)
			continue; /* its type is another then, an optional one */
		/* Only a fingerprint that is none any more may pass. */
		assert_false(msg.fingerprint);
	}
	for (size_t len = 0; len < sizeof(request); len++)
		assert_int_equal(stun_parse(slice_make(request, len), &msg), -EBADMSG);
}

/* RFC 5769 sections 2.2 and 2.3: 192.0.2.1 and 2001:db8:1234:5678:11:2233:4455:6677, port 32853. */
static void addresses_are_masked_as_in_the_rfc(void **state)
{
	static const struct {
		const char *address;
		size_t len;
		const char *attribute;
	} cases[] = {
		{ "\xc0\x00\x02\x01", 4, "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43" },
		{ "\x20\x01\x0d\xb8\x12\x34\x56\x78\x00\x11\x22\x33\x44\x55\x66\x77", 16,
		  "\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79"
		  "\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct stun_msg msg = { .type = STUN_BINDING_REQUEST,
					.id = slice_make(id, STUN_ID_SIZE) };
		AUTO_BUF out = { 0 };

		stun_write_binding(&msg, slice_make(cases[i].address, cases[i].len), 32853, &out);
		assert_true(buf_ok(&out));
		assert_int_equal(out.len, STUN_HEADER_SIZE + 8 + cases[i].len);
		assert_memory_equal(out.data, "\x01\x01\x00", 3);
		assert_int_equal((unsigned char)out.data[3], 8 + cases[i].len);
		assert_memory_equal(out.data + 8, id, STUN_ID_SIZE);
		assert_memory_equal(out.data + STUN_HEADER_SIZE, cases[i].attribute,
				    8 + cases[i].len);
		assert_int_equal(stun_parse(buf_slice(&out), &msg), 0);
	}
}

static void what_nobody_knows_is_420(void **state)
{
	struct stun_msg msg, answer;
	AUTO_BUF out = { 0 };

	assert_int_equal(stun_parse(slice_make(request, sizeof(request)), &msg), 0);
	stun_write_binding(&msg, SLICE("\x01\x02\x03\x04"), 1, &out);
	assert_int_equal(stun_parse(buf_slice(&out), &answer), 0);
	assert_int_equal(answer.type, STUN_BINDING_ERROR);
	assert_true(answer.fingerprint);
	assert_memory_equal(out.data + STUN_HEADER_SIZE,
			    "\x00\x09\x00\x04\x00\x00\x04\x14"
			    "\x00\x0a\x00\x02\x00\x24\x00\x00",
			    16);
}

static void what_is_no_message(void **state)
{
	static const struct slice bad[] = {
		SLICE("OPTIONS sip:a@b SIP/2.0\r\n\r\n"),
		SLICE("\0\0\0\0"),
		SLICE("\0\1\0\0\x21\x12\xa4\x42"
		      "12345678901"),
		SLICE("\0\1\0\0\x21\x12\xa4\x43"
		      "123456789012"),
		SLICE("\0\1\0\4\x21\x12\xa4\x42"
		      "123456789012"),
		SLICE("\0\1\0\2\x21\x12\xa4\x42"
		      "123456789012"
		      "\x80\x22"),
		SLICE("\0\1\0\4\x21\x12\xa4\x42"
		      "123456789012"
		      "\x80\x22\0\1"),
		SLICE("\0\1\0\4\x21\x12\xa4\x42"
		      "123456789012"
		      "\x80\x22\xff\xff"),
		SLICE("\0\1\0\10\x21\x12\xa4\x42"
		      "123456789012"
		      "\x80\x28\0\4abcd"),
		SLICE("\xc0\1\0\0\x21\x12\xa4\x42"
		      "123456789012"),
	};
	struct stun_msg msg;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(stun_parse(bad[i], &msg), -EBADMSG);
	assert_int_equal(stun_parse(SLICE("\0\1\0\0\x21\x12\xa4\x42"
					  "123456789012"),
				    &msg),
			 0);
	assert_false(msg.fingerprint);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_request_of_the_rfc),
		cmocka_unit_test(every_changed_byte_breaks_the_fingerprint),
		cmocka_unit_test(addresses_are_masked_as_in_the_rfc),
		cmocka_unit_test(what_nobody_knows_is_420),
		cmocka_unit_test(what_is_no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
