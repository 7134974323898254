/* SPDX-License-Identifier: Apache-2.0 */
/* replica.h - follows smgr's rows into the local file and hands snapshots to the loop. */
#pragma once
#include "base/error.h"

#include "base/json_field.h"
#include <stdbool.h>
#include <stdint.h>

struct local_db;
struct loop;
struct replica;
struct store_config;
struct uc_model;

struct replica_config {
	const char *role;		 /* "sm": the view is replica.sm_rows */
	const struct store_config *smgr; /* copied by the store */
	const char *domain;		 /* used until smgr names one */
	struct local_db *db;		 /* borrowed; must outlive the replica */
	struct loop *loop;
	/* On the loop. One reference of model is the callee's; sets are UC_SET_* bits. */
	void (*apply)(void *user, struct uc_model *model, uint32_t sets);
	void *user;
};

/* Build the model from the local file alone: what a start without smgr serves. *version gets the
 * newest row's, 0 when there is none. Works on any thread. */
int replica_load(struct local_db *db, const char *domain, struct uc_model **ret, int64_t *version,
		 struct error *err);

/* Start following: a thread of its own compares versions each second and when smgr notifies,
 * writes rows and version to the file in one transaction, then posts the new snapshot. The same
 * thread delivers records (record.put) and reports (replica.report). */
int replica_new(const struct replica_config *config, struct replica **ret, struct error *err);
struct replica *replica_free(struct replica *replica); /* on the loop's thread */
DEFINE_AUTO(replica)
void replica_kick(void *replica); /* any thread: look now */
/* {state:"in_sync|lagging|unreachable|empty",version,last_error}; new reference. Any thread. */
json_t *replica_status(struct replica *replica);
