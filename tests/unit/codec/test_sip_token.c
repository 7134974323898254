/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_token.c - words of SIP: methods, quoted strings, white space, parameters, numbers. */
#include "helper_codec.h"

#include <errno.h>

#include "codec/sip/sip_token.h"

static void methods_are_found_by_exact_name(void **state)
{
	(void)state;
	for (int i = 1; i < SIP_METHOD_COUNT; i++) {
		struct slice name = sip_method_name((enum sip_method)i);

		assert_true(name.len > 0);
		assert_int_equal(sip_method_lookup(name), i);
	}
	assert_int_equal(sip_method_lookup(SLICE("invite")), SIP_METHOD_OTHER);
	assert_int_equal(sip_method_lookup(SLICE("INVITEX")), SIP_METHOD_OTHER);
	assert_int_equal(sip_method_lookup(SLICE("RE%47IST%45R")), SIP_METHOD_OTHER);
	assert_slice(sip_method_name(SIP_METHOD_OTHER), "");
}

static void reasons_have_a_phrase(void **state)
{
	(void)state;
	assert_slice(sip_reason_phrase(486), "Busy Here");
	assert_slice(sip_reason_phrase(299), "Unknown");
}

static void call_ids_are_words(void **state)
{
	(void)state;
	assert_true(sip_callid_valid(SLICE("a84b4c76e66710@pc33.example.com")));
	assert_true(sip_callid_valid(SLICE("w%ZK-!.*_+'@word`~)(><:\\/\"][?}{")));
	assert_false(sip_callid_valid(SLICE("")));
	assert_false(sip_callid_valid(SLICE("a@")));
	assert_false(sip_callid_valid(SLICE("@b")));
	assert_false(sip_callid_valid(SLICE("a@b@c")));
	assert_false(sip_callid_valid(SLICE("a b")));
}

static void white_space_includes_folds(void **state)
{
	struct slice in = SLICE(" \t\r\n x");
	struct slice end = SLICE(" \r\nx");

	(void)state;
	assert_int_equal(sip_skip_lws(&in), 5);
	assert_slice(in, "x");
	assert_int_equal(sip_skip_lws(&end), 1); /* a CRLF without blank after it ends the field */
	assert_slice(sip_trim(SLICE("\r\n  a b \r\n ")), "a b");
	assert_slice(sip_trim(SLICE("   ")), "");
}

static void quoted_strings(void **state)
{
	static const char *const bad[] = { "",	      "x",	  "\"",		 "\"abc",
					   "\"a\\\"", "\"a\nb\"", "\"a\\\r\n\"", "\"\x7f\"" };
	struct slice in = SLICE("\"a \\\" b\\\\\" rest"), inside;
	char plain[8];

	(void)state;
	assert_int_equal(sip_take_quoted(&in, &inside), 0);
	assert_slice(inside, "a \\\" b\\\\");
	assert_slice(in, " rest");
	assert_int_equal(sip_unquote(inside, plain, sizeof(plain)), 6);
	assert_memory_equal(plain, "a \" b\\", 6);
	assert_int_equal(sip_unquote(SLICE("123456789"), plain, sizeof(plain)), -ENOBUFS);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		in = slice_str(bad[i]);
		assert_int_equal(sip_take_quoted(&in, &inside), -EBADMSG);
	}
}

static void parameters_are_walked(void **state)
{
	struct slice in = SLICE(" ; a = 1 ;lr;q=\"x;y\" ;received=2001:db8::1 tail");
	struct sip_param p;

	(void)state;
	assert_int_equal(sip_param_next(&in, &p), 1);
	assert_slice(p.name, "a");
	assert_slice(p.value, "1");
	assert_int_equal(sip_param_next(&in, &p), 1);
	assert_slice(p.name, "lr");
	assert_false(p.has_value);
	assert_int_equal(sip_param_next(&in, &p), 1);
	assert_true(p.quoted);
	assert_slice(p.value, "x;y");
	assert_int_equal(sip_param_next(&in, &p), 1);
	assert_slice(p.value, "2001:db8::1");
	assert_int_equal(sip_param_next(&in, &p), 0);
	assert_slice(in, "tail");
}

static void parameters_malformed(void **state)
{
	static const char *const bad[] = {
		";", ";;a", ";a=", ";=b", ";a=\"x", ";a b", ";a;,", "x"
	};
	struct slice value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(sip_params_valid(slice_str(bad[i])));
	assert_true(sip_params_valid(SLICE("")));
	assert_true(sip_param_find(SLICE(";x;TAG=9"), SLICE("tag"), &value));
	assert_slice(value, "9");
	assert_false(sip_param_find(SLICE(";x=tag"), SLICE("tag"), &value));
}

static void numbers_have_limits(void **state)
{
	uint32_t n;

	(void)state;
	assert_int_equal(sip_number_parse(SLICE("0070"), 255, &n), 0);
	assert_int_equal(n, 70);
	assert_int_equal(sip_number_parse(SLICE("256"), 255, &n), -ERANGE);
	assert_int_equal(n, 255);
	assert_int_equal(sip_number_parse(SLICE("99999999999999999999999"), UINT32_MAX, &n),
			 -ERANGE);
	assert_int_equal(sip_number_parse(SLICE(""), 9, &n), -EBADMSG);
	assert_int_equal(sip_number_parse(SLICE("-1"), 9, &n), -EBADMSG);
	assert_int_equal(sip_number_parse(SLICE("1x"), 9, &n), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(methods_are_found_by_exact_name),
		cmocka_unit_test(reasons_have_a_phrase),
		cmocka_unit_test(call_ids_are_words),
		cmocka_unit_test(white_space_includes_folds),
		cmocka_unit_test(quoted_strings),
		cmocka_unit_test(parameters_are_walked),
		cmocka_unit_test(parameters_malformed),
		cmocka_unit_test(numbers_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
