/* SPDX-License-Identifier: Apache-2.0 */
/* sip_addr.c - see sip_addr.h. RFC 3261 section 25.1: name-addr, addr-spec. */
#include "codec/sip/sip_addr.h"

#include <errno.h>

#include "codec/sip/sip_chars.h"
#include "codec/sip/sip_token.h"

static void take_tag(const struct sip_param *param, struct sip_addr *addr)
{
	if (addr->has_tag || param->quoted || (param->has_value && !sip_token_valid(param->value)))
		addr->tag_doubtful = true;
	if (!addr->has_tag)
		addr->tag = param->value;
	addr->has_tag = true;
}

/* What follows the address: nothing or *( SEMI generic-param ). */
static int take_params(struct slice in, struct sip_addr *addr)
{
	struct sip_param param;
	int r;

	sip_skip_lws(&in);
	addr->params = in;
	while ((r = sip_param_next(&in, &param)) > 0) {
		if (slice_eq_nocase(param.name, SLICE("tag")))
			take_tag(&param, addr);
	}
	return r == 0 && in.len == 0 ? 0 : -EBADMSG;
}

/* LAQUOT addr-spec RAQUOT; no LWS inside. */
static int parse_bracketed(struct slice in, struct sip_addr *addr)
{
	ptrdiff_t end;

	sip_advance(&in, 1);
	end = slice_find(in, '>');
	if (end < 0)
		return -EBADMSG;
	addr->bracketed = true;
	if (sip_uri_parse(slice_make(in.p, (size_t)end), &addr->uri) < 0)
		return -EBADMSG;
	sip_advance(&in, (size_t)end + 1);
	return take_params(in, addr);
}

/* addr-spec without brackets ends at the first ";" or LWS; "?" and "," may not stand in it. */
static int parse_bare(struct slice in, struct sip_addr *addr)
{
	size_t n = 0;

	while (n < in.len && !strchr(";? ,\t\r", in.p[n]))
		n++;
	if (n < in.len && (in.p[n] == '?' || in.p[n] == ',' || in.p[n] == '\0'))
		return -EBADMSG;
	if (sip_uri_parse(slice_make(in.p, n), &addr->uri) < 0)
		return -EBADMSG;
	sip_advance(&in, n);
	return take_params(in, addr);
}

/* display-name = *(token LWS) / quoted-string. Consumes it when "<" follows; without it nothing is
 * consumed and the input is an addr-spec. */
static int take_display(struct slice *in, struct sip_addr *addr)
{
	struct slice at = *in;

	if (sip_peek(at) == '"') {
		if (sip_take_quoted(&at, &addr->display) < 0)
			return -EBADMSG;
		addr->display_quoted = true;
		sip_skip_lws(&at);
		*in = at;
		return sip_peek(at) == '<' ? 0 : -EBADMSG;
	}
	while (sip_take_class(&at, SIP_C_TOKEN).len > 0 || sip_skip_lws(&at) > 0)
		;
	if (sip_peek(at) == '<') {
		addr->display = sip_trim(slice_make(in->p, (size_t)(at.p - in->p)));
		*in = at;
	}
	return 0;
}

int sip_addr_parse(struct slice in, struct sip_addr *ret)
{
	struct sip_addr out = { 0 };
	int r;

	in = sip_trim(in);
	if (in.len == 1 && in.p[0] == '*') {
		out.wildcard = true;
		*ret = out;
		return 0;
	}
	r = take_display(&in, &out);
	if (r < 0)
		return r;
	r = sip_peek(in) == '<' ? parse_bracketed(in, &out) : parse_bare(in, &out);
	if (r < 0)
		return r;
	*ret = out;
	return 0;
}

bool sip_addr_param(const struct sip_addr *addr, struct slice name, struct slice *ret)
{
	return sip_param_find(addr->params, name, ret);
}

struct slice sip_addr_tag(const struct sip_addr *addr)
{
	return addr->tag;
}
