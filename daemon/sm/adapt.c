/* SPDX-License-Identifier: Apache-2.0 */
/* adapt.c - what an adaptation makes of addresses and header fields. */
#include "sm/adapt.h"

#include "base/buf.h"
#include "codec/sip/sip_uri.h"
#include "sm/route.h"

const struct uc_adaptation *adapt_active(const struct uc_adaptation *a, bool test)
{
	if (!a || a->state == UC_ADAPTATION_DISABLED ||
	    (a->state == UC_ADAPTATION_TEST_ONLY && !test))
		return NULL;
	return a;
}

/* The conversion of longest match; of equals the first. */
static const struct uc_digit_conversion *conversion_of(const struct uc_adaptation *a,
						       enum uc_direction direction,
						       bool origination, struct slice digits)
{
	const struct uc_digit_conversion *best = NULL;

	for (size_t i = 0; i < a->count; i++) {
		const struct uc_digit_conversion *c = &a->conversions[i];

		if (c->direction != direction || !(origination ? c->origination : c->destination) ||
		    !uc_digits_match(c->match, c->min, c->max, digits))
			continue;
		if (!best || strlen(c->match) > strlen(best->match))
			best = c;
	}
	return best;
}

bool adapt_uri(const struct uc_adaptation *a, enum uc_direction direction, bool origination,
	       struct slice text, struct buf *out)
{
	const struct uc_digit_conversion *c = NULL;
	char buffer[ROUTE_DIGITS_SIZE];
	struct slice digits, host = { 0 }, user;
	struct sip_uri uri;
	const char *at = text.p, *end = text.p + text.len;

	if (!a || sip_uri_parse(text, &uri) < 0 || uri.scheme == SIP_SCHEME_OTHER)
		return false;
	digits = route_digits(text, buffer);
	if (digits.len)
		c = conversion_of(a, direction, origination, digits);
	if (uri.scheme != SIP_SCHEME_TEL)
		host = slice_str(origination ? a->side[direction].source_domain
					     : a->side[direction].domain);
	if (!c && (host.len == 0 || slice_eq_nocase(host, uri.host)))
		return false;
	buf_reset(out);
	if (c) {
		user = uri.user;
		user = slice_take_until(&user, ';', NULL);
		buf_add(out, at, (size_t)(user.p - at));
		buf_add_str(out, c->insert);
		sip_escape_user(out, slice_sub(digits, c->cut, digits.len));
		at = user.p + user.len;
	}
	if (host.len) {
		const char *host_at = uri.host.p - (uri.host_kind == SIP_HOST_IPV6);

		buf_add(out, at, (size_t)(host_at - at));
		buf_add_slice(out, host);
		at = uri.host.p + uri.host.len + (uri.host_kind == SIP_HOST_IPV6);
		while (at < end && *at != ';' && *at != '?') /* the port was the other host's */
			at++;
	}
	buf_add(out, at, (size_t)(end - at));
	return buf_ok(out);
}

bool adapt_hop(const struct adapt *adapt, bool origination, struct slice uri, struct buf *out)
{
	AUTO_BUF between = { 0 };
	bool in = adapt_uri(adapt->in, UC_INGRESS, origination, uri, &between);

	if (adapt_uri(adapt->out, UC_EGRESS, origination, in ? buf_slice(&between) : uri, out))
		return true;
	if (!in)
		return false;
	buf_reset(out);
	buf_add_slice(out, buf_slice(&between));
	return buf_ok(out);
}

bool adapt_from_to(const struct adapt *adapt)
{
	return (adapt->in && adapt->in->from_to) || (adapt->out && adapt->out->from_to);
}

/* Without these no message finds its way or its body. */
static bool needed(enum sip_header_id id)
{
	switch (id) {
	case SIP_HDR_VIA:
	case SIP_HDR_FROM:
	case SIP_HDR_TO:
	case SIP_HDR_CALL_ID:
	case SIP_HDR_CSEQ:
	case SIP_HDR_CONTACT:
	case SIP_HDR_MAX_FORWARDS:
	case SIP_HDR_ROUTE:
	case SIP_HDR_RECORD_ROUTE:
	case SIP_HDR_CONTENT_LENGTH:
	case SIP_HDR_CONTENT_TYPE:
	case SIP_HDR_AUTHORIZATION:
	case SIP_HDR_PROXY_AUTHORIZATION:
		return true;
	default:
		return false;
	}
}

static bool side_removes(const struct uc_adaptation *a, enum uc_direction direction,
			 enum sip_header_id id, struct slice name)
{
	for (size_t i = 0; a && i < a->side[direction].remove_count; i++) {
		const char *removed = a->side[direction].remove[i];

		if (id == SIP_HDR_OTHER ? slice_eq_str_nocase(name, removed)
					: sip_header_lookup(slice_str(removed)) == id)
			return true;
	}
	return false;
}

bool adapt_removes(const struct adapt *adapt, enum sip_header_id id, struct slice name)
{
	return !needed(id) && (side_removes(adapt->in, UC_INGRESS, id, name) ||
			       side_removes(adapt->out, UC_EGRESS, id, name));
}
