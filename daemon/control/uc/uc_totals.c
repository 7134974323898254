/* SPDX-License-Identifier: Apache-2.0 */
/* uc_totals.c - how much there is in the smgr database, in one cheap look. */
#include "control/uc/uc.h"
#include "control/uc/uc_private.h"

#include "store/store.h"

int uc_totals(struct uc *uc, int64_t *people, bool *called, struct error *err)
{
	static const char sql[] = "SELECT (SELECT count(*) FROM users), (SELECT EXISTS "
				  "(SELECT FROM call_record WHERE result = 'answered'))::int";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_query(uc->db, sql, NULL, 0, &rows, err);

	if (r < 0)
		return r;
	*people = store_rows_i64(rows, 0, 0, 0);
	*called = store_rows_i64(rows, 0, 1, 0) != 0;
	return 0;
}
