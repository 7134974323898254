/* SPDX-License-Identifier: Apache-2.0 */
/* auth.h - administrators, sessions and API tokens: who may come in. All calls block (SQL, scrypt):
 * worker threads only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/listing.h"
#include "control/auth/actor.h"

struct auth; /* opaque, see auth.c */
struct change;
struct error;
struct json_t; /* Jansson */
struct store;

enum {
	AUTH_PASSWORD_MIN = 12,	    /* characters */
	AUTH_LOGIN_FAILURES = 10,   /* in the window, per name and address */
	AUTH_SECRET_SIZE = 64,	    /* session or token secret with NUL */
	AUTH_SESSION_MAX_S = 43200, /* 12 h */
};

struct auth_config {
	struct store *store;	 /* borrowed */
	uint32_t idle_s;	 /* 0 = 1800 */
	uint32_t login_window_s; /* 0 = 600 */
	const char *group;	 /* unix group that is admin on the socket: "aurabox"; copied */
	const char
		*initial_password_file; /* made by auth_bootstrap(), removed once changed; copied */
};

int auth_new(const struct auth_config *config, struct auth **ret, struct error *err);
struct auth *auth_free(struct auth *auth);
/* When there is no administrator at all: make `admin` with a random password that must be changed
 * and write it to initial_password_file (0600, one line). Returns 1 if it did, else 0. */
int auth_bootstrap(struct auth *auth, struct error *err);

/* What a request shows of itself. */
struct auth_credentials {
	const char *address; /* of the peer */
	bool local;	     /* by the unix socket: uid and gid are the kernel's word */
	uid_t uid;
	gid_t gid;
	pid_t pid;
	const char *authorization; /* header or NULL */
	const char *cookie;	   /* the session cookie's value or NULL */
	const char *csrf;	   /* X-CSRF-Token or NULL */
	bool unsafe;		   /* the method changes something */
	bool foreign_origin;	   /* an Origin header that is not this host's */
};
/* Who is it? *ret of kind ACTOR_NONE when nothing was shown. Errors: -EKEYREJECTED shown but not
 * valid (code unauthenticated), -EACCES csrf_failed, as store.h. */
int auth_identify(struct auth *auth, const struct auth_credentials *credentials, struct actor *ret,
		  struct error *err);

/* Log in. secret gets the cookie's value. Failures are audited too.
 * Errors: -EKEYREJECTED invalid_credentials, -EUSERS too many failures (retry_after_s set). */
int auth_login(struct auth *auth, const char *name, const char *password, const char *address,
	       bool local, struct actor *ret, char secret[AUTH_SECRET_SIZE], struct error *err);
int auth_logout(struct auth *auth, const struct actor *actor, struct error *err);
/* Errors: -EKEYREJECTED old password is wrong, -EINVAL /new_password too short or the same. */
int auth_change_password(struct auth *auth, const struct actor *actor, const char *old_password,
			 const char *new_password, struct error *err);
/* After so many seconds without a request a session ends. */
uint32_t auth_idle_s(const struct auth *auth);
/* Of these owners ("SESSION_OR_TOKEN_ID/ROLE" or "socket/…"), which are still valid, in that role?
 * alive[i] is set; for open event streams. Does not count as use. */
int auth_alive(struct auth *auth, const char (*owners)[48], size_t count, bool *alive,
	       struct error *err);

/* Administrators: {id, name, role, must_change_password, created_at, updated_at, version}. */
struct admin_change {
	const char *name;	  /* NULL: unchanged */
	const char *password;	  /* NULL: unchanged */
	int role;		  /* enum role, -1: unchanged */
	int must_change_password; /* 0, 1, -1: unchanged */
};
int admin_create(struct auth *auth, struct change *change, const struct admin_change *spec,
		 struct json_t **ret, struct error *err);
/* By id or name. *version is for the ETag. */
int admin_get(struct auth *auth, const char *admin, struct json_t **ret, int64_t *version,
	      struct error *err);
extern const struct listing admin_listing;
int admin_list(struct auth *auth, const struct listing_query *query, struct listing_page *ret,
	       struct error *err);
/* version: the row's expected one, else -ESTALE. Errors: -EBUSY last admin, -EEXIST, -ENOENT. */
int admin_update(struct auth *auth, struct change *change, const char *admin, int64_t version,
		 const struct admin_change *spec, struct json_t **ret, struct error *err);
/* This administrator's password was changed: the initial one, in its file, is no longer true. */
void auth_initial_password_gone(struct auth *auth, const char *name);
/* version -1: any. */
int admin_delete(struct auth *auth, struct change *change, const char *admin, int64_t version,
		 struct error *err);

/* Tokens: {id, name, owner, scopes, expires_at, last_used_at, created_at, updated_at}. Own ones;
 * who may admins:read sees all. */
int token_create(struct auth *auth, struct change *change, const struct actor *actor,
		 const char *name, permissions scopes, int64_t expires_at, struct json_t **ret,
		 struct error *err); /* *ret holds `token`, the only time it is shown */
extern const struct listing token_listing;
int token_list(struct auth *auth, const struct actor *actor, const struct listing_query *query,
	       struct listing_page *ret, struct error *err);
int token_get(struct auth *auth, const struct actor *actor, const char *id, struct json_t **ret,
	      struct error *err);
int token_delete(struct auth *auth, struct change *change, const struct actor *actor,
		 const char *id, struct error *err);
