/* SPDX-License-Identifier: Apache-2.0 */
/* json_field.c - see json_field.h. Schemas are json_schema.c. */
#include "base/json_field.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_LIMIT 64

/* Jansson's own limit is 2,048 levels; a scan is enough, as strings are skipped. */
static bool too_deep(struct slice text)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > DEPTH_LIMIT)
			return true;
	}
	return false;
}

int json_parse(struct slice text, json_t **ret, struct error *err)
{
	json_error_t why;
	json_t *value;

	if (text.len == 0)
		return error_set(err, -EBADMSG, "the body is empty, JSON is expected");
	if (too_deep(text))
		return error_set(err, -EBADMSG, "JSON nested deeper than %d levels", DEPTH_LIMIT);
	value = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (!value)
		return error_set(err, -EBADMSG, "line %d, column %d: %s", why.line, why.column,
				 why.text);
	*ret = value;
	return 0;
}

/* The JSON pointer of the member being read, RFC 6901. */
struct pointer {
	char text[sizeof(((struct error *)0)->field)];
	size_t len;
};

static size_t pointer_push(struct pointer *p, const char *name)
{
	size_t before = p->len;
	size_t room = sizeof(p->text) - 1;

	if (p->len < room)
		p->text[p->len++] = '/';
	for (; *name && p->len + 2 < room; name++) {
		if (*name == '~' || *name == '/') {
			p->text[p->len++] = '~';
			p->text[p->len++] = *name == '~' ? '0' : '1';
		} else {
			p->text[p->len++] = *name;
		}
	}
	p->text[p->len] = '\0';
	return before;
}

static void pointer_pop(struct pointer *p, size_t before)
{
	p->len = before;
	p->text[before] = '\0';
}

static size_t code_points(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

#define BAD(err, at, ...) error_field(err, -EINVAL, (at)->text, __VA_ARGS__)

/* What a check found is at this place. */
static int at_fault(int r, const struct pointer *at, struct error *err)
{
	if (err)
		(void)snprintf(err->field, sizeof(err->field), "%s", at->text);
	return r;
}

static int read_string(const struct json_field *f, const json_t *v, char **slot,
		       const struct pointer *at, struct error *err)
{
	const char *text = json_string_value(v);
	size_t len;
	char *copy;
	int r;

	if (!text)
		return BAD(err, at, "must be a string");
	len = code_points(text);
	if ((int64_t)len < f->min || (f->max && (int64_t)len > f->max))
		return BAD(err, at, "must have %lld to %lld characters, not %zu", (long long)f->min,
			   (long long)f->max, len);
	if (f->check) {
		r = f->check(text, err);
		if (r < 0)
			return at_fault(r, at, err);
	}
	if (!slot)
		return 0;
	copy = strdup(text);
	if (!copy)
		return error_set(err, -ENOMEM, "out of memory");
	free(*slot);
	*slot = copy;
	return 0;
}

static int read_number(const struct json_field *f, const json_t *v, int64_t top, int64_t *ret,
		       const struct pointer *at, struct error *err)
{
	int64_t n = json_integer_value(v);
	int64_t max = f->max && f->max < top ? f->max : top;

	if (!json_is_integer(v))
		return BAD(err, at, "must be a whole number");
	if (n < f->min || n > max)
		return BAD(err, at, "must be within %lld and %lld, not %lld", (long long)f->min,
			   (long long)max, (long long)n);
	if (ret)
		*ret = n;
	return 0;
}

static int read_enum(const struct json_field *f, const json_t *v, uint32_t *slot,
		     const struct pointer *at, struct error *err)
{
	const char *text = json_string_value(v);
	char known[200] = "";

	for (uint32_t i = 0; f->choices[i]; i++) {
		size_t len = strlen(known);

		if (text && strcmp(text, f->choices[i]) == 0) {
			if (slot)
				*slot = i;
			return 0;
		}
		(void)snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "",
			       f->choices[i]);
	}
	return BAD(err, at, "must be one of: %s", known);
}

static int read_time(const json_t *v, int64_t *slot, const struct pointer *at, struct error *err)
{
	const char *text = json_string_value(v);
	int64_t unused;

	if (!text || clock_parse(slice_str(text), slot ? slot : &unused) < 0)
		return BAD(err, at, "must be a time as in RFC 3339, such as 2026-11-21T10:00:00Z");
	return 0;
}

static void strings_release(struct json_strings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->items[i]);
	free(s->items);
	*s = (struct json_strings){ 0 };
}

static int read_strings(const struct json_field *f, const json_t *v, struct json_strings *slot,
			struct pointer *at, struct error *err)
{
	size_t count = json_array_size(v);
	struct json_strings out = { 0 };

	if (!json_is_array(v))
		return BAD(err, at, "must be an array of strings");
	if ((int64_t)count < f->min || (int64_t)count > (f->max ? f->max : 1000))
		return BAD(err, at, "must have %lld to %lld items", (long long)f->min,
			   (long long)(f->max ? f->max : 1000));
	out.items = calloc(count ? count : 1, sizeof(*out.items));
	if (!out.items)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(v, i));
		int r = text && f->check ? f->check(text, err) : 0;

		if (text && r == 0)
			out.items[out.count] = strdup(text);
		if (!text || r < 0 || !out.items[out.count++]) {
			char index[24];

			strings_release(&out);
			(void)snprintf(index, sizeof(index), "%zu", i);
			(void)pointer_push(at, index);
			return r < 0 ? at_fault(r, at, err) : BAD(err, at, "must be a string");
		}
	}
	if (!slot) {
		strings_release(&out);
		return 0;
	}
	strings_release(slot);
	*slot = out;
	return 0;
}

static int read_object(const json_t *object, const struct json_field *fields, void *out,
		       struct pointer *at, struct error *err);

static void objects_release(const struct json_field *f, struct json_objects *o)
{
	for (size_t i = 0; i < o->count; i++)
		json_release(f->fields, (char *)o->items + i * f->item_size);
	free(o->items);
	*o = (struct json_objects){ 0 };
}

static int read_objects(const struct json_field *f, const json_t *v, struct json_objects *slot,
			struct pointer *at, struct error *err)
{
	size_t count = json_array_size(v);
	struct json_objects out = { 0 };
	int r = 0;

	if (!json_is_array(v))
		return BAD(err, at, "must be an array of objects");
	if ((int64_t)count < f->min || (int64_t)count > (f->max ? f->max : 1000))
		return BAD(err, at, "must have %lld to %lld items", (long long)f->min,
			   (long long)(f->max ? f->max : 1000));
	if (slot) {
		out.items = calloc(count ? count : 1, f->item_size);
		if (!out.items)
			return error_set(err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < count && r == 0; i++) {
		char index[24];
		size_t before;

		(void)snprintf(index, sizeof(index), "%zu", i);
		before = pointer_push(at, index);
		out.count++;
		r = read_object(json_array_get(v, i), f->fields,
				slot ? (char *)out.items + i * f->item_size : NULL, at, err);
		if (r == 0)
			pointer_pop(at, before);
	}
	if (!slot)
		return r;
	if (r < 0) {
		objects_release(f, &out);
		return r;
	}
	objects_release(f, slot);
	*slot = out;
	return 0;
}

static int read_value(const struct json_field *f, json_t *v, void *slot, struct pointer *at,
		      struct error *err)
{
	int64_t n = 0;
	int r = 0;

	switch (f->kind) {
	case JSON_KIND_STRING:
		return read_string(f, v, slot, at, err);
	case JSON_KIND_U32:
		r = read_number(f, v, UINT32_MAX, &n, at, err);
		if (r == 0 && slot)
			*(uint32_t *)slot = (uint32_t)n;
		return r;
	case JSON_KIND_I64:
		return read_number(f, v, INT64_MAX, slot, at, err);
	case JSON_KIND_BOOL:
		if (!json_is_boolean(v))
			return BAD(err, at, "must be true or false");
		if (slot)
			*(bool *)slot = json_is_true(v);
		return 0;
	case JSON_KIND_ENUM:
		return read_enum(f, v, slot, at, err);
	case JSON_KIND_TIME:
		return read_time(v, slot, at, err);
	case JSON_KIND_STRINGS:
		return read_strings(f, v, slot, at, err);
	case JSON_KIND_OBJECT:
		return read_object(v, f->fields, slot, at, err);
	case JSON_KIND_OBJECTS:
		return read_objects(f, v, slot, at, err);
	case JSON_KIND_ANY:
		if (!slot)
			return 0;
		json_decref(*(json_t **)slot);
		*(json_t **)slot = json_incref(v);
		return 0;
	}
	return -EINVAL;
}

static void note_presence(const struct json_field *f, void *out, enum json_presence p)
{
	if (out && f->presence_plus_1)
		*((uint8_t *)out + f->presence_plus_1 - 1) = (uint8_t)p;
}

static int read_member(const struct json_field *f, json_t *v, void *out, struct pointer *at,
		       struct error *err)
{
	if (!v) {
		note_presence(f, out, JSON_ABSENT);
		return f->required ? BAD(err, at, "is required") : 0;
	}
	if (json_is_null(v) && f->nullable) {
		note_presence(f, out, JSON_IS_NULL);
		return 0;
	}
	note_presence(f, out, JSON_PRESENT);
	return read_value(f, v, out ? (char *)out + f->offset : NULL, at, err);
}

static int refuse_unknown(const json_t *object, const struct json_field *fields, struct pointer *at,
			  struct error *err)
{
	const char *name;
	json_t *value;

	/* Jansson's iterator takes a mutable object but does not change it. */
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		const struct json_field *f = fields;

		while (f->name && strcmp(f->name, name) != 0)
			f++;
		if (!f->name) {
			(void)pointer_push(at, name);
			return BAD(err, at, "there is no such member");
		}
	}
	return 0;
}

static int read_object(const json_t *object, const struct json_field *fields, void *out,
		       struct pointer *at, struct error *err)
{
	int r;

	if (!json_is_object(object))
		return BAD(err, at, "must be an object");
	r = refuse_unknown(object, fields, at, err);
	if (r < 0)
		return r;
	for (const struct json_field *f = fields; f->name; f++) {
		size_t before = pointer_push(at, f->name);

		r = read_member(f, json_object_get(object, f->name), out, at, err);
		if (r < 0)
			return r;
		pointer_pop(at, before);
	}
	return 0;
}

int json_read(const json_t *object, const struct json_field *fields, void *out, struct error *err)
{
	struct pointer at = { .len = 0 };

	return read_object(object, fields, out, &at, err);
}

int json_check(const json_t *object, const struct json_field *fields, struct error *err)
{
	struct pointer at = { .len = 0 };

	return read_object(object, fields, NULL, &at, err);
}

void json_release(const struct json_field *fields, void *out)
{
	for (const struct json_field *f = fields; f->name; f++) {
		void *slot = (char *)out + f->offset;

		switch (f->kind) {
		case JSON_KIND_STRING:
			free(*(char **)slot);
			*(char **)slot = NULL;
			break;
		case JSON_KIND_STRINGS:
			strings_release(slot);
			break;
		case JSON_KIND_OBJECT:
			json_release(f->fields, slot);
			break;
		case JSON_KIND_OBJECTS:
			objects_release(f, slot);
			break;
		case JSON_KIND_ANY:
			json_decref(*(json_t **)slot);
			*(json_t **)slot = NULL;
			break;
		default:
			break;
		}
	}
}

char *json_text(const json_t *value)
{
	return json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
}

json_t *json_merge_patch(const json_t *target, const json_t *patch)
{
	json_t *out, *value;
	const char *name;

	if (!json_is_object(patch))
		return json_deep_copy(patch);
	out = json_is_object(target) ? json_deep_copy(target) : json_object();
	if (!out)
		return NULL;
	json_object_foreach((json_t *)(uintptr_t)patch, name, value)
	{
		if (json_is_null(value)) {
			(void)json_object_del(out, name);
			continue;
		}
		if (json_object_set_new(out, name,
					json_merge_patch(json_object_get(out, name), value)) < 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}
