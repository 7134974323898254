/* SPDX-License-Identifier: Apache-2.0 */
/* auth.c - see auth.h: who asks, and the first administrator. */
#include "base/log.h"
#include "base/random.h"
#include "base/slice.h"
#include "control/auth/audit.h"
#include "control/auth/auth_private.h"
#include "control/task/sql.h"
#include "net/digest.h"
#include "net/password.h"
#include "net/pki.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#define HASHES_AT_ONCE 2
#define GROUPS_MAX 256

void auth_secret_hash(const char *secret, char hash[AUTH_HASH_SIZE])
{
	struct slice part = slice_str(secret);

	digest_hex_joined(DIGEST_SHA256, &part, 1, hash);
}

void auth_csrf_of(const char *secret, char csrf[48])
{
	struct slice parts[] = { SLICE("csrf"), slice_str(secret) };
	uint8_t hash[DIGEST_SHA256_LEN];

	digest_parts(DIGEST_SHA256, parts, 2, hash);
	(void)digest_to_base64url(hash, 24, csrf);
}

static int hashing_begin(struct auth *auth, struct error *err)
{
	if (atomic_fetch_add(&auth->hashers, 1) >= AUTH_HASHERS_MAX) {
		atomic_fetch_sub(&auth->hashers, 1);
		(void)error_set(err, -EUSERS, "too many passwords are being checked");
		if (err)
			err->retry_after_s = 1;
		return -EUSERS;
	}
	(void)sem_wait(&auth->hashing);
	return 0;
}

static void hashing_end(struct auth *auth)
{
	(void)sem_post(&auth->hashing);
	atomic_fetch_sub(&auth->hashers, 1);
}

int auth_password_hash(struct auth *auth, const char *password, char *hash, struct error *err)
{
	int r = hashing_begin(auth, err);

	if (r < 0)
		return r;
	r = password_hash(slice_str(password), hash, err);
	hashing_end(auth);
	return r;
}

int auth_password_check(struct auth *auth, const char *password, const char *hash,
			struct error *err)
{
	int r = hashing_begin(auth, err);

	if (r < 0)
		return r;
	r = hash ? password_verify(slice_str(password), hash)
		 : password_verify_none(slice_str(password));
	hashing_end(auth);
	return r == 0 ? 0 : -EKEYREJECTED;
}

int auth_password_rule(const char *password, const char *field, struct error *err)
{
	size_t characters = 0;

	for (const char *p = password; *p; p++)
		characters += ((unsigned char)*p & 0xc0) != 0x80;
	if (characters < AUTH_PASSWORD_MIN)
		return error_field(err, -EINVAL, field, "must have at least %d characters",
				   AUTH_PASSWORD_MIN);
	if (strlen(password) > PASSWORD_MAX)
		return error_field(err, -EINVAL, field, "must have at most %d bytes", PASSWORD_MAX);
	return 0;
}

void auth_initial_password_gone(struct auth *auth, const char *name)
{
	if (auth->initial_password_file && strcmp(name, "admin") == 0 &&
	    unlink(auth->initial_password_file) < 0 && errno != ENOENT)
		log_warning("auth.initial_password_kept", F("errno", errno));
}

int auth_new(const struct auth_config *config, struct auth **ret, struct error *err)
{
	struct auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return error_set(err, -ENOMEM, "no memory");
	auth->store = config->store;
	auth->idle_s = config->idle_s ? config->idle_s : 1800;
	auth->login_window_s = config->login_window_s ? config->login_window_s : 600;
	auth->group = strdup(config->group ? config->group : "aurabox");
	if (config->initial_password_file)
		auth->initial_password_file = strdup(config->initial_password_file);
	(void)sem_init(&auth->hashing, 0, HASHES_AT_ONCE);
	if (!auth->group || (config->initial_password_file && !auth->initial_password_file)) {
		(void)auth_free(auth);
		return error_set(err, -ENOMEM, "no memory");
	}
	*ret = auth;
	return 0;
}

struct auth *auth_free(struct auth *auth)
{
	if (!auth)
		return NULL;
	(void)sem_destroy(&auth->hashing);
	free(auth->group);
	free(auth->initial_password_file);
	free(auth);
	return NULL;
}

static int bootstrap_row(struct auth *auth, const char *password, struct error *err)
{
	static const char sql[] =
		"INSERT INTO admin (id, name, role, password_hash, must_change_password) "
		"SELECT $1::uuid, 'admin', 'admin', $2, true WHERE NOT EXISTS (SELECT FROM admin)";
	AUTO(store_tx) struct store_tx *tx = NULL;
	struct actor actor = { .kind = ACTOR_SYSTEM, .name = "system", .address = "local" };
	char id[UUID_SIZE], hash[PASSWORD_HASH_LEN];
	int r = auth_password_hash(auth, password, hash, err);

	if (r < 0)
		return r;
	uuid_v7(id);
	r = store_tx_begin(auth->store, true, &tx, err);
	if (r == 0)
		r = store_tx_exec(tx, sql, (const char *[]){ id, hash }, 2, err);
	if (r <= 0)
		return r;
	r = audit_add(tx, &actor, "bootstrap", "admins/admin", "ok", err);
	/* The file first: a row whose password nobody knows would lock everybody out. */
	if (r == 0 && auth->initial_password_file) {
		char line[64];
		int n = snprintf(line, sizeof(line), "%s\n", password);

		r = pki_write_file(auth->initial_password_file, slice_make(line, (size_t)n), 0600,
				   err);
	}
	if (r == 0)
		r = store_tx_commit(tx, err);
	return r < 0 ? r : 1;
}

int auth_bootstrap(struct auth *auth, struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	char password[21];
	int r = store_query(auth->store, "SELECT count(*) FROM admin", NULL, 0, &rows, err);

	if (r < 0)
		return r;
	if (store_rows_i64(rows, 0, 0, 0) > 0)
		return 0;
	random_token(password, sizeof(password) - 1);
	return bootstrap_row(auth, password, err);
}

/* Is the user of this uid root, the daemon's own user, or in the group? */
static bool socket_admin(const struct auth *auth, uid_t uid, gid_t gid)
{
	char buf[4096];
	struct group group, *found = NULL;
	struct passwd user, *who = NULL;
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX;

	if (uid == 0 || uid == geteuid())
		return true;
	if (getgrnam_r(auth->group, &group, buf, sizeof(buf), &found) != 0 || !found)
		return false;
	if (gid == found->gr_gid)
		return true;
	gid = found->gr_gid;
	if (getpwuid_r(uid, &user, buf, sizeof(buf), &who) != 0 || !who ||
	    getgrouplist(who->pw_name, who->pw_gid, groups, &n) < 0)
		return false;
	for (int i = 0; i < n; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

static void identify_socket(struct auth *auth, const struct auth_credentials *c,
			    struct actor *actor)
{
	char buf[4096];
	struct passwd user, *who = NULL;

	if (!socket_admin(auth, c->uid, c->gid))
		return;
	actor->kind = ACTOR_SOCKET;
	actor->role = ROLE_ADMIN;
	actor->may = role_permissions(ROLE_ADMIN);
	(void)snprintf(actor->session_id, sizeof(actor->session_id), "socket");
	if (getpwuid_r(c->uid, &user, buf, sizeof(buf), &who) == 0 && who)
		(void)snprintf(actor->name, sizeof(actor->name), "%s", who->pw_name);
	else
		(void)snprintf(actor->name, sizeof(actor->name), "uid:%u", (unsigned)c->uid);
}

static int unauthenticated(struct error *err, const char *why)
{
	return error_set(err, -EKEYREJECTED, "%s", why);
}

static int actor_from_row(const struct store_rows *rows, struct actor *actor, struct error *err)
{
	(void)snprintf(actor->session_id, sizeof(actor->session_id), "%s",
		       store_rows_text(rows, 0, 0));
	(void)snprintf(actor->admin_id, sizeof(actor->admin_id), "%s", store_rows_text(rows, 0, 1));
	(void)snprintf(actor->name, sizeof(actor->name), "%s", store_rows_text(rows, 0, 2));
	if (role_parse(store_rows_text(rows, 0, 3), &actor->role) < 0)
		return error_set(err, -EIO, "an administrator has an unknown role");
	actor->may = role_permissions(actor->role);
	actor->must_change_password = store_rows_bool(rows, 0, 4);
	actor->expires_at = store_rows_i64(rows, 0, 5, 0);
	return 0;
}

/* When it was used last. Of requests that come together one notes it and nobody waits: not for the row
 * and not for the disk, as the last seconds before a power cut do not matter here. */
static void note_use(struct auth *auth, const char *table, const char *column, const char *id)
{
	char sql[400];

	(void)snprintf(sql, sizeof(sql),
		       "UPDATE %s SET %s = now() FROM (SELECT id, set_config('synchronous_commit',"
		       " 'off', true) FROM %s WHERE id = $1::uuid AND coalesce(%s < now() -"
		       " interval '100 ms', true) FOR UPDATE SKIP LOCKED) AS free"
		       " WHERE %s.id = free.id",
		       table, column, table, column, table);
	(void)store_exec(auth->store, sql, (const char *[]){ id }, 1, NULL);
}

static int identify_session(struct auth *auth, const struct auth_credentials *c,
			    struct actor *actor, struct error *err)
{
	static const char sql[] = "SELECT s.id, a.id, a.name, a.role, a.must_change_password, " SQL_MS(
		"s.expires_at") ", s.used_at < now() - least(interval '15 s', make_interval(secs => $2::float8 / 4)) "
				"FROM session s JOIN admin a ON a.id = s.admin_id "
				"WHERE s.secret_hash = $1 AND s.expires_at > now() "
				"AND s.used_at > now() - make_interval(secs => $2::float8)";
	AUTO(store_rows) struct store_rows *rows = NULL;
	char hash[AUTH_HASH_SIZE];
	int r;

	auth_secret_hash(c->cookie, hash);
	r = store_query_kept(auth->store, sql, (const char *[]){ hash, store_num(auth->idle_s) }, 2,
			     &rows, err);
	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return unauthenticated(err, "the session has ended");
	r = actor_from_row(rows, actor, err);
	if (r < 0)
		return r;
	auth_csrf_of(c->cookie, actor->csrf);
	if (c->unsafe &&
	    (!c->csrf || !digest_equal_slice(slice_str(c->csrf), slice_str(actor->csrf)))) {
		(void)error_set(err, -EACCES, "the X-CSRF-Token header is missing or wrong");
		error_code_name(err, "csrf_failed");
		return -EACCES;
	}
	actor->kind = ACTOR_SESSION;
	if (store_rows_bool(rows, 0, 6))
		note_use(auth, "session", "used_at", actor->session_id);
	return 0;
}

static int identify_token(struct auth *auth, const char *token, struct actor *actor,
			  struct error *err)
{
	static const char sql[] = "SELECT t.id, a.id, a.name, a.role, false, " SQL_MS(
		"t.expires_at") ", coalesce(t.last_used_at < now() - interval '60 s', true), "
				"array_to_string(t.scopes, ' ') "
				"FROM token t JOIN admin a ON a.id = t.admin_id "
				"WHERE t.secret_hash = $1 "
				"AND (t.expires_at IS NULL OR t.expires_at > now())";
	AUTO(store_rows) struct store_rows *rows = NULL;
	char hash[AUTH_HASH_SIZE];
	permissions scopes = 0;
	struct slice rest;
	int r;

	auth_secret_hash(token, hash);
	r = store_query_kept(auth->store, sql, (const char *[]){ hash }, 1, &rows, err);
	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return unauthenticated(err, "the token is not valid");
	r = actor_from_row(rows, actor, err);
	if (r < 0)
		return r;
	rest = slice_str(store_rows_text(rows, 0, 7));
	while (rest.len > 0) {
		char scope[64];

		if (slice_copy(slice_take_until(&rest, ' ', NULL), scope, sizeof(scope)) == 0)
			scopes |= permission_parse(scope);
	}
	actor->may &= scopes;
	actor->kind = ACTOR_TOKEN;
	if (store_rows_bool(rows, 0, 6))
		note_use(auth, "token", "last_used_at", actor->session_id);
	return 0;
}

int auth_identify(struct auth *auth, const struct auth_credentials *c, struct actor *ret,
		  struct error *err)
{
	struct actor actor = { .kind = ACTOR_NONE };
	struct slice authorization = slice_str(c->authorization ? c->authorization : "");
	int r = 0;

	(void)snprintf(actor.address, sizeof(actor.address), "%s", c->address);
	if (authorization.len > 0) {
		char token[128];

		if (!slice_skip_nocase(&authorization, SLICE("Bearer ")) ||
		    slice_copy(slice_trim(authorization), token, sizeof(token)) < 0 ||
		    !slice_starts_with(slice_str(token), SLICE("abx_")))
			return unauthenticated(err,
					       "the Authorization header is not a Bearer token");
		r = identify_token(auth, token, &actor, err);
	} else if (c->cookie) {
		if (c->foreign_origin) {
			(void)error_set(err, -EACCES, "the request comes from a foreign origin");
			error_code_name(err, "csrf_failed");
			return -EACCES;
		}
		r = identify_session(auth, c, &actor, err);
	} else if (c->local) {
		identify_socket(auth, c, &actor);
	}
	if (r < 0)
		return r;
	*ret = actor;
	return 0;
}
