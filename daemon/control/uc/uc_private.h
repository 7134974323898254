/* SPDX-License-Identifier: Apache-2.0 */
/* uc_private.h - inside of struct uc, for the files of this folder. */
#pragma once
#include "control/uc/uc.h"

#include <stdint.h>

struct store;
struct uc_pages;
struct http_client;

struct uc {
	struct store *db;
	struct uc_pages *pages;
	struct http_client *http; /* to the management of the call servers */
	char *sql_dir;
	char *sip_domain;
	char *address[UC_NODES]; /* of sm, cm, presence */
	char *management[UC_NODES];
	uint8_t secrets_key[32]; /* of sealed passwords (net/seal.h) */
	bool (*ready)(void *user, const char *node);
	void *user;
};

extern const char *const uc_node_names[UC_NODES];
/* Timestamps as the API shows them. */
#define UC_TIME(column)                                                                            \
	"to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

/* A user as an export holds it, with HA1s where `secrets` (an SQL expression) says so. */
#define UC_USER_EXPORT(secrets)                                                                    \
	"json_build_object('handle', u.handle, 'name', u.name, 'location', u.location,"            \
	" 'ha1', CASE WHEN " secrets " AND u.realm = s.domain THEN"                                \
	"  json_build_object('md5', u.ha1_md5, 'sha256', u.ha1_sha256) END,"                       \
	" 'sip', CASE WHEN u.sip THEN json_build_object('max_contacts', u.max_contacts,"           \
	"  'sequence', q.name) END,"                                                               \
	" 'station', CASE WHEN t.user_id IS NOT NULL THEN json_build_object("                      \
	"  'extension', t.extension, 'appearances', t.appearances,"                                \
	"  'restrict_last_appearance', t.restrict_last_appearance) END,"                           \
	" 'presence', CASE WHEN p.user_id IS NOT NULL THEN"                                        \
	"  json_build_object('enabled', p.enabled) END)"
/* Beside settings s. */
#define UC_USER_EXPORT_TABLES                                                                      \
	"users u LEFT JOIN application_sequences q ON q.id = u.sequence_id"                        \
	" LEFT JOIN stations t ON t.user_id = u.id"                                                \
	" LEFT JOIN presence_profiles p ON p.user_id = u.id"

/* Which state of the rows that call servers copy (sql/uc: replica.bump) a statement sees, and of which
 * database: no other history has this version by this transaction of this run of the server. */
#define UC_STATE                                                                                   \
	"(SELECT concat_ws('/', version, xact, pg_postmaster_start_time()) FROM replica.counter)"
