/* SPDX-License-Identifier: Apache-2.0 */
/* auth_private.h - what the files of control/auth share. */
#pragma once
#include <semaphore.h>

#include "control/auth/auth.h"

enum { AUTH_HASH_SIZE = 65 };

struct auth {
	struct store *store;
	uint32_t idle_s;
	uint32_t login_window_s;
	char *group;
	char *initial_password_file;
	sem_t hashing; /* scrypt takes 32 MiB a turn: two at once */
};

/* SHA-256 of a secret as hex: what is kept of sessions and tokens. */
void auth_secret_hash(const char *secret, char hash[AUTH_HASH_SIZE]);
/* The CSRF token of a session's secret. */
void auth_csrf_of(const char *secret, char csrf[48]);
/* scrypt, at most two at a time. */
int auth_password_hash(struct auth *auth, const char *password, char *hash, struct error *err);
/* hash NULL: takes as long and says no. 0 or -EKEYREJECTED. */
int auth_password_check(struct auth *auth, const char *password, const char *hash);
/* At least AUTH_PASSWORD_MIN characters. field is the pointer of its member. */
int auth_password_rule(const char *password, const char *field, struct error *err);
