/* SPDX-License-Identifier: Apache-2.0 */
/* appliance.h - what this box is: its one row in the database, and the resource made of it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/json_field.h"
#include "control/setup/zone.h"

struct appliance; /* opaque, see appliance.c */
struct change;
struct store;
struct uc;
struct vm_manager;

enum { APPLIANCE_NAME_MAX = 64 }; /* characters */

/* Pieces are borrowed and must outlive it; vms and uc may be NULL. Texts are copied. */
struct appliance_config {
	struct store *store;
	struct vm_manager *vms;
	struct uc *uc;
	const char *host_name;	  /* the name until one is given */
	const char *network_text; /* JSON object for the resource, or NULL */
	int64_t started_ms;	  /* wall clock */
};
int appliance_new(const struct appliance_config *config, struct appliance **ret, struct error *err);
struct appliance *appliance_free(struct appliance *a);

/* The row. Name and zone are the host's where none was given. */
struct appliance_row {
	char name[4 * APPLIANCE_NAME_MAX + 1];
	char time_zone[ZONE_NAME_MAX + 1];
	bool name_given, zone_given, finished;
	int64_t version;
};
int appliance_read(struct appliance *a, struct appliance_row *ret, struct error *err);
/* A name that people may give: `check` of its field. Errors: -EINVAL. */
int appliance_name_check(const char *name, struct error *err);

/* The resource of GET /appliance; the caller owns it. */
int appliance_json(struct appliance *a, const struct appliance_row *row, json_t **ret,
		   struct error *err);
/* The state of each part, a new reference; *status is that of the whole: "ok", "degraded", "failed". */
json_t *appliance_components(struct appliance *a, const char **status);

/* What to write; NULL and false leave a member alone. */
struct appliance_change {
	const char *name, *time_zone;
	bool finish; /* the first run is over */
};
/* Row becomes what it will be with the change, *ret the resource then. Writes nothing: it asks the
 * parts how they are, which is nothing to do inside of a transaction. */
int appliance_next(struct appliance *a, const struct appliance_change *what,
		   struct appliance_row *row, json_t **ret, struct error *err);
/* Write it in change, with the event, if the row is still of that version (the one before
 * appliance_next()). Errors: -ESTALE. */
int appliance_write(struct change *change, const struct appliance_change *what, int64_t version,
		    const json_t *resource, struct error *err);
