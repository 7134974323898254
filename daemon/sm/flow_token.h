/* SPDX-License-Identifier: Apache-2.0 */
/* flow_token.h - the flows of a dialog's phones in its Record-Route, sealed: so that requests inside it
 * reach a phone whose Contact cannot be reached (RFC 5626 section 5). */
#pragma once
#include <stdbool.h>

#include "base/slice.h"
#include "sm/sm.h"
#include "stack/sip/sip_flow.h"

struct buf;
struct sip_uri;

/* What is learned from the tokens of one Record-Route; zero it. */
struct flow_pair {
	bool has_in, has_out;
	struct sip_flow in, out; /* of the one who began the dialog, of the other one */
};

/* Append ";fi=TOKEN" (in) or ";fo=TOKEN" where the peer is a phone that needs it: over a connection, or
 * one whose Contact names another address than its datagrams. contact may be NULL. */
void flow_token_write(const struct sm *sm, const struct sip_flow *flow, enum trust_peer peer,
		      const struct sip_uri *contact, struct slice call_id, bool in,
		      struct buf *out);
/* Read both from a Route of ours. What is not sealed for this Call-ID by this process is left out. */
void flow_token_read(const struct sm *sm, const struct sip_uri *route, struct slice call_id,
		     struct flow_pair *ret);
/* The flow to the other side of who came over `from`; entity: he is none of the phones. NULL: not known,
 * or not open any more. */
const struct sip_flow *flow_token_way(const struct sm *sm, const struct flow_pair *pair,
				      const struct sip_flow *from, bool entity);
