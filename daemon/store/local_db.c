/* SPDX-License-Identifier: Apache-2.0 */
/* local_db.c - SQLite behind one lock: prepared statements, transactions, migrations. */
#include "store/local_db.h"
#include "store/rows_build.h"

#include "base/map.h"

#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A program has a fixed set of statements; more means that someone builds SQL from data. */
#define STATEMENT_LIMIT 512

struct statement {
	struct map_node node;
	sqlite3_stmt *stmt;
	char sql[];
};

struct local_db {
	sqlite3 *handle;
	pthread_mutex_t lock; /* recursive: a transaction holds it over its statements */
	struct map statements;
	unsigned depth; /* open transactions: 0 or 1 */
};

static int db_error(struct local_db *db, int code, struct error *err)
{
	int extended = db->handle ? sqlite3_extended_errcode(db->handle) : code;
	const char *text = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, -EBUSY, "the local database is locked: %s", text);
	case SQLITE_FULL:
		return error_set(err, -ENOSPC, "no space for the local database: %s", text);
	case SQLITE_NOMEM:
		return error_set(err, -ENOMEM, "out of memory");
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return error_set(err, -EUCLEAN, "the local database is damaged: %s", text);
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return error_set(err, -EACCES, "the local database cannot be written: %s", text);
	case SQLITE_CONSTRAINT:
		if (extended == SQLITE_CONSTRAINT_UNIQUE ||
		    extended == SQLITE_CONSTRAINT_PRIMARYKEY)
			return error_set(err, -EEXIST, "%s", text);
		return error_set(err, -EINVAL, "%s", text);
	default:
		return error_set(err, -EIO, "local database: %s", text);
	}
}

static int run_script(struct local_db *db, const char *sql, struct error *err)
{
	int r = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return r == SQLITE_OK ? 0 : db_error(db, r, err);
}

static int user_version(struct local_db *db, uint32_t *ret, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = local_db_query(db, "PRAGMA user_version", NULL, 0, &rows, err);

	if (r < 0)
		return r;
	*ret = (uint32_t)store_rows_i64(rows, 0, 0, 0);
	return 0;
}

static int migrate_one(struct local_db *db, const char *script, uint32_t to, struct error *err)
{
	char version[48];
	int r = run_script(db, script, err);

	if (r < 0)
		return r;
	snprintf(version, sizeof(version), "PRAGMA user_version = %u", to);
	return run_script(db, version, err);
}

static int migrate(struct local_db *db, const struct local_db_config *config, struct error *err)
{
	uint32_t version = 0;
	int r;

	r = local_db_begin(db, err);
	if (r < 0)
		return r;
	r = user_version(db, &version, err);
	if (r == 0 && version > config->migration_count)
		r = error_set(err, -ENOTSUP, "the local database has version %u, newer than %u",
			      version, config->migration_count);
	for (uint32_t i = version; r == 0 && i < config->migration_count; i++)
		r = migrate_one(db, config->migrations[i], i + 1, err);
	if (r < 0) {
		local_db_rollback(db);
		return r;
	}
	return local_db_commit(db, err);
}

static int configure(struct local_db *db, const struct local_db_config *config, struct error *err)
{
	int r;

	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle,
			     (int)(config->busy_timeout_ms ? config->busy_timeout_ms : 5000));
	r = run_script(db, "PRAGMA journal_mode = WAL", err);
	if (r < 0)
		return r;
	r = run_script(db,
		       config->relaxed ? "PRAGMA synchronous = NORMAL"
				       : "PRAGMA synchronous = FULL",
		       err);
	if (r < 0)
		return r;
	return run_script(db, "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF", err);
}

int local_db_open(const struct local_db_config *config, struct local_db **ret, struct error *err)
{
	AUTO(local_db) struct local_db *db = calloc(1, sizeof(*db));
	pthread_mutexattr_t attr;
	int r;

	if (!db)
		return error_set(err, -ENOMEM, "out of memory");
	map_init(&db->statements);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&db->lock, &attr);
	pthread_mutexattr_destroy(&attr);

	r = sqlite3_open_v2(config->path, &db->handle,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
			    NULL);
	if (r != SQLITE_OK)
		return db_error(db, r, err);
	/* -wal and -shm take the mode of the file itself */
	if (config->path[0] != ':' && chmod(config->path, 0600) < 0)
		return error_set(err, -errno, "cannot protect %s", config->path);
	r = configure(db, config, err);
	if (r < 0)
		return r;
	r = migrate(db, config, err);
	if (r < 0)
		return r;
	*ret = TAKE(db);
	return 0;
}

struct local_db *local_db_free(struct local_db *db)
{
	struct map_iter it;
	struct map_node *node;

	if (!db)
		return NULL;
	MAP_FOREACH (node, &db->statements, &it) {
		struct statement *st = MAP_ENTRY(node, struct statement, node);

		map_remove(&db->statements, node);
		sqlite3_finalize(st->stmt);
		free(st);
	}
	map_done(&db->statements);
	sqlite3_close(db->handle);
	pthread_mutex_destroy(&db->lock);
	free(db);
	return NULL;
}

static int prepare(struct local_db *db, const char *sql, sqlite3_stmt **ret, struct error *err)
{
	struct map_node *node = map_get(&db->statements, slice_str(sql));
	size_t len = strlen(sql);
	struct statement *st;
	int r;

	if (node) {
		*ret = MAP_ENTRY(node, struct statement, node)->stmt;
		return 0;
	}
	if (db->statements.count >= STATEMENT_LIMIT)
		return error_set(err, -EINVAL, "too many different local statements");
	st = calloc(1, sizeof(*st) + len + 1);
	if (!st)
		return error_set(err, -ENOMEM, "out of memory");
	memcpy(st->sql, sql, len);
	r = sqlite3_prepare_v3(db->handle, sql, (int)len, SQLITE_PREPARE_PERSISTENT, &st->stmt,
			       NULL);
	if (r == SQLITE_OK && map_add(&db->statements, &st->node, slice_make(st->sql, len)) < 0)
		r = SQLITE_NOMEM;
	if (r != SQLITE_OK) {
		r = db_error(db, r, err);
		sqlite3_finalize(st->stmt);
		free(st);
		return r;
	}
	*ret = st->stmt;
	return 0;
}

static int collect_row(struct store_rows *rows, sqlite3_stmt *stmt, int cols)
{
	for (int i = 0; i < cols; i++) {
		const char *text = (const char *)sqlite3_column_text(stmt, i);
		size_t len = (size_t)sqlite3_column_bytes(stmt, i);

		if (store_rows_push(rows, text, len) < 0)
			return SQLITE_NOMEM;
	}
	return SQLITE_ROW;
}

static int run(struct local_db *db, sqlite3_stmt *stmt, const char *const *params, size_t n,
	       struct store_rows *rows, struct error *err)
{
	int cols = sqlite3_column_count(stmt);
	int r = SQLITE_OK;
	int result;

	for (size_t i = 0; r == SQLITE_OK && i < n; i++)
		r = params[i] ? sqlite3_bind_text(stmt, (int)i + 1, params[i], -1, SQLITE_STATIC)
			      : sqlite3_bind_null(stmt, (int)i + 1);
	if (r == SQLITE_OK)
		r = SQLITE_ROW;
	while (r == SQLITE_ROW) {
		r = sqlite3_step(stmt);
		if (r == SQLITE_ROW && rows)
			r = collect_row(rows, stmt, cols);
	}
	result = r == SQLITE_DONE ? sqlite3_changes(db->handle) : db_error(db, r, err);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return result;
}

int local_db_query(struct local_db *db, const char *sql, const char *const *params, size_t n,
		   struct store_rows **ret, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	sqlite3_stmt *stmt = NULL;
	int r;

	pthread_mutex_lock(&db->lock);
	r = prepare(db, sql, &stmt, err);
	if (r == 0) {
		rows = store_rows_new((size_t)sqlite3_column_count(stmt));
		r = rows ? run(db, stmt, params, n, rows, err)
			 : error_set(err, -ENOMEM, "out of memory");
	}
	pthread_mutex_unlock(&db->lock);
	if (r < 0)
		return r;
	*ret = TAKE(rows);
	return 0;
}

int local_db_exec(struct local_db *db, const char *sql, const char *const *params, size_t n,
		  struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int r;

	pthread_mutex_lock(&db->lock);
	r = prepare(db, sql, &stmt, err);
	if (r == 0)
		r = run(db, stmt, params, n, NULL, err);
	pthread_mutex_unlock(&db->lock);
	return r;
}

int local_db_begin(struct local_db *db, struct error *err)
{
	int r;

	pthread_mutex_lock(&db->lock);
	assert(db->depth == 0);
	r = run_script(db, "BEGIN IMMEDIATE", err);
	if (r < 0) {
		pthread_mutex_unlock(&db->lock);
		return r;
	}
	db->depth = 1;
	return 0;
}

int local_db_commit(struct local_db *db, struct error *err)
{
	int r;

	assert(db->depth == 1);
	r = run_script(db, "COMMIT", err);
	if (r < 0) {
		local_db_rollback(db);
		return r;
	}
	db->depth = 0;
	pthread_mutex_unlock(&db->lock);
	return 0;
}

void local_db_rollback(struct local_db *db)
{
	assert(db->depth == 1);
	/* SQLite may have rolled back by itself (disk full); then this fails and is harmless */
	(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	db->depth = 0;
	pthread_mutex_unlock(&db->lock);
}
