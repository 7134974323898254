/* SPDX-License-Identifier: Apache-2.0 */
/* test_seats.c - every seat that is taken is given back, once, whatever becomes of the call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sm/seats.h"

#define CARRIER SLICE("carrier")

static struct seats *make(void)
{
	struct seats *seats = NULL;

	assert_int_equal(seats_new(&seats), 0);
	return seats;
}

static struct seat_key call(const char *id)
{
	return (struct seat_key){ CARRIER, slice_str(id), SLICE("from") };
}

static bool take(struct seats *seats, const char *id, uint32_t limit)
{
	struct seat_key key = call(id);

	return seats_take(seats, &key, limit, false, 1000);
}

static void leave(struct seats *seats, const char *id)
{
	struct seat_key key = call(id);

	seats_leave(seats, &key);
}

static uint32_t count(const struct seats *seats)
{
	return seats_of(seats, CARRIER);
}

static void a_limit_holds_and_a_retry_takes_no_second_seat(void **state)
{
	AUTO(seats) struct seats *seats = make();
	struct seat_key other = call("c"), elsewhere = call("a");

	(void)state;
	assert_true(take(seats, "a", 2));
	assert_true(take(seats, "a", 2)); /* the same INVITE with credentials */
	assert_true(take(seats, "b", 2));
	assert_int_equal(count(seats), 2);
	assert_false(take(seats, "c", 2));
	assert_int_equal(count(seats), 2);
	assert_true(seats_take(seats, &other, 2, true,
			       1000)); /* an emergency, counted in nobody's place */
	assert_int_equal(count(seats), 3);
	assert_false(take(seats, "d", 2));
	assert_true(take(seats, "d", 0));
	elsewhere.entity = SLICE("other");
	assert_true(seats_take(seats, &elsewhere, 1, false, 1000));
	assert_int_equal(seats_of(seats, SLICE("other")), 1);
	leave(seats, "a");
	leave(seats, "a");
	leave(seats, "nobody");
	assert_int_equal(count(seats), 3);
	assert_int_equal(seats_of(seats, SLICE("other")), 1);
}

static void a_bye_of_either_side_ends_its_own_dialog(void **state)
{
	AUTO(seats) struct seats *seats = make();

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(take(seats, "a", 1));
		seats_answered(seats, SLICE("a"), SLICE("from"), SLICE("to"), 0, 2000);
		leave(seats, "a"); /* a late failure of another branch */
		assert_int_equal(count(seats), 1);
		/* a fork that lost is given up by a BYE of its own */
		seats_ended(seats, SLICE("a"), SLICE("from"), SLICE("fork"));
		assert_int_equal(count(seats), 1);
		seats_ended(seats, SLICE("b"), SLICE("from"), SLICE("to"));
		assert_int_equal(count(seats), 1);
		if (i == 0)
			seats_ended(seats, SLICE("a"), SLICE("from"), SLICE("to"));
		else
			seats_ended(seats, SLICE("a"), SLICE("to"), SLICE("from"));
		assert_int_equal(count(seats), 0);
	}
	assert_true(take(seats, "early", 1));
	seats_ended(seats, SLICE("early"), SLICE("from"), SLICE("")); /* before any answer */
	assert_int_equal(count(seats), 0);
}

static void silence_gives_it_back(void **state)
{
	AUTO(seats) struct seats *seats = make();

	(void)state;
	assert_true(take(seats, "timer", 0));
	assert_true(take(seats, "none", 0));
	seats_answered(seats, SLICE("timer"), SLICE("from"), SLICE("to"), 90, 1000);
	seats_answered(seats, SLICE("none"), SLICE("from"), SLICE("to"), 0, 1000);
	seats_expire(seats, 1000 + 121000);
	assert_int_equal(count(seats), 2);
	seats_refreshed(seats, SLICE("timer"), 90, 1000 + 121000);
	seats_expire(seats, 1000 + 123000);
	assert_int_equal(count(seats), 2);
	seats_expire(seats, 1000 + 243000);
	assert_int_equal(count(seats), 1);
	seats_expire(seats, 1000 + SEATS_AGE_MAX_MS - 1);
	assert_int_equal(count(seats), 1);
	seats_expire(seats, 1000 + SEATS_AGE_MAX_MS);
	assert_int_equal(count(seats), 0);
}

static void the_dead_hold_none(void **state)
{
	AUTO(seats) struct seats *seats = make();
	struct seat_key other = call("a");

	(void)state;
	other.entity = SLICE("other");
	assert_true(take(seats, "a", 0));
	assert_true(take(seats, "b", 0));
	assert_true(seats_take(seats, &other, 0, false, 1));
	seats_lost(seats, SLICE("nobody"));
	seats_lost(seats, CARRIER);
	assert_int_equal(count(seats), 0);
	assert_int_equal(seats_of(seats, SLICE("other")), 1);
	seats_ended(seats, SLICE("b"), SLICE("from"), SLICE("to")); /* too late is harmless */
	assert_int_equal(count(seats), 0);
}

static void what_is_too_long_is_no_way_round(void **state)
{
	AUTO(seats) struct seats *seats = make();
	char text[600];
	struct seat_key key = { CARRIER, slice_make(text, sizeof(text)), SLICE("from") };

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_false(seats_take(seats, &key, 5, false, 1));
	assert_true(seats_take(seats, &key, 0, false, 1));
	assert_int_equal(count(seats), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_holds_and_a_retry_takes_no_second_seat),
		cmocka_unit_test(a_bye_of_either_side_ends_its_own_dialog),
		cmocka_unit_test(silence_gives_it_back),
		cmocka_unit_test(the_dead_hold_none),
		cmocka_unit_test(what_is_too_long_is_no_way_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
