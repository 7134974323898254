/* SPDX-License-Identifier: Apache-2.0 */
/* pg_kept.c - see pg_kept.h: what is kept hangs at the connection (libpq's events) and ends with it. */
#include "store/pg_kept.h"
#include "store/pg_conn.h"

#include <libpq-events.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 28 };

struct kept {
	char *sql[PG_KEPT_MAX];
	uint64_t used[PG_KEPT_MAX];
	uint64_t clock;
};

static int on_event(PGEventId id, void *info, void *user)
{
	struct kept *kept;

	if (id != PGEVT_CONNDESTROY)
		return 1;
	kept = PQinstanceData(((PGEventConnDestroy *)info)->conn, on_event);
	for (size_t i = 0; kept && i < PG_KEPT_MAX; i++)
		free(kept->sql[i]);
	free(kept);
	return 1;
}

/* NULL: nothing can be kept here. */
static struct kept *kept_of(PGconn *conn)
{
	struct kept *kept = PQinstanceData(conn, on_event);

	if (kept)
		return kept;
	kept = calloc(1, sizeof(*kept));
	if (kept && PQregisterEventProc(conn, on_event, "kept", NULL) &&
	    PQsetInstanceData(conn, on_event, kept))
		return kept;
	free(kept);
	return NULL;
}

static void name_of(size_t slot, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, "kept%zu", slot);
}

static int forget(PGconn *conn, struct kept *kept, size_t slot, uint32_t timeout_ms)
{
	char name[NAME_SIZE], sql[NAME_SIZE + 16];

	if (!kept->sql[slot])
		return 0;
	free(TAKE(kept->sql[slot]));
	name_of(slot, name);
	(void)snprintf(sql, sizeof(sql), "DEALLOCATE %s", name);
	return pg_conn_run(conn, sql, NULL, 0, timeout_ms, NULL, NULL);
}

/* A place with that text in it, prepared. */
static int slot_for(PGconn *conn, struct kept *kept, const char *sql, uint32_t timeout_ms,
		    struct error *err)
{
	AUTO(str) char *copy = NULL;
	size_t slot = 0;
	char name[NAME_SIZE];
	int r;

	for (size_t i = 0; i < PG_KEPT_MAX; i++) {
		if (kept->sql[i] && strcmp(kept->sql[i], sql) == 0)
			return (int)i;
		if (kept->used[i] < kept->used[slot])
			slot = i;
	}
	copy = strdup(sql);
	if (!copy)
		return error_set(err, -ENOMEM, "out of memory");
	(void)forget(conn, kept, slot, timeout_ms);
	name_of(slot, name);
	if (!PQsendPrepare(conn, name, sql, 0, NULL))
		return pg_conn_lost(conn, err);
	r = pg_conn_finish(conn, timeout_ms, NULL, err);
	if (r < 0)
		return r;
	kept->sql[slot] = TAKE(copy);
	return (int)slot;
}

int pg_kept_run(PGconn *conn, const char *sql, const char *const *params, int n,
		uint32_t timeout_ms, struct store_rows **rows, struct error *err)
{
	struct kept *kept = kept_of(conn);
	char name[NAME_SIZE];
	int slot, r;

	if (!kept)
		return pg_conn_run(conn, sql, params, n, timeout_ms, rows, err);
	slot = slot_for(conn, kept, sql, timeout_ms, err);
	if (slot < 0)
		return slot;
	kept->used[slot] = ++kept->clock;
	name_of((size_t)slot, name);
	r = PQsendQueryPrepared(conn, name, n, params, NULL, NULL, 0)
		    ? pg_conn_finish(conn, timeout_ms, rows, err)
		    : pg_conn_lost(conn, err);
	if (r != -EIO)
		return r;
	/* its tables look otherwise now, or somebody dropped it: from the beginning */
	error_clear(err);
	(void)forget(conn, kept, (size_t)slot, timeout_ms);
	return pg_conn_run(conn, sql, params, n, timeout_ms, rows, err);
}
