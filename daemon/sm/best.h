/* SPDX-License-Identifier: Apache-2.0 */
/* best.h - which of several final answers goes back to the caller (RFC 3261 section 16.7). */
#pragma once
#include <stdbool.h>

/* Is `candidate` better than `current` (0: none yet)? 6xx before all, then the lowest class, inside
 * a class what helps the caller to go on (401, 407, 415, 420, 484), then busy, then the first. */
bool best_is_better(unsigned candidate, unsigned current);
/* What the caller is told for it: a 503 from behind becomes 500. */
unsigned best_outward(unsigned status);
