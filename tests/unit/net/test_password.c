/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords at rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after those above */
#include <cmocka.h>

#include "base/error.h"
#include "net/password.h"

static void the_right_password_is_taken_and_no_other(void **state)
{
	char a[PASSWORD_HASH_LEN], b[PASSWORD_HASH_LEN];

	(void)state;
	assert_int_equal(password_hash(SLICE("correct horse"), a, NULL), 0);
	assert_int_equal(password_hash(SLICE("correct horse"), b, NULL), 0);
	assert_string_not_equal(a, b); /* salted */
	assert_int_equal(password_verify(SLICE("correct horse"), a), 0);
	assert_int_equal(password_verify(SLICE("correct horsf"), a), -EKEYREJECTED);
	assert_int_equal(password_verify(SLICE(""), a), -EKEYREJECTED);
	assert_int_equal(password_verify_none(SLICE("anything")), -EKEYREJECTED);
}

static void foreign_hashes_are_refused(void **state)
{
	static const char *const bad[] = { "", "x", "scrypt$15$8$1$", "scrypt$30$8$1$AAAA$AAAA",
					   "scrypt$15$8$1$AAAAAAAAAAAAAAAAAAAAAA$AAAA" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(password_verify(SLICE("a"), bad[i]), -EBADMSG);
}

static void endless_passwords_cost_nothing(void **state)
{
	static char endless[PASSWORD_MAX + 1];
	char hash[PASSWORD_HASH_LEN];

	(void)state;
	memset(endless, 'a', sizeof(endless));
	assert_int_equal(password_hash(slice_make(endless, sizeof(endless)), hash, NULL), -EINVAL);
	assert_int_equal(password_verify(slice_make(endless, sizeof(endless)), "x"), -EKEYREJECTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_password_is_taken_and_no_other),
		cmocka_unit_test(foreign_hashes_are_refused),
		cmocka_unit_test(endless_passwords_cost_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
