/* SPDX-License-Identifier: Apache-2.0 */
/* sip_via.c - see sip_via.h. RFC 3261 sections 20.42 and 25.1. */
#include "codec/sip/sip_via.h"

#include <arpa/inet.h>
#include <errno.h>

#include "codec/sip/sip_chars.h"
#include "codec/sip/sip_token.h"

static const char *const transports[] = {
	[SIP_TRANSPORT_OTHER] = "",    [SIP_TRANSPORT_UDP] = "UDP", [SIP_TRANSPORT_TCP] = "TCP",
	[SIP_TRANSPORT_TLS] = "TLS",   [SIP_TRANSPORT_WS] = "WS",   [SIP_TRANSPORT_WSS] = "WSS",
	[SIP_TRANSPORT_SCTP] = "SCTP",
};

struct slice sip_transport_name(enum sip_transport transport)
{
	return slice_str(transports[transport]);
}

enum sip_transport sip_transport_lookup(struct slice name)
{
	if (slice_eq(name, SLICE("UDP")))
		return SIP_TRANSPORT_UDP;
	for (int i = SIP_TRANSPORT_UDP; i <= SIP_TRANSPORT_SCTP; i++) {
		if (slice_eq_str_nocase(name, transports[i]))
			return (enum sip_transport)i;
	}
	return SIP_TRANSPORT_OTHER;
}

/* token SLASH; SLASH = SWS "/" SWS */
static int take_token_slash(struct slice *in, struct slice *ret)
{
	*ret = sip_take_class(in, SIP_C_TOKEN);
	if (ret->len == 0)
		return -EBADMSG;
	sip_skip_lws(in);
	if (!slice_skip_char(in, '/'))
		return -EBADMSG;
	sip_skip_lws(in);
	return 0;
}

/* sent-protocol = protocol-name SLASH protocol-version SLASH transport */
static int take_protocol(struct slice *in, struct sip_via *via)
{
	struct slice name, version;

	if (slice_skip(in, SLICE("SIP/2.0/"))) {
		via->version_2 = true;
		sip_skip_lws(in);
	} else {
		if (take_token_slash(in, &name) < 0 || take_token_slash(in, &version) < 0)
			return -EBADMSG;
		via->version_2 =
			slice_eq_nocase(name, SLICE("SIP")) && slice_eq(version, SLICE("2.0"));
	}
	via->transport_name = sip_take_class(in, SIP_C_TOKEN);
	if (via->transport_name.len == 0)
		return -EBADMSG;
	via->transport = sip_transport_lookup(via->transport_name);
	return 0;
}

/* sent-by = host [ COLON port ]; COLON = SWS ":" SWS */
static int take_sent_by(struct slice *in, struct sip_via *via)
{
	struct slice at;
	uint32_t port;

	if (sip_hostport_take(in, &via->host, &via->host_kind, &via->port) < 0)
		return -EBADMSG;
	at = *in;
	if (via->port != 0 || sip_skip_lws(&at) == 0 || !slice_skip_char(&at, ':'))
		return 0;
	sip_skip_lws(&at);
	if (slice_take_u32(&at, &port) < 0 || port == 0 || port > UINT16_MAX)
		return -EBADMSG;
	via->port = (uint16_t)port;
	*in = at;
	return 0;
}

/* Each of them once (RFC 3261 section 7.3.1): of two branches another element could take the other. */
static int take_once(struct slice *member, struct slice value)
{
	if (member->p)
		return -EBADMSG;
	*member = value.p ? value : SLICE(""); /* ";branch" alone counts */
	return 0;
}

/* via-received = IPv4address / IPv6address; brackets pass (RFC 5118 section 4.5), and so does a name. */
static bool is_received(struct slice value)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (value.len > 2 && value.p[0] == '[' && value.p[value.len - 1] == ']')
		value = slice_sub(value, 1, value.len - 1);
	if (!memchr(value.p ? value.p : "", ':', value.len)) {
		for (size_t i = 0; i < value.len; i++)
			if (!sip_char_in(value.p[i], SIP_C_TOKEN))
				return false;
		return true;
	}
	return slice_copy(value, text, sizeof(text)) >= 0 && inet_pton(AF_INET6, text, &addr) == 1;
}

static int take_rport(const struct sip_param *param, struct sip_via *via)
{
	uint32_t port = 0;

	if (via->has_rport ||
	    (param->has_value && sip_number_parse(param->value, UINT16_MAX, &port) < 0))
		return -EBADMSG;
	via->has_rport = true;
	via->rport = (uint16_t)port;
	return 0;
}

/* via-params = via-ttl / via-maddr / via-received / via-branch / response-port / via-extension */
static int take_params(struct slice in, struct sip_via *via)
{
	struct sip_param param;
	const char *start;
	int r;

	sip_skip_lws(&in);
	via->params = in;
	for (start = in.p; (r = sip_param_next(&in, &param)) > 0; start = in.p) {
		struct slice text = slice_make(start, (size_t)(in.p - start));

		r = 0;
		if (slice_eq_nocase(param.name, SLICE("branch"))) {
			r = take_once(&via->branch, param.value);
		} else if (slice_eq_nocase(param.name, SLICE("rport"))) {
			r = take_rport(&param, via);
			via->rport_text = text;
		} else if (slice_eq_nocase(param.name, SLICE("received"))) {
			r = is_received(param.value) ? take_once(&via->received, param.value)
						     : -EBADMSG;
			via->received_text = text;
		} else if (slice_eq_nocase(param.name, SLICE("maddr"))) {
			r = take_once(&via->maddr, param.value);
		}
		if (r < 0)
			return r;
	}
	return r == 0 && in.len == 0 ? 0 : -EBADMSG;
}

int sip_via_parse(struct slice in, struct sip_via *ret)
{
	struct sip_via out = { 0 };

	sip_skip_lws(&in);
	if (take_protocol(&in, &out) < 0 || sip_skip_lws(&in) == 0)
		return -EBADMSG;
	if (take_sent_by(&in, &out) < 0 || take_params(in, &out) < 0)
		return -EBADMSG;
	*ret = out;
	return 0;
}

struct text_out {
	char *p;
	size_t len;
	size_t cap;
};

static void add_text(struct text_out *out, const char *p, size_t len)
{
	if (len <= out->cap && out->len <= out->cap - len)
		memcpy(out->p + out->len, p, len);
	out->len += len;
}

int sip_via_stamp(struct slice value, struct slice source, uint16_t port, bool force_rport,
		  char *out, size_t cap)
{
	struct sip_via via, stamped;

	if (sip_via_parse(value, &via) < 0)
		return -EBADMSG;
	return sip_via_stamp_parsed(value, &via, source, port, force_rport, out, cap, &stamped);
}

/* What is copied of a Via: all but received and rport, each at most once. */
struct stamp {
	struct slice value;
	struct slice cut[2]; /* in their order; empty ones are none */
	char *out;
};

/* Where a part of the value that was not cut out stands now. */
static void follow(const struct stamp *stamp, struct slice *part)
{
	size_t at;

	if (part->p < stamp->value.p || part->p > stamp->value.p + stamp->value.len)
		return;
	at = (size_t)(part->p - stamp->value.p);
	for (size_t i = 0; i < 2; i++)
		if (stamp->cut[i].len && stamp->cut[i].p < part->p)
			at -= stamp->cut[i].len;
	part->p = stamp->out + at;
}

static void add_uncut(struct text_out *text, const struct stamp *stamp)
{
	const char *at = stamp->value.p, *end = at + stamp->value.len;

	for (size_t i = 0; i < 2; i++) {
		if (stamp->cut[i].len == 0)
			continue;
		add_text(text, at, (size_t)(stamp->cut[i].p - at));
		at = stamp->cut[i].p + stamp->cut[i].len;
	}
	add_text(text, at, (size_t)(end - at));
}

int sip_via_stamp_parsed(struct slice value, const struct sip_via *parsed, struct slice source,
			 uint16_t port, bool force_rport, char *out, size_t cap,
			 struct sip_via *ret)
{
	bool rport = parsed->has_rport || force_rport;
	bool first = parsed->rport_text.len == 0 || parsed->received_text.p < parsed->rport_text.p;
	struct slice params = sip_trim(parsed->params);
	const struct stamp stamp = {
		.value = slice_make(value.p, (size_t)(params.p + params.len - value.p)),
		.cut = { first ? parsed->received_text : parsed->rport_text,
			 first ? parsed->rport_text : parsed->received_text },
		.out = out,
	};
	struct text_out text = { out, 0, cap };
	struct sip_via stamped = *parsed;
	char digits[8];
	size_t at = sizeof(digits);

	add_uncut(&text, &stamp);
	follow(&stamp, &stamped.transport_name);
	follow(&stamp, &stamped.host);
	follow(&stamp, &stamped.params);
	follow(&stamp, &stamped.branch);
	follow(&stamp, &stamped.maddr);
	stamped.received = stamped.received_text = stamped.rport_text = (struct slice){ 0 };
	stamped.has_rport = rport;
	stamped.rport = rport ? port : 0;
	if (rport || !slice_eq_nocase(parsed->host, source)) {
		size_t start = text.len;

		add_text(&text, ";received=", 10);
		if (text.len <= cap) {
			stamped.received_text = slice_make(out + start, 10 + source.len);
			stamped.received = slice_make(out + text.len, source.len);
		}
		add_text(&text, source.p, source.len);
	}
	if (rport) {
		size_t start = text.len;

		add_text(&text, ";rport=", 7);
		do
			digits[--at] = (char)('0' + port % 10);
		while ((port /= 10) > 0);
		add_text(&text, digits + at, sizeof(digits) - at);
		if (text.len <= cap)
			stamped.rport_text = slice_make(out + start, text.len - start);
	}
	if (text.len > cap)
		return -ENOBUFS;
	stamped.params.len = text.len - (size_t)(stamped.params.p - out);
	sip_skip_lws(&stamped.params);
	*ret = stamped;
	return (int)text.len;
}

/* The cookie is compared without case, as the tokens around it are. */
bool sip_via_branch_is_3261(const struct sip_via *via)
{
	return via->branch.len > sizeof(SIP_BRANCH_MAGIC) - 1 &&
	       slice_starts_with_nocase(via->branch, SLICE(SIP_BRANCH_MAGIC));
}
