/* SPDX-License-Identifier: Apache-2.0 */
/* uc.h - administration of users and calls: the smgr database, and the call servers behind it. */
#pragma once
#include "base/error.h"
#include "base/json_field.h"
#include "base/listing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uc;

/* Every call below may block: job threads only. -EAGAIN (503) means smgr or a call server cannot
 * be reached. A JSON result is a new reference, exactly the API's resource or list item. */

#define UC_NODES 3 /* sm, cm, presence */

/* Everything is copied. */
struct uc_config {
	const char *database;  /* URL of database uc in smgr, "postgresql://10.77.0.10/uc" */
	const char *sql_dir;   /* …/sql/uc */
	const char *ca_file;   /* box CA; NULL: no TLS at all (tests on a unix socket) */
	const char *cert_file; /* CN auraboxd */
	const char *key_file;
	const char *secrets_file; /* key of sealed passwords; NULL: a new one each time (tests) */
	const char *sip_domain;	  /* default of the settings row */
	/* Service addresses of the SIP entities made when absent. */
	const char *sm_address;
	const char *cm_address;
	const char *presence_address;
	/* Management API: "https://10.77.0.11:7443" or "unix:/path"; NULL when not deployed. */
	const char *management[UC_NODES];
	/* Is that node there to be asked? What would wait for all in vain looks first. NULL: yes. */
	bool (*ready)(void *user, const char *node);
	void *user;
};

int uc_open(const struct uc_config *config, struct uc **ret, struct error *err);
struct uc *uc_free(struct uc *uc); /* no job may use it any more */
DEFINE_AUTO(uc)

/* Call when smgr has become ready, and after each (re)start of auraboxd: migrates sql/uc and makes
 * the default rows that are absent. Safe at any time, from several threads. */
int uc_migrate(struct uc *uc, struct error *err);
/* One row for alarms and health: -EAGAIN when the database does not answer. */
int uc_ping(struct uc *uc, struct error *err);
/* How many users there are, and whether a call has ever been answered. */
int uc_totals(struct uc *uc, int64_t *people, bool *called, struct error *err);

/* Users ------------------------------------------------------------------------------------ */
/* Bodies of POST and PATCH, for the route table and OpenAPI. */
extern const struct json_field uc_user_create_fields[];
extern const struct json_field uc_user_patch_fields[];

/* A handle as those bodies take it. Errors: -EINVAL. */
#define UC_HANDLE_PATTERN "^[^\\s/%@<>\";?&]+$"
int uc_handle_check(const char *value, struct error *err);

/* A row's version for its ETag goes to *version. key is the id (UUID) or the handle.
 * Errors: -EINVAL with err->field, -EEXIST handle or extension taken (name_taken), -ENOENT,
 * -ESTALE if_version differs; if_version 0: not asked for. */
int uc_user_create(struct uc *uc, const json_t *body, json_t **ret, int64_t *version,
		   struct error *err);
int uc_user_get(struct uc *uc, const char *key, json_t **ret, int64_t *version, struct error *err);
int uc_user_patch(struct uc *uc, const char *key, const json_t *patch, int64_t if_version,
		  json_t **ret, int64_t *version, struct error *err);
/* What the user would be after a create (key NULL) or a patch: all rules are asked, nothing is kept. */
int uc_user_try(struct uc *uc, const char *key, const json_t *input, int64_t if_version,
		json_t **ret, struct error *err);
int uc_user_delete(struct uc *uc, const char *key, int64_t if_version, struct error *err);

extern const struct listing uc_user_listing;
int uc_user_list(struct uc *uc, const struct listing_query *query, struct listing_page *ret,
		 struct error *err);

/* The rest ------------------------------------------------------------------------------------- */
/* The whole document of DESIGN §13; HA1s only where `secrets`. */
int uc_export(struct uc *uc, bool secrets, json_t **ret, struct error *err);
/* Array of {node,state,version,smgr_version,lag_ms,last_error}, one a deployed node. Works, with
 * `unreachable`, when smgr is off. */
int uc_replication(struct uc *uc, json_t **ret, struct error *err);

/* Call records, newest first; each with its halves. handle: caller or callee, NULL: any. */
extern const struct listing uc_cdr_listing;
int uc_cdr_list(struct uc *uc, const char *handle, const struct listing_query *query,
		struct listing_page *ret, struct error *err);
/* One record. Errors: -ENOENT. */
int uc_cdr_find(struct uc *uc, const char *gsid, json_t **ret, struct error *err);
/* Calls that began in [from_ms, to_ms), counted by step_s: {from,to,step_s,buckets:[{at,attempts,
 * answered,failed,busy,no_answer,cancelled,talk_s}]}, the empty ones too. At most UC_BUCKETS_MAX:
 * who asks has counted. */
enum { UC_BUCKETS_MAX = 500 };
int uc_cdr_summary(struct uc *uc, int64_t from_ms, int64_t to_ms, uint32_t step_s, json_t **ret,
		   struct error *err);

/* Live state, asked of the call servers: registrations from sm, calls from cm. Arrays. */
int uc_registrations(struct uc *uc, json_t **ret, struct error *err);
int uc_calls(struct uc *uc, json_t **ret, struct error *err);
/* What sm knows of its SIP entities: address, link, why. An array. */
int uc_entities_live(struct uc *uc, json_t **ret, struct error *err);
/* GET of a node's management path ("/v1/trace?limit=5"); *status gets the HTTP status. */
int uc_node_get(struct uc *uc, const char *node, const char *path, int *status, json_t **ret,
		struct error *err);
int uc_node_post(struct uc *uc, const char *node, const char *path, const json_t *body, int *status,
		 json_t **ret, struct error *err);
/* Where a call would go, and each decision: asked of sm. Errors also: -EINVAL sm does not understand
 * the question. */
int uc_route_test(struct uc *uc, const json_t *question, json_t **ret, struct error *err);
/* The SIP firewall of sm as it is now; who is in quarantine let go: {address} or {} for all. */
int uc_firewall(struct uc *uc, json_t **ret, struct error *err);
/* The key of sealed passwords, to sm. */
int uc_secret_give(struct uc *uc, struct error *err);
int uc_firewall_let_go(struct uc *uc, const json_t *body, json_t **ret, struct error *err);

/* What there is one of: {domain (read only), better_match_all_overrides, emergency_unauthenticated,
 * outbound_proxy, updated_at}. Errors as of rows (uc_rows.h). */
extern const struct json_field uc_settings_patch_fields[];
int uc_settings_get(struct uc *uc, json_t **ret, int64_t *version, struct error *err);
int uc_settings_patch(struct uc *uc, const json_t *patch, int64_t if_version, bool try,
		      json_t **ret, int64_t *version, struct error *err);
