/* SPDX-License-Identifier: Apache-2.0 */
/* auth_private.h - what the files of control/auth share. */
#pragma once
#include <semaphore.h>
#include <stdatomic.h>

#include "control/auth/auth.h"

enum {
	AUTH_HASH_SIZE = 65,
	AUTH_HASHERS_MAX = 5, /* threads at a password, of the 8 that serve all requests */
};

struct auth {
	struct store *store;
	uint32_t idle_s;
	uint32_t login_window_s;
	char *group;
	char *initial_password_file;
	sem_t hashing;	     /* scrypt takes 32 MiB a turn: two at once */
	atomic_uint hashers; /* with those that wait for their turn */
};

/* SHA-256 of a secret as hex: what is kept of sessions and tokens. */
void auth_secret_hash(const char *secret, char hash[AUTH_HASH_SIZE]);
/* The CSRF token of a session's secret. */
void auth_csrf_of(const char *secret, char csrf[48]);
/* scrypt, at most two at a time; -EUSERS when too many wait already, so that a flood of log-ins takes
 * no thread from the other requests. */
int auth_password_hash(struct auth *auth, const char *password, char *hash, struct error *err);
/* hash NULL: takes as long and says no. Errors: -EKEYREJECTED, -EUSERS. */
int auth_password_check(struct auth *auth, const char *password, const char *hash,
			struct error *err);
/* At least AUTH_PASSWORD_MIN characters. field is the pointer of its member. */
int auth_password_rule(const char *password, const char *field, struct error *err);
