/* SPDX-License-Identifier: Apache-2.0 */
/* test_uc_pages.c - kept answers: never older than their call, shared looks and readings, bounds, failures. */
#include "control/uc/uc_pages.h"

#include "base/error.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The database: its one value is also its state. */
struct world {
	atomic_int value;
	atomic_int looks, readings;
	atomic_int look_fails, reading_fails;  /* errno, 0: not */
	atomic_bool hold_looks, hold_readings; /* they have their value, and wait */
	atomic_bool stateless;
	size_t padding; /* bytes more of each answer */
	struct uc_pages *pages;
};

static void pass(atomic_bool *held)
{
	while (atomic_load(held))
		usleep(200);
}

static int look(void *user, char ret[UC_PAGES_STATE_SIZE], struct error *err)
{
	struct world *w = user;
	int value = atomic_load(&w->value);

	atomic_fetch_add(&w->looks, 1);
	pass(&w->hold_looks);
	if (atomic_load(&w->look_fails))
		return error_set(err, atomic_load(&w->look_fails), "no look");
	(void)snprintf(ret, UC_PAGES_STATE_SIZE, "%d", value);
	return 0;
}

static int make(void *user, struct uc_answer *ret, struct error *err)
{
	struct world *w = user;
	int value = atomic_load(&w->value);
	char text[32];

	atomic_fetch_add(&w->readings, 1);
	pass(&w->hold_readings);
	if (atomic_load(&w->reading_fails))
		return error_set(err, atomic_load(&w->reading_fails), "no page");
	(void)snprintf(text, sizeof(text), "%d", value);
	ret->len = strlen(text) + w->padding;
	ret->text = calloc(1, ret->len + 1);
	assert_non_null(ret->text);
	memset(ret->text, ' ', ret->len);
	memcpy(ret->text, text, strlen(text));
	ret->state = atomic_load(&w->stateless) ? NULL : strdup(text);
	return 0;
}

static void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	assert_int_equal(uc_pages_new(look, w, &w->pages), 0);
}

static int ask(struct world *w, const char *key)
{
	AUTO_ANSWER answer = { 0 };
	struct error err = { 0 };
	int r = uc_pages_answer(w->pages, key, make, w, &answer, &err);

	if (r < 0) {
		assert_int_equal(err.code, r);
		assert_true(strcmp(err.detail, "no look") == 0 ||
			    strcmp(err.detail, "no page") == 0);
		return r;
	}
	assert_int_equal(strlen(answer.text), answer.len);
	return (int)strtol(answer.text, NULL, 10);
}

static void a_page_is_read_once_a_state(void **state)
{
	struct world w;

	world_init(&w);
	for (int value = 1; value < 4; value++) {
		atomic_store(&w.value, value);
		for (int i = 0; i < 5; i++)
			assert_int_equal(ask(&w, "a"), value);
		assert_int_equal(ask(&w, "b"), value);
		assert_int_equal(w.readings, 2 * value);
	}
	assert_int_equal(w.looks, 3 * 6 - 2); /* none for a page that is not there */
	(void)uc_pages_free(w.pages);
}

struct caller {
	struct world *world;
	const char *key;
	pthread_t thread;
	int got;
};

static void *call(void *user)
{
	struct caller *c = user;

	c->got = ask(c->world, c->key);
	return NULL;
}

static void start(struct caller *c, struct world *w, const char *key)
{
	*c = (struct caller){ .world = w, .key = key };
	assert_int_equal(pthread_create(&c->thread, NULL, call, c), 0);
}

static int end(struct caller *c)
{
	assert_int_equal(pthread_join(c->thread, NULL), 0);
	return c->got;
}

static void await(atomic_int *count, int value)
{
	for (int i = 0; i < 20000 && atomic_load(count) < value; i++)
		usleep(500);
	assert_true(atomic_load(count) >= value);
}

/* Until so many wait for what another does. */
static void await_waiting(struct world *w, uint32_t count)
{
	struct uc_pages_stats stats = { 0 };

	for (int i = 0; i < 20000 && stats.waiting < count; i++) {
		usleep(500);
		uc_pages_stats(w->pages, &stats);
	}
	assert_int_equal(stats.waiting, count);
}

/* Five come while a look is on its way that saw the old state: they share the next one. */
static void a_look_counts_for_those_who_came_before_it(void **state)
{
	struct caller first, later[5];
	struct world w;

	world_init(&w);
	assert_int_equal(ask(&w, "a"), 0);
	atomic_store(&w.hold_looks, true);
	start(&first, &w, "a");
	await(&w.looks, 1);
	atomic_store(&w.value, 1);
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		start(&later[i], &w, "a");
	await_waiting(&w, ARRAY_SIZE(later));
	atomic_store(&w.hold_looks, false);
	assert_int_equal(end(&first), 0); /* it asked before the change */
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		assert_int_equal(end(&later[i]), 1);
	assert_int_equal(w.looks, 2);
	assert_int_equal(w.readings, 2);
	(void)uc_pages_free(w.pages);
}

/* A reading that began before the change is nothing for who came after it. */
static void a_reading_counts_for_those_who_came_before_it(void **state)
{
	struct caller first, later[5];
	struct world w;

	world_init(&w);
	atomic_store(&w.hold_readings, true);
	start(&first, &w, "a");
	await(&w.readings, 1);
	atomic_store(&w.value, 1);
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		start(&later[i], &w, "a");
	await_waiting(&w, ARRAY_SIZE(later));
	assert_int_equal(w.readings, 1);
	atomic_store(&w.hold_readings, false);
	assert_int_equal(end(&first), 0);
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		assert_int_equal(end(&later[i]), 1);
	assert_int_equal(w.readings, 2);
	(void)uc_pages_free(w.pages);
}

static void failures_reach_all_and_are_not_kept(void **state)
{
	struct caller first, later[3];
	struct world w;

	world_init(&w);
	atomic_store(&w.reading_fails, -EAGAIN);
	assert_int_equal(ask(&w, "a"), -EAGAIN);
	atomic_store(&w.reading_fails, 0);
	assert_int_equal(ask(&w, "a"), 0);
	atomic_store(&w.look_fails, -ETIMEDOUT);
	atomic_store(&w.hold_looks, true);
	start(&first, &w, "a");
	await(&w.looks, 1);
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		start(&later[i], &w, "a");
	await_waiting(&w, ARRAY_SIZE(later));
	atomic_store(&w.hold_looks, false);
	assert_int_equal(end(&first), -ETIMEDOUT); /* and not the page that is there */
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		assert_int_equal(end(&later[i]), -ETIMEDOUT);
	atomic_store(&w.look_fails, 0);
	assert_int_equal(ask(&w, "a"), 0);
	assert_int_equal(w.readings, 2);
	(void)uc_pages_free(w.pages);
}

static void what_has_no_state_is_not_kept(void **state)
{
	struct uc_pages_stats stats;
	struct world w;

	world_init(&w);
	atomic_store(&w.stateless, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(&w, "a"), 0);
	assert_int_equal(w.readings, 3);
	uc_pages_stats(w.pages, &stats);
	assert_int_equal(stats.entries, 0);
	assert_int_equal(stats.bytes, 0);
	(void)uc_pages_free(w.pages);
}

static void memory_is_bounded_and_the_newest_stay(void **state)
{
	struct uc_pages_stats stats;
	struct world w;
	char key[32];

	world_init(&w);
	for (int i = 0; i < 3 * UC_PAGES_ENTRIES; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(ask(&w, key), 0);
		assert_int_equal(ask(&w, "often"), 0);
	}
	uc_pages_stats(w.pages, &stats);
	assert_int_equal(stats.entries, UC_PAGES_ENTRIES);
	assert_int_equal(stats.read, 3 * UC_PAGES_ENTRIES + 1); /* "often" stayed */

	w.padding = UC_PAGES_BYTES_EACH / 2;
	for (int i = 0; i < 40; i++) {
		(void)snprintf(key, sizeof(key), "large %d", i);
		assert_int_equal(ask(&w, key), 0);
		uc_pages_stats(w.pages, &stats);
		assert_true(stats.bytes <= UC_PAGES_BYTES);
	}
	assert_true(stats.entries >= 14);
	w.padding = UC_PAGES_BYTES_EACH;
	assert_int_equal(ask(&w, "too large"), 0);
	uc_pages_stats(w.pages, &stats);
	assert_int_equal(ask(&w, "too large"), 0);
	assert_int_equal(w.readings, stats.read + 1);
	uc_pages_clear(w.pages);
	uc_pages_stats(w.pages, &stats);
	assert_int_equal(stats.entries, 0);
	assert_int_equal(stats.bytes, 0);
	w.padding = 0;
	assert_int_equal(ask(&w, "often"), 0);
	(void)uc_pages_free(w.pages);
}

/* A reading under way when all is forgotten shows the old views: it is not kept. */
static void what_is_read_across_a_clear_is_not_kept(void **state)
{
	struct uc_pages_stats stats;
	struct caller first;
	struct world w;

	world_init(&w);
	atomic_store(&w.hold_readings, true);
	start(&first, &w, "a");
	await(&w.readings, 1);
	uc_pages_clear(w.pages);
	atomic_store(&w.hold_readings, false);
	assert_int_equal(end(&first), 0);
	uc_pages_stats(w.pages, &stats);
	assert_int_equal(stats.entries, 0);
	(void)uc_pages_free(w.pages);
}

/* Whatever runs beside it: an answer is of a moment between its call and its return. */
enum { STRESS_CALLS = 3000 };

static void *stress(void *user)
{
	struct caller *c = user;
	static const char *const keys[] = { "a", "b", "c" };

	for (int i = 0; i < STRESS_CALLS; i++) {
		int before = atomic_load(&c->world->value), got, after;

		got = ask(c->world, keys[i % 3]);
		after = atomic_load(&c->world->value);
		c->got += got < before || got > after;
		if (i % 16 == 0)
			atomic_fetch_add(&c->world->value, 1);
		if (i % 512 == 0)
			uc_pages_clear(c->world->pages);
		sched_yield();
	}
	return NULL;
}

static void no_answer_is_older_than_its_call(void **state)
{
	struct uc_pages_stats stats;
	struct caller caller[6];
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < ARRAY_SIZE(caller); i++) {
		caller[i] = (struct caller){ .world = &w };
		assert_int_equal(pthread_create(&caller[i].thread, NULL, stress, &caller[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(caller); i++)
		assert_int_equal(end(&caller[i]), 0);
	uc_pages_stats(w.pages, &stats);
	assert_int_equal(stats.kept + stats.read, ARRAY_SIZE(caller) * STRESS_CALLS);
	assert_true(stats.kept > 0);
	(void)uc_pages_free(w.pages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_read_once_a_state),
		cmocka_unit_test(a_look_counts_for_those_who_came_before_it),
		cmocka_unit_test(a_reading_counts_for_those_who_came_before_it),
		cmocka_unit_test(failures_reach_all_and_are_not_kept),
		cmocka_unit_test(what_has_no_state_is_not_kept),
		cmocka_unit_test(memory_is_bounded_and_the_newest_stay),
		cmocka_unit_test(what_is_read_across_a_clear_is_not_kept),
		cmocka_unit_test(no_answer_is_older_than_its_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
