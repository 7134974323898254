/* SPDX-License-Identifier: Apache-2.0 */
/* sip_msg.c - see sip_msg.h: cutting a message into its fields. RFC 3261 section 7. */
#include "codec/sip/sip_msg.h"

#include <errno.h>

#include "codec/sip/sip_chars.h"

struct cursor {
	const char *p;
	const char *end;
	unsigned defects;
	bool odd; /* control bytes stood there that do not end lines */
};

/* Any line, also a malformed one; what nothing ends is the last one. */
static struct slice take_odd_line(struct cursor *at)
{
	size_t left = (size_t)(at->end - at->p);
	const char *nl = left ? memchr(at->p, '\n', left) : NULL;
	struct slice line = { at->p, 0 };

	at->odd = true;
	if (!nl) {
		at->defects |= SIP_DEFECT_TRUNCATED;
		line.len = left;
		at->p = at->end;
		return line;
	}
	line.len = (size_t)(nl - at->p);
	at->p = nl + 1;
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	else
		at->defects |= SIP_DEFECT_LINE_END;
	if (line.len > 0 && memchr(line.p, '\r', line.len))
		at->defects |= SIP_DEFECT_LINE_END;
	return line;
}

/* The next line without its end. */
static inline struct slice take_line(struct cursor *at)
{
	const char *p = at->p, *nl = slice_control(p, at->end);

	if (at->end - nl < 2 || nl[0] != '\r' || nl[1] != '\n')
		return take_odd_line(at);
	at->p = nl + 2;
	return slice_make(p, (size_t)(nl - p));
}

/* SIP-Version = "SIP" "/" 1*DIGIT "." 1*DIGIT; anything else after "SIP/" is no version. */
static void check_version(struct sip_msg *msg)
{
	struct slice in = msg->version;
	uint32_t major, minor;

	if (slice_eq(in, SLICE("SIP/2.0")) || slice_eq_nocase(in, SLICE("SIP/2.0")))
		return;
	sip_advance(&in, 4);
	if (slice_take_u32(&in, &major) < 0 || !slice_skip_char(&in, '.') ||
	    slice_to_u32(in, &minor) < 0)
		msg->defects |= SIP_DEFECT_START_LINE;
	else
		msg->defects |= SIP_DEFECT_VERSION;
}

/* Status-Line = SIP-Version SP Status-Code SP Reason-Phrase CRLF */
static void parse_status_line(struct sip_msg *msg)
{
	struct slice in = msg->start_line;
	struct slice code;
	uint32_t status = 0;
	bool found;

	msg->version = slice_take_until(&in, ' ', &found);
	check_version(msg);
	/* The second SP stands even before an empty reason: who looks for it further on loses a Via. */
	code = slice_take_until(&in, ' ', &found);
	msg->reason = in;
	if (!found || code.len != 3 || sip_number_parse(code, 699, &status) < 0 || status < 100) {
		msg->defects |= SIP_DEFECT_STATUS;
		status = 0;
	}
	msg->status = status;
}

/* Request-Line = Method SP Request-URI SP SIP-Version CRLF. What has other spacing is cut as well as
 * it goes, so that it can be answered. */
static int parse_request_line(struct sip_msg *msg)
{
	struct slice in = msg->start_line;
	const char *last;

	while (in.len > 0 && (in.p[in.len - 1] == ' ' || in.p[in.len - 1] == '\t')) {
		in.len--;
		msg->defects |= SIP_DEFECT_START_LINE;
	}
	last = in.len ? memrchr(in.p, ' ', in.len) : NULL;
	if (!last)
		return -EBADMSG;
	msg->version = slice_make(last + 1, (size_t)(in.p + in.len - last - 1));
	if (!slice_starts_with_nocase(msg->version, SLICE("SIP/")))
		return -EBADMSG;
	check_version(msg);

	in.len = (size_t)(last - in.p);
	msg->method_name = sip_take_class(&in, SIP_C_TOKEN);
	if (msg->method_name.len == 0 || sip_peek(in) != ' ')
		return -EBADMSG;
	sip_advance(&in, 1);
	msg->uri = in;
	if (in.len == 0 || memchr(in.p, ' ', in.len) || memchr(in.p, '\t', in.len)) {
		msg->defects |= SIP_DEFECT_START_LINE;
		msg->uri = sip_trim(in);
	}
	msg->method = sip_method_lookup(msg->method_name);
	return 0;
}

/* Which field came behind one of an id when that was last seen: mostly the same one comes again. Only a
 * guess, which is compared. */
static _Thread_local uint8_t guesses[SIP_HDR_COUNT];

/* token *( SP / HTAB ) ":"; returns what follows, NULL: it is no field. */
static const char *take_name(struct slice line, enum sip_header_id before, struct sip_header *ret)
{
	const char *p = line.p, *end = line.p + line.len;
	size_t guessed = sip_header_begins(line, guesses[before]);
	ptrdiff_t colon;

	if (guessed) {
		ret->id = guesses[before];
		ret->name = slice_make(p, guessed);
		return p + guessed + 1;
	}
	colon = slice_find(line, ':');
	ret->name = slice_make(line.p, colon > 0 ? (size_t)colon : 0);
	ret->id = sip_header_lookup(ret->name);
	if (ret->id != SIP_HDR_OTHER) { /* a name that we know is a token */
		guesses[before] = (uint8_t)ret->id;
		return line.p + colon + 1;
	}
	while (p < end && sip_char_in(*p, SIP_C_TOKEN))
		p++;
	ret->name = slice_make(line.p, (size_t)(p - line.p));
	ret->id = sip_header_lookup(ret->name);
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return ret->name.len == 0 || p == end || *p != ':' ? NULL : p + 1;
}

/* header = token HCOLON value; HCOLON = *( SP / HTAB ) ":" SWS. line is the whole field, folds
 * included, without the last line end. */
static bool parse_field(struct slice line, enum sip_header_id before, struct sip_header *ret)
{
	const char *p = take_name(line, before, ret), *end = line.p + line.len;

	if (!p)
		return false;
	if (p < end && *p == ' ')
		p++;
	ret->value = sip_trim(slice_make(p, (size_t)(end - p)));
	return true;
}

/* All fields up to the empty line; the cursor then stands at the body. */
static void parse_fields(struct sip_msg *msg, struct cursor *at)
{
	enum sip_header_id before = SIP_HDR_OTHER;

	while (at->p < at->end) {
		const char *start = at->p;
		struct slice line = take_line(at);
		struct sip_header *field = &msg->headers[msg->header_count];

		if (line.len == 0)
			return;
		while (at->p < at->end && (*at->p == ' ' || *at->p == '\t')) {
			struct slice fold = take_line(at);

			line.len = (size_t)(fold.p + fold.len - line.p);
		}
		if (msg->header_count == SIP_HEADERS_MAX) {
			at->defects |= SIP_DEFECT_TOO_MANY;
			continue;
		}
		if (!parse_field(line, before, field)) {
			at->defects |= SIP_DEFECT_HEADER;
			continue;
		}
		before = field->id;
		field->line = slice_make(start, (size_t)(at->p - start));
		msg->header_count++;
		if (msg->first[field->id] == 0)
			msg->first[field->id] = (uint16_t)msg->header_count;
		else
			msg->repeated = true;
	}
	at->defects |= SIP_DEFECT_TRUNCATED;
}

/* Content-Length decides how many of the bytes that came are body (RFC 3261 section 18.3). */
static void cut_body(struct sip_msg *msg)
{
	const struct sip_header *field = sip_msg_header(msg, SIP_HDR_CONTENT_LENGTH);
	const struct sip_header *again;
	uint32_t length;

	if (!field)
		return;
	again = sip_msg_header_next(msg, field);
	if (again && !slice_eq(again->value, field->value)) {
		msg->defects |= SIP_DEFECT_LENGTH_BAD;
		return;
	}
	if (sip_number_parse(field->value, UINT32_MAX, &length) == -EBADMSG)
		msg->defects |= SIP_DEFECT_LENGTH_BAD;
	else if (length > msg->body.len)
		msg->defects |= SIP_DEFECT_LENGTH_LONG;
	else
		msg->body.len = length;
}

static void skip_crlfs(struct slice *in)
{
	while (in->len >= 2 && in->p[0] == '\r' && in->p[1] == '\n')
		sip_advance(in, 2);
}

int sip_msg_parse(struct slice datagram, struct sip_msg *msg)
{
	struct cursor at = { 0 };

	skip_crlfs(&datagram);
	if (datagram.len == 0)
		return -ENODATA;
	if (datagram.len > SIP_MSG_MAX)
		return -EMSGSIZE;

	/* everything but what is typed and the array of fields, which is large and only read up to
	 * header_count */
	memset(msg, 0, offsetof(struct sip_msg, via));
	at.p = datagram.p;
	at.end = datagram.p + datagram.len;
	msg->start_line = take_line(&at);
	if (slice_starts_with_nocase(msg->start_line, SLICE("SIP/"))) {
		parse_status_line(msg);
	} else {
		msg->request = true;
		if (parse_request_line(msg) < 0)
			return -EBADMSG;
	}
	parse_fields(msg, &at);
	msg->defects |= at.defects;
	msg->odd = at.odd;
	msg->body = slice_make(at.p, (size_t)(at.end - at.p));
	cut_body(msg);
	msg->raw = slice_make(datagram.p, (size_t)(msg->body.p + msg->body.len - datagram.p));
	return 0;
}

static void move_slice(struct slice *s, const char *from, const char *raw, size_t at,
		       ptrdiff_t grown)
{
	size_t offset;

	if (!s->p)
		return;
	offset = (size_t)(s->p - from);
	s->p = raw + offset;
	if (offset >= at)
		s->p += grown;
	else if (offset + s->len >= at)
		s->len = (size_t)((ptrdiff_t)s->len + grown);
}

void sip_msg_move(struct sip_msg *msg, const char *raw, const char *end, ptrdiff_t grown)
{
	const char *from = msg->raw.p;
	size_t at = (size_t)(end - from);
	struct slice *const own[] = { &msg->start_line, &msg->method_name, &msg->uri,
				      &msg->version,	&msg->reason,	   &msg->body };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		move_slice(own[i], from, raw, at, grown);
	for (size_t i = 0; i < msg->header_count; i++) {
		struct sip_header *field = &msg->headers[i];

		if (field->line.p >= end) { /* as all but one or two are: only further on */
			ptrdiff_t by = raw + grown - from;

			field->name.p += by;
			field->value.p += by;
			field->line.p += by;
			continue;
		}
		move_slice(&msg->headers[i].name, from, raw, at, grown);
		move_slice(&msg->headers[i].value, from, raw, at, grown);
		move_slice(&msg->headers[i].line, from, raw, at, grown);
	}
	msg->raw = slice_make(raw, (size_t)((ptrdiff_t)msg->raw.len + grown));
}

/* Content-Length of a header block that ends with an empty line. 0, -ENOENT, -EBADMSG. */
static int find_length(struct slice head, uint32_t *ret)
{
	struct cursor at = { .p = head.p, .end = head.p + head.len };
	struct sip_header field;
	uint32_t length = 0, value;
	bool found = false;

	(void)take_line(&at);
	while (at.p < at.end) {
		struct slice line = take_line(&at);

		while (at.p < at.end && (*at.p == ' ' || *at.p == '\t')) {
			struct slice fold = take_line(&at);

			line.len = (size_t)(fold.p + fold.len - line.p);
		}
		if (line.len == 0 ||
		    (ascii_lower(line.p[0]) != 'c' && ascii_lower(line.p[0]) != 'l'))
			continue;
		if (!parse_field(line, SIP_HDR_OTHER, &field) || field.id != SIP_HDR_CONTENT_LENGTH)
			continue;
		if (sip_number_parse(field.value, SIP_MSG_MAX + 1, &value) == -EBADMSG ||
		    (found && value != length))
			return -EBADMSG;
		length = value;
		found = true;
	}
	if (!found)
		return -ENOENT;
	*ret = length;
	return 0;
}

/* Keep-alives and the CRLFs that may stand before a message. */
static int frame_crlfs(struct sip_framer *framer, struct slice in, size_t *len)
{
	if (framer->expect_pong && in.len >= 2 && in.p[1] == '\n') {
		framer->expect_pong = false;
		*len = 2;
		return SIP_FRAME_PONG;
	}
	if (in.len >= 4 && memcmp(in.p, "\r\n\r\n", 4) == 0) {
		*len = 4;
		return SIP_FRAME_PING;
	}
	if (in.len >= 2 && in.p[1] != '\n')
		return -EBADMSG;
	if (in.len >= 3 && in.p[2] != '\r') {
		*len = 2;
		return SIP_FRAME_SKIP;
	}
	if (in.len >= 4 && in.p[3] != '\n')
		return -EBADMSG;
	return SIP_FRAME_MORE;
}

int sip_frame_next(struct sip_framer *framer, struct slice in, size_t *len)
{
	*len = 0;
	if (in.len == 0)
		return SIP_FRAME_MORE;
	if (framer->total == 0) {
		const char *end;
		uint32_t body = 0;
		size_t head;

		if (framer->scanned == 0) {
			if (in.p[0] == '\r')
				return frame_crlfs(framer, in, len);
			if (!sip_char_in(in.p[0], SIP_C_TOKEN))
				return -EBADMSG;
		}
		end = memmem(in.p + framer->scanned, in.len - framer->scanned, "\r\n\r\n", 4);
		if (!end) {
			framer->scanned = in.len > 3 ? in.len - 3 : 0;
			return in.len > SIP_MSG_MAX ? -EMSGSIZE : SIP_FRAME_MORE;
		}
		head = (size_t)(end - in.p) + 4;
		framer->no_length = find_length(slice_make(in.p, head), &body) < 0;
		if (head > SIP_MSG_MAX || body > SIP_MSG_MAX - head)
			return -EMSGSIZE;
		framer->total = head + body;
	}
	if (in.len < framer->total)
		return SIP_FRAME_MORE;
	*len = framer->total;
	framer->total = 0;
	framer->scanned = 0;
	return SIP_FRAME_MESSAGE;
}
