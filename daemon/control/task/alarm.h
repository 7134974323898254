/* SPDX-License-Identifier: Apache-2.0 */
/* alarm.h - what needs a hand: raised and cleared by code and target, acknowledged by people. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/listing.h"

struct alarms; /* opaque, see alarm.c */
struct error;
struct json_t; /* Jansson */
struct job_pool;
struct loop;
struct store;
struct store_tx;

enum alarm_severity { ALARM_WARNING, ALARM_MAJOR, ALARM_CRITICAL };

struct alarm_raise {
	const char *code;   /* "vm_crashed": stable */
	const char *target; /* "vms/cm" */
	enum alarm_severity severity;
	const char *detail;	/* one sentence: the cause */
	const char *resolution; /* one sentence: the remedy */
};

/* Load what is active. The database may be down: then what it held joins later. Errors: -ENOMEM. */
int alarms_new(struct store *store, struct alarms **ret, struct error *err);
struct alarms *alarms_free(struct alarms *alarms);

/* Any thread; never blocks and never fails: the log line (alarm.raised, alarm.cleared) is written
 * at once, rows and events follow from alarms' own thread, also after a database outage. Raising
 * what is active already updates its detail and count alone; clearing what is not does nothing. */
void alarm_raise(struct alarms *alarms, const struct alarm_raise *alarm);
void alarm_clear(struct alarms *alarms, const char *code, const char *target);
/* Clear all alarms of a target, as when a VM is deleted. */
void alarm_clear_target(struct alarms *alarms, const char *target);

/* For the API; any worker thread. Resource: {id, code, target, severity: warning|major|critical,
 * state: active|cleared, detail, resolution, count, raised_at, updated_at, cleared_at,
 * acknowledged_at, acknowledged_by}. */
extern const struct listing alarm_listing;
int alarm_list(struct alarms *alarms, const struct listing_query *query, struct listing_page *ret,
	       struct error *err);
int alarm_get(struct alarms *alarms, const char *id, struct json_t **ret, struct error *err);
/* Mark as seen by actor in tx. Errors: -ENOENT; -EBUSY acknowledged already. */
int alarm_acknowledge(struct alarms *alarms, struct store_tx *tx, const char *id, const char *actor,
		      struct json_t **ret, struct error *err);
/* Active alarms by severity, for /healthz and metrics; any thread. */
void alarms_counts(struct alarms *alarms, uint32_t counts[3]);
