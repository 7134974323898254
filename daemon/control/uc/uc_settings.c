/* SPDX-License-Identifier: Apache-2.0 */
/* uc_settings.c - the one row of settings: the SIP domain, and what holds for all routing. */
#include "control/uc/uc.h"
#include "control/uc/uc_private.h"

#include "control/uc/uc_import.h"
#include "node/uc_limits.h"
#include "store/store.h"

#include <stdio.h>

#define LIMIT(name_, least, most)                                                                  \
	JSON_MEMBER(U32, #name_, .nullable = true, .min = (least), .max = (most)),
static const struct json_field firewall_fields[] = { UC_FIREWALL_LIMITS(LIMIT) JSON_END };
#undef LIMIT
const struct json_field uc_settings_patch_fields[] = {
	JSON_MEMBER(BOOL, "better_match_all_overrides",
		    .help = "A longer dial pattern of all locations beats one of the caller's own"),
	JSON_MEMBER(BOOL, "emergency_unauthenticated",
		    .help = "Emergency calls are taken from phones that are not logged in"),
	JSON_MEMBER(STRING, "outbound_proxy", .nullable = true, .min = 1, .max = 64,
		    .help = "Name of the SIP entity for addresses that no pattern knows"),
	JSON_MEMBER(OBJECT, "firewall", .fields = firewall_fields,
		    .help = "Limits of the SIP firewall; null: as sm itself is configured"),
	JSON_END,
};

#define SETTINGS_SQL                                                                               \
	"SELECT d.doc || jsonb_build_object('domain', s.domain, 'updated_at', " UC_TIME(           \
		"s.updated_at") "), s.version FROM settings s CROSS JOIN doc.settings d"

static int found(const struct store_rows *rows, json_t **ret, int64_t *version, struct error *err)
{
	if (store_rows_count(rows) == 0)
		return error_set(err, -EAGAIN, "the smgr database is not set up yet");
	*version = store_rows_i64(rows, 0, 1, 0);
	*ret = store_rows_json(rows, 0, 0);
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

int uc_settings_get(struct uc *uc, json_t **ret, int64_t *version, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_query(uc->db, SETTINGS_SQL, NULL, 0, &rows, err);

	return r < 0 ? r : found(rows, ret, version, err);
}

struct settings_change {
	const json_t *patch;
	int64_t if_version;
	bool try;
	json_t *result;
	int64_t version;
};

static int check_proxy(struct store_tx *tx, const json_t *document, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	const char *name = json_string_value(json_object_get(document, "outbound_proxy"));
	int r;

	if (!name)
		return 0;
	r = store_tx_query(tx, "SELECT 1 FROM sip_entities WHERE name = $1",
			   (const char *[]){ name }, 1, &rows, err);
	if (r < 0 || store_rows_count(rows) > 0)
		return r;
	return error_field(err, -EINVAL, "/outbound_proxy", "there is no SIP entity of this name");
}

static int read_settings(struct store_tx *tx, const char *sql, json_t **ret, int64_t *version,
			 struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_tx_query(tx, sql, NULL, 0, &rows, err);

	return r < 0 ? r : found(rows, ret, version, err);
}

/* The settings after the patch, without what cannot be changed. */
static int merge(const json_t *before, const json_t *patch, json_t **ret, struct error *err)
{
	static const char *const fixed[] = { "domain", "updated_at" };
	AUTO(json) json_t *merged = NULL;
	int r;

	if (!json_is_object(patch))
		return error_field(err, -EINVAL, "", "must be an object");
	merged = json_merge_patch(before, patch);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (!json_equal(json_object_get(before, fixed[i]),
				json_object_get(merged, fixed[i])))
			return error_field(err, -EINVAL, i == 0 ? "/domain" : "/updated_at",
					   "cannot be changed");
		(void)json_object_del(merged, fixed[i]);
	}
	r = json_check(merged, uc_settings_patch_fields, err);
	if (r == 0)
		*ret = TAKE(merged);
	return r;
}

static int write_settings(struct store_tx *tx, const json_t *document, struct error *err)
{
	static const char sql[] =
		"UPDATE settings SET"
		" better_match_all_overrides ="
		"  coalesce(($1::jsonb ->> 'better_match_all_overrides')::boolean, false),"
		" emergency_unauthenticated ="
		"  coalesce(($1::jsonb ->> 'emergency_unauthenticated')::boolean, false),"
		" outbound_proxy = $1::jsonb ->> 'outbound_proxy'"
#define SET(name, least, most)                                                                     \
	", firewall_" #name " = ($1::jsonb #>> '{firewall," #name "}')::integer"
		UC_FIREWALL_LIMITS(SET)
#undef SET
			" WHERE (SELECT doc FROM doc.settings) <> $1::jsonb"; /* else left alone */
	AUTO(str) char *text = json_text(document);
	int r;

	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	r = check_proxy(tx, document, err);
	if (r == 0)
		r = store_tx_exec(tx, sql, (const char *[]){ text }, 1, err);
	return r < 0 ? r : 0;
}

int uc_settings_put(struct store_tx *tx, const json_t *document, struct error *err)
{
	int r = json_check(document, uc_settings_patch_fields, err);

	if (r == 0)
		r = write_settings(tx, document, err);
	if (r < 0 && err && err->field[0] == '/') {
		char field[sizeof(err->field)];

		(void)snprintf(field, sizeof(field), "/settings%.100s", err->field);
		(void)snprintf(err->field, sizeof(err->field), "%s", field);
	}
	return r;
}

static int change(struct store_tx *tx, void *user, struct error *err)
{
	struct settings_change *c = user;
	AUTO(json) json_t *before = NULL;
	AUTO(json) json_t *document = NULL;
	int r;

	json_decref(c->result);
	c->result = NULL;
	r = read_settings(tx, SETTINGS_SQL " FOR UPDATE OF s", &before, &c->version, err);
	if (r == 0 && c->if_version && c->version != c->if_version)
		return error_set(err, -ESTALE, "the settings have been changed meanwhile");
	if (r == 0)
		r = merge(before, c->patch, &document, err);
	if (r == 0)
		r = write_settings(tx, document, err);
	if (r == 0)
		r = read_settings(tx, SETTINGS_SQL, &c->result, &c->version, err);
	return r == 0 && c->try ? -ECANCELED : r;
}

int uc_settings_patch(struct uc *uc, const json_t *patch, int64_t if_version, bool try,
		      json_t **ret, int64_t *version, struct error *err)
{
	struct settings_change c = { .patch = patch, .if_version = if_version, .try = try };
	int r = store_tx_run(uc->db, false, change, &c, err);

	if (r < 0 && (r != -ECANCELED || !try || !c.result)) {
		json_decref(c.result);
		return r;
	}
	*ret = c.result;
	*version = c.version;
	return 0;
}
