/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - monotonic milliseconds for timers, UTC for people; injectable in tests. */
#pragma once
#include "base/slice.h"

struct clock {
	uint64_t (*monotonic_ms)(void *user);
	int64_t (*wall_ms)(void *user); /* milliseconds since 1970 UTC */
	void *user;
};

const struct clock *clock_system(void);
/* The system's wall clock in microseconds: for time stamps that nothing is decided by. */
int64_t clock_wall_us(void);

/* A clock that moves only when told to; both start at the given values. */
struct clock_fake {
	struct clock clock;
	uint64_t now_ms;
	int64_t now_wall_ms;
};
void clock_fake_init(struct clock_fake *c, uint64_t now_ms, int64_t now_wall_ms);
void clock_fake_advance(struct clock_fake *c, uint64_t ms);

static inline uint64_t clock_now(const struct clock *c)
{
	return c->monotonic_ms(c->user);
}

static inline int64_t clock_wall(const struct clock *c)
{
	return c->wall_ms(c->user);
}

#define CLOCK_RFC3339_SIZE 32
/* "2026-11-21T10:12:13.123Z" into out[CLOCK_RFC3339_SIZE]; returns out. */
char *clock_format(int64_t wall_ms, char *out);
/* RFC 3339 with Z or an offset, fraction optional. Errors: -EBADMSG, -ERANGE. */
int clock_parse(struct slice text, int64_t *ret_wall_ms);
