/* SPDX-License-Identifier: Apache-2.0 */
/* box.h - the whole of auraboxd put together: what is made in which order, and ended in which. */
#pragma once
#include "base/box_config.h"

struct box; /* opaque, see box.c */

/* Make everything up to the listening API. root is --root or "". On the main thread; blocks some seconds at
 * the first start. Errors: err says which step failed and why. The caller owns *ret, also on failure
 * when it is not NULL. */
int box_start(const struct box_config *config, const char *root, struct box **ret,
	      struct error *err);
/* Serve until SIGTERM or SIGINT; prints `ready` first. */
int box_run(struct box *box);
/* End requests and tasks, leave the guests running. Accepts NULL and half-started ones. */
struct box *box_stop(struct box *box);
