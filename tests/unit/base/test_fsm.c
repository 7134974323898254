/* SPDX-License-Identifier: Apache-2.0 */
/* fsm: rows act then move, events raised meanwhile wait, unsound tables are found. */
#include "base/fsm.h"
#include "base/buf.h"
#include "unit.h"

enum { IDLE, BUSY, OVER };
enum { START, STOP };

static char trail[32];

static void begin(struct fsm *f, const void *arg)
{
	assert_int_equal(f->state, IDLE);
	(void)strncat(trail, arg, 4);
	assert_true(fsm_step(f, STOP, "2"));
	assert_int_equal(f->state, IDLE);
}

static void end(struct fsm *f, const void *arg)
{
	assert_int_equal(f->state, BUSY);
	(void)strncat(trail, arg, 4);
}

static const struct fsm_row rows[] = {
	{ IDLE, START, BUSY, begin },
	{ BUSY, STOP, OVER, end },
};
static const char *const states[] = { "idle", "busy", "over" };
static const struct fsm_table table = { "demo", rows, ARRAY_SIZE(rows), states, NULL };

static void events_raised_by_actions_wait(void **state)
{
	struct fsm f;

	(void)state;
	fsm_init(&f, &table, IDLE);
	assert_false(fsm_step(&f, STOP, "x"));
	assert_int_equal(f.ignored, 1);
	assert_true(fsm_step(&f, START, "1"));
	assert_string_equal(trail, "12");
	assert_string_equal(fsm_state_name(&f), "over");
}

static void unsound_tables_are_found(void **state)
{
	static const struct fsm_row twice[] = { { 0, 0, 1, NULL }, { 0, 0, 0, NULL } };
	const struct fsm_table bad = { "twice", twice, 2, NULL, NULL };

	(void)state;
	assert_true(fsm_table_is_sound(&table, IDLE, 3));
	assert_false(fsm_table_is_sound(&table, BUSY, 3));
	assert_false(fsm_table_is_sound(&bad, 0, 2));
}

static void tables_draw_themselves(void **state)
{
	AUTO_BUF out = { 0 };

	(void)state;
	fsm_draw(&table, &out);
	assert_non_null(strstr(out.data, "\"idle\" -> \"busy\" [label=\"0\"];"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_raised_by_actions_wait),
		cmocka_unit_test(unsound_tables_are_found),
		cmocka_unit_test(tables_draw_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
