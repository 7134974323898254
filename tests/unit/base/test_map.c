/* SPDX-License-Identifier: Apache-2.0 */
/* map: finds what was added through growth, several values of one key, removal while iterating; what
 * leaves in the order in which it came costs the same however many share its key. */
#include "base/map.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MANY 5000
#define SHARING 200000 /* a walk to each would be 20,000,000,000 steps */

struct item {
	char name[16];
	struct map_node node;
};

static struct item items[MANY];

static void fill(struct map *m)
{
	map_init(m);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(items[i].name, sizeof(items[i].name), "u%d", i);
		assert_int_equal(map_add_unique(m, &items[i].node, slice_str(items[i].name)), 0);
	}
}

static void map_finds_all_after_growth(void **state)
{
	struct map m;
	struct item twin = { 0 };

	(void)state;
	fill(&m);
	assert_int_equal(m.count, MANY);
	for (int i = 0; i < MANY; i++)
		assert_ptr_equal(map_get(&m, slice_str(items[i].name)), &items[i].node);
	assert_null(map_get(&m, SLICE("nobody")));
	assert_int_equal(map_add_unique(&m, &twin.node, SLICE("u7")), -EEXIST);
	map_done(&m);
}

static void map_removes_while_iterating(void **state)
{
	struct map m;
	struct map_iter it;
	struct map_node *n;
	int seen = 0;

	(void)state;
	fill(&m);
	MAP_FOREACH (n, &m, &it) {
		seen++;
		assert_true(map_remove(&m, n));
	}
	assert_int_equal(seen, MANY);
	assert_int_equal(m.count, 0);
	assert_false(map_remove(&m, &items[0].node));
	map_done(&m);
}

static void map_keeps_several_of_one_key(void **state)
{
	struct map m;
	struct item a = { 0 }, b = { 0 };
	struct map_node *n;
	int found = 0;

	(void)state;
	map_init(&m);
	assert_null(map_get(&m, SLICE("k")));
	assert_int_equal(map_add(&m, &a.node, SLICE("k")), 0);
	assert_int_equal(map_add(&m, &b.node, SLICE("k")), 0);
	for (n = map_get(&m, SLICE("k")); n; n = map_next_same(n))
		found++;
	assert_int_equal(found, 2);
	map_done(&m);
}

/* Transactions of the one connection to cm: thousands at a time, the oldest ends first. */
static void map_lets_many_of_one_key_go(void **state)
{
	struct item *many = calloc(SHARING, sizeof(*many));
	clock_t began = clock();
	struct map m;

	(void)state;
	assert_non_null(many);
	map_init(&m);
	for (int i = 0; i < SHARING; i++)
		assert_int_equal(map_add(&m, &many[i].node, SLICE("k")), 0);
	for (int i = 0; i < SHARING; i++) {
		if (i % 1000 == 0)
			assert_true(clock() - began < 2 * CLOCKS_PER_SEC);
		assert_true(map_remove(&m, &many[i].node));
	}
	assert_int_equal(m.count, 0);
	assert_null(map_get(&m, SLICE("k")));
	map_done(&m);
	free(many);
}

/* Removed from the middle, from the end and from the head: the rest stays linked, through growth too. */
static void map_keeps_the_rest(void **state)
{
	struct item three[3] = { 0 };
	struct map m;
	int found = 0;

	(void)state;
	map_init(&m);
	for (int i = 0; i < 3; i++)
		assert_int_equal(map_add(&m, &three[i].node, SLICE("k")), 0);
	assert_ptr_equal(map_get_hashed(&m, SLICE("k"), slice_hash(SLICE("k"))), &three[2].node);
	assert_null(map_get_hashed(&m, SLICE("l"), slice_hash(SLICE("l"))));
	assert_true(map_remove(&m, &three[1].node));
	assert_false(map_remove(&m, &three[1].node));
	assert_ptr_equal(map_get(&m, SLICE("k")), &three[2].node);
	assert_ptr_equal(map_next_same(&three[2].node), &three[0].node);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(items[i].name, sizeof(items[i].name), "u%d", i);
		assert_int_equal(map_add(&m, &items[i].node, slice_str(items[i].name)), 0);
	}
	for (int i = 0; i < MANY; i++)
		assert_true(map_remove(&m, &items[i].node));
	for (struct map_node *n = map_get(&m, SLICE("k")); n; n = map_next_same(n))
		found++;
	assert_int_equal(found, 2);
	assert_true(map_remove(&m, &three[0].node));
	assert_true(map_remove(&m, &three[2].node));
	assert_int_equal(m.count, 0);
	map_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_finds_all_after_growth),
		cmocka_unit_test(map_removes_while_iterating),
		cmocka_unit_test(map_keeps_several_of_one_key),
		cmocka_unit_test(map_lets_many_of_one_key_go),
		cmocka_unit_test(map_keeps_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
