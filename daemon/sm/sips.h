/* SPDX-License-Identifier: Apache-2.0 */
/* sips.h - what the scheme sips: asks of a hop and of a contact (RFC 3261 section 26.2.2, RFC 5630). */
#pragma once
#include <stdbool.h>

#include "base/slice.h"
#include "sm/trust.h"

struct buf;
struct sip_flow;

bool sips_is(struct slice uri);
/* May a sips: request go this way, or have come by it? By TLS and secure WebSocket; to and from cm and presence
 * also on loopback, where nobody else listens. */
bool sips_hop(enum trust_peer peer, const struct sip_flow *flow);
/* Append the same URI as sip:. */
void sips_to_sip(struct slice uri, struct buf *out);
/* The header lines of a refusal: 480 with them (RFC 5630 section 5.3). */
void sips_warning(struct slice domain, struct buf *out);
