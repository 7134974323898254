/* SPDX-License-Identifier: Apache-2.0 */
/* test_trace_ring.c - bounded memory, filters, and no secrets in what is kept. */
#include "base/json_field.h"
#include "node/trace_ring.h"

#include <stdio.h>
#include <string.h>

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void add(struct trace_ring *ring, const char *call_id, const char *gsid, const char *text)
{
	const struct trace_entry entry = { .direction = TRACE_IN,
					   .at_us = 1700000000000000,
					   .transport = "udp",
					   .local = SLICE("127.0.0.1:5060"),
					   .remote = SLICE("192.0.2.7:5060"),
					   .call_id = slice_str(call_id),
					   .gsid = slice_str(gsid),
					   .message = slice_str(text) };

	trace_add(ring, &entry);
}

static json_t *first(json_t *answer, size_t *count)
{
	json_t *items = json_object_get(answer, "items");

	*count = json_array_size(items);
	return json_array_get(items, 0);
}

static void secrets_do_not_get_in(void **state)
{
	struct trace_ring *ring = trace_ring_new(0);
	AUTO(json) json_t *answer = NULL;
	const char *text;
	size_t n;

	add(ring, "c", "",
	    "REGISTER sip:x SIP/2.0\r\n"
	    "Authorization: Digest username=\"3001\", realm=\"x\", nonce=\"N0NCE\",\r\n"
	    "  response = \"S3CRET\" , cnonce=CN0NCE,opaque=\"0P\\\"AQUE\"\r\n"
	    "proxy-authorization:Basic QUxBRERJTg==\r\n"
	    "From: <sip:3001@x>\r\n\r\nresponse=\"body stays\"");
	answer = trace_query(ring, &(struct trace_filter){ .limit = 10 });
	text = json_string_value(json_object_get(first(answer, &n), "message"));
	assert_int_equal(n, 1);
	assert_non_null(strstr(text, "username=\"3001\""));
	assert_non_null(strstr(text, "From: <sip:3001@x>"));
	assert_non_null(strstr(text, "body stays"));
	assert_null(strstr(text, "S3CRET"));
	assert_null(strstr(text, "N0NCE"));
	assert_null(strstr(text, "AQUE"));
	assert_null(strstr(text, "QUxB"));
	trace_ring_free(ring);
}

static void the_oldest_make_room(void **state)
{
	struct trace_ring *ring = trace_ring_new(65536);
	AUTO(json) json_t *answer = NULL;
	char text[6000], last[32] = "";
	size_t n;

	for (unsigned i = 0; i < 5000; i++) {
		memset(text, 'x', sizeof(text));
		text[1 + i * 7919 % (sizeof(text) - 2)] = '\0';
		snprintf(last, sizeof(last), "call-%u", i);
		add(ring, last, "", text);
		assert_true(trace_count(ring) >= 1);
		assert_true(trace_count(ring) < 600);
	}
	answer = trace_query(ring, &(struct trace_filter){ .limit = 1 });
	assert_string_equal(json_string_value(json_object_get(first(answer, &n), "call_id")), last);
	trace_ring_free(ring);
}

static void filters_choose(void **state)
{
	static const struct trace_filter filters[] = {
		{ .limit = 10, .call_id = "a" },
		{ .limit = 10, .gsid = "g" },
		{ .limit = 10, .user = "3001" },
		{ .limit = 10, .user = "3009" },
		{ .limit = 10, .address = "192.0.2.7" },
		{ .limit = 2 },
		{ .limit = 10, .after = 2 },
	};
	static const size_t wanted[] = { 1, 2, 1, 0, 3, 2, 1 };
	struct trace_ring *ring = trace_ring_new(0);

	add(ring, "a", "", "INVITE sip:3001@x SIP/2.0\r\nTo: <sip:3002@x>\r\n\r\n");
	add(ring, "b", "g", "SIP/2.0 200 OK\r\nSubject: 3001 and 3009\r\n\r\n3009");
	add(ring, "c", "g", "SIP/2.0 200 OK\r\nFrom: <sip:4@x>\r\n\r\n");
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		AUTO(json) json_t *answer = trace_query(ring, &filters[i]);
		size_t n;

		first(answer, &n);
		assert_int_equal(n, wanted[i]);
	}
	trace_ring_free(ring);
}

static void a_gsid_that_is_learnt_later_files_what_was_before(void **state)
{
	struct trace_ring *ring = trace_ring_new(0);
	AUTO(json) json_t *answer = NULL;
	size_t n;

	add(ring, "a", "", "INVITE sip:1 SIP/2.0\r\n\r\n");
	add(ring, "b", "", "INVITE sip:2 SIP/2.0\r\n\r\n");
	trace_bind_gsid(ring, SLICE("a"), SLICE("the-gsid"));
	answer = trace_query(ring, &(struct trace_filter){ .limit = 10, .gsid = "the-gsid" });
	assert_string_equal(json_string_value(json_object_get(first(answer, &n), "call_id")), "a");
	assert_int_equal(n, 1);
	trace_ring_free(ring);
}

static void bytes_that_are_no_utf8_are_shown(void **state)
{
	struct trace_ring *ring = trace_ring_new(0);
	AUTO(json) json_t *answer = NULL;
	size_t n;

	add(ring, "a", "", "\xff\xfe");
	answer = trace_query(ring, &(struct trace_filter){ .limit = 10 });
	assert_string_equal(json_string_value(json_object_get(first(answer, &n), "message")),
			    "\xc3\xbf\xc3\xbe");
	trace_ring_free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_do_not_get_in),
		cmocka_unit_test(the_oldest_make_room),
		cmocka_unit_test(filters_choose),
		cmocka_unit_test(a_gsid_that_is_learnt_later_files_what_was_before),
		cmocka_unit_test(bytes_that_are_no_utf8_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
