/* SPDX-License-Identifier: Apache-2.0 */
/* uc_report.c - what smgr tells: the export document, replication, call records. */
#include "control/uc/uc.h"
#include "control/uc/uc_private.h"
#include "control/uc/uc_rows.h"

#include "base/buf.h"
#include "store/store.h"

#include <string.h>

/* A node that follows reports each 5 s. */
#define SILENT_MS "15000"

/* The documents of a resource: by name, or in the order of their ids, which decides between equal
 * patterns. */
static void add_resource(struct buf *sql, const struct uc_resource *res)
{
	if (res == &uc_sip_entities)
		buf_add_str(sql,
			    ", 'sip_entities', coalesce((SELECT jsonb_agg("
			    "CASE WHEN $1::boolean AND g.password_sealed IS NOT NULL"
			    " THEN jsonb_set(e.doc, '{registration,password_sealed}',"
			    " to_jsonb(g.password_sealed))"
			    " ELSE e.doc END ORDER BY e.doc ->> 'name') FROM doc.sip_entities e"
			    " LEFT JOIN entity_registrations g ON g.entity_id = e.id), '[]')");
	else
		buf_printf(
			sql,
			", '%s', coalesce((SELECT jsonb_agg(doc ORDER BY %s) FROM doc.%s), '[]')",
			res->table, res->named ? "doc ->> 'name'" : "id", res->table);
}

static void select_export(struct buf *sql)
{
	buf_add_str(sql, "SELECT json_build_object('schema', 1, 'domain', s.domain,"
			 " 'settings', (SELECT doc FROM doc.settings)");
	for (size_t i = 0; i < uc_resource_count; i++)
		add_resource(sql, uc_resources[i]);
	buf_add_str(
		sql,
		", 'dial_plan', coalesce((SELECT json_agg(json_build_object('match', match,"
		"  'length', length, 'type', type) ORDER BY match, length) FROM dial_plan), '[]'),"
		" 'users', coalesce(("
		" SELECT json_agg(" UC_USER_EXPORT("$1::boolean") " ORDER BY u.handle)"
								  " FROM " UC_USER_EXPORT_TABLES
								  "), '[]'))"
								  " FROM settings s");
}

int uc_export(struct uc *uc, bool secrets, json_t **ret, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	AUTO_BUF sql = { 0 };
	json_t *document, *user;
	size_t i;
	int r;

	select_export(&sql);
	if (!buf_ok(&sql))
		return error_set(err, -ENOMEM, "out of memory");
	r = store_query(uc->db, sql.data, (const char *[]){ secrets ? "t" : "f" }, 1, &rows, err);
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
