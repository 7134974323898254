/* SPDX-License-Identifier: Apache-2.0 */
/* places.h - the routing decision as the running server asks it: where the caller is and whose
 * patterns hold, what the links do, what time it is. */
#pragma once
#include <stdint.h>

#include "base/slice.h"
#include "net/addr.h"
#include "sm/route.h"

struct entity;
struct sm;

/* Where a call came into the system. */
struct places_origin {
	struct addr source;	     /* len 0: unknown */
	const struct entity *entity; /* NULL: a phone */
	bool trusted;		     /* it came over a trusted link */
	const struct uc_user *user;  /* the caller, NULL: none of ours */
};

/* A query that is valid as long as the model; the caller may still change at_ms and may_leave. */
struct route_query places_query(struct sm *sm, const struct places_origin *origin,
				struct slice uri);
/* For route_query.link; user is the sm. */
enum route_link places_link(void *user, const struct uc_entity *row, const char **why);
