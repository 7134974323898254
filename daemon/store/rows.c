/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c - the result of a query, copied out of the driver, with typed getters. */
#include "store/rows.h"
#include "store/rows_build.h"

#include "base/json_field.h"

#include <assert.h>
#include <string.h>

#define CHUNK_SIZE 16384

struct cell {
	const char *text; /* NULL: SQL NULL */
	size_t len;
};

struct chunk {
	struct chunk *next;
	size_t used;
	size_t size;
	char bytes[];
};

struct store_rows {
	size_t cols;
	size_t count; /* cells */
	size_t cap;
	struct cell *cells;
	struct chunk *chunks;
};

struct store_rows *store_rows_new(size_t cols)
{
	struct store_rows *rows = calloc(1, sizeof(*rows));

	if (rows)
		rows->cols = cols;
	return rows;
}

struct store_rows *store_rows_free(struct store_rows *rows)
{
	if (!rows)
		return NULL;
	while (rows->chunks) {
		struct chunk *next = rows->chunks->next;

		free(rows->chunks);
		rows->chunks = next;
	}
	free(rows->cells);
	free(rows);
	return NULL;
}

static char *chunk_take(struct store_rows *rows, size_t len)
{
	struct chunk *chunk = rows->chunks;

	if (!chunk || chunk->size - chunk->used < len) {
		size_t size = len > CHUNK_SIZE ? len : CHUNK_SIZE;

		chunk = malloc(sizeof(*chunk) + size);
		if (!chunk)
			return NULL;
		*chunk = (struct chunk){ .next = rows->chunks, .size = size };
		rows->chunks = chunk;
	}
	chunk->used += len;
	return chunk->bytes + chunk->used - len;
}

int store_rows_push(struct store_rows *rows, const char *text, size_t len)
{
	char *copy = NULL;

	if (rows->count == rows->cap) {
		size_t cap = rows->cap ? rows->cap * 2 : 32;
		struct cell *cells = reallocarray(rows->cells, cap, sizeof(*cells));

		if (!cells)
			return -ENOMEM;
		rows->cells = cells;
		rows->cap = cap;
	}
	if (text) {
		copy = chunk_take(rows, len + 1);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	rows->cells[rows->count++] = (struct cell){ copy, copy ? len : 0 };
	return 0;
}

size_t store_rows_count(const struct store_rows *rows)
{
	return rows && rows->cols ? rows->count / rows->cols : 0;
}

static const struct cell *cell_at(const struct store_rows *rows, size_t row, size_t col)
{
	assert(rows && col < rows->cols && row < store_rows_count(rows));
	return &rows->cells[row * rows->cols + col];
}

bool store_rows_null(const struct store_rows *rows, size_t row, size_t col)
{
	return cell_at(rows, row, col)->text == NULL;
}

const char *store_rows_text(const struct store_rows *rows, size_t row, size_t col)
{
	return cell_at(rows, row, col)->text;
}

size_t store_rows_len(const struct store_rows *rows, size_t row, size_t col)
{
	return cell_at(rows, row, col)->len;
}

int64_t store_rows_i64(const struct store_rows *rows, size_t row, size_t col, int64_t absent)
{
	const char *text = store_rows_text(rows, row, col);
	char *end = NULL;
	long long value;

	if (!text || !*text)
		return absent;
	errno = 0;
	value = strtoll(text, &end, 10);
	return errno || *end ? absent : value;
}

double store_rows_f64(const struct store_rows *rows, size_t row, size_t col, double absent)
{
	const char *text = store_rows_text(rows, row, col);
	char *end = NULL;
	double value;

	if (!text || !*text)
		return absent;
	value = strtod(text, &end);
	return *end ? absent : value;
}

bool store_rows_bool(const struct store_rows *rows, size_t row, size_t col)
{
	const char *text = store_rows_text(rows, row, col);

	return text && (text[0] == 't' || text[0] == '1');
}

json_t *store_rows_json(const struct store_rows *rows, size_t row, size_t col)
{
	const struct cell *cell = cell_at(rows, row, col);

	if (!cell->text)
		return NULL;
	return json_loadb(cell->text, cell->len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
}
