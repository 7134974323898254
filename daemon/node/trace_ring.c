/* SPDX-License-Identifier: Apache-2.0 */
/* trace_ring.c - messages one after the other in a ring of bytes; the oldest make room. Most are never
 * looked at: their secrets are overwritten when one first is. */
#include "node/trace_ring.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

#include <stdio.h>
#include <string.h>

#define MESSAGE_LIMIT 16384
#define RING_MIN 65536
#define GSID_SIZE 64
#define ANSWER_BYTES (2U << 20) /* of messages in one answer: who asks gets the rest later */
#define STEP_BACK_US 1000000	/* a clock set back by more is believed */
#define BIND_MAX 8192		/* items of one call that a late session id is given to */
#define WAYS 4			/* calls of one bucket of the index */
#define CACHE_LINE 64

/* An address and port without what the kernel's form of it carries along. */
struct end {
	uint8_t ip[16];
	uint16_t port;
	uint16_t family; /* AF_UNSPEC: not known */
};

/* One message in the ring, its text behind it. Never wraps: what does not fit before the end of the
 * ring begins at 0 again. The sequence number of `previous` tells whether it is still there. */
struct item {
	uint32_t size; /* of the whole item, multiple of 8; 0: the rest of the ring is unused */
	uint32_t message;
	uint64_t seq;
	uint64_t previous_seq; /* the item before of the same call, 0 none */
	uint32_t previous;
	uint32_t call; /* its hash */
	int64_t at_us;
	const char *transport;
	struct end local, remote;
	uint32_t call_id_at; /* in the message; not known while it is unread */
	uint16_t call_id;
	uint8_t gsid_len;
	uint8_t direction : 1, truncated : 1, masked : 1, alone : 1, unread : 1;
	char gsid[GSID_SIZE];
	char bytes[];
};

/* The newest message of a call. Two calls of one hash are one here: who asks for one of them compares. */
struct chain {
	uint64_t seq;
	uint32_t at;
	uint32_t call;
};

/* One line of the cache, so that a message costs one. A fifth call of a bucket takes the place of the
 * longest silent. */
struct bucket {
	_Alignas(CACHE_LINE) struct chain ways[WAYS];
};

struct trace_ring {
	size_t size;
	size_t head; /* oldest item */
	size_t tail; /* where the next goes */
	size_t last; /* newest item */
	size_t count;
	uint64_t seq;
	int64_t last_us;
	struct bucket *index; /* by the hash of the Call-ID */
	uint32_t index_mask;
	_Alignas(8) char bytes[];
};

struct trace_ring *trace_ring_new(size_t bytes)
{
	size_t size = (bytes < RING_MIN ? RING_MIN : bytes) & ~(size_t)7;
	struct trace_ring *ring = malloc(sizeof(*ring) + size);
	size_t buckets = 64;

	while (buckets * WAYS < size / 512)
		buckets *= 2;
	if (!ring)
		return NULL;
	*ring = (struct trace_ring){ .size = size, .index_mask = (uint32_t)buckets - 1 };
	ring->index = aligned_alloc(CACHE_LINE, buckets * sizeof(*ring->index));
	if (!ring->index)
		return trace_ring_free(ring);
	memset(ring->index, 0, buckets * sizeof(*ring->index));
	return ring;
}

struct trace_ring *trace_ring_free(struct trace_ring *ring)
{
	if (ring)
		free(ring->index);
	free(ring);
	return NULL;
}

static struct item *item_at(const struct trace_ring *ring, size_t at)
{
	return (struct item *)(void *)((char *)ring->bytes + at);
}

/* The position itself, or 0 when the rest of the ring there is unused. */
static size_t settle(const struct trace_ring *ring, size_t at)
{
	if (at + sizeof(struct item) > ring->size || item_at(ring, at)->size == 0)
		return 0;
	return at;
}

static void drop_oldest(struct trace_ring *ring)
{
	ring->head = settle(ring, ring->head);
	ring->head += item_at(ring, ring->head)->size;
	ring->count--;
	if (ring->count == 0)
		ring->head = ring->tail = 0;
}

/* Contiguous room at the tail, making it by dropping the oldest. */
static struct item *make_room(struct trace_ring *ring, size_t need)
{
	for (;;) {
		/* kept settled: the mark of the unused rest may be written over below */
		size_t head = ring->head = ring->count ? settle(ring, ring->head) : 0;

		if (ring->count == 0) {
			ring->head = ring->tail = 0;
			return item_at(ring, 0);
		}
		if (ring->tail > head) { /* used: head..tail */
			if (ring->size - ring->tail >= need)
				return item_at(ring, ring->tail);
			if (head > need) { /* strictly: tail never meets head */
				if (ring->tail + sizeof(struct item) <= ring->size)
					item_at(ring, ring->tail)->size = 0;
				ring->tail = 0;
				return item_at(ring, 0);
			}
		} else if (head - ring->tail > need) {
			return item_at(ring, ring->tail);
		}
		drop_oldest(ring);
	}
}

static struct end end_of(const struct addr *addr)
{
	struct end end = { 0 };

	if (!addr)
		return end;
	if (addr_family(addr) == AF_INET)
		memcpy(end.ip, &addr->in4.sin_addr, 4);
	else if (addr_family(addr) == AF_INET6)
		memcpy(end.ip, &addr->in6.sin6_addr, 16);
	else
		return end;
	end.family = (uint16_t)addr_family(addr);
	end.port = addr_port(addr);
	return end;
}

static struct addr addr_of(const struct end *end)
{
	struct addr addr = { 0 };

	if (end->family == AF_INET) {
		addr.in4.sin_family = AF_INET;
		memcpy(&addr.in4.sin_addr, end->ip, 4);
		addr.len = sizeof(addr.in4);
	} else if (end->family == AF_INET6) {
		addr.in6.sin6_family = AF_INET6;
		memcpy(&addr.in6.sin6_addr, end->ip, 16);
		addr.len = sizeof(addr.in6);
	}
	if (addr.len)
		addr_set_port(&addr, end->port);
	return addr;
}

/* The ways through the index ------------------------------------------------------------------ */
static uint64_t oldest_seq(const struct trace_ring *ring)
{
	return ring->seq - ring->count + 1;
}

/* The item of that number at that place, NULL when it has made room. */
static struct item *item_kept(const struct trace_ring *ring, uint64_t seq, size_t at)
{
	if (seq == 0 || ring->count == 0 || seq < oldest_seq(ring))
		return NULL;
	return item_at(ring, at);
}

/* call_id stands in text, of which the item keeps at least the beginning. */
static void set_call_id(struct item *item, struct slice call_id, const char *text)
{
	size_t at = call_id.len ? (size_t)(call_id.p - text) : 0;

	if (call_id.len > UINT16_MAX || at + call_id.len > item->message)
		return;
	item->call_id_at = (uint32_t)at;
	item->call_id = (uint16_t)call_id.len;
}

static struct slice call_id_of(const struct item *item)
{
	return slice_make(item->bytes + item->call_id_at, item->call_id);
}

/* Of one that may be in no chain. What ends where the message was cut may be a part of it. */
static struct slice read_call_id(struct item *item)
{
	struct slice found;

	if (item->unread) {
		found = trace_scan(slice_make(item->bytes, item->message)).call_id;
		if (!item->truncated || found.p + found.len < item->bytes + item->message)
			set_call_id(item, found, item->bytes);
	}
	item->unread = false;
	return call_id_of(item);
}

static struct slice gsid_of(const struct item *item)
{
	return slice_make(item->gsid, item->gsid_len);
}

static uint32_t call_of(struct slice call_id)
{
	return (uint32_t)slice_hash(call_id);
}

/* An answer mostly follows its request: the hash is still there. */
static uint32_t call_of_item(const struct trace_ring *ring, const struct item *item)
{
	struct slice call_id = call_id_of(item);
	const struct item *last = item_kept(ring, ring->seq, ring->last);

	return last && !last->alone && slice_eq(call_id_of(last), call_id) ? last->call
									   : call_of(call_id);
}

/* Where the newest message of that call is filed; NULL: there is none in the ring. */
static struct chain *chain_of(const struct trace_ring *ring, uint32_t call)
{
	struct chain *ways = ring->index[call & ring->index_mask].ways;

	for (size_t i = 0; i < WAYS; i++)
		if (ways[i].call == call && ways[i].seq)
			return &ways[i];
	return NULL;
}

static struct chain *make_chain(const struct trace_ring *ring, uint32_t call)
{
	struct chain *ways = ring->index[call & ring->index_mask].ways, *oldest = ways;

	for (size_t i = 1; i < WAYS; i++)
		if (ways[i].seq < oldest->seq)
			oldest = &ways[i];
	*oldest = (struct chain){ .call = call };
	return oldest;
}

static struct item *before(const struct trace_ring *ring, const struct item *item)
{
	return item_kept(ring, item->previous_seq, item->previous);
}

static void set_gsid(struct item *item, struct slice gsid)
{
	if (gsid.len > GSID_SIZE)
		return;
	memcpy(item->gsid, gsid.p, gsid.len);
	item->gsid_len = (uint8_t)gsid.len;
}

void trace_bind_gsid(struct trace_ring *ring, struct slice call_id, struct slice gsid)
{
	const struct chain *chain;
	struct item *item;

	if (!ring || gsid.len == 0 || call_id.len == 0)
		return;
	chain = chain_of(ring, call_of(call_id));
	item = chain ? item_kept(ring, chain->seq, chain->at) : NULL;
	for (size_t i = 0; item && i < BIND_MAX; i++, item = before(ring, item))
		if (item->gsid_len == 0 && slice_eq(call_id_of(item), call_id))
			set_gsid(item, gsid);
}

/* Say which call the new item belongs to, before it is in the index itself. */
static void file(struct trace_ring *ring, struct item *item, struct slice gsid)
{
	struct slice call_id = call_id_of(item);
	struct chain *chain = chain_of(ring, item->call);
	const struct item *last = chain ? item_kept(ring, chain->seq, chain->at) : NULL;

	if (!chain)
		chain = make_chain(ring, item->call);
	if (last && (call_id.len == 0 || !slice_eq(call_id_of(last), call_id)))
		last = NULL;
	if (gsid.len == 0 && last)
		gsid = gsid_of(last);
	else if (gsid.len && last && last->gsid_len == 0)
		trace_bind_gsid(ring, call_id, gsid);
	if (gsid.len)
		set_gsid(item, gsid);
	item->previous = chain->at;
	item->previous_seq = chain->seq;
	chain->at = (uint32_t)((char *)item - ring->bytes);
	chain->seq = item->seq;
}

static int64_t later(struct trace_ring *ring, int64_t at_us)
{
	if (at_us <= ring->last_us && at_us > ring->last_us - STEP_BACK_US)
		at_us = ring->last_us + 1;
	ring->last_us = at_us;
	return at_us;
}

void trace_add(struct trace_ring *ring, const struct trace_entry *entry)
{
	struct trace_fields fields;
	struct item *item;
	struct slice message = entry->message;
	size_t need;
	bool cut = message.len > MESSAGE_LIMIT;

	if (!ring)
		return;
	fields = entry->fields ? *entry->fields : trace_scan(message);
	if (cut)
		message.len = MESSAGE_LIMIT;
	need = (sizeof(*item) + message.len + 7) & ~(size_t)7;
	item = make_room(ring, need);
	*item = (struct item){
		.size = (uint32_t)need,
		.message = (uint32_t)message.len,
		.seq = ring->seq + 1,
		.at_us = later(ring, entry->at_us),
		.transport = entry->transport,
		.local = end_of(entry->local),
		.remote = end_of(entry->remote),
		.direction = entry->direction,
		.truncated = cut,
		.alone = entry->alone,
		.unread = entry->alone && fields.call_id.len == 0,
	};
	if (message.len)
		memcpy(item->bytes, message.p, message.len);
	set_call_id(item, fields.call_id, message.p);
	if (entry->alone) {
		if (fields.gsid.len)
			set_gsid(item, fields.gsid);
	} else {
		item->call = call_of_item(ring, item);
		file(ring, item, fields.gsid.len ? fields.gsid : entry->gsid);
	}
	ring->seq++;
	ring->last = (size_t)((char *)item - ring->bytes);
	ring->tail = (size_t)((char *)item - ring->bytes) + need;
	ring->count++;
}

/* Reading it ------------------------------------------------------------------------------------ */

/* The only way to a message's text. */
static struct slice text_of(struct item *item)
{
	if (!item->masked)
		trace_mask(item->bytes, item->message);
	item->masked = true;
	return slice_make(item->bytes, item->message);
}

static bool is_end(const struct end *end, const struct addr *wanted)
{
	struct addr have = addr_of(end);

	return have.len &&
	       (addr_port(wanted) ? addr_equal(&have, wanted) : addr_equal_ip(&have, wanted));
}

static bool matches(struct item *item, const struct trace_filter *f)
{
	if (item->seq <= f->after || item->at_us < f->from_us ||
	    (f->to_us && item->at_us >= f->to_us))
		return false;
	if (f->call_id && !slice_eq_str(read_call_id(item), f->call_id))
		return false;
	if (f->gsid && !slice_eq_str(gsid_of(item), f->gsid))
		return false;
	if (f->address && !is_end(&item->local, f->address) && !is_end(&item->remote, f->address))
		return false;
	if (f->user && !trace_names_user(text_of(item), slice_str(f->user)))
		return false;
	return !f->text || trace_has_text(text_of(item), slice_str(f->text));
}

/* Bytes from the network as a JSON string. What is no UTF-8, or holds NUL, becomes Latin-1, its NULs
 * the picture of one (U+2400): JSON readers refuse the character itself. */
static json_t *bytes_json(struct slice s, bool *latin)
{
	static const char picture[] = { '\xe2', '\x90', '\x80' };
	json_t *value = slice_has_nul(s) ? NULL : json_stringn(s.p, s.len);
	char *wide;
	size_t n = 0;

	*latin = !value;
	if (value)
		return value;
	wide = malloc(3 * s.len + 1);
	if (!wide)
		return NULL;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == 0) {
			memcpy(wide + n, picture, sizeof(picture));
			n += sizeof(picture);
		} else if (c < 0x80) {
			wide[n++] = (char)c;
		} else {
			wide[n++] = (char)(0xc0 | (c >> 6));
			wide[n++] = (char)(0x80 | (c & 0x3f));
		}
	}
	value = json_stringn_nocheck(wide, n);
	free(wide);
	return value;
}

static json_t *end_json(const struct end *end)
{
	struct addr addr = addr_of(end);
	char text[ADDR_TEXT_MAX];

	return json_string(addr.len ? addr_format(&addr, text) : "");
}

static json_t *item_json(struct item *item)
{
	char at[CLOCK_RFC3339_SIZE];
	bool latin, other;
	json_t *text = bytes_json(text_of(item), &latin);

	return json_pack("{s:I,s:s,s:I,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:b,s:s}", "seq",
			 (json_int_t)item->seq, "at", clock_format(item->at_us / 1000, at), "at_us",
			 (json_int_t)item->at_us, "direction",
			 item->direction == TRACE_IN ? "in" : "out", "transport",
			 item->transport ? item->transport : "", "local", end_json(&item->local),
			 "remote", end_json(&item->remote), "call_id",
			 bytes_json(read_call_id(item), &other), "gsid",
			 bytes_json(gsid_of(item), &other), "message", text, "truncated",
			 item->truncated, "encoding", latin ? "latin-1" : "utf-8");
}

/* Places of the items to show: the last `limit` that were chosen, as a ring of its own. */
struct choice {
	uint32_t at[TRACE_LIMIT_MAX];
	size_t first, count, limit;
	size_t matched, bytes;
};

static void choose(struct choice *c, const struct trace_ring *ring, uint32_t at, bool oldest)
{
	c->matched++;
	if (oldest && (c->count == c->limit || c->bytes > ANSWER_BYTES))
		return;
	c->bytes += item_at(ring, at)->message;
	if (!oldest) {
		while (c->count && (c->count == c->limit || c->bytes > ANSWER_BYTES)) {
			c->bytes -= item_at(ring, c->at[c->first])->message;
			c->first = (c->first + 1) % c->limit;
			c->count--;
		}
	}
	c->at[(c->first + c->count++) % c->limit] = at;
}

json_t *trace_query(const struct trace_ring *ring, const struct trace_filter *filter)
{
	struct choice c = { .limit = filter->limit };
	AUTO(json) json_t *items = json_array();
	size_t at = ring->head;

	if (c.limit < 1 || c.limit > TRACE_LIMIT_MAX)
		c.limit = TRACE_LIMIT_MAX;
	for (size_t i = 0; i < ring->count; i++) {
		at = settle(ring, at);
		if (matches(item_at(ring, at), filter))
			choose(&c, ring, (uint32_t)at, filter->oldest);
		at += item_at(ring, at)->size;
	}
	for (size_t i = 0; i < c.count; i++) {
		struct item *item = item_at(ring, c.at[(c.first + i) % c.limit]);

		if (json_array_append_new(items, item_json(item)) < 0)
			return NULL;
	}
	return json_pack("{s:O,s:b,s:I,s:I,s:I}", "items", items, "more", c.matched > c.count,
			 "matched", (json_int_t)c.matched, "oldest",
			 (json_int_t)(ring->count ? oldest_seq(ring) : 0), "newest",
			 (json_int_t)(ring->count ? ring->seq : 0));
}

size_t trace_count(const struct trace_ring *ring)
{
	return ring ? ring->count : 0;
}

void trace_metrics(const struct trace_ring *ring, struct buf *out)
{
	buf_printf(out,
		   "# HELP aura_trace_messages_total Messages that were kept in the trace.\n"
		   "# TYPE aura_trace_messages_total counter\naura_trace_messages_total %llu\n"
		   "# HELP aura_trace_messages Messages that the trace holds now.\n"
		   "# TYPE aura_trace_messages gauge\naura_trace_messages %zu\n",
		   (unsigned long long)ring->seq, ring->count);
}
