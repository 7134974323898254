/* SPDX-License-Identifier: Apache-2.0 */
/* uc_import.c - see uc_import.h. */
#include "control/uc/uc_import.h"
#include "control/uc/uc.h"
#include "control/uc/uc_check.h"
#include "control/uc/uc_private.h"
#include "control/uc/uc_resource_fields.h"
#include "control/uc/uc_rows_private.h"

#include "base/buf.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

static const char *const dial_types[] = { "extension", "fac", "aar", "ars", "attendant", NULL };
static const struct json_field dial_fields[] = {
	JSON_MEMBER(STRING, "match", .required = true, .min = 1, .max = 15,
		    .pattern = UC_INSERT_PATTERN, .check = uc_check_insert),
	JSON_MEMBER(U32, "length", .required = true, .min = 1, .max = 32),
	JSON_MEMBER(ENUM, "type", .required = true, .choices = dial_types),
	JSON_END,
};
static const struct json_field ha1_fields[] = {
	JSON_MEMBER(STRING, "md5", .min = 32, .max = 32),
	JSON_MEMBER(STRING, "sha256", .min = 64, .max = 64),
	JSON_END,
};
static const struct json_field user_fields[] = {
	JSON_MEMBER(STRING, "handle", .required = true, .min = 1, .max = 64),
	JSON_MEMBER(STRING, "name", .required = true, .min = 1, .max = 256),
	JSON_MEMBER(STRING, "location", .nullable = true, .min = 1, .max = 64),
	JSON_MEMBER(OBJECT, "ha1", .fields = ha1_fields),
	JSON_MEMBER(STRING, "password", .write_only = true, .min = 1, .max = 128),
	JSON_MEMBER(ANY, "sip"),
	JSON_MEMBER(ANY, "station"),
	JSON_MEMBER(ANY, "presence"),
	JSON_END,
};
#define LIST(name_, fields_) JSON_MEMBER(OBJECTS, name_, .fields = (fields_))
const struct json_field uc_document_fields[] = {
	JSON_MEMBER(U32, "schema", .required = true, .min = 1, .max = 1),
	JSON_MEMBER(STRING, "domain", .min = 1, .max = 253, .pattern = UC_DOMAIN_PATTERN),
	JSON_MEMBER(OBJECT, "settings", .fields = uc_settings_patch_fields),
	LIST("domains", uc_domain_fields),
	LIST("locations", uc_location_fields),
	LIST("adaptations", uc_adaptation_fields),
	LIST("sip_entities", uc_sip_entity_fields),
	LIST("entity_links", uc_entity_link_fields),
	LIST("time_ranges", uc_time_range_fields),
	LIST("routing_policies", uc_routing_policy_fields),
	LIST("application_sequences", uc_application_sequence_fields),
	LIST("dial_patterns", uc_dial_pattern_fields),
	LIST("regular_expressions", uc_regular_expression_fields),
	LIST("implicit_users", uc_implicit_user_fields),
	LIST("firewall_rules", uc_firewall_rule_fields),
	LIST("dial_plan", dial_fields),
	LIST("users", user_fields),
	JSON_END,
};

enum outcome { CREATED, CHANGED, UNCHANGED, DELETED, OUTCOMES };
static const char *const outcome_names[OUTCOMES] = { "created", "changed", "unchanged", "deleted" };

struct import {
	const struct uc *uc;
	const json_t *document;
	bool replace, try;
	char domain[256];
	json_t *sets; /* the counts of each list */
	int total[OUTCOMES];
};

/* A fault in a row is one of the document, further down. */
static int place(int r, const char *list, size_t i, struct error *err)
{
	char field[sizeof(err->field)];

	if (r >= 0 || !err || (r != -EINVAL && r != -EEXIST && r != -EBUSY && r != -EDQUOT))
		return r;
	(void)snprintf(field, sizeof(field), "/%.40s/%zu%.100s", list, i,
		       err->field[0] == '/' ? err->field : "");
	(void)snprintf(err->field, sizeof(err->field), "%s", field);
	return r;
}

static int counted(struct import *in, const char *list, const int count[OUTCOMES],
		   struct error *err)
{
	json_t *set = json_pack("{s:s}", "name", list);

	for (size_t k = 0; k < OUTCOMES; k++) {
		in->total[k] += count[k];
		(void)json_object_set_new(set, outcome_names[k], json_integer(count[k]));
	}
	return json_array_append_new(in->sets, set) < 0 ? error_set(err, -ENOMEM, "out of memory")
							: 0;
}

/* The row that a document describes, "" when there is none, and whether it is as described. */
static int find_row(struct store_tx *tx, const struct uc_resource *res, const json_t *document,
		    char id[UUID_SIZE], bool *same, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	AUTO(str) char *text = json_text(document);
	AUTO_BUF sql = { 0 };
	int r;

	buf_printf(&sql,
		   "SELECT t.id, jsonb_strip_nulls(v.doc) ="
		   "  jsonb_strip_nulls(d #- '{registration,password_sealed}')"
		   " AND (d #>> '{registration,password_sealed}' IS NULL OR EXISTS ("
		   "  SELECT FROM entity_registrations g WHERE g.entity_id = t.id"
		   "  AND g.password_sealed = d #>> '{registration,password_sealed}'))"
		   " FROM (SELECT $1::jsonb AS d) AS input, %s t JOIN doc.%s v ON v.id = t.id"
		   " WHERE %s",
		   res->table, res->table, res->named ? "t.name = d ->> 'name'" : res->key);
	if (!text || !buf_ok(&sql))
		return error_set(err, -ENOMEM, "out of memory");
	r = store_tx_query(tx, sql.data, (const char *[]){ text }, 1, &rows, err);
	id[0] = '\0';
	*same = false;
	if (r < 0 || store_rows_count(rows) == 0)
		return r;
	(void)snprintf(id, UUID_SIZE, "%s", store_rows_text(rows, 0, 0));
	*same = store_rows_bool(rows, 0, 1);
	return 0;
}

/* "cm" in a sequence stands for {"name":"cm"}. */
static json_t *spell_out(const struct uc_resource *res, const json_t *item)
{
	json_t *copy = json_deep_copy(item), *entry;
	json_t *entries = json_object_get(copy, "entities");
	size_t i;

	if (res == &uc_application_sequences)
		json_array_foreach(entries, i, entry)
		{
			if (json_is_string(entry))
				(void)json_array_set_new(entries, i,
							 json_pack("{s:O, s:b}", "name", entry,
								   "mandatory", 1));
			else if (json_is_object(entry) && !json_object_get(entry, "mandatory"))
				(void)json_object_set_new(entry, "mandatory", json_true());
		}
	return copy;
}

static int put_row(struct store_tx *tx, const struct uc *uc, const struct uc_resource *res,
		   const json_t *item, json_t *kept, int count[OUTCOMES], struct error *err)
{
	AUTO(json) json_t *input = spell_out(res, item);
	AUTO(json) json_t *document = NULL;
	char id[UUID_SIZE], made[UUID_SIZE];
	bool same = false, clear;
	int r;

	r = uc_row_complete(res, input, &document, err);
	clear = json_is_string(
		json_object_get(json_object_get(document, "registration"), "password"));
	if (r == 0)
		r = uc_secret_seal(uc, res, document, err);
	if (r == 0)
		r = find_row(tx, res, document, id, &same, err);
	same = same && !clear; /* who says a password means it */
	if (r == 0 && !same)
		r = uc_row_write(tx, res, *id ? id : NULL, document, made, err);
	if (r < 0)
		return r;
	count[same ? UNCHANGED : *id ? CHANGED : CREATED]++;
	(void)json_array_append_new(kept, json_string(*id ? id : made));
	return 0;
}

/* The list of a document; absent: *ret is NULL. */
static int list_of(const struct import *in, const char *name, const json_t **ret, struct error *err)
{
	char field[64];

	*ret = json_object_get(in->document, name);
	if (!*ret || json_is_array(*ret))
		return 0;
	(void)snprintf(field, sizeof(field), "/%s", name);
	return error_field(err, -EINVAL, field, "must be an array");
}

static int put_rows(struct store_tx *tx, struct import *in, const struct uc_resource *res,
		    json_t *kept, struct error *err)
{
	int count[OUTCOMES] = { 0 };
	const json_t *list;
	int r = list_of(in, res->table, &list, err);

	if (r < 0 || !list)
		return r;
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
		r = place(put_row(tx, in->uc, res, json_array_get(list, i), kept, count, err),
			  res->table, i, err);
	return r < 0 ? r : counted(in, res->table, count, err);
}

/* Of one table: rows whose ids are not among the kept ones. */
static int remove_others(struct store_tx *tx, struct import *in, const char *table,
			 const char *unless, const json_t *kept, struct error *err)
{
	AUTO(str) char *text = json_text(kept);
	int count[OUTCOMES] = { 0 };
	AUTO_BUF sql = { 0 };
	int r;

	buf_printf(&sql,
		   "DELETE FROM %s WHERE id <> ALL (ARRAY(SELECT"
		   " jsonb_array_elements_text($1::jsonb)::uuid)) AND %s",
		   table, unless);
	if (!text || !buf_ok(&sql))
		return error_set(err, -ENOMEM, "out of memory");
	r = store_tx_exec(tx, sql.data, (const char *[]){ text }, 1, err);
	if (r == -EBUSY)
		return error_set(err, r, "rows of %s that the document lacks are still used",
				 table);
	if (r <= 0)
		return r;
	count[DELETED] = r;
	return counted(in, table, count, err);
}

static int put_users(struct store_tx *tx, struct import *in, json_t *kept, struct error *err)
{
	int count[OUTCOMES] = { 0 };
	const json_t *list;
	int r = list_of(in, "users", &list, err);

	if (r < 0 || !list)
		return r;
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		char id[UUID_SIZE];
		bool made = false, same = false;

		r = place(uc_user_put(tx, json_array_get(list, i), in->domain, id, &made, &same,
				      err),
			  "users", i, err);
		if (r == 0) {
			count[made ? CREATED : same ? UNCHANGED : CHANGED]++;
			(void)json_array_append_new(kept, json_string(id));
		}
	}
	return r < 0 ? r : counted(in, "users", count, err);
}

static int put_dial_plan(struct store_tx *tx, struct import *in, json_t *kept, struct error *err)
{
	static const char sql[] =
		"WITH same AS (SELECT id FROM dial_plan"
		" WHERE match = $1 AND length = $2::integer AND type = $3), put AS ("
		" INSERT INTO dial_plan (match, length, type) SELECT $1, $2::integer, $3"
		" WHERE NOT EXISTS (SELECT FROM same)"
		" ON CONFLICT (match, length) DO UPDATE SET type = excluded.type"
		" RETURNING id, xmax = 0 AS made)"
		" SELECT id, made, false FROM put UNION ALL SELECT id, false, true FROM same";
	int count[OUTCOMES] = { 0 };
	const json_t *list;
	int r = list_of(in, "dial_plan", &list, err);

	if (r < 0 || !list)
		return r;
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		AUTO(store_rows) struct store_rows *rows = NULL;
		const json_t *item = json_array_get(list, i);
		const char *match = json_string_value(json_object_get(item, "match"));
		json_int_t length = json_integer_value(json_object_get(item, "length"));

		r = json_check(item, dial_fields, err);
		if (r == 0 && (json_int_t)strlen(match) > length)
			r = error_field(err, -EINVAL, "/length", "is less than the digits");
		if (r == 0)
			r = store_tx_query(tx, sql,
					   (const char *[]){
						   match, store_num(length),
						   json_string_value(
							   json_object_get(item, "type")) },
					   3, &rows, err);
		r = place(r, "dial_plan", i, err);
		if (r < 0)
			return r;
		count[store_rows_bool(rows, 0, 1)   ? CREATED
		      : store_rows_bool(rows, 0, 2) ? UNCHANGED
						    : CHANGED]++;
		(void)json_array_append_new(kept, json_string(store_rows_text(rows, 0, 0)));
	}
	return counted(in, "dial_plan", count, err);
}

/* The document's domain is the box's, or becomes it. */
static int put_domain(struct store_tx *tx, struct import *in, struct error *err)
{
	const char *domain = json_string_value(json_object_get(in->document, "domain"));
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_tx_query(tx, "SELECT domain FROM settings FOR UPDATE", NULL, 0, &rows, err);

	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return error_set(err, -EAGAIN, "the smgr database is not set up yet");
	(void)snprintf(in->domain, sizeof(in->domain), "%s", store_rows_text(rows, 0, 0));
	if (!domain || strcmp(domain, in->domain) == 0)
		return 0;
	if (!in->replace)
		return error_field(err, -EINVAL, "/domain", "is not this appliance's, %s",
				   in->domain);
	(void)snprintf(in->domain, sizeof(in->domain), "%s", domain);
	r = store_tx_exec(tx, "UPDATE settings SET domain = $1", (const char *[]){ domain }, 1,
			  err);
	return r < 0 ? r : 0;
}

/* HA1s are of one domain: who has none of the new one could never register again. */
static int check_passwords(struct store_tx *tx, const struct import *in, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_tx_query(tx,
			       "SELECT count(*), min(u.handle) FROM users u, settings s"
			       " WHERE u.ha1_md5 IS NOT NULL AND u.realm <> s.domain",
			       NULL, 0, &rows, err);

	if (r < 0 || strcmp(store_rows_text(rows, 0, 0), "0") == 0)
		return r < 0 ? r : 0;
	return error_field(err, -EINVAL, "/domain",
			   "changes to %s, for which %s users have no password, %s among them: "
			   "give each a password or ha1 in this document",
			   in->domain, store_rows_text(rows, 0, 0), store_rows_text(rows, 0, 1));
}

static int import_tx(struct store_tx *tx, struct import *in, struct error *err)
{
	AUTO(json) json_t *users = json_array();
	AUTO(json) json_t *plan = json_array();
	AUTO(json) json_t *kept = json_array(); /* of each resource */
	const json_t *settings = json_object_get(in->document, "settings");
	int r = put_domain(tx, in, err);

	for (size_t i = 0; r == 0 && i < uc_resource_count; i++) {
		json_t *ids = json_array();

		(void)json_array_append_new(kept, ids);
		r = put_rows(tx, in, uc_resources[i], ids, err);
	}
	if (r == 0)
		r = put_dial_plan(tx, in, plan, err);
	if (r == 0)
		r = put_users(tx, in, users, err);
	if (r == 0 && settings)
		r = uc_settings_put(tx, settings, err);
	if (r < 0 || !in->replace)
		return r;
	if (json_object_get(in->document, "users"))
		r = remove_others(tx, in, "users", "true", users, err);
	if (r == 0 && json_object_get(in->document, "dial_plan"))
		r = remove_others(tx, in, "dial_plan", "true", plan, err);
	for (size_t i = uc_resource_count; r == 0 && i-- > 0;)
		if (json_object_get(in->document, uc_resources[i]->table))
			r = remove_others(tx, in, uc_resources[i]->table,
					  uc_resources[i] == &uc_domains
						  ? "name <> (SELECT domain FROM settings)"
						  : "true",
					  json_array_get(kept, i), err);
	return r == 0 ? check_passwords(tx, in, err) : r;
}

static int run(struct store_tx *tx, void *user, struct error *err)
{
	struct import *in = user;
	int r;

	json_decref(in->sets);
	in->sets = json_array();
	memset(in->total, 0, sizeof(in->total));
	r = import_tx(tx, in, err);
	return r == 0 && in->try ? -ECANCELED : r;
}

static int check_members(const json_t *document, struct error *err)
{
	const json_t *domain = json_object_get(document, "domain");
	const char *name;
	json_t *value;

	if (!json_is_object(document))
		return error_field(err, -EINVAL, "", "must be an object");
	if (json_integer_value(json_object_get(document, "schema")) != 1)
		return error_field(err, -EINVAL, "/schema", "must be 1");
	if (domain && (!json_is_string(domain) || json_string_length(domain) > 253 ||
		       uc_check_domain(json_string_value(domain), NULL) < 0))
		return error_field(err, -EINVAL, "/domain", "must be a domain like example.org");
	json_object_foreach((json_t *)(uintptr_t)document, name, value)
	{
		const struct json_field *f = uc_document_fields;
		char field[80];

		while (f->name && strcmp(f->name, name) != 0)
			f++;
		if (f->name)
			continue;
		(void)snprintf(field, sizeof(field), "/%.70s", name);
		return error_field(err, -EINVAL, field, "there is no such member");
	}
	return 0;
}

int uc_import(struct uc *uc, const json_t *document, bool replace, bool try, json_t **ret,
	      struct error *err)
{
	struct import in = { .uc = uc, .document = document, .replace = replace, .try = try };
	AUTO(json) json_t *sets = NULL;
	int r = check_members(document, err);

	if (r < 0)
		return r;
	r = store_tx_run(uc->db, false, run, &in, err);
	sets = in.sets;
	if (r < 0 && (r != -ECANCELED || !try))
		return r;
	*ret = json_pack("{s:i, s:i, s:i, s:i, s:O}", "created", in.total[CREATED], "changed",
			 in.total[CHANGED], "unchanged", in.total[UNCHANGED], "deleted",
			 in.total[DELETED], "sets", sets);
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}
