/* SPDX-License-Identifier: Apache-2.0 */
/* best.c - which of several final answers goes back to the caller (RFC 3261 section 16.7). */
#include "sm/best.h"

#include <stddef.h>

#include "base/error.h"

/* Within 4xx, the sooner the better; what is not listed comes between. */
/* clang-format off */
static const unsigned preferred[] = { 401, 407, 415, 420, 484, 486 };
static const unsigned avoided[]   = { 480, 404, 487, 408 };
/* clang-format on */

static unsigned rank_in_class(unsigned status)
{
	for (size_t i = 0; i < ARRAY_SIZE(preferred); i++)
		if (preferred[i] == status)
			return (unsigned)i;
	for (size_t i = 0; i < ARRAY_SIZE(avoided); i++)
		if (avoided[i] == status)
			return 100 + (unsigned)i;
	return status == 503 ? 99 : 50;
}

static unsigned rank(unsigned status)
{
	unsigned class = status / 100;

	if (status == 0)
		return 100000;
	return (class == 6 ? 0 : class) * 1000 + rank_in_class(status);
}

bool best_is_better(unsigned candidate, unsigned current)
{
	return rank(candidate) < rank(current);
}

unsigned best_outward(unsigned status)
{
	return status == 503 ? 500 : status;
}
