/* SPDX-License-Identifier: Apache-2.0 */
/* vm_schema.c - walks schema and document together; each keyword is one small function of a table. */
#include "control/vm/vm_schema.h"

#include <regex.h>
#include <stdio.h>

struct check {
	struct vm_schema_error *errors;
	size_t max, count;
	struct error *err;
	int broken; /* negative errno once the schema proved wrong */
	unsigned depth;
};

/* Where we stand; pointers are built only when something is found. */
struct place {
	const struct place *up;
	const char *member; /* NULL: element `index` */
	size_t index;
};

static void check_value(struct check *c, const json_t *schema, const json_t *value,
			const struct place *at);

static size_t pointer_write(const struct place *at, char *out, size_t size)
{
	size_t used;
	int n;

	if (!at->up) {
		out[0] = '\0';
		return 0;
	}
	used = pointer_write(at->up, out, size);
	if (used + 2 >= size)
		return used;
	if (!at->member) {
		n = snprintf(out + used, size - used, "/%zu", at->index);
		return n < 0 || (size_t)n >= size - used ? size - 1 : used + (size_t)n;
	}
	out[used++] = '/';
	for (const char *p = at->member; *p && used + 3 < size; p++) {
		if (*p == '~' || *p == '/') {
			out[used++] = '~';
			out[used++] = *p == '~' ? '0' : '1';
		} else {
			out[used++] = *p;
		}
	}
	out[used] = '\0';
	return used;
}

static void finding(struct check *c, const struct place *at, const char *format, ...)
	ERROR_PRINTF(3, 4);

static void finding(struct check *c, const struct place *at, const char *format, ...)
{
	struct vm_schema_error *e;
	va_list args;

	if (c->count >= c->max)
		return;
	e = &c->errors[c->count++];
	(void)pointer_write(at, e->pointer, sizeof(e->pointer));
	va_start(args, format);
	(void)vsnprintf(e->detail, sizeof(e->detail), format, args);
	va_end(args);
}

static void schema_broken(struct check *c, const char *keyword, const char *why)
{
	if (c->broken == 0)
		c->broken = error_field(c->err, -EINVAL, keyword, "schema: '%s': %s", keyword, why);
}

static bool type_matches(const char *type, const json_t *v)
{
	if (strcmp(type, "object") == 0)
		return json_is_object(v);
	if (strcmp(type, "array") == 0)
		return json_is_array(v);
	if (strcmp(type, "string") == 0)
		return json_is_string(v);
	if (strcmp(type, "integer") == 0)
		return json_is_integer(v);
	if (strcmp(type, "number") == 0)
		return json_is_number(v);
	if (strcmp(type, "boolean") == 0)
		return json_is_boolean(v);
	return strcmp(type, "null") == 0 && json_is_null(v);
}

static void on_type(struct check *c, const json_t *rule, const json_t *v, const struct place *at)
{
	if (!json_is_string(rule))
		schema_broken(c, "type", "is no string");
	else if (!type_matches(json_string_value(rule), v))
		finding(c, at, "must be of type %s", json_string_value(rule));
}

static void on_const(struct check *c, const json_t *rule, const json_t *v, const struct place *at)
{
	AUTO(str) char *text = json_dumps(rule, JSON_ENCODE_ANY);

	if (!json_equal(rule, v))
		finding(c, at, "must be %.100s", text ? text : "the constant");
}

static void on_enum(struct check *c, const json_t *rule, const json_t *v, const struct place *at)
{
	AUTO(str) char *text = json_dumps(rule, JSON_ENCODE_ANY | JSON_COMPACT);
	const json_t *item;
	size_t i;

	if (!json_is_array(rule)) {
		schema_broken(c, "enum", "is no array");
		return;
	}
	json_array_foreach(rule, i, item) if (json_equal(item, v)) return;
	finding(c, at, "must be one of %.150s", text ? text : "the list");
}

static void on_required(struct check *c, const json_t *rule, const json_t *v,
			const struct place *at)
{
	const json_t *name;
	size_t i;

	if (!json_is_object(v))
		return;
	json_array_foreach(rule, i, name)
	{
		struct place member = { at, json_string_value(name), 0 };

		if (!member.member)
			schema_broken(c, "required", "holds something else than strings");
		else if (!json_object_get(v, member.member))
			finding(c, &member, "is required");
	}
}

static void on_properties(struct check *c, const json_t *rule, const json_t *v,
			  const struct place *at)
{
	const char *name;
	json_t *schema;

	if (!json_is_object(rule)) {
		schema_broken(c, "properties", "is no object");
		return;
	}
	if (!json_is_object(v))
		return;
	json_object_foreach((json_t *)(uintptr_t)rule, name, schema)
	{
		const json_t *member = json_object_get(v, name);
		struct place below = { at, name, 0 };

		if (member)
			check_value(c, schema, member, &below);
	}
}

static void on_items(struct check *c, const json_t *rule, const json_t *v, const struct place *at)
{
	const json_t *item;
	size_t i;

	json_array_foreach(v, i, item)
	{
		struct place below = { at, NULL, i };

		check_value(c, rule, item, &below);
	}
}

static void on_minimum(struct check *c, const json_t *rule, const json_t *v, const struct place *at)
{
	if (json_is_number(v) && json_number_value(v) < json_number_value(rule))
		finding(c, at, "must be at least %.0f", json_number_value(rule));
}

static void on_maximum(struct check *c, const json_t *rule, const json_t *v, const struct place *at)
{
	if (json_is_number(v) && json_number_value(v) > json_number_value(rule))
		finding(c, at, "must be at most %.0f", json_number_value(rule));
}

/* Lengths count code points. */
static size_t points(const json_t *v)
{
	size_t n = 0;

	for (const char *p = json_string_value(v); p && *p; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n;
}

static void on_min_length(struct check *c, const json_t *rule, const json_t *v,
			  const struct place *at)
{
	if (json_is_string(v) && (json_int_t)points(v) < json_integer_value(rule))
		finding(c, at, "must have at least %lld characters",
			(long long)json_integer_value(rule));
}

static void on_max_length(struct check *c, const json_t *rule, const json_t *v,
			  const struct place *at)
{
	if (json_is_string(v) && (json_int_t)points(v) > json_integer_value(rule))
		finding(c, at, "must have at most %lld characters",
			(long long)json_integer_value(rule));
}

static void on_pattern(struct check *c, const json_t *rule, const json_t *v, const struct place *at)
{
	regex_t regex;

	if (!json_is_string(rule) ||
	    regcomp(&regex, json_string_value(rule), REG_EXTENDED | REG_NOSUB) != 0) {
		schema_broken(c, "pattern", "is no extended regular expression");
		return;
	}
	if (json_is_string(v) && (strlen(json_string_value(v)) != json_string_length(v) ||
				  regexec(&regex, json_string_value(v), 0, NULL, 0) != 0))
		finding(c, at, "must match %.150s", json_string_value(rule));
	regfree(&regex);
}

static void on_min_items(struct check *c, const json_t *rule, const json_t *v,
			 const struct place *at)
{
	if (json_is_array(v) && (json_int_t)json_array_size(v) < json_integer_value(rule))
		finding(c, at, "must have at least %lld elements",
			(long long)json_integer_value(rule));
}

static void on_max_items(struct check *c, const json_t *rule, const json_t *v,
			 const struct place *at)
{
	if (json_is_array(v) && (json_int_t)json_array_size(v) > json_integer_value(rule))
		finding(c, at, "must have at most %lld elements",
			(long long)json_integer_value(rule));
}

static void on_unique(struct check *c, const json_t *rule, const json_t *v, const struct place *at)
{
	if (!json_is_true(rule) || !json_is_array(v))
		return;
	for (size_t i = 1; i < json_array_size(v); i++)
		for (size_t k = 0; k < i; k++)
			if (json_equal(json_array_get(v, i), json_array_get(v, k))) {
				struct place below = { at, NULL, i };

				finding(c, &below, "is there twice");
				return;
			}
}

static const struct {
	const char *keyword;
	void (*run)(struct check *c, const json_t *rule, const json_t *v, const struct place *at);
} keywords[] = {
	{ "type", on_type },
	{ "const", on_const },
	{ "enum", on_enum },
	{ "required", on_required },
	{ "properties", on_properties },
	{ "items", on_items },
	{ "minimum", on_minimum },
	{ "maximum", on_maximum },
	{ "minLength", on_min_length },
	{ "maxLength", on_max_length },
	{ "pattern", on_pattern },
	{ "minItems", on_min_items },
	{ "maxItems", on_max_items },
	{ "uniqueItems", on_unique },
	{ "additionalProperties", NULL }, /* see closed() */
	{ "$schema", NULL },
	{ "$id", NULL },
	{ "title", NULL },
	{ "description", NULL },
};

/* additionalProperties false: members that `properties` does not name. */
static void closed(struct check *c, const json_t *schema, const json_t *v, const struct place *at)
{
	const json_t *known = json_object_get(schema, "properties");
	const char *name;
	json_t *member;

	if (!json_is_false(json_object_get(schema, "additionalProperties")) || !json_is_object(v))
		return;
	json_object_foreach((json_t *)(uintptr_t)v, name, member)
	{
		struct place below = { at, name, 0 };

		if (!json_object_get(known, name))
			finding(c, &below, "is not known");
	}
}

static void check_value(struct check *c, const json_t *schema, const json_t *value,
			const struct place *at)
{
	const json_t *type = json_object_get(schema, "type");
	const char *keyword;
	json_t *rule;
	size_t k;

	if (!json_is_object(schema)) {
		schema_broken(c, "", "a schema must be an object");
		return;
	}
	if (c->depth >= VM_SCHEMA_DEPTH) {
		finding(c, at, "is nested too deeply");
		return;
	}
	/* a wrong type makes every other finding noise */
	if (json_is_string(type) && !type_matches(json_string_value(type), value)) {
		on_type(c, type, value, at);
		return;
	}
	c->depth++;
	json_object_foreach((json_t *)(uintptr_t)schema, keyword, rule)
	{
		for (k = 0; k < ARRAY_SIZE(keywords); k++)
			if (strcmp(keywords[k].keyword, keyword) == 0)
				break;
		if (k == ARRAY_SIZE(keywords))
			schema_broken(c, keyword, "is not understood");
		else if (keywords[k].run)
			keywords[k].run(c, rule, value, at);
	}
	closed(c, schema, value, at);
	c->depth--;
}

int vm_schema_check(const json_t *schema, const json_t *document, struct vm_schema_error *errors,
		    size_t max, struct error *err)
{
	struct check c = { .errors = errors, .max = max, .err = err };
	struct place top = { 0 };

	check_value(&c, schema, document, &top);
	return c.broken < 0 ? c.broken : (int)c.count;
}
