/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - the result of a query, from PostgreSQL or SQLite alike, with typed getters. */
#pragma once
#include "base/error.h"

#include "base/json_field.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_rows; /* immutable; owned by who made the query */

/* Rows and columns count from 0; columns are in the order of the SELECT. Asking for a row or
 * column that is not there is a programming error (assert). */
size_t store_rows_count(const struct store_rows *rows); /* NULL has none */
bool store_rows_null(const struct store_rows *rows, size_t row, size_t col);
/* The text of a value, borrowed from rows; NULL when it is SQL NULL. */
const char *store_rows_text(const struct store_rows *rows, size_t row, size_t col);
size_t store_rows_len(const struct store_rows *rows, size_t row, size_t col);
/* SQL NULL, and text that is no such value, give `absent`. */
int64_t store_rows_i64(const struct store_rows *rows, size_t row, size_t col, int64_t absent);
double store_rows_f64(const struct store_rows *rows, size_t row, size_t col, double absent);
bool store_rows_bool(const struct store_rows *rows, size_t row, size_t col); /* NULL is false */
/* A json or jsonb value as a new reference; NULL when SQL NULL, not JSON or out of memory. */
json_t *store_rows_json(const struct store_rows *rows, size_t row, size_t col);

struct store_rows *store_rows_free(struct store_rows *rows); /* accepts NULL, returns NULL */
DEFINE_AUTO(store_rows)
