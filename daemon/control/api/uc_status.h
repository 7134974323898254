/* SPDX-License-Identifier: Apache-2.0 */
/* uc_status.h - live state beside administered rows: `status` of SIP entities, as sm sees them. */
#pragma once

struct json_t; /* Jansson */
struct uc;

/* Put "status" into each SIP entity of the array: what sm says of its links; null when sm does not
 * answer or does not know it (yet). Never fails: a list of rows does not wait for sm to be well. */
void uc_status_add(struct uc *uc, struct json_t *entities);
void uc_status_add_one(struct uc *uc, struct json_t *entity);
