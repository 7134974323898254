/* SPDX-License-Identifier: Apache-2.0 */
/* pg_conn.h - one libpq connection with deadlines, and SQLSTATE to errno; for store/ alone. */
#pragma once
#include "store/rows.h"

#include <libpq-fe.h>
#include <stdint.h>

struct store_config;

/* Connect within the configured time. url and the files come from config. The caller owns *ret
 * (PQfinish). Errors: -EAGAIN no answer, -EACCES refused, -EINVAL URL. */
int pg_conn_open(const struct store_config *config, PGconn **ret, struct error *err);
/* Run one statement; waits at most timeout_ms, after which the connection is unusable. rows may be
 * NULL. n -1: a script without parameters. Returns the number of rows touched. */
int pg_conn_run(PGconn *conn, const char *sql, const char *const *params, int n,
		uint32_t timeout_ms, struct store_rows **rows, struct error *err);
/* What pg_conn_run() does once the statement is sent. */
int pg_conn_finish(PGconn *conn, uint32_t timeout_ms, struct store_rows **rows, struct error *err);
/* The error of a statement that could not be sent. */
int pg_conn_lost(PGconn *conn, struct error *err);
uint32_t pg_conn_timeout(const struct store_config *config);
