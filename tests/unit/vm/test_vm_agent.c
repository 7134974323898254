/* SPDX-License-Identifier: Apache-2.0 */
/* test_vm_agent.c - the agent link: lines in pieces, hostile lines, status, requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/vm/vm_agent.h"

struct seen {
	char sent[4096];
	char csr[256];
	unsigned changes;
	struct vm_agent_status last;
};

static int on_send(void *arg, const char *bytes, size_t len)
{
	struct seen *s = arg;
	size_t used = strlen(s->sent);

	assert_true(used + len < sizeof(s->sent));
	memcpy(s->sent + used, bytes, len);
	s->sent[used + len] = '\0';
	return 0;
}

static void on_csr(void *arg, const char *csr)
{
	struct seen *s = arg;

	(void)snprintf(s->csr, sizeof(s->csr), "%s", csr);
}

static void on_changed(void *arg, const struct vm_agent_status *status)
{
	struct seen *s = arg;

	s->changes++;
	s->last = *status;
}

static const struct vm_agent_ops ops = { on_send, on_csr, on_changed };

static struct seen seen;

static struct vm_agent *fresh(void)
{
	struct vm_agent *a;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(vm_agent_new(&ops, &seen, &a), 0);
	vm_agent_opened(a);
	return a;
}

static void feed(struct vm_agent *a, const char *text)
{
	vm_agent_feed(a, text, strlen(text), 1000);
}

static void opening_asks_for_hello(void **state)
{
	struct vm_agent *a = fresh();

	(void)state;
	assert_string_equal(seen.sent, "{\"type\":\"hello\"}\n");
	(void)vm_agent_free(a);
}

static void status_in_pieces_is_one(void **state)
{
	static const char line[] =
		"{\"type\":\"status\",\"ready\":true,\"reason\":\"\",\"uptime_s\":7,"
		"\"memory_total_kib\":100,\"data_size_bytes\":5000,\"load1\":0.5}\n";
	struct vm_agent *a = fresh();

	(void)state;
	for (size_t i = 0; i < sizeof(line) - 1; i++)
		vm_agent_feed(a, line + i, 1, 1000);
	assert_int_equal(seen.changes, 1);
	assert_true(seen.last.ready && seen.last.connected);
	assert_int_equal(seen.last.uptime_s, 7);
	assert_int_equal(seen.last.memory_total_kib, 100);
	assert_int_equal(seen.last.data_size_bytes, 5000);
	assert_true(seen.last.load1 > 0.4 && seen.last.load1 < 0.6);
	/* the same again is no news */
	feed(a, "{\"type\":\"status\",\"ready\":true,\"reason\":\"\"}\n");
	assert_int_equal(seen.changes, 1);
	feed(a, "{\"type\":\"status\",\"ready\":false,\"reason\":\"server ended\"}\n");
	assert_int_equal(seen.changes, 2);
	assert_string_equal(seen.last.reason, "server ended");
	(void)vm_agent_free(a);
}

static void another_boot_is_not_ready(void **state)
{
	struct vm_agent *a = fresh();

	(void)state;
	feed(a, "{\"type\":\"hello\",\"agent\":\"0.1.0\",\"name\":\"sm\",\"boot_id\":\"a\"}\n"
		"{\"type\":\"status\",\"ready\":true,\"reason\":\"\"}\n");
	assert_true(seen.last.ready);
	assert_string_equal(seen.last.version, "0.1.0");
	feed(a, "{\"type\":\"hello\",\"agent\":\"0.1.0\",\"name\":\"sm\",\"boot_id\":\"b\"}\n");
	assert_false(seen.last.ready);
	assert_true(seen.last.connected);
	(void)vm_agent_free(a);
}

static void hostile_lines_are_counted(void **state)
{
	static const char *const bad[] = {
		"garbage\n",
		"[]\n",
		"{\n",
		"{\"type\":7}\n",
		"{\"type\":\"launch\"}\n",
		"{\"type\":\"csr\",\"csr\":7}\n",
		"\x01\x02\n",
		"{\"type\":\"status\"} x\n",
	};
	struct vm_agent *a = fresh();

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		feed(a, bad[i]);
	assert_int_equal(vm_agent_bad_lines(a), sizeof(bad) / sizeof(bad[0]));
	assert_int_equal(seen.changes, 0);
	/* control characters do not come through in texts, numbers below zero are zero */
	feed(a, "{\"type\":\"status\",\"ready\":false,\"reason\":\"a\\u0007b\",\"uptime_s\":-5}\n");
	assert_string_equal(seen.last.reason, "ab");
	assert_int_equal(seen.last.uptime_s, 0);
	/* nor do numbers that would overflow in bytes */
	feed(a, "{\"type\":\"status\",\"ready\":true,\"reason\":\"\","
		"\"memory_total_kib\":9223372036854775807,\"data_size_bytes\":1125899906842624}\n");
	assert_int_equal(seen.last.memory_total_kib, 0);
	assert_int_equal(seen.last.data_size_bytes, VM_AGENT_NUMBER_MAX);
	(void)vm_agent_free(a);
}

static void overlong_line_is_dropped_to_its_end(void **state)
{
	struct vm_agent *a = fresh();
	char *big = malloc(VM_AGENT_LINE_MAX + 100);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', VM_AGENT_LINE_MAX + 100);
	vm_agent_feed(a, big, VM_AGENT_LINE_MAX + 100, 1);
	vm_agent_feed(a, big, 100, 1);
	feed(a, "\n{\"type\":\"status\",\"ready\":true,\"reason\":\"\"}\n");
	assert_int_equal(vm_agent_bad_lines(a), 1);
	assert_true(seen.last.ready);
	free(big);
	(void)vm_agent_free(a);
}

static void request_is_passed_on(void **state)
{
	struct vm_agent *a = fresh();

	(void)state;
	feed(a, "{\"type\":\"csr\",\"csr\":\"-----BEGIN\"}\n");
	assert_string_equal(seen.csr, "-----BEGIN");
	seen.sent[0] = '\0';
	assert_int_equal(vm_agent_certify(a, "C", "A", "2026-01-01T00:00:00Z"), 0);
	assert_string_equal(seen.sent,
			    "{\"type\":\"certificate\",\"certificate\":\"C\",\"ca\":\"A\","
			    "\"time\":\"2026-01-01T00:00:00Z\"}\n");
	(void)vm_agent_free(a);
}

static void requests_need_a_guest_and_count_up(void **state)
{
	struct vm_agent *a = fresh();
	uint64_t id;

	(void)state;
	assert_int_equal(vm_agent_shutdown(a), -ENOTCONN);
	feed(a, "{\"type\":\"hello\",\"boot_id\":\"a\"}\n");
	seen.sent[0] = '\0';
	assert_int_equal(vm_agent_ping(a), 0);
	assert_int_equal(vm_agent_freeze(a, 10, &id), 0);
	assert_int_equal(vm_agent_shutdown(a), 0);
	assert_non_null(strstr(seen.sent, "{\"type\":\"freeze\",\"id\":3,\"timeout_s\":10}\n"));
	assert_int_equal(id, 3);
	(void)vm_agent_free(a);
}

static void silence_is_noticed(void **state)
{
	struct vm_agent *a = fresh();

	(void)state;
	feed(a, "{\"type\":\"status\",\"ready\":true,\"reason\":\"\"}\n");
	vm_agent_tick(a, 1000 + VM_AGENT_STALE_MS);
	assert_true(seen.last.ready);
	seen.sent[0] = '\0';
	vm_agent_tick(a, 1001 + VM_AGENT_STALE_MS);
	assert_false(seen.last.ready);
	assert_false(seen.last.connected);
	assert_string_equal(seen.sent, "{\"type\":\"hello\"}\n");
	(void)vm_agent_free(a);
}

static void closed_channel_forgets(void **state)
{
	struct vm_agent *a = fresh();

	(void)state;
	feed(a, "{\"type\":\"status\",\"ready\":true,\"reason\":\"\"}\n{\"type\":\"sta");
	vm_agent_closed(a);
	assert_false(seen.last.ready);
	vm_agent_opened(a);
	/* the half line of before is not continued */
	feed(a, "tus\",\"ready\":true}\n");
	assert_int_equal(vm_agent_bad_lines(a), 1);
	(void)vm_agent_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening_asks_for_hello),
		cmocka_unit_test(status_in_pieces_is_one),
		cmocka_unit_test(another_boot_is_not_ready),
		cmocka_unit_test(hostile_lines_are_counted),
		cmocka_unit_test(overlong_line_is_dropped_to_its_end),
		cmocka_unit_test(request_is_passed_on),
		cmocka_unit_test(requests_need_a_guest_and_count_up),
		cmocka_unit_test(silence_is_noticed),
		cmocka_unit_test(closed_channel_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
