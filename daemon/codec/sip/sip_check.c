/* SPDX-License-Identifier: Apache-2.0 */
/* sip_check.c - see sip_check.h. RFC 3261 sections 8.2, 16.3, 18.3; RFC 4475. */
#include "codec/sip/sip_check.h"

#include <errno.h>

#include "base/error.h"
#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"
#include "codec/sip/sip_token.h"

static const struct sip_check_rules proxy_rules = { .role = SIP_ROLE_PROXY };

struct fault {
	unsigned status; /* 0 = none */
	const char *reason;
	enum sip_header_id header;
};

#define FAULT(status, reason, header) ((struct fault){ status, reason, SIP_HDR_##header })
#define NO_FAULT FAULT(0, NULL, OTHER)

/* What the parser found while it cut the message. */
static struct fault check_defects(const struct sip_msg *msg)
{
	unsigned defects = msg->defects;

	if (defects == 0)
		return NO_FAULT;
	if (defects & SIP_DEFECT_VERSION)
		return FAULT(505, "Version Not Supported", OTHER);
	if (defects & (SIP_DEFECT_START_LINE | SIP_DEFECT_STATUS))
		return FAULT(400, "Malformed Start Line", OTHER);
	if (defects & SIP_DEFECT_TOO_MANY)
		return FAULT(513, "Too Many Header Fields", OTHER);
	if (defects & SIP_DEFECT_HEADER)
		return FAULT(400, "Malformed Header Field", OTHER);
	if (defects & SIP_DEFECT_LINE_END)
		return FAULT(400, "Malformed Line End", OTHER);
	if (defects & SIP_DEFECT_TRUNCATED)
		return FAULT(400, "Header Not Ended", OTHER);
	if (defects & SIP_DEFECT_LENGTH_BAD)
		return FAULT(400, "Malformed Content-Length", CONTENT_LENGTH);
	return FAULT(400, "Content-Length Exceeds Message", CONTENT_LENGTH);
}

/* What stands once must not stand twice, whichever of the two another element would take. */
static struct fault check_once(const struct sip_msg *msg)
{
	for (size_t i = 0; msg->repeated && i < msg->header_count; i++) {
		enum sip_header_id id = msg->headers[i].id;

		if (msg->first[id] != i + 1 && sip_header_is_once(id))
			return (struct fault){ 400, "Repeated Header Field", id };
	}
	return NO_FAULT;
}

static struct fault check_vias(const struct sip_msg *msg)
{
	struct sip_values it = sip_values_of(msg, SIP_HDR_VIA);
	struct slice value;
	struct sip_via via;
	bool top = true;

	while (sip_values_next(&it, &value)) {
		if ((top ? sip_msg_top_via(msg, &via) : sip_via_parse(value, &via)) < 0)
			return FAULT(400, "Malformed Via", VIA);
		/* the cookie with nothing after it identifies no transaction */
		if (top && !sip_via_branch_is_3261(&via) &&
		    slice_starts_with_nocase(via.branch, SLICE(SIP_BRANCH_MAGIC)))
			return FAULT(400, "Empty Via Branch", VIA);
		top = false;
	}
	return top ? FAULT(400, "Missing Via", VIA) : NO_FAULT;
}

/* Of two tags, or of one that goes on behind a bracket, another element could read another dialog (RFC 3261
 * sections 7.3.1 and 25.1). */
static bool is_party(const struct sip_addr *addr)
{
	return !addr->wildcard && !addr->tag_doubtful;
}

/* To, From, Call-ID, CSeq: RFC 3261 section 8.1.1. A From without tag and a missing Max-Forwards are
 * let pass for the sake of RFC 2543 peers. */
static struct fault check_identity(const struct sip_msg *msg)
{
	struct sip_addr addr;
	struct sip_cseq cseq;
	int r;

	r = msg->typed & SIP_TYPED_FROM ? 0 : sip_msg_from(msg, &addr);
	if (r < 0 || !is_party(msg->typed & SIP_TYPED_FROM ? &msg->from : &addr))
		return FAULT(400, r == -ENOENT ? "Missing From" : "Malformed From", FROM);
	r = msg->typed & SIP_TYPED_TO ? 0 : sip_msg_to(msg, &addr);
	if (r < 0 || !is_party(msg->typed & SIP_TYPED_TO ? &msg->to : &addr))
		return FAULT(400, r == -ENOENT ? "Missing To" : "Malformed To", TO);
	if (!sip_msg_header(msg, SIP_HDR_CALL_ID))
		return FAULT(400, "Missing Call-ID", CALL_ID);
	if (!sip_callid_valid(sip_msg_call_id(msg)))
		return FAULT(400, "Malformed Call-ID", CALL_ID);
	r = sip_msg_cseq(msg, &cseq);
	if (r < 0)
		return FAULT(400, r == -ENOENT ? "Missing CSeq" : "Malformed CSeq", CSEQ);
	if (msg->request && !slice_eq(cseq.method_name, msg->method_name))
		return FAULT(400, "CSeq Method Differs", CSEQ);
	return NO_FAULT;
}

static bool addrs_valid(const struct sip_msg *msg, enum sip_header_id id, bool wildcard)
{
	struct sip_values it = sip_values_of(msg, id);
	struct sip_addr addr;
	struct slice value;

	while (sip_values_next(&it, &value)) {
		if (sip_addr_parse(value, &addr) < 0 || (addr.wildcard && !wildcard))
			return false;
	}
	return true;
}

/* Fields that routing or registration will read: better refused here than half understood there. */
static struct fault check_fields(const struct sip_msg *msg)
{
	uint32_t number;

	if (sip_msg_max_forwards(msg, &number) == -EBADMSG)
		return FAULT(400, "Malformed Max-Forwards", MAX_FORWARDS);
	if (sip_msg_expires(msg, &number) == -EBADMSG)
		return FAULT(400, "Malformed Expires", EXPIRES);
	if (!addrs_valid(msg, SIP_HDR_CONTACT, msg->method == SIP_REGISTER))
		return FAULT(400, "Malformed Contact", CONTACT);
	if (!addrs_valid(msg, SIP_HDR_ROUTE, false))
		return FAULT(400, "Malformed Route", ROUTE);
	if (!addrs_valid(msg, SIP_HDR_RECORD_ROUTE, false))
		return FAULT(400, "Malformed Record-Route", RECORD_ROUTE);
	if (sip_msg_header(msg, SIP_HDR_DATE) && !sip_date_valid(sip_msg_value(msg, SIP_HDR_DATE)))
		return FAULT(400, "Malformed Date", DATE);
	return NO_FAULT;
}

static struct fault check_uri(const struct sip_msg *msg, const struct sip_check_rules *rules)
{
	struct sip_uri uri;

	if (sip_msg_request_uri(msg, &uri) < 0)
		return FAULT(400, "Malformed Request-URI", OTHER);
	if (uri.scheme == SIP_SCHEME_OTHER && !rules->any_scheme)
		return FAULT(416, "Unsupported URI Scheme", OTHER);
	/* header fields have no place in a Request-URI (RFC 3261 section 19.1.1) */
	if (uri.headers.len > 0)
		return FAULT(400, "Header Fields in Request-URI", OTHER);
	return NO_FAULT;
}

static struct fault check_role(const struct sip_msg *msg, const struct sip_check_rules *rules)
{
	uint32_t hops;
	struct slice tag;

	if (rules->role == SIP_ROLE_UAS && msg->method == SIP_METHOD_OTHER)
		return FAULT(501, "Not Implemented", OTHER);
	if (rules->body_max && msg->body.len > rules->body_max)
		return FAULT(413, "Request Entity Too Large", CONTENT_LENGTH);
	if (rules->role == SIP_ROLE_PROXY && msg->method != SIP_REGISTER &&
	    sip_msg_max_forwards(msg, &hops) == 0 && hops == 0)
		return FAULT(483, "Too Many Hops", MAX_FORWARDS);
	if (sip_check_unsupported(msg, rules, 0, &tag))
		return (struct fault){ 420, "Bad Extension",
				       rules->role == SIP_ROLE_PROXY ? SIP_HDR_PROXY_REQUIRE
								     : SIP_HDR_REQUIRE };
	return NO_FAULT;
}

bool sip_check_unsupported(const struct sip_msg *msg, const struct sip_check_rules *rules, size_t n,
			   struct slice *ret)
{
	struct sip_values it;
	struct slice tag;

	if (!rules)
		rules = &proxy_rules;
	if (msg->method == SIP_ACK || msg->method == SIP_CANCEL)
		return false;
	it = sip_values_of(msg,
			   rules->role == SIP_ROLE_PROXY ? SIP_HDR_PROXY_REQUIRE : SIP_HDR_REQUIRE);
	while (sip_values_next(&it, &tag)) {
		bool offered = false;

		for (size_t i = 0; i < rules->option_count && !offered; i++)
			offered = slice_eq_nocase(tag, rules->options[i]);
		if (!offered && n-- == 0) {
			*ret = tag;
			return true;
		}
	}
	return false;
}

/* A response goes to the second Via's address when we forward it: never to everybody (RFC 4475
 * section 3.3.10). */
static struct fault check_next_hop(const struct sip_msg *msg)
{
	struct sip_values it = sip_values_of(msg, SIP_HDR_VIA);
	struct slice value, host;
	struct sip_via via;
	uint32_t first;

	if (!sip_values_next(&it, &value) || !sip_values_next(&it, &value) ||
	    sip_via_parse(value, &via) < 0)
		return NO_FAULT;
	host = via.received.len ? via.received : via.host;
	if (via.maddr.len)
		host = via.maddr;
	if (slice_eq(host, SLICE("255.255.255.255")) ||
	    slice_starts_with_nocase(host, SLICE("ff0")) ||
	    (via.host_kind == SIP_HOST_IPV4 && slice_take_u32(&host, &first) == 0 && first >= 224))
		return FAULT(400, "Via Names a Broadcast Address", VIA);
	return NO_FAULT;
}

static struct fault check_all(const struct sip_msg *msg, const struct sip_check_rules *rules)
{
	struct fault fault = check_defects(msg);

	if (fault.status == 0)
		fault = check_once(msg);
	if (fault.status == 0)
		fault = check_vias(msg);
	if (fault.status == 0)
		fault = check_identity(msg);
	if (!msg->request)
		return fault.status == 0 ? check_next_hop(msg) : fault;
	if (fault.status == 0)
		fault = check_uri(msg, rules);
	if (fault.status == 0)
		fault = check_fields(msg);
	if (fault.status == 0)
		fault = check_role(msg, rules);
	return fault;
}

void sip_msg_check(const struct sip_msg *msg, const struct sip_check_rules *rules,
		   struct sip_verdict *ret)
{
	struct fault fault = check_all(msg, rules ? rules : &proxy_rules);

	*ret = (struct sip_verdict){ .kind = SIP_VERDICT_OK };
	if (fault.status == 0)
		return;
	ret->reason = fault.reason;
	ret->header = fault.header;
	/* an answer needs a Via to go by, and nobody answers a response or an ACK */
	if (!msg->request || msg->method == SIP_ACK || !sip_msg_header(msg, SIP_HDR_VIA)) {
		ret->kind = SIP_VERDICT_DROP;
		return;
	}
	ret->kind = SIP_VERDICT_RESPOND;
	ret->status = fault.status;
	ret->unsupported = fault.status == 420;
}

const char *sip_verdict_name(enum sip_verdict_kind kind)
{
	static const char *const names[] = { "OK", "RESPOND", "DROP" };

	return names[kind];
}
