/* SPDX-License-Identifier: Apache-2.0 */
/* listen.h - PostgreSQL's LISTEN on the loop: told when a channel is notified. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct error;
struct loop;
struct store_config;
struct store_listen;

struct store_listen_handler {
	/* A NOTIFY arrived. Texts are borrowed until the call returns. */
	void (*notified)(void *user, const char *channel, const char *payload);
	/* The connection is there (again): whatever was notified in the gap is lost, so look
	 * at the tables now. Or it is gone (up false). */
	void (*state)(void *user, bool up);
	void *user;
};

/* Connects on a thread of its own, reconnects with a growing pause (100 ms … 1 s); the handlers
 * run on the loop. Channels are plain identifiers. Errors: -EINVAL, -ENOMEM, -EAGAIN no thread. */
int store_listen_new(struct loop *loop, const struct store_config *config,
		     const char *const *channels, size_t n,
		     const struct store_listen_handler *handler, struct store_listen **ret,
		     struct error *err);
/* On the loop's thread; no handler runs after it. Waits for a connection attempt that is under way
 * (connect_timeout_s at most). Accepts NULL.  */
struct store_listen *store_listen_free(struct store_listen *listen);
