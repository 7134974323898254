/* SPDX-License-Identifier: Apache-2.0 */
/* local_db.h - a local SQLite file (box.db, a node's replica.db): WAL, durable when it answers. */
#pragma once
#include "base/error.h"
#include "store/rows.h"

#include <stddef.h>
#include <stdint.h>

struct local_db;

struct local_db_config {
	const char *path; /* ":memory:" for none on disk */
	/* migrations[i] is the script that leads from user_version i to i + 1; each runs in one
	 * transaction. Only ever append. */
	const char *const *migrations;
	uint32_t migration_count;
	uint32_t busy_timeout_ms; /* 0: 5000 */
	bool relaxed;		  /* true: synchronous=NORMAL; default FULL: a commit is on disk */
};

/* Open or create (0600), migrate. One handle may be used from any thread: each call below locks
 * it; a transaction holds the lock from begin to commit or rollback.
 * Errors: -EACCES, -ENOSPC, -ENOTSUP newer than migrations, -EUCLEAN not a database or damaged,
 * -EIO. The caller owns *ret. */
int local_db_open(const struct local_db_config *config, struct local_db **ret, struct error *err);
struct local_db *local_db_free(struct local_db *db);
DEFINE_AUTO(local_db)

/* Values only through params (?1 …), as text; NULL is SQL NULL; a column's declared type decides
 * how it is kept. Statements are prepared once and cached by the text's *content*.
 * Errors: -EEXIST unique, -EINVAL other constraint, -EBUSY locked, -ENOSPC, -EIO. */
int local_db_query(struct local_db *db, const char *sql, const char *const *params, size_t n,
		   struct store_rows **ret, struct error *err);
/* Returns the number of rows changed. */
int local_db_exec(struct local_db *db, const char *sql, const char *const *params, size_t n,
		  struct error *err);

/* A transaction (BEGIN IMMEDIATE). Between begin and commit only this thread uses the handle. */
int local_db_begin(struct local_db *db, struct error *err);
int local_db_commit(struct local_db *db, struct error *err); /* on failure it is rolled back */
void local_db_rollback(struct local_db *db);
