/* SPDX-License-Identifier: Apache-2.0 */
/* test_calls.c - live calls: one by session id, found by each of its Call-IDs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sm/calls.h"

#define GSID SLICE("gsid-1")

static struct calls *calls;

static int begin(void **state)
{
	(void)state;
	return calls_new(&calls);
}

static int end(void **state)
{
	(void)state;
	calls = calls_free(calls);
	return 0;
}

static json_t *first(json_t *all)
{
	return json_array_get(json_object_get(all, "items"), 0);
}

static void the_legs_of_a_call_are_one_call(void **state)
{
	(void)state;
	assert_true(calls_invite(calls, GSID, SLICE("a"), SLICE("3001"), SLICE("3002"), 1));
	assert_false(calls_invite(calls, GSID, SLICE("b"), SLICE("3001"), SLICE("3002"), 2));
	assert_int_equal(calls_count(calls), 1);
	assert_true(slice_eq_str(calls_gsid(calls, SLICE("a")), "gsid-1"));
	assert_true(slice_eq_str(calls_gsid(calls, SLICE("b")), "gsid-1"));
	assert_int_equal(calls_gsid(calls, SLICE("c")).len, 0);
	calls_ended(calls, GSID);
	assert_int_equal(calls_count(calls), 0);
	assert_int_equal(calls_gsid(calls, SLICE("a")).len, 0);
}

static void ringing_becomes_talking_becomes_held(void **state)
{
	json_t *all;

	(void)state;
	calls_invite(calls, GSID, SLICE("a"), SLICE("3001"), SLICE("3\"\xff"), 1);
	calls_leg(calls, GSID, SLICE("3002"), SLICE("sip:x"), CALL_RINGING, 2);
	calls_leg(calls, GSID, SLICE("3002"), SLICE("sip:y"), CALL_RINGING, 2);
	all = calls_to_json(calls);
	assert_string_equal(json_string_value(json_object_get(first(all), "state")), "ringing");
	assert_true(json_is_null(json_object_get(first(all), "answered_at")));
	assert_int_equal(json_array_size(json_object_get(first(all), "legs")), 2);
	json_decref(all);

	calls_leg(calls, GSID, SLICE("3002"), SLICE("sip:x"), CALL_TALKING, 3);
	calls_leg_ended(calls, GSID, SLICE("sip:y"));
	calls_held(calls, SLICE("a"), true);
	all = calls_to_json(calls);
	assert_string_equal(json_string_value(json_object_get(first(all), "state")), "held");
	assert_true(json_is_string(json_object_get(first(all), "answered_at")));
	assert_int_equal(json_array_size(json_object_get(first(all), "legs")), 1);
	json_decref(all);
}

static void an_application_that_was_given_up_comes_too_late(void **state)
{
	(void)state;
	assert_false(calls_awaits(calls, GSID, 0, 0));
	calls_invite(calls, GSID, SLICE("a"), SLICE("3001"), SLICE("3002"), 1);
	assert_true(calls_awaits(calls, GSID, 0, 0));
	calls_lose(calls, GSID, 0, 0);
	assert_false(calls_awaits(calls, GSID, 0, 0));
	assert_true(calls_awaits(calls, GSID, 1, 0));
	assert_true(calls_awaits(calls, GSID, 0, 1));
}

static void a_call_that_nobody_ends_is_forgotten_after_a_day(void **state)
{
	(void)state;
	calls_invite(calls, GSID, SLICE("a"), SLICE("3001"), SLICE("3002"), 1);
	calls_expire(calls, CALLS_AGE_MAX_MS);
	assert_int_equal(calls_count(calls), 1);
	calls_expire(calls, CALLS_AGE_MAX_MS + 2);
	assert_int_equal(calls_count(calls), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_legs_of_a_call_are_one_call),
		TEST(ringing_becomes_talking_becomes_held),
		TEST(an_application_that_was_given_up_comes_too_late),
		TEST(a_call_that_nobody_ends_is_forgotten_after_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
