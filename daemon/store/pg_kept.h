/* SPDX-License-Identifier: Apache-2.0 */
/* pg_kept.h - statements that a connection keeps, parsed and planned; for store/ alone. */
#pragma once
#include "store/rows.h"

#include <libpq-fe.h>
#include <stdint.h>

enum { PG_KEPT_MAX = 8 }; /* a connection; the one that was not used for longest goes */

/* As pg_conn_run(), outside of a transaction. The first run of a text on a connection prepares it;
 * what cannot be kept is run as any other. */
int pg_kept_run(PGconn *conn, const char *sql, const char *const *params, int n,
		uint32_t timeout_ms, struct store_rows **rows, struct error *err);
