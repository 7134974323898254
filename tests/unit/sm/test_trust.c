/* SPDX-License-Identifier: Apache-2.0 */
/* test_trust.c - the table of internal headers says what the decisions say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "sm/trust.h"

static void every_row_stands_at_its_item(void **state)
{
	(void)state;
	for (int i = 0; i < TRUST_ITEMS; i++)
		assert_int_equal(trust_row((enum trust_item)i)->item, i);
}

static void nothing_internal_is_believed_from_phones_or_untrusted_links(void **state)
{
	static const enum trust_peer strangers[] = { TRUST_PHONE_UDP, TRUST_PHONE_STREAM,
						     TRUST_UNTRUSTED };

	(void)state;
	for (int i = 0; i < TRUST_ITEMS; i++)
		for (size_t k = 0; k < ARRAY_SIZE(strangers); k++)
			assert_true(trust_from((enum trust_item)i, strangers[k]) == TRUST_STRIP ||
				    trust_from((enum trust_item)i, strangers[k]) == TRUST_REFUSE);
}

static void a_phase_from_a_phone_is_refused_and_obeyed_from_cm(void **state)
{
	(void)state;
	assert_int_equal(trust_from(TRUST_PHASE, TRUST_PHONE_UDP), TRUST_REFUSE);
	assert_int_equal(trust_from(TRUST_PHASE, TRUST_PHONE_STREAM), TRUST_REFUSE);
	assert_int_equal(trust_from(TRUST_PHASE, TRUST_UNTRUSTED), TRUST_REFUSE);
	assert_int_equal(trust_from(TRUST_PHASE, TRUST_CM), TRUST_KEEP);
	assert_int_equal(trust_to(TRUST_PHASE, TRUST_CM), TRUST_CREATE);
}

static void the_session_id_reaches_stream_phones_but_not_udp_phones_and_strangers(void **state)
{
	(void)state;
	assert_int_equal(trust_to(TRUST_SESSION, TRUST_CM), TRUST_CREATE);
	assert_int_equal(trust_to(TRUST_SESSION, TRUST_PHONE_STREAM), TRUST_KEEP);
	assert_int_equal(trust_to(TRUST_SESSION, TRUST_PHONE_UDP), TRUST_STRIP);
	assert_int_equal(trust_to(TRUST_SESSION, TRUST_UNTRUSTED), TRUST_STRIP);
}

static void nothing_internal_goes_to_untrusted_links(void **state)
{
	(void)state;
	for (int i = 0; i < TRUST_ITEMS; i++)
		assert_int_equal(trust_to((enum trust_item)i, TRUST_UNTRUSTED), TRUST_STRIP);
}

static void a_phones_wish_of_identity_is_never_passed_on(void **state)
{
	(void)state;
	for (int k = 0; k < TRUST_PEERS; k++)
		assert_int_equal(trust_to(TRUST_PREFERRED, (enum trust_peer)k), TRUST_STRIP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_stands_at_its_item),
		cmocka_unit_test(nothing_internal_is_believed_from_phones_or_untrusted_links),
		cmocka_unit_test(a_phase_from_a_phone_is_refused_and_obeyed_from_cm),
		cmocka_unit_test(
			the_session_id_reaches_stream_phones_but_not_udp_phones_and_strangers),
		cmocka_unit_test(nothing_internal_goes_to_untrusted_links),
		cmocka_unit_test(a_phones_wish_of_identity_is_never_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
