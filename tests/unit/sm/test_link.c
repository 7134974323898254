/* SPDX-License-Identifier: Apache-2.0 */
/* test_link.c - when a link counts as down, and that it is told once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "sm/link.h"

static const struct link_limits limits = { .down_after_ms = 2000, .probe_ms = 500 };
static unsigned ups, downs;

static void changed(struct link *link, bool usable)
{
	if (usable)
		ups++;
	else
		downs++;
}

static int begin(void **state)
{
	(void)state;
	ups = downs = 0;
	return 0;
}

static void the_table_is_sound(void **state)
{
	(void)state;
	assert_true(fsm_table_is_sound(&link_table, LINK_UNKNOWN, LINK_STATES));
	assert_int_equal(link_table.count, LINK_STATES * LINK_EVENTS);
}

static void an_unknown_link_is_tried(void **state)
{
	struct link link;

	(void)state;
	link_init(&link, &limits, changed);
	assert_true(link_usable(&link));
}

static void silence_ends_within_two_seconds_of_death(void **state)
{
	struct link link;

	(void)state;
	link_init(&link, &limits, changed);
	link_sent(&link, 1000);
	link_heard(&link, true, 1000); /* it dies now */
	link_sent(&link, 1500);	       /* the next probe */
	link_sent(&link, 2000);
	link_check(&link, 2999);
	assert_true(link_usable(&link));
	assert_int_equal(link_due(&link, 2999), 1);
	link_check(&link, 3000);
	assert_false(link_usable(&link));
	assert_int_equal(downs, 1);
}

static void our_own_standstill_is_not_its_silence(void **state)
{
	struct link link;

	(void)state;
	link_init(&link, &limits, changed);
	link_late(&link, 5000, 9000); /* nothing awaited */
	assert_int_equal(link_due(&link, 9000), 0);
	link_sent(&link, 10000);
	link_late(&link, 3000, 13500); /* stood still from 10500 to 13500 */
	link_check(&link, 13500);
	assert_true(link_usable(&link));
	assert_int_equal(link_due(&link, 13500), 1000);
	link_check(&link, 14499);
	assert_true(link_usable(&link));
	link_late(&link, 9000, 14499); /* never beyond now */
	assert_int_equal(link_due(&link, 14499), 1500);
	link_check(&link, 15999);
	assert_false(link_usable(&link));
}

static void any_message_proves_life(void **state)
{
	struct link link;

	(void)state;
	link_init(&link, &limits, changed);
	link_sent(&link, 1000);
	link_heard(&link, true, 2400);
	link_check(&link, 10000);
	assert_true(link_usable(&link));
	assert_int_equal(link_due(&link, 10000), 0);
}

static void refusal_counts_at_once_and_is_told_once(void **state)
{
	struct link link;

	(void)state;
	link_init(&link, &limits, changed);
	link_heard(&link, true, 1);
	link_refused(&link, 2);
	link_refused(&link, 3);
	assert_false(link_usable(&link));
	assert_int_equal(downs, 1);
	link_heard(&link, true, 4);
	assert_true(link_usable(&link));
	assert_int_equal(ups, 2);
}

static void answers_that_mean_down(void **state)
{
	const struct slice none = SLICE(""), text = SLICE("Too busy"),
			   unreachable = SLICE("Destination Unreachable"),
			   media = SLICE("Service Unavailable (no media resources)");

	(void)state;
	assert_true(link_answer_is_sick(408, &none));
	assert_true(link_answer_is_sick(504, &none));
	assert_true(link_answer_is_sick(503, &none));
	assert_true(link_answer_is_sick(503, &media));
	assert_true(link_answer_is_sick(500, &unreachable));
	assert_false(link_answer_is_sick(503, &text));
	assert_false(link_answer_is_sick(500, &text));
	assert_false(link_answer_is_sick(200, &none));
	assert_false(link_answer_is_sick(404, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_table_is_sound, begin),
		cmocka_unit_test_setup(an_unknown_link_is_tried, begin),
		cmocka_unit_test_setup(silence_ends_within_two_seconds_of_death, begin),
		cmocka_unit_test_setup(our_own_standstill_is_not_its_silence, begin),
		cmocka_unit_test_setup(any_message_proves_life, begin),
		cmocka_unit_test_setup(refusal_counts_at_once_and_is_told_once, begin),
		cmocka_unit_test_setup(answers_that_mean_down, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
