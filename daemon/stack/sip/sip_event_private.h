/* SPDX-License-Identifier: Apache-2.0 */
/* sip_event_private.h - what sip_event.c (subscriptions) and sip_notify.c (their NOTIFYs) share. */
#pragma once
#include <stdio.h>

#include "stack/sip/sip_event.h"
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
};

struct sip_subscription {
	struct sip_events *events;
	struct package *package;
	struct sip_dialog *dialog;
	struct map_node node;
	struct list link;
	struct slice resource, watcher, event_id, accept; /* in texts */
	bool pending, begun, due; /* due: changed while a NOTIFY was on its way or throttled */
	uint64_t expires_at, last_notify;
	uint32_t version;
	struct timer expiry, throttle;
	struct sip_client_txn *notify; /* on its way */
	void *user;
	char texts[];
};

/* NOTIFY now, without regard to the throttle. */
void sip_subscription_send(struct sip_subscription *sub);
/* Tell the user and free; no NOTIFY. */
void sip_subscription_gone(struct sip_subscription *sub, const char *reason);
