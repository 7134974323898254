/* SPDX-License-Identifier: Apache-2.0 */
/* json_field.h - JSON bodies as tables: one table is parser, validator and schema. */
#pragma once
#include "base/error.h"
#include "base/slice.h"
#include <jansson.h>

enum json_kind {
	JSON_KIND_STRING,  /* char * (owned) */
	JSON_KIND_U32,	   /* uint32_t */
	JSON_KIND_I64,	   /* int64_t */
	JSON_KIND_BOOL,	   /* bool */
	JSON_KIND_ENUM,	   /* uint32_t: index into choices */
	JSON_KIND_TIME,	   /* int64_t, ms since 1970; RFC 3339 text */
	JSON_KIND_STRINGS, /* struct json_strings: array of strings */
	JSON_KIND_OBJECT,  /* nested struct, table in fields */
	JSON_KIND_OBJECTS, /* struct json_objects: array of objects, table in fields */
	JSON_KIND_ANY,	   /* json_t * (owned reference) */
};

enum json_presence { JSON_ABSENT, JSON_IS_NULL, JSON_PRESENT };

struct json_strings {
	char **items; /* owned */
	size_t count;
};

struct json_objects {
	void *items; /* owned: count structs of item_size, each as its table reads it */
	size_t count;
};

struct json_field {
	const char *name;
	enum json_kind kind;
	size_t offset;
	/* offset + 1 of an enum json_presence member (uint8_t) that records how it came; 0 = none */
	size_t presence_plus_1;
	bool required;
	bool nullable;	 /* null is accepted and recorded as JSON_IS_NULL (else 422) */
	bool write_only; /* never in answers (schema only) */
	bool read_only;	 /* accepted and ignored only if equal; the handler compares */
	int64_t min,
		max; /* numbers: range; strings: length in code points; arrays: count; max 0 none */
	const char *const *choices; /* NULL-terminated */
	const struct json_field *fields;
	size_t item_size;    /* JSON_KIND_OBJECTS: of the struct that `fields` fills */
	const char *pattern; /* schema only: what `check` enforces */
	const char *help;
	int (*check)(const char *value, struct error *err); /* strings, each of an array */
};

#define JSON_ROW(kind_, type, member, ...)                                                         \
	{                                                                                          \
		.name = #member, .kind = (kind_), .offset = offsetof(type, member), __VA_ARGS__    \
	}
#define JSON_STRING(type, member, ...) JSON_ROW(JSON_KIND_STRING, type, member, __VA_ARGS__)
#define JSON_U32(type, member, ...) JSON_ROW(JSON_KIND_U32, type, member, __VA_ARGS__)
#define JSON_I64(type, member, ...) JSON_ROW(JSON_KIND_I64, type, member, __VA_ARGS__)
#define JSON_BOOL(type, member, ...) JSON_ROW(JSON_KIND_BOOL, type, member, __VA_ARGS__)
#define JSON_ENUM(type, member, ...) JSON_ROW(JSON_KIND_ENUM, type, member, __VA_ARGS__)
#define JSON_TIME(type, member, ...) JSON_ROW(JSON_KIND_TIME, type, member, __VA_ARGS__)
#define JSON_STRINGS(type, member, ...) JSON_ROW(JSON_KIND_STRINGS, type, member, __VA_ARGS__)
#define JSON_OBJECT(type, member, fields_, ...)                                                    \
	JSON_ROW(JSON_KIND_OBJECT, type, member, .fields = (fields_), __VA_ARGS__)
#define JSON_OBJECTS(type, member, item, fields_, ...)                                             \
	JSON_ROW(JSON_KIND_OBJECTS, type, member, .fields = (fields_), .item_size = sizeof(item),  \
		 __VA_ARGS__)
#define JSON_ANY(type, member, ...) JSON_ROW(JSON_KIND_ANY, type, member, __VA_ARGS__)
/* A row of a table that only checks and describes, json_check(): JSON_MEMBER(U32, "port", .min = 1) */
#define JSON_MEMBER(kind_, name_, ...)                                                             \
	{                                                                                          \
		.name = (name_), .kind = JSON_KIND_##kind_, __VA_ARGS__                            \
	}
#define JSON_PRESENCE(type, member) .presence_plus_1 = offsetof(type, member) + 1
#define JSON_END                                                                                   \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* Text to a value: duplicate keys, trailing data, NUL, depth > 64, BOM, bad UTF-8 are refused.
 * Errors: -EBADMSG (malformed), -ENOMEM. The caller owns *ret (json_decref). */
int json_parse(struct slice text, json_t **ret, struct error *err);
/* Object to struct by its table. The first fault is reported with its JSON pointer in err->field;
 * -EINVAL not an object, unknown member, wrong type, out of range, missing. *out must be zeroed or
 * hold defaults; strings written are owned by it: json_release(). */
int json_read(const json_t *object, const struct json_field *fields, void *out, struct error *err);
void json_release(const struct json_field *fields, void *out);
/* The same rules without a struct: the tables need no offsets. Errors as json_read(). */
int json_check(const json_t *object, const struct json_field *fields, struct error *err);
/* A JSON Schema (draft 2020-12) object of the table, for OpenAPI. The caller owns it. */
json_t *json_schema(const struct json_field *fields);
/* Compact text with sorted keys off; the caller frees. NULL when out of memory. */
char *json_text(const json_t *value);

/* RFC 7396: apply patch to target (both borrowed), a new value the caller owns. */
json_t *json_merge_patch(const json_t *target, const json_t *patch);

static inline void auto_free_json(json_t **slot)
{
	json_decref(*slot);
}
