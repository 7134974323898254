/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_auth.c - Digest challenges and credentials. */
#include "helper_codec.h"

#include <errno.h>

#include "codec/sip/sip_auth.h"

static void credentials(void **state)
{
	struct sip_auth auth;

	(void)state;
	assert_int_equal(
		sip_auth_parse(SLICE("Digest username=\"bo\\\"b\", realm=\"biloxi.com\",\r\n"
				     " nonce=\"dcd98\", uri=\"sip:bob@biloxi.com\", qop=auth,"
				     " nc=0000001f, cnonce=\"0a4f113b\",response=\"6629\","
				     " opaque=\"\", algorithm=MD5, unknown=1"),
			       &auth),
		0);
	assert_true(auth.digest);
	assert_slice(auth.username, "bo\\\"b");
	assert_slice(auth.realm, "biloxi.com");
	assert_slice(auth.nonce, "dcd98");
	assert_slice(auth.uri, "sip:bob@biloxi.com");
	assert_slice(auth.qop, "auth");
	assert_int_equal(auth.nc_value, 31);
	assert_slice(auth.cnonce, "0a4f113b");
	assert_slice(auth.response, "6629");
	assert_slice(auth.algorithm, "MD5");
	assert_non_null(auth.opaque.p);
	assert_int_equal(auth.opaque.len, 0);
	assert_null(auth.domain.p);
}

static void challenge(void **state)
{
	struct sip_auth auth;

	(void)state;
	assert_int_equal(sip_auth_parse(SLICE("digest realm=\"a\", nonce=\"n\", stale=TRUE,"
					      " qop=\"auth, auth-int\", algorithm=SHA-256"),
					&auth),
			 0);
	assert_true(auth.stale);
	assert_true(sip_auth_qop_has(&auth, SLICE("auth-int")));
	assert_true(sip_auth_qop_has(&auth, SLICE("AUTH")));
	assert_false(sip_auth_qop_has(&auth, SLICE("aut")));
	assert_slice(auth.algorithm, "SHA-256");
}

static void other_schemes_are_named_only(void **state)
{
	struct sip_auth auth;

	(void)state;
	assert_int_equal(sip_auth_parse(SLICE("NoOneKnowsThisScheme opaque-data=here"), &auth), 0);
	assert_false(auth.digest);
	assert_slice(auth.scheme, "NoOneKnowsThisScheme");
	assert_null(auth.opaque.p);
}

static void rejects_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"Digest",
		"Digest ",
		"Digest realm",
		"Digest realm=",
		"Digest realm=\"a",
		"Digest realm=\"a\",",
		"Digest realm=\"a\" nonce=\"b\"",
		"Digest realm=\"a\", realm=\"b\"",
		"Digest nc=1",
		"Digest nc=0000000g",
		"Digest nc=000000001",
		"Digest stale=true,stale=true",
		"Digest =x",
		"\"Digest\" realm=x",
	};
	struct sip_auth auth;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct slice in = exact_copy(slice_str(bad[i]));

		if (sip_auth_parse(in, &auth) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		free((char *)in.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials),
		cmocka_unit_test(challenge),
		cmocka_unit_test(other_schemes_are_named_only),
		cmocka_unit_test(rejects_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
