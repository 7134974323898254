/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_cseq.c - CSeq and RAck. */
#include "helper_codec.h"

#include <errno.h>

#include "codec/sip/sip_cseq.h"

static void cseq_reads_number_and_method(void **state)
{
	struct sip_cseq cseq;

	(void)state;
	assert_int_equal(sip_cseq_parse(SLICE("0009\r\n  INVITE"), &cseq), 0);
	assert_int_equal(cseq.number, 9);
	assert_int_equal(cseq.method, SIP_INVITE);
	assert_int_equal(sip_cseq_parse(SLICE("2147483647 NEWMETHOD"), &cseq), 0);
	assert_int_equal(cseq.method, SIP_METHOD_OTHER);
	assert_slice(cseq.method_name, "NEWMETHOD");
}

static void cseq_rejects_malformed(void **state)
{
	static const char *const bad[] = { "",	     "INVITE",
					   "-1 ACK", "7 ",
					   "7 A B",  "2147483648 X",
					   "7ACK",   "36893488147419103232 REGISTER",
					   "7 A@B" };
	struct sip_cseq cseq;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sip_cseq_parse(slice_str(bad[i]), &cseq), -EBADMSG);
}

static void rack(void **state)
{
	static const char *const bad[] = { "",	   "1 2", "0 2 INVITE", "1 2147483648 INVITE",
					   "1 2 ", "x" };
	struct sip_rack rack;

	(void)state;
	assert_int_equal(sip_rack_parse(SLICE("776656 1 INVITE"), &rack), 0);
	assert_int_equal(rack.rseq, 776656);
	assert_int_equal(rack.cseq, 1);
	assert_int_equal(rack.method, SIP_INVITE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sip_rack_parse(slice_str(bad[i]), &rack), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cseq_reads_number_and_method),
		cmocka_unit_test(cseq_rejects_malformed),
		cmocka_unit_test(rack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
