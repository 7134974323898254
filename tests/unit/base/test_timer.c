/* SPDX-License-Identifier: Apache-2.0 */
/* timer: every timer fires once, at its time, whatever the distance; stop and restart hold. */
#include "base/timer.h"
#include "base/random.h"
#include "unit.h"

#define MANY 2000

struct probe {
	struct timer timer;
	uint64_t want, got;
	int fired;
};

static struct timer_wheel wheel;
static struct probe probes[MANY];

static void fire(struct timer *t)
{
	struct probe *p = CONTAINER_OF(t, struct probe, timer);

	p->got = wheel.now_ms;
	p->fired++;
}

static void timers_fire_once_at_their_time(void **state)
{
	static const uint64_t edges[] = {
		1,     2,     255,   256,    257,      511,	 512,
		65535, 65536, 65537, 131072, 16777215, 16777216, 16777300
	};

	(void)state;
	timer_wheel_init(&wheel, 12345);
	memset(probes, 0, sizeof(probes));
	for (size_t i = 0; i < MANY; i++) {
		uint64_t after = i < ARRAY_SIZE(edges) ? edges[i] : 1 + random_below(300000);

		probes[i].want = wheel.now_ms + after;
		timer_start(&wheel, &probes[i].timer, after, fire);
	}
	while (wheel.count > 0) {
		int64_t wait = timer_wheel_wait(&wheel);

		assert_true(wait > 0);
		timer_wheel_advance(&wheel, wheel.now_ms + (uint64_t)wait);
	}
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(probes[i].fired, 1);
		assert_true(probes[i].got == probes[i].want);
	}
	assert_int_equal(timer_wheel_wait(&wheel), -1);
}

static void stopped_timers_stay_silent(void **state)
{
	struct probe p = { 0 };

	(void)state;
	timer_wheel_init(&wheel, 0);
	timer_stop(&wheel, &p.timer);
	timer_start(&wheel, &p.timer, 10, fire);
	timer_start(&wheel, &p.timer, 20, fire);
	assert_int_equal(wheel.count, 1);
	timer_wheel_advance(&wheel, 15);
	assert_int_equal(p.fired, 0);
	timer_stop(&wheel, &p.timer);
	timer_wheel_advance(&wheel, 100);
	assert_int_equal(p.fired, 0);
	assert_false(timer_active(&p.timer));
}

static struct probe other;

static void fire_and_stop_other(struct timer *t)
{
	fire(t);
	timer_stop(&wheel, &other.timer);
	timer_start(&wheel, t, 0, fire); /* 0 is the next tick, not an endless loop */
}

static void handlers_may_stop_and_start(void **state)
{
	struct probe p = { 0 };

	(void)state;
	memset(&other, 0, sizeof(other));
	timer_wheel_init(&wheel, 0);
	timer_start(&wheel, &p.timer, 5, fire_and_stop_other);
	timer_start(&wheel, &other.timer, 5, fire);
	timer_wheel_advance(&wheel, 5);
	assert_int_equal(p.fired, 1);
	assert_int_equal(other.fired, 0);
	timer_wheel_advance(&wheel, 50);
	assert_int_equal(p.fired, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_once_at_their_time),
		cmocka_unit_test(stopped_timers_stay_silent),
		cmocka_unit_test(handlers_may_stop_and_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
