/* SPDX-License-Identifier: Apache-2.0 */
/* event_state.h - subscriptions and publications over a restart: the state journal as their keeper. */
#pragma once
#include "base/slice.h"

struct error;
struct node;
struct sip_events;
struct sip_publications;

/* The name of a set of publications in the journal; lives as long as what it was given to. */
struct event_state {
	struct node *node;
	const char *kind; /* "publication.dialog"; a literal */
	union {
		struct sip_events *events;
		struct sip_publications *publications;
	};
};

/* At start, when packages are there and nothing is served yet: put back what was, for people that
 * still exist, and keep every change from now on. Errors: as state_load(). */
int event_state_subscriptions(struct event_state *state, struct node *node,
			      struct sip_events *events, struct error *err);
int event_state_publications(struct event_state *state, struct node *node, const char *kind,
			     struct sip_publications *publications, struct error *err);
