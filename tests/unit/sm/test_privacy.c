/* SPDX-License-Identifier: Apache-2.0 */
/* test_privacy.c - the words of Privacy, and what they come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "codec/sip/sip_msg.h"
#include "sm/privacy.h"

static unsigned privacy(const char *lines)
{
	static struct sip_msg msg;
	static char text[1024];
	int n = snprintf(text, sizeof(text),
			 "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
			 "%sContent-Length: 0\r\n\r\n",
			 lines);

	assert_int_equal(sip_msg_parse(slice_make(text, (size_t)n), &msg), 0);
	return privacy_of(&msg);
}

static void words_are_read(void **state)
{
	(void)state;
	assert_int_equal(privacy(""), 0);
	assert_int_equal(privacy("Privacy: id\r\n"), PRIVACY_ID);
	assert_int_equal(privacy("Privacy: ID ; User;;nonsense;critical\r\n"),
			 PRIVACY_ID | PRIVACY_USER | PRIVACY_CRITICAL);
	assert_int_equal(privacy("Privacy: header\r\nprivacy: session\r\n"),
			 PRIVACY_HEADER | PRIVACY_SESSION);
	assert_int_equal(privacy("Privacy: id;none\r\n"), 0);
	assert_int_equal(privacy("Privacy: identity\r\n"), 0);
}

static void only_what_is_critical_and_not_ours_is_refused(void **state)
{
	(void)state;
	assert_false(privacy_is_out_of_reach(PRIVACY_HEADER | PRIVACY_SESSION));
	assert_false(privacy_is_out_of_reach(PRIVACY_ID | PRIVACY_USER | PRIVACY_CRITICAL));
	assert_true(privacy_is_out_of_reach(PRIVACY_HEADER | PRIVACY_CRITICAL));
	assert_true(privacy_is_out_of_reach(PRIVACY_SESSION | PRIVACY_CRITICAL));
}

static void fields_that_name_a_person(void **state)
{
	(void)state;
	assert_true(privacy_names_user(SIP_HDR_SUBJECT));
	assert_false(privacy_names_user(SIP_HDR_CALL_ID));
	assert_false(privacy_names_user(SIP_HDR_OTHER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_read),
		cmocka_unit_test(only_what_is_critical_and_not_ours_is_refused),
		cmocka_unit_test(fields_that_name_a_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
