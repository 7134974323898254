/* SPDX-License-Identifier: Apache-2.0 */
/* log_limit.c - see log_limit.h. */
#include "base/log_limit.h"

bool log_limit_take(struct log_limit *limit, uint64_t now_ms, uint64_t *unlogged)
{
	if (limit->begun && now_ms - limit->at_ms < LOG_LIMIT_MS) {
		limit->unlogged++;
		return false;
	}
	*unlogged = limit->unlogged;
	*limit = (struct log_limit){ .at_ms = now_ms, .begun = true };
	return true;
}
