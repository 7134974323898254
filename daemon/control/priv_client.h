/* SPDX-License-Identifier: Apache-2.0 */
/* priv_client.h - asks aurabox-priv for one of its verbs. */
#pragma once
#include "base/error.h"
#include "base/priv_wire.h"

/* Blocks at most 15 s. name may be NULL. *fd (may be NULL) gets the descriptor that came, or -1.
 * Errors: -ENOTCONN no aurabox-priv, -EPROTO, else what it answered. */
int priv_call(const char *root, enum priv_verb verb, const char *name, unsigned index, int *fd,
	      struct error *err);
