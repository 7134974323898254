/* SPDX-License-Identifier: Apache-2.0 */
/* sdp.c - see sdp.h. RFC 8866 section 9 (grammar), RFC 3264. */
#include "codec/sdp/sdp.h"

#include <errno.h>

#include "base/buf.h"

static const char *const direction_names[] = {
	[SDP_DIR_NONE] = "",	     [SDP_SENDRECV] = "sendrecv", [SDP_SENDONLY] = "sendonly",
	[SDP_RECVONLY] = "recvonly", [SDP_INACTIVE] = "inactive",
};

/* One line with its end; value is what stands after "x=", without the line end. */
struct line {
	char type;
	struct slice value;
	struct slice whole;
};

/* type "=" value CRLF; LF alone is taken, too. 1, 0 at the end, -EBADMSG. */
static int take_line(struct slice *in, struct line *ret)
{
	const char *nl;
	struct slice text;

	if (in->len == 0)
		return 0;
	nl = memchr(in->p, '\n', in->len);
	ret->whole = slice_make(in->p, nl ? (size_t)(nl - in->p) + 1 : in->len);
	text = slice_make(in->p, nl ? (size_t)(nl - in->p) : in->len);
	if (nl && text.len > 0 && text.p[text.len - 1] == '\r')
		text.len--;
	in->p += ret->whole.len;
	in->len -= ret->whole.len;
	if (text.len < 2 || !ascii_is_alpha((unsigned char)text.p[0]) || text.p[1] != '=')
		return -EBADMSG;
	if (memchr(text.p, '\0', text.len) || memchr(text.p, '\r', text.len))
		return -EBADMSG;
	ret->type = text.p[0];
	ret->value = slice_make(text.p + 2, text.len - 2);
	return 1;
}

/* One word and the space after it; empty when there is none. */
static struct slice take_word(struct slice *in)
{
	return slice_take_until(in, ' ', NULL);
}

static bool all_digits(struct slice in)
{
	for (size_t i = 0; i < in.len; i++) {
		if (!ascii_is_digit((unsigned char)in.p[i]))
			return false;
	}
	return in.len > 0;
}

/* nettype SP addrtype SP connection-address */
static int parse_connection(struct slice in, struct sdp_connection *ret, struct slice *text)
{
	struct slice nettype = take_word(&in);
	struct slice family = take_word(&in);
	ptrdiff_t slash;

	if (!slice_eq(nettype, SLICE("IN")) || in.len == 0 || slice_find(in, ' ') >= 0)
		return -EBADMSG;
	if (slice_eq(family, SLICE("IP6")))
		ret->ipv6 = true;
	else if (!slice_eq(family, SLICE("IP4")))
		return -EBADMSG;
	*text = in;
	slash = slice_find(in, '/');
	ret->address = slice_make(in.p, slash >= 0 ? (size_t)slash : in.len);
	return ret->address.len > 0 ? 0 : -EBADMSG;
}

/* o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address> */
static int parse_origin(struct slice in, struct sdp *sdp)
{
	struct sdp_connection from = { 0 };
	struct slice text;

	sdp->origin_user = take_word(&in);
	sdp->session_id = take_word(&in);
	sdp->session_version = take_word(&in);
	if (sdp->origin_user.len == 0 || !all_digits(sdp->session_id) ||
	    !all_digits(sdp->session_version) || parse_connection(in, &from, &text) < 0)
		return -EBADMSG;
	sdp->origin_address = text;
	return 0;
}

/* t=<start-time> <stop-time> */
static int parse_time(struct slice in)
{
	struct slice start = take_word(&in);

	return all_digits(start) && all_digits(in) ? 0 : -EBADMSG;
}

/* m=<media> <port>[/<number of ports>] <proto> <fmt> ... */
static int parse_media(struct slice in, struct sdp_media *media)
{
	struct slice ports;
	uint32_t port, count = 1;
	bool slash;

	media->kind = take_word(&in);
	ports = take_word(&in);
	media->proto = take_word(&in);
	media->formats = in;
	if (media->kind.len == 0 || media->proto.len == 0 || in.len == 0 || in.p[0] == ' ')
		return -EBADMSG;
	media->port_text = slice_take_until(&ports, '/', &slash);
	if (slice_to_u32(media->port_text, &port) < 0 || port > UINT16_MAX)
		return -EBADMSG;
	if (slash && (slice_to_u32(ports, &count) < 0 || count == 0 || count > UINT16_MAX))
		return -EBADMSG;
	media->port = (uint16_t)port;
	media->port_count = (uint16_t)count;
	return 0;
}

static enum sdp_direction direction_lookup(struct slice name)
{
	for (int i = SDP_SENDRECV; i <= SDP_INACTIVE; i++) {
		if (slice_eq_str(name, direction_names[i]))
			return (enum sdp_direction)i;
	}
	return SDP_DIR_NONE;
}

struct parser {
	struct sdp *sdp;
	struct sdp_media *media; /* the section we are in, NULL = session */
	size_t lines;
	bool timed;
};

static int session_line(struct parser *at, const struct line *line)
{
	struct sdp *sdp = at->sdp;
	enum sdp_direction direction;

	switch (line->type) {
	case 'c':
		if (sdp->connection.address.p)
			return -EBADMSG;
		return parse_connection(line->value, &sdp->connection, &sdp->connection_text);
	case 't':
		at->timed = true;
		return parse_time(line->value);
	case 'a':
		direction = direction_lookup(line->value);
		if (direction != SDP_DIR_NONE) {
			sdp->direction = direction;
			sdp->direction_line = line->whole;
		}
		return 0;
	case 'v':
	case 'o':
	case 's':
		return -EBADMSG;
	default:
		return 0;
	}
}

static int media_line(struct parser *at, const struct line *line)
{
	struct sdp_media *media = at->media;
	enum sdp_direction direction;

	switch (line->type) {
	case 'c':
		/* several c= lines of one media are layers of multicast: the first counts */
		if (media->connection.address.p)
			return 0;
		return parse_connection(line->value, &media->connection, &media->connection_text);
	case 'a':
		direction = direction_lookup(line->value);
		if (direction != SDP_DIR_NONE) {
			media->own_direction = direction;
			media->direction_line = line->whole;
		}
		return 0;
	case 'v':
	case 'o':
	case 's':
	case 't':
		return -EBADMSG;
	default:
		return 0;
	}
}

static int start_media(struct parser *at, const struct line *line)
{
	struct sdp *sdp = at->sdp;

	if (!at->timed)
		return -EBADMSG;
	if (sdp->media_count == SDP_MEDIA_MAX)
		return -EMSGSIZE;
	at->media = &sdp->media[sdp->media_count++];
	*at->media = (struct sdp_media){ .section = line->whole };
	return parse_media(line->value, at->media);
}

/* v= o= s= stand first, in this order. */
static int parse_start(struct slice *in, struct sdp *sdp)
{
	struct line line;

	if (take_line(in, &line) <= 0 || line.type != 'v' || !slice_eq(line.value, SLICE("0")))
		return -EBADMSG;
	if (take_line(in, &line) <= 0 || line.type != 'o' || parse_origin(line.value, sdp) < 0)
		return -EBADMSG;
	if (take_line(in, &line) <= 0 || line.type != 's')
		return -EBADMSG;
	sdp->session_name = line.value;
	return 0;
}

int sdp_origin(struct slice in, struct slice *ret)
{
	struct line line;

	if (take_line(&in, &line) <= 0 || line.type != 'v' || !slice_eq(line.value, SLICE("0")))
		return -EBADMSG;
	if (take_line(&in, &line) <= 0 || line.type != 'o' || !slice_starts_with(in, SLICE("s=")))
		return -EBADMSG;
	*ret = line.value;
	return 0;
}

static bool connections_complete(const struct sdp *sdp)
{
	for (size_t i = 0; i < sdp->media_count; i++) {
		if (sdp->media[i].port != 0 && !sdp_connection_of(sdp, i).address.p)
			return false;
	}
	return true;
}

int sdp_parse(struct slice in, struct sdp *ret)
{
	struct parser at = { .sdp = ret };
	struct line line;
	int r;

	if (in.len > SDP_MAX)
		return -EMSGSIZE;
	/* the media are written as they are found */
	memset(ret, 0, offsetof(struct sdp, media));
	ret->raw = in;
	ret->session = slice_make(in.p, 0);
	if (parse_start(&in, ret) < 0)
		return -EBADMSG;
	while ((r = take_line(&in, &line)) > 0) {
		if (++at.lines > SDP_LINES_MAX)
			return -EMSGSIZE;
		if (line.type == 'm')
			r = start_media(&at, &line);
		else
			r = at.media ? media_line(&at, &line) : session_line(&at, &line);
		if (r < 0)
			return r;
		if (at.media)
			at.media->section.len = (size_t)(in.p - at.media->section.p);
		else
			ret->session.len = (size_t)(in.p - ret->session.p);
	}
	if (r < 0)
		return r;
	if (!at.media)
		ret->session.len = ret->raw.len;
	return at.timed && connections_complete(ret) ? 0 : -EBADMSG;
}

enum sdp_direction sdp_direction_of(const struct sdp *sdp, size_t media)
{
	if (sdp->media[media].own_direction != SDP_DIR_NONE)
		return sdp->media[media].own_direction;
	return sdp->direction != SDP_DIR_NONE ? sdp->direction : SDP_SENDRECV;
}

struct sdp_connection sdp_connection_of(const struct sdp *sdp, size_t media)
{
	if (sdp->media[media].connection.address.p)
		return sdp->media[media].connection;
	return sdp->connection;
}

bool sdp_is_hold(const struct sdp *sdp, size_t media)
{
	struct slice address = sdp_connection_of(sdp, media).address;
	enum sdp_direction direction = sdp_direction_of(sdp, media);

	return direction == SDP_SENDONLY || direction == SDP_INACTIVE ||
	       slice_eq(address, SLICE("0.0.0.0")) || slice_eq(address, SLICE("::"));
}

struct slice sdp_direction_name(enum sdp_direction direction)
{
	return slice_str(direction_names[direction]);
}

enum sdp_direction sdp_direction_mirror(enum sdp_direction direction)
{
	switch (direction) {
	case SDP_SENDONLY:
		return SDP_RECVONLY;
	case SDP_RECVONLY:
		return SDP_SENDONLY;
	case SDP_INACTIVE:
		return SDP_INACTIVE;
	default:
		return SDP_SENDRECV;
	}
}

int sdp_line_next(struct slice *section, char *type, struct slice *value)
{
	struct line line;

	if (take_line(section, &line) <= 0)
		return 0;
	*type = line.type;
	*value = line.value;
	return 1;
}

bool sdp_attribute(struct slice section, struct slice name, struct slice *ret)
{
	struct slice value;
	char type;

	while (sdp_line_next(&section, &type, &value) > 0) {
		if (type == 'a' && slice_eq(slice_take_until(&value, ':', NULL), name)) {
			if (ret)
				*ret = value;
			return true;
		}
	}
	return false;
}

/* Copy a line but for one part of it. */
static void write_replaced(struct buf *out, struct slice line, struct slice old, struct slice text)
{
	const char *after = old.p + old.len;

	buf_add(out, line.p, (size_t)(old.p - line.p));
	buf_add_slice(out, text);
	buf_add(out, after, (size_t)(line.p + line.len - after));
}

static struct slice family_name(bool ipv6)
{
	return ipv6 ? SLICE("IN IP6 ") : SLICE("IN IP4 ");
}

static void write_connection(struct buf *out, const struct sdp_change *change)
{
	buf_add_str(out, "c=");
	buf_add_slice(out, family_name(change->ipv6));
	buf_add_slice(out, change->address);
	buf_add_str(out, "\r\n");
}

static void write_origin(struct buf *out, const struct sdp *sdp, const struct sdp_change *change)
{
	buf_add_str(out, "o=");
	buf_add_slice(out, sdp->origin_user);
	buf_add_char(out, ' ');
	buf_add_slice(out, sdp->session_id);
	buf_add_char(out, ' ');
	buf_add_slice(out,
		      change->session_version.p ? change->session_version : sdp->session_version);
	buf_add_char(out, ' ');
	if (change->address.p) {
		buf_add_slice(out, family_name(change->ipv6));
		buf_add_slice(out, change->address);
	} else {
		const char *family = sdp->session_version.p + sdp->session_version.len + 1;
		const char *end = sdp->origin_address.p + sdp->origin_address.len;

		buf_add(out, family, (size_t)(end - family));
	}
	buf_add_str(out, "\r\n");
}

static void write_direction(struct buf *out, enum sdp_direction direction)
{
	if (direction == SDP_DIR_NONE)
		return;
	buf_add_str(out, "a=");
	buf_add_slice(out, sdp_direction_name(direction));
	buf_add_str(out, "\r\n");
}

static void write_line(const struct sdp *sdp, const struct sdp_change *change,
		       const struct line *line, const struct sdp_media *media, struct buf *out)
{
	if (line->type == 'o') {
		write_origin(out, sdp, change);
	} else if (line->type == 'c' && change->address.p) {
		write_connection(out, change);
	} else if (line->type == 'a' && change->direction != SDP_DIR_NONE &&
		   direction_lookup(line->value) != SDP_DIR_NONE) {
		return;
	} else if (line->type == 'm' && change->close[media - sdp->media]) {
		write_replaced(out, line->whole, media->port_text, SLICE("0"));
	} else {
		buf_add_slice(out, line->whole);
	}
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_add_str(out, "\r\n");
}

void sdp_write(const struct sdp *sdp, const struct sdp_change *change, struct buf *out)
{
	struct slice rest = sdp->raw;
	const struct sdp_media *media = NULL;
	struct line line;

	while (take_line(&rest, &line) > 0) {
		if (line.type == 'm') {
			if (media)
				write_direction(out, change->direction);
			media = media ? media + 1 : sdp->media;
		}
		write_line(sdp, change, &line, media, out);
	}
	if (media)
		write_direction(out, change->direction);
}
