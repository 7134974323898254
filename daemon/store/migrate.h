/* SPDX-License-Identifier: Apache-2.0 */
/* migrate.h - brings a PostgreSQL database to the newest numbered migration, only forward. */
#pragma once
#include <stdint.h>

struct error;
struct store;

struct migrate_result {
	uint32_t from; /* version found; 0 in an empty database */
	uint32_t to;   /* version now */
};

/* Run the files `NNNN_name.sql` of dir whose number is above the database's version, in order,
 * each in one transaction together with its row in table schema_migration (number, name,
 * sha256, applied_at). An advisory lock lets any number of processes start at once: one
 * migrates, the others wait and find the work done. Logs `db.migrated from to` when it changed
 * anything.
 * Errors: -EINVAL the folder's files are not 1, 2, 3 … without gap, or a file that was applied
 * has changed since; -ENOTSUP the database is newer than the files; else as store.h; the
 * failing file's name is in the detail and all before it are kept. */
int store_migrate(struct store *st, const char *dir, struct migrate_result *ret, struct error *err);
