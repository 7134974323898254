/* SPDX-License-Identifier: Apache-2.0 */
/* forward.h - a received message as it goes on to the next hop: edits, by the table of trust. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "sm/adapt.h"
#include "sm/sm.h"
#include "stack/sip/sip_flow.h"

struct buf;
struct sip_msg;
struct sm;

#define FORWARD_MESSAGE_MAX 65535

/* How a request goes on; borrowed. */
struct forward {
	const struct sip_msg *request;
	struct peer from;
	struct peer to;
	const struct sip_flow *in_flow;
	struct slice uri;	  /* new Request-URI; empty: as it is */
	unsigned pop_routes;	  /* our own Routes on top */
	bool drop_routes;	  /* all of them: a phone does not choose its way */
	struct slice path;	  /* Routes of a phone behind edge proxies, "" none */
	struct slice application; /* Route towards an application, "" none */
	struct slice back;	  /* and the Route that brings it back to us */
	bool record_route;
	bool hidden;	    /* inside a dialog whose beginning hid the person that sends this */
	bool authenticated; /* our challenge was answered: its credentials end here */
	struct slice credentials; /* "Name: value" line with CRLF for the next hop, empty: none */
	struct slice identity;	  /* P-Asserted-Identity to create, empty: none */
	struct slice gsid;
	uint32_t max_forwards;
	uint32_t max_breadth; /* 0: leave it out */
};

/* The marker of a dialog whose beginning hid who sends this: 16 hex digits and NUL. */
void forward_seal_hidden(const struct sm *sm, const struct sip_msg *request, char *out);
/* Write the request for the flow, which is prepared (listen point and connection are fixed; a long
 * one leaves UDP for TCP). Errors: what preparing gives, -EMSGSIZE, -ENOBUFS. */
int forward_request(struct sm *sm, const struct forward *forward, struct sip_flow *flow,
		    struct buf *out);
/* Write a response without our Via. status 0: as it is; else another status with its usual phrase,
 * without Retry-After. From and To become again what the request has (an adaptation may have changed
 * them on the way there); request may be NULL. Errors: as above. */
int forward_response(struct sm *sm, const struct sip_msg *response, const struct sip_msg *request,
		     struct peer from, struct peer to, unsigned status, struct buf *out);
/* The adaptations in force between two peers. */
struct adapt forward_adapt(struct sm *sm, struct peer from, struct peer to);
