/* SPDX-License-Identifier: Apache-2.0 */
/* appearance.h - which line appearances of which stations are in use by calls. */
#pragma once
#include "base/map.h"

#define APPEARANCE_MAX 10 /* line appearances a station can have */

/* Usage outlives a change of the administration: it is kept by handle, not in the station. */
struct appearance_table {
	struct map by_handle;
};

/* How a call uses the appearance that it seizes. */
enum appearance_use { APPEARANCE_INCOMING, APPEARANCE_OUTGOING };

void appearance_table_init(struct appearance_table *t);
void appearance_table_done(struct appearance_table *t);

/* Seize the lowest free appearance of a station that has `count` of them. With keep_last the last
 * free one serves outgoing calls only (restrict_last_appearance).
 * Returns its number, from 1. Errors: -EBUSY all in use, -EINVAL no handle, -ENOMEM. */
int appearance_seize(struct appearance_table *t, struct slice handle, uint32_t count,
		     bool keep_last, enum appearance_use use);
/* The same, but the appearance `wanted` (from 1) if it is free; 0: any. */
int appearance_seize_at(struct appearance_table *t, struct slice handle, uint32_t count,
			bool keep_last, enum appearance_use use, unsigned wanted);
/* Give back what appearance_seize() returned; anything else is ignored. */
void appearance_release(struct appearance_table *t, struct slice handle, int number);
/* How many are in use. */
unsigned appearance_in_use(const struct appearance_table *t, struct slice handle);
