/* SPDX-License-Identifier: Apache-2.0 */
/* What may be done with a half, and when: every cell of both tables, and the races that they decide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "cm/engine.h"

/* One line a state, one word an operation, in the order of the enums: answered redirect refer park lend failed
 * joined asker_left kept_left ended. "-" ignored, "+STATE" go, "491" refused, "end", "split>STATE",
 * "back>STATE", "drop", "letgo", "giveup". */
static const char *const expected[ENGINE_STATES][ENGINE_OPS] = {
	{ "+talk", "+setup", "491", "480", "486", "-", "-", "end", "end", "+over" },
	{ "-", "481", "+transfer", "split>parked", "+lent", "-", "-", "end", "end", "+over" },
	{ "-", "481", "491", "491", "486", "back>talk", "letgo", "split>transfer_left", "giveup",
	  "giveup" },
	{ "-", "481", "491", "491", "486", "drop", "letgo", "-", "giveup", "giveup" },
	{ "-", "481", "491", "491", "486", "back>talk", "letgo", "split>lent_left", "giveup",
	  "giveup" },
	{ "-", "481", "491", "491", "486", "drop", "letgo", "-", "giveup", "giveup" },
	{ "-", "481", "480", "486", "+parked_lent", "-", "-", "-", "end", "+over" },
	{ "-", "481", "480", "486", "486", "back>parked", "letgo", "-", "giveup", "giveup" },
	{ "-", "481", "481", "481", "481", "-", "-", "end", "-", "+over" },
	{ "-", "481", "481", "481", "481", "-", "-", "-", "-", "-" },
};

static void say(const struct engine_cell *cell, char *out, size_t size)
{
	const char *next = engine_state_name(cell->next);

	switch (cell->action) {
	case ENGINE_NO:
		(void)snprintf(out, size, "-");
		break;
	case ENGINE_GO:
		(void)snprintf(out, size, "+%s", next);
		break;
	case ENGINE_REFUSE:
		(void)snprintf(out, size, "%u", cell->status);
		break;
	case ENGINE_END:
		(void)snprintf(out, size, "end");
		break;
	case ENGINE_SPLIT:
		(void)snprintf(out, size, "split>%s", next);
		break;
	case ENGINE_FALL_BACK:
		(void)snprintf(out, size, "back>%s", next);
		break;
	case ENGINE_DROP_KEPT:
		(void)snprintf(out, size, "drop");
		break;
	case ENGINE_LET_GO:
		(void)snprintf(out, size, "letgo");
		break;
	case ENGINE_GIVE_UP:
		(void)snprintf(out, size, "giveup");
		break;
	}
}

static void every_cell_says_what_it_should(void **state)
{
	char text[64];

	(void)state;
	for (int s = 0; s < ENGINE_STATES; s++) {
		for (int op = 0; op < ENGINE_OPS; op++) {
			say(engine_look((enum engine_state)s, (enum engine_op)op), text,
			    sizeof(text));
			if (strcmp(text, expected[s][op]) != 0)
				fail_msg("%s, operation %d: %s, not %s",
					 engine_state_name((enum engine_state)s), op, text,
					 expected[s][op]);
		}
	}
}

/* What does not go on stays where it is; what ends does so for good; only a refusal has a status. */
static void no_cell_contradicts_itself(void **state)
{
	(void)state;
	for (int s = 0; s < ENGINE_STATES; s++) {
		for (int op = 0; op < ENGINE_OPS; op++) {
			const struct engine_cell *c =
				engine_look((enum engine_state)s, (enum engine_op)op);

			assert_int_equal(c->status != 0, c->action == ENGINE_REFUSE);
			if (c->action == ENGINE_NO || c->action == ENGINE_REFUSE)
				assert_int_equal(c->next, s);
			if (c->action == ENGINE_END || c->action == ENGINE_GIVE_UP ||
			    c->action == ENGINE_DROP_KEPT)
				assert_int_equal(c->next, ENGINE_OVER);
			if (c->action == ENGINE_LET_GO)
				assert_int_equal(c->next, ENGINE_TAKEN);
		}
	}
}

static void every_state_can_be_reached(void **state)
{
	bool reached[ENGINE_STATES] = { [ENGINE_SETUP] = true };
	bool more = true;

	(void)state;
	while (more) {
		more = false;
		for (int s = 0; s < ENGINE_STATES; s++) {
			for (int op = 0; reached[s] && op < ENGINE_OPS; op++) {
				int next =
					(int)engine_look((enum engine_state)s, (enum engine_op)op)
						->next;

				more = more || !reached[next];
				reached[next] = true;
			}
		}
	}
	for (int s = 0; s < ENGINE_STATES; s++)
		assert_true(reached[s]);
}

/* Any order of any events: once over, over; and the kept side is never let go twice. */
static void any_order_ends_once(void **state)
{
	uint32_t seed = 20261121;

	(void)state;
	for (int run = 0; run < 20000; run++) {
		struct engine e = { 0 };
		unsigned ends = 0, taken = 0;

		for (int step = 0; step < 30; step++) {
			struct engine_cell cell;

			seed = seed * 1664525 + 1013904223;
			cell = engine_step(&e, (enum engine_op)((seed >> 16) % ENGINE_OPS));
			taken += cell.action == ENGINE_LET_GO;
			ends += cell.next == ENGINE_OVER && cell.action != ENGINE_NO &&
				cell.action != ENGINE_REFUSE;
		}
		assert_true(ends <= 1 && taken <= 1);
	}
}

static enum engine_action act(struct engine *e, enum engine_op op)
{
	return engine_step(e, op).action;
}

static void a_parked_side_waits_and_is_taken(void **state)
{
	struct engine e = { 0 };

	(void)state;
	assert_int_equal(act(&e, ENGINE_ANSWERED), ENGINE_GO);
	assert_int_equal(act(&e, ENGINE_PARK), ENGINE_SPLIT);
	assert_int_equal(act(&e, ENGINE_PARK), ENGINE_REFUSE);
	assert_int_equal(act(&e, ENGINE_LEND), ENGINE_GO);
	assert_int_equal(act(&e, ENGINE_LEND), ENGINE_REFUSE); /* two want it: the first has it */
	assert_int_equal(act(&e, ENGINE_FAILED), ENGINE_FALL_BACK);
	assert_int_equal(e.state, ENGINE_PARKED);
	assert_int_equal(act(&e, ENGINE_LEND), ENGINE_GO);
	assert_int_equal(act(&e, ENGINE_JOINED), ENGINE_LET_GO);
	assert_int_equal(act(&e, ENGINE_ENDED), ENGINE_GO);
	assert_int_equal(e.state, ENGINE_OVER);
}

static void hanging_up_crosses_a_transfer(void **state)
{
	static const struct {
		enum engine_op first, then;
		enum engine_action acts[2];
	} races[] = {
		{ ENGINE_ASKER_LEFT, ENGINE_FAILED, { ENGINE_SPLIT, ENGINE_DROP_KEPT } },
		{ ENGINE_ASKER_LEFT, ENGINE_JOINED, { ENGINE_SPLIT, ENGINE_LET_GO } },
		{ ENGINE_ASKER_LEFT, ENGINE_KEPT_LEFT, { ENGINE_SPLIT, ENGINE_GIVE_UP } },
		{ ENGINE_KEPT_LEFT, ENGINE_JOINED, { ENGINE_GIVE_UP, ENGINE_NO } },
		{ ENGINE_KEPT_LEFT, ENGINE_FAILED, { ENGINE_GIVE_UP, ENGINE_NO } },
		{ ENGINE_JOINED, ENGINE_ASKER_LEFT, { ENGINE_LET_GO, ENGINE_END } },
		{ ENGINE_JOINED, ENGINE_KEPT_LEFT, { ENGINE_LET_GO, ENGINE_NO } },
		{ ENGINE_FAILED, ENGINE_ASKER_LEFT, { ENGINE_FALL_BACK, ENGINE_END } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(races); i++) {
		struct engine e = { .state = ENGINE_TRANSFER };

		assert_int_equal(act(&e, races[i].first), races[i].acts[0]);
		assert_int_equal(act(&e, races[i].then), races[i].acts[1]);
	}
}

static void offers_do_not_cross(void **state)
{
	static const unsigned verdicts[OFFER_STATES][OFFER_EVENTS] = {
		{ 0, 0, 0, 0, 0 },
		{ 500, 491, OFFER_WAIT, OFFER_WAIT, 0 },
		{ 491, 500, OFFER_WAIT, OFFER_WAIT, 0 },
		{ 491, 491, OFFER_WAIT, OFFER_WAIT, 0 },
		{ 491, 491, OFFER_WAIT, OFFER_WAIT, 0 },
	};

	(void)state;
	for (unsigned s = 0; s < OFFER_STATES; s++) {
		for (unsigned ev = 0; ev < OFFER_EVENTS; ev++) {
			struct engine e = { .offer = (uint8_t)s };

			assert_int_equal(engine_offer_look(&e, (enum engine_offer_event)ev),
					 verdicts[s][ev]);
			assert_int_equal(e.offer, s);
			assert_int_equal(engine_offer(&e, (enum engine_offer_event)ev),
					 verdicts[s][ev]);
			if (ev == OFFER_EV_DONE)
				assert_int_equal(e.offer, OFFER_FREE);
			else if (s == OFFER_FREE)
				assert_int_equal(e.offer, ev + 1);
			else
				assert_int_equal(e.offer, s);
		}
	}
}

static void after_491_the_owner_of_the_call_id_waits_longer(void **state)
{
	uint32_t least[2] = { UINT32_MAX, UINT32_MAX }, most[2] = { 0, 0 };

	(void)state;
	for (uint32_t random = 0; random < 100000; random++) {
		for (int owner = 0; owner < 2; owner++) {
			uint32_t ms = engine_retry_ms(owner, random);

			least[owner] = ms < least[owner] ? ms : least[owner];
			most[owner] = ms > most[owner] ? ms : most[owner];
			assert_int_equal(ms % 10, 0);
		}
	}
	assert_true(least[0] == 0 && most[0] == 2000);
	assert_true(least[1] == 2100 && most[1] == 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_says_what_it_should),
		cmocka_unit_test(no_cell_contradicts_itself),
		cmocka_unit_test(every_state_can_be_reached),
		cmocka_unit_test(any_order_ends_once),
		cmocka_unit_test(a_parked_side_waits_and_is_taken),
		cmocka_unit_test(hanging_up_crosses_a_transfer),
		cmocka_unit_test(offers_do_not_cross),
		cmocka_unit_test(after_491_the_owner_of_the_call_id_waits_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
