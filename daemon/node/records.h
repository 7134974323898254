/* SPDX-License-Identifier: Apache-2.0 */
/* records.h - call records of cm: kept on the data disk until smgr has committed them. */
#pragma once
#include "base/json_field.h"
#include <stddef.h>

struct error;
struct record_journal;

/* A record is a JSON object with `gsid` and `half`: "call" (one a call), "orig" or "term" (one a
 * half; a transfer adds "orig.2" …). The members are those of /uc/cdr:
 *   half "call": caller, callee, started_at, answered_at|null, ended_at, duration_s,
 *                result answered|busy|no_answer|cancelled|failed, sip_status
 *   a half:      phase, handle, peer, started_at, answered_at|null, ended_at, result, sip_status
 * Times are RFC 3339 UTC. Written again with the same key it replaces an undelivered one. */

/* On the loop; takes the reference of `record` in every case. It is queued to the data disk in
 * the order of calls. Errors: -EINVAL no gsid or half, -ENOBUFS (16384 wait), -ENOMEM. */
int record_put(struct record_journal *rj, json_t *record);
/* {"items":[…]} of the newest `limit` not yet delivered; new reference. Any thread. */
int record_pending(struct record_journal *rj, size_t limit, json_t **ret, struct error *err);
