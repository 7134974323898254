/* SPDX-License-Identifier: Apache-2.0 */
/* gzip.c - see gzip.h. */
#include "http/gzip/gzip.h"
#include "base/error.h"

#include <limits.h>
#include <stdint.h>
#include <zlib.h>

enum { WINDOW_GZIP = 15 + 16, MEMORY_LEVEL = 8, LEVEL = 4 };

int gzip_bytes(const void *bytes, size_t len, char **ret, size_t *ret_len)
{
	AUTO(mem) void *out = NULL;
	z_stream z = { 0 };
	int r;

	if (len > UINT_MAX)
		return -E2BIG;
	out = malloc(len);
	if (!out || deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW_GZIP, MEMORY_LEVEL,
				 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	z.next_in = (Bytef *)(uintptr_t)bytes;
	z.avail_in = (uInt)len;
	z.next_out = out;
	z.avail_out = (uInt)len;
	r = deflate(&z, Z_FINISH);
	(void)deflateEnd(&z);
	if (r != Z_STREAM_END)
		return -E2BIG;
	*ret_len = z.total_out;
	*ret = TAKE(out);
	return 0;
}
