/* SPDX-License-Identifier: Apache-2.0 */
/* random: UUIDs ascend and are well formed, tokens keep their alphabet. */
#include "base/random.h"
#include "unit.h"

static void uuid_v7_ascends(void **state)
{
	char before[UUID_SIZE], now[UUID_SIZE];

	(void)state;
	uuid_v7(before);
	for (int i = 0; i < 10000; i++) {
		uuid_v7(now);
		assert_true(strcmp(before, now) < 0);
		assert_true(uuid_is_valid(slice_str(now)));
		assert_int_equal(now[14], '7');
		memcpy(before, now, sizeof(before));
	}
}

static void uuid_is_valid_refuses_others(void **state)
{
	(void)state;
	assert_false(uuid_is_valid(SLICE("3001")));
	assert_false(uuid_is_valid(SLICE("0193f1d0-0000-7000-8000-00000000000")));
	assert_false(uuid_is_valid(SLICE("0193f1d0-0000-7000-8000-00000000000g")));
	assert_false(uuid_is_valid(SLICE("0193f1d000000-7000-8000-000000000000")));
}

static void random_keeps_alphabet_and_bounds(void **state)
{
	char token[101];

	(void)state;
	random_token(token, 100);
	assert_int_equal(strlen(token), 100);
	for (size_t i = 0; i < 100; i++)
		assert_true(ascii_is_digit((unsigned char)token[i]) ||
			    (token[i] >= 'a' && token[i] <= 'v'));
	for (int i = 0; i < 1000; i++)
		assert_true(random_below(7) < 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuid_v7_ascends),
		cmocka_unit_test(uuid_is_valid_refuses_others),
		cmocka_unit_test(random_keeps_alphabet_and_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
