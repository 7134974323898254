/* SPDX-License-Identifier: Apache-2.0 */
/* seats.c - how many calls each entity has, see seats.h. */
#include "sm/seats.h"

#include <stdlib.h>

#include "base/map.h"

#define TAG_MAX 128
#define CALL_ID_MAX 512
/* A peer that refreshes late is given this much. */
#define SESSION_GRACE_S 32

struct seat_entity {
	struct map_node node;
	uint32_t count;
	char name[];
};

struct seat {
	struct map_node node; /* by Call-ID */
	struct seat_entity *entity;
	int64_t ends_ms;   /* when nobody says anything more */
	int64_t latest_ms; /* whatever is said */
	bool answered;
	char from_tag[TAG_MAX], to_tag[TAG_MAX];
	char call_id[];
};

struct seats {
	struct map by_call;
	struct map entities; /* as many as were administered; they stay */
};

int seats_new(struct seats **ret)
{
	struct seats *seats = calloc(1, sizeof(*seats));

	if (!seats)
		return -ENOMEM;
	map_init(&seats->by_call);
	map_init(&seats->entities);
	*ret = seats;
	return 0;
}

static void release(struct seats *seats, struct seat *s)
{
	s->entity->count--;
	map_remove(&seats->by_call, &s->node);
	free(s);
}

struct seats *seats_free(struct seats *seats)
{
	struct map_node *node;
	struct map_iter it;

	if (!seats)
		return NULL;
	MAP_FOREACH (node, &seats->by_call, &it)
		free(MAP_ENTRY(node, struct seat, node));
	MAP_FOREACH (node, &seats->entities, &it)
		free(MAP_ENTRY(node, struct seat_entity, node));
	map_done(&seats->by_call);
	map_done(&seats->entities);
	free(seats);
	return NULL;
}

static struct seat_entity *find_entity(const struct seats *seats, struct slice name)
{
	struct map_node *node = map_get(&seats->entities, name);

	return node ? MAP_ENTRY(node, struct seat_entity, node) : NULL;
}

static struct seat_entity *make_entity(struct seats *seats, struct slice name)
{
	struct seat_entity *e = find_entity(seats, name);

	if (e)
		return e;
	e = calloc(1, sizeof(*e) + name.len + 1);
	if (!e)
		return NULL;
	memcpy(e->name, name.p, name.len);
	if (map_add(&seats->entities, &e->node, slice_make(e->name, name.len)) < 0) {
		free(e);
		return NULL;
	}
	return e;
}

static struct seat *first_of(const struct seats *seats, struct slice call_id)
{
	struct map_node *node = map_get(&seats->by_call, call_id);

	return node ? MAP_ENTRY(node, struct seat, node) : NULL;
}

static struct seat *next_of(const struct seat *s)
{
	struct map_node *node = map_next_same(&s->node);

	return node ? MAP_ENTRY(node, struct seat, node) : NULL;
}

static struct seat *find(const struct seats *seats, const struct seat_key *key)
{
	struct seat *s = first_of(seats, key->call_id);

	while (s && !(slice_eq_str(key->entity, s->entity->name) &&
		      slice_eq_str(key->from_tag, s->from_tag)))
		s = next_of(s);
	return s;
}

bool seats_take(struct seats *seats, const struct seat_key *key, uint32_t limit, bool must,
		int64_t now_ms)
{
	struct seat_entity *e = make_entity(seats, key->entity);
	struct seat *s;

	if (find(seats, key))
		return true;
	if (!e || (limit && e->count >= limit && !must) || seats->by_call.count >= SEATS_MAX ||
	    key->call_id.len > CALL_ID_MAX || key->from_tag.len >= TAG_MAX)
		return must || limit == 0;
	s = calloc(1, sizeof(*s) + key->call_id.len + 1);
	if (!s)
		return must || limit == 0;
	memcpy(s->call_id, key->call_id.p, key->call_id.len);
	memcpy(s->from_tag, key->from_tag.p, key->from_tag.len);
	s->entity = e;
	s->ends_ms = s->latest_ms = now_ms + SEATS_AGE_MAX_MS;
	if (map_add(&seats->by_call, &s->node, slice_make(s->call_id, key->call_id.len)) < 0) {
		free(s);
		return must || limit == 0;
	}
	e->count++;
	return true;
}

void seats_leave(struct seats *seats, const struct seat_key *key)
{
	struct seat *s = find(seats, key);

	if (s && !s->answered)
		release(seats, s);
}

static void set_session(struct seat *s, uint32_t session_s, int64_t now_ms)
{
	s->ends_ms = session_s ? now_ms + (session_s + SESSION_GRACE_S) * 1000LL : s->latest_ms;
	if (s->ends_ms > s->latest_ms)
		s->ends_ms = s->latest_ms;
}

void seats_answered(struct seats *seats, struct slice call_id, struct slice from_tag,
		    struct slice to_tag, uint32_t session_s, int64_t now_ms)
{
	for (struct seat *s = first_of(seats, call_id); s; s = next_of(s)) {
		if (s->answered || !slice_eq_str(from_tag, s->from_tag))
			continue;
		s->answered = true;
		if (to_tag.len < TAG_MAX)
			memcpy(s->to_tag, to_tag.p, to_tag.len);
		set_session(s, session_s, now_ms);
	}
}

void seats_refreshed(struct seats *seats, struct slice call_id, uint32_t session_s, int64_t now_ms)
{
	for (struct seat *s = first_of(seats, call_id); s; s = next_of(s))
		if (s->answered)
			set_session(s, session_s, now_ms);
}

/* An early dialog has no tag of the other side yet. */
static bool is_of(const struct seat *s, struct slice tag, struct slice other)
{
	if (slice_eq_str(tag, s->from_tag))
		return !s->to_tag[0] || slice_eq_str(other, s->to_tag);
	return slice_eq_str(other, s->from_tag) && (!s->to_tag[0] || slice_eq_str(tag, s->to_tag));
}

void seats_ended(struct seats *seats, struct slice call_id, struct slice tag, struct slice other)
{
	struct seat *s = first_of(seats, call_id), *next;

	for (; s; s = next) {
		next = next_of(s);
		if (is_of(s, tag, other))
			release(seats, s);
	}
}

void seats_lost(struct seats *seats, struct slice entity)
{
	struct seat_entity *e = find_entity(seats, entity);
	struct map_node *node;
	struct map_iter it;

	if (!e || e->count == 0)
		return;
	MAP_FOREACH (node, &seats->by_call, &it) {
		struct seat *s = MAP_ENTRY(node, struct seat, node);

		if (s->entity == e)
			release(seats, s);
	}
}

void seats_expire(struct seats *seats, int64_t now_ms)
{
	struct map_node *node;
	struct map_iter it;

	MAP_FOREACH (node, &seats->by_call, &it) {
		struct seat *s = MAP_ENTRY(node, struct seat, node);

		if (now_ms >= s->ends_ms)
			release(seats, s);
	}
}

uint32_t seats_of(const struct seats *seats, struct slice entity)
{
	const struct seat_entity *e = find_entity(seats, entity);

	return e ? e->count : 0;
}
