/* SPDX-License-Identifier: Apache-2.0 */
/* route_regex.h - the regular expressions of routing, compiled (node/uc_regex). */
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"

struct route_regexes; /* opaque, see route_regex.c */
struct uc_regular_expression;
struct uc_routing;

/* The rows of routing are borrowed. One that PCRE2 refuses is logged and left out. Errors: -ENOMEM. */
int route_regexes_new(const struct uc_routing *routing, struct route_regexes **ret);
struct route_regexes *route_regexes_free(struct route_regexes *regexes);
/* The first by rank that fits the whole URI; else the first that fits user@host. NULL: none. One that
 * exceeds its bounds does not fit. */
const struct uc_regular_expression *route_regexes_find(const struct route_regexes *regexes,
						       struct slice uri, struct slice address,
						       bool *whole);
