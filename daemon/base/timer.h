/* SPDX-License-Identifier: Apache-2.0 */
/* timer.h - a hierarchical timer wheel, 1 ms grain: start, stop and expiry in O(1). */
#pragma once
#include "base/list.h"
#include <stdint.h>

/* Embed in the owner. Zeroed = idle. The owner stops it before it goes away. */
struct timer {
	struct list link;
	uint64_t due_ms;
	void (*fire)(struct timer *timer); /* find the owner with CONTAINER_OF */
};

#define TIMER_LEVELS 5
#define TIMER_SLOTS 256

struct timer_wheel {
	uint64_t now_ms; /* everything due up to here has fired */
	size_t count;
	struct list slots[TIMER_LEVELS][TIMER_SLOTS];
	uint64_t filled[TIMER_SLOTS / 64]; /* bit a slot of level 0 that may hold a timer */
	struct list firing;
};

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ms);
/* (Re)start: fires once at now + after_ms of the wheel's own time. */
void timer_start(struct timer_wheel *w, struct timer *t, uint64_t after_ms,
		 void (*fire)(struct timer *t));
void timer_stop(struct timer_wheel *w, struct timer *t); /* idle timers too */
bool timer_active(const struct timer *t);
/* Fire all that is due by now_ms, in order of due time per tick; handlers may start and stop any. */
void timer_wheel_advance(struct timer_wheel *w, uint64_t now_ms);
/* Milliseconds until the wheel needs to advance again (an upper bound that never misses a due
 * timer), or -1 when no timer runs. */
int64_t timer_wheel_wait(const struct timer_wheel *w);
