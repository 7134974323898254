/* SPDX-License-Identifier: Apache-2.0 */
/* Line appearances: the rules of a busy station. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "cm/appearance.h"

static void a_station_is_busy_when_all_appearances_are_in_use(void **state)
{
	struct appearance_table t;
	struct slice ada = SLICE("3001");

	(void)state;
	appearance_table_init(&t);
	assert_int_equal(appearance_seize(&t, ada, 3, false, APPEARANCE_INCOMING), 1);
	assert_int_equal(appearance_seize(&t, ada, 3, false, APPEARANCE_OUTGOING), 2);
	assert_int_equal(appearance_seize(&t, ada, 3, false, APPEARANCE_INCOMING), 3);
	assert_int_equal(appearance_seize(&t, ada, 3, false, APPEARANCE_INCOMING), -EBUSY);
	assert_int_equal(appearance_seize(&t, ada, 3, false, APPEARANCE_OUTGOING), -EBUSY);
	assert_int_equal(appearance_seize(&t, SLICE("3002"), 1, false, APPEARANCE_INCOMING), 1);
	assert_int_equal(appearance_in_use(&t, ada), 3);

	appearance_release(&t, ada, 2);
	assert_int_equal(appearance_seize(&t, ada, 3, false, APPEARANCE_INCOMING), 2);
	appearance_table_done(&t);
}

static void the_last_appearance_can_be_kept_for_outgoing_calls(void **state)
{
	struct appearance_table t;
	struct slice ada = SLICE("3001");

	(void)state;
	appearance_table_init(&t);
	assert_int_equal(appearance_seize(&t, ada, 2, true, APPEARANCE_INCOMING), 1);
	assert_int_equal(appearance_seize(&t, ada, 2, true, APPEARANCE_INCOMING), -EBUSY);
	assert_int_equal(appearance_seize(&t, ada, 2, true, APPEARANCE_OUTGOING), 2);
	/* A station with a single appearance then takes no calls at all. */
	assert_int_equal(appearance_seize(&t, SLICE("3002"), 1, true, APPEARANCE_INCOMING), -EBUSY);
	appearance_table_done(&t);
}

static void fewer_appearances_than_in_use_admit_nothing(void **state)
{
	struct appearance_table t;
	struct slice ada = SLICE("3001");

	(void)state;
	appearance_table_init(&t);
	for (int i = 1; i <= 3; i++)
		assert_int_equal(appearance_seize(&t, ada, 3, false, APPEARANCE_INCOMING), i);
	assert_int_equal(appearance_seize(&t, ada, 2, false, APPEARANCE_INCOMING), -EBUSY);
	appearance_release(&t, ada, 1);
	appearance_release(&t, ada, 2);
	assert_int_equal(appearance_seize(&t, ada, 2, false, APPEARANCE_INCOMING), 1);
	appearance_table_done(&t);
}

static void strange_releases_are_ignored(void **state)
{
	struct appearance_table t;
	struct slice ada = SLICE("3001");

	(void)state;
	appearance_table_init(&t);
	appearance_release(&t, ada, 1);
	assert_int_equal(appearance_seize(&t, ada, 1, false, APPEARANCE_INCOMING), 1);
	appearance_release(&t, ada, 0);
	appearance_release(&t, ada, 11);
	assert_int_equal(appearance_in_use(&t, ada), 1);
	appearance_release(&t, ada, 1);
	appearance_release(&t, ada, 1);
	assert_int_equal(appearance_in_use(&t, ada), 0);
	assert_int_equal(t.by_handle.count, 0);
	assert_int_equal(appearance_seize(&t, SLICE(""), 1, false, APPEARANCE_INCOMING), -EINVAL);
	appearance_table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_station_is_busy_when_all_appearances_are_in_use),
		cmocka_unit_test(the_last_appearance_can_be_kept_for_outgoing_calls),
		cmocka_unit_test(fewer_appearances_than_in_use_admit_nothing),
		cmocka_unit_test(strange_releases_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
