/* SPDX-License-Identifier: Apache-2.0 */
/* sip_build.c - see sip_build.h. RFC 3261 sections 8.1.1, 8.2.6, 9.1, 17.1.1.3. */
#include "codec/sip/sip_build.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "codec/sip/sip_msg.h"

#define FORMATTED_MAX 2048

bool sip_line_is_safe(struct slice text)
{
	const char *end = text.p + text.len;

	if (text.len == 0 || slice_control(text.p, end) == end)
		return true;
	for (size_t i = 0; i < text.len; i++) {
		/* quoted-pair = "\" (%x00-09 / %x0B-0C / %x0E-7F): also a NUL */
		if (text.p[i] == '\\' && i + 1 < text.len && text.p[i + 1] != '\r' &&
		    text.p[i + 1] != '\n') {
			i++;
			continue;
		}
		if (text.p[i] == '\0' || text.p[i] == '\n')
			return false;
		if (text.p[i] != '\r')
			continue;
		if (text.len - i < 3 || text.p[i + 1] != '\n' ||
		    (text.p[i + 2] != ' ' && text.p[i + 2] != '\t'))
			return false;
		i += 2;
	}
	return true;
}

static void add_safe(struct buf *out, struct slice text)
{
	if (sip_line_is_safe(text))
		buf_add_slice(out, text);
	else
		out->failed = true;
}

/* Without defects the lines of a parsed message are whole, and may be folded. */
static bool is_whole(const struct sip_msg *msg)
{
	return msg->defects == 0 && !msg->odd;
}

static void add_parsed(struct buf *out, const struct sip_msg *from, struct slice text)
{
	if (is_whole(from))
		buf_add_slice(out, text);
	else
		add_safe(out, text);
}

static void add_crlf(struct buf *out)
{
	buf_add(out, "\r\n", 2);
}

/* The line of a field as it came, when it is what we would write; else empty. */
static struct slice own_line(const struct sip_msg *from, const struct sip_header *field)
{
	struct slice name = sip_header_name(field->id), line = field->line;
	bool own = is_whole(from) && line.len == name.len + field->value.len + 4 &&
		   line.p[name.len] == ':' && line.p[name.len + 1] == ' ' &&
		   memcmp(line.p, name.p, name.len) == 0;

	return own ? line : SLICE("");
}

static void add_field(struct buf *out, const struct sip_msg *from, const struct sip_header *field)
{
	struct slice line = own_line(from, field);

	if (line.len) {
		buf_add_slice(out, line);
		return;
	}
	buf_add_slice(out, sip_header_name(field->id));
	buf_add(out, ": ", 2);
	add_parsed(out, from, field->value);
	add_crlf(out);
}

void sip_build_request(struct buf *out, struct slice method, struct slice uri)
{
	add_safe(out, method);
	buf_add_char(out, ' ');
	add_safe(out, uri);
	buf_add_slice(out, SLICE(" SIP/2.0\r\n"));
}

void sip_build_status(struct buf *out, unsigned status, struct slice reason)
{
	const char digits[] = { (char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
				(char)('0' + status % 10), ' ' };

	buf_add_slice(out, SLICE("SIP/2.0 "));
	buf_add(out, digits, sizeof(digits));
	if (reason.len)
		add_safe(out, reason);
	else
		buf_add_slice(out, sip_reason_phrase(status));
	add_crlf(out);
}

void sip_build_header_named(struct buf *out, struct slice name, struct slice value)
{
	add_safe(out, name);
	buf_add(out, ": ", 2);
	add_safe(out, value);
	add_crlf(out);
}

void sip_build_header(struct buf *out, enum sip_header_id id, struct slice value)
{
	buf_add_slice(out, sip_header_name(id));
	buf_add(out, ": ", 2);
	add_safe(out, value);
	add_crlf(out);
}

void sip_build_header_u32(struct buf *out, enum sip_header_id id, uint32_t value)
{
	buf_add_slice(out, sip_header_name(id));
	buf_add(out, ": ", 2);
	buf_add_u64(out, value);
	add_crlf(out);
}

void sip_build_headerf(struct buf *out, enum sip_header_id id, const char *format, ...)
{
	char text[FORMATTED_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text))
		out->failed = true;
	else
		sip_build_header(out, id, slice_make(text, (size_t)n));
}

void sip_build_cseq(struct buf *out, uint32_t number, struct slice method)
{
	buf_add_slice(out, SLICE("CSeq: "));
	buf_add_u64(out, number);
	buf_add_char(out, ' ');
	add_safe(out, method);
	add_crlf(out);
}

void sip_build_copy(struct buf *out, const struct sip_msg *from, enum sip_header_id id)
{
	const struct sip_header *field = sip_msg_header(from, id);

	for (; field; field = sip_msg_header_next(from, field))
		add_field(out, from, field);
}

void sip_build_body(struct buf *out, struct slice content_type, struct slice body)
{
	if (content_type.len == 0 && body.len == 0) { /* as most */
		buf_add_slice(out, SLICE("Content-Length: 0\r\n\r\n"));
		return;
	}
	if (content_type.len)
		sip_build_header(out, SIP_HDR_CONTENT_TYPE, content_type);
	sip_build_header_u32(out, SIP_HDR_CONTENT_LENGTH, (uint32_t)body.len);
	add_crlf(out);
	buf_add_slice(out, body);
}

/* A Via that is none stays as it is: the answer to it is a 400. */
static void add_stamped(struct buf *out, struct slice via, const struct sip_reply *reply)
{
	int n;

	if (!sip_line_is_safe(via) || buf_reserve(out, via.len + 80) < 0) {
		out->failed = true;
		return;
	}
	n = sip_via_stamp(via, reply->source, reply->source_port,
			  (reply->flags & SIP_REPLY_FORCE_RPORT) != 0, out->data + out->len,
			  via.len + 80);
	if (n < 0) {
		buf_add_slice(out, via);
	} else {
		out->len += (size_t)n;
		out->data[out->len] = '\0';
	}
}

/* The first Via value with the source written in, then all else as it came, a value a line. */
static void reply_vias(struct buf *out, const struct sip_msg *request,
		       const struct sip_reply *reply)
{
	struct sip_values it = sip_values_of(request, SIP_HDR_VIA);
	struct slice value;
	bool top = true;

	while (sip_values_next(&it, &value)) {
		bool stamped = top && reply->source.len;

		top = false;
		if (!stamped && value.len == it.header->value.len) {
			add_field(out, request, it.header);
			continue;
		}
		buf_add_slice(out, SLICE("Via: "));
		if (stamped)
			add_stamped(out, value, reply);
		else
			add_parsed(out, request, value);
		add_crlf(out);
	}
}

static void reply_to(struct buf *out, const struct sip_msg *request, struct slice tag)
{
	const struct sip_header *field = sip_msg_header(request, SIP_HDR_TO);
	bool tagged = tag.len && sip_msg_to_tag(request).len == 0;

	for (; field; field = sip_msg_header_next(request, field)) {
		add_field(out, request, field);
		if (!tagged || !buf_ok(out))
			continue;
		out->len -= 2; /* in front of its line end */
		buf_add_slice(out, SLICE(";tag="));
		add_safe(out, tag);
		add_crlf(out);
	}
}

void sip_build_reply(struct buf *out, const struct sip_msg *request, const struct sip_reply *reply)
{
	sip_build_status(out, reply->status, reply->reason);
	reply_vias(out, request, reply);
	if (reply->flags & SIP_REPLY_RECORD_ROUTE)
		sip_build_copy(out, request, SIP_HDR_RECORD_ROUTE);
	sip_build_copy(out, request, SIP_HDR_FROM);
	reply_to(out, request, reply->to_tag);
	sip_build_copy(out, request, SIP_HDR_CALL_ID);
	sip_build_copy(out, request, SIP_HDR_CSEQ);
	if (reply->status == 100)
		sip_build_copy(out, request, SIP_HDR_TIMESTAMP);
}

/* What ACK and CANCEL share: the INVITE's own target, hop and dialog. */
static void build_companion(struct buf *out, const struct sip_msg *invite, struct slice method,
			    const struct sip_msg *to_from)
{
	struct sip_values it = sip_values_of(invite, SIP_HDR_VIA);
	struct sip_cseq cseq;
	struct slice via;

	if (!sip_values_next(&it, &via) || sip_msg_cseq(invite, &cseq) < 0) {
		out->failed = true;
		return;
	}
	sip_build_request(out, method, invite->uri);
	sip_build_header(out, SIP_HDR_VIA, via);
	sip_build_copy(out, invite, SIP_HDR_ROUTE);
	sip_build_header_u32(out, SIP_HDR_MAX_FORWARDS, 70);
	sip_build_copy(out, invite, SIP_HDR_FROM);
	sip_build_copy(out, to_from, SIP_HDR_TO);
	sip_build_copy(out, invite, SIP_HDR_CALL_ID);
	sip_build_cseq(out, cseq.number, method);
}

void sip_build_ack(struct buf *out, const struct sip_msg *invite, const struct sip_msg *response)
{
	build_companion(out, invite, SLICE("ACK"), response);
	sip_build_copy(out, invite, SIP_HDR_AUTHORIZATION);
	sip_build_copy(out, invite, SIP_HDR_PROXY_AUTHORIZATION);
	sip_build_body(out, SLICE(""), SLICE(""));
}

void sip_build_cancel(struct buf *out, const struct sip_msg *invite)
{
	build_companion(out, invite, SLICE("CANCEL"), invite);
	sip_build_body(out, SLICE(""), SLICE(""));
}
