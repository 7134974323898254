/* SPDX-License-Identifier: Apache-2.0 */
/* loop: descriptors, removal within a turn, timers, posts from threads, signals. */
#include "base/loop.h"
#include "base/error.h"
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

static struct loop_io ios[2];
static int ready_count;

static void remove_both(struct loop_io *io, uint32_t events)
{
	(void)io;
	(void)events;
	ready_count++;
	loop_io_remove(&ios[0]);
	loop_io_remove(&ios[1]);
}

static void removed_io_gets_no_callback(void **state)
{
	AUTO(loop) struct loop *l = NULL;
	int ends[2][2];

	(void)state;
	assert_int_equal(loop_new(NULL, &l), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe(ends[i]), 0);
		assert_int_equal(loop_io_add(l, &ios[i], ends[i][0], EPOLLIN, remove_both), 0);
		assert_int_equal(write(ends[i][1], "x", 1), 1);
	}
	assert_int_equal(loop_turn(l, 1000), 0);
	assert_int_equal(ready_count, 1);
	for (int i = 0; i < 2; i++) {
		(void)close(ends[i][0]);
		(void)close(ends[i][1]);
	}
}

static struct loop *posted_to;
static int posted;

static void count_post(void *user)
{
	(void)user;
	if (++posted == 2000)
		loop_stop(posted_to);
}

static void *post_many(void *user)
{
	(void)user;
	for (int i = 0; i < 1000; i++)
		(void)loop_post(posted_to, count_post, NULL);
	return NULL;
}

static void posts_of_threads_all_arrive(void **state)
{
	AUTO(loop) struct loop *l = NULL;
	pthread_t threads[2];

	(void)state;
	assert_int_equal(loop_new(NULL, &l), 0);
	posted_to = l;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_many, NULL), 0);
	assert_int_equal(loop_run(l), 0);
	for (int i = 0; i < 2; i++)
		(void)pthread_join(threads[i], NULL);
	assert_int_equal(posted, 2000);
}

static int signalled;

static void on_signal(int signo, void *user)
{
	signalled = signo;
	loop_stop(user);
}

static void signals_are_callbacks(void **state)
{
	AUTO(loop) struct loop *l = NULL;

	(void)state;
	assert_int_equal(loop_new(NULL, &l), 0);
	assert_int_equal(loop_signal(l, SIGUSR1, on_signal, l), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(loop_run(l), 0);
	assert_int_equal(signalled, SIGUSR1);
}

static int fired;

static void on_timer(struct timer *t)
{
	(void)t;
	fired++;
}

static void timers_follow_the_injected_clock(void **state)
{
	AUTO(loop) struct loop *l = NULL;
	struct clock_fake clock;
	struct timer timer = { 0 };

	(void)state;
	clock_fake_init(&clock, 100, 0);
	assert_int_equal(loop_new(&clock.clock, &l), 0);
	loop_timer_start(l, &timer, 60000, on_timer);
	assert_int_equal(loop_turn(l, 0), 0);
	assert_int_equal(fired, 0);
	clock_fake_advance(&clock, 60000);
	assert_int_equal(loop_turn(l, 0), 0);
	assert_int_equal(fired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(removed_io_gets_no_callback),
		cmocka_unit_test(posts_of_threads_all_arrive),
		cmocka_unit_test(signals_are_callbacks),
		cmocka_unit_test(timers_follow_the_injected_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
