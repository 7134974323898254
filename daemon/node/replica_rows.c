/* SPDX-License-Identifier: Apache-2.0 */
/* replica_rows.c - pulls changed rows, and composes the /uc/export document of what is there. */
#include "node/replica_rows.h"

#include "base/json_field.h"
#include "node/replica.h"
#include "node/uc_model.h"
#include "store/local_db.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#define SET_LIMIT 32

static const struct {
	const char *name;
	uint32_t bit;
} sets_known[] = {
	{ "users", UC_SET_USERS },
	{ "stations", UC_SET_STATIONS },
	{ "presence_profiles", UC_SET_PRESENCE },
	{ "sip_entities", UC_SET_ENTITIES },
	{ "application_sequences", UC_SET_SEQUENCES },
	{ "dial_plan", UC_SET_DIAL_PLAN },
	{ "settings", UC_SET_SETTINGS | UC_SET_ROUTING | UC_SET_FIREWALL },
	{ "domains", UC_SET_ROUTING },
	{ "locations", UC_SET_ROUTING },
	{ "adaptations", UC_SET_ROUTING },
	{ "entity_links", UC_SET_ENTITIES },
	{ "time_ranges", UC_SET_ROUTING },
	{ "routing_policies", UC_SET_ROUTING },
	{ "dial_patterns", UC_SET_ROUTING },
	{ "regular_expressions", UC_SET_ROUTING },
	{ "implicit_users", UC_SET_ROUTING },
	{ "firewall_rules", UC_SET_FIREWALL },
};

/* The lists of the document that are one row set each. */
static const char *const lists[] = {
	"sip_entities",	    "application_sequences", "dial_plan",	    "domains",
	"locations",	    "adaptations",	     "entity_links",	    "time_ranges",
	"routing_policies", "dial_patterns",	     "regular_expressions", "implicit_users",
	"firewall_rules",
};

static uint32_t set_bit(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(sets_known); i++)
		if (strcmp(sets_known[i].name, name) == 0)
			return sets_known[i].bit;
	return 0;
}

struct pull {
	const char *role;
	int64_t have[SET_LIMIT];     /* per row of `versions` */
	struct store_rows *versions; /* row_set, version */
	struct store_rows *rows;     /* row_set, key, version, deleted, doc */
	int64_t since;		     /* rows newer than this were read */
	bool anew;		     /* the file is newer than smgr: copy all */
	struct local_db *db;
};

static int local_version(struct local_db *db, const char *set, int64_t *ret, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = local_db_query(db, "SELECT version FROM replica_set WHERE row_set = ?1",
			       (const char *[]){ set }, 1, &rows, err);

	if (r < 0)
		return r;
	*ret = store_rows_count(rows) ? store_rows_i64(rows, 0, 0, -1) : -1;
	return 0;
}

/* What must be read: the least version among the sets that differ. */
static int compare(struct pull *pull, bool *differs, struct error *err)
{
	size_t count = store_rows_count(pull->versions);
	int r;

	*differs = false;
	pull->anew = false;
	pull->since = INT64_MAX;
	if (count > SET_LIMIT)
		return error_set(err, -EPROTO, "smgr names too many row sets");
	for (size_t i = 0; i < count; i++) {
		int64_t theirs = store_rows_i64(pull->versions, i, 1, 0);

		r = local_version(pull->db, store_rows_text(pull->versions, i, 0), &pull->have[i],
				  err);
		if (r < 0)
			return r;
		if (pull->have[i] == theirs)
			continue;
		*differs = true;
		pull->anew = pull->anew || pull->have[i] > theirs;
		if (pull->have[i] < pull->since)
			pull->since = pull->have[i];
	}
	if (pull->anew)
		pull->since = -1;
	return 0;
}

/* Within one snapshot of smgr. */
static int read_smgr(struct store_tx *tx, void *user, struct error *err)
{
	struct pull *pull = user;
	char sql[192];
	bool differs = false;
	int r;

	pull->versions = store_rows_free(pull->versions);
	pull->rows = store_rows_free(pull->rows);
	r = store_tx_query(tx, "SELECT row_set, version FROM replica.versions WHERE node = $1",
			   (const char *[]){ pull->role }, 1, &pull->versions, err);
	if (r == 0)
		r = compare(pull, &differs, err);
	if (r < 0 || !differs)
		return r;
	/* the role is one of the program's own names, never input */
	snprintf(sql, sizeof(sql),
		 "SELECT row_set, key, version, deleted, doc::text"
		 " FROM replica.%s_rows WHERE version > $1::bigint",
		 pull->role);
	return store_tx_query(tx, sql, (const char *[]){ store_num(pull->since) }, 1, &pull->rows,
			      err);
}

static int write_row(struct local_db *db, const struct store_rows *rows, size_t i,
		     struct error *err)
{
	static const char put[] = "INSERT OR REPLACE INTO replica_row (row_set, key, version, doc)"
				  " VALUES (?1, ?2, ?3, ?4)";
	static const char del[] = "DELETE FROM replica_row WHERE row_set = ?1 AND key = ?2";
	const char *params[] = { store_rows_text(rows, i, 0), store_rows_text(rows, i, 1),
				 store_rows_text(rows, i, 2), store_rows_text(rows, i, 4) };

	if (store_rows_bool(rows, i, 3) || !params[3])
		return local_db_exec(db, del, params, 2, err);
	return local_db_exec(db, put, params, 4, err);
}

static int write_local(struct pull *pull, uint32_t *sets, struct error *err)
{
	static const char set_version[] =
		"INSERT OR REPLACE INTO replica_set (row_set, version) VALUES (?1, ?2)";
	int r = 0;

	if (pull->anew)
		r = local_db_exec(pull->db, "DELETE FROM replica_row", NULL, 0, err);
	for (size_t i = 0; r >= 0 && i < store_rows_count(pull->rows); i++)
		r = write_row(pull->db, pull->rows, i, err);
	for (size_t i = 0; r >= 0 && i < store_rows_count(pull->versions); i++) {
		const char *set = store_rows_text(pull->versions, i, 0);
		const char *version = store_rows_text(pull->versions, i, 1);

		if (!pull->anew && pull->have[i] == store_rows_i64(pull->versions, i, 1, 0))
			continue;
		*sets |= set_bit(set);
		r = local_db_exec(pull->db, set_version, (const char *[]){ set, version }, 2, err);
	}
	return r;
}

static int apply_local(struct pull *pull, uint32_t *sets, struct error *err)
{
	uint32_t changed = 0;
	int r = local_db_begin(pull->db, err);

	if (r < 0)
		return r;
	r = write_local(pull, &changed, err);
	if (r < 0) {
		local_db_rollback(pull->db);
		return r;
	}
	r = local_db_commit(pull->db, err);
	if (r == 0)
		*sets = changed;
	return r;
}

int replica_rows_pull(struct store *smgr, struct local_db *db, const char *role, uint32_t *sets,
		      int64_t *version, struct error *err)
{
	struct pull pull = { .role = role, .db = db };
	int r = store_tx_run(smgr, true, read_smgr, &pull, err);

	*sets = 0;
	if (r >= 0 && pull.rows)
		r = apply_local(&pull, sets, err);
	if (r >= 0) {
		*version = 0;
		for (size_t i = 0; i < store_rows_count(pull.versions); i++)
			if (store_rows_i64(pull.versions, i, 1, 0) > *version)
				*version = store_rows_i64(pull.versions, i, 1, 0);
	}
	store_rows_free(pull.rows);
	store_rows_free(pull.versions);
	return r < 0 ? r : 0;
}

/* The rows of one set as {key: doc}, in the order of keys. */
static int load_set(struct local_db *db, const char *set, json_t **ret, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	AUTO(json) json_t *object = json_object();
	int r = local_db_query(db,
			       "SELECT key, doc FROM replica_row WHERE row_set = ?1 ORDER BY key",
			       (const char *[]){ set }, 1, &rows, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < store_rows_count(rows); i++) {
		json_t *doc = store_rows_json(rows, i, 1);

		if (!json_is_object(doc)) {
			json_decref(doc);
			return error_set(err, -EUCLEAN, "a row of the replica is damaged");
		}
		if (json_object_set_new(object, store_rows_text(rows, i, 0), doc) < 0)
			return error_set(err, -ENOMEM, "out of memory");
	}
	*ret = TAKE(object);
	return 0;
}

static int add_list(struct local_db *db, json_t *document, const char *set, struct error *err)
{
	AUTO(json) json_t *rows = NULL;
	json_t *list = json_array();
	const char *key;
	json_t *doc;
	int r = load_set(db, set, &rows, err);

	json_object_foreach(rows, key, doc) json_array_append(list, doc);
	if (json_object_set_new(document, set, list) < 0 && r == 0)
		r = error_set(err, -ENOMEM, "out of memory");
	return r;
}

/* A user's station and presence have the user's key in their own sets. */
static int add_users(struct local_db *db, json_t *document, struct error *err)
{
	AUTO(json) json_t *users = NULL;
	AUTO(json) json_t *stations = NULL;
	AUTO(json) json_t *presence = NULL;
	json_t *list = json_array();
	const char *key;
	json_t *user;
	int r;

	json_object_set_new(document, "users", list);
	r = load_set(db, "users", &users, err);
	if (r == 0)
		r = load_set(db, "stations", &stations, err);
	if (r == 0)
		r = load_set(db, "presence_profiles", &presence, err);
	if (r < 0)
		return r;
	json_object_foreach(users, key, user)
	{
		json_t *station = json_object_get(stations, key);
		json_t *profile = json_object_get(presence, key);

		json_object_set(user, "station", station ? station : json_null());
		json_object_set(user, "presence", profile ? profile : json_null());
		if (json_array_append(list, user) < 0)
			return error_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int newest_version(struct local_db *db, int64_t *ret, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = local_db_query(db, "SELECT coalesce(max(version), 0) FROM replica_set", NULL, 0,
			       &rows, err);

	if (r == 0)
		*ret = store_rows_i64(rows, 0, 0, 0);
	return r;
}

int replica_load(struct local_db *db, const char *domain, struct uc_model **ret, int64_t *version,
		 struct error *err)
{
	AUTO(json) json_t *document = json_pack("{s:i,s:s}", "schema", 1, "domain", domain);
	AUTO(json) json_t *settings = NULL;
	const char *named;
	int r;

	if (!document)
		return error_set(err, -ENOMEM, "out of memory");
	r = load_set(db, "settings", &settings, err);
	if (r < 0)
		return r;
	named = json_string_value(json_object_get(json_object_get(settings, "true"), "domain"));
	if (named)
		json_object_set_new(document, "domain", json_string(named));
	if (json_object_get(settings, "true"))
		json_object_set(document, "settings", json_object_get(settings, "true"));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++)
		r = add_list(db, document, lists[i], err);
	if (r == 0)
		r = add_users(db, document, err);
	if (r == 0)
		r = newest_version(db, version, err);
	return r < 0 ? r : uc_model_new(document, ret, err);
}
