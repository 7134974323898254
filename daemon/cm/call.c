/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - calls by global session id: live view and records (DESIGN section 13). */
#include "cm/call.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"

void call_table_init(struct call_table *t, size_t limit)
{
	map_init(&t->by_gsid);
	t->limit = limit;
}

void call_table_done(struct call_table *t)
{
	map_done(&t->by_gsid);
}

bool call_gsid_is_valid(struct slice gsid)
{
	if (gsid.len == 0 || gsid.len >= CALL_GSID_SIZE)
		return false;
	for (size_t i = 0; i < gsid.len; i++) {
		unsigned char c = (unsigned char)gsid.p[i];

		if (!ascii_is_alnum(c) && c != '-' && c != '.' && c != '_' && c != '@')
			return false;
	}
	return true;
}

static int call_new(struct call_table *t, struct slice gsid, struct call **ret)
{
	struct call *c;
	int r;

	if (t->by_gsid.count >= t->limit)
		return -EUSERS;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	list_init(&c->halves);
	if (gsid.len == 0)
		uuid_v7(c->gsid);
	else
		(void)slice_copy(gsid, c->gsid, sizeof(c->gsid));
	r = map_add(&t->by_gsid, &c->by_gsid, slice_str(c->gsid));
	if (r < 0) {
		free(c);
		return r;
	}
	*ret = c;
	return 0;
}

int call_add_half(struct call_table *t, struct half *h, struct slice gsid)
{
	struct map_node *node = NULL;
	struct call *c;
	int r;

	if (call_gsid_is_valid(gsid))
		node = map_get(&t->by_gsid, gsid);
	else
		gsid = slice_make(NULL, 0);

	if (node) {
		c = MAP_ENTRY(node, struct call, by_gsid);
		if (c->half_count >= CALL_HALVES_MAX)
			return -EMLINK;
	} else {
		r = call_new(t, gsid, &c);
		if (r < 0)
			return r;
	}

	c->half_count++;
	h->number = ++c->numbered[h->phase];
	h->call = c;
	list_append(&c->halves, &h->link);
	return 0;
}

void call_remove_half(struct call_table *t, struct half *h)
{
	struct call *c = h->call;

	if (!c)
		return;
	list_remove(&h->link);
	h->call = NULL;
	c->half_count--;
	if (list_empty(&c->halves)) {
		map_remove(&t->by_gsid, &c->by_gsid);
		free(c);
	}
}

/* What began as the call says more of it than what became of it. */
static unsigned rank(const struct half *h)
{
	return h->served[0] ? HALF_IMSTERM + 1 : h->phase;
}

bool call_note_over(struct call *c, const struct half *h)
{
	struct call_summary *s = &c->summary;
	const struct half *other;

	if (!s->set || rank(h) < s->rank) {
		int64_t started_at =
			s->set && s->started_at < h->started_at ? s->started_at : h->started_at;

		*s = (struct call_summary){
			.set = true,
			.rank = rank(h),
			.started_at = started_at,
			.answered_at = h->answered_at,
			.result = h->result,
			.sip_status = h->sip_status,
		};
		memcpy(s->caller, h->caller, sizeof(s->caller));
		memcpy(s->callee, h->callee, sizeof(s->callee));
	}
	if (h->ended_at > s->ended_at)
		s->ended_at = h->ended_at;

	LIST_FOREACH (other, &c->halves, struct half, link) {
		if (other->ended_at == 0)
			return false;
	}
	return true;
}

/* A wall clock time as RFC 3339 text, null for "never". */
static json_t *time_json(int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	return wall_ms ? json_string(clock_format(wall_ms, text)) : json_null();
}

/* Texts that came by the network may be no UTF-8; a record is written all the same. */
static json_t *text_json(const char *text)
{
	json_t *out = json_string(text);
	char clean[HALF_CONTACT_SIZE];
	size_t n = 0;

	if (out)
		return out;
	for (; text[n] != '\0' && n < sizeof(clean) - 1; n++)
		clean[n] = (unsigned char)text[n] < 0x80 ? text[n] : '?';
	clean[n] = '\0';
	return json_string(clean);
}

static int64_t duration_s(int64_t answered_at, int64_t ended_at)
{
	return answered_at && ended_at > answered_at ? (ended_at - answered_at) / 1000 : 0;
}

json_t *call_record(const struct call *c)
{
	const struct call_summary *s = &c->summary;

	return json_pack("{ss ss so so so so so sI ss si}", "gsid", c->gsid, "half", "call",
			 "caller", text_json(s->caller), "callee", text_json(s->callee),
			 "started_at", time_json(s->started_at), "answered_at",
			 time_json(s->answered_at), "ended_at", time_json(s->ended_at),
			 "duration_s", (json_int_t)duration_s(s->answered_at, s->ended_at),
			 "result", half_result_name(s->result), "sip_status", (int)s->sip_status);
}

json_t *call_half_record(const struct half *h)
{
	const char *side = h->phase == HALF_IMSORIG ? "orig" : "term";
	const char *peer = h->phase == HALF_IMSORIG ? h->callee : h->caller;
	const char *heard = h->phase == HALF_IMSORIG ? h->caller : h->callee;
	const char *handle = h->served[0] ? h->served : heard;
	json_t *key = h->number > 1 ? json_sprintf("%s.%u", side, h->number) : json_string(side);

	return json_pack("{ss so ss so so so so so so so sI ss si}", "gsid", h->call->gsid, "half",
			 key, "phase", half_phase_name(h->phase), "handle", text_json(handle),
			 "peer", text_json(peer), "caller", text_json(h->caller), "callee",
			 text_json(h->callee), "started_at", time_json(h->started_at),
			 "answered_at", time_json(h->answered_at), "ended_at",
			 time_json(h->ended_at), "duration_s",
			 (json_int_t)duration_s(h->answered_at, h->ended_at), "result",
			 half_result_name(h->result), "sip_status", (int)h->sip_status);
}

static json_t *leg_json(const char *handle, const struct leg *leg)
{
	return json_pack("{so so ss}", "handle", text_json(handle), "contact",
			 text_json(leg->contact), "state", leg_state_name(leg->state));
}

static const char *live_state(const struct half *h)
{
	switch (half_state(h)) {
	case HALF_ANSWERED:
	case HALF_TALKING:
		return h->up.state == LEG_HELD || h->down.state == LEG_HELD ? "held" : "talking";
	default:
		return "ringing";
	}
}

/* The half that speaks for the call: the originating one if it is there. */
static const struct half *call_speaker(const struct call *c)
{
	const struct half *found = NULL, *h;

	LIST_FOREACH (h, &c->halves, struct half, link) {
		if (half_is_live(h) && (!found || h->phase < found->phase))
			found = h;
	}
	return found;
}

static bool call_has_term(const struct call *c)
{
	const struct half *h;

	LIST_FOREACH (h, &c->halves, struct half, link) {
		if (half_is_live(h) && h->phase == HALF_IMSTERM)
			return true;
	}
	return false;
}

static bool call_has_served(const struct call *c)
{
	const struct half *h;

	LIST_FOREACH (h, &c->halves, struct half, link) {
		if (half_is_live(h) && h->served[0])
			return true;
	}
	return false;
}

/* Is a half's callee in the call? Not one whose phone sent it elsewhere, which has a half of its own, nor
 * one who has hung up or was taken away by another half. */
static bool is_party(const struct call *c, const struct half *h)
{
	if (!half_is_live(h) || h->diverted || h->down.state == LEG_ENDED)
		return false;
	if (h->phase == HALF_IMSTERM || call_has_term(c))
		return h->phase == HALF_IMSTERM;
	/* Without a callee's half here: who was called last, by a transfer, took the others' place. */
	return h->served[0] || !call_has_served(c);
}

/* One leg a party: the caller's as the originating half has it, the callee's as the terminating
 * half has it; what lies between cm and sm is not shown. */
static json_t *call_legs(const struct call *c, const struct half *speaker)
{
	json_t *legs = json_array();
	const struct half *h;

	(void)json_array_append_new(legs, leg_json(speaker->caller, &speaker->up));
	LIST_FOREACH (h, &c->halves, struct half, link) {
		if (is_party(c, h))
			(void)json_array_append_new(legs, leg_json(h->callee, &h->down));
	}
	return legs;
}

static json_t *call_json(const struct call *c, const struct half *speaker)
{
	return json_pack("{ss so so ss so so so}", "gsid", c->gsid, "caller",
			 text_json(speaker->caller), "callee", text_json(speaker->callee), "state",
			 live_state(speaker), "started_at", time_json(speaker->started_at),
			 "answered_at", time_json(speaker->answered_at), "legs",
			 call_legs(c, speaker));
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
	return (sum ^ value) * 0x9e3779b97f4a7c15ULL + (sum >> 29);
}

static uint64_t mix_leg(uint64_t sum, const char *handle, const struct leg *leg)
{
	sum = mix(sum, slice_hash(slice_str(handle)));
	sum = mix(sum, slice_hash(slice_str(leg->contact)));
	return mix(sum, (uint64_t)leg->state);
}

uint64_t call_table_version(const struct call_table *t, size_t limit)
{
	uint64_t sum = slice_hash(SLICE("calls"));
	struct map_iter it;
	struct map_node *node;

	MAP_FOREACH (node, &t->by_gsid, &it) {
		const struct call *c = MAP_ENTRY(node, struct call, by_gsid);
		const struct half *speaker = call_speaker(c), *h;

		if (!speaker)
			continue;
		if (limit-- == 0)
			break;
		sum = mix(sum, slice_hash(slice_str(c->gsid)));
		sum = mix(sum, slice_hash(slice_str(live_state(speaker))));
		sum = mix(sum, slice_hash(slice_str(speaker->callee)));
		sum = mix(sum, (uint64_t)speaker->started_at);
		sum = mix(sum, (uint64_t)speaker->answered_at);
		sum = mix_leg(sum, speaker->caller, &speaker->up);
		LIST_FOREACH (h, &c->halves, struct half, link) {
			if (half_is_live(h))
				sum = mix_leg(sum, h->callee, &h->down);
		}
	}
	return sum;
}

json_t *call_table_json(const struct call_table *t, size_t limit)
{
	AUTO(json) json_t *items = json_array();
	struct map_iter it;
	struct map_node *node;

	MAP_FOREACH (node, &t->by_gsid, &it) {
		const struct call *c = MAP_ENTRY(node, struct call, by_gsid);
		const struct half *speaker = call_speaker(c);

		if (!speaker)
			continue;
		if (json_array_size(items) >= limit)
			break;
		if (json_array_append_new(items, call_json(c, speaker)) < 0)
			return NULL;
	}
	return json_pack("{sO}", "items", items);
}

size_t call_live_count(const struct call_table *t)
{
	struct map_iter it;
	struct map_node *node;
	size_t n = 0;

	MAP_FOREACH (node, &t->by_gsid, &it)
		n += call_speaker(MAP_ENTRY(node, struct call, by_gsid)) != NULL;
	return n;
}
