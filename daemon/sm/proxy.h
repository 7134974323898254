/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.h - one request on its way through sm: its branches, the answer that goes back, and what
 * comes next when an application has failed (RFC 3261 section 16). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "sm/sequence.h"
#include "sm/sm.h"

struct entity;
struct proxy; /* opaque, see proxy.c */
struct sip_flow;
struct sip_incoming;
struct uc_user;

/* What the router has found out about the request. */
struct proxy_request {
	struct peer from;
	unsigned pop_routes; /* our own Routes on top */
	bool drop_routes;
	bool authenticated;
	bool in_dialog;
	bool hidden;		      /* see struct forward */
	const struct uc_user *caller; /* authenticated user, NULL: nobody to assert */
	struct slice gsid;	      /* of the session, empty: none */
	uint32_t max_forwards;
	struct slice uri; /* adapted Request-URI; empty: as it came */
	bool emergency;
};

/* Take the request: a server transaction and, for INVITE, 100 Trying. The result frees itself when
 * its last transaction has ended. Errors: as sip_server_txn_new(); the request is answered then. */
int proxy_new(struct sm *sm, const struct sip_incoming *in, const struct proxy_request *request,
	      struct proxy **ret);

/* Exactly one of these follows proxy_new(). */
void proxy_sequence(struct proxy *p, const struct sequence_position *position);
void proxy_to_user(struct proxy *p, const struct uc_user *user);
void proxy_to_entity(struct proxy *p, struct entity *entity);
/* The next Route, else way (may be NULL), else the Request-URI. */
void proxy_to_route(struct proxy *p, const struct sip_flow *way);
/* It has as many calls as it may: 503 to an entity; 486 to a phone, which would leave sm for a 503. */
void proxy_full(struct proxy *p, const char *name);
void proxy_refuse(struct proxy *p, unsigned status, struct slice headers);

/* The link to an entity went down: what it had asked for is given up. */
void proxy_upstream_lost(struct sm *sm, const struct entity *entity);
/* At the end of the process: no more calls from transactions. */
void proxy_free_all(struct sm *sm);
