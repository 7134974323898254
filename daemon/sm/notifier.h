/* SPDX-License-Identifier: Apache-2.0 */
/* notifier.h - the event packages that sm itself serves: reg (RFC 3680) from its bindings, dialog
 * (RFC 4235) and message-summary (RFC 3842) from what trusted links publish (RFC 3903). */
#pragma once
#include <stdbool.h>

#include "base/json_field.h"
#include "base/slice.h"
#include "sm/location.h"

struct error;
struct notifier; /* opaque, see notifier.c */
struct sip_incoming;
struct sm;
struct uc_model;
struct uc_user;

/* Errors: -ENOMEM. The stack must be there, and is freed after it. */
int notifier_new(struct sm *sm, struct notifier **ret, struct error *err);
struct notifier *notifier_free(struct notifier *notifier);

/* At start: what outlived a restart. Errors: as state_load(). */
int notifier_load(struct notifier *notifier, struct error *err);

/* Is it one of our packages? The value of an Event field; malformed: no. */
bool notifier_serves(const struct notifier *notifier, struct slice event);
/* "reg, dialog, message-summary", for Allow-Events. */
struct slice notifier_packages(void);

/* Who asks for whose state; the asker is authenticated or known by his link. */
struct notifier_request {
	const struct uc_user *asker; /* NULL: an entity */
	const struct uc_user *owner; /* NULL: nobody has that address: 404 */
	bool trusted;		     /* over a trusted link */
};
/* Serve a SUBSCRIBE or PUBLISH outside of a dialog for a package of ours; it is answered. */
void notifier_request(struct notifier *notifier, const struct sip_incoming *in,
		      const struct notifier_request *request);

/* A binding came, or will be gone in a moment. notifier may be NULL. */
void notifier_binding(struct notifier *notifier, enum location_event event, const char *handle,
		      const struct binding *binding);
/* Who is gone is watched and published no longer. */
void notifier_model_changed(struct notifier *notifier, const struct uc_model *old,
			    const struct uc_model *now);
size_t notifier_count(const struct notifier *notifier);
/* Items {handle,package,watcher,expires_in_s}; new reference, NULL without memory. */
json_t *notifier_to_json(const struct notifier *notifier);
