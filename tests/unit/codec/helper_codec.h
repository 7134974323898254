/* SPDX-License-Identifier: Apache-2.0 */
/* helper_codec.h - what the codec tests share: cmocka, slice assertions, a parsed sample. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

/* Parsers must not look behind their input: each is given an exact copy on the heap, where the address
 * sanitizer sees a byte too far. The caller frees p. */
static inline struct slice exact_copy(struct slice in)
{
	char *copy = malloc(in.len ? in.len : 1);

	assert_non_null(copy);
	if (in.len)
		memcpy(copy, in.p, in.len);
	return slice_make(copy, in.len);
}

static inline void assert_slice_at(struct slice is, const char *should, const char *file, int line)
{
	char *text = slice_dup(is);

	if (!slice_eq_str(is, should))
		print_error("got \"%s\", expected \"%s\"\n", text, should);
	free(text);
	_assert_true(slice_eq_str(is, should), "slice", file, line);
}
#define assert_slice(is, should) assert_slice_at(is, should, __FILE__, __LINE__)

static inline void assert_buf_at(const struct buf *b, const char *should, const char *file,
				 int line)
{
	_assert_true(buf_ok(b), "buf_ok", file, line);
	assert_slice_at(buf_slice(b), should, file, line);
}
#define assert_buf(b, should) assert_buf_at(b, should, __FILE__, __LINE__)
