/* SPDX-License-Identifier: Apache-2.0 */
/* token.c - see auth.h: API tokens as a resource. */
#include "base/buf.h"
#include "base/json_field.h"
#include "base/random.h"
#include "control/auth/audit.h"
#include "control/auth/auth_private.h"
#include "control/task/sql.h"
#include "store/listing_sql.h"

#include <stdio.h>

#define TOKEN_JSON                                                                                                             \
	"json_build_object('id', t.id, 'name', t.name, 'owner', a.name, 'scopes', to_json(t.scopes), "                         \
	"'expires_at', " SQL_TIME("t.expires_at") ", 'last_used_at', " SQL_TIME("t.last_used_at") ", 'created_at', " SQL_TIME( \
		"t.created_at") ", 'updated_at', " SQL_TIME("t.updated_at") ")"

/* "{vms:read,uc:read}": names hold nothing that an array literal would need quoted. */
static int scopes_literal(permissions scopes, struct buf *out, struct error *err)
{
	AUTO(json) json_t *names = permissions_json(scopes);
	json_t *name;
	size_t i;

	buf_add_char(out, '{');
	json_array_foreach(names, i, name)
	{
		if (i > 0)
			buf_add_char(out, ',');
		buf_add_str(out, json_string_value(name));
	}
	buf_add_char(out, '}');
	return names && buf_ok(out) ? 0 : error_set(err, -ENOMEM, "no memory for a token");
}

static int token_fetch(struct auth *auth, struct store_tx *tx, const struct actor *actor,
		       const char *id, json_t **ret, struct error *err)
{
	static const char sql[] =
		"SELECT " TOKEN_JSON
		" FROM token t JOIN admin a ON a.id = t.admin_id WHERE t.id = $1::uuid "
		"AND ($2::uuid IS NULL OR t.admin_id = $2::uuid)";
	AUTO(store_rows) struct store_rows *rows = NULL;
	const char *owner = actor_may(actor, "admins:read") ? NULL : actor->admin_id;
	int r;

	if (!uuid_is_valid(slice_str(id)))
		return error_set(err, -ENOENT, "there is no token '%s'", id);
	r = tx ? store_tx_query(tx, sql, (const char *[]){ id, owner }, 2, &rows, err)
	       : store_query(auth->store, sql, (const char *[]){ id, owner }, 2, &rows, err);
	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return error_set(err, -ENOENT, "there is no token '%s'", id);
	*ret = store_rows_json(rows, 0, 0);
	return *ret ? 0 : error_set(err, -ENOMEM, "no memory for a token");
}

/* Made on the local socket, where nobody is an administrator by name, it belongs to the first one. */
int token_create(struct auth *auth, struct change *change, const struct actor *actor,
		 const char *name, permissions scopes, int64_t expires_at, json_t **ret,
		 struct error *err)
{
	static const char sql[] =
		"INSERT INTO token (id, admin_id, name, secret_hash, scopes, expires_at) "
		"VALUES ($1::uuid, coalesce(nullif($2, '')::uuid, (SELECT id FROM admin "
		"WHERE role = 'admin' ORDER BY created_at, id LIMIT 1)), $3, $4, $5::text[], " SQL_FROM_MS(
			"$6") ")";
	char secret[AUTH_SECRET_SIZE] = "abx_", hash[AUTH_HASH_SIZE], id[UUID_SIZE];
	AUTO_BUF literal = { 0 };
	int r = scopes_literal(scopes, &literal, err);

	if (r < 0)
		return r;
	uuid_v7(id);
	random_token(secret + 4, 48);
	auth_secret_hash(secret, hash);
	r = store_tx_exec(change_tx(change), sql,
			  (const char *[]){ id, actor->admin_id, name, hash, literal.data,
					    expires_at ? store_num(expires_at) : NULL },
			  6, err);
	if (r == -EEXIST)
		return error_field(err, -EEXIST, "/name", "a token '%s' is there already", name);
	if (r < 0)
		return r;
	r = token_fetch(auth, change_tx(change), actor, id, ret, err);
	if (r == 0)
		r = change_event(change, "tokens", "token.created", id, json_deep_copy(*ret), err);
	if (r == 0 && json_object_set_new(*ret, "token", json_string(secret)) < 0)
		r = error_set(err, -ENOMEM, "no memory for a token");
	return r;
}

const struct listing token_listing = {
	.sort = "-id",
	.fields =
		(const struct listing_field[]){
			{ .name = "id", .kind = LISTING_ID, .use = LISTING_KEY, .column = "t.id" },
			{ .name = "name",
			  .use = LISTING_SORT | LISTING_SEARCH | LISTING_FILTER,
			  .column = "t.name",
			  .help = "Name" },
			{ .name = "owner",
			  .use = LISTING_FILTER,
			  .column = "a.name",
			  .help = "Name of the administrator" },
			{ .name = "created_at",
			  .kind = LISTING_TIME,
			  .use = LISTING_SORT,
			  .column = "t.created_at" },
			{ .name = NULL } },
};

int token_list(struct auth *auth, const struct actor *actor, const struct listing_query *query,
	       struct listing_page *ret, struct error *err)
{
	const struct store_listing source = {
		.item = TOKEN_JSON,
		.from = "token t JOIN admin a ON a.id = t.admin_id",
		.where = "($1::uuid IS NULL OR t.admin_id = $1::uuid)",
		.param = { actor_may(actor, "admins:read") ? NULL : actor->admin_id },
		.param_count = 1,
	};

	return store_listing(auth->store, &source, query, ret, err);
}

int token_get(struct auth *auth, const struct actor *actor, const char *id, json_t **ret,
	      struct error *err)
{
	return token_fetch(auth, NULL, actor, id, ret, err);
}

int token_delete(struct auth *auth, struct change *change, const struct actor *actor,
		 const char *id, struct error *err)
{
	json_t *token = NULL;
	int r = token_fetch(auth, change_tx(change), actor, id, &token, err);

	if (r == 0)
		r = change_event(change, "tokens", "token.deleted", id, token, err);
	if (r == 0)
		r = store_tx_exec(change_tx(change), "DELETE FROM token WHERE id = $1::uuid",
				  (const char *[]){ id }, 1, err);
	return r < 0 ? r : 0;
}
