/* SPDX-License-Identifier: Apache-2.0 */
/* listing_sql.h - a page of a list out of PostgreSQL: what a caller asks (base/listing.h) becomes one
 * statement whose texts are literals of the tables and whose values are parameters. */
#pragma once
#include "base/listing.h"

struct error;
struct store;

enum { STORE_LISTING_PARAMS = 4 };

struct store_listing {
	const char *item;  /* SQL of one item: json */
	const char *from;  /* "users u LEFT JOIN …" */
	const char *where; /* a condition that always holds, with $1…, or NULL */
	const char *param[STORE_LISTING_PARAMS]; /* its values */
	size_t param_count;
	const char *all;   /* FROM of the total of all rows where less of it does, or NULL */
	const char *state; /* SQL of a text that says which state the page shows, or NULL */
};

/* Keyset pages: under inserts and deletes each old row is shown exactly once. *ret is released with
 * listing_page_done() whatever the result. Errors: -EINVAL the cursor was made up, as store.h. */
int store_listing(struct store *store, const struct store_listing *source,
		  const struct listing_query *query, struct listing_page *ret, struct error *err);
