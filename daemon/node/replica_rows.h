/* SPDX-License-Identifier: Apache-2.0 */
/* replica_rows.h - rows of smgr into the local file, and the file's rows into a document. */
#pragma once
#include "base/error.h"

#include <stdint.h>

struct local_db;
struct store;

/* Copy all that is newer than the file; one transaction of smgr is read, one of the file written,
 * so the file is always what smgr was at one moment. *sets gets UC_SET_* bits of what changed,
 * *version the newest version. A smgr that is older than the file (restored from a backup) makes
 * the file's sets be copied anew. Errors: as store.h and local_db.h. */
int replica_rows_pull(struct store *smgr, struct local_db *db, const char *role, uint32_t *sets,
		      int64_t *version, struct error *err);
