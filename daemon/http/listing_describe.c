/* SPDX-License-Identifier: Apache-2.0 */
/* listing_describe.c - see listing_read.h: a listing's parameters as the OpenAPI document has them. */
#include "base/json_field.h"
#include "http/listing_read.h"

#include <stdio.h>

static void add(json_t *parameters, const char *name, const char *description, json_t *schema)
{
	(void)json_array_append_new(parameters,
				    json_pack("{s:s, s:s, s:s, s:o}", "name", name, "in", "query",
					      "description", description, "schema", schema));
}

static json_t *type(const char *name, const char *format)
{
	return format ? json_pack("{s:s, s:s}", "type", name, "format", format)
		      : json_pack("{s:s}", "type", name);
}

static json_t *value_schema(const struct listing_field *field)
{
	switch (field->kind) {
	case LISTING_TIME:
		return type("string", "date-time");
	case LISTING_NUMBER:
		return type("integer", NULL);
	case LISTING_BOOL:
		return type("boolean", NULL);
	default: /* several words or ids stand in one string */
		return type("string", NULL);
	}
}

/* "a, b or c": the fields of a use, or the words of a field. */
static void join(struct buf *out, const char *word, bool first)
{
	if (!first)
		buf_add_str(out, ", ");
	buf_add_str(out, word);
}

static bool join_fields(struct buf *out, const struct listing *listing, unsigned use)
{
	bool first = true;

	for (const struct listing_field *f = listing->fields; f->name; f++) {
		if (f->use & use) {
			join(out, f->name, first);
			first = false;
		}
	}
	return !first;
}

static void describe_field(const struct listing_field *field, json_t *parameters)
{
	const char *help = field->help ? field->help : field->name;
	char name[80];
	AUTO_BUF text = { 0 };

	if (field->use & (LISTING_FILTER | LISTING_OTHER)) {
		buf_add_str(&text, help);
		for (const char *const *word = field->words; word && *word; word++) {
			if (word == field->words)
				buf_add_str(&text, ": one or several, with commas, of ");
			join(&text, *word, word == field->words);
		}
		add(parameters, field->name, text.data, value_schema(field));
	}
	if (field->use & LISTING_RANGE) {
		buf_reset(&text);
		buf_printf(&text, "%s: this or later", help);
		(void)snprintf(name, sizeof(name), "%s.gte", field->name);
		add(parameters, name, text.data, value_schema(field));
		buf_reset(&text);
		buf_printf(&text, "%s: before this", help);
		(void)snprintf(name, sizeof(name), "%s.lt", field->name);
		add(parameters, name, text.data, value_schema(field));
	}
}

static void describe_page(const struct listing *listing, json_t *parameters)
{
	AUTO_BUF text = { 0 };

	add(parameters, "limit", "Items in a page",
	    json_pack("{s:s, s:i, s:i, s:i}", "type", "integer", "minimum", 1, "maximum",
		      LISTING_LIMIT_MAX, "default", LISTING_LIMIT_DEFAULT));
	add(parameters, "cursor", "The next_cursor of the page before", type("string", NULL));
	add(parameters, "count", "Whether to add the total", type("boolean", NULL));
	buf_add_str(&text, "Order, several with commas, '-' before one for descending: ");
	if (join_fields(&text, listing, LISTING_SORT)) {
		buf_printf(&text, "; without it %s", listing->sort);
		add(parameters, "sort", text.data, type("string", NULL));
	}
	buf_reset(&text);
	buf_add_str(&text, "Text to find, in any case, in ");
	if (join_fields(&text, listing, LISTING_SEARCH))
		add(parameters, "q", text.data, type("string", NULL));
}

void http_listing_describe(const struct listing *listing, json_t *parameters)
{
	if (!listing->bare)
		describe_page(listing, parameters);
	for (const struct listing_field *f = listing->fields; f->name; f++)
		describe_field(f, parameters);
}
