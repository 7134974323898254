/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - PostgreSQL for the workers of the job pool: connections, queries, transactions. */
#pragma once
#include "base/error.h"
#include "store/rows.h"

#include <stdint.h>

struct store;	 /* a pool of connections to one database; usable from any thread */
struct store_tx; /* one open transaction on one borrowed connection */

/* Everything is copied by store_open(). NULL and 0 mean the default given here. */
struct store_config {
	const char *url;	       /* postgresql://… or key=value; required */
	const char *user;	       /* overrides the URL's user */
	const char *ca_file;	       /* given: sslmode=verify-full against this CA */
	const char *cert_file;	       /* client certificate (PEM) */
	const char *key_file;	       /* its key (PEM, 0600) */
	const char *application;       /* application_name; "aurabox" */
	uint32_t max_connections;      /* 8; at most 64 */
	uint32_t connect_timeout_s;    /* 3 */
	uint32_t statement_timeout_ms; /* 10000 */
	uint32_t acquire_timeout_ms;   /* 5000: how long a thread waits for a connection */
};

/* The statement that a store_*query() runs takes its values only through params[0..n-1]
 * ($1…); a NULL element is SQL NULL. Numbers are given as text (store_num() helps).
 *
 * Errors of every call below (SQLSTATE, class -> errno):
 *   08, 57P, no server, no free connection -> -EAGAIN    23505 unique -> -EEXIST
 *   40001 serialization, 40P01 deadlock -> -EINTR        23503 foreign key -> -EBUSY
 *   23514, 23502, 22 wrong value -> -EINVAL              42501 privilege -> -EACCES
 *   57014 statement timeout -> -ETIMEDOUT                53100 disk full -> -ENOSPC
 *   no row where one was required -> -ENOENT             all else -> -EIO
 * err->field names the constraint where the database gave one. */

/* Make a pool. No connection is made yet: a database that is down is found by the first
 * query, later ones reconnect with a growing pause (100 ms … 1 s; meanwhile -EAGAIN at once).
 * Errors: -EINVAL bad URL, -ENOMEM. The caller owns *ret. */
int store_open(const struct store_config *config, struct store **ret, struct error *err);
struct store *store_free(struct store *st); /* no thread may hold a connection any more */
DEFINE_AUTO(store)

/* Break off what threads are waiting for in this pool at this moment, so that a process can end
 * although the database is silent: their calls fail with -EAGAIN. Any thread. */
void store_interrupt(struct store *st);

/* Is the database there? Runs SELECT 1 on a fresh or a tested connection. */
int store_ping(struct store *st, struct error *err);

/* Run one statement by itself. The caller owns *ret (store_rows_free; AUTO(store_rows)). */
int store_query(struct store *st, const char *sql, const char *const *params, size_t n,
		struct store_rows **ret, struct error *err);
/* The same for a text that comes again and again: connections keep it parsed and planned, which is
 * most of its price where the database is slow. The last few texts are kept, on each connection. */
int store_query_kept(struct store *st, const char *sql, const char *const *params, size_t n,
		     struct store_rows **ret, struct error *err);
/* The same for a statement whose rows nobody wants: returns the number of rows it touched. */
int store_exec(struct store *st, const char *sql, const char *const *params, size_t n,
	       struct error *err);

/* A transaction by hand. store_tx_free() rolls back whatever was not committed and gives the
 * connection back, so AUTO(store_tx) is enough on every path. After a failed statement the
 * transaction can only be freed. Isolation is serializable where `serializable`, else
 * read committed. */
int store_tx_begin(struct store *st, bool serializable, struct store_tx **ret, struct error *err);
int store_tx_query(struct store_tx *tx, const char *sql, const char *const *params, size_t n,
		   struct store_rows **ret, struct error *err);
int store_tx_exec(struct store_tx *tx, const char *sql, const char *const *params, size_t n,
		  struct error *err);
/* Several statements without parameters, as a migration file holds them. */
int store_tx_script(struct store_tx *tx, const char *sql, struct error *err);
int store_tx_commit(struct store_tx *tx, struct error *err); /* tx is to be freed after it */
struct store_tx *store_tx_free(struct store_tx *tx);
DEFINE_AUTO(store_tx)

/* Run fn in a transaction and commit; on -EINTR (serialization, deadlock) all of it is done
 * again, at most 5 times, so fn must change nothing but the database and what it writes to
 * user only on success. fn's own negative result rolls back and is passed up. */
typedef int store_tx_fn(struct store_tx *tx, void *user, struct error *err);
int store_tx_run(struct store *st, bool serializable, store_tx_fn *fn, void *user,
		 struct error *err);

/* Connections of the pool at this moment, for metrics. */
struct store_stats {
	uint32_t open;
	uint32_t busy;
	uint64_t queries;
	uint64_t failures;
	uint64_t reconnects;
};
void store_stats(struct store *st, struct store_stats *ret);

/* A number as a parameter: the text lives in the literal's scope at the place of use. */
struct store_num {
	char text[24];
};
struct store_num store_num_make(int64_t value);
#define store_num(value) (store_num_make(value).text)
