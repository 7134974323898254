/* SPDX-License-Identifier: Apache-2.0 */
/* listing_read.c - see listing_read.h. A cursor is base64url of "BINDING\0VALUE\0VALUE\0…". */
#include "http/listing_read.h"
#include "base/clock.h"
#include "base/json_field.h"
#include "base/random.h"
#include "net/digest.h"

#include <stdio.h>

enum { TEXT_SIZE = 16384 };

struct reader {
	const struct http_request *req;
	struct listing_query *query;
	size_t used; /* of query->text */
	struct error *err;
};

/* Text after text. Not seeded: a cursor outlives a restart. */
static uint64_t bind_text(uint64_t hash, const char *text)
{
	return slice_fnv1a(slice_fnv1a(hash, slice_str(text)), SLICE("\xff"));
}

/* A copy that lives as long as the query; a request's target is far smaller than the room for it. */
static const char *text_note(struct reader *r, struct slice text)
{
	char *copy = r->query->text + r->used;

	if (r->used + text.len + 1 > TEXT_SIZE)
		return NULL;
	if (text.len > 0)
		memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	r->used += text.len + 1;
	return copy;
}

/* Orders ------------------------------------------------------------------------------------- */

static bool is_ordered_by(const struct listing_query *q, const struct listing_field *field)
{
	for (size_t i = 0; i < q->order_count; i++) {
		if (q->order[i].field == field)
			return true;
	}
	return false;
}

static int order_add(struct reader *r, struct slice word, unsigned use)
{
	bool descending = slice_skip_char(&word, '-');
	const struct listing_field *field = listing_find(r->query->listing, word.p, word.len);

	if (!field || !(field->use & use))
		return error_field(r->err, -EINVAL, "sort", "there is no order by '%.*s' here",
				   (int)(word.len < 64 ? word.len : 64), word.p ? word.p : "");
	if (is_ordered_by(r->query, field) || r->query->order_count == LISTING_SORT_MAX)
		return error_field(r->err, -EINVAL, "sort", "'%s' is there twice", field->name);
	r->query->order[r->query->order_count++] = (struct listing_order){ field, descending };
	return 0;
}

/* The keys end each order, in the direction of what stands before them. */
static int read_order(struct reader *r)
{
	struct listing_query *q = r->query;
	const char *asked = http_query(r->req, "sort");
	struct slice rest = slice_str(asked ? asked : q->listing->sort);
	unsigned use = asked ? LISTING_SORT : LISTING_SORT | LISTING_KEY;
	bool more = true, descending;

	while (more) {
		int result = order_add(r, slice_take_until(&rest, ',', &more), use);

		if (result < 0)
			return result;
	}
	descending = q->order[q->order_count - 1].descending;
	for (const struct listing_field *f = q->listing->fields; f->name; f++) {
		if (f->use & LISTING_KEY && !is_ordered_by(q, f) &&
		    q->order_count < LISTING_SORT_MAX)
			q->order[q->order_count++] = (struct listing_order){ f, descending };
	}
	q->binding = bind_text(q->binding, asked ? asked : q->listing->sort);
	return 0;
}

/* Filters ------------------------------------------------------------------------------------ */

static int bad_value(struct reader *r, const char *name, const char *what)
{
	return error_field(r->err, -EINVAL, name, "%s", what);
}

static int check_word(struct reader *r, const struct listing_field *field, const char *name,
		      struct slice value)
{
	for (const char *const *word = field->words; *word; word++) {
		if (slice_eq_str(value, *word))
			return 0;
	}
	return error_field(r->err, -EINVAL, name, "has no value '%.*s'",
			   (int)(value.len < 64 ? value.len : 64), value.p ? value.p : "");
}

static bool is_number(struct slice value)
{
	uint64_t n;

	(void)slice_skip_char(&value, '-');
	return slice_to_u64(value, &n) == 0 && n <= INT64_MAX;
}

static int value_add(struct reader *r, struct listing_condition *c, const char *name,
		     struct slice value)
{
	char time[CLOCK_RFC3339_SIZE];
	int64_t number;
	int result = 0;

	if (c->count == LISTING_VALUE_MAX)
		return bad_value(r, name, "has too many values");
	switch (c->field->kind) {
	case LISTING_WORD:
		result = check_word(r, c->field, name, value);
		break;
	case LISTING_ID:
		if (!uuid_is_valid(value))
			result = bad_value(r, name, "must be a UUID");
		break;
	case LISTING_TIME:
		if (clock_parse(value, &number) < 0)
			result = bad_value(r, name, "must be a time as in 2026-11-21T10:12:13Z");
		else
			value = slice_str(clock_format(number, time));
		break;
	case LISTING_NUMBER:
		if (!is_number(value))
			result = bad_value(r, name, "must be a number");
		break;
	case LISTING_BOOL:
		if (!slice_eq_str(value, "true") && !slice_eq_str(value, "false"))
			result = bad_value(r, name, "must be true or false");
		break;
	case LISTING_TEXT:
		break;
	}
	if (result == 0)
		c->value[c->count] = text_note(r, value);
	if (result == 0 && !c->value[c->count++])
		result = bad_value(r, name, "is too long");
	return result;
}

/* Values of a text may hold commas themselves: it is one value. */
static bool takes_several(const struct listing_condition *c)
{
	return c->op == LISTING_IN &&
	       (c->field->kind == LISTING_WORD || c->field->kind == LISTING_ID ||
		c->field->kind == LISTING_NUMBER);
}

static int condition_add(struct reader *r, const struct listing_field *field, enum listing_op op,
			 const struct http_pair *pair)
{
	struct listing_query *q = r->query;
	struct listing_condition *c = &q->condition[q->condition_count];
	struct slice rest = slice_str(pair->value);
	bool more = true;
	int result = 0;

	if (q->condition_count == LISTING_CONDITION_MAX)
		return bad_value(r, pair->name, "is one filter too many");
	*c = (struct listing_condition){ .field = field, .op = op };
	q->condition_count++;
	if (!takes_several(c))
		return value_add(r, c, pair->name, rest);
	while (more && result == 0)
		result = value_add(r, c, pair->name, slice_take_until(&rest, ',', &more));
	return result;
}

/* "NAME", "NAME.gte", "NAME.lt"; -ENOENT: no parameter of this listing. */
static int read_filter(struct reader *r, const struct http_pair *pair)
{
	const struct listing *listing = r->query->listing;
	struct slice name = slice_str(pair->name);
	const struct listing_field *field = listing_find(listing, name.p, name.len);
	unsigned use = LISTING_FILTER;
	enum listing_op op = LISTING_IN;

	if (field && field->use & LISTING_OTHER)
		return 0;
	if (slice_ends_with(name, SLICE(".gte"))) {
		use = LISTING_RANGE;
		op = LISTING_GTE;
		name.len -= strlen(".gte");
	} else if (slice_ends_with(name, SLICE(".lt"))) {
		use = LISTING_RANGE;
		op = LISTING_LT;
		name.len -= strlen(".lt");
	}
	field = listing_find(listing, name.p, name.len);
	if (!field || !(field->use & use))
		return -ENOENT;
	return condition_add(r, field, op, pair);
}

static bool has_search(const struct listing *listing)
{
	for (const struct listing_field *f = listing->fields; f->name; f++) {
		if (f->use & LISTING_SEARCH)
			return true;
	}
	return false;
}

static bool has_sort(const struct listing *listing)
{
	for (const struct listing_field *f = listing->fields; f->name; f++) {
		if (f->use & LISTING_SORT)
			return true;
	}
	return false;
}

static bool is_general(const struct listing *listing, const char *name)
{
	if (listing->bare)
		return false;
	return strcmp(name, "limit") == 0 || strcmp(name, "cursor") == 0 ||
	       strcmp(name, "count") == 0 || (strcmp(name, "sort") == 0 && has_sort(listing)) ||
	       (strcmp(name, "q") == 0 && has_search(listing));
}

static int read_pairs(struct reader *r)
{
	struct listing_query *q = r->query;

	for (size_t i = 0; i < r->req->query_count; i++) {
		const struct http_pair *pair = &r->req->query[i];
		int result;

		for (size_t k = 0; k < i; k++) {
			if (strcmp(r->req->query[k].name, pair->name) == 0)
				return bad_value(r, pair->name, "is given twice");
		}
		if (is_general(q->listing, pair->name))
			continue;
		result = read_filter(r, pair);
		if (result == -ENOENT)
			return bad_value(r, pair->name, "there is no such query parameter here");
		if (result < 0)
			return result;
		/* the order of parameters does not matter to a cursor */
		q->binding += bind_text(bind_text(0, pair->name), pair->value);
	}
	return 0;
}

/* Cursors ------------------------------------------------------------------------------------ */

static int bad_cursor(struct reader *r)
{
	return bad_value(r, "cursor", "is not a cursor of this list");
}

static int read_cursor(struct reader *r, const char *cursor)
{
	struct listing_query *q = r->query;
	char bytes[LISTING_CURSOR_BYTES], binding[24];
	ssize_t len = digest_from_base64url(slice_str(cursor), bytes, sizeof(bytes));
	struct slice rest;
	bool found = false;

	if (len < 0)
		return bad_cursor(r);
	rest = slice_make(bytes, (size_t)len);
	(void)snprintf(binding, sizeof(binding), "%016llx", (unsigned long long)q->binding);
	if (!slice_eq_str(slice_take_until(&rest, '\0', &found), binding) || !found)
		return bad_cursor(r);
	for (size_t i = 0; i < q->order_count; i++) {
		q->after[i] = text_note(r, slice_take_until(&rest, '\0', &found));
		if (!found || !q->after[i])
			return bad_cursor(r);
	}
	q->resumed = true;
	return rest.len > 0 ? bad_cursor(r) : 0;
}

static int read_all(struct reader *r)
{
	struct listing_query *q = r->query;
	const char *search = http_query(r->req, "q"), *cursor = http_query(r->req, "cursor");
	int result = read_pairs(r);

	if (result < 0 || q->listing->bare)
		return result;
	result = http_query_u32(r->req, "limit", 1, LISTING_LIMIT_MAX, LISTING_LIMIT_DEFAULT,
				&q->limit, r->err);
	if (result == 0)
		result = http_query_bool(r->req, "count", false, &q->count, r->err);
	if (result == 0)
		result = read_order(r);
	if (result == 0 && search && *search) {
		q->q = text_note(r, slice_str(search));
		q->binding = bind_text(q->binding, search);
	}
	return result == 0 && cursor ? read_cursor(r, cursor) : result;
}

int http_listing_read(const struct http_request *req, const struct listing *listing,
		      struct listing_query *ret, struct error *err)
{
	struct reader r = { .req = req, .query = ret, .err = err };

	*ret = (struct listing_query){ .listing = listing,
				       .binding = bind_text(SLICE_FNV1A, req->path) };
	ret->text = malloc(TEXT_SIZE);
	return ret->text ? read_all(&r) : error_set(err, -ENOMEM, "no memory for a list");
}

static int make_cursor(const struct listing_query *query, const struct listing_page *page,
		       json_t **ret, struct error *err)
{
	char text[DIGEST_BASE64_LEN(LISTING_CURSOR_BYTES) + 1];
	AUTO_BUF b = { 0 };

	buf_init(&b, LISTING_CURSOR_BYTES - 1);
	buf_printf(&b, "%016llx", (unsigned long long)query->binding);
	buf_add_char(&b, '\0');
	for (size_t i = 0; i < query->order_count; i++) {
		buf_add_str(&b, page->last[i]);
		buf_add_char(&b, '\0');
	}
	if (!buf_ok(&b))
		return error_set(err, -ENOBUFS, "the cursor is too long");
	(void)digest_to_base64url(b.data, b.len, text);
	*ret = json_string(text);
	return *ret ? 0 : error_set(err, -ENOMEM, "no memory for a list");
}

int http_listing_answer(const struct listing_query *query, struct listing_page *page, json_t **ret,
			struct error *err)
{
	json_t *cursor = NULL;
	int r = page->more ? make_cursor(query, page, &cursor, err) : 0;

	if (r < 0)
		return r;
	*ret = json_pack("{s:o, s:o}", "items", TAKE(page->items), "next_cursor",
			 cursor ? cursor : json_null());
	if (*ret && query->count)
		(void)json_object_set_new(*ret, "total", json_integer(page->total));
	return *ret ? 0 : error_set(err, -ENOMEM, "no memory for a list");
}
