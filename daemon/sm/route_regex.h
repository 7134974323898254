/* SPDX-License-Identifier: Apache-2.0 */
/* route_regex.h - the regular expressions of routing, compiled, and never allowed to run long. */
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"

struct route_regexes; /* opaque, see route_regex.c */
struct uc_regular_expression;
struct uc_routing;

/* Bounds of one match: steps of backtracking, nesting, memory. */
#define ROUTE_REGEX_MATCH_LIMIT 20000
#define ROUTE_REGEX_DEPTH_LIMIT 500
#define ROUTE_REGEX_HEAP_KIB 256

/* The rows of routing are borrowed. One that PCRE2 refuses is logged and left out. Errors: -ENOMEM. */
int route_regexes_new(const struct uc_routing *routing, struct route_regexes **ret);
struct route_regexes *route_regexes_free(struct route_regexes *regexes);
/* The first by rank that fits the whole URI; else the first that fits user@host. NULL: none. One that
 * exceeds its bounds does not fit. */
const struct uc_regular_expression *route_regexes_find(const struct route_regexes *regexes,
						       struct slice uri, struct slice address,
						       bool *whole);
