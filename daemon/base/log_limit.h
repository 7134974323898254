/* SPDX-License-Identifier: Apache-2.0 */
/* log_limit.h - what may happen many times a second is logged once a second, with how many lines were left out. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_MS 1000

struct log_limit { /* one event's; zeroed = nothing has happened yet */
	uint64_t at_ms, unlogged;
	bool begun;
};

/* It happened. true: it may be logged; *unlogged is how many were not since the last line. now_ms: monotonic. */
bool log_limit_take(struct log_limit *limit, uint64_t now_ms, uint64_t *unlogged);
