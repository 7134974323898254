/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_header.c - the list of header fields: every name and compact form is found. */
#include "helper_codec.h"

#include "codec/sip/sip_header.h"

static const struct {
	const char *name;
	char compact;
} fields[SIP_HDR_COUNT] = {
#define SIP_HEADER(id, text, compact, flags) [SIP_HDR_##id] = { text, compact },
#include "codec/sip/sip_header.def"
#undef SIP_HEADER
};

static void every_name_is_found_in_any_case(void **state)
{
	(void)state;
	for (int id = 1; id < SIP_HDR_COUNT; id++) {
		char upper[64], lower[64];
		size_t len = strlen(fields[id].name);

		for (size_t i = 0; i < len; i++) {
			lower[i] = ascii_lower(fields[id].name[i]);
			upper[i] = lower[i] >= 'a' && lower[i] <= 'z' ? (char)(lower[i] - 32)
								      : lower[i];
		}
		assert_int_equal(sip_header_lookup(slice_str(fields[id].name)), id);
		assert_int_equal(sip_header_lookup(slice_make(upper, len)), id);
		assert_int_equal(sip_header_lookup(slice_make(lower, len)), id);
		if (len > 2)
			assert_int_not_equal(sip_header_lookup(slice_make(lower, len - 1)), id);
		assert_slice(sip_header_name((enum sip_header_id)id), fields[id].name);
	}
}

static void every_compact_form_is_found(void **state)
{
	int n = 0;

	(void)state;
	for (int id = 1; id < SIP_HDR_COUNT; id++) {
		char form = fields[id].compact;
		char other = (char)(form - 32);

		if (!form)
			continue;
		n++;
		assert_int_equal(sip_header_lookup(slice_make(&form, 1)), id);
		assert_int_equal(sip_header_lookup(slice_make(&other, 1)), id);
	}
	assert_true(n >= 15);
}

static void unknown_names_are_other(void **state)
{
	static const char *const names[] = {
		"",	     "z",	 "1",
		"Vi",	     "Viaa",	 "X-Something",
		"C%6Fntact", "From\x80", "A name that is far longer than any of ours"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(sip_header_lookup(slice_str(names[i])), SIP_HDR_OTHER);
	assert_slice(sip_header_name(SIP_HDR_OTHER), "");
}

static void lists_and_singles(void **state)
{
	(void)state;
	assert_true(sip_header_is_list(SIP_HDR_VIA));
	assert_true(sip_header_is_list(SIP_HDR_CONTACT));
	assert_false(sip_header_is_list(SIP_HDR_FROM));
	assert_false(sip_header_is_list(SIP_HDR_AUTHORIZATION)); /* its commas part fields */
	assert_true(sip_header_is_once(SIP_HDR_CSEQ));
	assert_false(sip_header_is_once(SIP_HDR_ROUTE));
	assert_false(sip_header_is_once(SIP_HDR_OTHER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_found_in_any_case),
		cmocka_unit_test(every_compact_form_is_found),
		cmocka_unit_test(unknown_names_are_other),
		cmocka_unit_test(lists_and_singles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
