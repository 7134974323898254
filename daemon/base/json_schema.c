/* SPDX-License-Identifier: Apache-2.0 */
/* json_schema.c - a body's field table as JSON Schema (draft 2020-12); see json_field.h. */
#include "base/json_field.h"

static const char *type_name(enum json_kind kind)
{
	switch (kind) {
	case JSON_KIND_STRING:
	case JSON_KIND_ENUM:
	case JSON_KIND_TIME:
		return "string";
	case JSON_KIND_U32:
	case JSON_KIND_I64:
		return "integer";
	case JSON_KIND_BOOL:
		return "boolean";
	case JSON_KIND_STRINGS:
	case JSON_KIND_OBJECTS:
		return "array";
	case JSON_KIND_OBJECT:
		return "object";
	case JSON_KIND_ANY:
		break;
	}
	return NULL;
}

static void put_range(json_t *s, const struct json_field *f)
{
	const char *low = "minimum", *high = "maximum";

	if (f->kind == JSON_KIND_STRING) {
		low = "minLength";
		high = "maxLength";
	} else if (f->kind == JSON_KIND_STRINGS || f->kind == JSON_KIND_OBJECTS) {
		low = "minItems";
		high = "maxItems";
	} else if (f->kind != JSON_KIND_U32 && f->kind != JSON_KIND_I64) {
		return;
	}
	if (f->min || f->kind == JSON_KIND_U32)
		(void)json_object_set_new(s, low, json_integer(f->min));
	if (f->max)
		(void)json_object_set_new(s, high, json_integer(f->max));
	else if (f->kind == JSON_KIND_U32)
		(void)json_object_set_new(s, high, json_integer(UINT32_MAX));
}

static void put_words(json_t *s, const struct json_field *f)
{
	json_t *choices = json_array();

	for (size_t i = 0; f->choices[i]; i++)
		(void)json_array_append_new(choices, json_string(f->choices[i]));
	if (f->nullable && f->kind != JSON_KIND_STRINGS)
		(void)json_array_append_new(choices, json_null());
	(void)json_object_set_new(s, "enum", choices);
}

/* What each string must be is said of the string, also where it is one of an array. */
static json_t *string_schema(const struct json_field *f, json_t *s)
{
	if (f->choices)
		put_words(s, f);
	if (f->pattern)
		(void)json_object_set_new(s, "pattern", json_string(f->pattern));
	return s;
}

static json_t *field_schema(const struct json_field *f)
{
	json_t *s = f->kind == JSON_KIND_OBJECT ? json_schema(f->fields) : json_object();
	const char *type = type_name(f->kind);

	if (type && f->nullable)
		(void)json_object_set_new(s, "type", json_pack("[ss]", type, "null"));
	else if (type)
		(void)json_object_set_new(s, "type", json_string(type));
	if (f->kind == JSON_KIND_STRINGS)
		(void)json_object_set_new(s, "items",
					  string_schema(f, json_pack("{ss}", "type", "string")));
	else
		(void)string_schema(f, s);
	if (f->kind == JSON_KIND_OBJECTS)
		(void)json_object_set_new(s, "items", json_schema(f->fields));
	if (f->kind == JSON_KIND_TIME)
		(void)json_object_set_new(s, "format", json_string("date-time"));
	put_range(s, f);
	if (f->help)
		(void)json_object_set_new(s, "description", json_string(f->help));
	if (f->write_only)
		(void)json_object_set_new(s, "writeOnly", json_true());
	if (f->read_only)
		(void)json_object_set_new(s, "readOnly", json_true());
	return s;
}

json_t *json_schema(const struct json_field *fields)
{
	json_t *schema = json_object(), *properties = json_object(), *required = json_array();

	for (const struct json_field *f = fields; f->name; f++) {
		(void)json_object_set_new(properties, f->name, field_schema(f));
		if (f->required)
			(void)json_array_append_new(required, json_string(f->name));
	}
	(void)json_object_set_new(schema, "type", json_string("object"));
	(void)json_object_set_new(schema, "properties", properties);
	if (json_array_size(required) > 0)
		(void)json_object_set_new(schema, "required", required);
	else
		json_decref(required);
	(void)json_object_set_new(schema, "additionalProperties", json_false());
	return schema;
}
