/* SPDX-License-Identifier: Apache-2.0 */
/* adapt.h - what an adaptation makes of addresses and header fields: on the way in of the entity that
 * sent a message, on the way out of the one that gets it. Decides only; forward.c edits. */
#pragma once
#include <stdbool.h>

#include "base/slice.h"
#include "codec/sip/sip_header.h"
#include "node/uc_routing.h"

struct buf;

/* Both ends of a hop; either may be NULL. */
struct adapt {
	const struct uc_adaptation *in;	 /* its ingress side */
	const struct uc_adaptation *out; /* its egress side */
};

/* The adaptation if it is in force; test_only ones are for the routing test alone. */
const struct uc_adaptation *adapt_active(const struct uc_adaptation *adaptation, bool test);
/* One side of one adaptation over a URI. true: *out holds another one. */
bool adapt_uri(const struct uc_adaptation *adaptation, enum uc_direction direction,
	       bool origination, struct slice uri, struct buf *out);
/* Both sides, one behind the other. true: *out holds another one. */
bool adapt_hop(const struct adapt *adapt, bool origination, struct slice uri, struct buf *out);
/* Are From and To adapted, too? */
bool adapt_from_to(const struct adapt *adapt);
/* Must this field go? The fields that a message cannot be without never do. */
bool adapt_removes(const struct adapt *adapt, enum sip_header_id id, struct slice name);
