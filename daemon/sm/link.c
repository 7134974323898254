/* SPDX-License-Identifier: Apache-2.0 */
/* link.c - is an entity alive? A table of states fed by what is sent, heard and refused. */
#include "sm/link.h"

#include "base/error.h"
#include "base/slice.h"

static void tell(struct fsm *fsm, const void *arg)
{
	struct link *link = CONTAINER_OF(fsm, struct link, fsm);

	link->changed_ms = *(const uint64_t *)arg;
	link->notify = true;
}

/* clang-format off */
static const struct fsm_row rows[] = {
	/* state        event         next       action */
	{ LINK_UNKNOWN, LINK_HEARD,   LINK_UP,   tell },
	{ LINK_UNKNOWN, LINK_SICK,    LINK_DOWN, tell },
	{ LINK_UNKNOWN, LINK_SILENT,  LINK_DOWN, tell },
	{ LINK_UNKNOWN, LINK_REFUSED, LINK_DOWN, tell },
	{ LINK_UP,      LINK_HEARD,   LINK_UP,   NULL },
	{ LINK_UP,      LINK_SICK,    LINK_DOWN, tell },
	{ LINK_UP,      LINK_SILENT,  LINK_DOWN, tell },
	{ LINK_UP,      LINK_REFUSED, LINK_DOWN, tell },
	{ LINK_DOWN,    LINK_HEARD,   LINK_UP,   tell },
	{ LINK_DOWN,    LINK_SICK,    LINK_DOWN, NULL },
	{ LINK_DOWN,    LINK_SILENT,  LINK_DOWN, NULL },
	{ LINK_DOWN,    LINK_REFUSED, LINK_DOWN, NULL },
};
/* clang-format on */

static const char *const state_names[] = { "unknown", "up", "down" };
static const char *const event_names[] = { "heard", "sick", "silent", "refused" };

const struct fsm_table link_table = {
	.name = "link",
	.rows = rows,
	.count = ARRAY_SIZE(rows),
	.state_names = state_names,
	.event_names = event_names,
};

void link_init(struct link *link, const struct link_limits *limits,
	       void (*changed)(struct link *link, bool usable))
{
	*link = (struct link){ .limits = *limits, .changed = changed, .reason = "" };
	fsm_init(&link->fsm, &link_table, LINK_UNKNOWN);
}

static void step(struct link *link, enum link_event event, uint64_t now_ms)
{
	fsm_step(&link->fsm, (uint8_t)event, &now_ms);
	if (!link->notify)
		return;
	link->notify = false;
	link->reason = event_names[event];
	if (link->changed)
		link->changed(link, link_usable(link));
}

void link_sent(struct link *link, uint64_t now_ms)
{
	if (link->waiting_since_ms == 0 && link->limits.down_after_ms)
		link->waiting_since_ms = now_ms ? now_ms : 1;
}

void link_silent(struct link *link, uint64_t now_ms)
{
	link->waiting_since_ms = 0;
	step(link, LINK_SILENT, now_ms);
}

bool link_is_sick(const struct link *link)
{
	return link->reason == event_names[LINK_SICK];
}

void link_heard(struct link *link, bool healthy, uint64_t now_ms)
{
	link->waiting_since_ms = 0;
	step(link, healthy ? LINK_HEARD : LINK_SICK, now_ms);
}

void link_refused(struct link *link, uint64_t now_ms)
{
	link->waiting_since_ms = 0;
	step(link, LINK_REFUSED, now_ms);
}

/* A probe leaves every probe_ms, so the peer may have died that long before the oldest unanswered
 * request: the wait for an answer is shorter by it and the silence never longer than asked for. */
static uint64_t patience(const struct link *link)
{
	uint32_t down = link->limits.down_after_ms;
	uint32_t probe = link->limits.probe_ms;

	return down > 2 * probe ? down - probe : down / 2 + 1;
}

void link_late(struct link *link, uint64_t late_ms, uint64_t now_ms)
{
	uint64_t since = link->waiting_since_ms + late_ms;

	if (link->waiting_since_ms)
		link->waiting_since_ms = since < now_ms ? since : now_ms;
}

void link_check(struct link *link, uint64_t now_ms)
{
	if (link->waiting_since_ms == 0 || now_ms < link->waiting_since_ms + patience(link))
		return;
	link->waiting_since_ms = 0;
	step(link, LINK_SILENT, now_ms);
}

uint64_t link_due(const struct link *link, uint64_t now_ms)
{
	uint64_t due = link->waiting_since_ms + patience(link);

	if (link->waiting_since_ms == 0)
		return 0;
	return due > now_ms ? due - now_ms : 1;
}

bool link_usable(const struct link *link)
{
	return link->fsm.state != LINK_DOWN;
}

bool link_answer_is_sick(unsigned status, const struct slice *reason)
{
	switch (status) {
	case 408:
	case 504:
		return true;
	case 500:
		return slice_eq_str_nocase(*reason, "Destination Unreachable");
	case 503:
		return reason->len == 0 || slice_eq_str_nocase(*reason, "Service Unavailable") ||
		       slice_eq_str_nocase(*reason, "(no media resources)") ||
		       slice_eq_str_nocase(*reason, "Service Unavailable (no media resources)");
	default:
		return false;
	}
}
