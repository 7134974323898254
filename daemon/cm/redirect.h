/* SPDX-License-Identifier: Apache-2.0 */
/* redirect.h - the call goes to somebody else in the place of one who refused it: by a 3xx from below, or
 * because a feature says so. RFC 3261 section 8.1.3.4, History-Info RFC 7044.
 *
 * The station that the half serves pays for the way on: its class of restriction, its originating half. */
#pragma once
#include <stdbool.h>

#include "base/slice.h"

struct b2bua_half;
struct buf;
struct error;
struct sip_msg;
struct sip_uri;

#define REDIRECT_MAX 10 /* diversions of one call; one more ends with 480 */

/* A refusal has become the best one: keep the target that it names, if it is a 3xx. */
void redirect_keep(struct b2bua_half *b, const struct sip_msg *msg);
/* All branches have refused: true if the best one is a 3xx, and it is followed. */
bool redirect_follow(struct b2bua_half *b);
/* Send the call on to a URI; cause: as in History-Info, 302 and the like. While nobody has answered. Errors:
 * -EBUSY not now, -ELOOP too many diversions, -EACCES the served station may not call there, -ENOSPC, and
 * what sending gives. */
int redirect_to(struct b2bua_half *b, const struct sip_uri *uri, unsigned cause, struct error *err);

/* The History-Info of the INVITE that goes on: the entries that came (uri alone if there are none), the last one
 * with the cause, then the target. Whole lines. Errors: -EBADMSG, -ELOOP REDIRECT_MAX are there. */
int redirect_history(const struct sip_msg *invite, unsigned cause, struct slice target,
		     struct buf *out);
/* Who pays, "" nobody. */
const char *redirect_served(const struct b2bua_half *b);
