/* SPDX-License-Identifier: Apache-2.0 */
/* Calls by global session id: live view, records, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/error.h"
#include "cm/call.h"

/* A port that asks nothing of anybody: the call's bookkeeping alone is at test. */
static void no_half(struct half *h)
{
}

static void no_final(struct half *h, const struct half_final *final)
{
}

static void no_reply(struct half *h, const struct half_reply *reply)
{
}

static void no_message(struct half *h, const void *message)
{
}

static const struct half_port port = {
	.send_on = no_half,
	.refuse = no_final,
	.pass_progress = no_reply,
	.pass_answer = no_reply,
	.pass_ack = no_message,
	.drop_extra = no_reply,
	.cancel_down = no_half,
	.bye_up = no_half,
	.bye_down = no_half,
	.over = no_half,
	.ended = no_half,
};

static const struct half_reply ok = { .status = 200 };

static void make(struct half *h, enum half_phase phase, int64_t at)
{
	memset(h, 0, sizeof(*h));
	half_init(h, phase, &port, at);
	snprintf(h->caller, sizeof(h->caller), "3001");
	snprintf(h->callee, sizeof(h->callee), "3002");
	snprintf(h->up.contact, sizeof(h->up.contact), "sip:3001@192.0.2.1");
	snprintf(h->down.contact, sizeof(h->down.contact), "sip:3002@192.0.2.2");
}

static const char *text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static json_t *only_item(json_t *list)
{
	json_t *items = json_object_get(list, "items");

	assert_int_equal(json_array_size(items), 1);
	return json_array_get(items, 0);
}

static void two_halves_are_one_live_call(void **state)
{
	struct call_table t;
	struct half orig, term;
	json_t *list, *call;

	(void)state;
	call_table_init(&t, 10);
	make(&orig, HALF_IMSORIG, 1000);
	make(&term, HALF_IMSTERM, 1100);
	assert_int_equal(call_add_half(&t, &orig, SLICE("g-1")), 0);
	assert_int_equal(call_add_half(&t, &term, SLICE("g-1")), 0);
	half_step(&orig, HALF_EV_ADMIT, NULL, 1100);
	half_step(&term, HALF_EV_ADMIT, NULL, 1100);
	assert_int_equal(call_live_count(&t), 1);

	list = call_table_json(&t, 100);
	call = only_item(list);
	assert_string_equal(text(call, "gsid"), "g-1");
	assert_string_equal(text(call, "state"), "ringing");
	assert_true(json_is_null(json_object_get(call, "answered_at")));
	json_decref(list);

	half_step(&term, HALF_EV_ANSWER, &ok, 3000);
	half_step(&orig, HALF_EV_ANSWER, &ok, 3001);
	list = call_table_json(&t, 100);
	call = only_item(list);
	assert_string_equal(text(call, "state"), "talking");
	assert_string_equal(text(call, "started_at"), "1970-01-01T00:00:01.000Z");
	assert_int_equal(json_array_size(json_object_get(call, "legs")), 2);
	assert_string_equal(text(json_array_get(json_object_get(call, "legs"), 1), "contact"),
			    "sip:3002@192.0.2.2");
	json_decref(list);

	orig.up.state = LEG_HELD;
	list = call_table_json(&t, 100);
	assert_string_equal(text(only_item(list), "state"), "held");
	json_decref(list);

	call_remove_half(&t, &orig);
	call_remove_half(&t, &term);
	assert_int_equal(t.by_gsid.count, 0);
	call_table_done(&t);
}

static void the_calls_record_is_due_when_its_last_half_is_over(void **state)
{
	struct call_table t;
	struct half orig, term;
	json_t *record;

	(void)state;
	call_table_init(&t, 10);
	make(&orig, HALF_IMSORIG, 1000);
	make(&term, HALF_IMSTERM, 1100);
	snprintf(term.caller, sizeof(term.caller), "other");
	call_add_half(&t, &orig, SLICE("g-1"));
	call_add_half(&t, &term, SLICE("g-1"));
	half_step(&orig, HALF_EV_ADMIT, NULL, 1000);
	half_step(&term, HALF_EV_ADMIT, NULL, 1000);
	half_step(&term, HALF_EV_ANSWER, &ok, 3000);
	half_step(&orig, HALF_EV_ANSWER, &ok, 3001);
	half_step(&term, HALF_EV_BYE_DOWN, NULL, 9000);
	assert_false(call_note_over(term.call, &term));
	half_step(&orig, HALF_EV_BYE_DOWN, NULL, 9005);
	assert_true(call_note_over(orig.call, &orig));

	record = call_record(orig.call);
	assert_string_equal(text(record, "half"), "call");
	assert_string_equal(text(record, "caller"), "3001");
	assert_string_equal(text(record, "result"), "answered");
	assert_int_equal(json_integer_value(json_object_get(record, "sip_status")), 200);
	assert_int_equal(json_integer_value(json_object_get(record, "duration_s")), 6);
	assert_string_equal(text(record, "started_at"), "1970-01-01T00:00:01.000Z");
	assert_string_equal(text(record, "ended_at"), "1970-01-01T00:00:09.005Z");
	json_decref(record);

	record = call_half_record(&term);
	assert_string_equal(text(record, "half"), "term");
	assert_string_equal(text(record, "phase"), "imsterm");
	assert_string_equal(text(record, "handle"), "3002");
	assert_string_equal(text(record, "peer"), "other");
	json_decref(record);
	call_remove_half(&t, &orig);
	call_remove_half(&t, &term);
	call_table_done(&t);
}

static void a_second_half_of_a_phase_has_its_own_key(void **state)
{
	struct call_table t;
	struct half a, b;
	json_t *record;

	(void)state;
	call_table_init(&t, 10);
	make(&a, HALF_IMSTERM, 1);
	make(&b, HALF_IMSTERM, 1);
	call_add_half(&t, &a, SLICE("g"));
	call_add_half(&t, &b, SLICE("g"));
	record = call_half_record(&b);
	assert_string_equal(text(record, "half"), "term.2");
	json_decref(record);
	call_remove_half(&t, &a);
	call_remove_half(&t, &b);
	call_table_done(&t);
}

static void a_gsid_is_made_where_none_can_be_used(void **state)
{
	static const char *const bad[] = { "", "a b", "<x>", "\"", "a\r\nb" };
	char longest[66];

	(void)state;
	memset(longest, 'a', 65);
	longest[65] = '\0';
	assert_false(call_gsid_is_valid(slice_str(longest)));
	longest[64] = '\0';
	assert_true(call_gsid_is_valid(slice_str(longest)));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct call_table t;
		struct half h;

		call_table_init(&t, 10);
		make(&h, HALF_IMSORIG, 1);
		assert_int_equal(call_add_half(&t, &h, slice_str(bad[i])), 0);
		assert_int_equal(strlen(h.call->gsid), 36);
		call_remove_half(&t, &h);
		call_table_done(&t);
	}
}

static void calls_and_halves_are_limited(void **state)
{
	struct call_table t;
	struct half halves[CALL_HALVES_MAX + 1];
	struct half other;

	(void)state;
	call_table_init(&t, 1);
	for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
		int r;

		make(&halves[i], HALF_IMSTERM, 1);
		r = call_add_half(&t, &halves[i], SLICE("loop"));
		assert_int_equal(r, i < CALL_HALVES_MAX ? 0 : -EMLINK);
	}
	make(&other, HALF_IMSORIG, 1);
	assert_int_equal(call_add_half(&t, &other, SLICE("second")), -EUSERS);
	for (size_t i = 0; i < ARRAY_SIZE(halves); i++)
		call_remove_half(&t, &halves[i]);
	call_table_done(&t);
}

static void what_is_no_utf8_is_recorded_all_the_same(void **state)
{
	struct call_table t;
	struct half h;
	json_t *record;

	(void)state;
	call_table_init(&t, 1);
	make(&h, HALF_IMSORIG, 1);
	snprintf(h.callee, sizeof(h.callee), "\xff\xfe");
	call_add_half(&t, &h, SLICE("g"));
	record = call_half_record(&h);
	assert_non_null(record);
	assert_string_equal(text(record, "peer"), "??");
	json_decref(record);
	call_remove_half(&t, &h);
	call_table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_halves_are_one_live_call),
		cmocka_unit_test(the_calls_record_is_due_when_its_last_half_is_over),
		cmocka_unit_test(a_second_half_of_a_phase_has_its_own_key),
		cmocka_unit_test(a_gsid_is_made_where_none_can_be_used),
		cmocka_unit_test(calls_and_halves_are_limited),
		cmocka_unit_test(what_is_no_utf8_is_recorded_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
