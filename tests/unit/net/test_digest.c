/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes against the vectors of their standards, and their text forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after those above */
#include <cmocka.h>

#include "base/error.h"
#include "net/digest.h"

static void md5_of_rfc_1321(void **state)
{
	char hex[DIGEST_HEX_MAX];
	struct slice part = SLICE("message digest");

	(void)state;
	digest_hex_joined(DIGEST_MD5, NULL, 0, hex);
	assert_string_equal(hex, "d41d8cd98f00b204e9800998ecf8427e");
	digest_hex_joined(DIGEST_MD5, &part, 1, hex);
	assert_string_equal(hex, "f96b697d7cb7938d525a2f31aaf161d0");
}

static void sha256_of_fips_180(void **state)
{
	uint8_t raw[DIGEST_SHA256_LEN];
	char hex[DIGEST_HEX_MAX];
	const struct slice parts[] = { SLICE("a"), SLICE("bc") };

	(void)state;
	digest_parts(DIGEST_SHA256, parts, 2, raw);
	digest_to_hex(raw, sizeof(raw), hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void parts_are_joined_by_colons(void **state)
{
	char hex[DIGEST_HEX_MAX];
	/* RFC 2617 section 3.5: H(A1) of Mufasa. */
	const struct slice a1[] = { SLICE("Mufasa"), SLICE("testrealm@host.com"),
				    SLICE("Circle Of Life") };

	(void)state;
	digest_hex_joined(DIGEST_MD5, a1, 3, hex);
	assert_string_equal(hex, "939e7578ed9e3c518a452acee763bce9");
}

static void hmac_of_rfc_4231(void **state)
{
	uint8_t mac[DIGEST_SHA256_LEN], key[131];
	char hex[DIGEST_HEX_MAX];
	struct slice data = SLICE("what do ya want for nothing?");

	(void)state;
	digest_hmac_sha256(SLICE("Jefe"), &data, 1, mac);
	digest_to_hex(mac, sizeof(mac), hex);
	assert_string_equal(hex,
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	data = SLICE("Test Using Larger Than Block-Size Key - Hash Key First");
	digest_hmac_sha256(slice_make(key, sizeof(key)), &data, 1, mac);
	digest_to_hex(mac, sizeof(mac), hex);
	assert_string_equal(hex,
			    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void long_input_in_pieces_is_the_same(void **state)
{
	struct slice part = SLICE("hello world");
	uint8_t a[DIGEST_SHA256_LEN], b[DIGEST_SHA256_LEN];
	struct digest *d = digest_begin(DIGEST_SHA256);

	(void)state;
	digest_update(d, "hello ", 6);
	digest_update(d, "world", 5);
	digest_finish(d, a);
	digest_parts(DIGEST_SHA256, &part, 1, b);
	assert_true(digest_equal(a, b, sizeof(a)));
}

static void base64_of_rfc_4648(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" },	   { "f", "Zg==" },	   { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "foobar", "Zm9vYmFy" }
	};
	char text[32], back[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		size_t len = strlen(pairs[i][0]);

		assert_int_equal(digest_to_base64(pairs[i][0], len, text), strlen(pairs[i][1]));
		assert_string_equal(text, pairs[i][1]);
		assert_int_equal(digest_from_base64(slice_str(text), back, sizeof(back)), len);
		assert_memory_equal(back, pairs[i][0], len);
	}
	assert_int_equal(digest_to_base64url("\xfb\xff", 2, text), 3);
	assert_string_equal(text, "-_8");
}

static void malformed_text_forms_are_refused(void **state)
{
	static const char *const bad64[] = {
		"Zg=", "Zg", "Z===", "Zh==", "Z g=", "Zg==Zg==", "Zm9-"
	};
	char back[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad64); i++)
		assert_int_equal(digest_from_base64(slice_str(bad64[i]), back, sizeof(back)),
				 -EINVAL);
	assert_int_equal(digest_from_base64(SLICE("Zm9vYmFy"), back, 5), -EINVAL);
	assert_int_equal(digest_from_base64url(SLICE("+/8"), back, sizeof(back)), -EINVAL);
	assert_int_equal(digest_from_hex(SLICE("abc"), back, sizeof(back)), -EINVAL);
	assert_int_equal(digest_from_hex(SLICE("zz"), back, sizeof(back)), -EINVAL);
	assert_int_equal(digest_from_hex(SLICE("aabb"), back, 1), -EINVAL);
	assert_int_equal(digest_from_hex(SLICE("0aFF"), back, 2), 2);
	assert_memory_equal(back, "\x0a\xff", 2);
}

/* The same bytes through OpenSSL's SIPHASH (size 16): each part behind its length in four bytes. */
static void tag_is_siphash_over_parts_and_lengths(void **state)
{
	const struct slice parts[] = { SLICE("hello"), SLICE(""),
				       SLICE("abcdefghijklmnopqrstuvwxyz!") };
	const struct slice other[] = { SLICE("hell"), SLICE("o"),
				       SLICE("abcdefghijklmnopqrstuvwxyz!") };
	uint8_t key[DIGEST_KEY_LEN], tag[DIGEST_TAG_LEN], moved[DIGEST_TAG_LEN];
	char hex[2 * DIGEST_TAG_LEN + 1], long_text[600];
	const struct slice one = slice_make(long_text, sizeof(long_text));

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	digest_tag(key, parts, ARRAY_SIZE(parts), tag);
	digest_to_hex(tag, sizeof(tag), hex);
	assert_string_equal(hex, "e0bf87d6a868f4602deae544ac2f6967");
	digest_tag(key, other, ARRAY_SIZE(other), moved);
	assert_memory_not_equal(tag, moved, sizeof(tag));
	memset(long_text, 'a', sizeof(long_text));
	digest_tag(key, &one, 1, tag);
	digest_to_hex(tag, sizeof(tag), hex);
	assert_string_equal(hex, "ef53b4c5d997d7786236bc7fcbfd87ba");
}

static void comparison_needs_equal_lengths(void **state)
{
	(void)state;
	assert_true(digest_equal_slice(SLICE("abc"), SLICE("abc")));
	assert_false(digest_equal_slice(SLICE("abc"), SLICE("abd")));
	assert_false(digest_equal_slice(SLICE("abc"), SLICE("abcd")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_of_rfc_1321),
		cmocka_unit_test(sha256_of_fips_180),
		cmocka_unit_test(parts_are_joined_by_colons),
		cmocka_unit_test(hmac_of_rfc_4231),
		cmocka_unit_test(tag_is_siphash_over_parts_and_lengths),
		cmocka_unit_test(long_input_in_pieces_is_the_same),
		cmocka_unit_test(base64_of_rfc_4648),
		cmocka_unit_test(malformed_text_forms_are_refused),
		cmocka_unit_test(comparison_needs_equal_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
