/* SPDX-License-Identifier: Apache-2.0 */
/* way.h - the next hop of a request: whose it is and over which flow it is reached. */
#pragma once
#include <stdbool.h>

#include "base/slice.h"
#include "sm/sm.h"
#include "stack/sip/sip_flow.h"

struct binding;
struct sip_locate_wait;
struct sip_msg;
struct sip_uri;

/* The phone's connection, or the address it registered from. false: it cannot be reached. */
bool way_to_binding(struct sm *sm, const struct binding *binding, struct sip_flow *ret);
/* A URI: a registered phone's Contact by its binding, all else as RFC 3263 says. wait may be NULL.
 * Errors: -EINPROGRESS the DNS is asked and wait will be woken, -EADDRNOTAVAIL unknown host,
 * -EPROTONOSUPPORT. */
int way_to_uri(struct sm *sm, const struct sip_uri *uri, struct peer *peer, struct sip_flow *ret,
	       struct sip_locate_wait *wait);
/* The same inside a dialog, where the flow to the phone at its other end may be known (else NULL). */
int way_in_dialog(struct sm *sm, const struct sip_msg *request, unsigned popped,
		  const struct sip_flow *known, struct peer *peer, struct sip_flow *ret,
		  struct sip_locate_wait *wait);
/* Behind `popped` Routes of ours: the next Route, else the Request-URI. Errors: -EBADMSG. */
int way_next_uri(const struct sip_msg *request, unsigned popped, struct sip_uri *ret);
/* The way there. Errors of both. */
int way_next(struct sm *sm, const struct sip_msg *request, unsigned popped, struct peer *peer,
	     struct sip_flow *ret, struct sip_locate_wait *wait);
