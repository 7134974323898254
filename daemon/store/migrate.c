/* SPDX-License-Identifier: Apache-2.0 */
/* migrate.c - numbered SQL files, forward only, one transaction each, one process at a time. */
#include "store/migrate.h"

#include "base/log.h"
#include "net/digest.h"
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIGRATION_LIMIT 1000
#define FILE_LIMIT (1U << 20)
/* of pg_advisory_xact_lock(); any constant that nobody else uses */
#define LOCK_KEY "4706913284471108"

struct migration {
	uint32_t number;
	char *name; /* file name */
	char *sql;
	char sha256[DIGEST_HEX_MAX];
};

struct migrations {
	struct migration *items;
	size_t count;
};

static struct migrations *migrations_free(struct migrations *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->items[i].name);
		free(set->items[i].sql);
	}
	free(set->items);
	return NULL;
}
DEFINE_AUTO(migrations)

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct migration *)a)->name, ((const struct migration *)b)->name);
}

/* NNNN_name.sql */
static bool is_migration(const char *name)
{
	size_t len = strlen(name);

	return len > 9 && strspn(name, "0123456789") == 4 && name[4] == '_' &&
	       strcmp(name + len - 4, ".sql") == 0;
}

static int read_sql(const char *dir, struct migration *m, struct error *err)
{
	AUTO(str) char *path = NULL;
	AUTO(fd) int fd = -1;
	struct slice text;
	ssize_t n;

	if (asprintf(&path, "%s/%s", dir, m->name) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, -errno, "cannot read %s", path);
	m->sql = malloc(FILE_LIMIT + 1);
	if (!m->sql)
		return error_set(err, -ENOMEM, "out of memory");
	n = read(fd, m->sql, FILE_LIMIT + 1);
	if (n < 0 || n > FILE_LIMIT)
		return error_set(err, n < 0 ? -errno : -EFBIG, "cannot read %s", path);
	m->sql[n] = '\0';
	text = slice_make(m->sql, (size_t)n);
	digest_hex_joined(DIGEST_SHA256, &text, 1, m->sha256);
	return 0;
}

static int list_names(const char *dir, struct migrations *set, struct error *err)
{
	DIR *folder = opendir(dir);
	struct dirent *entry;
	int r = 0;

	if (!folder)
		return error_set(err, -errno, "cannot read the folder %s", dir);
	set->items = calloc(MIGRATION_LIMIT, sizeof(*set->items));
	if (!set->items)
		r = error_set(err, -ENOMEM, "out of memory");
	while (r == 0 && (entry = readdir(folder)) != NULL) {
		if (!is_migration(entry->d_name))
			continue;
		if (set->count == MIGRATION_LIMIT)
			r = error_set(err, -EINVAL, "too many migrations in %s", dir);
		else if (!(set->items[set->count++].name = strdup(entry->d_name)))
			r = error_set(err, -ENOMEM, "out of memory");
	}
	closedir(folder);
	return r;
}

static int load(const char *dir, struct migrations *set, struct error *err)
{
	int r = list_names(dir, set, err);

	if (r < 0)
		return r;
	qsort(set->items, set->count, sizeof(*set->items), by_name);
	for (size_t i = 0; i < set->count; i++) {
		struct migration *m = &set->items[i];

		m->number = (uint32_t)strtoul(m->name, NULL, 10);
		if (m->number != i + 1)
			return error_set(err, -EINVAL,
					 "migration %s: number %zu is missing or double", m->name,
					 i + 1);
		r = read_sql(dir, m, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The version, and that no applied file has changed since. */
static int check_applied(struct store_tx *tx, const struct migrations *set, uint32_t *version,
			 struct error *err)
{
	static const char sql[] = "SELECT number, sha256 FROM schema_migration ORDER BY number";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_tx_query(tx, sql, NULL, 0, &rows, err);

	if (r < 0)
		return r;
	*version = (uint32_t)store_rows_count(rows);
	if (*version > set->count)
		return error_set(err, -ENOTSUP,
				 "the database has version %u, these files go to %zu", *version,
				 set->count);
	for (size_t i = 0; i < *version; i++)
		if (strcmp(store_rows_text(rows, i, 1), set->items[i].sha256) != 0)
			return error_set(err, -EINVAL,
					 "migration %s has changed since it was applied",
					 set->items[i].name);
	return 0;
}

struct step {
	const struct migrations *set;
	uint32_t version; /* before this step */
	bool applied;
};

/* One migration that is not applied yet, under the lock of all who migrate. */
static int apply_next(struct store_tx *tx, void *user, struct error *err)
{
	static const char table[] =
		"CREATE TABLE IF NOT EXISTS schema_migration ("
		"number integer PRIMARY KEY CHECK (number > 0), name text NOT NULL,"
		" sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
		"COMMENT ON TABLE schema_migration IS"
		" 'Migrations that were applied; one row a file.'";
	static const char note[] =
		"INSERT INTO schema_migration (number, name, sha256) VALUES ($1, $2, $3)";
	struct step *step = user;
	const struct migration *m;
	int r;

	step->applied = false;
	r = store_tx_script(tx,
			    "SET LOCAL statement_timeout = 0;"
			    "SELECT pg_advisory_xact_lock(" LOCK_KEY ")",
			    err);
	if (r == 0)
		r = store_tx_script(tx, table, err);
	if (r == 0)
		r = check_applied(tx, step->set, &step->version, err);
	if (r < 0 || step->version == step->set->count)
		return r;
	m = &step->set->items[step->version];
	r = store_tx_script(tx, m->sql, err);
	if (r < 0) {
		struct error cause = err ? *err : (struct error){ 0 };

		return error_set(err, r, "migration %s: %s", m->name, cause.detail);
	}
	r = store_tx_exec(tx, note, (const char *[]){ store_num(m->number), m->name, m->sha256 }, 3,
			  err);
	step->applied = r >= 0;
	return r;
}

int store_migrate(struct store *st, const char *dir, struct migrate_result *ret, struct error *err)
{
	struct migrations set = { 0 };
	AUTO(migrations) struct migrations *owned = &set;
	struct migrate_result result = { 0 };
	struct step step = { .set = &set };
	bool first = true;
	int r;

	r = load(dir, owned, err);
	while (r >= 0) {
		r = store_tx_run(st, false, apply_next, &step, err);
		if (r < 0)
			return r;
		if (first)
			result.from = step.version;
		first = false;
		if (!step.applied)
			break;
	}
	if (r < 0)
		return r;
	result.to = step.version;
	if (result.to != result.from)
		log_info("db.migrated", F("from", result.from), F("to", result.to));
	*ret = result;
	return 0;
}
