/* SPDX-License-Identifier: Apache-2.0 */
/* uc_ladder.c - pairs what one node sent with what another received (the bytes are the same),
 * finds out who the other ends are, and cuts a call into its phases. */
#include "control/uc/uc_ladder.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "codec/sip/sip_msg.h"
#include "net/addr.h"

#include <stdio.h>
#include <string.h>

#define PARTIES_MAX 250	     /* the last stands for all beyond */
#define TRANSIT_US 600000000 /* between sending and receiving, clocks differing */
#define JITTER_US 2000
#define NAME_SIZE 96

enum party_kind { PARTY_NODE, PARTY_ENTITY, PARTY_PHONE, PARTY_UNKNOWN };
static const char *const party_kinds[] = { "node", "entity", "phone", "unknown" };

struct party {
	enum party_kind kind;
	char name[NAME_SIZE];
	const char *address; /* borrowed from an item; NULL of a node */
	bool caller;	     /* the first outsider who spoke */
	int column;
};

/* One message of the trace, read once. Texts are the item's. */
struct arrow {
	struct map_node link; /* by text, while it waits for its receiver */
	struct map_node seen; /* by text, the first of its way */
	json_t *item;
	struct arrow *receipt; /* of what was sent: the same message at the other node */
	bool merged;	       /* is such a receipt */
	bool sent, request, sdp, again;
	const char *node, *local, *remote;
	int64_t at_us;
	unsigned status;
	uint32_t cseq;
	char method[24]; /* of the request, also of a response's CSeq */
	char phase[16];
	char reason[48];
	char from_user[NAME_SIZE], to_user[NAME_SIZE], uri_user[NAME_SIZE];
	size_t from, to, leg;
};

struct ladder {
	struct arrow *arrow;
	size_t count;
	struct party party[PARTIES_MAX];
	size_t parties;
	const json_t *entities;
	json_t *legs;
};

static const char *text_of(const json_t *item, const char *member)
{
	const char *text = json_string_value(json_object_get(item, member));

	return text ? text : "";
}

/* Reading the messages --------------------------------------------------------------------- */
static void copy_text(struct slice text, char *out, size_t size)
{
	size_t n = text.len < size - 1 ? text.len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)text.p[i] >= ' ' && (unsigned char)text.p[i] < 0x7f
				 ? text.p[i]
				 : '?';
	out[n] = '\0';
}

static void copy_user(const struct sip_addr *addr, char out[static NAME_SIZE])
{
	char plain[NAME_SIZE];
	int n = sip_unescape(addr->uri.user, plain, sizeof(plain));

	if (addr->uri.user.len)
		copy_text(n > 0 ? slice_make(plain, (size_t)n) : addr->uri.user, out, NAME_SIZE);
}

static void read_phase(const struct sip_msg *msg, struct arrow *a)
{
	struct sip_addr route;
	struct slice phase;

	if (sip_msg_top_route(msg, &route) == 0 &&
	    sip_uri_param(&route.uri, SLICE("phase"), &phase))
		copy_text(phase, a->phase, sizeof(a->phase));
}

static void read_message(struct sip_msg *msg, struct arrow *a)
{
	struct slice text = slice_str(text_of(a->item, "message"));
	struct sip_addr addr;
	struct sip_uri uri;
	struct sip_cseq cseq;

	if (sip_msg_parse(text, msg) < 0)
		return;
	a->request = msg->request;
	a->status = msg->status;
	if (sip_msg_cseq(msg, &cseq) == 0) {
		a->cseq = cseq.number;
		copy_text(cseq.method_name, a->method, sizeof(a->method));
	}
	if (msg->request) {
		copy_text(msg->method_name, a->method, sizeof(a->method));
		read_phase(msg, a);
		if (sip_msg_request_uri(msg, &uri) == 0) {
			addr.uri = uri;
			copy_user(&addr, a->uri_user);
		}
	}
	copy_text(msg->reason, a->reason, sizeof(a->reason));
	if (sip_msg_from(msg, &addr) == 0)
		copy_user(&addr, a->from_user);
	if (sip_msg_to(msg, &addr) == 0)
		copy_user(&addr, a->to_user);
	a->sdp = msg->body.len && slice_starts_with(msg->body, SLICE("v=0"));
}

static void read_item(struct sip_msg *msg, json_t *item, struct arrow *a)
{
	a->item = item;
	a->node = text_of(item, "node");
	a->local = text_of(item, "local");
	a->remote = text_of(item, "remote");
	a->sent = strcmp(text_of(item, "direction"), "out") == 0;
	a->at_us = (int64_t)json_integer_value(json_object_get(item, "at_us"));
	read_message(msg, a);
}

/* Pairs ------------------------------------------------------------------------------------- */
static struct slice bytes_of(const struct arrow *a)
{
	return slice_str(text_of(a->item, "message"));
}

/* The oldest message of another node that has the same bytes and was not received yet. */
static struct arrow *find_sender(struct map *waiting, const struct arrow *received)
{
	struct arrow *best = NULL;

	for (struct map_node *n = map_get(waiting, bytes_of(received)); n; n = map_next_same(n)) {
		struct arrow *a = MAP_ENTRY(n, struct arrow, link);
		int64_t took = received->at_us - a->at_us;

		if (strcmp(a->node, received->node) != 0 && took < TRANSIT_US &&
		    took > -TRANSIT_US && (!best || a->at_us < best->at_us))
			best = a;
	}
	return best;
}

static int pair(struct ladder *l)
{
	struct map waiting;
	int r = 0;

	map_init(&waiting);
	for (size_t i = 0; i < l->count && r == 0; i++)
		if (l->arrow[i].sent)
			r = map_add(&waiting, &l->arrow[i].link, bytes_of(&l->arrow[i]));
	for (size_t i = 0; i < l->count && r == 0; i++) {
		struct arrow *a = &l->arrow[i];
		struct arrow *sender = a->sent ? NULL : find_sender(&waiting, a);

		if (!sender)
			continue;
		(void)map_remove(&waiting, &sender->link);
		sender->receipt = a;
		a->merged = true;
	}
	map_done(&waiting);
	return r;
}

/* Clocks of guests differ: what a node's is ahead of sm's, from the quickest messages there and back.
 * Less than the jitter of one machine is not corrected. */
static int64_t clock_ahead(const struct ladder *l, const char *node)
{
	int64_t there = INT64_MAX, back = INT64_MAX, ahead;

	for (size_t i = 0; i < l->count; i++) {
		const struct arrow *s = &l->arrow[i], *r = s->receipt;
		int64_t took = r ? r->at_us - s->at_us : 0;

		if (r && strcmp(s->node, "sm") == 0 && strcmp(r->node, node) == 0 && took < there)
			there = took;
		if (r && strcmp(r->node, "sm") == 0 && strcmp(s->node, node) == 0 && took < back)
			back = took;
	}
	if (there == INT64_MAX || back == INT64_MAX)
		return 0;
	ahead = (there - back) / 2;
	return ahead > JITTER_US || ahead < -JITTER_US ? ahead : 0;
}

/* One clock for all; and nothing is received before it was sent: a sender may note it late. */
static void settle_clocks(struct ladder *l)
{
	static const char *const nodes[] = { "cm", "presence" };

	for (size_t n = 0; n < ARRAY_SIZE(nodes); n++) {
		int64_t ahead = clock_ahead(l, nodes[n]);

		for (size_t i = 0; ahead && i < l->count; i++)
			if (strcmp(l->arrow[i].node, nodes[n]) == 0)
				l->arrow[i].at_us -= ahead;
	}
	for (size_t i = 0; i < l->count; i++) {
		struct arrow *a = &l->arrow[i];

		if (a->receipt && a->receipt->at_us < a->at_us)
			a->at_us = a->receipt->at_us;
	}
}

/* Who is at the other end ------------------------------------------------------------------- */
static size_t add_party(struct ladder *l, enum party_kind kind, const char *name,
			const char *address)
{
	struct party *p;

	for (size_t i = 0; i < l->parties; i++) {
		p = &l->party[i];
		if (kind == PARTY_NODE || kind == PARTY_ENTITY
			    ? p->kind == kind && strcmp(p->name, name) == 0
			    : p->address && strcmp(p->address, address) == 0)
			return i;
	}
	if (l->parties == PARTIES_MAX)
		return PARTIES_MAX - 1;
	p = &l->party[l->parties];
	*p = (struct party){ .kind = kind, .address = address };
	(void)snprintf(p->name, sizeof(p->name), "%s",
		       l->parties == PARTIES_MAX - 1 ? "others" : name);
	return l->parties++;
}

static bool is_node_name(const char *name)
{
	return strcmp(name, "sm") == 0 || strcmp(name, "cm") == 0 || strcmp(name, "presence") == 0;
}

/* The entity with that address; its port may differ where the address is its own alone. */
static const char *entity_at(const struct ladder *l, const char *address, bool *node)
{
	const char *found = NULL;
	struct addr wanted, have;
	json_t *entity;
	size_t i, same_ip = 0;

	if (addr_parse(slice_str(address), 0, &wanted) < 0)
		return NULL;
	json_array_foreach((json_t *)l->entities, i, entity)
	{
		const char *name = text_of(entity, "name"), *type = text_of(entity, "type");

		if (addr_parse(slice_str(text_of(entity, "address")), 0, &have) < 0 || !*name)
			continue;
		if (addr_equal(&wanted, &have)) {
			*node = is_node_name(type);
			return *node ? type : name;
		}
		if (addr_equal_ip(&wanted, &have) && !addr_is_loopback(&have) && ++same_ip == 1) {
			*node = is_node_name(type);
			found = *node ? type : name;
		}
	}
	return same_ip == 1 ? found : NULL;
}

/* Which node listens or speaks at an address, as pairs of messages have shown. */
static const char *node_at(const struct ladder *l, const struct arrow *a)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct arrow *s = &l->arrow[i], *r = s->receipt;

		if (!r)
			continue;
		if (strcmp(s->node, a->node) == 0 && strcmp(s->remote, a->remote) == 0)
			return r->node;
		if (strcmp(r->node, a->node) == 0 && strcmp(r->remote, a->remote) == 0)
			return s->node;
	}
	return NULL;
}

/* The user of a phone: who asks from there, who answers from there, whom it is for. */
static const char *handle_at(const struct ladder *l, const struct arrow *a)
{
	const char *guess = "";

	for (size_t i = 0; i < l->count; i++) {
		const struct arrow *b = &l->arrow[i];
		const char *user;

		if (strcmp(b->remote, a->remote) != 0 || strcmp(b->node, a->node) != 0)
			continue;
		user = b->request == b->sent ? b->to_user : b->from_user;
		if (!b->sent && *user)
			return user;
		if (!*guess)
			guess = b->sent && b->request && *b->uri_user ? b->uri_user : user;
	}
	return guess;
}

/* A party for each address at the far end of a node; looked up once an address. */
struct known {
	struct map_node link;
	char key[128];
	size_t party;
};

static size_t find_party(struct ladder *l, const struct arrow *a)
{
	bool node = false;
	const char *name = node_at(l, a);

	if (name)
		return add_party(l, PARTY_NODE, name, NULL);
	name = entity_at(l, a->remote, &node);
	if (name)
		return add_party(l, node ? PARTY_NODE : PARTY_ENTITY, name,
				 node ? NULL : a->remote);
	name = handle_at(l, a);
	if (*name)
		return add_party(l, PARTY_PHONE, name, a->remote);
	return add_party(l, PARTY_UNKNOWN, a->remote, a->remote);
}

static int far_end(struct ladder *l, struct map *known, const struct arrow *a, size_t *ret)
{
	char key[128];
	struct map_node *n;
	struct known *k;

	(void)snprintf(key, sizeof(key), "%s %s", a->node, a->remote);
	n = map_get(known, slice_str(key));
	if (n) {
		*ret = MAP_ENTRY(n, struct known, link)->party;
		return 0;
	}
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	memcpy(k->key, key, sizeof(key));
	k->party = *ret = find_party(l, a);
	if (map_add(known, &k->link, slice_str(k->key)) < 0) {
		free(k);
		return -ENOMEM;
	}
	return 0;
}

static void forget(struct map *known)
{
	struct map_iter it;
	struct map_node *n;

	MAP_FOREACH (n, known, &it) {
		struct known *k = MAP_ENTRY(n, struct known, link);

		(void)map_remove(known, n);
		free(k);
	}
	map_done(known);
}

static int find_ends(struct ladder *l)
{
	struct map known;
	int r = 0;

	map_init(&known);
	for (size_t i = 0; i < l->count && r == 0; i++) {
		struct arrow *a = &l->arrow[i];
		size_t near = add_party(l, PARTY_NODE, a->node, NULL), far = 0;

		if (a->merged)
			continue;
		if (a->receipt)
			far = add_party(l, PARTY_NODE, a->receipt->node, NULL);
		else
			r = far_end(l, &known, a, &far);
		a->from = a->sent ? near : far;
		a->to = a->sent ? far : near;
	}
	forget(&known);
	return r;
}

static int load(struct ladder *l, json_t *items, const json_t *entities)
{
	struct sip_msg *msg = malloc(sizeof(*msg)); /* large */
	json_t *item;
	size_t i;
	int r;

	l->entities = entities;
	l->count = json_array_size(items);
	l->arrow = calloc(l->count ? l->count : 1, sizeof(*l->arrow));
	if (!msg || !l->arrow) {
		free(msg);
		return -ENOMEM;
	}
	json_array_foreach(items, i, item) read_item(msg, item, &l->arrow[i]);
	free(msg);
	r = pair(l);
	if (r < 0)
		return r;
	settle_clocks(l);
	return find_ends(l);
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
	size_t order[PARTIES_MAX], n = 0;

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
		const char *call_id = text_of(a->item, "call_id");
		json_t *leg;
		size_t at;

		json_array_foreach(l->legs, at,
				   leg) if (strcmp(text_of(leg, "call_id"), call_id) == 0) break;
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

		for (struct map_node *n = map_get(&first, bytes_of(a)); n && !a->again;
		     n = map_next_same(n)) {
			const struct arrow *b = MAP_ENTRY(n, struct arrow, seen);

			a->again = a->from == b->from && a->to == b->to;
		}
		if (!a->again)
			r = map_add(&first, &a->seen, bytes_of(a));
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
			 "id", text_of(a->item, "id"), "received_id",
			 r ? text_of(r->item, "id") : NULL, "at_us", (json_int_t)a->at_us,
			 "offset_us", (json_int_t)(a->at_us - began), "transit_us",
			 r ? json_integer(r->at_us - a->at_us) : json_null(), "from",
			 l->party[a->from].column, "to", l->party[a->to].column, "label",
			 label_of(a), "method", a->method, "status",
			 a->request ? json_null() : json_integer(a->status), "cseq",
			 (json_int_t)a->cseq, "leg", (int)a->leg, "phase",
			 *a->phase ? a->phase : NULL, "transport", text_of(a->item, "transport"),
			 "sdp", a->sdp, "retransmission", a->again);
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

		if (begun && !(last && strcmp(text_of(last, "name"), begun) == 0))
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
