/* SPDX-License-Identifier: Apache-2.0 */
/* sip_event.h - the notifier of event packages: subscriptions, NOTIFY, expiry. RFC 6665.
 *
 * The user finds out whether a SUBSCRIBE may be served (authentication, package, resource), then gives
 * it to sip_event_subscribe(); refreshes and ends inside the dialog are served here. Each state change
 * is one sip_event_notify(); bodies are asked for when a NOTIFY is really sent (changes within the
 * throttle time share one). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct buf;
struct sip_events; /* opaque, see sip_event.c */
struct sip_extra;
struct sip_incoming;
struct sip_stack;
struct sip_subscription; /* opaque */

#define SIP_EVENT_PACKAGES_MAX 16

struct sip_event_package {
	const char *name;		  /* "presence" */
	const char *content_type;	  /* "application/pidf+xml" */
	uint32_t min_s, default_s, max_s; /* subscription times; 0 = 60, 3,600, 3,600 */
	uint32_t throttle_ms; /* least time between NOTIFYs of one subscription; 0 = none */
	/* The full state for a subscriber. Empty = a NOTIFY without body. */
	void (*body)(void *user, struct sip_subscription *sub, struct buf *out);
	/* Subscriptions begin (after 200 was sent) and end (the pointer is invalid afterwards).
	 * May be NULL. */
	void (*started)(void *user, struct sip_subscription *sub);
	void (*ended)(void *user, struct sip_subscription *sub, const char *reason);
};

struct sip_events_limits {
	uint32_t subscriptions_max;	 /* 0 = 65,536 */
	uint32_t subscriptions_per_user; /* per From URI and resource; 0 = 20 */
};

int sip_events_new(struct sip_stack *stack, const struct sip_events_limits *limits,
		   struct sip_events **ret, struct error *err);
struct sip_events *sip_events_free(struct sip_events *events);
DEFINE_AUTO(sip_events)
/* package is borrowed for ever. Errors: -ENOSPC. */
int sip_events_add(struct sip_events *events, const struct sip_event_package *package, void *user);
/* "presence, dialog" for Allow-Events. */
void sip_events_names(const struct sip_events *events, struct buf *out);

/* Serve a SUBSCRIBE outside of dialogs: answers it (200, 400, 423, 489, 503) and sends the first
 * NOTIFY. resource: what is watched, as the user names it (copied). Expires: 0 fetches once.
 * pending = Subscription-State pending until sip_subscription_approve(). Returns 0 when answered. */
int sip_event_subscribe(struct sip_events *events, const struct sip_incoming *in,
			struct slice resource, bool pending);

/* The resource changed: NOTIFY to everyone watching it (package NULL = all packages). Returns how
 * many. */
size_t sip_event_notify(struct sip_events *events, const char *package, struct slice resource);
/* NOTIFY for one; for its end: reason as in RFC 6665 section 4.1.3 ("noresource", "deactivated"). */
void sip_subscription_notify(struct sip_subscription *sub);
void sip_subscription_approve(struct sip_subscription *sub);
void sip_subscription_end(struct sip_subscription *sub, const char *reason);
size_t sip_event_end_resource(struct sip_events *events, const char *package, struct slice resource,
			      const char *reason);

struct slice sip_subscription_resource(const struct sip_subscription *sub);
struct slice sip_subscription_watcher(const struct sip_subscription *sub); /* From URI */
struct slice sip_subscription_event_id(const struct sip_subscription *sub);
const char *sip_subscription_package(const struct sip_subscription *sub);
struct slice sip_subscription_accept(const struct sip_subscription *sub); /* Accept as sent */
uint32_t sip_subscription_version(struct sip_subscription *sub); /* 0, 1, ...: of this body */
void *sip_subscription_user(const struct sip_subscription *sub);
void sip_subscription_set_user(struct sip_subscription *sub, void *user);
size_t sip_events_count(const struct sip_events *events);
/* Is anybody watching the resource by that package? */
bool sip_events_watched(const struct sip_events *events, const char *package,
			struct slice resource);
/* Every subscription, oldest first. The callback must not end any. */
void sip_events_walk(const struct sip_events *events,
		     void (*fn)(void *user, const struct sip_subscription *sub), void *user);
uint64_t sip_subscription_expires_in_ms(const struct sip_subscription *sub);
