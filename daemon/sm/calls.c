/* SPDX-License-Identifier: Apache-2.0 */
/* calls.c - the live calls by global session id, and which Call-ID belongs to which. */
#include "sm/calls.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"

#define TEXT_MAX 128
#define CONTACT_MAX 256

struct call_dialog {
	struct list link;
	struct map_node node;
	struct call *call;
	char id[];
};

struct call_leg {
	struct list link;
	enum call_state state;
	char handle[TEXT_MAX];
	char contact[CONTACT_MAX];
};

struct call {
	struct map_node node;
	struct list dialogs;
	struct list legs;
	size_t dialog_count, leg_count;
	enum call_state state;
	bool reserved;	  /* off-hook, nothing is dialled */
	uint16_t lost[2]; /* bit per place of the sequence, by half */
	int64_t started_ms;
	int64_t answered_ms; /* 0: not yet */
	struct call_origin origin;
	char gsid[64];
	char caller[TEXT_MAX];
	char callee[TEXT_MAX];
};

struct calls {
	struct map by_gsid;
	struct map by_dialog;
};

int calls_new(struct calls **ret)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	if (!calls)
		return -ENOMEM;
	map_init(&calls->by_gsid);
	map_init(&calls->by_dialog);
	*ret = calls;
	return 0;
}

static struct call *find(const struct calls *calls, struct slice gsid)
{
	struct map_node *node = map_get(&calls->by_gsid, gsid);

	return node ? MAP_ENTRY(node, struct call, node) : NULL;
}

static struct call_dialog *find_dialog(const struct calls *calls, struct slice call_id)
{
	struct map_node *node = map_get(&calls->by_dialog, call_id);

	return node ? MAP_ENTRY(node, struct call_dialog, node) : NULL;
}

static void forget(struct calls *calls, struct call *call)
{
	struct call_dialog *dialog;
	struct call_leg *leg;

	LIST_FOREACH (dialog, &call->dialogs, struct call_dialog, link) {
		map_remove(&calls->by_dialog, &dialog->node);
		free(dialog);
	}
	LIST_FOREACH (leg, &call->legs, struct call_leg, link)
		free(leg);
	map_remove(&calls->by_gsid, &call->node);
	free(call);
}

struct calls *calls_free(struct calls *calls)
{
	struct map_node *node;
	struct map_iter it;

	if (!calls)
		return NULL;
	MAP_FOREACH (node, &calls->by_gsid, &it)
		forget(calls, MAP_ENTRY(node, struct call, node));
	map_done(&calls->by_gsid);
	map_done(&calls->by_dialog);
	free(calls);
	return NULL;
}

/* As much as fits, in ASCII: these texts are for people and JSON. */
static void keep(struct slice text, char *out, size_t size)
{
	size_t len = text.len < size - 1 ? text.len : size - 1;

	for (size_t i = 0; i < len; i++)
		out[i] = text.p[i] >= ' ' && text.p[i] < 0x7f ? text.p[i] : '?';
	out[len] = 0;
}

static struct call *begin(struct calls *calls, struct slice gsid, struct slice caller,
			  struct slice callee, int64_t now_ms)
{
	struct call *call;

	if (calls->by_gsid.count >= CALLS_MAX || gsid.len >= sizeof(call->gsid))
		return NULL;
	call = calloc(1, sizeof(*call));
	if (!call)
		return NULL;
	list_init(&call->dialogs);
	list_init(&call->legs);
	call->started_ms = now_ms;
	keep(gsid, call->gsid, sizeof(call->gsid));
	keep(caller, call->caller, sizeof(call->caller));
	keep(callee, call->callee, sizeof(call->callee));
	if (map_add_unique(&calls->by_gsid, &call->node, slice_str(call->gsid)) < 0) {
		free(call);
		return NULL;
	}
	return call;
}

static void bind_dialog(struct calls *calls, struct call *call, struct slice call_id)
{
	struct call_dialog *dialog;

	if (find_dialog(calls, call_id) || call->dialog_count >= CALLS_DIALOGS_MAX ||
	    call_id.len > 512)
		return;
	dialog = calloc(1, sizeof(*dialog) + call_id.len + 1);
	if (!dialog)
		return;
	memcpy(dialog->id, call_id.p, call_id.len);
	dialog->call = call;
	if (map_add(&calls->by_dialog, &dialog->node, slice_make(dialog->id, call_id.len)) < 0) {
		free(dialog);
		return;
	}
	list_append(&call->dialogs, &dialog->link);
	call->dialog_count++;
}

bool calls_invite(struct calls *calls, struct slice gsid, struct slice call_id, struct slice caller,
		  struct slice callee, int64_t now_ms)
{
	struct call *call = find(calls, gsid);
	bool fresh = !call;

	if (!call)
		call = begin(calls, gsid, caller, callee, now_ms);
	if (!call)
		return false;
	bind_dialog(calls, call, call_id);
	return fresh;
}

void calls_set_origin(struct calls *calls, struct slice gsid, const struct call_origin *origin)
{
	struct call *call = find(calls, gsid);

	if (call)
		call->origin = *origin;
}

const struct call_origin *calls_origin(const struct calls *calls, struct slice gsid)
{
	const struct call *call = find(calls, gsid);

	return call && call->origin.source.len ? &call->origin : NULL;
}

void calls_reserved(struct calls *calls, struct slice gsid)
{
	struct call *call = find(calls, gsid);

	if (call)
		call->reserved = true;
}

void calls_dialled(struct calls *calls, struct slice gsid, struct slice callee)
{
	struct call *call = find(calls, gsid);

	if (!call)
		return;
	call->reserved = false;
	keep(callee, call->callee, sizeof(call->callee));
}

static struct call_leg *leg_find(struct call *call, struct slice contact)
{
	struct call_leg *leg;

	LIST_FOREACH (leg, &call->legs, struct call_leg, link)
		if (slice_eq_str(slice_sub(contact, 0, CONTACT_MAX - 1), leg->contact))
			return leg;
	return NULL;
}

void calls_leg(struct calls *calls, struct slice gsid, struct slice handle, struct slice contact,
	       enum call_state state, int64_t now_ms)
{
	struct call *call = find(calls, gsid);
	struct call_leg *leg = call ? leg_find(call, contact) : NULL;

	if (!call)
		return;
	if (!leg && call->leg_count < CALLS_LEGS_MAX) {
		leg = calloc(1, sizeof(*leg));
		if (!leg)
			return;
		keep(handle, leg->handle, sizeof(leg->handle));
		keep(contact, leg->contact, sizeof(leg->contact));
		list_append(&call->legs, &leg->link);
		call->leg_count++;
	}
	if (leg)
		leg->state = state;
	if (state == CALL_TALKING && call->answered_ms == 0) {
		call->answered_ms = now_ms;
		call->state = CALL_TALKING;
	}
}

void calls_leg_ended(struct calls *calls, struct slice gsid, struct slice contact)
{
	struct call *call = find(calls, gsid);
	struct call_leg *leg = call ? leg_find(call, contact) : NULL;

	if (!leg)
		return;
	list_remove(&leg->link);
	call->leg_count--;
	free(leg);
}

void calls_lose(struct calls *calls, struct slice gsid, unsigned half, unsigned place)
{
	struct call *call = find(calls, gsid);

	if (call && half < 2 && place < 16)
		call->lost[half] |= (uint16_t)(1U << place);
}

bool calls_awaits(const struct calls *calls, struct slice gsid, unsigned half, unsigned place)
{
	const struct call *call = find(calls, gsid);

	return call && half < 2 && place < 16 && !(call->lost[half] & (1U << place));
}

void calls_held(struct calls *calls, struct slice call_id, bool held)
{
	struct call_dialog *dialog = find_dialog(calls, call_id);

	if (dialog && dialog->call->answered_ms)
		dialog->call->state = held ? CALL_HELD : CALL_TALKING;
}

void calls_ended(struct calls *calls, struct slice gsid)
{
	struct call *call = find(calls, gsid);

	if (call)
		forget(calls, call);
}

void calls_dialog_ended(struct calls *calls, struct slice call_id)
{
	struct call_dialog *dialog = find_dialog(calls, call_id);
	struct call *call;

	if (!dialog)
		return;
	call = dialog->call;
	map_remove(&calls->by_dialog, &dialog->node);
	list_remove(&dialog->link);
	free(dialog);
	if (--call->dialog_count == 0)
		forget(calls, call);
}

struct slice calls_gsid(const struct calls *calls, struct slice call_id)
{
	struct call_dialog *dialog = find_dialog(calls, call_id);

	return dialog ? slice_str(dialog->call->gsid) : SLICE("");
}

void calls_expire(struct calls *calls, int64_t now_ms)
{
	struct map_node *node;
	struct map_iter it;

	MAP_FOREACH (node, &calls->by_gsid, &it) {
		struct call *call = MAP_ENTRY(node, struct call, node);

		if (now_ms - call->started_ms > CALLS_AGE_MAX_MS)
			forget(calls, call);
	}
}

size_t calls_count(const struct calls *calls)
{
	return calls->by_gsid.count;
}

static const char *state_name(enum call_state state)
{
	static const char *const names[] = { "ringing", "talking", "held" };

	return names[state];
}

static json_t *call_to_json(const struct call *call)
{
	char started[CLOCK_RFC3339_SIZE], answered[CLOCK_RFC3339_SIZE];
	json_t *legs = json_array();
	const struct call_leg *leg;

	LIST_FOREACH (leg, &call->legs, struct call_leg, link)
		json_array_append_new(legs,
				      json_pack("{s:s,s:s,s:s}", "handle", leg->handle, "contact",
						leg->contact, "state", state_name(leg->state)));
	if (call->answered_ms)
		clock_format(call->answered_ms, answered);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s?,s:o}", "gsid", call->gsid, "caller",
			 call->caller, "callee", call->callee, "state", state_name(call->state),
			 "started_at", clock_format(call->started_ms, started), "answered_at",
			 call->answered_ms ? answered : NULL, "legs", legs);
}

json_t *calls_to_json(const struct calls *calls)
{
	json_t *items = json_array();
	struct map_node *node;
	struct map_iter it;

	MAP_FOREACH (node, &calls->by_gsid, &it) {
		const struct call *call = MAP_ENTRY(node, struct call, node);

		if (!call->reserved)
			json_array_append_new(items, call_to_json(call));
	}
	return json_pack("{s:o}", "items", items);
}
