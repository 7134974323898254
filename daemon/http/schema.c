/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - see schema.h: the shorthand to JSON Schema. */
#include "http/schema.h"
#include "base/json_field.h"

#include <stdio.h>

#define DEPTH_MAX 16

static int parse_type(struct slice *in, int depth, json_t **ret);

static void skip_blank(struct slice *in)
{
	while (slice_skip_char(in, ' ') || slice_skip_char(in, '\n') || slice_skip_char(in, '\t'))
		;
}

static bool is_word(unsigned char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '-' || c == '.' || c == ':';
}

static bool is_name(unsigned char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '-';
}

static json_t *simple(struct slice word)
{
	/* clang-format off */
	static const struct { const char *word, *type, *format; } table[] = {
		{ "string", "string", NULL }, { "int", "integer", NULL }, { "number", "number", NULL },
		{ "bool", "boolean", NULL }, { "uuid", "string", "uuid" },
		{ "time", "string", "date-time" }, { "object", "object", NULL },
	};
	/* clang-format on */

	if (slice_eq_str(word, "any"))
		return json_object();
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (slice_eq_str(word, table[i].word))
			return table[i].format ? json_pack("{s:s, s:s}", "type", table[i].type,
							   "format", table[i].format)
					       : json_pack("{s:s}", "type", table[i].type);
	}
	return NULL;
}

static int parse_enum(struct slice *in, json_t **ret)
{
	AUTO(json) json_t *words = json_array();

	for (;;) {
		struct slice word = slice_take_while(in, is_word);

		if (word.len == 0 ||
		    json_array_append_new(words, json_stringn(word.p, word.len)) < 0)
			return -EBADMSG;
		if (slice_skip_char(in, '\''))
			break;
		if (!slice_skip_char(in, '|'))
			return -EBADMSG;
	}
	*ret = json_pack("{s:s, s:O}", "type", "string", "enum", words);
	return *ret ? 0 : -ENOMEM;
}

static int parse_object(struct slice *in, int depth, json_t **ret)
{
	AUTO(json) json_t *members = json_object();
	AUTO(json) json_t *required = json_array();

	skip_blank(in);
	while (!slice_skip_char(in, '}')) {
		struct slice name = slice_take_while(in, is_name);
		bool optional = slice_skip_char(in, '?');
		json_t *type = NULL;
		int r;

		if (name.len == 0 || !slice_skip_char(in, ':'))
			return -EBADMSG;
		r = parse_type(in, depth, &type);
		if (r < 0)
			return r;
		if (json_object_setn_new(members, name.p, name.len, type) < 0)
			return -ENOMEM;
		if (!optional)
			(void)json_array_append_new(required, json_stringn(name.p, name.len));
		skip_blank(in);
		(void)slice_skip_char(in, ',');
		skip_blank(in);
		if (in->len == 0)
			return -EBADMSG;
	}
	*ret = json_pack("{s:s, s:O, s:O, s:b}", "type", "object", "properties", members,
			 "required", required, "additionalProperties", 0);
	return *ret ? 0 : -ENOMEM;
}

static int parse_reference(struct slice *in, json_t **ret)
{
	struct slice name = slice_take_while(in, is_name);
	char reference[128];

	if (name.len == 0 || name.len > 64 || !slice_skip_char(in, '>'))
		return -EBADMSG;
	(void)snprintf(reference, sizeof(reference), "#/components/schemas/%.*s", SLICE_ARG(name));
	*ret = json_pack("{s:s}", "$ref", reference);
	return *ret ? 0 : -ENOMEM;
}

/* "[" type "]" and "(" type ")": the inner type under the given member of an outer one. */
static int parse_wrapped(struct slice *in, int depth, const char *outer, const char *member,
			 char end, json_t **ret)
{
	json_t *inner = NULL;
	int r = parse_type(in, depth, &inner);

	if (r < 0)
		return r;
	skip_blank(in);
	if (!slice_skip_char(in, end)) {
		json_decref(inner);
		return -EBADMSG;
	}
	*ret = json_pack("{s:s, s:o}", "type", outer, member, inner);
	return *ret ? 0 : -ENOMEM;
}

static int parse_base(struct slice *in, int depth, json_t **ret)
{
	if (slice_skip_char(in, '\''))
		return parse_enum(in, ret);
	if (slice_skip_char(in, '<'))
		return parse_reference(in, ret);
	if (slice_skip_char(in, '['))
		return parse_wrapped(in, depth, "array", "items", ']', ret);
	if (slice_skip_char(in, '('))
		return parse_wrapped(in, depth, "object", "additionalProperties", ')', ret);
	if (slice_skip_char(in, '{'))
		return parse_object(in, depth, ret);
	*ret = simple(slice_take_while(in, is_name));
	return *ret ? 0 : -EBADMSG;
}

static int parse_type(struct slice *in, int depth, json_t **ret)
{
	json_t *type = NULL;
	int r;

	if (depth > DEPTH_MAX)
		return -EBADMSG;
	skip_blank(in);
	r = parse_base(in, depth + 1, &type);
	if (r < 0)
		return r;
	if (slice_skip(in, SLICE("|null")))
		type = json_pack("{s:[o, {s:s}]}", "anyOf", type, "type", "null");
	*ret = type;
	return type ? 0 : -ENOMEM;
}

int http_schema_json(const char *text, json_t **ret, struct error *err)
{
	struct slice in = slice_str(text);
	AUTO(json) json_t *type = NULL;
	int r = parse_type(&in, 0, &type);

	skip_blank(&in);
	if (r < 0 || in.len > 0)
		return error_set(err, r < 0 ? r : -EBADMSG,
				 "schema shorthand is malformed at '%.*s'",
				 (int)(in.len < 40 ? in.len : 40), in.p);
	*ret = TAKE(type);
	return 0;
}
