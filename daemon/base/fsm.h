/* SPDX-License-Identifier: Apache-2.0 */
/* fsm.h - state machines as tables of {state, event, next, action}. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fsm;

/* arg is what fsm_step() was given with the event. */
typedef void fsm_action(struct fsm *fsm, const void *arg);

struct fsm_row {
	uint8_t state;
	uint8_t event;
	uint8_t next;
	fsm_action *action; /* NULL: only move */
};

struct fsm_table {
	const char *name;
	const struct fsm_row *rows;
	size_t count;
	const char *const *state_names; /* for logs and drawings; may be NULL */
	const char *const *event_names;
};

#define FSM_QUEUE 8

/* Embed in the owner; actions find it with CONTAINER_OF. */
struct fsm {
	const struct fsm_table *table;
	uint8_t state;
	bool busy;
	uint8_t queued;
	struct {
		uint8_t event;
		const void *arg;
	} queue[FSM_QUEUE];
	uint32_t ignored; /* pairs without a row */
};

void fsm_init(struct fsm *f, const struct fsm_table *table, uint8_t state);
/* Find the row, run its action, then move; events raised by the action wait their turn (their arg
 * must stay valid until then). Returns false if the pair has no row: counted and ignored.
 * The action must not free the owner; free it after fsm_step() returned. */
bool fsm_step(struct fsm *f, uint8_t event, const void *arg);
const char *fsm_state_name(const struct fsm *f);

struct buf;
/* The table as a Graphviz digraph. */
void fsm_draw(const struct fsm_table *table, struct buf *out);
/* For tests: is every state reachable from start, and no (state, event) pair twice? */
bool fsm_table_is_sound(const struct fsm_table *table, uint8_t start, size_t states);
