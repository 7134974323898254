/* SPDX-License-Identifier: Apache-2.0 */
/* uc_pcapng.c - a trace as a capture: pcapng blocks (draft-ietf-opsawg-pcapng, little endian) around
 * IPv4 (RFC 791), IPv6 (RFC 8200), UDP (RFC 768) and TCP (RFC 9293) headers. */
#include "control/uc/uc_trace_export.h"

#include "base/buf.h"
#include "base/map.h"
#include "net/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_SECTION 0x0a0d0d0aU
#define BLOCK_INTERFACE 1U
#define BLOCK_PACKET 6U
#define BYTE_ORDER_MAGIC 0x1a2b3c4dU
#define LINKTYPE_RAW 101 /* IPv4 or IPv6 without a link header */
#define OPT_END 0
#define OPT_COMMENT 1
#define OPT_IF_NAME 2
#define OPT_FLAGS 2
#define OPT_APPLICATION 4
#define FLAG_INBOUND 1U
#define FLAG_OUTBOUND 2U
#define HEADERS_MAX 60 /* IPv6 and TCP */
#define PAYLOAD_MAX (65535 - HEADERS_MAX)
#define SIP_PORT 5060

static const char *const nodes[] = { "sm", "cm", "presence" };

/* One direction of a TCP connection: where its bytes stand. */
struct stream {
	struct map_node link;
	char key[2 * ADDR_TEXT_MAX + 8];
	uint32_t next;
};

struct packet {
	struct addr from, to;
	bool tcp;
	const char *payload;
	size_t len;
	uint32_t seq, ack;
};

static const char *text_of(const json_t *item, const char *member)
{
	const char *text = json_string_value(json_object_get(item, member));

	return text ? text : "";
}

static void put16(struct buf *b, uint16_t n)
{
	const unsigned char bytes[] = { n & 0xff, n >> 8 };

	buf_add(b, bytes, sizeof(bytes));
}

static void put32(struct buf *b, uint32_t n)
{
	put16(b, n & 0xffff);
	put16(b, n >> 16);
}

static void pad(struct buf *b)
{
	while (b->len % 4 && !b->failed)
		buf_add_char(b, '\0');
}

static void option(struct buf *b, uint16_t code, const void *value, size_t len)
{
	put16(b, code);
	put16(b, (uint16_t)len);
	buf_add(b, value, len);
	pad(b);
}

/* Type, length, body, length. */
static void block(struct buf *out, uint32_t type, const struct buf *body)
{
	uint32_t len = (uint32_t)body->len + 12;

	if (body->failed)
		out->failed = true;
	put32(out, type);
	put32(out, len);
	buf_add(out, body->data, body->len);
	put32(out, len);
}

static void section(struct buf *out)
{
	AUTO_BUF b = { 0 };

	put32(&b, BYTE_ORDER_MAGIC);
	put16(&b, 1);
	put16(&b, 0);
	put32(&b, UINT32_MAX); /* length of the section: not told */
	put32(&b, UINT32_MAX);
	option(&b, OPT_APPLICATION, "Aurabox", 7);
	option(&b, OPT_END, NULL, 0);
	block(out, BLOCK_SECTION, &b);
}

static void interface(struct buf *out, const char *name)
{
	AUTO_BUF b = { 0 };

	put16(&b, LINKTYPE_RAW);
	put16(&b, 0);
	put32(&b, 0); /* no limit of a packet's length; times are microseconds by default */
	option(&b, OPT_IF_NAME, name, strlen(name));
	option(&b, OPT_END, NULL, 0);
	block(out, BLOCK_INTERFACE, &b);
}

/* Headers ------------------------------------------------------------------------------------- */
static void net16(unsigned char *p, size_t n)
{
	p[0] = (unsigned char)(n >> 8);
	p[1] = (unsigned char)n;
}

static void net32(unsigned char *p, uint32_t n)
{
	net16(p, n >> 16);
	net16(p + 2, n & 0xffff);
}

/* Internet checksum (RFC 1071) in pieces; all but the last have an even length. */
static uint32_t sum(uint32_t n, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++) {
		n += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		n = (n & 0xffff) + (n >> 16);
	}
	return n;
}

static const void *ip_of(const struct addr *addr)
{
	return addr_family(addr) == AF_INET ? (const void *)&addr->in4.sin_addr
					    : (const void *)&addr->in6.sin6_addr;
}

static size_t ip_header(const struct packet *p, unsigned char *h, size_t below)
{
	bool v4 = addr_family(&p->from) == AF_INET;
	uint8_t protocol = p->tcp ? IPPROTO_TCP : IPPROTO_UDP;

	if (v4) {
		memset(h, 0, 20);
		h[0] = 0x45;
		net16(h + 2, 20 + below);
		h[8] = 64;
		h[9] = protocol;
		memcpy(h + 12, ip_of(&p->from), 4);
		memcpy(h + 16, ip_of(&p->to), 4);
		net16(h + 10, (uint16_t)~sum(0, h, 20));
		return 20;
	}
	memset(h, 0, 40);
	h[0] = 0x60;
	net16(h + 4, below);
	h[6] = protocol;
	h[7] = 64;
	memcpy(h + 8, ip_of(&p->from), 16);
	memcpy(h + 24, ip_of(&p->to), 16);
	return 40;
}

static uint16_t check(const struct packet *p, const unsigned char *header, size_t header_len)
{
	size_t ip = addr_family(&p->from) == AF_INET ? 4 : 16;
	unsigned char rest[4] = { 0, p->tcp ? IPPROTO_TCP : IPPROTO_UDP };
	uint32_t n;

	net16(rest + 2, header_len + p->len);
	n = sum(0, ip_of(&p->from), ip);
	n = sum(n, ip_of(&p->to), ip);
	n = sum(n, rest, sizeof(rest));
	n = sum(n, header, header_len);
	n = sum(n, p->payload, p->len);
	return n == 0xffff && !p->tcp ? 0xffff : (uint16_t)~n; /* UDP: 0 means none */
}

static size_t upper_header(const struct packet *p, unsigned char *h)
{
	size_t len = p->tcp ? 20 : 8;

	memset(h, 0, len);
	net16(h, addr_port(&p->from));
	net16(h + 2, addr_port(&p->to));
	if (p->tcp) {
		net32(h + 4, p->seq);
		net32(h + 8, p->ack);
		h[12] = 5 << 4;
		h[13] = 0x18; /* PSH, ACK */
		net16(h + 14, 0xffff);
	} else {
		net16(h + 4, len + p->len);
	}
	net16(h + (p->tcp ? 16 : 6), check(p, h, len));
	return len;
}

static void packet_block(struct buf *out, const struct packet *p, const json_t *item)
{
	AUTO_BUF b = { 0 };
	unsigned char upper[20], ip[40];
	size_t upper_len = upper_header(p, upper);
	size_t ip_len = ip_header(p, ip, upper_len + p->len);
	size_t all = ip_len + upper_len + p->len;
	uint64_t at = (uint64_t)json_integer_value(json_object_get(item, "at_us"));
	bool sent = strcmp(text_of(item, "direction"), "out") == 0;
	const uint32_t flags = sent ? FLAG_OUTBOUND : FLAG_INBOUND;
	uint32_t node = 0;
	char comment[512];

	while (node + 1 < ARRAY_SIZE(nodes) && strcmp(nodes[node], text_of(item, "node")) != 0)
		node++;
	put32(&b, node);
	put32(&b, (uint32_t)(at >> 32));
	put32(&b, (uint32_t)at);
	put32(&b, (uint32_t)all);
	put32(&b, (uint32_t)all);
	buf_add(&b, ip, ip_len);
	buf_add(&b, upper, upper_len);
	buf_add(&b, p->payload, p->len);
	pad(&b);
	(void)snprintf(comment, sizeof(comment), "%s to %s over %s, %s%s", text_of(item, "from"),
		       text_of(item, "to"), text_of(item, "transport"), text_of(item, "gsid"),
		       json_is_true(json_object_get(item, "truncated")) ? ", cut" : "");
	option(&b, OPT_COMMENT, comment, strlen(comment));
	put16(&b, OPT_FLAGS);
	put16(&b, 4);
	put32(&b, flags);
	option(&b, OPT_END, NULL, 0);
	block(out, BLOCK_PACKET, &b);
}

/* What goes in ---------------------------------------------------------------------------------- */
static struct addr end_of(const json_t *item, const char *member)
{
	struct addr addr = { 0 };

	if (addr_parse(slice_str(text_of(item, member)), SIP_PORT, &addr) < 0)
		addr = (struct addr){ 0 };
	return addr;
}

/* Both ends of one family: what is not known is the family's "any". */
static void complete(struct addr *a, const struct addr *other)
{
	bool v6 = addr_family(other) == AF_INET6;

	if (addr_family(a) == AF_UNSPEC)
		(void)addr_parse_ip(v6 ? SLICE("::") : SLICE("0.0.0.0"), SIP_PORT, a);
}

/* As v6-mapped when only the other is IPv6. */
static void same_family(struct addr *a, const struct addr *other)
{
	char text[ADDR_TEXT_MAX], mapped[ADDR_TEXT_MAX + 8];

	if (addr_family(a) != AF_INET || addr_family(other) != AF_INET6)
		return;
	(void)snprintf(mapped, sizeof(mapped), "::ffff:%s", addr_format_ip(a, text));
	(void)addr_parse_ip(slice_str(mapped), addr_port(a), a);
}

static struct stream *stream_of(struct map *streams, const struct addr *from, const struct addr *to)
{
	char a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX], key[2 * ADDR_TEXT_MAX + 8];
	struct map_node *n;
	struct stream *s;

	(void)snprintf(key, sizeof(key), "%s>%s", addr_format(from, a), addr_format(to, b));
	n = map_get(streams, slice_str(key));
	if (n)
		return MAP_ENTRY(n, struct stream, link);
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->next = 1;
	memcpy(s->key, key, sizeof(key));
	if (map_add(streams, &s->link, slice_str(s->key)) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

static void streams_done(struct map *streams)
{
	struct map_iter it;
	struct map_node *n;

	MAP_FOREACH (n, streams, &it) {
		struct stream *s = MAP_ENTRY(n, struct stream, link);

		(void)map_remove(streams, n);
		free(s);
	}
	map_done(streams);
}

/* The bytes as they were: JSON has what was no UTF-8 as the characters of Latin-1, NUL as U+2400. */
static size_t bytes_of(const json_t *item, char *out, size_t size)
{
	const json_t *message = json_object_get(item, "message");
	const char *text = text_of(item, "message");
	size_t len = json_string_length(message), n = 0;
	bool wide = strcmp(text_of(item, "encoding"), "latin-1") == 0;

	for (size_t i = 0; i < len && n < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (wide && c >= 0xc2 && c <= 0xc3 && i + 1 < len) {
			c = (unsigned char)((c & 3) << 6 | ((unsigned char)text[++i] & 0x3f));
		} else if (wide && c == 0xe2 && i + 2 < len) {
			c = 0;
			i += 2;
		}
		out[n++] = (char)c;
	}
	return n;
}

static int add_item(struct buf *out, struct map *streams, const json_t *item, char *bytes)
{
	bool sent = strcmp(text_of(item, "direction"), "out") == 0;
	struct packet p = { .tcp = strcmp(text_of(item, "transport"), "udp") != 0,
			    .payload = bytes };
	struct stream *there, *back;

	p.from = end_of(item, sent ? "local" : "remote");
	p.to = end_of(item, sent ? "remote" : "local");
	complete(&p.from, &p.to);
	complete(&p.to, &p.from);
	same_family(&p.from, &p.to);
	same_family(&p.to, &p.from);
	p.len = bytes_of(item, bytes, PAYLOAD_MAX);
	if (p.tcp) {
		there = stream_of(streams, &p.from, &p.to);
		back = stream_of(streams, &p.to, &p.from);
		if (!there || !back)
			return -ENOMEM;
		p.seq = there->next;
		p.ack = back->next;
		there->next += (uint32_t)p.len;
	}
	packet_block(out, &p, item);
	return buf_ok(out) ? 0 : -EMSGSIZE;
}

int uc_trace_pcapng(const json_t *items, struct buf *out)
{
	char *bytes = malloc(PAYLOAD_MAX);
	struct map streams;
	json_t *item;
	size_t i;
	int r = bytes ? 0 : -ENOMEM;

	map_init(&streams);
	section(out);
	for (size_t n = 0; n < ARRAY_SIZE(nodes); n++)
		interface(out, nodes[n]);
	json_array_foreach((json_t *)items, i, item)
	{
		if (r == 0)
			r = add_item(out, &streams, item, bytes);
	}
	streams_done(&streams);
	free(bytes);
	return r < 0 ? r : buf_ok(out) ? 0 : -EMSGSIZE;
}
