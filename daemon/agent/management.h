/* SPDX-License-Identifier: Apache-2.0 */
/* management.h - the management API of a guest without a call server (smgr): GET /health, /metrics. */
#pragma once
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct management; /* opaque, see management.c */

/* What the answers say; filled in by the agent on the loop. */
struct management_state {
	bool ready;
	char reason[120];
	uint32_t restarts;
	const char *data_folder;
};

/* Serve on address:7443 with the guest's certificate; only the client auraboxd is let in. `state`
 * is borrowed. Errors: -EADDRINUSE, -EIO, what tls_context_new() says. */
int management_new(struct loop *loop, const char *address, const struct management_state *state,
		   struct management **ret, struct error *err);
struct management *management_free(struct management *m);
DEFINE_AUTO(management)
/* The certificate was replaced. */
void management_reload(struct management *m);
