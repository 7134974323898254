/* SPDX-License-Identifier: Apache-2.0 */
/* static.h - the console's files, held in memory with ETag and br/gz siblings. */
#pragma once
#include <stddef.h>

struct error;
struct http_static;

enum {
	HTTP_STATIC_FILES = 2000,	      /* files at most */
	HTTP_STATIC_BYTES = 64 * 1024 * 1024, /* of them all */
};

/* Read every file below dir (FILE.br and FILE.gz are siblings of FILE, no links followed).
 * "/assets/" is immutable and 404 when missing; any other path without a file is the index.
 * A missing dir gives an empty set: -ENOENT is not an error here.
 * Errors: -EFBIG over a limit, -EIO, -ENOMEM. */
int http_static_load(const char *dir, struct http_static **ret, struct error *err);
struct http_static *http_static_free(struct http_static *files);
size_t http_static_count(const struct http_static *files);
