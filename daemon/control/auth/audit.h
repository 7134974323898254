/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h - one administrative change: a transaction that carries its audit row and its events. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/listing.h"

struct actor;
struct change; /* opaque, see audit.c */
struct error;
struct json_t; /* Jansson */
struct store;
struct store_tx;

/* Open a transaction for a change by actor: action is METHOD and path's pattern or "login",
 * target the resource. Texts are copied. The caller owns *ret. */
int change_begin(struct store *store, const struct actor *actor, const char *action,
		 const char *target, struct change **ret, struct error *err);
struct store_tx *change_tx(struct change *change);
/* Name the target when only the change itself knows it (a new id). */
void change_target(struct change *change, const char *target);
/* Note an event for the commit. Takes over data. */
int change_event(struct change *change, const char *topic, const char *type, const char *subject,
		 struct json_t *data, struct error *err);
/* Write the events and the audit row (result "ok"), commit. At least one event is there: without
 * any, one of topic "audit" is added. */
int change_commit(struct change *change, struct error *err);
struct change *change_free(struct change *change); /* rolls back what was not committed */
DEFINE_AUTO(change)

/* A row by itself, for what was refused or failed: result is the problem's code. */
int audit_write(struct store *store, const struct actor *actor, const char *action,
		const char *target, const char *result, struct error *err);
/* In a transaction that is open elsewhere. */
int audit_add(struct store_tx *tx, const struct actor *actor, const char *action,
	      const char *target, const char *result, struct error *err);

/* Rows {id, at, actor, action, target, address, result}, newest first. */
extern const struct listing audit_listing;
int audit_list(struct store *store, const struct listing_query *query, struct listing_page *ret,
	       struct error *err);
