/* SPDX-License-Identifier: Apache-2.0 */
/* test_vm_cycle.c - the life cycle's table: sound, and each path that people see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/vm/vm_cycle.h"

static void table_is_sound(void **state)
{
	(void)state;
	assert_true(fsm_table_is_sound(&vm_cycle, VM_DEPLOYING, VM_STATES));
}

static void every_row_moves(void **state)
{
	struct fsm f;

	(void)state;
	for (size_t i = 0; i < vm_cycle.count; i++) {
		fsm_init(&f, &vm_cycle, vm_cycle.rows[i].state);
		assert_true(fsm_step(&f, vm_cycle.rows[i].event, NULL));
		assert_int_equal(f.state, vm_cycle.rows[i].next);
	}
}

static void expect_path(uint8_t from, const uint8_t *events, size_t n, uint8_t to)
{
	struct fsm f;

	fsm_init(&f, &vm_cycle, from);
	for (size_t i = 0; i < n; i++)
		assert_true(fsm_step(&f, events[i], NULL));
	assert_int_equal(f.state, to);
}

#define PATH(from, to, ...)                                                                        \
	do {                                                                                       \
		const uint8_t path_[] = { __VA_ARGS__ };                                           \
		expect_path((from), path_, sizeof(path_), (to));                                   \
	} while (0)

static void deploy_runs(void **state)
{
	(void)state;
	PATH(VM_DEPLOYING, VM_RUNNING, VM_EV_START, VM_EV_STARTED);
}

static void crash_is_started_again(void **state)
{
	(void)state;
	PATH(VM_RUNNING, VM_RUNNING, VM_EV_GONE, VM_EV_START, VM_EV_STARTED);
	PATH(VM_STARTING, VM_STARTING, VM_EV_START_FAILED, VM_EV_START);
}

static void asked_end_is_no_crash(void **state)
{
	(void)state;
	PATH(VM_RUNNING, VM_STOPPED, VM_EV_STOP, VM_EV_GONE);
	PATH(VM_CRASHED, VM_STOPPED, VM_EV_STOP);
}

static void running_domain_is_adopted(void **state)
{
	(void)state;
	PATH(VM_STOPPED, VM_RUNNING, VM_EV_ADOPT);
	PATH(VM_CRASHED, VM_RUNNING, VM_EV_ADOPT);
}

static void stopped_vm_cannot_crash(void **state)
{
	struct fsm f;

	(void)state;
	fsm_init(&f, &vm_cycle, VM_STOPPED);
	assert_false(fsm_step(&f, VM_EV_GONE, NULL));
	assert_false(fsm_step(&f, VM_EV_STOP, NULL));
	assert_int_equal(f.state, VM_STOPPED);
	assert_int_equal(f.ignored, 2);
}

static void a_late_end_does_not_hit_the_next_start(void **state)
{
	struct fsm f;

	(void)state;
	fsm_init(&f, &vm_cycle, VM_STARTING);
	assert_false(fsm_step(&f, VM_EV_GONE, NULL));
	assert_int_equal(f.state, VM_STARTING);
}

static void pauses_between_restarts_double(void **state)
{
	static const uint32_t want[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };

	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(vm_restart_delay_ms(i), want[i]);
	assert_int_equal(vm_restart_delay_ms(UINT32_MAX), 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_sound),
		cmocka_unit_test(every_row_moves),
		cmocka_unit_test(deploy_runs),
		cmocka_unit_test(crash_is_started_again),
		cmocka_unit_test(asked_end_is_no_crash),
		cmocka_unit_test(running_domain_is_adopted),
		cmocka_unit_test(stopped_vm_cannot_crash),
		cmocka_unit_test(a_late_end_does_not_hit_the_next_start),
		cmocka_unit_test(pauses_between_restarts_double),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
