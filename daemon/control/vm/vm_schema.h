/* SPDX-License-Identifier: Apache-2.0 */
/* vm_schema.h - checks a JSON document against the part of JSON Schema that vmtemplates/schema.json uses. */
#pragma once
#include <stddef.h>

#include "base/json_field.h"

#define VM_SCHEMA_DEPTH 16 /* nesting of document and schema that is followed */

/* One finding: where in the document and what is wrong. */
struct vm_schema_error {
	char pointer[160]; /* RFC 6901, "" for the whole document */
	char detail[200];
};

/* Understood: type, const, enum, required, properties, additionalProperties false, items, minimum,
 * maximum, minLength, maxLength, pattern (POSIX extended), minItems, maxItems, uniqueItems. Notes
 * ($schema, $id, title, description) are passed over; any other keyword makes the schema itself wrong.
 * Writes up to max findings to errors and returns their number.
 * Errors: -EINVAL the schema is broken (err->field points into it). */
int vm_schema_check(const json_t *schema, const json_t *document, struct vm_schema_error *errors,
		    size_t max, struct error *err);
