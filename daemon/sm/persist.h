/* SPDX-License-Identifier: Apache-2.0 */
/* persist.h - what of sm outlives a restart: bindings and the key of its tokens. */
#pragma once
#include "sm/location.h"

struct error;
struct sm;

/* The location's hook: every change goes to the state journal. */
void persist_binding(void *user, enum location_event event, const char *handle,
		     const struct binding *binding);
/* At start, before anything is served: key and bindings of before. Errors: what loading gives. */
int persist_load(struct sm *sm, struct error *err);
