/* SPDX-License-Identifier: Apache-2.0 */
/* test_server.c - the supervisor restarts what dies, stops what it is told to, adopts what runs. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/server.h"

static char pid_file[64];
static int stops;

static void on_stopped(struct server *s)
{
	(void)s;
	stops++;
}

static struct process_spec spec_of(const char *const *argv)
{
	return (struct process_spec){
		.argv = argv, .uid = getuid(), .gid = getgid(), .folder = "/", .pid_file = pid_file
	};
}

static void turn_until(struct loop *loop, bool (*done)(const struct server *), struct server *s)
{
	for (int i = 0; i < 500 && !done(s); i++)
		(void)loop_turn(loop, 20);
	assert_true(done(s));
}

static bool has_restarted_twice(const struct server *s)
{
	return s->restarts >= 2;
}

static bool has_stopped(const struct server *s)
{
	(void)s;
	return stops > 0;
}

static int setup(void **state)
{
	AUTO(loop) struct loop *loop = NULL;

	stops = 0;
	(void)snprintf(pid_file, sizeof(pid_file), "/tmp/aura-test-server-%d.pid", (int)getpid());
	(void)unlink(pid_file);
	if (loop_new(NULL, &loop) < 0)
		return -1;
	*state = TAKE(loop);
	return 0;
}

static int teardown(void **state)
{
	loop_free(*state);
	(void)unlink(pid_file);
	return 0;
}

static void table_is_sound(void **state)
{
	(void)state;
	assert_true(fsm_table_is_sound(&server_table, 0, 5));
}

static void restarts_with_growing_delay(void **state)
{
	static const char *const argv[] = { "/bin/false", NULL };
	const struct process_spec spec = spec_of(argv);
	struct server s;

	server_init(&s, *state, &spec, SIGTERM);
	s.backoff = 1;
	server_start(&s);
	turn_until(*state, has_restarted_twice, &s);
	assert_in_range(s.backoff, 4, SERVER_BACKOFF_MAX);
	s.stopped = on_stopped;
	server_stop(&s);
	turn_until(*state, has_stopped, &s);
	server_done(&s);
}

static void stops_once_and_for_all(void **state)
{
	static const char *const argv[] = { "/bin/sleep", "60", NULL };
	const struct process_spec spec = spec_of(argv);
	struct server s;

	server_init(&s, *state, &spec, SIGTERM);
	s.stopped = on_stopped;
	server_start(&s);
	assert_true(server_is_running(&s));
	server_stop(&s);
	turn_until(*state, has_stopped, &s);
	assert_int_equal(stops, 1);
	assert_int_equal(s.restarts, 0);
	assert_false(server_is_running(&s));
	server_done(&s);
}

static void restart_on_request_is_no_crash(void **state)
{
	static const char *const argv[] = { "/bin/sleep", "60", NULL };
	const struct process_spec spec = spec_of(argv);
	struct server s;
	pid_t first;

	server_init(&s, *state, &spec, SIGTERM);
	s.stopped = on_stopped;
	server_start(&s);
	first = s.process.pid;
	server_restart(&s);
	for (int i = 0; i < 500 && (!server_is_running(&s) || s.process.pid == first); i++)
		(void)loop_turn(*state, 20);
	assert_true(server_is_running(&s));
	assert_int_not_equal(s.process.pid, first);
	assert_int_equal(stops, 0);
	assert_int_equal(s.restarts, 0);
	server_stop(&s);
	turn_until(*state, has_stopped, &s);
	server_done(&s);
}

static void next_agent_adopts_what_runs(void **state)
{
	static const char *const argv[] = { "/bin/sleep", "60", NULL };
	const struct process_spec spec = spec_of(argv);
	struct server first, second;
	pid_t pid;

	server_init(&first, *state, &spec, SIGTERM);
	server_start(&first);
	pid = first.process.pid;
	server_done(&first); /* as a crash of the agent leaves it */
	assert_int_equal(kill(pid, 0), 0);
	server_init(&second, *state, &spec, SIGTERM);
	second.stopped = on_stopped;
	server_start(&second);
	assert_int_equal(second.process.pid, pid);
	server_stop(&second);
	turn_until(*state, has_stopped, &second);
	server_done(&second);
}

static void stale_pid_file_is_not_adopted(void **state)
{
	struct process p = { 0 };
	FILE *file = fopen(pid_file, "we");

	assert_non_null(file);
	(void)fprintf(file, "%d 1\n", (int)getpid());
	fclose(file);
	process_init(&p, *state);
	assert_int_equal(process_adopt(&p, pid_file), -ESRCH);
	file = fopen(pid_file, "we");
	assert_non_null(file);
	(void)fputs("rubbish", file);
	fclose(file);
	assert_int_equal(process_adopt(&p, pid_file), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_sound),
		cmocka_unit_test_setup_teardown(restarts_with_growing_delay, setup, teardown),
		cmocka_unit_test_setup_teardown(stops_once_and_for_all, setup, teardown),
		cmocka_unit_test_setup_teardown(restart_on_request_is_no_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(next_agent_adopts_what_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(stale_pid_file_is_not_adopted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
