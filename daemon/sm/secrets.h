/* SPDX-License-Identifier: Apache-2.0 */
/* secrets.h - passwords of trunks come sealed (net/seal.h); the key is the appliance's, which brings it over
 * the management API; it outlives a restart on sm's own data disk. */
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "base/json_field.h"
#include "base/slice.h"
#include "net/seal.h"

struct sm;
struct uc_registration;

#define SECRETS_KIND "secret" /* in the state journal */
#define SECRETS_KEY "seal"

extern const struct json_field secrets_fields[];
/* POST /v1/secrets-key {key}: 64 hex digits. */
int secrets_post(void *server, const json_t *body, json_t **ret, struct error *err);
bool secrets_read_key(struct sm *sm, struct slice hex); /* as the journal has it */
/* The password of a registration; the caller wipes it. Errors: -ENOENT there is none, or it cannot be
 * opened. */
int secrets_password(const struct sm *sm, const struct uc_registration *row,
		     char ret[static SEAL_PLAIN_MAX + 1]);
