/* SPDX-License-Identifier: Apache-2.0 */
/* test_writer.c - state and records reach the local file, in order, and come back. */
#include "base/json_field.h"
#include "node/records.h"
#include "node/state_journal.h"
#include "node/writer.h"
#include "store/local_db.h"

#include <string.h>

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct seen {
	size_t count;
	char last[64];
	uint64_t seq;
};

static int note(void *user, struct slice key, struct slice value, int64_t expires_ms)
{
	struct seen *seen = user;

	seen->count++;
	return slice_copy(value, seen->last, sizeof(seen->last));
}

static void note_hook(void *user, uint64_t seq, const char *kind, struct slice key,
		      struct slice value, int64_t expires_ms)
{
	struct seen *seen = user;

	seen->count++;
	seen->seq = seq;
	slice_copy(value.p ? value : SLICE("deleted"), seen->last, sizeof(seen->last));
}

static struct local_db *open_db(void)
{
	const struct local_db_config config = { .path = ":memory:",
						.migrations = node_migrations,
						.migration_count = node_migration_count };
	struct local_db *db = NULL;

	assert_int_equal(local_db_open(&config, &db, NULL), 0);
	return db;
}

static void state_survives_the_writer(void **state)
{
	AUTO(local_db) struct local_db *db = open_db();
	struct writer *w = NULL;
	struct seen seen = { 0 };

	assert_int_equal(writer_new(db, &w, NULL), 0);
	assert_int_equal(state_put(writer_state(w), "binding", SLICE("a"), SLICE("1"), 0), 0);
	assert_int_equal(state_put(writer_state(w), "binding", SLICE("a"), SLICE("2"), 0), 0);
	assert_int_equal(state_put(writer_state(w), "binding", SLICE("b"), SLICE("3"), 0), 0);
	assert_int_equal(state_delete(writer_state(w), "binding", SLICE("b")), 0);
	assert_int_equal(state_put(writer_state(w), "binding", SLICE("old"), SLICE("4"), 1000), 0);
	assert_int_equal(state_put(writer_state(w), "other", SLICE("a"), SLICE("5"), 0), 0);
	w = writer_free(w);

	assert_int_equal(writer_new(db, &w, NULL), 0);
	assert_int_equal(state_load(writer_state(w), "binding", note, &seen, NULL), 0);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.last, "2");
	writer_free(w);
}

static void the_hook_sees_every_change_in_order(void **state)
{
	AUTO(local_db) struct local_db *db = open_db();
	struct writer *w = NULL;
	struct seen seen = { 0 };

	assert_int_equal(writer_new(db, &w, NULL), 0);
	state_hook(writer_state(w), note_hook, &seen);
	state_put(writer_state(w), "k", SLICE("a"), SLICE("1"), 0);
	assert_string_equal(seen.last, "1");
	state_delete(writer_state(w), "k", SLICE("a"));
	assert_string_equal(seen.last, "deleted");
	assert_int_equal(seen.seq, 2);
	writer_free(w);
}

static void what_cannot_be_kept_is_refused(void **state)
{
	AUTO(local_db) struct local_db *db = open_db();
	AUTO(str) char *big = calloc(1, STATE_VALUE_MAX + 1);
	struct writer *w = NULL;

	memset(big, 'x', STATE_VALUE_MAX + 1);
	assert_int_equal(writer_new(db, &w, NULL), 0);
	assert_int_equal(state_put(writer_state(w), "k", SLICE("a"),
				   slice_make(big, STATE_VALUE_MAX + 1), 0),
			 -EFBIG);
	assert_int_equal(state_put(writer_state(w), "k", SLICE("a\0b"), SLICE("1"), 0), -EINVAL);
	assert_int_equal(record_put(writer_records(w), json_object()), -EINVAL);
	assert_int_equal(record_put(writer_records(w), json_pack("{s:s}", "gsid", "g")), -EINVAL);
	writer_free(w);
}

static void records_are_one_a_half(void **state)
{
	AUTO(local_db) struct local_db *db = open_db();
	AUTO(json) json_t *pending = NULL;
	struct writer *w = NULL;
	json_t *items;

	assert_int_equal(writer_new(db, &w, NULL), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(record_put(writer_records(w),
					    json_pack("{s:s,s:s,s:i}", "gsid", "g", "half", "call",
						      "n", i)),
				 0);
		assert_int_equal(record_put(writer_records(w),
					    json_pack("{s:s,s:s}", "gsid", "g", "half", "orig")),
				 0);
	}
	writer_flush(w);
	assert_int_equal(record_pending(writer_records(w), 10, &pending, NULL), 0);
	items = json_object_get(pending, "items");
	assert_int_equal(json_array_size(items), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(items, 1), "n")), 2);
	writer_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_survives_the_writer),
		cmocka_unit_test(the_hook_sees_every_change_in_order),
		cmocka_unit_test(what_cannot_be_kept_is_refused),
		cmocka_unit_test(records_are_one_a_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
