/* SPDX-License-Identifier: Apache-2.0 */
/* uc_import.h - a document as uc_export() makes it, taken over in one transaction. */
#pragma once
#include "base/json_field.h"
#include "base/random.h"

#include <stdbool.h>

struct store_tx;
struct uc;

/* The document, for OpenAPI; uc_import() itself says where a fault is. */
extern const struct json_field uc_document_fields[];

/* Rows are found by their names (patterns by all that tells them apart), made or changed; lists that
 * the document does not have are left alone. replace: rows that a list does not hold are removed, and
 * the SIP domain is the document's; else the domains must be equal. try: nothing is kept.
 * *ret is {created, changed, unchanged, deleted, sets:[{name, created, …}]}.
 * Errors: as of rows (uc_rows.h), err->field with the place in the document. */
int uc_import(struct uc *uc, const json_t *document, bool replace, bool try, json_t **ret,
	      struct error *err);

/* uc_user.c: one user of a document whose domain is that of settings. *same: was so already, and is
 * left alone. */
int uc_user_put(struct store_tx *tx, const json_t *item, const char *domain, char id[UUID_SIZE],
		bool *made, bool *same, struct error *err);
/* uc_settings.c: the settings of a document, as a whole. */
int uc_settings_put(struct store_tx *tx, const json_t *document, struct error *err);
