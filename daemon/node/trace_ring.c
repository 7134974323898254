/* SPDX-License-Identifier: Apache-2.0 */
/* trace_ring.c - messages one after the other in a ring of bytes; the oldest make room. */
#include "node/trace_ring.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdio.h>
#include <string.h>

#define MESSAGE_LIMIT 16384
#define FIELD_LIMIT 256
#define RING_MIN 65536
#define LIMIT_MAX 500

/* One message in the ring, its texts behind it in this order. Never wraps: what does not fit
 * before the end of the ring begins at 0 again. */
struct item {
	uint32_t size; /* of the whole item, multiple of 8; 0: the rest of the ring is unused */
	uint16_t local, remote, call_id, gsid_room;
	uint32_t message;
	uint16_t gsid;
	uint8_t direction;
	int64_t at_us;
	uint64_t seq;
	const char *transport;
	char bytes[];
};

struct trace_ring {
	size_t size;
	size_t head; /* oldest item */
	size_t tail; /* where the next goes */
	size_t count;
	uint64_t seq;
	_Alignas(8) char bytes[];
};

struct trace_ring *trace_ring_new(size_t bytes)
{
	size_t size = (bytes < RING_MIN ? RING_MIN : bytes) & ~(size_t)7;
	struct trace_ring *ring = malloc(sizeof(*ring) + size);

	if (!ring)
		return NULL;
	*ring = (struct trace_ring){ .size = size };
	return ring;
}

struct trace_ring *trace_ring_free(struct trace_ring *ring)
{
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

static char *put(char *at, struct slice text, size_t len)
{
	if (len)
		memcpy(at, text.p, len);
	return at + len;
}

static bool is_name_byte(char c)
{
	return ascii_is_alnum((unsigned char)c) || c == '-' || c == '_';
}

/* Overwrite the value of a digest parameter that starts at p (behind '='). */
static char *mask_value(char *p, char *end)
{
	bool quoted = p < end && *p == '"';

	if (quoted)
		p++;
	while (p < end && (quoted ? *p != '"' : *p != ',' && *p != ' ')) {
		if (quoted && *p == '\\' && p + 1 < end)
			*p++ = '*';
		*p++ = '*';
	}
	return p;
}

static void mask_line(char *line, char *end)
{
	static const char *const names[] = { "response", "nonce",     "cnonce",
					     "opaque",	 "nextnonce", "rspauth" };
	char *p = line;

	while (p < end && *p != ' ' && *p != '\t')
		p++;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (!slice_starts_with_nocase(slice_make(p, (size_t)(end - p)), SLICE("Digest"))) {
		memset(p, '*', (size_t)(end - p));
		return;
	}
	while (p < end) {
		char *name = p;
		struct slice word;

		while (p < end && is_name_byte(*p))
			p++;
		word = slice_make(name, (size_t)(p - name));
		while (p < end && word.len && strchr(" \t\r\n", *p))
			p++;
		if (p >= end || *p != '=' || word.len == 0) {
			p += p < end && !is_name_byte(*p) ? 1 : 0;
			continue;
		}
		p++;
		while (p < end && strchr(" \t\r\n", *p))
			p++;
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (slice_eq_str_nocase(word, names[i]))
				p = mask_value(p, end);
	}
}

/* Secrets out of the copy: header lines that carry credentials or challenges. */
static void mask(char *text, size_t len)
{
	static const char *const headers[] = { "Authorization:", "Proxy-Authorization:",
					       "WWW-Authenticate:", "Proxy-Authenticate:",
					       "Authentication-Info:" };
	char *p = text, *end = text + len;

	while (p < end) {
		char *nl = memchr(p, '\n', (size_t)(end - p));
		char *line_end = nl ? nl : end;
		struct slice line;

		/* folded lines belong to the header before them */
		while (nl && nl + 1 < end && (nl[1] == ' ' || nl[1] == '\t')) {
			nl = memchr(nl + 1, '\n', (size_t)(end - nl - 1));
			line_end = nl ? nl : end;
		}
		line = slice_make(p, (size_t)(line_end - p));
		if (line.len == 0 || (line.len == 1 && *p == '\r'))
			return; /* the body follows */
		for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
			if (slice_starts_with_nocase(line, slice_str(headers[i])))
				mask_line(p, line_end > p && line_end[-1] == '\r' ? line_end - 1
										  : line_end);
		p = nl ? nl + 1 : end;
	}
}

static uint16_t field_len(struct slice s)
{
	return (uint16_t)(s.len > FIELD_LIMIT ? FIELD_LIMIT : s.len);
}

void trace_add(struct trace_ring *ring, const struct trace_entry *entry)
{
	struct item fresh = { 0 };
	struct item *item;
	char *at;
	size_t need;

	if (!ring)
		return;
	fresh.local = field_len(entry->local);
	fresh.remote = field_len(entry->remote);
	fresh.call_id = field_len(entry->call_id);
	fresh.gsid = field_len(entry->gsid);
	/* room to learn it later, see trace_bind_gsid() */
	fresh.gsid_room = fresh.gsid ? fresh.gsid : 64;
	fresh.message =
		(uint32_t)(entry->message.len > MESSAGE_LIMIT ? MESSAGE_LIMIT : entry->message.len);
	need = sizeof(*item) + fresh.local + fresh.remote + fresh.call_id + fresh.gsid_room +
	       fresh.message;
	need = (need + 7) & ~(size_t)7;
	item = make_room(ring, need);
	fresh.size = (uint32_t)need;
	fresh.direction = (uint8_t)entry->direction;
	fresh.at_us = entry->at_us;
	fresh.transport = entry->transport;
	fresh.seq = ++ring->seq;
	*item = fresh;
	at = put(item->bytes, entry->local, fresh.local);
	at = put(at, entry->remote, fresh.remote);
	at = put(at, entry->call_id, fresh.call_id);
	put(at, entry->gsid, fresh.gsid);
	at += fresh.gsid_room;
	put(at, entry->message, fresh.message);
	mask(at, fresh.message);
	ring->tail = (size_t)((char *)item - ring->bytes) + need;
	ring->count++;
}

struct view {
	struct slice local, remote, call_id, gsid, message;
};

static struct view view_of(const struct item *item)
{
	const char *p = item->bytes;
	struct view v;

	v.local = slice_make(p, item->local);
	v.remote = slice_make(p += item->local, item->remote);
	v.call_id = slice_make(p += item->remote, item->call_id);
	v.gsid = slice_make(p += item->call_id, item->gsid);
	v.message = slice_make(p + item->gsid_room, item->message);
	return v;
}

void trace_bind_gsid(struct trace_ring *ring, struct slice call_id, struct slice gsid)
{
	size_t at;

	if (!ring || gsid.len == 0)
		return;
	at = ring->head;
	for (size_t i = 0; i < ring->count; i++) {
		struct item *item;

		at = settle(ring, at);
		item = item_at(ring, at);
		if (item->gsid == 0 && item->gsid_room >= gsid.len &&
		    slice_eq(view_of(item).call_id, call_id)) {
			memcpy(item->bytes + item->local + item->remote + item->call_id, gsid.p,
			       gsid.len);
			item->gsid = (uint16_t)gsid.len;
		}
		at += item->size;
	}
}

/* The user's name within the request line, From or To. */
static bool names_user(struct slice message, const char *user)
{
	size_t line_no = 0;

	while (message.len) {
		struct slice line = slice_take_until(&message, '\n', NULL);

		if (line.len <= 1)
			return false;
		if (line_no++ != 0 && !slice_starts_with_nocase(line, SLICE("From:")) &&
		    !slice_starts_with_nocase(line, SLICE("To:")) &&
		    !slice_starts_with_nocase(line, SLICE("f:")) &&
		    !slice_starts_with_nocase(line, SLICE("t:")))
			continue;
		if (memmem(line.p, line.len, user, strlen(user)))
			return true;
	}
	return false;
}

static bool matches(const struct item *item, const struct trace_filter *f)
{
	struct view v = view_of(item);

	if (item->seq <= f->after)
		return false;
	if (f->call_id && !slice_eq_str(v.call_id, f->call_id))
		return false;
	if (f->gsid && !slice_eq_str(v.gsid, f->gsid))
		return false;
	if (f->address && !slice_starts_with(v.local, slice_str(f->address)) &&
	    !slice_starts_with(v.remote, slice_str(f->address)))
		return false;
	return !f->user || names_user(v.message, f->user);
}

/* Bytes from the network as a JSON string: what is not ASCII becomes Latin-1. */
static json_t *bytes_json(struct slice s)
{
	json_t *value = json_stringn(s.p, s.len);
	char *wide;
	size_t n = 0;

	if (value)
		return value;
	wide = malloc(2 * s.len + 1);
	if (!wide)
		return NULL;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x80) {
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

static json_t *item_json(const struct item *item)
{
	struct view v = view_of(item);
	char at[CLOCK_RFC3339_SIZE];

	return json_pack("{s:I,s:s,s:I,s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "seq", (json_int_t)item->seq,
			 "at", clock_format(item->at_us / 1000, at), "at_us",
			 (json_int_t)item->at_us, "direction",
			 item->direction == TRACE_IN ? "in" : "out", "transport",
			 item->transport ? item->transport : "", "local", bytes_json(v.local),
			 "remote", bytes_json(v.remote), "call_id", bytes_json(v.call_id), "gsid",
			 bytes_json(v.gsid), "message", bytes_json(v.message));
}

json_t *trace_query(const struct trace_ring *ring, const struct trace_filter *filter)
{
	size_t limit = filter->limit > LIMIT_MAX ? LIMIT_MAX : filter->limit;
	json_t *items = json_array();
	size_t at = ring->head;

	for (size_t i = 0; items && i < ring->count; i++) {
		const struct item *item;

		at = settle(ring, at);
		item = item_at(ring, at);
		at += item->size;
		if (!matches(item, filter))
			continue;
		if (json_array_append_new(items, item_json(item)) < 0) {
			json_decref(items);
			return NULL;
		}
		if (json_array_size(items) > limit)
			json_array_remove(items, 0);
	}
	return json_pack("{s:o}", "items", items);
}

size_t trace_count(const struct trace_ring *ring)
{
	return ring ? ring->count : 0;
}
