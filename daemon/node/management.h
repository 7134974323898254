/* SPDX-License-Identifier: Apache-2.0 */
/* management.h - a call server's own API: /health, /metrics and /v1/…, on a unix socket or TLS. */
#pragma once
#include "base/error.h"

struct management;
struct node;
struct node_server;

/* Serve on unix_path unless NULL and on tls_address ("10.77.0.11:7443", with the identity's
 * certificates; only a client whose certificate says CN auraboxd is let in) unless NULL. */
int management_new(struct node *node, const struct node_server *server, const char *unix_path,
		   const char *tls_address, struct management **ret, struct error *err);
struct management *management_free(struct management *m);
DEFINE_AUTO(management)
