/* SPDX-License-Identifier: Apache-2.0 */
/* password.h - passwords at rest: scrypt with a salt, as one line of text. */
#pragma once
#include <stdbool.h>

#include "base/slice.h"

struct error;

#define PASSWORD_HASH_LEN 160 /* with NUL */
#define PASSWORD_MAX 1024     /* bytes of a password */

/* "scrypt$15$8$1$SALT$HASH" (log2 N, r, p; base64url). Takes about 60 ms and 32 MiB: never on the
 * loop. Errors: -EINVAL too long, -ENOMEM. */
int password_hash(struct slice password, char ret[static PASSWORD_HASH_LEN], struct error *err);
/* 0 right, -EKEYREJECTED wrong, -EBADMSG hash is not ours. */
int password_verify(struct slice password, const char *hash);
/* The time of one verification, for a name that does not exist: always -EKEYREJECTED. */
int password_verify_none(struct slice password);
