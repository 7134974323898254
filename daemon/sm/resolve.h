/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.h - names of next hops and of entities as flows (RFC 3263), without waiting in the call's way. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "codec/sip/sip_via.h"
#include "stack/sip/sip_locate.h"

struct resolve; /* opaque, see resolve.c */
struct sip_flow;
struct sip_uri;
struct sm;

/* After the listen points are open. Errors: -ENOMEM, -EINVAL [dns] server. */
int resolve_new(struct sm *sm, struct resolve **ret, struct error *err);
struct resolve *resolve_free(struct resolve *resolve);
/* Each second: what the DNS did not answer in time fails. */
void resolve_sweep(struct resolve *resolve);

/* The flow towards a URI. -EINPROGRESS: wait, unless NULL, is woken when it is known; then ask again.
 * Errors: -EADDRNOTAVAIL there is no such name, -EPROTONOSUPPORT. */
int resolve_uri(struct sm *sm, const struct sip_uri *uri, struct sip_flow *ret,
		struct sip_locate_wait *wait);
/* It did not answer there: true when another place of that URI is worth a try. */
bool resolve_uri_failed(struct sm *sm, const struct sip_uri *uri, const struct sip_flow *flow);
/* Is its host a name that the DNS is asked for? */
bool resolve_is_name(const struct sip_uri *uri);
/* An entity's address that is a name: SRV when the port is its transport's own, else addresses alone.
 * flow: what is in use now (remote.len 0: nothing), kept as long as the name still has it. failed: it does
 * not answer there. Errors as above. */
int resolve_entity(struct sm *sm, const char *name, uint16_t port, enum sip_transport transport,
		   bool failed, struct sip_flow *flow, struct sip_locate_wait *wait);
