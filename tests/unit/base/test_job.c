/* SPDX-License-Identifier: Apache-2.0 */
/* job: each runs once off the loop, its result comes back on the loop, the queue is bounded. */
#include "base/job.h"
#include "base/loop.h"
#include "unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

static pthread_t loop_thread;
static struct loop *loop;
static _Atomic int ran;
static int done;

static void run(void *user)
{
	(void)user;
	assert_false(pthread_equal(pthread_self(), loop_thread));
	ran++;
}

static void finish(void *user)
{
	(void)user;
	assert_true(pthread_equal(pthread_self(), loop_thread));
	if (++done == 100)
		loop_stop(loop);
}

static void jobs_run_off_the_loop_and_report_on_it(void **state)
{
	AUTO(loop) struct loop *l = NULL;
	AUTO(job_pool) struct job_pool *p = NULL;

	(void)state;
	loop_thread = pthread_self();
	assert_int_equal(loop_new(NULL, &l), 0);
	loop = l;
	assert_int_equal(job_pool_new(l, 3, 1000, &p), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(job_submit(p, run, finish, NULL), 0);
	assert_int_equal(loop_run(l), 0);
	assert_int_equal(ran, 100);
	assert_int_equal(done, 100);
	p = job_pool_free(p);
}

static sem_t gate;

static void wait_at_gate(void *user)
{
	(void)user;
	while (sem_wait(&gate) != 0)
		;
}

static void queue_has_a_bound(void **state)
{
	AUTO(loop) struct loop *l = NULL;
	AUTO(job_pool) struct job_pool *p = NULL;
	int accepted = 0;

	(void)state;
	assert_int_equal(sem_init(&gate, 0, 0), 0);
	assert_int_equal(loop_new(NULL, &l), 0);
	assert_int_equal(job_pool_new(l, 1, 4, &p), 0);
	while (job_submit(p, wait_at_gate, NULL, NULL) == 0)
		accepted++;
	assert_true(accepted >= 4 && accepted <= 5);
	assert_int_equal(job_submit(p, wait_at_gate, NULL, NULL), -EAGAIN);
	for (int i = 0; i < accepted; i++)
		(void)sem_post(&gate);
	p = job_pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_run_off_the_loop_and_report_on_it),
		cmocka_unit_test(queue_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
