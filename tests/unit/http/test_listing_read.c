/* SPDX-License-Identifier: Apache-2.0 */
/* test_listing_read.c - http/listing_read: questions to lists, cursors, the OpenAPI parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json_field.h"
#include "http/listing_read.h"

static const char *const states[] = { "on", "off", NULL };
static const struct listing_field fields[] = {
	{ .name = "id", .kind = LISTING_ID, .use = LISTING_KEY | LISTING_FILTER },
	{ .name = "name", .use = LISTING_SORT | LISTING_SEARCH | LISTING_FILTER },
	{ .name = "at", .kind = LISTING_TIME, .use = LISTING_SORT | LISTING_RANGE },
	{ .name = "state", .kind = LISTING_WORD, .use = LISTING_FILTER, .words = states },
	{ .name = "size", .kind = LISTING_NUMBER, .use = LISTING_FILTER | LISTING_RANGE },
	{ .name = "seen", .kind = LISTING_BOOL, .use = LISTING_FILTER },
	{ .name = "own", .use = LISTING_OTHER },
	{ .name = NULL },
};
static const struct listing listing = { .fields = fields, .sort = "-id" };
static const struct listing bare = { .fields = fields, .bare = true };

static int ask(const struct http_pair *pairs, size_t count, struct listing_query *ret,
	       struct error *err)
{
	struct http_request req = { .path = "/things", .query = pairs, .query_count = count };

	return http_listing_read(&req, &listing, ret, err);
}

static void nothing_asked_is_the_default(void **state)
{
	AUTO_LISTING query = { 0 };

	assert_int_equal(ask(NULL, 0, &query, NULL), 0);
	assert_int_equal(query.limit, LISTING_LIMIT_DEFAULT);
	assert_int_equal(query.order_count, 1);
	assert_ptr_equal(query.order[0].field, &fields[0]);
	assert_true(query.order[0].descending);
	assert_false(query.count || query.resumed);
	assert_null(query.q);
}

static void everything_asked_is_understood(void **state)
{
	static const struct http_pair pairs[] = {
		{ "limit", "7" },	{ "count", "true" },
		{ "sort", "-at,name" }, { "q", "x y" },
		{ "state", "on,off" },	{ "size", "-1,2" },
		{ "seen", "false" },	{ "name", "a,b" },
		{ "own", "whatever" },	{ "at.gte", "2026-11-21T12:00:00+02:00" },
		{ "size.lt", "9" },
	};
	AUTO_LISTING query = { 0 };

	assert_int_equal(ask(pairs, ARRAY_SIZE(pairs), &query, NULL), 0);
	assert_int_equal(query.limit, 7);
	assert_true(query.count);
	assert_string_equal(query.q, "x y");
	assert_int_equal(query.order_count, 3);
	assert_ptr_equal(query.order[0].field, &fields[2]);
	assert_true(query.order[0].descending);
	assert_false(query.order[1].descending);
	assert_false(query.order[2].descending); /* the key as what stands before it */
	assert_int_equal(query.condition_count, 6);
	assert_int_equal(query.condition[0].count, 2);
	assert_string_equal(query.condition[0].value[1], "off");
	assert_string_equal(query.condition[1].value[0], "-1");
	assert_int_equal(query.condition[3].count, 1); /* a text may hold commas */
	assert_string_equal(query.condition[3].value[0], "a,b");
	assert_int_equal(query.condition[4].op, LISTING_GTE);
	assert_string_equal(query.condition[4].value[0], "2026-11-21T10:00:00.000Z");
	assert_int_equal(query.condition[5].op, LISTING_LT);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct http_pair bad[] = {
		{ "colour", "red" },
		{ "limit", "0" },
		{ "limit", "501" },
		{ "count", "1" },
		{ "sort", "" },
		{ "sort", "id" },
		{ "sort", "size" },
		{ "sort", "name," },
		{ "sort", "at,-at" },
		{ "state", "" },
		{ "state", "on," },
		{ "state", "ON" },
		{ "id", "x" },
		{ "seen", "yes" },
		{ "size", "1.5" },
		{ "size", "--1" },
		{ "size", "99999999999999999999" },
		{ "at", "2026-11-21T12:00:00Z" },
		{ "at.gte", "today" },
		{ "at.lt", "" },
		{ "at.gt", "x" },
		{ "name.gte", "a" },
		{ ".gte", "1" },
		{ "cursor", "" },
		{ "cursor", "!" },
		{ "cursor", "AAAA" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO_LISTING query = { 0 };
		struct error err = { 0 };

		assert_int_equal(ask(&bad[i], 1, &query, &err), -EINVAL);
		assert_string_equal(err.field, bad[i].name);
	}
}

static void no_request_overruns(void **state)
{
	static const struct http_pair twice[] = { { "name", "a" }, { "name", "a" } };
	char many[128] = "";
	struct http_pair pair = { "state", many };
	AUTO_LISTING query = { 0 };
	struct error err = { 0 };

	for (size_t i = 0; i <= LISTING_VALUE_MAX; i++)
		strcat(many, i ? ",on" : "on");
	assert_int_equal(ask(&pair, 1, &query, &err), -EINVAL);
	assert_string_equal(err.field, "state");
	listing_query_done(&query);
	assert_int_equal(ask(twice, 2, &query, &err), -EINVAL);
	assert_string_equal(err.field, "name");
}

/* The next_cursor of a page that ends with these sort values. */
static json_t *answer_of(const struct listing_query *query, const char *first, const char *second)
{
	AUTO_LISTING_PAGE page = { .items = json_array(), .more = first != NULL, .total = 5 };
	json_t *answer = NULL;

	page.last[0] = first ? strdup(first) : NULL;
	page.last[1] = first ? strdup(second) : NULL;
	assert_int_equal(http_listing_answer(query, &page, &answer, NULL), 0);
	return answer;
}

static void cursors_belong_to_their_question(void **state)
{
	struct http_pair pairs[] = {
		{ "sort", "name" }, { "q", "x" }, { "state", "on" }, { "cursor", "" }
	};
	struct http_request req = { .path = "/things", .query = pairs, .query_count = 3 };
	AUTO_LISTING query = { 0 };
	AUTO_LISTING next = { 0 };
	AUTO(json) json_t *answer = NULL;
	char cursor[256];

	assert_int_equal(http_listing_read(&req, &listing, &query, NULL), 0);
	answer = answer_of(&query, "a \xc3\xa9", "");
	assert_null(json_object_get(answer, "total"));
	(void)slice_copy(slice_str(json_string_value(json_object_get(answer, "next_cursor"))),
			 cursor, sizeof(cursor));
	pairs[3].value = cursor;
	req.query_count = 4;
	assert_int_equal(http_listing_read(&req, &listing, &next, NULL), 0);
	assert_true(next.resumed);
	assert_string_equal(next.after[0], "a \xc3\xa9");
	assert_string_equal(next.after[1], "");
	listing_query_done(&next);
	for (int i = 0; i < 5; i++) { /* another order, text, filter, path; a damaged one */
		static const char *const other[] = { "-name", "y", "off" };
		const char *kept = i < 3 ? pairs[i].value : NULL;

		if (i < 3)
			pairs[i].value = other[i];
		req.path = i == 3 ? "/others" : "/things";
		cursor[6] ^= i == 4;
		assert_int_equal(http_listing_read(&req, &listing, &next, NULL), -EINVAL);
		listing_query_done(&next);
		if (i < 3)
			pairs[i].value = kept;
	}
}

static void the_end_has_no_cursor(void **state)
{
	static const struct http_pair pairs[] = { { "count", "true" } };
	AUTO_LISTING query = { 0 };
	AUTO(json) json_t *answer = NULL;

	assert_int_equal(ask(pairs, 1, &query, NULL), 0);
	answer = answer_of(&query, NULL, NULL);
	assert_true(json_is_null(json_object_get(answer, "next_cursor")));
	assert_int_equal(json_integer_value(json_object_get(answer, "total")), 5);
}

static void the_longest_values_fit(void **state)
{
	static const struct http_pair pairs[] = { { "sort", "name" } };
	char name[4 * 256 + 1];
	AUTO_LISTING query = { 0 };
	AUTO(json) json_t *answer = NULL;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(ask(pairs, 1, &query, NULL), 0);
	answer = answer_of(&query, name, "0190a0b0-0000-7000-8000-000000000000");
	/* with its path and the rest it stays below what a target may be */
	assert_true(strlen(json_string_value(json_object_get(answer, "next_cursor"))) < 2000);
}

static bool is_described(const json_t *parameters, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)parameters, i, one)
	{
		if (strcmp(json_string_value(json_object_get(one, "name")), name) == 0)
			return json_is_object(json_object_get(one, "schema"));
	}
	return false;
}

static void parameters_are_described(void **state)
{
	static const char *const names[] = { "limit", "cursor", "count",    "sort",    "q",
					     "id",    "at.gte", "at.lt",    "state",   "size",
					     "seen",  "own",	"size.gte", "size.lt", "name" };
	AUTO(json) json_t *all = json_array();
	AUTO(json) json_t *few = json_array();

	http_listing_describe(&listing, all);
	assert_int_equal(json_array_size(all), ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_true(is_described(all, names[i]));
	http_listing_describe(&bare, few);
	assert_false(is_described(few, "limit"));
	assert_true(is_described(few, "own"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_asked_is_the_default),
		cmocka_unit_test(everything_asked_is_understood),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(no_request_overruns),
		cmocka_unit_test(cursors_belong_to_their_question),
		cmocka_unit_test(the_end_has_no_cursor),
		cmocka_unit_test(the_longest_values_fit),
		cmocka_unit_test(parameters_are_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
