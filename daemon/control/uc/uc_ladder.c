/* SPDX-License-Identifier: Apache-2.0 */
/* uc_ladder.c - the arrows of a trace, named, folded, and as one picture cut into the phases of a call. */
#include "control/uc/uc_ladder_private.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdio.h>
#include <string.h>

static const char *const party_kinds[] = { "node", "entity", "phone", "unknown" };

static int load(struct ladder *l, json_t *items, const json_t *entities)
{
	int r = uc_ladder_read(l, items);

	l->entities = entities;
	return r < 0 ? r : uc_ladder_find_ends(l);
}

static struct ladder *ladder_free(struct ladder *l)
{
	if (l) {
		free(l->arrow);
		json_decref(l->legs);
	}
	free(l);
	return NULL;
}
DEFINE_AUTO(ladder)

static int set_ends(const struct ladder *l, const struct arrow *a, json_t *item)
{
	if (json_object_set_new(item, "from", json_string(l->party[a->from].name)) < 0 ||
	    json_object_set_new(item, "to", json_string(l->party[a->to].name)) < 0)
		return -ENOMEM;
	return 0;
}

int uc_ladder_name(json_t *items, const json_t *entities)
{
	AUTO(ladder) struct ladder *l = calloc(1, sizeof(*l));
	int r = l ? load(l, items, entities) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < l->count; i++) {
		const struct arrow *a = &l->arrow[i];

		if (a->merged)
			continue;
		r = set_ends(l, a, a->item);
		if (r == 0 && a->receipt)
			r = set_ends(l, a, a->receipt->item);
	}
	return r;
}

int uc_ladder_fold(json_t *items, const json_t *entities, json_t **ret)
{
	AUTO(ladder) struct ladder *l = calloc(1, sizeof(*l));
	AUTO(json) json_t *once = json_array();
	int r = l ? load(l, items, entities) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < l->count; i++) {
		const struct arrow *a = &l->arrow[i];

		if (a->merged)
			continue;
		r = set_ends(l, a, a->item);
		if (r == 0 && json_array_append(once, a->item) < 0)
			r = -ENOMEM;
	}
	if (r == 0)
		*ret = TAKE(once);
	return r;
}

/* The picture ---------------------------------------------------------------------------------- */
/* The caller, our servers in the order of a call, everybody else as they appear. */
static json_t *place_parties(struct ladder *l, struct arrow **shown, size_t count)
{
	static const char *const nodes[] = { "sm", "cm", "presence" };
	json_t *list = json_array();
	int column = 0;
	size_t order[UC_LADDER_PARTIES_MAX], n = 0;

	for (size_t i = 0; i < count && n == 0; i++)
		if (l->party[shown[i]->from].kind != PARTY_NODE)
			order[n++] = shown[i]->from;
	for (size_t k = 0; k < ARRAY_SIZE(nodes); k++)
		for (size_t i = 0; i < l->parties; i++)
			if (l->party[i].kind == PARTY_NODE &&
			    strcmp(l->party[i].name, nodes[k]) == 0)
				order[n++] = i;
	for (size_t i = 0; i < l->parties; i++)
		if (l->party[i].kind != PARTY_NODE && (n == 0 || order[0] != i))
			order[n++] = i;
	for (size_t i = 0; i < n; i++) {
		struct party *p = &l->party[order[i]];

		p->column = column++;
		(void)json_array_append_new(list,
					    json_pack("{s:s,s:s,s:s?}", "name", p->name, "kind",
						      party_kinds[p->kind], "address", p->address));
	}
	return list;
}

/* One row a Call-ID, in the order they appear. */
static int find_legs(struct ladder *l, struct arrow **shown, size_t count)
{
	l->legs = json_array();
	for (size_t i = 0; i < count; i++) {
		struct arrow *a = shown[i];
		const char *call_id = uc_ladder_text(a->item, "call_id");
		json_t *leg;
		size_t at;

		json_array_foreach(l->legs, at, leg) if (strcmp(uc_ladder_text(leg, "call_id"),
								call_id) == 0) break;
		a->leg = at;
		if (at == json_array_size(l->legs) &&
		    json_array_append_new(l->legs,
					  json_pack("{s:s,s:s,s:s}", "call_id", call_id, "caller",
						    a->from_user, "callee", a->to_user)) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The same bytes on the same way again. */
static int find_repeats(struct arrow **shown, size_t count)
{
	struct map first;
	int r = 0;

	map_init(&first);
	for (size_t i = 0; i < count && r == 0; i++) {
		struct arrow *a = shown[i];

		for (struct map_node *n = map_get(&first, uc_ladder_bytes(a)); n && !a->again;
		     n = map_next_same(n)) {
			const struct arrow *b = MAP_ENTRY(n, struct arrow, seen);

			a->again = a->from == b->from && a->to == b->to;
		}
		if (!a->again)
			r = map_add(&first, &a->seen, uc_ladder_bytes(a));
	}
	map_done(&first);
	return r;
}

static json_t *label_of(const struct arrow *a)
{
	char text[96];

	if (a->request)
		(void)snprintf(text, sizeof(text), "%s", a->method);
	else if (a->status)
		(void)snprintf(text, sizeof(text), "%u %s", a->status, a->reason);
	else
		(void)snprintf(text, sizeof(text), "malformed");
	return json_string(text);
}

static json_t *message_json(const struct ladder *l, const struct arrow *a, int64_t began)
{
	const struct arrow *r = a->receipt;

	return json_pack("{s:s,s:s*,s:I,s:I,s:o,s:i,s:i,s:o,s:s,s:o,s:I,s:i,s:s*,s:s,s:b,s:b}",
			 "id", uc_ladder_text(a->item, "id"), "received_id",
			 r ? uc_ladder_text(r->item, "id") : NULL, "at_us", (json_int_t)a->at_us,
			 "offset_us", (json_int_t)(a->at_us - began), "transit_us",
			 r ? json_integer(r->at_us - a->at_us) : json_null(), "from",
			 l->party[a->from].column, "to", l->party[a->to].column, "label",
			 label_of(a), "method", a->method, "status",
			 a->request ? json_null() : json_integer(a->status), "cseq",
			 (json_int_t)a->cseq, "leg", (int)a->leg, "phase",
			 *a->phase ? a->phase : NULL, "transport",
			 uc_ladder_text(a->item, "transport"), "sdp", a->sdp, "retransmission",
			 a->again);
}

static bool is_phase(const char *name)
{
	static const char *const phases[] = { "imsorig", "origdone", "imsterm", "termdone" };

	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		if (strcmp(name, phases[i]) == 0)
			return true;
	return false;
}

static bool is_challenge(unsigned status)
{
	return status == 401 || status == 407;
}

/* What begins with this message, NULL: the phase goes on. */
static const char *phase_begun(const struct ladder *l, const struct arrow *a, bool talked)
{
	if (a->request && strcmp(a->method, "INVITE") == 0 && is_phase(a->phase))
		return a->phase;
	if (a->request && (strcmp(a->method, "BYE") == 0 || strcmp(a->method, "CANCEL") == 0))
		return "release";
	if (!a->request && !talked && strcmp(a->method, "INVITE") == 0 && a->status >= 200 &&
	    a->leg == 0 && l->party[a->to].kind != PARTY_NODE && !is_challenge(a->status))
		return a->status < 300 ? "talk" : "release";
	return NULL;
}

static json_t *phases_json(const struct ladder *l, struct arrow **shown, size_t count)
{
	json_t *list = json_array(), *last = NULL;
	bool talked = false, released = false;

	for (size_t i = 0; i < count; i++) {
		const struct arrow *a = shown[i];
		const char *name = i == 0 ? "setup" : NULL;
		const char *begun = released ? NULL : phase_begun(l, a, talked);

		if (begun && !(last && strcmp(uc_ladder_text(last, "name"), begun) == 0))
			name = begun;
		if (name) {
			last = json_pack("{s:s,s:i,s:i}", "name", name, "first", (int)i, "last",
					 (int)i);
			(void)json_array_append_new(list, last);
			talked |= strcmp(name, "talk") == 0;
			released |= strcmp(name, "release") == 0;
		} else if (last) {
			(void)json_object_set_new(last, "last", json_integer((json_int_t)i));
		}
	}
	return list;
}

static int by_time(const void *a, const void *b)
{
	const struct arrow *x = *(const struct arrow *const *)a;
	const struct arrow *y = *(const struct arrow *const *)b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* The arrows in the order of time; the caller frees. */
static struct arrow **arrange(const struct ladder *l, size_t *count)
{
	struct arrow **shown = calloc(l->count ? l->count : 1, sizeof(*shown));

	*count = 0;
	for (size_t i = 0; shown && i < l->count; i++)
		if (!l->arrow[i].merged)
			shown[(*count)++] = &l->arrow[i];
	if (shown)
		qsort(shown, *count, sizeof(*shown), by_time);
	return shown;
}

static int draw(struct ladder *l, const char *gsid, struct arrow **shown, size_t count,
		json_t **ret)
{
	AUTO(json) json_t *messages = json_array();
	int64_t began = count ? shown[0]->at_us : 0;
	int64_t ended = count ? shown[count - 1]->at_us : 0;
	char at[CLOCK_RFC3339_SIZE];
	json_t *participants;
	int r = find_legs(l, shown, count);

	if (r == 0)
		r = find_repeats(shown, count);
	if (r < 0)
		return r;
	participants = place_parties(l, shown, count); /* before the messages: it gives columns */
	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(messages, message_json(l, shown[i], began)) < 0)
			r = -ENOMEM;
	*ret = json_pack("{s:s,s:s,s:I,s:o,s:O,s:o,s:O}", "gsid", gsid, "started_at",
			 clock_format(began / 1000, at), "duration_us", (json_int_t)(ended - began),
			 "participants", participants, "legs", l->legs, "phases",
			 phases_json(l, shown, count), "messages", messages);
	return *ret ? r : -ENOMEM;
}

int uc_ladder(const char *gsid, json_t *items, const json_t *entities, json_t **ret)
{
	AUTO(ladder) struct ladder *l = calloc(1, sizeof(*l));
	AUTO(json) json_t *drawn = NULL;
	struct arrow **shown;
	size_t count;
	int r = l ? load(l, items, entities) : -ENOMEM;

	if (r < 0)
		return r;
	shown = arrange(l, &count);
	r = shown ? draw(l, gsid, shown, count, &drawn) : -ENOMEM;
	free(shown);
	if (r == 0)
		*ret = TAKE(drawn);
	return r;
}
