/* SPDX-License-Identifier: Apache-2.0 */
/* state_journal.h - run-time state that must survive a restart or a takeover (bindings, …). */
#pragma once
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct node;
struct state_journal;

/* State changes only through state_put() and state_delete(): they queue the change for the data
 * disk (written by the node's worker in groups, at most 100 ms later) and hand it to the hook
 * that a standby follows. Keys are unique within a kind ("binding", "nonce-epoch", …). */

#define STATE_VALUE_MAX (64 * 1024)

/* On the loop. kind is a literal (kept by pointer); key and value are copied and hold text, such as
 * JSON, without NUL (-EINVAL). expires_ms is wall clock since 1970, 0 never; an expired row is not loaded
 * and is purged. Errors: -EFBIG value too large, -ENOBUFS the queue is full (65536 changes),
 * -ENOMEM. */
int state_put(struct state_journal *js, const char *kind, struct slice key, struct slice value,
	      int64_t expires_ms);
int state_delete(struct state_journal *js, const char *kind, struct slice key);

/* Whether a change would be kept or seen by anybody: not so when there is no data disk and no standby.
 * What is costly to write down need not be then. */
bool state_wanted(const struct state_journal *js);

/* All rows of a kind that have not expired, at start, before anything is served.
 * fn's negative result ends the walk and is passed up. */
typedef int state_load_fn(void *user, struct slice key, struct slice value, int64_t expires_ms);
int state_load(struct state_journal *js, const char *kind, state_load_fn *fn, void *user,
	       struct error *err);

/* Every change in order, with its sequence number; value.p NULL is a delete. On the loop. */
typedef void state_hook_fn(void *user, uint64_t seq, const char *kind, struct slice key,
			   struct slice value, int64_t expires_ms);
void state_hook(struct state_journal *js, state_hook_fn *fn, void *user);
