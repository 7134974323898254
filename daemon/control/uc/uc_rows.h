/* SPDX-License-Identifier: Apache-2.0 */
/* uc_rows.h - what is administered as rows: one table a resource says all about it, and the same
 * five functions serve them all.
 *
 * A resource has the fields of the export document (DESIGN section 13) and id, created_at,
 * updated_at; others are named by their name. View doc.TABLE of sql/uc makes the document. */
#pragma once
#include "base/json_field.h"
#include "base/listing.h"

#include <stdbool.h>
#include <stdint.h>

struct uc;

enum uc_column_kind { UC_TEXT = 1, UC_INTEGER, UC_BOOLEAN, UC_TEXTS };

/* One column that a member of the document goes to. */
struct uc_column {
	const char *name; /* NULL ends the table */
	enum uc_column_kind kind;
	const char *path; /* of a member further below: "monitoring,retries"; NULL: the name */
};

/* A member that names a row of another table. */
struct uc_reference {
	const char *path;    /* jsonpath: "$.times[*].time_range"; NULL ends the table */
	const char *pointer; /* "/times/%zu/time_range"; the place in the array */
	const char *table;
	const char *title; /* "time range" */
};

/* What is written beside the row itself: $1 its id, $2 the document. */
struct uc_part {
	const char *sql; /* NULL ends the table */
	size_t params;	 /* 1 or 2 */
};

struct uc_resource {
	const char *path;  /* "dial-patterns": below /uc, and its topic */
	const char *kind;  /* "dial_pattern": of its events */
	const char *title; /* "dial pattern" */
	const char *table;
	const char *label; /* the member that people know it by */
	bool named;	   /* it is `name`, unique, and stands in paths as well as the id */
	uint32_t limit;	   /* rows at most, as call servers take them */
	const struct json_field *fields; /* of a whole document */
	const char *defaults;		 /* JSON: members that may be left out */
	const struct uc_column *columns;
	const struct uc_reference *references;
	const struct uc_part *parts; /* NULL: none */
	/* Rules between members, and defaults that need others; may be NULL. */
	int (*complete)(json_t *document, struct error *err);
	const char *key; /* SQL: the row of the document $1 in the table, for imports */
	const struct listing *listing;
};

/* In the order in which a document must be read: what is named comes before who names it. */
extern const struct uc_resource *const uc_resources[];
extern const size_t uc_resource_count;

extern const struct uc_resource uc_domains, uc_locations, uc_adaptations, uc_sip_entities,
	uc_entity_links, uc_time_ranges, uc_routing_policies, uc_dial_patterns,
	uc_regular_expressions, uc_application_sequences, uc_implicit_users, uc_firewall_rules;

/* The row's version for its ETag goes to *version; key is the id or, where `named`, the name.
 * Errors: -EINVAL with err->field, -EEXIST (name_taken), -ENOENT, -EBUSY in use, -EDQUOT too many,
 * -ESTALE if_version differs (0: not asked for). */
int uc_row_create(struct uc *uc, const struct uc_resource *res, const json_t *body, json_t **ret,
		  int64_t *version, struct error *err);
int uc_row_get(struct uc *uc, const struct uc_resource *res, const char *key, json_t **ret,
	       int64_t *version, struct error *err);
int uc_row_patch(struct uc *uc, const struct uc_resource *res, const char *key, const json_t *patch,
		 int64_t if_version, json_t **ret, int64_t *version, struct error *err);
/* What the row would be after a create (key NULL) or a patch; nothing is kept. */
int uc_row_try(struct uc *uc, const struct uc_resource *res, const char *key, const json_t *input,
	       int64_t if_version, json_t **ret, struct error *err);
/* try: all rules are asked, nothing is deleted. */
int uc_row_delete(struct uc *uc, const struct uc_resource *res, const char *key, int64_t if_version,
		  bool try, struct error *err);
int uc_row_list(struct uc *uc, const struct uc_resource *res, const struct listing_query *query,
		struct listing_page *ret, struct error *err);
