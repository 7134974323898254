/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_addr.c - From, To, Contact and Route values as phones write them. */
#include "helper_codec.h"

#include <errno.h>

#include "codec/sip/sip_addr.h"

static struct sip_addr parse(const char *text)
{
	struct sip_addr addr;

	if (sip_addr_parse(slice_str(text), &addr) < 0)
		fail_msg("refused: %s", text);
	return addr;
}

static void quoted_display_name(void **state)
{
	struct sip_addr addr =
		parse("\"A. \\\"G\\\" <Bell>\" <sip:bell@example.com;lr>\r\n ; tag = 9 ;x");
	struct slice value;

	(void)state;
	assert_true(addr.display_quoted);
	assert_slice(addr.display, "A. \\\"G\\\" <Bell>");
	assert_slice(addr.uri.user, "bell");
	assert_slice(addr.uri.params, ";lr");
	assert_slice(sip_addr_tag(&addr), "9");
	assert_true(sip_addr_param(&addr, SLICE("X"), &value));
	assert_false(sip_addr_param(&addr, SLICE("lr"), NULL));
}

static void unquoted_display_name_and_upper_case_scheme(void **state)
{
	struct sip_addr addr = parse("Andrew Prokop <SIP:aprokop@192.168.0.14>");

	(void)state;
	assert_slice(addr.display, "Andrew Prokop");
	assert_false(addr.display_quoted);
	assert_int_equal(addr.uri.scheme, SIP_SCHEME_SIP);
	assert_slice(addr.uri.host, "192.168.0.14");
	assert_slice(parse("caller<sip:caller@example.com>;tag=323").display, "caller");
	assert_slice(parse("token1~` token2'+_ t3*%!.-<sip:a@b>").display,
		     "token1~` token2'+_ t3*%!.-");
}

static void without_brackets_parameters_belong_to_the_field(void **state)
{
	struct sip_addr addr = parse("sip:caller@example.net;tag=134");

	(void)state;
	assert_false(addr.bracketed);
	assert_slice(addr.uri.params, "");
	assert_slice(sip_addr_tag(&addr), "134");
	addr = parse("<sip:+19725552222@gw1.example.net;unknownparam>");
	assert_slice(addr.uri.params, ";unknownparam");
	assert_slice(addr.params, "");
	assert_int_equal(parse("isbn:2983792873").uri.scheme, SIP_SCHEME_OTHER);
	assert_slice(sip_addr_tag(&(struct sip_addr){ 0 }), "");
}

static void contact_forms(void **state)
{
	struct slice value;
	struct sip_addr addr = parse("<sip:2470@10.8.232.36:1026;transport=tls>;+avaya-cm-line=1"
				     ";+sip.instance=\"<urn:uuid:0-1>\";expires=3600");

	(void)state;
	assert_true(parse(" * ").wildcard);
	assert_true(sip_addr_param(&addr, SLICE("+avaya-cm-line"), &value));
	assert_slice(value, "1");
	assert_true(sip_addr_param(&addr, SLICE("+sip.instance"), &value));
	assert_slice(value, "<urn:uuid:0-1>");
	assert_slice(parse("<sip:u@h?Route=%3Csip:p%3E>").uri.headers, "Route=%3Csip:p%3E");
}

static void rejects_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"Bell, Alexander <sip:a@b>",
		"\"Bell <sip:a@b>",
		"\"Bell\" sip:a@b",
		"< sip:a@b>",
		"<sip:a@b >",
		"<sip:a@b",
		"sip:a@b>",
		"<>",
		"<sip:a@b>;;;;",
		"<sip:a@b>;",
		"<sip:a@b> tail",
		"sip:a@b tail",
		"sip:a@b?Route=x",
		"sip:a@b,sip:c@d",
		"**",
		"sip:a@b;tag=\"x",
		"<sip:a@b>x",
		"A \x01 <sip:a@b>",
	};
	struct sip_addr addr;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct slice in = exact_copy(slice_str(bad[i]));

		if (sip_addr_parse(in, &addr) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		free((char *)in.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quoted_display_name),
		cmocka_unit_test(unquoted_display_name_and_upper_case_scheme),
		cmocka_unit_test(without_brackets_parameters_belong_to_the_field),
		cmocka_unit_test(contact_forms),
		cmocka_unit_test(rejects_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
