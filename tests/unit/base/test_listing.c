/* SPDX-License-Identifier: Apache-2.0 */
/* test_listing.c - base/listing: order, search, filters and pages of lists in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json_field.h"
#include "base/listing.h"

static const struct listing_field fields[] = {
	{ .name = "name", .use = LISTING_KEY | LISTING_SORT | LISTING_SEARCH },
	{ .name = "size", .kind = LISTING_NUMBER, .use = LISTING_SORT | LISTING_RANGE },
	{ .name = "on", .kind = LISTING_BOOL, .use = LISTING_FILTER },
	{ .name = NULL },
};
static const struct listing listing = { .fields = fields, .sort = "name" };

static json_t *things(void)
{
	return json_loads("[{\"name\":\"b\",\"size\":10,\"on\":true},"
			  "{\"name\":\"a\",\"size\":9,\"on\":false},"
			  "{\"name\":\"d\",\"size\":null,\"on\":true},"
			  "{\"name\":\"\\u00c9c\",\"size\":10,\"on\":true}]",
			  0, NULL);
}

static struct listing_query by(const struct listing_field *first, bool descending)
{
	struct listing_query query = { .listing = &listing, .limit = 50 };

	query.order[query.order_count++] = (struct listing_order){ first, descending };
	if (first != &fields[0])
		query.order[query.order_count++] = (struct listing_order){ &fields[0], descending };
	return query;
}

/* The names of a page, one after the other. */
static void names_are(const struct listing_query *query, const char *want)
{
	AUTO(json) json_t *items = things();
	AUTO_LISTING_PAGE page = { 0 };
	char got[64] = "";
	json_t *item;
	size_t i;

	assert_int_equal(listing_json(query, items, &page, NULL), 0);
	json_array_foreach(page.items, i, item)
		strcat(got, json_string_value(json_object_get(item, "name")));
	assert_string_equal(got, want);
}

static void orders_by_bytes_and_numbers(void **state)
{
	struct listing_query query = by(&fields[0], false);

	names_are(&query, "abd\xc3\x89"
			  "c");
	query = by(&fields[0], true);
	names_are(&query, "\xc3\x89"
			  "cdba");
	query = by(&fields[1], false); /* what has no size is first, 9 is before 10 */
	names_are(&query, "dab\xc3\x89"
			  "c");
	query = by(&fields[1], true);
	query.order[1].descending = false;
	names_are(&query, "b\xc3\x89"
			  "cad");
}

static void finds_in_any_case(void **state)
{
	struct listing_query query = by(&fields[0], false);

	query.q = "B";
	names_are(&query, "b");
	query.q = "\xc3\xa9"
		  "C";
	names_are(&query, "\xc3\x89"
			  "c");
	query.q = "\x89"; /* no part of a character */
	names_are(&query, "");
	query.q = "bb";
	names_are(&query, "");
}

static void filters_by_value_and_range(void **state)
{
	struct listing_query query = by(&fields[0], false);

	query.condition[0] = (struct listing_condition){ &fields[2], LISTING_IN, 1, { "true" } };
	query.condition_count = 1;
	names_are(&query, "bd\xc3\x89"
			  "c");
	query.condition[1] = (struct listing_condition){ &fields[1], LISTING_GTE, 1, { "10" } };
	query.condition_count = 2;
	names_are(&query, "b\xc3\x89"
			  "c");
	query.condition[0] = (struct listing_condition){ &fields[1], LISTING_LT, 1, { "10" } };
	query.condition_count = 1;
	names_are(&query, "a"); /* null passes no filter */
	query.condition[0] = (struct listing_condition){ &fields[1], LISTING_IN, 2, { "9", "10" } };
	names_are(&query, "ab\xc3\x89"
			  "c");
}

static void pages_join_up(void **state)
{
	for (int descending = 0; descending < 2; descending++) {
		struct listing_query query = by(&fields[1], descending);
		AUTO(json) json_t *items = things();
		char got[64] = "", last[2][16] = { "", "" };
		bool more = true;

		query.limit = 1;
		while (more) {
			AUTO_LISTING_PAGE page = { 0 };

			assert_int_equal(listing_json(&query, items, &page, NULL), 0);
			assert_int_equal(page.total, 4);
			assert_int_equal(json_array_size(page.items), 1);
			strcat(got, json_string_value(json_object_get(json_array_get(page.items, 0),
								      "name")));
			more = page.more;
			for (size_t i = 0; more && i < 2; i++) {
				assert_true(strlen(page.last[i]) < sizeof(last[i]));
				strcpy(last[i], page.last[i]);
				query.after[i] = last[i];
			}
			query.resumed = true;
		}
		assert_string_equal(got, descending ? "\xc3\x89"
						      "cbad"
						    : "dab\xc3\x89"
						      "c");
	}
}

static void an_empty_list_is_a_page(void **state)
{
	struct listing_query query = by(&fields[0], false);
	AUTO(json) json_t *items = json_array();
	AUTO_LISTING_PAGE page = { 0 };

	assert_int_equal(listing_json(&query, items, &page, NULL), 0);
	assert_false(page.more);
	assert_int_equal(page.total, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_by_bytes_and_numbers), cmocka_unit_test(finds_in_any_case),
		cmocka_unit_test(filters_by_value_and_range),  cmocka_unit_test(pages_join_up),
		cmocka_unit_test(an_empty_list_is_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
