/* SPDX-License-Identifier: Apache-2.0 */
/* listing_sql.c - see listing_sql.h. */
#include "store/listing_sql.h"
#include "base/buf.h"
#include "store/store.h"

#include <string.h>

enum { /* what is asked for stands twice: for the total, too */
       PARAMS_MAX = STORE_LISTING_PARAMS + LISTING_SORT_MAX +
		    2 * (LISTING_CONDITION_MAX * LISTING_VALUE_MAX + 1)
};

struct statement {
	struct buf sql;
	const char *param[PARAMS_MAX];
	size_t count;
};

static const char *column_of(const struct listing_field *field)
{
	return field->column ? field->column : field->name;
}

/* How a parameter is compared: text by its bytes, whatever the database's collation is. */
static const char *cast_of(const struct listing_field *field)
{
	switch (field->kind) {
	case LISTING_ID:
		return "::uuid";
	case LISTING_TIME:
		return "::timestamptz";
	case LISTING_NUMBER:
		return "::bigint";
	case LISTING_BOOL:
		return "::boolean";
	default:
		return "::text";
	}
}

static const char *collation_of(const struct listing_field *field)
{
	return field->kind == LISTING_TEXT || field->kind == LISTING_WORD ? " COLLATE \"C\"" : "";
}

static void add_param(struct statement *st, const char *value, const char *cast)
{
	st->param[st->count++] = value;
	buf_printf(&st->sql, "$%zu%s", st->count, cast);
}

static void add_condition(struct statement *st, const struct listing_condition *c)
{
	static const char *const operators[] = {
		[LISTING_IN] = " IN (", [LISTING_GTE] = " >= (", [LISTING_LT] = " < ("
	};

	buf_printf(&st->sql, " AND %s%s", column_of(c->field), operators[c->op]);
	for (size_t i = 0; i < c->count; i++) {
		if (i > 0)
			buf_add_str(&st->sql, ", ");
		add_param(st, c->value[i], cast_of(c->field));
	}
	buf_add_char(&st->sql, ')');
}

static void add_search(struct statement *st, const struct listing_query *query)
{
	const char *word = " AND (";
	size_t number = st->count + 1;

	if (!query->q)
		return;
	st->param[st->count++] = query->q;
	for (const struct listing_field *f = query->listing->fields; f->name; f++) {
		if (!(f->use & LISTING_SEARCH))
			continue;
		buf_printf(&st->sql, "%sposition(lower($%zu::text) IN lower(%s)) > 0", word, number,
			   column_of(f));
		word = " OR ";
	}
	buf_add_char(&st->sql, ')');
}

/* The rows after the cursor: a <= x AND (a < x OR a = x AND (b > y OR …)), the first term for the
 * index. */
static void add_after(struct statement *st, const struct listing_query *query)
{
	size_t first = st->count;

	if (!query->resumed)
		return;
	for (size_t i = 0; i < query->order_count; i++)
		st->param[st->count++] = query->after[i];
	for (size_t i = 0; i < query->order_count; i++) {
		const struct listing_order *o = &query->order[i];
		const char *column = column_of(o->field), *collation = collation_of(o->field);
		const char *cast = cast_of(o->field), *than = o->descending ? "<" : ">";

		if (i == 0)
			buf_printf(&st->sql, " AND %s%s %s= $%zu%s AND (", column, collation, than,
				   first + 1, cast);
		buf_printf(&st->sql, "%s%s %s $%zu%s", column, collation, than, first + 1 + i,
			   cast);
		if (i + 1 < query->order_count)
			buf_printf(&st->sql, " OR %s = $%zu%s AND (", column, first + 1 + i, cast);
	}
	for (size_t i = 0; i < query->order_count; i++)
		buf_add_char(&st->sql, ')');
}

static void add_order(struct statement *st, const struct listing_query *query)
{
	for (size_t i = 0; i < query->order_count; i++) {
		const struct listing_order *o = &query->order[i];

		buf_printf(&st->sql, "%s%s%s%s", i == 0 ? " ORDER BY " : ", ", column_of(o->field),
			   collation_of(o->field), o->descending ? " DESC" : "");
	}
}

/* FROM and WHERE without the cursor, for the page and for the total. */
static void add_source(struct statement *st, const struct store_listing *source,
		       const struct listing_query *query)
{
	/* its own are $1…, also where the text stands for the second time */
	for (size_t i = 0; st->count == 0 && i < source->param_count; i++)
		st->param[i] = source->param[i];
	if (st->count == 0)
		st->count = source->param_count;
	buf_printf(&st->sql, " FROM %s WHERE %s", source->from,
		   source->where ? source->where : "true");
	for (size_t i = 0; i < query->condition_count; i++)
		add_condition(st, &query->condition[i]);
	add_search(st, query);
}

static int run(struct store *store, struct statement *st, struct store_rows **ret,
	       struct error *err)
{
	if (!buf_ok(&st->sql))
		return error_set(err, -ENOMEM, "no memory for a list");
	return store_query_kept(store, st->sql.data, st->param, st->count, ret, err);
}

static void add_total(struct statement *st, const struct store_listing *source,
		      const struct listing_query *query)
{
	buf_add_str(&st->sql, "SELECT count(*)");
	if (source->all && query->condition_count == 0 && !query->q)
		buf_printf(&st->sql, " FROM %s", source->all);
	else
		add_source(st, source, query);
}

/* Behind the last row there is none that could say the total. */
static int count_all(struct store *store, const struct store_listing *source,
		     const struct listing_query *query, int64_t *ret, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	struct statement st = { .count = 0 };
	int r;

	add_total(&st, source, query);
	r = run(store, &st, &rows, err);
	buf_done(&st.sql);
	if (r == 0)
		*ret = store_rows_i64(rows, 0, 0, 0);
	return r;
}

/* All of a page is one statement, and so of one moment. The item is a sub-select because that is dear
 * enough for the planner to make it after the sort and the limit, for the rows of the page alone: 5,000
 * users in a few ms, not in 100. The limit is no parameter: a plan that is kept depends on it. */
static int fetch(struct store *store, const struct store_listing *source,
		 const struct listing_query *query, struct store_rows **ret, struct error *err)
{
	struct statement st = { .count = 0 };
	int r;

	buf_printf(&st.sql, "SELECT (SELECT %s), %s", source->item,
		   source->state ? source->state : "NULL");
	buf_add_str(&st.sql, ", (");
	if (query->count)
		add_total(&st, source, query);
	else
		buf_add_str(&st.sql, "NULL");
	buf_add_char(&st.sql, ')');
	for (size_t i = 0; i < query->order_count; i++)
		buf_printf(&st.sql, ", (%s)::text", column_of(query->order[i].field));
	add_source(&st, source, query);
	add_after(&st, query);
	add_order(&st, query);
	buf_printf(&st.sql, " LIMIT %u", (unsigned)query->limit + 1);
	r = run(store, &st, ret, err);
	buf_done(&st.sql);
	return r;
}

/* Columns of a page's statement. */
enum { COLUMN_ITEM, COLUMN_STATE, COLUMN_TOTAL, COLUMN_KEYS };

static char *copy_of(const struct store_rows *rows, size_t row, size_t column)
{
	const char *value = store_rows_text(rows, row, column);

	return strdup(value ? value : "");
}

static int take_rows(const struct store_rows *rows, const struct listing_query *query,
		     struct listing_page *page, struct error *err)
{
	size_t count = store_rows_count(rows);

	page->more = count > query->limit;
	if (page->more)
		count = query->limit;
	for (size_t i = 0; i < count; i++) {
		if (json_array_append_new(page->items, store_rows_json(rows, i, COLUMN_ITEM)) < 0)
			return error_set(err, -ENOMEM, "no memory for a list");
	}
	for (size_t i = 0; page->more && i < query->order_count; i++) {
		page->last[i] = copy_of(rows, count - 1, COLUMN_KEYS + i);
		if (!page->last[i])
			return error_set(err, -ENOMEM, "no memory for a list");
	}
	if (count > 0 && !store_rows_null(rows, 0, COLUMN_STATE)) {
		page->state = copy_of(rows, 0, COLUMN_STATE);
		if (!page->state)
			return error_set(err, -ENOMEM, "no memory for a list");
	}
	if (count > 0 && query->count)
		page->total = store_rows_i64(rows, 0, COLUMN_TOTAL, 0);
	return 0;
}

int store_listing(struct store *store, const struct store_listing *source,
		  const struct listing_query *query, struct listing_page *ret, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r;

	*ret = (struct listing_page){ .items = json_array() };
	if (!ret->items)
		return error_set(err, -ENOMEM, "no memory for a list");
	r = fetch(store, source, query, &rows, err);
	if (r == -EINVAL && query->resumed) /* a value in it is none of its column */
		return error_field(err, r, "cursor", "is not a cursor of this list");
	if (r == 0 && query->count && query->resumed && store_rows_count(rows) == 0)
		r = count_all(store, source, query, &ret->total, err);
	return r < 0 ? r : take_rows(rows, query, ret, err);
}
