/* SPDX-License-Identifier: Apache-2.0 */
/* uc_user.c - users: one resource over SIP identity, station and presence profile. */
#include "control/uc/uc.h"
#include "control/uc/uc_import.h"
#include "control/uc/uc_private.h"

#include "base/random.h"
#include "net/digest.h"
#include "store/listing_sql.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

struct sip_body {
	uint32_t max_contacts;
	char *sequence;
};
struct station_body {
	char *extension;
	uint32_t appearances;
	bool restrict_last_appearance;
};
struct presence_body {
	bool enabled;
};
struct user_body {
	char *handle;
	char *name;
	char *location;
	char *password;
	struct sip_body sip;
	struct station_body station;
	struct presence_body presence;
	uint8_t sip_given;
	uint8_t station_given;
	uint8_t presence_given;
};

int uc_handle_check(const char *value, struct error *err)
{
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 127 || strchr("/%@<>\";?&", *p))
			return error_set(err, -EINVAL,
					 "must not hold spaces, controls or / %% @ < > \" ; ? &");
	if (uuid_is_valid(slice_str(value)))
		return error_set(err, -EINVAL, "must not look like a UUID");
	return 0;
}

static int check_name(const char *value, struct error *err)
{
	return 0;
}

static int check_extension(const char *value, struct error *err)
{
	if (strspn(value, "0123456789") != strlen(value))
		return error_set(err, -EINVAL, "must be digits");
	return 0;
}

static const struct json_field sip_fields[] = {
	JSON_U32(struct sip_body, max_contacts, .min = 1, .max = 100),
	JSON_STRING(struct sip_body, sequence, .nullable = true, .min = 1, .max = 64),
	JSON_END,
};
static const struct json_field station_fields[] = {
	JSON_STRING(struct station_body, extension, .min = 1, .max = 15, .pattern = "^[0-9]{1,15}$",
		    .check = check_extension),
	JSON_U32(struct station_body, appearances, .min = 1, .max = 10),
	JSON_BOOL(struct station_body, restrict_last_appearance),
	JSON_END,
};
static const struct json_field presence_fields[] = {
	JSON_BOOL(struct presence_body, enabled),
	JSON_END,
};

/* clang-format off */
#define USER_FIELDS(needed)                                                                        \
	JSON_STRING(struct user_body, handle, .required = (needed), .min = 1, .max = 64,           \
		    .pattern = UC_HANDLE_PATTERN, .check = uc_handle_check,                        \
		    .help = "SIP user part, unique"),                                              \
	JSON_STRING(struct user_body, name, .required = (needed), .min = 1, .max = 256,            \
		    .check = check_name),                                                          \
	JSON_STRING(struct user_body, password, .write_only = true, .min = 1, .max = 128,          \
		    .help = "SIP password; only its HA1 is kept"),                                 \
	JSON_STRING(struct user_body, location, .nullable = true, .min = 1, .max = 64,             \
		    .help = "Name of the home location, whose dial patterns hold"),                \
	JSON_OBJECT(struct user_body, sip, sip_fields, .nullable = true,                           \
		    JSON_PRESENCE(struct user_body, sip_given)),                                   \
	JSON_OBJECT(struct user_body, station, station_fields, .nullable = true,                   \
		    JSON_PRESENCE(struct user_body, station_given)),                               \
	JSON_OBJECT(struct user_body, presence, presence_fields, .nullable = true,                 \
		    JSON_PRESENCE(struct user_body, presence_given))
/* clang-format on */

const struct json_field uc_user_create_fields[] = { USER_FIELDS(true), JSON_END };
const struct json_field uc_user_patch_fields[] = { USER_FIELDS(false), JSON_END };

static void body_done(struct user_body *body)
{
	if (body->password)
		explicit_bzero(body->password, strlen(body->password));
	json_release(uc_user_create_fields, body);
}
#define AUTO_BODY __attribute__((cleanup(body_done))) struct user_body

/* The resource as DESIGN section 13 has it. */
#define USER_JSON                                                                                  \
	"json_build_object('id', u.id, 'handle', u.handle, 'name', u.name,"                        \
	" 'location', u.location,"                                                                 \
	" 'sip', CASE WHEN u.sip THEN json_build_object('aor', u.handle || '@' || s.domain,"       \
	"  'max_contacts', u.max_contacts, 'sequence', q.name) END,"                               \
	" 'station', CASE WHEN t.user_id IS NOT NULL THEN json_build_object("                      \
	"  'extension', t.extension, 'appearances', t.appearances,"                                \
	"  'restrict_last_appearance', t.restrict_last_appearance) END,"                           \
	" 'presence', CASE WHEN p.user_id IS NOT NULL THEN"                                        \
	"  json_build_object('enabled', p.enabled) END,"                                           \
	" 'created_at', " UC_TIME("u.created_at") ", 'updated_at', " UC_TIME("u.updated_at") ")"
#define USER_TABLES                                                                                \
	"users u CROSS JOIN settings s"                                                            \
	" LEFT JOIN application_sequences q ON q.id = u.sequence_id"                               \
	" LEFT JOIN stations t ON t.user_id = u.id"                                                \
	" LEFT JOIN presence_profiles p ON p.user_id = u.id "
#define USER_FROM " FROM " USER_TABLES

/* $1 and $2 of a statement that finds a user: a handle never looks like a UUID. */
#define KEY(key) ((const char *[]){ (key), uuid_is_valid(slice_str(key)) ? (key) : NULL })

static int no_user(struct error *err, const char *key)
{
	return error_set(err, -ENOENT, "no user has the handle or id '%s'", key);
}

static int user_row(const struct store_rows *rows, const char *key, json_t **ret, int64_t *version,
		    struct error *err)
{
	if (store_rows_count(rows) == 0)
		return no_user(err, key);
	*version = store_rows_i64(rows, 0, 1, 0);
	*ret = store_rows_json(rows, 0, 0);
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int tx_get(struct store_tx *tx, const char *key, json_t **ret, int64_t *version,
		  struct error *err)
{
	static const char sql[] = "SELECT " USER_JSON ", u.version" USER_FROM
				  "WHERE u.handle = $1 OR u.id = $2::uuid";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_tx_query(tx, sql, KEY(key), 2, &rows, err);

	return r < 0 ? r : user_row(rows, key, ret, version, err);
}

int uc_user_get(struct uc *uc, const char *key, json_t **ret, int64_t *version, struct error *err)
{
	static const char sql[] = "SELECT " USER_JSON ", u.version" USER_FROM
				  "WHERE u.handle = $1 OR u.id = $2::uuid";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_query(uc->db, sql, KEY(key), 2, &rows, err);

	return r < 0 ? r : user_row(rows, key, ret, version, err);
}

/* Constraint names of sql/uc to the member that broke them. */
static int explain(int r, struct error *err)
{
	if (r == -EEXIST && err && strcmp(err->field, "users_handle_key") == 0)
		return error_field(err, r, "/handle", "this handle is taken");
	if (r == -EEXIST && err && strcmp(err->field, "stations_extension_key") == 0)
		return error_field(err, r, "/station/extension", "this extension is taken");
	if (r == -EINVAL && err && strcmp(err->field, "users_handle_check") == 0)
		return error_field(err, r, "/handle", "holds what a handle must not");
	return r;
}

static bool is_extension(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 15 && strspn(text, "0123456789") == len;
}

/* What was left out: sections get their defaults, a station the handle as its extension. */
static int complete(struct user_body *body, struct error *err)
{
	if (body->station_given == JSON_ABSENT && !is_extension(body->handle))
		body->station_given = JSON_IS_NULL;
	if (body->station_given == JSON_IS_NULL || body->station.extension)
		return 0;
	if (!is_extension(body->handle))
		return error_field(err, -EINVAL, "/station/extension",
				   "is needed, as the handle is no number");
	body->station.extension = strdup(body->handle);
	return body->station.extension ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int read_body(const json_t *object, struct user_body *body, struct error *err)
{
	int r;

	body->sip.max_contacts = 10;
	body->station.appearances = 3;
	body->presence.enabled = true;
	r = json_read(object, uc_user_create_fields, body, err);
	return r < 0 ? r : complete(body, err);
}

struct secret {
	char md5[DIGEST_HEX_MAX];
	char sha256[DIGEST_HEX_MAX];
	char realm[256];
};

/* RFC 7616 section 3.4.2: unq(username) ":" unq(realm) ":" passwd */
static int make_secret(struct store_tx *tx, const struct user_body *body, struct secret *ret,
		       struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	struct slice parts[3];
	int r = store_tx_query(tx, "SELECT domain FROM settings", NULL, 0, &rows, err);

	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return error_set(err, -EAGAIN, "the smgr database is not set up yet");
	snprintf(ret->realm, sizeof(ret->realm), "%s", store_rows_text(rows, 0, 0));
	parts[0] = slice_str(body->handle);
	parts[1] = slice_str(ret->realm);
	parts[2] = slice_str(body->password);
	digest_hex_joined(DIGEST_MD5, parts, 3, ret->md5);
	digest_hex_joined(DIGEST_SHA256, parts, 3, ret->sha256);
	return 0;
}

static int find_sequence(struct store_tx *tx, const struct user_body *body, char id[UUID_SIZE],
			 struct error *err)
{
	static const char sql[] = "SELECT id FROM application_sequences WHERE name = $1";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r;

	id[0] = '\0';
	if (!body->sip.sequence || body->sip_given == JSON_IS_NULL)
		return 0;
	r = store_tx_query(tx, sql, (const char *[]){ body->sip.sequence }, 1, &rows, err);
	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return error_field(err, -EINVAL, "/sip/sequence",
				   "no application sequence has this name");
	snprintf(id, UUID_SIZE, "%s", store_rows_text(rows, 0, 0));
	return 0;
}

static int check_location(struct store_tx *tx, const struct user_body *body, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r;

	if (!body->location)
		return 0;
	r = store_tx_query(tx, "SELECT 1 FROM locations WHERE name = $1",
			   (const char *[]){ body->location }, 1, &rows, err);
	if (r < 0 || store_rows_count(rows) > 0)
		return r;
	return error_field(err, -EINVAL, "/location", "there is no location of this name");
}

static int put_station(struct store_tx *tx, const char *id, const struct user_body *body,
		       struct error *err)
{
	static const char put[] =
		"INSERT INTO stations AS t (user_id, extension, appearances,"
		" restrict_last_appearance) VALUES ($1, $2, $3::integer, $4::boolean)"
		" ON CONFLICT (user_id) DO UPDATE SET extension = excluded.extension,"
		" appearances = excluded.appearances,"
		" restrict_last_appearance = excluded.restrict_last_appearance"
		" WHERE (t.extension, t.appearances, t.restrict_last_appearance) IS DISTINCT FROM"
		" (excluded.extension, excluded.appearances, excluded.restrict_last_appearance)";

	if (body->station_given == JSON_IS_NULL)
		return store_tx_exec(tx, "DELETE FROM stations WHERE user_id = $1",
				     (const char *[]){ id }, 1, err);
	return store_tx_exec(tx, put,
			     (const char *[]){ id, body->station.extension,
					       store_num(body->station.appearances),
					       body->station.restrict_last_appearance ? "t" : "f" },
			     4, err);
}

static int put_presence(struct store_tx *tx, const char *id, const struct user_body *body,
			struct error *err)
{
	static const char put[] =
		"INSERT INTO presence_profiles AS p (user_id, enabled) VALUES ($1, $2::boolean)"
		" ON CONFLICT (user_id) DO UPDATE SET enabled = excluded.enabled"
		" WHERE p.enabled <> excluded.enabled";

	if (body->presence_given == JSON_IS_NULL)
		return store_tx_exec(tx, "DELETE FROM presence_profiles WHERE user_id = $1",
				     (const char *[]){ id }, 1, err);
	return store_tx_exec(tx, put, (const char *[]){ id, body->presence.enabled ? "t" : "f" }, 2,
			     err);
}

struct user_change {
	const char *key;     /* of patch */
	const json_t *input; /* body of create, patch of patch */
	int64_t if_version;
	json_t *result;
	int64_t version;
};

/* A retried transaction begins with nothing. */
static void forget(struct user_change *change)
{
	json_decref(change->result);
	change->result = NULL;
}

static int insert_user(struct store_tx *tx, const char *id, const struct user_body *body,
		       const struct secret *secret, struct error *err)
{
	static const char sql[] =
		"INSERT INTO users (id, handle, name, sip, ha1_md5, ha1_sha256, realm, max_contacts,"
		" sequence_id, location)"
		" VALUES ($1, $2, $3, $4::boolean, $5, $6, $7, $8::integer, $9, $10)";
	bool sip = body->sip_given != JSON_IS_NULL;
	char sequence[UUID_SIZE];
	int r = find_sequence(tx, body, sequence, err);

	if (r == 0)
		r = check_location(tx, body, err);
	if (r < 0)
		return r;
	return store_tx_exec(tx, sql,
			     (const char *[]){ id, body->handle, body->name, sip ? "t" : "f",
					       secret ? secret->md5 : NULL,
					       secret ? secret->sha256 : NULL,
					       secret ? secret->realm : NULL,
					       store_num(body->sip.max_contacts),
					       *sequence ? sequence : NULL, body->location },
			     10, err);
}

static int create(struct store_tx *tx, void *user, struct error *err)
{
	struct user_change *change = user;
	AUTO_BODY body = { 0 };
	struct secret secret;
	char id[UUID_SIZE];
	int r;

	forget(change);
	r = read_body(change->input, &body, err);
	if (r < 0)
		return r;
	if (!body.password && body.sip_given != JSON_IS_NULL)
		return error_field(err, -EINVAL, "/password", "is required");
	uuid_v7(id);
	if (body.password) {
		r = make_secret(tx, &body, &secret, err);
		if (r < 0)
			return r;
	}
	r = insert_user(tx, id, &body, body.password ? &secret : NULL, err);
	explicit_bzero(&secret, sizeof(secret));
	if (r >= 0)
		r = put_station(tx, id, &body, err);
	if (r >= 0)
		r = put_presence(tx, id, &body, err);
	if (r >= 0)
		r = tx_get(tx, id, &change->result, &change->version, err);
	return explain(r, err);
}

static int change_user(struct uc *uc, store_tx_fn *fn, struct user_change *change, json_t **ret,
		       int64_t *version, struct error *err)
{
	int r = store_tx_run(uc->db, false, fn, change, err);

	if (r < 0) {
		forget(change);
		return r;
	}
	*ret = change->result;
	*version = change->version;
	return 0;
}

int uc_user_create(struct uc *uc, const json_t *body, json_t **ret, int64_t *version,
		   struct error *err)
{
	struct user_change change = { .input = body };
	AUTO_BODY checked = { 0 };
	int r = read_body(body, &checked, err); /* bad input costs no connection */

	return r < 0 ? r : change_user(uc, create, &change, ret, version, err);
}

/* Members that the server makes: a patch may repeat them, not change them. They leave `merged`. */
static int drop_read_only(const json_t *before, json_t *merged, struct error *err)
{
	static const char *const names[] = { "id", "created_at", "updated_at" };
	json_t *sip = json_object_get(merged, "sip");
	json_t *aor = json_object_get(json_object_get(before, "sip"), "aor");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char pointer[32];

		snprintf(pointer, sizeof(pointer), "/%s", names[i]);
		if (!json_equal(json_object_get(before, names[i]),
				json_object_get(merged, names[i])))
			return error_field(err, -EINVAL, pointer, "cannot be changed");
		json_object_del(merged, names[i]);
	}
	if (json_is_object(sip)) {
		json_t *now = json_object_get(sip, "aor");

		if (now && (!aor || !json_equal(aor, now)))
			return error_field(err, -EINVAL, "/sip/aor", "cannot be changed");
		json_object_del(sip, "aor");
	}
	return 0;
}

/* The resource after the patch, in the form of a POST's body. */
static int merge(const json_t *before, const json_t *patch, json_t **ret, struct error *err)
{
	static const char *const sections[] = { "sip", "station", "presence" };
	AUTO(json) json_t *merged = NULL;
	int r;

	if (!json_is_object(patch))
		return error_field(err, -EINVAL, "", "must be an object");
	merged = json_merge_patch(before, patch);
	if (!merged)
		return error_set(err, -ENOMEM, "out of memory");
	r = drop_read_only(before, merged, err);
	if (r < 0)
		return r;
	/* null leaves a section out; to a POST's reader an absent one would mean its defaults */
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (!json_object_get(merged, sections[i]))
			json_object_set_new(merged, sections[i], json_null());
	*ret = TAKE(merged);
	return 0;
}

static int update_user(struct store_tx *tx, const char *id, const struct user_body *body,
		       const struct secret *secret, struct error *err)
{
	static const char sql[] =
		"UPDATE users SET handle = $2, name = $3, sip = $4::boolean,"
		" ha1_md5 = coalesce($5, ha1_md5), ha1_sha256 = coalesce($6, ha1_sha256),"
		/* the same HA1 is of the same realm, whatever is said of it */
		" realm = CASE WHEN ha1_md5 = $5 THEN realm ELSE coalesce($7, realm) END,"
		" max_contacts = $8::integer, sequence_id = $9,"
		" location = $10 WHERE id = $1";
	char sequence[UUID_SIZE];
	int r = find_sequence(tx, body, sequence, err);

	if (r == 0)
		r = check_location(tx, body, err);
	if (r < 0)
		return r;
	return store_tx_exec(tx, sql,
			     (const char *[]){ id, body->handle, body->name,
					       body->sip_given != JSON_IS_NULL ? "t" : "f",
					       secret ? secret->md5 : NULL,
					       secret ? secret->sha256 : NULL,
					       secret ? secret->realm : NULL,
					       store_num(body->sip.max_contacts),
					       *sequence ? sequence : NULL, body->location },
			     10, err);
}

/* A new handle, or a SIP identity that there was not, needs the password: HA1 binds the name. */
static int check_password(const json_t *before, const struct user_body *body, struct error *err)
{
	const char *handle = json_string_value(json_object_get(before, "handle"));
	bool had_sip = json_is_object(json_object_get(before, "sip"));

	if (body->password || body->sip_given == JSON_IS_NULL)
		return 0;
	if (!had_sip || !handle || strcmp(handle, body->handle) != 0)
		return error_field(err, -EINVAL, "/password",
				   "is needed, as it is bound to the handle");
	return 0;
}

static int patch_locked(struct store_tx *tx, struct user_change *change, const json_t *before,
			struct error *err)
{
	const char *id = json_string_value(json_object_get(before, "id"));
	AUTO(json) json_t *merged = NULL;
	AUTO_BODY body = { 0 };
	struct secret secret;
	int r;

	r = merge(before, change->input, &merged, err);
	if (r == 0)
		r = read_body(merged, &body, err);
	if (r == 0)
		r = check_password(before, &body, err);
	if (r == 0 && body.password)
		r = make_secret(tx, &body, &secret, err);
	if (r < 0)
		return r;
	r = update_user(tx, id, &body, body.password ? &secret : NULL, err);
	explicit_bzero(&secret, sizeof(secret));
	if (r >= 0)
		r = put_station(tx, id, &body, err);
	if (r >= 0)
		r = put_presence(tx, id, &body, err);
	if (r >= 0)
		r = tx_get(tx, id, &change->result, &change->version, err);
	return explain(r, err);
}

static int lock_user(struct store_tx *tx, const char *key, int64_t if_version, struct error *err)
{
	static const char sql[] = "SELECT version FROM users"
				  " WHERE handle = $1 OR id = $2::uuid FOR UPDATE";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_tx_query(tx, sql, KEY(key), 2, &rows, err);

	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return no_user(err, key);
	if (if_version != 0 && store_rows_i64(rows, 0, 0, 0) != if_version)
		return error_set(err, -ESTALE, "the user has been changed meanwhile");
	return 0;
}

static int patch_user(struct store_tx *tx, void *user, struct error *err)
{
	struct user_change *change = user;
	AUTO(json) json_t *before = NULL;
	int64_t version;
	int r;

	forget(change);
	r = lock_user(tx, change->key, change->if_version, err);
	if (r == 0)
		r = tx_get(tx, change->key, &before, &version, err);
	return r < 0 ? r : patch_locked(tx, change, before, err);
}

int uc_user_patch(struct uc *uc, const char *key, const json_t *patch, int64_t if_version,
		  json_t **ret, int64_t *version, struct error *err)
{
	struct user_change change = { .key = key, .input = patch, .if_version = if_version };

	return change_user(uc, patch_user, &change, ret, version, err);
}

/* The change as a whole, then no commit. */
static int try_user(struct store_tx *tx, void *user, struct error *err)
{
	struct user_change *change = user;
	int r = change->key ? patch_user(tx, change, err) : create(tx, change, err);

	return r < 0 ? r : -ECANCELED;
}

int uc_user_try(struct uc *uc, const char *key, const json_t *input, int64_t if_version,
		json_t **ret, struct error *err)
{
	struct user_change change = { .key = key, .input = input, .if_version = if_version };
	int r = store_tx_run(uc->db, false, try_user, &change, err);

	if (r != -ECANCELED || !change.result) {
		forget(&change);
		return r;
	}
	*ret = change.result;
	return 0;
}

static int delete_user(struct store_tx *tx, void *user, struct error *err)
{
	struct user_change *change = user;
	int r = lock_user(tx, change->key, change->if_version, err);

	if (r < 0)
		return r;
	/* station and presence profile go with it: ON DELETE CASCADE */
	return store_tx_exec(tx, "DELETE FROM users WHERE handle = $1 OR id = $2::uuid",
			     KEY(change->key), 2, err);
}

int uc_user_delete(struct uc *uc, const char *key, int64_t if_version, struct error *err)
{
	struct user_change change = { .key = key, .if_version = if_version };
	int r = store_tx_run(uc->db, false, delete_user, &change, err);

	return r < 0 ? r : 0;
}

/* The HA1s of an export, which count for its domain alone. */
static int read_ha1(const json_t *ha1, const char *domain, struct secret *ret, struct error *err)
{
	const char *md5 = json_string_value(json_object_get(ha1, "md5"));
	const char *sha256 = json_string_value(json_object_get(ha1, "sha256"));
	const char hex[] = "0123456789abcdef";

	if (!md5 || strlen(md5) != 32 || strspn(md5, hex) != 32)
		return error_field(err, -EINVAL, "/ha1/md5", "must be 32 hex digits");
	if (!sha256 || strlen(sha256) != 64 || strspn(sha256, hex) != 64)
		return error_field(err, -EINVAL, "/ha1/sha256", "must be 64 hex digits");
	(void)snprintf(ret->md5, sizeof(ret->md5), "%s", md5);
	(void)snprintf(ret->sha256, sizeof(ret->sha256), "%s", sha256);
	(void)snprintf(ret->realm, sizeof(ret->realm), "%s", domain);
	return 0;
}

/* *same: an export of the user would hold this very item. */
static int find_user(struct store_tx *tx, const char *handle, const json_t *item,
		     char id[UUID_SIZE], bool *had_sip, bool *same, struct error *err)
{
	static const char sql[] =
		"SELECT e.id, e.had_sip,"
		" CASE WHEN $2::jsonb ? 'ha1' THEN e.doc ELSE e.doc - 'ha1' END = $2::jsonb"
		" FROM (SELECT u.id, u.ha1_md5 IS NOT NULL AS had_sip,"
		"  " UC_USER_EXPORT("true") "::jsonb AS doc"
					    "  FROM settings s, " UC_USER_EXPORT_TABLES
					    "  WHERE u.handle = $1 FOR UPDATE OF u) AS e";
	AUTO(store_rows) struct store_rows *rows = NULL;
	AUTO(str) char *text = json_text(item);
	int r = text ? store_tx_query(tx, sql, (const char *[]){ handle, text }, 2, &rows, err)
		     : error_set(err, -ENOMEM, "out of memory");

	id[0] = '\0';
	*had_sip = *same = false;
	if (r < 0 || store_rows_count(rows) == 0)
		return r;
	(void)snprintf(id, UUID_SIZE, "%s", store_rows_text(rows, 0, 0));
	*had_sip = store_rows_bool(rows, 0, 1);
	*same = store_rows_bool(rows, 0, 2);
	return 0;
}

int uc_user_put(struct store_tx *tx, const json_t *item, const char *domain, char id[UUID_SIZE],
		bool *made, bool *same, struct error *err)
{
	AUTO(json) json_t *input = json_copy((json_t *)(uintptr_t)item);
	const json_t *ha1 = json_object_get(item, "ha1");
	AUTO_BODY body = { 0 };
	struct secret secret;
	bool keyed = false, had_sip = false;
	int r;

	(void)json_object_del(input, "ha1");
	r = read_body(input, &body, err);
	if (r == 0 && body.password) {
		r = make_secret(tx, &body, &secret, err);
		keyed = r == 0;
	} else if (r == 0 && json_object_size(ha1) > 0) {
		r = read_ha1(ha1, domain, &secret, err);
		keyed = r == 0;
	}
	if (r == 0)
		r = find_user(tx, body.handle, item, id, &had_sip, same, err);
	*made = r == 0 && !*id;
	if (r < 0 || *same) {
		explicit_bzero(&secret, sizeof(secret));
		return r;
	}
	if (!keyed && !had_sip && body.sip_given != JSON_IS_NULL)
		return error_field(err, -EINVAL, "/ha1", "is needed, or a password");
	if (*made)
		uuid_v7(id);
	r = *made ? insert_user(tx, id, &body, keyed ? &secret : NULL, err)
		  : update_user(tx, id, &body, keyed ? &secret : NULL, err);
	explicit_bzero(&secret, sizeof(secret));
	if (r >= 0)
		r = put_station(tx, id, &body, err);
	if (r >= 0)
		r = put_presence(tx, id, &body, err);
	return r < 0 ? explain(r, err) : 0;
}

const struct listing uc_user_listing = {
	.sort = "handle",
	.fields =
		(const struct listing_field[]){
			{ .name = "handle",
			  .use = LISTING_KEY | LISTING_SORT | LISTING_SEARCH | LISTING_FILTER,
			  .column = "u.handle",
			  .help = "Handle" },
			{ .name = "name",
			  .use = LISTING_SORT | LISTING_SEARCH | LISTING_FILTER,
			  .column = "u.name",
			  .help = "Name" },
			{ .name = "extension",
			  .use = LISTING_SORT | LISTING_SEARCH | LISTING_FILTER,
			  .column = "coalesce(t.extension, '')",
			  .help = "Extension of the station" },
			{ .name = "created_at",
			  .kind = LISTING_TIME,
			  .use = LISTING_SORT,
			  .column = "u.created_at" },
			{ .name = "updated_at",
			  .kind = LISTING_TIME,
			  .use = LISTING_SORT,
			  .column = "u.updated_at" },
			{ .name = NULL } },
};

int uc_user_list(struct uc *uc, const struct listing_query *query, struct listing_page *ret,
		 struct error *err)
{
	static const struct store_listing source = {
		.item = USER_JSON,
		.from = USER_TABLES,
		.all = "users",
		.state = UC_STATE,
	};

	return store_listing(uc->db, &source, query, ret, err);
}
