/* SPDX-License-Identifier: Apache-2.0 */
/* test_probe.c - answers of servers, good and bad, are judged right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_is_read),
		cmocka_unit_test(health_that_is_none_is_not_ready),
		cmocka_unit_test(postgres_is_read),
		cmocka_unit_test(postgres_nonsense_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
