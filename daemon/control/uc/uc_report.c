/* SPDX-License-Identifier: Apache-2.0 */
/* uc_report.c - what smgr tells: the export document, replication, call records. */
#include "control/uc/uc.h"
#include "control/uc/uc_private.h"

#include "store/store.h"

#include <string.h>

/* A node that follows reports each 2 s. */
#define SILENT_MS "10000"

int uc_export(struct uc *uc, bool secrets, json_t **ret, struct error *err)
{
	static const char sql[] =
		"SELECT json_build_object('schema', 1, 'domain', s.domain, 'users', coalesce(("
		" SELECT json_agg(json_build_object('handle', u.handle, 'name', u.name,"
		"  'ha1', CASE WHEN $1::boolean AND u.realm = s.domain THEN"
		"   json_build_object('md5', u.ha1_md5, 'sha256', u.ha1_sha256) END,"
		"  'sip', CASE WHEN u.sip THEN json_build_object('max_contacts', u.max_contacts,"
		"   'sequence', q.name) END,"
		"  'station', CASE WHEN t.user_id IS NOT NULL THEN json_build_object("
		"   'extension', t.extension, 'appearances', t.appearances,"
		"   'restrict_last_appearance', t.restrict_last_appearance) END,"
		"  'presence', CASE WHEN p.user_id IS NOT NULL THEN"
		"   json_build_object('enabled', p.enabled) END) ORDER BY u.handle)"
		" FROM users u LEFT JOIN application_sequences q ON q.id = u.sequence_id"
		" LEFT JOIN stations t ON t.user_id = u.id"
		" LEFT JOIN presence_profiles p ON p.user_id = u.id), '[]'),"
		" 'sip_entities', coalesce((SELECT json_agg(json_build_object('name', name,"
		"  'type', type, 'address', address, 'port', port, 'transport', transport,"
		"  'trusted', trusted) ORDER BY name) FROM sip_entities), '[]'),"
		" 'application_sequences', coalesce((SELECT json_agg(json_build_object("
		"  'name', a.name, 'entities', coalesce((SELECT json_agg(json_build_object("
		"   'name', e.name, 'mandatory', m.mandatory) ORDER BY m.position)"
		"   FROM application_sequence_entities m JOIN sip_entities e ON e.id = m.entity_id"
		"   WHERE m.sequence_id = a.id), '[]')) ORDER BY a.name)"
		"  FROM application_sequences a), '[]'),"
		" 'dial_plan', coalesce((SELECT json_agg(json_build_object('match', match,"
		"  'length', length, 'type', type) ORDER BY match, length) FROM dial_plan), '[]'))"
		" FROM settings s";
	AUTO(store_rows) struct store_rows *rows = NULL;
	json_t *document, *user;
	size_t i;
	int r = store_query(uc->db, sql, (const char *[]){ secrets ? "t" : "f" }, 1, &rows, err);

	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return error_set(err, -EAGAIN, "the smgr database is not set up yet");
	document = store_rows_json(rows, 0, 0);
	if (!document)
		return error_set(err, -ENOMEM, "out of memory");
	json_array_foreach(json_object_get(document, "users"), i,
			   user) if (json_is_null(json_object_get(user, "ha1")))
		json_object_del(user, "ha1");
	*ret = document;
	return 0;
}

/* Without smgr: what the node itself says of its copy. */
static json_t *node_without_smgr(struct uc *uc, size_t i, const char *reason)
{
	AUTO(json) json_t *health = NULL;
	struct error ignored = { 0 };
	json_t *version = NULL;
	int status = 0;

	if (uc_node_get(uc, uc_node_names[i], "/health", &status, &health, &ignored) == 0)
		version = json_object_get(json_object_get(health, "replica"), "version");
	return json_pack("{s:s,s:s,s:O?,s:n,s:n,s:s}", "node", uc_node_names[i], "state",
			 "unreachable", "version", version, "smgr_version", "lag_ms", "last_error",
			 reason);
}

static int replication_without_smgr(struct uc *uc, const char *reason, json_t **ret,
				    struct error *err)
{
	AUTO(json) json_t *items = json_array();

	for (size_t i = 0; i < UC_NODES; i++)
		if (uc->management[i] &&
		    json_array_append_new(items, node_without_smgr(uc, i, reason)) < 0)
			return error_set(err, -ENOMEM, "out of memory");
	*ret = TAKE(items);
	return 0;
}

int uc_replication(struct uc *uc, json_t **ret, struct error *err)
{
	static const char sql[] =
		"WITH newest AS (SELECT node, max(version) AS version FROM replica.versions"
		" GROUP BY node), behind AS (SELECT v.node, min(v.changed_at) AS since"
		" FROM replica.versions v LEFT JOIN replica.node_report r USING (node)"
		" WHERE v.version > coalesce(r.version, 0) GROUP BY v.node)"
		" SELECT n.node, json_build_object('node', n.node, 'state', CASE"
		"  WHEN r.node IS NULL OR r.reported_at < clock_timestamp() - interval '" SILENT_MS
		" ms' THEN 'unreachable' WHEN r.version >= n.version THEN 'in_sync'"
		"  ELSE 'lagging' END, 'version', r.version, 'smgr_version', n.version,"
		" 'lag_ms', CASE WHEN r.version >= n.version THEN 0 ELSE"
		"  (extract(epoch FROM clock_timestamp() - b.since) * 1000)::bigint END,"
		" 'last_error', r.error)"
		" FROM newest n LEFT JOIN behind b USING (node)"
		" LEFT JOIN replica.node_report r USING (node)";
	AUTO(store_rows) struct store_rows *rows = NULL;
	AUTO(json) json_t *items = json_array();
	struct error why = { 0 };
	int r = store_query(uc->db, sql, NULL, 0, &rows, &why);

	if (r < 0)
		return replication_without_smgr(uc, error_text(&why, r), ret, err);
	for (size_t i = 0; i < UC_NODES; i++)
		for (size_t k = 0; uc->management[i] && k < store_rows_count(rows); k++)
			if (strcmp(store_rows_text(rows, k, 0), uc_node_names[i]) == 0 &&
			    json_array_append_new(items, store_rows_json(rows, k, 1)) < 0)
				return error_set(err, -ENOMEM, "out of memory");
	*ret = TAKE(items);
	return 0;
}
