/* SPDX-License-Identifier: Apache-2.0 */
/* The half-call's table: every row, every state, and what it asks of the SIP side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "cm/half.h"

/* A port that writes down what was asked, one letter each. */
static char asked[64];
static unsigned refused_with;

static void note(char c)
{
	size_t n = strlen(asked);

	assert_true(n + 1 < sizeof(asked));
	asked[n] = c;
	asked[n + 1] = '\0';
}

static void fake_send_on(struct half *h)
{
	note('i');
}

static void fake_refuse(struct half *h, const struct half_final *final)
{
	note('f');
	refused_with = final->status;
}

static void fake_progress(struct half *h, const struct half_reply *reply)
{
	note('p');
}

static void fake_answer(struct half *h, const struct half_reply *reply)
{
	note('a');
}

static void fake_ack(struct half *h, const void *message)
{
	note(message ? 'k' : 'K');
}

static void fake_extra(struct half *h, const struct half_reply *reply)
{
	note('x');
}

static void fake_cancel(struct half *h)
{
	note('c');
}

static void fake_bye_up(struct half *h)
{
	note('u');
}

static void fake_bye_down(struct half *h)
{
	note('d');
}

static void fake_over(struct half *h)
{
	note('o');
}

static void fake_ended(struct half *h)
{
	note('e');
}

static const struct half_port port = {
	.send_on = fake_send_on,
	.refuse = fake_refuse,
	.pass_progress = fake_progress,
	.pass_answer = fake_answer,
	.pass_ack = fake_ack,
	.drop_extra = fake_extra,
	.cancel_down = fake_cancel,
	.bye_up = fake_bye_up,
	.bye_down = fake_bye_down,
	.over = fake_over,
	.ended = fake_ended,
};

static const struct half_reply reply = { .status = 200, .message = "m" };
static const struct half_final busy = { .status = 486 };
static const struct half_final no_answer = { .status = 480 };

static void step(struct half *h, enum half_event event)
{
	const void *arg = NULL;

	switch (event) {
	case HALF_EV_PROGRESS:
	case HALF_EV_ANSWER:
	case HALF_EV_EXTRA:
		arg = &reply;
		break;
	case HALF_EV_REFUSE:
	case HALF_EV_REJECT:
		arg = &busy;
		break;
	case HALF_EV_RELEASE:
		arg = &no_answer;
		break;
	case HALF_EV_ACK:
		arg = "m";
		break;
	default:
		break;
	}
	asked[0] = '\0';
	assert_true(half_step(h, event, arg, 2000));
}

static void the_table_is_sound(void **state)
{
	(void)state;
	assert_true(fsm_table_is_sound(&half_table, HALF_NEW, HALF_STATE_COUNT));
}

static void every_row_asks_what_it_should(void **state)
{
	static const struct {
		enum half_state state;
		enum half_event event;
		enum half_state next;
		const char *asked;
	} rows[] = {
		{ HALF_NEW, HALF_EV_ADMIT, HALF_CALLING, "i" },
		{ HALF_NEW, HALF_EV_REFUSE, HALF_ENDED, "foe" },
		{ HALF_CALLING, HALF_EV_PROGRESS, HALF_RINGING, "p" },
		{ HALF_CALLING, HALF_EV_ANSWER, HALF_ANSWERED, "ac" },
		{ HALF_CALLING, HALF_EV_REJECT, HALF_ENDED, "foe" },
		{ HALF_CALLING, HALF_EV_CANCEL, HALF_CANCELLING, "fco" },
		{ HALF_CALLING, HALF_EV_RELEASE, HALF_CANCELLING, "fco" },
		{ HALF_RINGING, HALF_EV_PROGRESS, HALF_RINGING, "p" },
		{ HALF_RINGING, HALF_EV_ANSWER, HALF_ANSWERED, "ac" },
		{ HALF_RINGING, HALF_EV_REJECT, HALF_ENDED, "foe" },
		{ HALF_RINGING, HALF_EV_CANCEL, HALF_CANCELLING, "fco" },
		{ HALF_RINGING, HALF_EV_BYE_UP, HALF_CANCELLING, "fco" },
		{ HALF_RINGING, HALF_EV_RELEASE, HALF_CANCELLING, "fco" },
		{ HALF_ANSWERED, HALF_EV_ACK, HALF_TALKING, "k" },
		{ HALF_ANSWERED, HALF_EV_EXTRA, HALF_ANSWERED, "x" },
		{ HALF_ANSWERED, HALF_EV_BYE_UP, HALF_CLEARING, "Kdo" },
		{ HALF_ANSWERED, HALF_EV_BYE_DOWN, HALF_CLEARING, "uo" },
		{ HALF_ANSWERED, HALF_EV_RELEASE, HALF_CLEARING, "Kduo" },
		{ HALF_TALKING, HALF_EV_EXTRA, HALF_TALKING, "x" },
		{ HALF_TALKING, HALF_EV_BYE_UP, HALF_CLEARING, "do" },
		{ HALF_TALKING, HALF_EV_BYE_DOWN, HALF_CLEARING, "uo" },
		{ HALF_TALKING, HALF_EV_RELEASE, HALF_CLEARING, "duo" },
		{ HALF_CANCELLING, HALF_EV_ANSWER, HALF_CLEARING, "x" },
		{ HALF_CANCELLING, HALF_EV_EXTRA, HALF_CLEARING, "x" },
		{ HALF_CANCELLING, HALF_EV_REJECT, HALF_ENDED, "e" },
		{ HALF_CANCELLING, HALF_EV_CLEARED, HALF_ENDED, "e" },
		{ HALF_CLEARING, HALF_EV_EXTRA, HALF_CLEARING, "x" },
		{ HALF_CLEARING, HALF_EV_CLEARED, HALF_ENDED, "e" },
	};

	(void)state;
	assert_int_equal(ARRAY_SIZE(rows), half_table.count);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct half h = { 0 };

		half_init(&h, HALF_IMSORIG, &port, 1000);
		h.fsm.state = (uint8_t)rows[i].state;
		if (rows[i].state >= HALF_ANSWERED)
			h.result = HALF_RESULT_ANSWERED;
		step(&h, rows[i].event);
		assert_int_equal(half_state(&h), rows[i].next);
		assert_string_equal(asked, rows[i].asked);
	}
}

static void an_answered_call_is_recorded_as_answered_whoever_hangs_up(void **state)
{
	static const enum half_event ends[] = { HALF_EV_BYE_UP, HALF_EV_BYE_DOWN, HALF_EV_RELEASE };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct half h = { 0 };

		half_init(&h, HALF_IMSTERM, &port, 1000);
		step(&h, HALF_EV_ADMIT);
		step(&h, HALF_EV_PROGRESS);
		assert_true(half_is_live(&h));
		step(&h, HALF_EV_ANSWER);
		assert_int_equal(h.answered_at, 2000);
		step(&h, HALF_EV_ACK);
		assert_int_equal(h.up.state, LEG_TALKING);
		step(&h, ends[i]);
		assert_false(half_is_live(&h));
		assert_int_equal(h.result, HALF_RESULT_ANSWERED);
		assert_int_equal(h.sip_status, 200);
		assert_int_equal(h.ended_at, 2000);
	}
}

static void a_call_that_was_given_up_is_recorded_once(void **state)
{
	struct half h = { 0 };

	(void)state;
	half_init(&h, HALF_IMSORIG, &port, 1000);
	step(&h, HALF_EV_ADMIT);
	step(&h, HALF_EV_CANCEL);
	assert_int_equal(refused_with, 487);
	assert_int_equal(h.result, HALF_RESULT_CANCELLED);
	assert_int_equal(h.sip_status, 487);
	/* the answer that crossed the CANCEL changes nothing of the record */
	step(&h, HALF_EV_ANSWER);
	assert_string_equal(asked, "x");
	step(&h, HALF_EV_CLEARED);
	assert_int_equal(h.result, HALF_RESULT_CANCELLED);
	assert_int_equal(h.answered_at, 0);
}

static void nobody_answering_is_no_answer(void **state)
{
	struct half h = { 0 };

	(void)state;
	half_init(&h, HALF_IMSTERM, &port, 1000);
	step(&h, HALF_EV_ADMIT);
	step(&h, HALF_EV_PROGRESS);
	step(&h, HALF_EV_RELEASE);
	assert_int_equal(refused_with, 480);
	assert_int_equal(h.result, HALF_RESULT_NO_ANSWER);
}

static void events_out_of_place_are_ignored(void **state)
{
	struct half h = { 0 };

	(void)state;
	half_init(&h, HALF_IMSORIG, &port, 1000);
	asked[0] = '\0';
	assert_false(half_step(&h, HALF_EV_ACK, NULL, 1));
	assert_false(half_step(&h, HALF_EV_BYE_DOWN, NULL, 1));
	assert_int_equal(half_state(&h), HALF_NEW);
	assert_string_equal(asked, "");
	assert_int_equal(h.fsm.ignored, 2);
}

static void final_statuses_have_results(void **state)
{
	static const struct {
		unsigned status;
		const char *name;
	} cases[] = {
		{ 200, "answered" },  { 486, "busy" },	    { 600, "busy" },   { 603, "busy" },
		{ 480, "no_answer" }, { 408, "no_answer" }, { 404, "failed" }, { 500, "failed" },
		{ 487, "cancelled" }, { 403, "failed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(half_result_name(half_result_of(cases[i].status)),
				    cases[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(every_row_asks_what_it_should),
		cmocka_unit_test(an_answered_call_is_recorded_as_answered_whoever_hangs_up),
		cmocka_unit_test(a_call_that_was_given_up_is_recorded_once),
		cmocka_unit_test(nobody_answering_is_no_answer),
		cmocka_unit_test(events_out_of_place_are_ignored),
		cmocka_unit_test(final_statuses_have_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
