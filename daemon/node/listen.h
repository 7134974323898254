/* SPDX-License-Identifier: Apache-2.0 */
/* listen.h - the list behind [sip] listen: "127.0.0.1:5060, [2001:db8::1]:5060". */
#pragma once
#include <stddef.h>

struct addr;

#define NODE_LISTEN_MAX 4 /* addresses of a list; each takes up to four listen points */

/* The entry at that index. Errors: -ENOENT there is none, -EINVAL it is not ADDRESS:PORT. */
int node_listen_at(const char *list, size_t index, struct addr *ret);
