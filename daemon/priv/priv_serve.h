/* SPDX-License-Identifier: Apache-2.0 */
/* priv_serve.h - the socket, the caller's identity, the closed table of verbs. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct box_config;
struct priv_reply;
struct priv_request;

struct priv {
	const struct box_config *config;
	const char *root; /* --root or "" */
	uid_t user;	  /* of auraboxd; root is always allowed */
	gid_t group;
};

/* Make the socket (0660, group of auraboxd). Errors: -errno. */
int priv_listen(const struct priv *p, int *ret, struct error *err);
/* Accept, check, serve and close one connection; failures of the caller are the caller's. */
void priv_serve_one(const struct priv *p, int listener);

/* Is the request well-formed: magic, version, a verb of the table, a name only where one is taken, and then
 * of [a-z0-9-]? Errors: -EPROTO, -ENOTSUP, -EINVAL. */
int priv_request_check(const struct priv_request *request, size_t len, struct error *err);
/* The descriptor of a console log, never through a link, only a plain file with one name.
 * Errors: -ENOENT, -EACCES. */
int priv_log_open(const struct priv *p, const char *name, unsigned index, int *ret,
		  struct error *err);
