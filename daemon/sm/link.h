/* SPDX-License-Identifier: Apache-2.0 */
/* link.h - is an entity alive? A table of states fed by what is sent, heard and refused. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/fsm.h"

enum link_state { LINK_UNKNOWN, LINK_UP, LINK_DOWN, LINK_STATES };
enum link_event { LINK_HEARD, LINK_SICK, LINK_SILENT, LINK_REFUSED, LINK_EVENTS };

struct link_limits {
	uint32_t down_after_ms; /* silence after which the link is down; 0: others judge */
	uint32_t probe_ms;	/* distance of OPTIONS; well below down_after_ms */
};

/* Embed in the entity. changed() is told after the state has moved between up and down; it may look
 * at the link but not step it. */
struct link {
	struct fsm fsm;
	struct link_limits limits;
	uint64_t waiting_since_ms; /* when the oldest unanswered request went out; 0 none */
	uint64_t changed_ms;
	void (*changed)(struct link *link, bool usable);
	const char *reason; /* of the last change, a literal */
	bool notify;
};

extern const struct fsm_table link_table;

void link_init(struct link *link, const struct link_limits *limits,
	       void (*changed)(struct link *link, bool usable));
/* A request went out to the entity. */
void link_sent(struct link *link, uint64_t now_ms);
/* Any message came from it; healthy is false for an answer to OPTIONS that means "down". */
void link_heard(struct link *link, bool healthy, uint64_t now_ms);
/* The connection was refused, or broke and could not be made again. */
void link_refused(struct link *link, uint64_t now_ms);
/* It has been found silent by who asked. */
void link_silent(struct link *link, uint64_t now_ms);
/* Is it down because it says so itself? */
bool link_is_sick(const struct link *link);
/* Our own process stood still until now, for so long: that silence was ours. */
void link_late(struct link *link, uint64_t late_ms, uint64_t now_ms);
/* Judge silence. */
void link_check(struct link *link, uint64_t now_ms);
/* Milliseconds until silence must be judged, 0 when nothing is awaited. */
uint64_t link_due(const struct link *link, uint64_t now_ms);
/* May a request be sent there? Unknown counts as yes: the attempt will tell. */
bool link_usable(const struct link *link);
/* Whether an answer to OPTIONS means that the entity is down: 408, 504, and 503 or 500 of the kinds
 * that say so. */
struct slice;
bool link_answer_is_sick(unsigned status, const struct slice *reason);
