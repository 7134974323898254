/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c - see listen.h. */
#include "node/listen.h"

#include "base/error.h"
#include "net/addr.h"

int node_listen_at(const char *list, size_t index, struct addr *ret)
{
	struct slice rest = slice_str(list), one;
	struct addr out;
	bool more = slice_trim(rest).len > 0;

	for (size_t i = 0; more; i++) {
		one = slice_trim(slice_take_until(&rest, ',', &more));
		if (i < index)
			continue;
		if (addr_parse(one, 0, &out) < 0 || addr_port(&out) == 0)
			return -EINVAL;
		*ret = out;
		return 0;
	}
	return -ENOENT;
}
