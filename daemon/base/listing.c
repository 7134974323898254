/* SPDX-License-Identifier: Apache-2.0 */
/* listing.c - see listing.h: the release functions, the key, and pages of lists that are whole in memory. */
#include "base/listing.h"
#include "base/buf.h"
#include "base/json_field.h"

#include <locale.h>
#include <stdio.h>
#include <wctype.h>

void listing_query_done(struct listing_query *query)
{
	free(query->text);
	query->text = NULL;
}

static void key_add(struct buf *out, char kind, const char *text)
{
	buf_printf(out, "%c%zu:%s", kind, strlen(text), text);
}

void listing_query_key(const struct listing_query *query, struct buf *out)
{
	static const char ops[] = { [LISTING_IN] = '=', [LISTING_GTE] = '>', [LISTING_LT] = '<' };

	buf_printf(out, "%u%c%llx", (unsigned)query->limit, query->count ? 'c' : 'p',
		   (unsigned long long)query->binding);
	for (size_t i = 0; i < query->order_count; i++)
		key_add(out, query->order[i].descending ? 'd' : 'a', query->order[i].field->name);
	if (query->q)
		key_add(out, 'q', query->q);
	for (size_t i = 0; i < query->condition_count; i++) {
		const struct listing_condition *c = &query->condition[i];

		key_add(out, 'f', c->field->name);
		for (size_t k = 0; k < c->count; k++)
			key_add(out, ops[c->op], c->value[k]);
	}
	for (size_t i = 0; query->resumed && i < query->order_count; i++)
		key_add(out, 'r', query->after[i]);
}

void listing_page_done(struct listing_page *page)
{
	json_decref(page->items);
	page->items = NULL;
	for (size_t i = 0; i < LISTING_SORT_MAX; i++) {
		free(page->last[i]);
		page->last[i] = NULL;
	}
	free(page->state);
	page->state = NULL;
}

const struct listing_field *listing_find(const struct listing *listing, const char *name,
					 size_t len)
{
	for (const struct listing_field *f = listing->fields; f->name; f++) {
		if (slice_eq_str(slice_make(name, len), f->name))
			return f;
	}
	return NULL;
}

/* A member as text; numbers in buf. NULL: absent, null, or no plain value. */
static const char *value_of(const json_t *item, const struct listing_field *field, char buf[24])
{
	const json_t *value = json_object_get(item, field->name);

	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "true" : "false";
	if (!json_is_integer(value))
		return NULL;
	(void)snprintf(buf, 24, "%lld", (long long)json_integer_value(value));
	return buf;
}

static int compare_values(const struct listing_field *field, const char *a, const char *b)
{
	long long x, y;

	if (!a || !b)
		return (a ? 1 : 0) - (b ? 1 : 0);
	if (field->kind != LISTING_NUMBER)
		return strcmp(a, b);
	x = strtoll(a, NULL, 10);
	y = strtoll(b, NULL, 10);
	return x < y ? -1 : x > y;
}

/* The next character of UTF-8 in lower case; the text is valid, as all JSON is. */
static uint32_t take_lower(const char **p, locale_t locale)
{
	const unsigned char *s = (const unsigned char *)*p;
	size_t more = *s < 0x80 ? 0 : *s < 0xe0 ? 1 : *s < 0xf0 ? 2 : 3;
	uint32_t c = more == 0 ? *s : *s & (0x3fU >> more);

	for (size_t i = 1; i <= more && s[i]; i++)
		c = c << 6 | (s[i] & 0x3fU);
	*p += 1 + strnlen((const char *)s + 1, more);
	return (uint32_t)towlower_l((wint_t)c, locale);
}

static bool starts_with_nocase(const char *text, const char *start, locale_t locale)
{
	while (*start) {
		if (!*text || take_lower(&text, locale) != take_lower(&start, locale))
			return false;
	}
	return true;
}

static bool holds_nocase(const char *text, const char *part, locale_t locale)
{
	for (const char *p = text; *p; p++) {
		if (((unsigned char)*p & 0xc0) != 0x80 && starts_with_nocase(p, part, locale))
			return true;
	}
	return false;
}

static bool found_by_q(const struct listing_query *query, const json_t *item, locale_t locale)
{
	char buf[24];

	if (!query->q)
		return true;
	for (const struct listing_field *f = query->listing->fields; f->name; f++) {
		const char *value = f->use & LISTING_SEARCH ? value_of(item, f, buf) : NULL;

		if (value && holds_nocase(value, query->q, locale))
			return true;
	}
	return false;
}

static bool passes(const struct listing_condition *condition, const json_t *item)
{
	char buf[24];
	const char *value = value_of(item, condition->field, buf);

	if (!value)
		return false;
	for (size_t i = 0; i < condition->count; i++) {
		int order = compare_values(condition->field, value, condition->value[i]);

		if (condition->op == LISTING_IN	  ? order == 0
		    : condition->op == LISTING_LT ? order < 0
						  : order >= 0)
			return true;
	}
	return false;
}

static bool wanted(const struct listing_query *query, const json_t *item, locale_t locale)
{
	for (size_t i = 0; i < query->condition_count; i++) {
		if (!passes(&query->condition[i], item))
			return false;
	}
	return found_by_q(query, item, locale);
}

struct row {
	const struct listing_query *query;
	json_t *item; /* borrowed */
};

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	char left[24], right[24];

	for (size_t i = 0; i < x->query->order_count; i++) {
		const struct listing_order *o = &x->query->order[i];
		int order = compare_values(o->field, value_of(x->item, o->field, left),
					   value_of(y->item, o->field, right));

		if (order != 0)
			return o->descending ? -order : order;
	}
	return 0;
}

/* Does the row come after the cursor? In a cursor an absent value is "". */
static bool is_after(const struct listing_query *query, const json_t *item)
{
	char buf[24];

	for (size_t i = 0; i < query->order_count; i++) {
		const struct listing_order *o = &query->order[i];
		const char *value = value_of(item, o->field, buf);
		const char *last = *query->after[i] ? query->after[i] : NULL;
		int order = compare_values(o->field, value && *value ? value : NULL, last);

		if (order != 0)
			return (order < 0) == o->descending;
	}
	return false;
}

static int note_last(const struct listing_query *query, const json_t *item,
		     struct listing_page *page, struct error *err)
{
	char buf[24];

	for (size_t i = 0; i < query->order_count; i++) {
		const char *value = value_of(item, query->order[i].field, buf);

		page->last[i] = strdup(value ? value : "");
		if (!page->last[i])
			return error_set(err, -ENOMEM, "no memory for a list");
	}
	return 0;
}

static int take_page(const struct listing_query *query, const struct row *rows, size_t count,
		     struct listing_page *page, struct error *err)
{
	size_t i = 0;

	while (query->resumed && i < count && !is_after(query, rows[i].item))
		i++;
	for (size_t n = 0; i < count && n < query->limit; i++, n++) {
		if (json_array_append(page->items, rows[i].item) < 0)
			return error_set(err, -ENOMEM, "no memory for a list");
	}
	page->more = i < count;
	return page->more ? note_last(query, rows[i - 1].item, page, err) : 0;
}

int listing_json(const struct listing_query *query, const json_t *items, struct listing_page *ret,
		 struct error *err)
{
	AUTO(mem) void *memory = calloc(json_array_size(items) + 1, sizeof(struct row));
	locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	struct row *rows = memory;
	size_t count = 0, i;
	json_t *item;

	*ret = (struct listing_page){ .items = json_array() };
	if (!rows || !ret->items || !locale) {
		if (locale)
			freelocale(locale);
		return error_set(err, -ENOMEM, "no memory for a list");
	}
	json_array_foreach((json_t *)items, i, item)
	{
		if (wanted(query, item, locale))
			rows[count++] = (struct row){ query, item };
	}
	freelocale(locale);
	qsort(rows, count, sizeof(*rows), compare_rows);
	ret->total = (int64_t)count;
	return take_page(query, rows, count, ret, err);
}
