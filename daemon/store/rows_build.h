/* SPDX-License-Identifier: Apache-2.0 */
/* rows_build.h - how store/ fills a struct store_rows; for its own files alone. */
#pragma once
#include "store/rows.h"

/* NULL: out of memory. */
struct store_rows *store_rows_new(size_t cols);
/* Append the next value in row order; text NULL is SQL NULL. Copied. Errors: -ENOMEM. */
int store_rows_push(struct store_rows *rows, const char *text, size_t len);
