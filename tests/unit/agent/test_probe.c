/* SPDX-License-Identifier: Apache-2.0 */
/* test_probe.c - answers of servers, good and bad, are judged right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/probe.h"

#define HEALTH(text) probe_read_health(text, sizeof(text) - 1, &result)

static void health_is_read(void **state)
{
	struct probe_result result;

	(void)state;
	HEALTH("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"ready\":true}");
	assert_true(result.ready);
	HEALTH("HTTP/1.1 503 Unavailable\r\n\r\n{\"ready\":true}");
	assert_false(result.ready);
	HEALTH("HTTP/1.1 200 OK\r\n\r\n{\"ready\":false,\"reason\":\"no\\nlink\"}");
	assert_false(result.ready);
	assert_string_equal(result.reason, "nolink");
}

static void health_that_is_none_is_not_ready(void **state)
{
	static const char *const bad[] = { "",
					   "HTTP/1.1 200 OK\r\n",
					   "HTTP/1.1 200 OK\r\n\r\n",
					   "HTTP/1.1 200 OK\r\n\r\n{\"ready\":1}",
					   "SSH-2.0\r\n\r\n{\"ready\":true}",
					   "HTTP/1.1 200 OK\r\n\r\n[true" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct probe_result result = { .ready = true };

		probe_read_health(bad[i], strlen(bad[i]), &result);
		assert_false(result.ready);
		assert_true(result.reason[0] != '\0');
	}
}

#define PG(bytes) probe_read_postgres((const unsigned char *)(bytes), sizeof(bytes) - 1, &result)

static void postgres_is_read(void **state)
{
	struct probe_result result = { 0 };

	(void)state;
	assert_int_equal(PG("R\0\0\0\10\0\0\0\0"), 0);
	assert_int_equal(PG("R\0\0\0\10\0\0\0\0Z\0\0\0\5I"), 1);
	assert_true(result.ready);
	assert_int_equal(PG("E\0\0\0\20SFATAL\0Mno\0\0"), 1);
	assert_false(result.ready);
	assert_string_equal(result.reason, "no");
}

static void postgres_nonsense_ends(void **state)
{
	struct probe_result result = { 0 };

	(void)state;
	assert_int_equal(PG("R\0\0\0\0"), 1);
	assert_int_equal(PG("R\377\377\377\377"), 1);
	assert_int_equal(PG("Z\0\0\0"), 0);
	assert_int_equal(PG("E\0\0\0\6Mx"), 1);
	assert_false(result.ready);
}

/* Stands in for PostgreSQL: two log-ins, the first link lives for a log-in and one query. */
struct postgres {
	char dir[32];
	char path[64];
	int listener;
	char asked[2][2]; /* the first byte of what came: a log-in begins with its length, 0 */
	pthread_t thread;
};

static void *serve_postgres(void *arg)
{
	static const char welcome[] = "R\0\0\0\10\0\0\0\0Z\0\0\0\5I",
			  done[] = "I\0\0\0\4Z\0\0\0\5I";
	struct postgres *pg = arg;

	for (size_t link = 0; link < 2; link++) {
		int fd = accept(pg->listener, NULL, NULL);
		char bytes[256];

		for (size_t i = 0; i < 2 - link; i++) {
			if (read(fd, bytes, sizeof(bytes)) <= 0)
				break;
			pg->asked[link][i] = bytes[0];
			(void)!write(fd, i == 0 ? welcome : done,
				     i == 0 ? sizeof(welcome) - 1 : sizeof(done) - 1);
		}
		close(fd);
	}
	return NULL;
}

static void a_log_in_is_kept_and_made_anew_when_it_is_gone(void **state)
{
	struct postgres pg = { .dir = "/tmp/aura-probe-XXXXXX", .asked = { "??", "??" } };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct probe_link link = { .fd = -1 };
	struct probe_result result;

	(void)state;
	assert_non_null(mkdtemp(pg.dir));
	(void)snprintf(pg.path, sizeof(pg.path), "%s/s", pg.dir);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", pg.path);
	probe_postgres(&link, pg.path, "u", "d", &result);
	assert_false(result.ready);
	assert_int_equal(link.fd, -1);
	pg.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(pg.listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(pg.listener, 2), 0);
	assert_int_equal(pthread_create(&pg.thread, NULL, serve_postgres, &pg), 0);
	for (int i = 0; i < 3; i++) {
		probe_postgres(&link, pg.path, "u", "d", &result);
		assert_true(result.ready);
		assert_true(link.fd >= 0);
	}
	probe_link_close(&link);
	assert_int_equal(link.fd, -1);
	pthread_join(pg.thread, NULL);
	assert_memory_equal(pg.asked[0], "\0Q", 2);
	assert_memory_equal(pg.asked[1], "\0?", 2);
	close(pg.listener);
	unlink(pg.path);
	rmdir(pg.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_is_read),
		cmocka_unit_test(health_that_is_none_is_not_ready),
		cmocka_unit_test(postgres_is_read),
		cmocka_unit_test(postgres_nonsense_ends),
		cmocka_unit_test(a_log_in_is_kept_and_made_anew_when_it_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
