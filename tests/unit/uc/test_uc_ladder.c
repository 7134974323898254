/* SPDX-License-Identifier: Apache-2.0 */
/* test_uc_ladder.c - pairs, names, clocks and phases of a ladder; bounds; the files made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "control/uc/uc_ladder.h"
#include "control/uc/uc_trace_export.h"

#define ADA "192.0.2.1:5062"
#define BOB "192.0.2.2:5062"
#define SM "10.77.0.11:5061"
#define CM "10.77.0.12:5061"
#define CM_PORT "10.77.0.12:40001" /* of the connection that cm made */

static void put(json_t *items, const char *node, int64_t at_us, const char *direction,
		const char *local, const char *remote, const char *call_id, const char *message)
{
	char id[64];

	(void)snprintf(id, sizeof(id), "%s-%lld", node, (long long)at_us);
	assert_int_equal(
		json_array_append_new(
			items,
			json_pack("{s:s,s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:s}", "id",
				  id, "node", node, "at", "2026-11-21T10:00:00.000Z", "at_us",
				  (json_int_t)at_us, "direction", direction, "transport", "tls",
				  "local", local, "remote", remote, "call_id", call_id, "gsid", "g",
				  "summary", "x", "message", message, "truncated", 0, "encoding",
				  "utf-8")),
		0);
}

static void request(char *out, size_t size, const char *method, const char *call_id,
		    const char *route, const char *branch, const char *body)
{
	(void)snprintf(out, size,
		       "%s sip:3002@x SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK%s\r\n%s%s%s"
		       "From: <sip:3001@x>;tag=1\r\nTo: <sip:3002@x>\r\nCall-ID: %s\r\n"
		       "CSeq: 1 %s\r\nContent-Length: %zu\r\n\r\n%s",
		       method, branch, *route ? "Route: <sip:cm;lr;phase=" : "", route,
		       *route ? ">\r\n" : "", call_id, method, strlen(body), body);
}

static void response(char *out, size_t size, const char *status, const char *call_id,
		     const char *branch)
{
	(void)snprintf(out, size,
		       "SIP/2.0 %s\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK%s\r\n"
		       "From: <sip:3001@x>;tag=1\r\nTo: <sip:3002@x>;tag=2\r\nCall-ID: %s\r\n"
		       "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
		       status, branch, call_id);
}

static json_t *no_entities(void)
{
	return json_array();
}

/* A call whose cm has a clock that is `ahead`. */
static json_t *call_items(int64_t ahead)
{
	json_t *items = json_array();
	char m[2048];

	request(m, sizeof(m), "INVITE", "leg-1", "", "1", "v=0\r\n");
	put(items, "sm", 1000000, "in", SM, ADA, "leg-1", m);
	request(m, sizeof(m), "INVITE", "leg-1", "imsorig", "2", "v=0\r\n");
	put(items, "sm", 1001000, "out", SM, CM, "leg-1", m);
	put(items, "cm", 1002000 + ahead, "in", CM, SM, "leg-1", m);
	request(m, sizeof(m), "INVITE", "leg-2", "origdone", "3", "v=0\r\n");
	put(items, "cm", 1003000 + ahead, "out", CM_PORT, SM, "leg-2", m);
	put(items, "sm", 1004000, "in", SM, CM_PORT, "leg-2", m);
	request(m, sizeof(m), "INVITE", "leg-2", "", "4", "v=0\r\n");
	put(items, "sm", 1005000, "out", SM, BOB, "leg-2", m);
	put(items, "sm", 1505000, "out", SM, BOB, "leg-2", m); /* again */
	response(m, sizeof(m), "200 OK", "leg-2", "4");
	put(items, "sm", 1600000, "in", SM, BOB, "leg-2", m);
	response(m, sizeof(m), "200 OK", "leg-2", "3");
	put(items, "sm", 1601000, "out", SM, CM_PORT, "leg-2", m);
	put(items, "cm", 1602000 + ahead, "in", CM_PORT, SM, "leg-2", m);
	response(m, sizeof(m), "200 OK", "leg-1", "1");
	put(items, "sm", 1604000, "out", SM, ADA, "leg-1", m);
	request(m, sizeof(m), "BYE", "leg-1", "", "5", "");
	put(items, "sm", 3000000, "in", SM, ADA, "leg-1", m);
	return items;
}

static int64_t number(const json_t *object, const char *name)
{
	return (int64_t)json_integer_value(json_object_get(object, name));
}

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : "";
}

static void expect_call(int64_t ahead)
{
	static const struct {
		int from, to;
		const char *label, *phase;
		int64_t offset_us;
	} wanted[] = {
		{ 0, 1, "INVITE", "", 0 },
		{ 1, 2, "INVITE", "imsorig", 1000 },
		{ 2, 1, "INVITE", "origdone", 3000 },
		{ 1, 3, "INVITE", "", 5000 },
		{ 1, 3, "INVITE", "", 505000 },
		{ 3, 1, "200 OK", "", 600000 },
		{ 1, 2, "200 OK", "", 601000 },
		{ 1, 0, "200 OK", "", 604000 },
		{ 0, 1, "BYE", "", 2000000 },
	};
	static const char *const names[] = { "3001", "sm", "cm", "3002" };
	static const char *const phases[] = { "setup", "imsorig", "origdone", "talk", "release" };
	AUTO(json) json_t *items = call_items(ahead);
	AUTO(json) json_t *entities = no_entities();
	AUTO(json) json_t *ladder = NULL;
	json_t *list;

	assert_int_equal(uc_ladder("g", items, entities, &ladder), 0);
	list = json_object_get(ladder, "participants");
	assert_int_equal(json_array_size(list), ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(text(json_array_get(list, i), "name"), names[i]);
	list = json_object_get(ladder, "messages");
	assert_int_equal(json_array_size(list), ARRAY_SIZE(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const json_t *message = json_array_get(list, i);

		assert_int_equal(number(message, "from"), wanted[i].from);
		assert_int_equal(number(message, "to"), wanted[i].to);
		assert_string_equal(text(message, "label"), wanted[i].label);
		assert_string_equal(text(message, "phase"), wanted[i].phase);
		assert_int_equal(number(message, "offset_us"), wanted[i].offset_us);
		assert_int_equal(json_is_true(json_object_get(message, "retransmission")), i == 4);
	}
	list = json_object_get(ladder, "phases");
	assert_int_equal(json_array_size(list), ARRAY_SIZE(phases));
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		assert_string_equal(text(json_array_get(list, i), "name"), phases[i]);
	list = json_object_get(ladder, "legs");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(text(json_array_get(list, 0), "call_id"), "leg-1");
}

static void a_call_is_drawn_once_and_in_order(void **state)
{
	(void)state;
	expect_call(0);
}

static void clocks_that_differ_are_settled(void **state)
{
	(void)state;
	expect_call(30 * 1000000LL);
	expect_call(-30 * 1000000LL);
}

static void entities_name_what_no_pair_shows(void **state)
{
	AUTO(json) json_t *items = json_array();
	AUTO(json)
	json_t *entities =
		json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s}]", "name", "site-a", "type",
			  "trunk", "address", "192.0.2.9:5060", "name", "main", "type", "cm",
			  "address", CM, "name", "odd", "type", "trunk", "address", "nowhere");
	static const char *const wanted[][2] = { { "sm", "site-a" },
						 { "site-a", "sm" },
						 { "cm", "sm" } };
	char m[2048];

	(void)state;
	request(m, sizeof(m), "INVITE", "a", "", "1", "");
	put(items, "sm", 1, "out", SM, "192.0.2.9:5060", "a", m);
	response(m, sizeof(m), "200 OK", "a", "1");
	put(items, "sm", 2, "in", SM, "192.0.2.9:33333", "a",
	    m); /* another port of its own address */
	put(items, "sm", 3, "in", SM, CM_PORT, "a", m);
	assert_int_equal(uc_ladder_name(items, entities), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_string_equal(text(json_array_get(items, i), "from"), wanted[i][0]);
		assert_string_equal(text(json_array_get(items, i), "to"), wanted[i][1]);
	}
}

static void many_ends_and_nonsense_are_bounded(void **state)
{
	AUTO(json) json_t *items = json_array();
	AUTO(json) json_t *entities = no_entities();
	AUTO(json) json_t *ladder = NULL;
	char remote[64];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(remote, sizeof(remote), "[2001:db8::%x]:5060", i + 1);
		put(items, "sm", i + 1, i % 2 ? "in" : "out", SM, remote, "a",
		    i % 3 ? "\r\n" : "nonsense");
	}
	put(items, "sm", 2000, "in", "", "", "", "");
	assert_int_equal(uc_ladder("g", items, entities, &ladder), 0);
	assert_true(json_array_size(json_object_get(ladder, "participants")) <= 251);
	assert_int_equal(json_array_size(json_object_get(ladder, "messages")), 1001);
	assert_string_equal(text(json_array_get(json_object_get(ladder, "messages"), 0), "label"),
			    "malformed");
	json_array_clear(items);
	json_decref(ladder);
	assert_int_equal(uc_ladder("g", items, entities, &ladder), 0);
	assert_int_equal(json_array_size(json_object_get(ladder, "phases")), 0);
}

static uint32_t word(const struct buf *b, size_t at)
{
	uint32_t n;

	assert_true(at + 4 <= b->len);
	memcpy(&n, b->data + at, 4);
	return n;
}

/* Blocks follow one another without a gap, each as long at its end as at its beginning. */
static void a_capture_is_well_formed(void **state)
{
	AUTO(json) json_t *items = call_items(0);
	AUTO(json) json_t *entities = no_entities();
	AUTO(json) json_t *once = NULL;
	AUTO_BUF file = { 0 };
	AUTO_BUF small = { .limit = 300 };
	size_t at = 0, packets = 0;

	(void)state;
	put(items, "sm", 4000000, "out", "", "[2001:db8::1]:5060", "leg-3",
	    "odd"); /* one end known */
	put(items, "sm", 4000001, "out", SM, "[2001:db8::1]:5060", "leg-3", "odder");
	assert_int_equal(uc_ladder_fold(items, entities, &once), 0);
	assert_int_equal(json_array_size(once), 11);
	assert_int_equal(uc_trace_pcapng(once, &file), 0);
	assert_int_equal(word(&file, 0), 0x0a0d0d0a);
	while (at < file.len) {
		uint32_t len = word(&file, at + 4);

		assert_true(len >= 12 && len % 4 == 0);
		assert_int_equal(word(&file, at + len - 4), len);
		packets += word(&file, at) == 6;
		at += len;
	}
	assert_int_equal(at, file.len);
	assert_int_equal(packets, 11);
	assert_int_equal(uc_trace_pcapng(once, &small), -EMSGSIZE);
}

/* What no JSON could hold is in the capture as it was on the wire. */
static void a_capture_has_the_bytes(void **state)
{
	AUTO(json) json_t *items = json_array();
	AUTO_BUF file = { 0 };

	(void)state;
	put(items, "sm", 1, "in", SM, ADA, "a", "MESSAGE \xe2\x90\x80\xc3\xbf\xc2\x80!");
	assert_int_equal(json_object_set_new(json_array_get(items, 0), "encoding",
					     json_string("latin-1")),
			 0);
	assert_int_equal(uc_trace_pcapng(items, &file), 0);
	assert_non_null(memmem(file.data, file.len, "MESSAGE \0\xff\x80!", 12));
}

static void a_page_escapes_what_peers_sent(void **state)
{
	AUTO(json) json_t *items = json_array();
	AUTO(json) json_t *entities = no_entities();
	AUTO(json) json_t *once = NULL;
	AUTO(json) json_t *ladder = NULL;
	AUTO_BUF page = { 0 };
	AUTO_BUF plain = { 0 };

	(void)state;
	put(items, "sm", 1, "in", SM, ADA, "a",
	    "SIP/2.0 486 <script>alert(1)</script>\r\nFrom: <sip:\"><b>@x>;tag=1\r\n\r\n\x1b[2J");
	assert_int_equal(uc_ladder_fold(items, entities, &once), 0);
	assert_int_equal(uc_ladder("<i>", items, entities, &ladder), 0);
	assert_int_equal(uc_trace_html(once, ladder, &page), 0);
	assert_null(strstr(page.data, "<script"));
	assert_null(strstr(page.data, "<b>"));
	assert_null(strstr(page.data, "<i>"));
	assert_non_null(strstr(page.data, "&lt;script&gt;"));
	assert_int_equal(uc_trace_text(once, false, &plain), 0);
	assert_null(strchr(plain.data, 0x1b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_drawn_once_and_in_order),
		cmocka_unit_test(clocks_that_differ_are_settled),
		cmocka_unit_test(entities_name_what_no_pair_shows),
		cmocka_unit_test(many_ends_and_nonsense_are_bounded),
		cmocka_unit_test(a_capture_is_well_formed),
		cmocka_unit_test(a_capture_has_the_bytes),
		cmocka_unit_test(a_page_escapes_what_peers_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
