/* SPDX-License-Identifier: Apache-2.0 */
/* uc_diff.h - what changed between two readings of a live list. Pure: no clock, no network. */
#pragma once
#include "base/json_field.h"

/* Most changes that one reading gives; what goes beyond is a summary. */
#define UC_DIFF_MAX 500

/* How the items of a list are told apart and compared. */
struct uc_diff_kind {
	const char *subject;	     /* member that names an event's subject, part of the key */
	const char *second;	     /* further member of the key, or NULL */
	const char *ignored;	     /* member whose change alone is none, or NULL */
	const char *const *compared; /* the members that count, ended by NULL; NULL: all */
	const char *changed;	     /* types of the events */
	const char *deleted;
	const char *summary;
};

extern const struct uc_diff_kind uc_diff_registrations;
extern const struct uc_diff_kind uc_diff_calls;
extern const struct uc_diff_kind uc_diff_quarantine;
extern const struct uc_diff_kind uc_diff_entities; /* their links' state, not each probe */

/* known: the reading before as *now gave it, NULL at the first. *events gets an array of
 * {"type","subject","data"}: new and changed items, then those gone with what was last known of
 * them; at most UC_DIFF_MAX, and if there would be more, or known is NULL, a last one of type
 * summary that says how many items there are: read the list anew. Items without a subject are left
 * out. Both results are new references. Errors: -ENOMEM. */
int uc_diff(const struct uc_diff_kind *kind, const json_t *known, const json_t *items, json_t **now,
	    json_t **events, struct error *err);
