/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - see auth.h: log-in, log-out, the limit of attempts, own password. */
#include "base/json_field.h"
#include "base/random.h"
#include "base/slice.h"
#include "control/auth/audit.h"
#include "control/auth/auth_private.h"
#include "control/task/sql.h"
#include "net/digest.h"
#include "net/password.h"

#include <stdio.h>

static int invalid(struct error *err)
{
	(void)error_set(err, -EKEYREJECTED, "the name or the password is wrong");
	error_code_name(err, "invalid_credentials");
	return -EKEYREJECTED;
}

/* Count this attempt with those of the window; it is taken back when it succeeds. Inserting before
 * counting lets no burst of parallel attempts through. */
static int attempt(struct auth *auth, const char *name, const char *address, char id[24],
		   struct error *err)
{
	static const char insert[] =
		"INSERT INTO login_attempt (name, address) VALUES ($1, $2) RETURNING id";
	static const char count[] =
		"SELECT count(*), extract(epoch FROM min(at) + make_interval(secs => $3::int) - now())::int "
		"FROM login_attempt WHERE name = $1 AND address = $2 AND id <= $4::bigint "
		"AND at > now() - make_interval(secs => $3::int)";
	AUTO(store_rows) struct store_rows *row = NULL;
	AUTO(store_rows) struct store_rows *rows = NULL;
	int64_t wait;
	int r;

	(void)store_exec(
		auth->store,
		"DELETE FROM login_attempt WHERE at < now() - make_interval(secs => $1::int)",
		(const char *[]){ store_num(auth->login_window_s) }, 1, NULL);
	r = store_query(auth->store, insert, (const char *[]){ name, address }, 2, &row, err);
	if (r < 0)
		return r;
	(void)snprintf(id, 24, "%s", store_rows_text(row, 0, 0));
	r = store_query(auth->store, count,
			(const char *[]){ name, address, store_num(auth->login_window_s), id }, 4,
			&rows, err);
	if (r < 0)
		return r;
	if (store_rows_i64(rows, 0, 0, 0) <= AUTH_LOGIN_FAILURES)
		return 0;
	(void)store_exec(auth->store, "DELETE FROM login_attempt WHERE id = $1::bigint",
			 (const char *[]){ id }, 1, NULL);
	wait = store_rows_i64(rows, 0, 1, 1);
	(void)error_set(err, -EUSERS, "too many failed log-ins with this name from this address");
	if (err)
		err->retry_after_s = wait > 0 ? (unsigned)wait : 1;
	return -EUSERS;
}

/* Nobody compared the password: it is no failure. */
static void not_looked_at(struct auth *auth, const char *attempt_id)
{
	if (*attempt_id)
		(void)store_exec(auth->store, "DELETE FROM login_attempt WHERE id = $1::bigint",
				 (const char *[]){ attempt_id }, 1, NULL);
}

static int open_session(struct auth *auth, struct actor *actor, char *secret, struct error *err)
{
	static const char sql[] =
		"INSERT INTO session (id, admin_id, secret_hash, address, expires_at) "
		"VALUES ($1::uuid, $2::uuid, $3, $4, now() + make_interval(secs => $5::int)) "
		"RETURNING " SQL_MS("expires_at");
	AUTO(change) struct change *change = NULL;
	AUTO(store_rows) struct store_rows *rows = NULL;
	char hash[AUTH_HASH_SIZE], id[UUID_SIZE], target[360];
	uint8_t bytes[32];
	int r;

	random_bytes(bytes, sizeof(bytes));
	(void)digest_to_base64url(bytes, sizeof(bytes), secret);
	auth_secret_hash(secret, hash);
	auth_csrf_of(secret, actor->csrf);
	uuid_v7(id);
	(void)snprintf(target, sizeof(target), "admins/%s", actor->name);
	r = change_begin(auth->store, actor, "login", target, &change, err);
	if (r < 0)
		return r;
	(void)store_tx_exec(change_tx(change), "DELETE FROM session WHERE expires_at < now()", NULL,
			    0, NULL);
	r = store_tx_query(change_tx(change), sql,
			   (const char *[]){ id, actor->admin_id, hash, actor->address,
					     store_num(AUTH_SESSION_MAX_S) },
			   5, &rows, err);
	if (r < 0)
		return r;
	(void)snprintf(actor->session_id, sizeof(actor->session_id), "%s", id);
	actor->expires_at = store_rows_i64(rows, 0, 0, 0);
	actor->kind = ACTOR_SESSION;
	return change_commit(change, err);
}

int auth_login(struct auth *auth, const char *name, const char *password, const char *address,
	       bool local, struct actor *ret, char secret[AUTH_SECRET_SIZE], struct error *err)
{
	static const char sql[] =
		"SELECT id, name, role, must_change_password, password_hash FROM admin WHERE name = $1";
	AUTO(store_rows) struct store_rows *rows = NULL;
	struct actor actor = { .kind = ACTOR_NONE };
	char attempt_id[24] = "", target[360];
	int r = 0;

	(void)snprintf(actor.address, sizeof(actor.address), "%s", address);
	(void)snprintf(actor.name, sizeof(actor.name), "%s", name);
	(void)snprintf(target, sizeof(target), "admins/%s", name);
	if (!local)
		r = attempt(auth, name, address, attempt_id, err);
	if (r < 0) {
		if (r == -EUSERS)
			(void)audit_write(auth->store, &actor, "login", target, "too_many_requests",
					  NULL);
		return r;
	}
	r = store_query(auth->store, sql, (const char *[]){ name }, 1, &rows, err);
	if (r < 0)
		return r;
	r = auth_password_check(auth, password,
				store_rows_count(rows) ? store_rows_text(rows, 0, 4) : NULL, err);
	if (r == -EUSERS) {
		not_looked_at(auth, attempt_id);
		(void)audit_write(auth->store, &actor, "login", target, "too_many_requests", NULL);
		return r;
	}
	if (r < 0) {
		(void)audit_write(auth->store, &actor, "login", target, "invalid_credentials",
				  NULL);
		return invalid(err);
	}
	(void)snprintf(actor.admin_id, sizeof(actor.admin_id), "%s", store_rows_text(rows, 0, 0));
	if (role_parse(store_rows_text(rows, 0, 2), &actor.role) < 0)
		return error_set(err, -EIO, "an administrator has an unknown role");
	actor.may = role_permissions(actor.role);
	actor.must_change_password = store_rows_bool(rows, 0, 3);
	if (!local)
		(void)store_exec(auth->store,
				 "DELETE FROM login_attempt WHERE name = $1 AND address = $2",
				 (const char *[]){ name, address }, 2, NULL);
	r = open_session(auth, &actor, secret, err);
	if (r < 0)
		return r;
	*ret = actor;
	return 0;
}

int auth_logout(struct auth *auth, const struct actor *actor, struct error *err)
{
	AUTO(change) struct change *change = NULL;
	char target[360];
	int r;

	if (actor->kind != ACTOR_SESSION)
		return error_set(err, -EBUSY, "there is no session to end");
	(void)snprintf(target, sizeof(target), "admins/%s", actor->name);
	r = change_begin(auth->store, actor, "logout", target, &change, err);
	if (r == 0)
		r = store_tx_exec(change_tx(change), "DELETE FROM session WHERE id = $1::uuid",
				  (const char *[]){ actor->session_id }, 1, err);
	return r < 0 ? r : change_commit(change, err);
}

static int check_old_password(struct auth *auth, const struct actor *actor, const char *password,
			      struct error *err)
{
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_query(auth->store, "SELECT password_hash FROM admin WHERE id = $1::uuid",
			    (const char *[]){ actor->admin_id }, 1, &rows, err);

	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return invalid(err);
	r = auth_password_check(auth, password, store_rows_text(rows, 0, 0), err);
	return r == -EKEYREJECTED ? invalid(err) : r;
}

int auth_change_password(struct auth *auth, const struct actor *actor, const char *old_password,
			 const char *new_password, struct error *err)
{
	static const char sql[] =
		"UPDATE admin SET password_hash = $2, must_change_password = false, "
		"version = version + 1, updated_at = now() WHERE id = $1::uuid";
	static const char others[] =
		"DELETE FROM session WHERE admin_id = $1::uuid AND id <> $2::uuid";
	AUTO(change) struct change *change = NULL;
	char hash[PASSWORD_HASH_LEN], target[360], attempt_id[24];
	int r;

	if (actor->kind != ACTOR_SESSION)
		return error_set(err, -EBUSY, "only a session can change its own password");
	r = auth_password_rule(new_password, "/new_password", err);
	if (r < 0)
		return r;
	if (strcmp(old_password, new_password) == 0)
		return error_field(err, -EINVAL, "/new_password", "must differ from the old one");
	r = attempt(auth, actor->name, actor->address, attempt_id, err);
	if (r == 0)
		r = check_old_password(auth, actor, old_password, err);
	if (r < 0)
		return r;
	(void)store_exec(auth->store, "DELETE FROM login_attempt WHERE name = $1 AND address = $2",
			 (const char *[]){ actor->name, actor->address }, 2, NULL);
	r = auth_password_hash(auth, new_password, hash, err);
	if (r < 0)
		return r;
	(void)snprintf(target, sizeof(target), "admins/%s", actor->name);
	r = change_begin(auth->store, actor, "change_password", target, &change, err);
	if (r == 0)
		r = store_tx_exec(change_tx(change), sql, (const char *[]){ actor->admin_id, hash },
				  2, err);
	if (r >= 0)
		r = store_tx_exec(change_tx(change), others,
				  (const char *[]){ actor->admin_id, actor->session_id }, 2, err);
	if (r >= 0)
		r = change_event(change, "admins", "admin.changed", actor->admin_id,
				 json_pack("{s:s, s:s}", "id", actor->admin_id, "name",
					   actor->name),
				 err);
	if (r >= 0)
		r = change_commit(change, err);
	if (r >= 0)
		auth_initial_password_gone(auth, actor->name);
	return r < 0 ? r : 0;
}

uint32_t auth_idle_s(const struct auth *auth)
{
	return auth->idle_s;
}

int auth_alive(struct auth *auth, const char (*owners)[48], size_t count, bool *alive,
	       struct error *err)
{
	static const char sql[] =
		"SELECT s.id || '/' || a.role FROM session s JOIN admin a ON a.id = s.admin_id "
		"WHERE s.expires_at > now() AND s.used_at > now() - make_interval(secs => $1::int) "
		"UNION ALL SELECT t.id || '/' || a.role FROM token t JOIN admin a ON a.id = t.admin_id "
		"WHERE t.expires_at IS NULL OR t.expires_at > now()";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_query(auth->store, sql, (const char *[]){ store_num(auth->idle_s) }, 1, &rows,
			    err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		alive[i] = strncmp(owners[i], "socket", 6) == 0;
		for (size_t k = 0; k < store_rows_count(rows) && !alive[i]; k++)
			alive[i] = strcmp(store_rows_text(rows, k, 0), owners[i]) == 0;
	}
	return 0;
}
