/* SPDX-License-Identifier: Apache-2.0 */
/* timer.c - see timer.h. Level n has slots of 256^n ms; a slot is spread over the level below when
 * the wheel reaches it (Varghese and Lauck's scheme 7). */
#include "base/timer.h"

#include <string.h>

#define SLOT_MASK (TIMER_SLOTS - 1U)
#define MAX_DELAY ((1ULL << (8 * TIMER_LEVELS)) - 1)

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ms)
{
	memset(w, 0, sizeof(*w));
	w->now_ms = now_ms;
	for (size_t level = 0; level < TIMER_LEVELS; level++) {
		for (size_t slot = 0; slot < TIMER_SLOTS; slot++)
			list_init(&w->slots[level][slot]);
	}
	list_init(&w->firing);
}

static void place(struct timer_wheel *w, struct timer *t)
{
	uint64_t delta = t->due_ms - w->now_ms;
	unsigned level = 0;
	uint64_t slot;

	while (level + 1 < TIMER_LEVELS && delta >> (8 * (level + 1)))
		level++;
	slot = (t->due_ms >> (8 * level)) & SLOT_MASK;
	if (level == 0)
		w->filled[slot / 64] |= 1ULL << (slot % 64);
	list_append(&w->slots[level][slot], &t->link);
}

void timer_start(struct timer_wheel *w, struct timer *t, uint64_t after_ms,
		 void (*fire)(struct timer *t))
{
	timer_stop(w, t);
	if (after_ms == 0)
		after_ms = 1; /* the current slot is being emptied: at the earliest in the next */
	if (after_ms > MAX_DELAY)
		after_ms = MAX_DELAY;
	t->due_ms = w->now_ms + after_ms;
	t->fire = fire;
	place(w, t);
	w->count++;
}

void timer_stop(struct timer_wheel *w, struct timer *t)
{
	if (!timer_active(t))
		return;
	list_remove(&t->link);
	w->count--;
}

bool timer_active(const struct timer *t)
{
	return !list_empty(&t->link);
}

static void cascade(struct timer_wheel *w, unsigned level)
{
	struct list *slot = &w->slots[level][(w->now_ms >> (8 * level)) & SLOT_MASK];
	struct list moved;
	struct timer *t;

	if (list_empty(slot))
		return;
	moved = *slot;
	moved.next->prev = &moved;
	moved.prev->next = &moved;
	list_init(slot);
	LIST_FOREACH (t, &moved, struct timer, link) {
		list_remove(&t->link);
		place(w, t);
	}
}

static void fire_slot(struct timer_wheel *w)
{
	struct list *slot = &w->slots[0][w->now_ms & SLOT_MASK];
	uint64_t index = w->now_ms & SLOT_MASK;
	struct timer *t;

	if (!(w->filled[index / 64] >> (index % 64) & 1))
		return;
	w->filled[index / 64] &= ~(1ULL << (index % 64));
	while (!list_empty(slot)) {
		t = LIST_FIRST(slot, struct timer, link);
		list_remove(&t->link);
		list_append(&w->firing, &t->link);
	}
	while (!list_empty(&w->firing)) {
		t = LIST_FIRST(&w->firing, struct timer, link);
		list_remove(&t->link);
		w->count--;
		t->fire(t);
	}
}

void timer_wheel_advance(struct timer_wheel *w, uint64_t now_ms)
{
	while (w->now_ms < now_ms) {
		if (w->count == 0) {
			w->now_ms = now_ms;
			return;
		}
		w->now_ms++;
		for (unsigned level = TIMER_LEVELS - 1; level > 0; level--) {
			if ((w->now_ms & ((1ULL << (8 * level)) - 1)) == 0)
				cascade(w, level);
		}
		fire_slot(w);
	}
}

int64_t timer_wheel_wait(const struct timer_wheel *w)
{
	uint64_t horizon = TIMER_SLOTS - (w->now_ms & SLOT_MASK);

	if (w->count == 0)
		return -1;
	/* Up to the next cascade only level 0 can be due. */
	for (uint64_t i = 1; i < horizon; i++) {
		uint64_t slot = (w->now_ms + i) & SLOT_MASK;
		uint64_t bits = w->filled[slot / 64] >> (slot % 64);

		if (bits == 0) {
			i += 63 - slot % 64;
			continue;
		}
		i += (unsigned)__builtin_ctzll(bits);
		if (i < horizon && !list_empty(&w->slots[0][(w->now_ms + i) & SLOT_MASK]))
			return (int64_t)i;
	}
	return (int64_t)horizon;
}
