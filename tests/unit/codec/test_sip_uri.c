/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_uri.c - cutting SIP, SIPS, tel and other URIs; escapes. */
#include "helper_codec.h"

#include <errno.h>

#include "codec/sip/sip_uri.h"

static struct sip_uri parse(const char *text)
{
	struct sip_uri uri;

	if (sip_uri_parse(slice_str(text), &uri) < 0)
		fail_msg("refused: %s", text);
	return uri;
}

static void all_parts(void **state)
{
	struct sip_uri uri = parse("sips:alice:secret@atlanta.example.com:5071;transport=tcp;lr"
				   "?Subject=hi&Priority=urgent");
	struct slice value, name;

	(void)state;
	assert_int_equal(uri.scheme, SIP_SCHEME_SIPS);
	assert_slice(uri.user, "alice");
	assert_true(uri.has_password);
	assert_slice(uri.password, "secret");
	assert_slice(uri.host, "atlanta.example.com");
	assert_int_equal(uri.host_kind, SIP_HOST_NAME);
	assert_int_equal(uri.port, 5071);
	assert_slice(uri.params, ";transport=tcp;lr");
	assert_true(sip_uri_param(&uri, SLICE("LR"), &value));
	assert_slice(value, "");
	assert_true(sip_uri_param(&uri, SLICE("transport"), &value));
	assert_slice(value, "tcp");
	assert_false(sip_uri_param(&uri, SLICE("maddr"), NULL));
	assert_int_equal(sip_uri_header_next(&uri.headers, &name, &value), 1);
	assert_slice(name, "Subject");
	assert_slice(value, "hi");
	assert_int_equal(sip_uri_header_next(&uri.headers, &name, &value), 1);
	assert_int_equal(sip_uri_header_next(&uri.headers, &name, &value), 0);
}

static void hosts(void **state)
{
	struct sip_uri uri = parse("sip:[2001:db8::10]:5060;lr");

	(void)state;
	assert_int_equal(uri.host_kind, SIP_HOST_IPV6);
	assert_slice(uri.host, "2001:db8::10");
	assert_int_equal(uri.port, 5060);
	assert_slice(uri.user, "");
	assert_int_equal(parse("SIP:3001@192.0.2.7").host_kind, SIP_HOST_IPV4);
	assert_int_equal(parse("sip:192.0.2.999").host_kind, SIP_HOST_NAME);
	assert_int_equal(parse("sip:a@pbx_1.example").host_kind, SIP_HOST_NAME);
}

static void users_may_look_like_parameters(void **state)
{
	struct sip_uri uri = parse("sip:user;par=u%40example.net@example.com");

	(void)state;
	assert_slice(uri.user, "user;par=u%40example.net");
	assert_slice(uri.host, "example.com");
	assert_slice(parse("sip:*72#@pbx").user, "*72#");
	assert_slice(parse("sip:sips%3Auser%40example.com@example.net").user,
		     "sips%3Auser%40example.com");
	assert_slice(parse("sip:a/b?c,d@h").user, "a/b?c,d");
}

static void tel_and_unknown_schemes(void **state)
{
	struct sip_uri uri = parse("tel:+1-201-555-0123;ext=7");

	(void)state;
	assert_int_equal(uri.scheme, SIP_SCHEME_TEL);
	assert_slice(uri.user, "+1-201-555-0123");
	assert_true(sip_uri_param(&uri, SLICE("ext"), NULL));
	uri = parse("nobodyKnowsThisScheme:totallyopaquecontent");
	assert_int_equal(uri.scheme, SIP_SCHEME_OTHER);
	assert_slice(uri.opaque, "totallyopaquecontent");
	assert_slice(parse("soap.beep://192.0.2.103:3002").opaque, "//192.0.2.103:3002");
	assert_slice(parse("urn:service:sos").opaque, "service:sos");
}

static void rejects_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"sip",
		"sip:",
		":a@b",
		"sip:@b",
		"sip:a@",
		"sip:a@b:0",
		"sip:a@b:65536",
		"sip:a@b:",
		"sip:a@b:x",
		"sip:a@b;",
		"sip:a@b;;x",
		"sip:a@b;x=",
		"sip:a@b;x=%4",
		"sip:a@b;x=a@c",
		"sip:a@b?",
		"sip:a@b?x",
		"sip:a@b?x=1&",
		"sip:a@b?=1",
		"sip:a b@c",
		"sip:a@b c",
		" sip:a@b",
		"sip:a@b ",
		"sip:%zz@b",
		"sip:a%4@b",
		"sip:a@[::1",
		"sip:a@[fe80::1%eth0]",
		"sip:a@[1.2.3.4]",
		"sip:a@[]",
		"sip:a@-b",
		"sip:a@.b",
		"<sip:a@b>",
		"sip:a:b c@d",
		"sip:a\"@b",
		"sip:<a@b>",
		"tel:",
		"tel:+",
		"tel:12 34",
		"tel:1;x=\"",
		"1abc:x",
		"http:",
		"http://a b",
		"x y:z",
		"sip:a@b>",
		"sip:a\x80@b",
	};
	struct sip_uri uri;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct slice in = exact_copy(slice_str(bad[i]));

		if (sip_uri_parse(in, &uri) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		free((char *)in.p);
	}
	assert_int_equal(sip_uri_parse(slice_make("sip:a\0b@c", 9), &uri), -EBADMSG);
	assert_int_equal(sip_uri_parse(slice_make("sip:[::\0]", 9), &uri), -EBADMSG);
	assert_int_equal(sip_uri_parse(slice_make("tel:1\0", 6), &uri), -EBADMSG);
}

static void parameters_are_limited(void **state)
{
	AUTO_BUF text = { 0 };
	struct sip_uri uri;

	(void)state;
	buf_add_str(&text, "sip:a@b");
	for (int i = 0; i < SIP_URI_PARAMS_MAX; i++)
		buf_add_str(&text, ";x");
	assert_int_equal(sip_uri_parse(buf_slice(&text), &uri), 0);
	buf_add_str(&text, ";x");
	assert_int_equal(sip_uri_parse(buf_slice(&text), &uri), -EBADMSG);
	buf_reset(&text);
	buf_add_str(&text, "sip:a@b?x=1");
	for (int i = 1; i < SIP_URI_PARAMS_MAX; i++)
		buf_add_str(&text, "&x=1");
	assert_int_equal(sip_uri_parse(buf_slice(&text), &uri), 0);
	buf_add_str(&text, "&x=1");
	assert_int_equal(sip_uri_parse(buf_slice(&text), &uri), -EBADMSG);
}

static void escapes_are_undone_and_made(void **state)
{
	AUTO_BUF out = { 0 };
	char plain[32];

	(void)state;
	assert_int_equal(sip_unescape(SLICE("a%40b%5"), plain, sizeof(plain)), 5);
	assert_memory_equal(plain, "a@b%5", 5);
	assert_int_equal(sip_unescape(SLICE("%00"), plain, sizeof(plain)), 1);
	assert_int_equal(plain[0], 0);
	assert_int_equal(sip_unescape(SLICE("abc"), plain, 2), -ENOBUFS);
	sip_escape_user(&out, SLICE("a b@c#\xc3\xa4&"));
	assert_buf(&out, "a%20b%40c%23%C3%A4&");
	buf_reset(&out);
	sip_escape_param(&out, SLICE("x;y=z"));
	assert_buf(&out, "x%3By%3Dz");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_parts),
		cmocka_unit_test(hosts),
		cmocka_unit_test(users_may_look_like_parameters),
		cmocka_unit_test(tel_and_unknown_schemes),
		cmocka_unit_test(rejects_malformed),
		cmocka_unit_test(parameters_are_limited),
		cmocka_unit_test(escapes_are_undone_and_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
