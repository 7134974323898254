/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_uri_compare.c - when two URIs are the same: the examples of RFC 3261 section 19.1.4. */
#include "helper_codec.h"

#include "codec/sip/sip_uri.h"

static bool equal(const char *a, const char *b)
{
	struct sip_uri left, right;

	assert_int_equal(sip_uri_parse(slice_str(a), &left), 0);
	assert_int_equal(sip_uri_parse(slice_str(b), &right), 0);
	assert_int_equal(sip_uri_equal(&left, &right), sip_uri_equal(&right, &left));
	return sip_uri_equal(&left, &right);
}

static void equivalent(void **state)
{
	static const char *const pairs[][2] = {
		{ "sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp" },
		{ "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5" },
		{ "sip:carol@chicago.com", "sip:carol@chicago.com;security=on" },
		{ "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
		  "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com" },
		{ "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
		  "sip:alice@atlanta.com?priority=urgent&subject=project%20x" },
		{ "sip:a%2Db@c", "sip:a-b@c" },
		{ "tel:+1-201-555-0123", "tel:+12015550123" },
		{ "tel:1234;phone-context=+1", "tel:12.34;Phone-Context=+1" },
		{ "NAME:John", "name:John" },
		/* of a parameter that stands twice the first counts */
		{ "sip:a@b;x=1;x=2", "sip:a@b;X=1;x=2" },
		{ "tel:1;ext=1;ext=2", "tel:1;ext=1;ext=2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (!equal(pairs[i][0], pairs[i][1]))
			fail_msg("differ: %s", pairs[i][0]);
	}
}

static void different(void **state)
{
	static const char *const pairs[][2] = {
		{ "SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP" },
		{ "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060" },
		{ "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp" },
		{ "sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp" },
		{ "sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting" },
		{ "sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off" },
		{ "sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4" },
		{ "sip:a@b", "sips:a@b" },
		{ "sip:a@b", "sip:a@b;maddr=192.0.2.1" },
		{ "sip:a@b", "sip:a:@b" },
		{ "sip:a@b?x=1", "sip:a@b?x=2" },
		{ "sip:a%3Bb@c", "sip:a;b@c" },
		{ "tel:1234", "tel:12345" },
		{ "tel:1234", "tel:1234;ext=5" },
		{ "name:John", "name:john" },
		{ "name:John", "same:John" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (equal(pairs[i][0], pairs[i][1]))
			fail_msg("equal: %s and %s", pairs[i][0], pairs[i][1]);
	}
}

static void addresses_of_record(void **state)
{
	struct sip_uri a, b;

	(void)state;
	assert_int_equal(sip_uri_parse(SLICE("sip:3001@Aurabox.Internal;user=phone"), &a), 0);
	assert_int_equal(sip_uri_parse(SLICE("sips:300%31@aurabox.internal:5061"), &b), 0);
	assert_true(sip_uri_same_aor(&a, &b));
	assert_int_equal(sip_uri_parse(SLICE("tel:3001"), &b), 0);
	assert_false(sip_uri_same_aor(&a, &b));
}

static void users_are_compared_unescaped(void **state)
{
	struct sip_uri uri;

	(void)state;
	assert_int_equal(sip_uri_parse(SLICE("sip:%33001@h"), &uri), 0);
	assert_true(sip_uri_user_is(&uri, SLICE("3001")));
	assert_false(sip_uri_user_is(&uri, SLICE("300")));
	assert_false(sip_uri_user_is(&uri, SLICE("30011")));
	assert_int_equal(sip_uri_parse(SLICE("sip:a%40b@h"), &uri), 0);
	assert_true(sip_uri_user_is(&uri, SLICE("a@b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equivalent),
		cmocka_unit_test(different),
		cmocka_unit_test(addresses_of_record),
		cmocka_unit_test(users_are_compared_unescaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
