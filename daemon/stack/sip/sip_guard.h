/* SPDX-License-Identifier: Apache-2.0 */
/* sip_guard.h - what keeps a proxy from loops and amplification: branch hash, Max-Forwards,
 * Max-Breadth (RFC 3261 section 16.3, RFC 5393); and the session id over all legs of a call. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct sip_msg;
struct sip_wire;

#define SIP_GUARD_TAIL_LEN 18 /* with NUL */
#define SIP_MAX_FORWARDS 70
#define SIP_MAX_BREADTH 60

/* Hash over what decides where a request goes next (RFC 5393 section 4.2.2): Request-URI, From and
 * To tags, Call-ID, CSeq number, Route, Proxy-Require, (Proxy-)Authorization, and `extra` (phase of the
 * sequence). Text for sip_client_options.branch_tail: "." and 16 hex digits. */
void sip_guard_tail(const struct sip_msg *request, struct slice extra,
		    char ret[static SIP_GUARD_TAIL_LEN]);
/* Has this element forwarded the very same request before: a Via of ours with that tail? Then 482. */
bool sip_guard_is_loop(const struct sip_wire *wire, const struct sip_msg *request);

/* Value for the forwarded request: one less, SIP_MAX_FORWARDS when absent. -ELOOP: 483. -EBADMSG. */
int sip_guard_max_forwards(const struct sip_msg *request, uint32_t *ret);
/* Breadth that may be given away: SIP_MAX_BREADTH when absent. */
uint32_t sip_guard_max_breadth(const struct sip_msg *request);
/* Share of branch index of count; 0 when there are more branches than breadth: 440 for those. */
uint32_t sip_guard_share(uint32_t breadth, uint32_t count, uint32_t index);

#define SIP_GSID_LEN 37
/* Av-Global-Session-ID of a message when it is a UUID, else empty. */
struct slice sip_guard_gsid(const struct sip_msg *msg);
void sip_guard_gsid_new(char ret[static SIP_GSID_LEN]);
