/* SPDX-License-Identifier: Apache-2.0 */
/* uc_ladder_read.c - the messages of a trace, read once; what one node sent and another received (the bytes
 * are the same) belongs together, and tells how far their clocks differ. */
#include "control/uc/uc_ladder_private.h"

#include "codec/sip/sip_msg.h"

#include <string.h>

#define TRANSIT_US 600000000 /* between sending and receiving, clocks differing */
#define JITTER_US 2000

const char *uc_ladder_text(const json_t *item, const char *member)
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

static void copy_user(const struct sip_addr *addr, char out[static UC_LADDER_NAME_SIZE])
{
	char plain[UC_LADDER_NAME_SIZE];
	int n = sip_unescape(addr->uri.user, plain, sizeof(plain));

	if (addr->uri.user.len)
		copy_text(n > 0 ? slice_make(plain, (size_t)n) : addr->uri.user, out,
			  UC_LADDER_NAME_SIZE);
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
	struct slice text = slice_str(uc_ladder_text(a->item, "message"));
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
	a->node = uc_ladder_text(item, "node");
	a->local = uc_ladder_text(item, "local");
	a->remote = uc_ladder_text(item, "remote");
	a->sent = strcmp(uc_ladder_text(item, "direction"), "out") == 0;
	a->at_us = (int64_t)json_integer_value(json_object_get(item, "at_us"));
	read_message(msg, a);
}

/* Pairs ------------------------------------------------------------------------------------- */
struct slice uc_ladder_bytes(const struct arrow *a)
{
	return slice_str(uc_ladder_text(a->item, "message"));
}

/* The oldest message of another node that has the same bytes and was not received yet. */
static struct arrow *find_sender(struct map *waiting, const struct arrow *received)
{
	struct arrow *best = NULL;

	for (struct map_node *n = map_get(waiting, uc_ladder_bytes(received)); n;
	     n = map_next_same(n)) {
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
			r = map_add(&waiting, &l->arrow[i].link, uc_ladder_bytes(&l->arrow[i]));
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

int uc_ladder_read(struct ladder *l, json_t *items)
{
	struct sip_msg *msg = malloc(sizeof(*msg)); /* large */
	json_t *item;
	size_t i;
	int r;

	l->count = json_array_size(items);
	l->arrow = calloc(l->count ? l->count : 1, sizeof(*l->arrow));
	if (!msg || !l->arrow) {
		free(msg);
		return -ENOMEM;
	}
	json_array_foreach(items, i, item) read_item(msg, item, &l->arrow[i]);
	free(msg);
	r = pair(l);
	if (r == 0)
		settle_clocks(l);
	return r;
}
