/* SPDX-License-Identifier: Apache-2.0 */
/* admin.c - see auth.h: administrators as a resource. */
#include "base/json_field.h"
#include "base/random.h"
#include "control/auth/audit.h"
#include "control/auth/auth_private.h"
#include "control/task/sql.h"
#include "net/password.h"
#include "store/listing_sql.h"

#define ADMIN_JSON                                                                                 \
	"json_build_object('id', id, 'name', name, 'role', role, 'must_change_password', "         \
	"must_change_password, 'created_at', " SQL_TIME("created_at") ", 'updated_at', " SQL_TIME( \
		"updated_at") ")"

/* Demotions and removals of administrators follow one another: each sees what the last one left. */
static int lock_admins(struct store_tx *tx, struct error *err)
{
	return store_tx_exec(tx, "LOCK TABLE admin IN SHARE ROW EXCLUSIVE MODE", NULL, 0, err);
}

static int one_admin_left(struct store_tx *tx, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_tx_query(tx, "SELECT count(*) FROM admin WHERE role = 'admin'", NULL, 0,
			       &rows, err);

	if (r < 0)
		return r;
	if (store_rows_i64(rows, 0, 0, 0) == 0)
		return error_set(err, -EBUSY, "the last administrator with role admin must stay");
	return 0;
}

static int take_json(const struct store_rows *rows, json_t **ret, struct error *err)
{
	*ret = store_rows_json(rows, 0, 0);
	return *ret ? 0 : error_set(err, -ENOMEM, "no memory for an administrator");
}

static int changed(struct change *change, const char *type, const json_t *admin, struct error *err)
{
	const char *id = json_string_value(json_object_get(admin, "id"));

	return change_event(change, "admins", type, id ? id : "", json_deep_copy(admin), err);
}

static int taken(int r, const char *name, struct error *err)
{
	if (r != -EEXIST)
		return r;
	return error_field(err, -EEXIST, "/name", "an administrator '%s' is there already", name);
}

int admin_create(struct auth *auth, struct change *change, const struct admin_change *spec,
		 json_t **ret, struct error *err)
{
	static const char sql[] =
		"INSERT INTO admin (id, name, role, password_hash, must_change_password) "
		"VALUES ($1::uuid, $2, $3, $4, $5::boolean) RETURNING " ADMIN_JSON;
	AUTO(store_rows) struct store_rows *rows = NULL;
	char id[UUID_SIZE], hash[PASSWORD_HASH_LEN];
	int r = auth_password_rule(spec->password, "/password", err);

	if (r == 0)
		r = auth_password_hash(auth, spec->password, hash, err);
	if (r < 0)
		return r;
	uuid_v7(id);
	r = store_tx_query(change_tx(change), sql,
			   (const char *[]){ id, spec->name, role_name((enum role)spec->role), hash,
					     spec->must_change_password == 1 ? "true" : "false" },
			   5, &rows, err);
	if (r < 0)
		return taken(r, spec->name, err);
	r = take_json(rows, ret, err);
	return r < 0 ? r : changed(change, "admin.created", *ret, err);
}

int admin_get(struct auth *auth, const char *admin, json_t **ret, int64_t *version,
	      struct error *err)
{
	static const char sql[] =
		"SELECT " ADMIN_JSON ", version FROM admin WHERE name = $1 OR id::text = $1";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_query(auth->store, sql, (const char *[]){ admin }, 1, &rows, err);

	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return error_set(err, -ENOENT, "there is no administrator '%s'", admin);
	*version = store_rows_i64(rows, 0, 1, 0);
	return take_json(rows, ret, err);
}

const struct listing admin_listing = {
	.sort = "name",
	.fields =
		(const struct listing_field[]){
			{ .name = "name",
			  .use = LISTING_KEY | LISTING_SORT | LISTING_SEARCH | LISTING_FILTER,
			  .help = "Name" },
			{ .name = "role",
			  .kind = LISTING_WORD,
			  .use = LISTING_FILTER,
			  .words = role_names,
			  .help = "Role" },
			{ .name = "created_at", .kind = LISTING_TIME, .use = LISTING_SORT },
			{ .name = NULL } },
};

int admin_list(struct auth *auth, const struct listing_query *query, struct listing_page *ret,
	       struct error *err)
{
	static const struct store_listing source = { .item = ADMIN_JSON, .from = "admin" };

	return store_listing(auth->store, &source, query, ret, err);
}

int admin_update(struct auth *auth, struct change *change, const char *admin, int64_t version,
		 const struct admin_change *spec, json_t **ret, struct error *err)
{
	static const char sql[] =
		"UPDATE admin SET name = coalesce($3, name), role = coalesce($4, role), "
		"password_hash = coalesce($5, password_hash), "
		"must_change_password = coalesce($6::boolean, must_change_password), "
		"version = version + 1, updated_at = now() "
		"WHERE (name = $1 OR id::text = $1) AND version = $2::bigint RETURNING " ADMIN_JSON
		", id";
	static const char end_sessions[] = "DELETE FROM session WHERE admin_id = $1::uuid";
	AUTO(store_rows) struct store_rows *rows = NULL;
	const char *must = spec->must_change_password < 0 ? NULL
			   : spec->must_change_password	  ? "true"
							  : "false";
	const char *role = spec->role < 0 ? NULL : role_name((enum role)spec->role);
	char hash[PASSWORD_HASH_LEN];
	int r = 0;

	if (spec->password) {
		r = auth_password_rule(spec->password, "/password", err);
		if (r == 0)
			r = auth_password_hash(auth, spec->password, hash, err);
	}
	if (r == 0)
		r = lock_admins(change_tx(change), err);
	if (r >= 0)
		r = store_tx_query(change_tx(change), sql,
				   (const char *[]){ admin, store_num(version), spec->name, role,
						     spec->password ? hash : NULL, must },
				   6, &rows, err);
	if (r < 0)
		return taken(r, spec->name ? spec->name : "", err);
	if (store_rows_count(rows) == 0)
		return error_set(err, -ESTALE, "the administrator has changed since it was read");
	r = one_admin_left(change_tx(change), err);
	/* A new password or role: whoever is logged in so far is not. */
	if (r == 0 && (spec->password || role))
		r = store_tx_exec(change_tx(change), end_sessions,
				  (const char *[]){ store_rows_text(rows, 0, 1) }, 1, err);
	if (r >= 0)
		r = take_json(rows, ret, err);
	return r < 0 ? r : changed(change, "admin.changed", *ret, err);
}

int admin_delete(struct auth *auth, struct change *change, const char *admin, int64_t version,
		 struct error *err)
{
	static const char sql[] =
		"DELETE FROM admin WHERE (name = $1 OR id::text = $1) "
		"AND ($2::bigint = -1 OR version = $2::bigint) RETURNING " ADMIN_JSON;
	AUTO(store_rows) struct store_rows *rows = NULL;
	AUTO(json) json_t *gone = NULL;
	int r = lock_admins(change_tx(change), err);

	(void)auth;
	if (r >= 0)
		r = store_tx_query(change_tx(change), sql,
				   (const char *[]){ admin, store_num(version) }, 2, &rows, err);
	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return error_set(err, -ENOENT, "there is no administrator '%s'", admin);
	r = one_admin_left(change_tx(change), err);
	if (r == 0)
		r = take_json(rows, &gone, err);
	return r < 0 ? r : changed(change, "admin.deleted", gone, err);
}
