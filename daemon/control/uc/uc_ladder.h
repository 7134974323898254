/* SPDX-License-Identifier: Apache-2.0 */
/* uc_ladder.h - who spoke to whom: a trace's messages as the arrows of a ladder. Pure functions. */
#pragma once
#include "base/json_field.h"

/* Give each item `from` and `to`: a node ("sm"), an entity's name, a user's handle, or an address.
 * items: of uc_trace_read(), by time; entities: of sm's /v1/entities. Errors: -ENOMEM. */
int uc_ladder_name(json_t *items, const json_t *entities);

/* The same, and what one node sent and another received is there once, as it was sent. The caller owns
 * *ret, an array. Errors: -ENOMEM. */
int uc_ladder_fold(json_t *items, const json_t *entities, json_t **ret);

/* {gsid,started_at,duration_us,participants,legs,phases,messages} of one call's items (named or not).
 * A message that one node sent and another received is one arrow. Errors: -ENOMEM. */
int uc_ladder(const char *gsid, json_t *items, const json_t *entities, json_t **ret);
