/* SPDX-License-Identifier: Apache-2.0 */
/* listing.h - how a list is asked for: its columns as a table, and what a caller wants of them. One
 * table is parser (http/listing_read.h), OpenAPI parameters, SQL (store/listing_sql.h) and the order
 * of lists that are whole in memory (listing_json() here). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct json_t; /* Jansson */

enum listing_kind {
	LISTING_TEXT,	/* any text, compared byte by byte */
	LISTING_WORD,	/* one of words; a filter takes several with commas */
	LISTING_ID,	/* UUID; a filter takes several with commas */
	LISTING_TIME,	/* RFC 3339 */
	LISTING_NUMBER, /* signed 64 bits */
	LISTING_BOOL,	/* true or false */
};

enum listing_use {
	LISTING_KEY = 1,     /* the keys together are unique: they end each order */
	LISTING_SORT = 2,    /* a word of sort= */
	LISTING_FILTER = 4,  /* NAME=value */
	LISTING_RANGE = 8,   /* NAME.gte=value and NAME.lt=value */
	LISTING_SEARCH = 16, /* q= looks for its text in it, in any case */
	LISTING_OTHER = 32,  /* a parameter that the handler reads itself; it binds the cursor */
};

struct listing_field {
	const char *name; /* the item's member and the parameter; NULL ends the table */
	enum listing_kind kind;
	unsigned use;		  /* enum listing_use */
	const char *const *words; /* NULL-terminated, of LISTING_WORD */
	/* SQL expression, NULL: the name. Where the table says KEY or SORT it is never SQL NULL. */
	const char *column;
	const char *help;
};

struct listing {
	const struct listing_field *fields;
	const char *sort; /* order when none is asked for: "-created_at,name" */
	bool bare;	  /* parameters alone: no limit, cursor, count, sort, q */
};

enum {
	LISTING_SORT_MAX = 6,	     /* fields in an order, the keys with them */
	LISTING_CONDITION_MAX = 12,  /* filters and ranges of one request */
	LISTING_VALUE_MAX = 32,	     /* values of one filter */
	LISTING_VALUE_SIZE = 1056,   /* bytes of one value with its NUL: 256 characters and more */
	LISTING_CURSOR_BYTES = 2400, /* of all sort values in a cursor */
	LISTING_LIMIT_DEFAULT = 50,
	LISTING_LIMIT_MAX = 500,
};

enum listing_op { LISTING_IN, LISTING_GTE, LISTING_LT };

struct listing_order {
	const struct listing_field *field;
	bool descending;
};

/* One of the values is equal, or the one value is a bound. */
struct listing_condition {
	const struct listing_field *field;
	enum listing_op op;
	size_t count;
	const char *value[LISTING_VALUE_MAX]; /* times as "2026-11-21T10:12:13.123Z" */
};

/* A request as it was understood; http_listing_read() makes it. Texts live in `text`. */
struct listing_query {
	const struct listing *listing;
	uint32_t limit;
	bool count;    /* the total is wanted too */
	const char *q; /* never "" */
	struct listing_order order[LISTING_SORT_MAX];
	size_t order_count;
	struct listing_condition condition[LISTING_CONDITION_MAX];
	size_t condition_count;
	bool resumed; /* after these sort values */
	const char *after[LISTING_SORT_MAX];
	uint64_t binding; /* of path, order, q and filters */
	char *text;
};
void listing_query_done(struct listing_query *query);
struct buf;
/* A text that tells it from each other question to the same list. */
void listing_query_key(const struct listing_query *query, struct buf *out);
#define AUTO_LISTING __attribute__((cleanup(listing_query_done))) struct listing_query

/* A page of it. `last` are the sort values of the last item when `more` follow. */
struct listing_page {
	struct json_t *items; /* array */
	bool more;
	int64_t total; /* if it was asked for */
	char *last[LISTING_SORT_MAX];
	char *state; /* of what it was read from, if its source knows; NULL also for an empty page */
};
void listing_page_done(struct listing_page *page);
#define AUTO_LISTING_PAGE __attribute__((cleanup(listing_page_done))) struct listing_page

/* The field of that name, or NULL. */
const struct listing_field *listing_find(const struct listing *listing, const char *name,
					 size_t len);
/* A page of a list that is whole in memory; items is borrowed. A member that is absent or null
 * sorts first and passes no filter. Errors: -ENOMEM. */
int listing_json(const struct listing_query *query, const struct json_t *items,
		 struct listing_page *ret, struct error *err);
