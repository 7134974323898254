/* SPDX-License-Identifier: Apache-2.0 */
/* explain.h - POST /v1/route-test: where a call would go and why. */
#pragma once
#include "base/json_field.h"

/* {caller, callee, source, at, transport}: callee is a URI or a number; source an address of the caller
 * (with its port, an entity's); at RFC 3339, absent: now. */
extern const struct json_field explain_fields[];
int explain_post(void *server, const json_t *body, json_t **ret, struct error *err);
