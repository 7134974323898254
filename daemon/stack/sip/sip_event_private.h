/* SPDX-License-Identifier: Apache-2.0 */
/* sip_event_private.h - what sip_event.c (subscriptions) and sip_notify.c (their NOTIFYs) share. */
#pragma once
#include <stdio.h>

#include "stack/sip/sip_event_keep.h"
#include "stack/sip/sip_private.h"

#define TEXTS_MAX 4096

struct package {
	const struct sip_event_package *is;
	void *user;
	uint32_t min_s, default_s, max_s;
};

struct sip_events {
	struct sip_stack *stack;
	struct sip_events_limits limits;
	struct package packages[SIP_EVENT_PACKAGES_MAX];
	size_t package_count;
	struct map by_resource;
	struct list all;
	const struct sip_events_keeper *keeper; /* NULL: nothing is kept */
	void *keeper_user;
	struct list resuming; /* put back, not yet told */
	struct timer resume;
};

struct sip_subscription {
	struct sip_events *events;
	const struct package *package;
	struct sip_dialog *dialog;
	struct map_node node;
	struct list link, resume;
	struct slice resource, watcher, event_id, accept; /* in texts */
	bool pending, begun, due; /* due: changed while a NOTIFY was on its way or throttled */
	bool restored;		  /* by a restart; not heard of since */
	uint64_t expires_at, last_notify;
	uint32_t version, kept_cseq;
	struct timer expiry, throttle;
	struct sip_client_txn *notify; /* on its way */
	void *user;
	char texts[];
};

/* NOTIFY now, without regard to the throttle. */
void sip_subscription_send(struct sip_subscription *sub);
/* Tell the user and free; no NOTIFY. */
void sip_subscription_gone(struct sip_subscription *sub, const char *reason);
/* Free; nobody is told. */
void sip_subscription_destroy(struct sip_subscription *sub);
void sip_subscription_expire_in(struct sip_subscription *sub, uint64_t ms);
/* A subscription without a dialog, in the maps. Errors: -EMSGSIZE, -ENOMEM. */
int sip_subscription_make(struct sip_events *events, const struct package *package,
			  const struct sip_subscription_kept *texts, struct sip_subscription **ret);
const struct package *sip_events_package(const struct sip_events *events, struct slice name);
extern const struct sip_dialog_handlers sip_subscription_dialog_handlers;

/* sip_event_keep.c: tell the keeper, if there is one, of a change, of a NOTIFY, of the end. */
void sip_subscription_keep(struct sip_subscription *sub);
void sip_subscription_number_used(struct sip_subscription *sub);
void sip_subscription_forget(struct sip_subscription *sub);
