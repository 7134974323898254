/* SPDX-License-Identifier: Apache-2.0 */
/* test_freeze.c - a freeze is answered, ended by thaw or by the watchdog, never twice at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/freeze.h"
#include "base/job.h"

static int answers, last_result, frozen;
static int64_t last_id;

static void on_answer(struct freeze *f, int64_t id, int result)
{
	(void)f;
	answers++;
	last_id = id;
	last_result = result;
}

static int fake_freeze(const char *folder)
{
	(void)folder;
	frozen++;
	return 0;
}

static int fake_thaw(const char *folder)
{
	(void)folder;
	frozen--;
	return 0;
}

struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct job_pool *jobs;
	struct freeze freeze;
};

static void bench_up(struct bench *b)
{
	answers = frozen = 0;
	clock_fake_init(&b->clock, 1000, 0);
	assert_int_equal(loop_new(&b->clock.clock, &b->loop), 0);
	assert_int_equal(job_pool_new(b->loop, 1, 4, &b->jobs), 0);
	b->freeze.answered = on_answer;
	freeze_init(&b->freeze, b->loop, b->jobs, "/nonexistent");
	b->freeze.freeze_fs = fake_freeze;
	b->freeze.thaw_fs = fake_thaw;
}

static void bench_down(struct bench *b)
{
	freeze_done(&b->freeze);
	job_pool_free(b->jobs);
	loop_free(b->loop);
}

static void turn_until_answers(struct bench *b, int wanted)
{
	for (int i = 0; i < 500 && answers < wanted; i++)
		(void)loop_turn(b->loop, 10);
	assert_int_equal(answers, wanted);
}

static void freeze_then_thaw(void **state)
{
	struct bench b = { 0 };

	(void)state;
	bench_up(&b);
	freeze_begin(&b.freeze, 7, 10);
	turn_until_answers(&b, 1);
	assert_int_equal(last_id, 7);
	assert_int_equal(last_result, 0);
	assert_int_equal(frozen, 1);
	freeze_begin(&b.freeze, 8, 10);
	assert_int_equal(last_result, -EBUSY);
	freeze_end(&b.freeze, 9);
	assert_int_equal(last_result, 0);
	assert_int_equal(frozen, 0);
	freeze_end(&b.freeze, 10);
	assert_int_equal(last_result, -EINVAL);
	bench_down(&b);
}

static void watchdog_thaws(void **state)
{
	struct bench b = { 0 };

	(void)state;
	bench_up(&b);
	freeze_begin(&b.freeze, 1, 5);
	turn_until_answers(&b, 1);
	clock_fake_advance(&b.clock, 4900);
	(void)loop_turn(b.loop, 0);
	assert_int_equal(frozen, 1);
	clock_fake_advance(&b.clock, 200);
	(void)loop_turn(b.loop, 0);
	(void)loop_turn(b.loop, 0);
	assert_int_equal(frozen, 0);
	freeze_end(&b.freeze, 2);
	assert_int_equal(last_result, -EINVAL);
	bench_down(&b);
}

static void thaw_during_the_freeze_wins(void **state)
{
	struct bench b = { 0 };

	(void)state;
	bench_up(&b);
	freeze_begin(&b.freeze, 1, 5);
	freeze_end(&b.freeze, 2);
	turn_until_answers(&b, 2);
	assert_int_equal(frozen, 0);
	assert_false(b.freeze.frozen);
	bench_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(freeze_then_thaw),
		cmocka_unit_test(watchdog_thaws),
		cmocka_unit_test(thaw_during_the_freeze_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
