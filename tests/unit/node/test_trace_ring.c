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

static void add_at(struct trace_ring *ring, int64_t at_us, const char *call_id, const char *gsid,
		   const char *text)
{
	char message[7000];
	const char *rest = strchr(text, '\n');
	size_t line = rest ? (size_t)(rest + 1 - text) : 0;
	struct addr local, remote;
	struct trace_entry entry = { .direction = TRACE_IN,
				     .at_us = at_us,
				     .transport = "udp",
				     .local = &local,
				     .remote = &remote };
	int n;

	assert_int_equal(addr_parse(SLICE("127.0.0.1:5060"), 0, &local), 0);
	assert_int_equal(addr_parse(SLICE("192.0.2.7:5062"), 0, &remote), 0);
	n = snprintf(message, sizeof(message), "%.*sCall-ID: %s\r\n%s%s%s%s", (int)line, text,
		     call_id, *gsid ? "Av-Global-Session-ID: " : "", gsid, *gsid ? "\r\n" : "",
		     text + line);
	entry.message = slice_make(message, (size_t)n);
	trace_add(ring, &entry);
}

static void add(struct trace_ring *ring, const char *call_id, const char *gsid, const char *text)
{
	add_at(ring, 1700000000000000, call_id, gsid, text);
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
	    "AUTHORIZATION : Bearer T0KEN\r\n"
	    "WWW-Authenticate:\r\n Digest realm=\"y\",nonce=\r\n \"F0LDED\"\r\n"
	    "From: <sip:3001@x>\r\n\r\nresponse=\"body stays\"\r\n"
	    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SRTPKEY|2^20\r\na=ice-pwd:1CEPWD\r\na=sendrecv\r\n");
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
	assert_null(strstr(text, "T0KEN"));
	assert_null(strstr(text, "F0LDED"));
	assert_null(strstr(text, "SRTPKEY"));
	assert_null(strstr(text, "1CEPWD"));
	assert_non_null(strstr(text, "realm=\"y\""));
	assert_non_null(strstr(text, "inline:****"));
	assert_non_null(strstr(text, "a=sendrecv"));
	json_decref(answer);
	add(ring, "d", "", "OPTIONS sip:x SIP/2.0\r\nAuthorization: Bearer T0KEN\r\n\r\n");
	answer = trace_query(ring, &(struct trace_filter){ .limit = 10, .text = "t0ken" });
	(void)first(answer, &n);
	assert_int_equal(n, 0); /* nor can anybody ask whether it is there */
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
	struct addr far, far_port, other;
	const struct trace_filter filters[] = {
		{ .limit = 10, .call_id = "a" },
		{ .limit = 10, .gsid = "g" },
		{ .limit = 10, .user = "3001" },
		{ .limit = 10, .user = "3009" },
		{ .limit = 10, .user = "300" },
		{ .limit = 10, .address = &far },
		{ .limit = 10, .address = &far_port },
		{ .limit = 10, .address = &other },
		{ .limit = 10, .text = "SUBJECT: 3001" },
		{ .limit = 2 },
		{ .limit = 10, .after = 2 },
		{ .limit = 10, .from_us = 1700000000000001 },
		{ .limit = 10, .to_us = 1700000000000001 },
	};
	static const size_t wanted[] = { 1, 2, 1, 0, 0, 3, 3, 0, 1, 2, 1, 2, 1 };
	struct trace_ring *ring = trace_ring_new(0);

	assert_int_equal(addr_parse(SLICE("192.0.2.7"), 0, &far), 0);
	assert_int_equal(addr_parse(SLICE("192.0.2.7:5062"), 0, &far_port), 0);
	assert_int_equal(addr_parse(SLICE("192.0.2.7:5063"), 0, &other), 0);
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

static int64_t member(json_t *object, const char *name)
{
	return (int64_t)json_integer_value(json_object_get(object, name));
}

/* Forward from a number and back from a time: each message once. */
static void pages_show_each_message_once(void **state)
{
	struct trace_ring *ring = trace_ring_new(1 << 20);
	struct trace_filter on = { .limit = 7, .oldest = true }, back = { .limit = 7 };
	size_t n, seen = 0;

	for (unsigned i = 0; i < 100; i++)
		add(ring, "a", "", "INVITE sip:1 SIP/2.0\r\n\r\n");
	for (;;) {
		AUTO(json) json_t *answer = trace_query(ring, &on);
		json_t *items = json_object_get(answer, "items");

		assert_int_equal(member(first(answer, &n), "seq"), on.after + 1);
		assert_int_equal(member(answer, "newest"), 100);
		assert_int_equal(member(answer, "oldest"), 1);
		seen += n;
		on.after = (uint64_t)member(json_array_get(items, n - 1), "seq");
		assert_int_equal(json_is_true(json_object_get(answer, "more")), seen < 100);
		if (seen == 100)
			break;
	}
	for (seen = 0; seen < 100; seen += n) {
		AUTO(json) json_t *answer = trace_query(ring, &back);
		json_t *items = json_object_get(answer, "items");

		first(answer, &n);
		assert_true(n > 0);
		assert_int_equal(member(json_array_get(items, n - 1), "seq"), 100 - seen);
		back.to_us = member(json_array_get(items, 0), "at_us");
	}
	trace_ring_free(ring);
}

static void a_time_names_one_message(void **state)
{
	struct trace_ring *ring = trace_ring_new(0);
	AUTO(json) json_t *answer = NULL;
	int64_t last = 0;
	size_t i;
	json_t *item;

	add_at(ring, 5000000, "a", "", "INVITE sip:1 SIP/2.0\r\n\r\n");
	add_at(ring, 5000000, "a", "", "INVITE sip:2 SIP/2.0\r\n\r\n");
	add_at(ring, 4999000, "a", "", "INVITE sip:3 SIP/2.0\r\n\r\n"); /* the clock was slewed */
	answer = trace_query(ring, &(struct trace_filter){ .limit = 10 });
	json_array_foreach(json_object_get(answer, "items"), i, item)
	{
		assert_true(member(item, "at_us") > last);
		last = member(item, "at_us");
	}
	add_at(ring, 1000000, "a", "", "INVITE sip:4 SIP/2.0\r\n\r\n"); /* it was set */
	json_decref(answer);
	answer = trace_query(ring, &(struct trace_filter){ .limit = 1 });
	item = first(answer, &i);
	assert_int_equal(member(item, "at_us"), 1000000);
	trace_ring_free(ring);
}

/* What the index of Call-IDs says is what a look at every message says, while the ring turns. */
static void the_index_survives_the_ring(void **state)
{
	struct trace_ring *ring = trace_ring_new(65536);
	char call_id[32], gsid[32], text[3000];

	for (unsigned i = 0; i < 3000; i++) {
		unsigned call = i * 7919 % 11;
		AUTO(json) json_t *answer = NULL;
		size_t n;

		memset(text, 'x', sizeof(text));
		text[1 + i * 104729 % (sizeof(text) - 2)] = '\0';
		(void)snprintf(call_id, sizeof(call_id), "call-%u", call);
		(void)snprintf(gsid, sizeof(gsid), "gsid-%u", call);
		add(ring, call_id, i % 13 == 0 ? gsid : "", text);
		if (i % 97 != 0)
			continue;
		trace_bind_gsid(ring, slice_str(call_id), slice_str(gsid));
		answer = trace_query(ring,
				     &(struct trace_filter){ .limit = 500, .call_id = call_id });
		(void)first(answer, &n);
		json_decref(answer);
		answer = trace_query(ring, &(struct trace_filter){ .limit = 500, .gsid = gsid });
		assert_int_equal(member(answer, "matched"), n);
		assert_true(n > 0);
	}
	trace_ring_free(ring);
}

static void a_message_takes_its_calls_session(void **state)
{
	struct trace_ring *ring = trace_ring_new(0);
	AUTO(json) json_t *answer = NULL;
	size_t n;

	add(ring, "a", "", "INVITE sip:1 SIP/2.0\r\n\r\n");
	add(ring, "a", "g", "INVITE sip:2 SIP/2.0\r\n\r\n");
	add(ring, "a", "", "ACK sip:2 SIP/2.0\r\n\r\n");
	add(ring, "b", "", "ACK sip:2 SIP/2.0\r\n\r\n");
	answer = trace_query(ring, &(struct trace_filter){ .limit = 10, .gsid = "g" });
	first(answer, &n);
	assert_int_equal(n, 3);
	trace_ring_free(ring);
}

/* One of no call is found by its Call-ID, whatever else has that, and takes no session from it. */
static void one_of_no_call_stays_alone(void **state)
{
	static const char text[] =
		"SIP/2.0 200 OK\r\nCall-ID: a\r\nAv-Global-Session-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n";
	const struct trace_fields known = { .cseq = SLICE("1 OPTIONS") },
				  own = { .gsid = SLICE("own") };
	struct trace_entry entry = { .direction = TRACE_OUT,
				     .transport = "udp",
				     .fields = &known,
				     .message = slice_make(text, sizeof(text) - 1),
				     .alone = true };
	struct trace_ring *ring = trace_ring_new(0);
	AUTO(json) json_t *answer = NULL;
	AUTO(json) json_t *of_call = NULL;
	AUTO(json) json_t *of_own = NULL;
	size_t n;

	trace_add(ring, &entry);
	entry.fields = &own; /* and an answer's request had one */
	trace_add(ring, &entry);
	add(ring, "a", "", "INVITE sip:1 SIP/2.0\r\n\r\n");
	trace_add(ring, &entry);
	add(ring, "a", "g", "INVITE sip:2 SIP/2.0\r\n\r\n");
	trace_bind_gsid(ring, SLICE("a"), SLICE("g"));
	answer = trace_query(ring, &(struct trace_filter){ .limit = 10, .call_id = "a" });
	assert_string_equal(json_string_value(json_object_get(first(answer, &n), "gsid")), "");
	assert_int_equal(n, 5);
	of_call = trace_query(ring, &(struct trace_filter){ .limit = 10, .gsid = "g" });
	first(of_call, &n);
	assert_int_equal(n, 2);
	of_own = trace_query(ring, &(struct trace_filter){ .limit = 10, .gsid = "own" });
	first(of_own, &n);
	assert_int_equal(n, 2);
	/* read by now, and still nobody's */
	add(ring, "a", "", "ACK sip:2 SIP/2.0\r\n\r\n");
	json_decref(of_call);
	of_call = trace_query(ring, &(struct trace_filter){ .limit = 10, .gsid = "g" });
	first(of_call, &n);
	assert_int_equal(n, 3);
	trace_ring_free(ring);
}

/* Of a Call-ID that was cut in two nobody is told half. */
static void half_a_call_id_is_none(void **state)
{
	const struct trace_fields none = { 0 };
	struct trace_entry entry = { .transport = "udp", .fields = &none, .alone = true };
	struct trace_ring *ring = trace_ring_new(0);
	AUTO(json) json_t *answer = NULL;
	static const char start[] = "REGISTER sip:a SIP/2.0\r\nX: ",
			  cut[] = "\r\nCall-ID: abcdefgh\r\n\r\n";
	static char text[20000];
	json_t *item;
	size_t n;

	memset(text, 'x', sizeof(text));
	memcpy(text, start, sizeof(start) - 1);
	memcpy(text + 16384 - 14, cut, sizeof(cut) - 1);
	entry.message = slice_make(text, sizeof(text));
	trace_add(ring, &entry);
	answer = trace_query(ring, &(struct trace_filter){ .limit = 10 });
	item = first(answer, &n);
	assert_int_equal(n, 1);
	assert_true(json_is_true(json_object_get(item, "truncated")));
	assert_string_equal(json_string_value(json_object_get(item, "call_id")), "");
	trace_ring_free(ring);
}

/* However many calls there are, none takes another's session. */
static void many_calls_keep_apart(void **state)
{
	struct trace_ring *ring = trace_ring_new(65536);
	char call_id[32], gsid[32];

	for (unsigned i = 0; i < 5000; i++) {
		AUTO(json) json_t *answer = NULL;
		size_t n;

		(void)snprintf(call_id, sizeof(call_id), "call-%u", i);
		(void)snprintf(gsid, sizeof(gsid), "gsid-%u", i);
		add(ring, call_id, "", "INVITE sip:1 SIP/2.0\r\n\r\n");
		add(ring, call_id, gsid, "INVITE sip:2 SIP/2.0\r\n\r\n");
		add(ring, call_id, "", "ACK sip:2 SIP/2.0\r\n\r\n");
		if (i % 101 != 0)
			continue;
		answer = trace_query(ring, &(struct trace_filter){ .limit = 10, .gsid = gsid });
		assert_string_equal(json_string_value(
					    json_object_get(first(answer, &n), "call_id")),
				    call_id);
		assert_int_equal(n, 3);
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

	add(ring, "a", "", "\n\xff\xfe");
	answer = trace_query(ring, &(struct trace_filter){ .limit = 10 });
	assert_string_equal(json_string_value(json_object_get(first(answer, &n), "message")),
			    "\nCall-ID: a\r\n\xc3\xbf\xc3\xbe");
	trace_ring_free(ring);
}

/* JSON readers refuse NUL: one such message must not hide the others. */
static void bytes_that_are_nul_are_shown(void **state)
{
	static const char message[] = "MESSAGE sip:1 SIP/2.0\r\nCall-ID: a\r\n\r\n\0\xff";
	const struct trace_entry entry = { .transport = "udp",
					   .message = slice_make(message, sizeof(message) - 1) };
	struct trace_ring *ring = trace_ring_new(0);
	AUTO(json) json_t *answer = NULL;
	AUTO(json) json_t *again = NULL;
	AUTO(str) char *text = NULL;
	size_t n;

	trace_add(ring, &entry);
	answer = trace_query(ring, &(struct trace_filter){ .limit = 10 });
	text = json_text(answer);
	assert_int_equal(json_parse(slice_str(text), &again, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(first(again, &n), "encoding")),
			    "latin-1");
	assert_non_null(strstr(json_string_value(json_object_get(first(again, &n), "message")),
			       "\xe2\x90\x80\xc3\xbf"));
	trace_ring_free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_do_not_get_in),
		cmocka_unit_test(the_oldest_make_room),
		cmocka_unit_test(filters_choose),
		cmocka_unit_test(pages_show_each_message_once),
		cmocka_unit_test(a_time_names_one_message),
		cmocka_unit_test(the_index_survives_the_ring),
		cmocka_unit_test(a_message_takes_its_calls_session),
		cmocka_unit_test(one_of_no_call_stays_alone),
		cmocka_unit_test(half_a_call_id_is_none),
		cmocka_unit_test(many_calls_keep_apart),
		cmocka_unit_test(a_gsid_that_is_learnt_later_files_what_was_before),
		cmocka_unit_test(bytes_that_are_no_utf8_are_shown),
		cmocka_unit_test(bytes_that_are_nul_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
