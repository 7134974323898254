/* SPDX-License-Identifier: Apache-2.0 */
/* uc_rows.c - see uc_rows.h: the SQL of any resource, made of its table's texts; values are always
 * parameters, and the document is one of them. */
#include "control/uc/uc_rows.h"
#include "control/uc/uc_private.h"
#include "control/uc/uc_rows_private.h"

#include "base/buf.h"
#include "base/random.h"
#include "store/listing_sql.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#define KEY(res, key)                                                                              \
	((const char *[]){ (res)->named ? (key) : NULL,                                            \
			   uuid_is_valid(slice_str(key)) ? (key) : NULL })
/* The resource out of view doc.TABLE as v. */
#define ROW_JSON                                                                                   \
	"v.doc || jsonb_build_object('id', v.id, 'created_at', " UC_TIME(                          \
		"v.created_at") ", 'updated_at', " UC_TIME("v.updated_at") ")"

/* A column's value out of the document d. */
static void add_value(struct buf *sql, const struct uc_column *c)
{
	const char *path = c->path ? c->path : c->name;

	switch (c->kind) {
	case UC_TEXT:
		buf_printf(sql, "d #>> '{%s}'", path);
		break;
	case UC_INTEGER:
		buf_printf(sql, "(d #>> '{%s}')::integer", path);
		break;
	case UC_BOOLEAN:
		buf_printf(sql, "(d #>> '{%s}')::boolean", path);
		break;
	case UC_TEXTS:
		buf_printf(sql,
			   "CASE WHEN jsonb_typeof(d #> '{%s}') = 'array' THEN"
			   " ARRAY(SELECT jsonb_array_elements_text(d #> '{%s}')) END",
			   path, path);
		break;
	}
}

static int run(struct store_tx *tx, struct buf *sql, const char *const *params, size_t n,
	       struct error *err)
{
	if (!buf_ok(sql))
		return error_set(err, -ENOMEM, "out of memory");
	return store_tx_exec(tx, sql->data, params, n, err);
}

static int insert(struct store_tx *tx, const struct uc_resource *res, const char *id,
		  const char *document, struct error *err)
{
	AUTO_BUF sql = { 0 };

	buf_printf(&sql, "INSERT INTO %s (id", res->table);
	for (const struct uc_column *c = res->columns; c->name; c++)
		buf_printf(&sql, ", \"%s\"", c->name);
	buf_add_str(&sql, ") SELECT $1::uuid");
	for (const struct uc_column *c = res->columns; c->name; c++) {
		buf_add_str(&sql, ", ");
		add_value(&sql, c);
	}
	buf_add_str(&sql, " FROM (SELECT $2::jsonb AS d) AS input");
	return run(tx, &sql, (const char *[]){ id, document }, 2, err);
}

static int update(struct store_tx *tx, const struct uc_resource *res, const char *id,
		  const char *document, struct error *err)
{
	AUTO_BUF sql = { 0 };
	const char *comma = "";

	buf_printf(&sql, "UPDATE %s SET ", res->table);
	for (const struct uc_column *c = res->columns; c->name; c++, comma = ", ") {
		buf_printf(&sql, "%s\"%s\" = ", comma, c->name);
		add_value(&sql, c);
	}
	buf_add_str(&sql, " FROM (SELECT $2::jsonb AS d) AS input WHERE id = $1::uuid");
	return run(tx, &sql, (const char *[]){ id, document }, 2, err);
}

static int write_parts(struct store_tx *tx, const struct uc_resource *res, const char *id,
		       const char *document, struct error *err)
{
	const char *const params[] = { id, document };
	int r = 0;

	for (const struct uc_part *p = res->parts; p && p->sql && r >= 0; p++)
		r = store_tx_exec(tx, p->sql, params, p->params, err);
	return r;
}

/* Constraints of sql/uc to the member that broke them. */
static int explain(const struct uc_resource *res, int r, struct error *err)
{
	char constraint[80], pointer[80];

	if (!err || (r != -EEXIST && r != -EINVAL && r != -EBUSY) || err->field[0] == '/')
		return r;
	if (r == -EBUSY)
		return error_set(err, r, "others use this %s by its name", res->title);
	(void)snprintf(pointer, sizeof(pointer), "/%s", res->label);
	if (r == -EEXIST)
		return error_field(err, r, pointer, "such %s %s is there already",
				   strchr("aeiou", res->title[0]) ? "an" : "a", res->title);
	for (const struct uc_column *c = res->columns; c->name; c++) {
		(void)snprintf(constraint, sizeof(constraint), "%s_%s_check", res->table, c->name);
		if (strcmp(err->field, constraint) == 0)
			(void)snprintf(pointer, sizeof(pointer), "/%s", c->name);
	}
	return error_field(err, r, pointer, "is not possible here");
}

/* What the document names must be there. */
static int check_references(struct store_tx *tx, const struct uc_resource *res,
			    const char *document, struct error *err)
{
	for (const struct uc_reference *f = res->references; f && f->path; f++) {
		AUTO(store_rows) struct store_rows *rows = NULL;
		AUTO_BUF sql = { 0 };
		char pointer[80];
		int r;

		buf_printf(&sql,
			   "SELECT n - 1 FROM jsonb_path_query($1::jsonb, $2::jsonpath)"
			   " WITH ORDINALITY AS v (item, n) WHERE jsonb_typeof(item) = 'string'"
			   " AND NOT EXISTS (SELECT FROM %s t WHERE t.name = item #>> '{}')"
			   " ORDER BY n LIMIT 1",
			   f->table);
		if (!buf_ok(&sql))
			return error_set(err, -ENOMEM, "out of memory");
		r = store_tx_query(tx, sql.data, (const char *[]){ document, f->path }, 2, &rows,
				   err);
		if (r < 0)
			return r;
		if (store_rows_count(rows) == 0)
			continue;
/* the format is one of the table's own */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(pointer, sizeof(pointer), f->pointer,
			       (size_t)store_rows_i64(rows, 0, 0, 0));
#pragma GCC diagnostic pop
		return error_field(err, -EINVAL, pointer, "there is no %s of this name", f->title);
	}
	return 0;
}

static int no_row(const struct uc_resource *res, const char *key, struct error *err)
{
	return error_set(err, -ENOENT, "no %s has the %sid '%s'", res->title,
			 res->named ? "name or " : "", key);
}

static int row_found(const struct uc_resource *res, const struct store_rows *rows, const char *key,
		     json_t **ret, int64_t *version, struct error *err)
{
	if (store_rows_count(rows) == 0)
		return no_row(res, key, err);
	*version = store_rows_i64(rows, 0, 1, 0);
	*ret = store_rows_json(rows, 0, 0);
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static void select_row(struct buf *sql, const struct uc_resource *res)
{
	buf_printf(sql,
		   "SELECT " ROW_JSON ", v.version FROM doc.%s v JOIN %s r ON r.id = v.id"
		   " WHERE r.%s = $1::text OR r.id = $2::uuid",
		   res->table, res->table, res->label);
}

int uc_row_tx_get(struct store_tx *tx, const struct uc_resource *res, const char *key, json_t **ret,
		  int64_t *version, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	AUTO_BUF sql = { 0 };
	int r;

	select_row(&sql, res);
	if (!buf_ok(&sql))
		return error_set(err, -ENOMEM, "out of memory");
	r = store_tx_query(tx, sql.data, KEY(res, key), 2, &rows, err);
	return r < 0 ? r : row_found(res, rows, key, ret, version, err);
}

int uc_row_get(struct uc *uc, const struct uc_resource *res, const char *key, json_t **ret,
	       int64_t *version, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	AUTO_BUF sql = { 0 };
	int r;

	select_row(&sql, res);
	if (!buf_ok(&sql))
		return error_set(err, -ENOMEM, "out of memory");
	r = store_query(uc->db, sql.data, KEY(res, key), 2, &rows, err);
	return r < 0 ? r : row_found(res, rows, key, ret, version, err);
}

static int check_limit(struct store_tx *tx, const struct uc_resource *res, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	char sql[96];
	int r;

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", res->table);
	r = store_tx_query(tx, sql, NULL, 0, &rows, err);
	if (r < 0 || store_rows_i64(rows, 0, 0, 0) < res->limit)
		return r < 0 ? r : 0;
	return error_set(err, -EDQUOT, "there are %u of them already, and no more are possible",
			 res->limit);
}

/* A document as people write it to one that has all its members. */
int uc_row_complete(const struct uc_resource *res, const json_t *input, json_t **ret,
		    struct error *err)
{
	AUTO(json) json_t *defaults = NULL;
	AUTO(json) json_t *document = NULL;
	const json_t *name;
	int r = json_check(input, res->fields, err);

	if (r < 0)
		return r;
	name = json_object_get(input, "name");
	if (res->named && json_is_string(name) && uuid_is_valid(slice_str(json_string_value(name))))
		return error_field(err, -EINVAL, "/name", "must not look like a UUID");
	r = json_parse(slice_str(res->defaults), &defaults, err);
	if (r < 0)
		return r;
	document = json_merge_patch(defaults, input);
	if (!document)
		return error_set(err, -ENOMEM, "out of memory");
	r = res->complete ? res->complete(document, err) : 0;
	if (r == 0)
		*ret = TAKE(document);
	return r;
}

/* id NULL: a new row, whose id goes to made. */
int uc_row_write(struct store_tx *tx, const struct uc_resource *res, const char *id,
		 const json_t *document, char made[UUID_SIZE], struct error *err)
{
	AUTO(str) char *text = json_text(document);
	bool fresh = !id;
	int r;

	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	if (fresh) {
		uuid_v7(made);
		id = made;
	}
	r = check_references(tx, res, text, err);
	if (r == 0 && fresh)
		r = check_limit(tx, res, err);
	if (r == 0)
		r = fresh ? insert(tx, res, id, text, err) : update(tx, res, id, text, err);
	if (r >= 0)
		r = write_parts(tx, res, id, text, err);
	return r < 0 ? explain(res, r, err) : 0;
}

struct row_change {
	const struct uc *uc;
	const struct uc_resource *res;
	const char *key;     /* of patch and delete */
	const json_t *input; /* body of create, patch of patch */
	int64_t if_version;
	bool try;
	json_t *result;
	int64_t version;
};

/* A retried transaction begins with nothing. */
static void forget(struct row_change *change)
{
	json_decref(change->result);
	change->result = NULL;
}

static int ended(const struct row_change *change, int r)
{
	return r == 0 && change->try ? -ECANCELED : r;
}

static int create(struct store_tx *tx, void *user, struct error *err)
{
	struct row_change *change = user;
	AUTO(json) json_t *document = NULL;
	char id[UUID_SIZE];
	int r;

	forget(change);
	r = uc_row_complete(change->res, change->input, &document, err);
	if (r == 0)
		r = uc_secret_seal(change->uc, change->res, document, err);
	if (r == 0)
		r = uc_row_write(tx, change->res, NULL, document, id, err);
	if (r == 0)
		r = uc_row_tx_get(tx, change->res, id, &change->result, &change->version, err);
	return ended(change, r);
}

/* The document after a patch. Members that the server makes may be repeated, not changed; `status`
 * is live and says nothing. */
static int merge(const json_t *before, const json_t *patch, json_t **ret, struct error *err)
{
	static const char *const made[] = { "id", "created_at", "updated_at" };
	AUTO(json) json_t *merged = NULL;

	if (!json_is_object(patch))
		return error_field(err, -EINVAL, "", "must be an object");
	merged = json_merge_patch(before, patch);
	if (!merged)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		char pointer[32];

		(void)snprintf(pointer, sizeof(pointer), "/%s", made[i]);
		if (!json_equal(json_object_get(before, made[i]), json_object_get(merged, made[i])))
			return error_field(err, -EINVAL, pointer, "cannot be changed");
		(void)json_object_del(merged, made[i]);
	}
	(void)json_object_del(merged, "status");
	*ret = TAKE(merged);
	return 0;
}

static int lock(struct store_tx *tx, const struct row_change *change, struct error *err)
{
	const struct uc_resource *res = change->res;
	AUTO(store_rows) struct store_rows *rows = NULL;
	AUTO_BUF sql = { 0 };
	int r;

	buf_printf(&sql, "SELECT version FROM %s WHERE %s = $1::text OR id = $2::uuid FOR UPDATE",
		   res->table, res->label);
	if (!buf_ok(&sql))
		return error_set(err, -ENOMEM, "out of memory");
	r = store_tx_query(tx, sql.data, KEY(res, change->key), 2, &rows, err);
	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return no_row(res, change->key, err);
	if (change->if_version != 0 && store_rows_i64(rows, 0, 0, 0) != change->if_version)
		return error_set(err, -ESTALE, "the %s has been changed meanwhile", res->title);
	return 0;
}

static int patch(struct store_tx *tx, void *user, struct error *err)
{
	struct row_change *change = user;
	AUTO(json) json_t *before = NULL;
	AUTO(json) json_t *merged = NULL;
	AUTO(json) json_t *document = NULL;
	const char *id;
	int r;

	forget(change);
	r = lock(tx, change, err);
	if (r == 0)
		r = uc_row_tx_get(tx, change->res, change->key, &before, &change->version, err);
	if (r == 0)
		r = merge(before, change->input, &merged, err);
	if (r == 0)
		r = uc_row_complete(change->res, merged, &document, err);
	if (r == 0)
		r = uc_secret_seal(change->uc, change->res, document, err);
	if (r < 0)
		return r;
	id = json_string_value(json_object_get(before, "id"));
	r = uc_row_write(tx, change->res, id, document, NULL, err);
	if (r == 0)
		r = uc_row_tx_get(tx, change->res, id, &change->result, &change->version, err);
	return ended(change, r);
}

static int change_row(struct uc *uc, store_tx_fn *fn, struct row_change *change, json_t **ret,
		      int64_t *version, struct error *err)
{
	int r;

	change->uc = uc;
	r = store_tx_run(uc->db, false, fn, change, err);
	if (r < 0 && (r != -ECANCELED || !change->try || !change->result)) {
		forget(change);
		return r;
	}
	*ret = change->result;
	*version = change->version;
	return 0;
}

int uc_row_create(struct uc *uc, const struct uc_resource *res, const json_t *body, json_t **ret,
		  int64_t *version, struct error *err)
{
	struct row_change change = { .res = res, .input = body };
	AUTO(json) json_t *checked = NULL;
	int r = uc_row_complete(res, body, &checked, err); /* bad input costs no connection */

	return r < 0 ? r : change_row(uc, create, &change, ret, version, err);
}

int uc_row_patch(struct uc *uc, const struct uc_resource *res, const char *key, const json_t *input,
		 int64_t if_version, json_t **ret, int64_t *version, struct error *err)
{
	struct row_change change = {
		.res = res, .key = key, .input = input, .if_version = if_version
	};

	return change_row(uc, patch, &change, ret, version, err);
}

int uc_row_try(struct uc *uc, const struct uc_resource *res, const char *key, const json_t *input,
	       int64_t if_version, json_t **ret, struct error *err)
{
	struct row_change change = {
		.res = res, .key = key, .input = input, .if_version = if_version, .try = true
	};
	int64_t version;

	return change_row(uc, key ? patch : create, &change, ret, &version, err);
}

/* Who names it: the first ones, and how many more. */
static int refuse_used(struct store_tx *tx, const struct uc_resource *res, const char *key,
		       struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	AUTO_BUF sql = { 0 };
	long long more;
	int r;

	if (!res->named)
		return 0;
	buf_printf(&sql,
		   "SELECT array_to_string((array_agg(used_by ORDER BY used_by))[1:3], ', '),"
		   " count(*) - 3 FROM doc.uses"
		   " WHERE target = '%s' AND name ="
		   " (SELECT name FROM %s WHERE name = $1::text OR id = $2::uuid)",
		   res->table, res->table);
	if (!buf_ok(&sql))
		return error_set(err, -ENOMEM, "out of memory");
	r = store_tx_query(tx, sql.data, KEY(res, key), 2, &rows, err);
	if (r < 0)
		return r;
	more = store_rows_i64(rows, 0, 1, -3);
	if (more <= -3)
		return 0;
	r = error_set(err, -EBUSY, "the %s is used by %s%s", res->title,
		      store_rows_text(rows, 0, 0), more > 0 ? " and others" : "");
	error_resolution(err, "Let these use something else first.");
	return r;
}

static int delete (struct store_tx *tx, void *user, struct error *err)
{
	struct row_change *change = user;
	const struct uc_resource *res = change->res;
	AUTO_BUF sql = { 0 };
	int r = lock(tx, change, err);

	if (r == 0)
		r = refuse_used(tx, res, change->key, err);
	if (r < 0 || change->try)
		return ended(change, r);
	buf_printf(&sql, "DELETE FROM %s WHERE %s = $1::text OR id = $2::uuid", res->table,
		   res->label);
	r = run(tx, &sql, KEY(res, change->key), 2, err);
	return r < 0 ? explain(res, r, err) : 0;
}

int uc_row_delete(struct uc *uc, const struct uc_resource *res, const char *key, int64_t if_version,
		  bool try, struct error *err)
{
	struct row_change change = { .res = res, .key = key, .if_version = if_version, .try = try };
	int r = store_tx_run(uc->db, false, delete, &change, err);

	return r == -ECANCELED && try ? 0 : r < 0 ? r : 0;
}

int uc_row_list(struct uc *uc, const struct uc_resource *res, const struct listing_query *query,
		struct listing_page *ret, struct error *err)
{
	AUTO_BUF item = { 0 };
	AUTO_BUF from = { 0 };
	struct store_listing source;

	buf_printf(&item, ROW_JSON " FROM doc.%s v WHERE v.id = r.id", res->table);
	buf_printf(&from, "%s r", res->table);
	if (!buf_ok(&item) || !buf_ok(&from))
		return error_set(err, -ENOMEM, "out of memory");
	source = (struct store_listing){ .item = item.data, .from = from.data, .state = UC_STATE };
	return store_listing(uc->db, &source, query, ret, err);
}
