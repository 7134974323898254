/* SPDX-License-Identifier: Apache-2.0 */
/* test_channel.c - lines are cut right, rubbish is counted, a host that comes back is greeted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/channel.h"
#include "base/agent_wire.h"

static int lines;
static char last[64];

static void on_line(struct channel *c, const char *type, const json_t *message)
{
	(void)c;
	(void)message;
	lines++;
	(void)snprintf(last, sizeof(last), "%s", type);
}

static void on_opened(struct channel *c)
{
	(void)c;
}

static void feed(struct channel *c, const char *text)
{
	channel_feed(c, text, strlen(text));
}

static void lines_are_cut(void **state)
{
	AUTO(loop) struct loop *loop = NULL;
	struct channel c;

	(void)state;
	assert_int_equal(loop_new(NULL, &loop), 0);
	channel_init(&c, loop, "/nonexistent");
	c.line = on_line;
	c.opened = on_opened;
	lines = 0;
	feed(&c, "{\"type\":\"pi");
	assert_int_equal(lines, 0);
	feed(&c, "ng\"}\n\n{\"type\":\"thaw\"}\n{\"ty");
	assert_int_equal(lines, 2);
	assert_string_equal(last, "thaw");
	feed(&c, "pe\":\"hello\"}\r\n");
	assert_int_equal(lines, 3);
	assert_string_equal(last, "hello");
	assert_int_equal(c.bad_lines, 0);
	feed(&c, "rubbish\n{}\n{\"type\":7}\n{\"type\":\"ping\"}\n");
	assert_int_equal(c.bad_lines, 3);
	assert_int_equal(lines, 4);
	channel_done(&c);
}

static void overlong_line_is_dropped_to_its_end(void **state)
{
	AUTO(loop) struct loop *loop = NULL;
	AUTO(str) char *big = malloc(AGENT_LINE_MAX + 2);
	struct channel c;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', AGENT_LINE_MAX + 1);
	big[AGENT_LINE_MAX + 1] = '\0';
	assert_int_equal(loop_new(NULL, &loop), 0);
	channel_init(&c, loop, "/nonexistent");
	c.line = on_line;
	c.opened = on_opened;
	lines = 0;
	feed(&c, big);
	feed(&c, "{\"type\":\"shutdown\"}\n");
	assert_int_equal(lines, 0);
	assert_int_equal(c.bad_lines, 1);
	feed(&c, "{\"type\":\"ping\"}\n");
	assert_int_equal(lines, 1);
	assert_int_equal(channel_send(&c, json_pack("{s:s}", "type", "hello")), -ENOTCONN);
	channel_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_cut),
		cmocka_unit_test(overlong_line_is_dropped_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
