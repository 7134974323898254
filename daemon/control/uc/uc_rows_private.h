/* SPDX-License-Identifier: Apache-2.0 */
/* uc_rows_private.h - one row within a transaction that does more; see uc_rows.h. */
#pragma once
#include "base/random.h"
#include "control/uc/uc_rows.h"

struct store_tx;

/* All rules that need no database, and all members. The caller owns *ret. */
int uc_row_complete(const struct uc_resource *res, const json_t *input, json_t **ret,
		    struct error *err);
/* Seal what is secret in a document that is about to be written. */
int uc_secret_seal(const struct uc *uc, const struct uc_resource *res, json_t *document,
		   struct error *err);
/* Write a whole document: to the row of that id, or (NULL) to a new one, whose id goes to made. */
int uc_row_write(struct store_tx *tx, const struct uc_resource *res, const char *id,
		 const json_t *document, char made[UUID_SIZE], struct error *err);
int uc_row_tx_get(struct store_tx *tx, const struct uc_resource *res, const char *key, json_t **ret,
		  int64_t *version, struct error *err);
