/* SPDX-License-Identifier: Apache-2.0 */
/* own_invite.h - INVITEs that cm starts itself: whom they serve, and the way that they take through sm. */
#pragma once
#include "base/buf.h"
#include "cm/half.h"
#include "cm/service.h"

struct cm;
struct sip_flow;
struct sip_uri;

enum own_reason { OWN_REDIRECT, OWN_TRANSFER, OWN_REASONS };

/* Who is served, with whose class of restriction: one row a reason. */
struct own_rule {
	const char *name;
	enum half_phase
		decided; /* whose decisions cm has made for it: of the station that it serves */
};
const struct own_rule *own_rule(enum own_reason reason);

/* One on its way: beside what it takes from another INVITE. Whole lines; out is not cleared. */
struct own_invite {
	char *target;	  /* Request-URI */
	struct buf lines; /* of its own: History-Info, P-Asserted-Identity, Referred-By ... */
	struct buf route;
};
struct own_invite *own_invite_free(struct own_invite *own);

/* sm as a Route, with further URI parameters. Errors: -ENOENT no session manager in the administration. */
int own_route_to_sm(const struct cm *cm, struct slice params, struct buf *out);
/* The Route through sm, which goes on behind cm's place in the served user's sequence, and in *flow where it
 * goes (NULL: by the Route). Errors: -ENOENT no session manager in the administration, -ENOMEM. */
int own_route(struct cm *cm, enum own_reason reason, const char *served, struct buf *route,
	      const struct sip_flow **flow);
/* Where a URI leads with the served user's rights, as in an originating half. */
void own_decide(const struct cm *cm, const char *served, const struct sip_uri *uri,
		struct service_verdict *ret);
/* The Request-URI for that verdict; the caller frees it. NULL without memory. */
char *own_target(const struct cm *cm, const struct sip_uri *uri, const struct service_verdict *v);
