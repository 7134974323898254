/* SPDX-License-Identifier: Apache-2.0 */
/* gzip.h - bytes to gzip (RFC 1952). A library of its own: call servers answer plain, so their guests
 * need no zlib. */
#pragma once
#include <stddef.h>

/* The caller frees *ret. Errors: -ENOMEM, -E2BIG it would not get smaller. */
int gzip_bytes(const void *bytes, size_t len, char **ret, size_t *ret_len);
