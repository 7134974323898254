/* SPDX-License-Identifier: Apache-2.0 */
/* test_local_db.c - migrations, transactions and errors of a local file. */
#include "store/local_db.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *const scripts[] = {
	"CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER NOT NULL CHECK (n < 100)); CREATE TABLE u (a)",
	"ALTER TABLE u ADD COLUMN b TEXT",
	"CREATE TABLE broken (; ",
};

static struct local_db *open_memory(void)
{
	const struct local_db_config config = {
		.path = ":memory:", .migrations = scripts, .migration_count = 2
	};
	struct local_db *db = NULL;

	assert_int_equal(local_db_open(&config, &db, NULL), 0);
	return db;
}

static int64_t count(struct local_db *db)
{
	AUTO(store_rows) struct store_rows *rows = NULL;

	assert_int_equal(local_db_query(db, "SELECT count(*) FROM t", NULL, 0, &rows, NULL), 0);
	return store_rows_i64(rows, 0, 0, -1);
}

static int put(struct local_db *db, const char *key, const char *n, struct error *err)
{
	return local_db_exec(db, "INSERT INTO t (k, n) VALUES (?1, ?2)", (const char *[]){ key, n },
			     2, err);
}

static void values_go_in_and_come_out(void **state)
{
	AUTO(local_db) struct local_db *db = open_memory();
	AUTO(store_rows) struct store_rows *rows = NULL;

	assert_int_equal(put(db, "it's; DROP TABLE t", "5", NULL), 1);
	assert_int_equal(local_db_exec(db, "INSERT INTO u (a, b) VALUES (NULL, ?1)",
				       (const char *[]){ NULL }, 1, NULL),
			 1);
	assert_int_equal(local_db_query(db, "SELECT k, n, typeof(n) FROM t WHERE n > ?1",
					(const char *[]){ "4" }, 1, &rows, NULL),
			 0);
	assert_int_equal(store_rows_count(rows), 1);
	assert_string_equal(store_rows_text(rows, 0, 0), "it's; DROP TABLE t");
	assert_string_equal(store_rows_text(rows, 0, 2), "integer");
}

static void broken_rules_are_told_apart(void **state)
{
	AUTO(local_db) struct local_db *db = open_memory();
	struct error err = { 0 };

	assert_int_equal(put(db, "a", "1", &err), 1);
	assert_int_equal(put(db, "a", "2", &err), -EEXIST);
	assert_int_equal(put(db, "b", "100", &err), -EINVAL);
	assert_int_equal(put(db, "b", NULL, &err), -EINVAL);
	assert_int_equal(local_db_exec(db, "INSERT INTO nowhere VALUES (1)", NULL, 0, &err), -EIO);
	assert_int_equal(count(db), 1);
}

static void a_rollback_undoes_everything(void **state)
{
	AUTO(local_db) struct local_db *db = open_memory();

	assert_int_equal(local_db_begin(db, NULL), 0);
	assert_int_equal(put(db, "a", "1", NULL), 1);
	local_db_rollback(db);
	assert_int_equal(count(db), 0);
	assert_int_equal(local_db_begin(db, NULL), 0);
	assert_int_equal(put(db, "a", "1", NULL), 1);
	assert_int_equal(local_db_commit(db, NULL), 0);
	assert_int_equal(count(db), 1);
}

struct place {
	char dir[32];
	char path[48];
};

static struct place make_place(void)
{
	struct place p = { .dir = "/tmp/aura-unit-XXXXXX" };

	assert_non_null(mkdtemp(p.dir));
	snprintf(p.path, sizeof(p.path), "%s/f.db", p.dir);
	return p;
}

static void remove_place(const struct place *p)
{
	char path[64];

	unlink(p->path);
	snprintf(path, sizeof(path), "%s-wal", p->path);
	unlink(path);
	snprintf(path, sizeof(path), "%s-shm", p->path);
	unlink(path);
	rmdir(p->dir);
}

static void migrations_go_on_where_they_stopped(void **state)
{
	struct place p = make_place();
	struct local_db_config config = { .path = p.path,
					  .migrations = scripts,
					  .migration_count = 1 };
	struct local_db *db = NULL;
	struct error err = { 0 };
	struct stat st;

	assert_int_equal(local_db_open(&config, &db, NULL), 0);
	assert_int_equal(put(db, "kept", "1", NULL), 1);
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	db = local_db_free(db);

	config.migration_count = 3; /* the third is broken: nothing of the run may stay */
	assert_int_equal(local_db_open(&config, &db, &err), -EIO);
	config.migration_count = 2;
	assert_int_equal(local_db_open(&config, &db, NULL), 0);
	assert_int_equal(count(db), 1);
	assert_int_equal(local_db_exec(db, "INSERT INTO u (b) VALUES ('x')", NULL, 0, NULL), 1);
	db = local_db_free(db);

	config.migration_count = 1;
	assert_int_equal(local_db_open(&config, &db, &err), -ENOTSUP);
	assert_null(db);
	remove_place(&p);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
	struct place p = make_place();
	const struct local_db_config config = { .path = p.path,
						.migrations = scripts,
						.migration_count = 1 };
	struct local_db *db = NULL;
	struct error err = { 0 };
	FILE *file = fopen(p.path, "w");

	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", file);
	fclose(file);
	assert_int_equal(local_db_open(&config, &db, &err), -EUCLEAN);
	remove_place(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_go_in_and_come_out),
		cmocka_unit_test(broken_rules_are_told_apart),
		cmocka_unit_test(a_rollback_undoes_everything),
		cmocka_unit_test(migrations_go_on_where_they_stopped),
		cmocka_unit_test(a_file_that_is_no_database_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
