/* SPDX-License-Identifier: Apache-2.0 */
/* sip_values.c - reading the fields of a parsed message: iteration and typed access, see sip_msg.h. */
#include <errno.h>

#include "codec/sip/sip_chars.h"
#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"

const struct sip_header *sip_msg_header(const struct sip_msg *msg, enum sip_header_id id)
{
	return msg->first[id] ? &msg->headers[msg->first[id] - 1] : NULL;
}

const struct sip_header *sip_msg_header_next(const struct sip_msg *msg,
					     const struct sip_header *after)
{
	const struct sip_header *end = msg->headers + msg->header_count;

	for (const struct sip_header *field = after + 1; field < end; field++) {
		if (field->id == after->id)
			return field;
	}
	return NULL;
}

const struct sip_header *sip_msg_header_named(const struct sip_msg *msg, struct slice name)
{
	enum sip_header_id id = sip_header_lookup(name);

	if (id != SIP_HDR_OTHER)
		return sip_msg_header(msg, id);
	for (size_t i = 0; i < msg->header_count; i++) {
		if (slice_eq_nocase(msg->headers[i].name, name))
			return &msg->headers[i];
	}
	return NULL;
}

struct slice sip_msg_value(const struct sip_msg *msg, enum sip_header_id id)
{
	const struct sip_header *field = sip_msg_header(msg, id);

	return field ? field->value : (struct slice){ 0 };
}

size_t sip_msg_header_count(const struct sip_msg *msg, enum sip_header_id id)
{
	const struct sip_header *field = sip_msg_header(msg, id);
	size_t n = 0;

	for (; field; field = sip_msg_header_next(msg, field))
		n++;
	return n;
}

/* Length of the first value: up to a comma outside of quotes and angle brackets. */
static size_t value_length(struct slice in)
{
	bool bracket = false;

	if (in.len == 0 || !memchr(in.p, ',', in.len))
		return in.len;
	for (size_t i = 0; i < in.len; i++) {
		switch (in.p[i]) {
		case '"':
			for (i++; i < in.len && in.p[i] != '"'; i++) {
				if (in.p[i] == '\\')
					i++;
			}
			break;
		case '<':
			bracket = true;
			break;
		case '>':
			bracket = false;
			break;
		case ',':
			if (!bracket)
				return i;
			break;
		default:
			break;
		}
	}
	return in.len;
}

bool sip_value_take(struct slice *in, struct slice *ret)
{
	size_t n;

	if (!in->p)
		return false;
	n = value_length(*in);
	*ret = sip_trim(slice_make(in->p, n));
	if (n < in->len)
		sip_advance(in, n + 1);
	else
		*in = (struct slice){ 0 };
	return true;
}

struct sip_values sip_values_of(const struct sip_msg *msg, enum sip_header_id id)
{
	struct sip_values it = { .msg = msg, .list = sip_header_is_list(id) };

	it.header = sip_msg_header(msg, id);
	if (it.header)
		it.rest = it.header->value;
	return it;
}

bool sip_values_next(struct sip_values *it, struct slice *ret)
{
	if (!it->header)
		return false;
	/* an empty field ("Supported:") holds no value */
	while (!it->rest.p || (it->rest.len == 0 && it->rest.p == it->header->value.p)) {
		it->header = sip_msg_header_next(it->msg, it->header);
		if (!it->header)
			return false;
		it->rest = it->header->value;
	}
	if (it->list)
		return sip_value_take(&it->rest, ret);
	*ret = it->rest;
	it->rest = (struct slice){ 0 };
	return true;
}

size_t sip_values_count(const struct sip_msg *msg, enum sip_header_id id)
{
	struct sip_values it = sip_values_of(msg, id);
	struct slice value;
	size_t n = 0;

	while (sip_values_next(&it, &value))
		n++;
	return n;
}

bool sip_msg_has_token(const struct sip_msg *msg, enum sip_header_id id, struct slice token)
{
	struct sip_values it = sip_values_of(msg, id);
	struct slice value;

	while (sip_values_next(&it, &value)) {
		if (slice_eq_nocase(value, token))
			return true;
	}
	return false;
}

static int first_value(const struct sip_msg *msg, enum sip_header_id id, struct slice *ret)
{
	struct sip_values it = sip_values_of(msg, id);

	if (!it.header)
		return -ENOENT;
	return sip_values_next(&it, ret) ? 0 : -EBADMSG;
}

static int first_addr(const struct sip_msg *msg, enum sip_header_id id, struct sip_addr *ret)
{
	struct slice value;
	int r = first_value(msg, id, &value);

	return r < 0 ? r : sip_addr_parse(value, ret);
}

void sip_msg_read(struct sip_msg *msg)
{
	if (!(msg->typed & SIP_TYPED_VIA) && sip_msg_top_via(msg, &msg->via) == 0)
		msg->typed |= SIP_TYPED_VIA;
	if (sip_msg_cseq(msg, &msg->cseq) == 0)
		msg->typed |= SIP_TYPED_CSEQ;
	if (sip_msg_from(msg, &msg->from) == 0)
		msg->typed |= SIP_TYPED_FROM;
	if (sip_msg_to(msg, &msg->to) == 0)
		msg->typed |= SIP_TYPED_TO;
	if (sip_msg_request_uri(msg, &msg->request_uri) == 0)
		msg->typed |= SIP_TYPED_URI;
}

int sip_msg_top_via(const struct sip_msg *msg, struct sip_via *ret)
{
	struct slice value;
	int r;

	if (msg->typed & SIP_TYPED_VIA) {
		*ret = msg->via;
		return 0;
	}
	r = first_value(msg, SIP_HDR_VIA, &value);
	return r < 0 ? r : sip_via_parse(value, ret);
}

int sip_msg_from(const struct sip_msg *msg, struct sip_addr *ret)
{
	if (msg->typed & SIP_TYPED_FROM) {
		*ret = msg->from;
		return 0;
	}
	return first_addr(msg, SIP_HDR_FROM, ret);
}

int sip_msg_to(const struct sip_msg *msg, struct sip_addr *ret)
{
	if (msg->typed & SIP_TYPED_TO) {
		*ret = msg->to;
		return 0;
	}
	return first_addr(msg, SIP_HDR_TO, ret);
}

int sip_msg_top_route(const struct sip_msg *msg, struct sip_addr *ret)
{
	return first_addr(msg, SIP_HDR_ROUTE, ret);
}

int sip_msg_contact(const struct sip_msg *msg, struct sip_addr *ret)
{
	return first_addr(msg, SIP_HDR_CONTACT, ret);
}

int sip_msg_cseq(const struct sip_msg *msg, struct sip_cseq *ret)
{
	const struct sip_header *field;

	if (msg->typed & SIP_TYPED_CSEQ) {
		*ret = msg->cseq;
		return 0;
	}
	field = sip_msg_header(msg, SIP_HDR_CSEQ);
	return field ? sip_cseq_parse(field->value, ret) : -ENOENT;
}

int sip_msg_request_uri(const struct sip_msg *msg, struct sip_uri *ret)
{
	if (msg->typed & SIP_TYPED_URI) {
		*ret = msg->request_uri;
		return 0;
	}
	return msg->request ? sip_uri_parse(msg->uri, ret) : -ENOENT;
}

int sip_msg_max_forwards(const struct sip_msg *msg, uint32_t *ret)
{
	const struct sip_header *field = sip_msg_header(msg, SIP_HDR_MAX_FORWARDS);
	uint32_t value;

	if (!field)
		return -ENOENT;
	if (sip_number_parse(field->value, 255, &value) < 0)
		return -EBADMSG;
	*ret = value;
	return 0;
}

int sip_msg_expires(const struct sip_msg *msg, uint32_t *ret_seconds)
{
	const struct sip_header *field = sip_msg_header(msg, SIP_HDR_EXPIRES);

	return field ? sip_delta_parse(field->value, ret_seconds) : -ENOENT;
}

struct slice sip_msg_call_id(const struct sip_msg *msg)
{
	return sip_msg_value(msg, SIP_HDR_CALL_ID);
}

struct slice sip_msg_from_tag(const struct sip_msg *msg)
{
	struct sip_addr addr;

	if (msg->typed & SIP_TYPED_FROM)
		return msg->from.tag;
	return sip_msg_from(msg, &addr) < 0 ? (struct slice){ 0 } : sip_addr_tag(&addr);
}

struct slice sip_msg_to_tag(const struct sip_msg *msg)
{
	struct sip_addr addr;

	if (msg->typed & SIP_TYPED_TO)
		return msg->to.tag;
	return sip_msg_to(msg, &addr) < 0 ? (struct slice){ 0 } : sip_addr_tag(&addr);
}

enum sip_method sip_msg_cseq_method(const struct sip_msg *msg)
{
	struct sip_cseq cseq;

	if (msg->request)
		return msg->method;
	return sip_msg_cseq(msg, &cseq) < 0 ? SIP_METHOD_OTHER : cseq.method;
}
