/* SPDX-License-Identifier: Apache-2.0 */
/* sip_uri.c - see sip_uri.h. RFC 3261 section 19.1, RFC 3966. */
#include "codec/sip/sip_uri.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/buf.h"
#include "codec/sip/sip_chars.h"
#include "codec/sip/sip_token.h"

/* "[" IPv6address "]" from the front. */
static __attribute__((noinline)) int take_ipv6(struct slice *in, struct slice *host)
{
	ptrdiff_t end = slice_find(*in, ']');
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (end < 0 || slice_copy(slice_make(in->p + 1, (size_t)end - 1), text, sizeof(text)) < 0)
		return -EBADMSG;
	if (slice_has_nul(slice_make(in->p, (size_t)end)) || inet_pton(AF_INET6, text, &addr) != 1)
		return -EBADMSG;
	*host = slice_make(in->p + 1, (size_t)end - 1);
	sip_advance(in, (size_t)end + 1);
	return 0;
}

static inline bool is_host_char(char c)
{
	static const bool in_host[256] = { ['0' ... '9'] = true, ['A' ... 'Z'] = true,
					   ['a' ... 'z'] = true, ['-'] = true,
					   ['.'] = true,	 ['_'] = true };

	return in_host[(unsigned char)c];
}

/* Above 9: there is none. */
static inline unsigned digit_at(const char *p, const char *end)
{
	return p < end ? (unsigned char)*p - (unsigned)'0' : 10;
}

/* 1*3DIGIT, at most 255; NULL: it is none. */
static inline const char *skip_octet(const char *p, const char *end)
{
	unsigned value = digit_at(p, end), digit;

	if (value > 9)
		return NULL;
	digit = digit_at(p + 1, end);
	if (digit > 9)
		return p + 1;
	value = value * 10 + digit;
	digit = digit_at(p + 2, end);
	if (digit > 9)
		return p + 2;
	return value * 10 + digit > 255 || digit_at(p + 3, end) <= 9 ? NULL : p + 3;
}

/* IPv4address = 1*3DIGIT "." 1*3DIGIT "." 1*3DIGIT "." 1*3DIGIT, each at most 255; its length, 0: it is a
 * name or nothing. */
static inline size_t ipv4_length(struct slice in)
{
	const char *p = in.p, *end = in.p + in.len;

	for (int part = 0; part < 4; part++) {
		p = skip_octet(p, end);
		if (!p || (part < 3 && (p == end || *p++ != '.')))
			return 0;
	}
	return p < end && is_host_char(*p) ? 0 : (size_t)(p - in.p);
}

/* port = 1*DIGIT, and one that there is */
static int take_port(struct slice *in, uint16_t *ret)
{
	uint32_t value = 0;
	size_t n = 0;

	for (; n < in->len && ascii_is_digit((unsigned char)in->p[n]); n++) {
		value = value * 10 + (uint32_t)(in->p[n] - '0');
		if (value > UINT16_MAX)
			return -EBADMSG;
	}
	if (value == 0)
		return -EBADMSG;
	sip_advance(in, n);
	*ret = (uint16_t)value;
	return 0;
}

/* hostport = host [ ":" port ] */
int sip_hostport_take(struct slice *in, struct slice *host, enum sip_host_kind *kind,
		      uint16_t *port)
{
	struct slice at = *in;

	if (sip_peek(at) == '[') {
		if (take_ipv6(&at, host) < 0)
			return -EBADMSG;
		*kind = SIP_HOST_IPV6;
	} else {
		size_t n = ipv4_length(at);

		*kind = n > 0 ? SIP_HOST_IPV4 : SIP_HOST_NAME;
		while (*kind == SIP_HOST_NAME && n < at.len && is_host_char(at.p[n]))
			n++;
		*host = slice_make(at.p, n);
		if (n == 0 || host->p[0] == '.' || host->p[0] == '-')
			return -EBADMSG;
		sip_advance(&at, n);
	}
	*port = 0;
	if (sip_peek(at) == ':') {
		sip_advance(&at, 1);
		if (take_port(&at, port) < 0)
			return -EBADMSG;
	}
	*in = at;
	return 0;
}

/* uri-parameters = *( ";" pname [ "=" pvalue ] ) */
static int uri_param_next(struct slice *in, struct slice *name, struct slice *value)
{
	size_t n;

	if (sip_peek(*in) != ';')
		return in->len == 0 ? 0 : -EBADMSG;
	sip_advance(in, 1);
	n = 0;
	while (n < in->len && in->p[n] != ';' && in->p[n] != '=')
		n++;
	*name = slice_make(in->p, n);
	*value = slice_make(in->p + n, 0);
	sip_advance(in, n);
	if (sip_peek(*in) != '=')
		return 1;
	sip_advance(in, 1);
	n = 0;
	while (n < in->len && in->p[n] != ';')
		n++;
	*value = slice_make(in->p, n);
	sip_advance(in, n);
	return 1;
}

static bool uri_params_valid(struct slice params)
{
	struct slice name, value;
	size_t count = 0;
	int r;

	while ((r = uri_param_next(&params, &name, &value)) > 0) {
		if (++count > SIP_URI_PARAMS_MAX)
			return false;
		if (name.len == 0 || !sip_escaped_valid(name, SIP_C_PARAM) ||
		    !sip_escaped_valid(value, SIP_C_PARAM))
			return false;
		if (value.len == 0 && value.p[-1] == '=')
			return false;
	}
	return r == 0;
}

/* headers = "?" header *( "&" header ); header = hname "=" hvalue */
static bool uri_headers_valid(struct slice headers)
{
	struct slice name, value;
	size_t count = 0;
	int r;

	if (headers.len == 0)
		return false;
	while ((r = sip_uri_header_next(&headers, &name, &value)) > 0) {
		if (++count > SIP_URI_PARAMS_MAX)
			return false;
		if (!sip_escaped_valid(name, SIP_C_HNAME) || !sip_escaped_valid(value, SIP_C_HNAME))
			return false;
	}
	return r == 0;
}

int sip_uri_header_next(struct slice *headers, struct slice *name, struct slice *value)
{
	struct slice one;
	bool found;

	if (headers->len == 0)
		return 0;
	one = slice_take_until(headers, '&', &found);
	if (found && headers->len == 0)
		return -EBADMSG;
	*name = slice_take_until(&one, '=', &found);
	if (!found || name->len == 0)
		return -EBADMSG;
	*value = one;
	return 1;
}

/* userinfo = ( user / telephone-subscriber ) [ ":" password ] "@" */
static int take_userinfo(struct slice *in, struct sip_uri *uri)
{
	ptrdiff_t at;
	struct slice info;
	size_t n = 0;
	bool found;

	while (n < in->len && sip_char_in(in->p[n], SIP_C_USER))
		n++;
	if (n > 0 && n < in->len &&
	    in->p[n] == '@') { /* as most are: nothing escaped, no password */
		uri->user = slice_make(in->p, n);
		sip_advance(in, n + 1);
		return 0;
	}
	at = slice_find(*in, '@');
	if (at < 0)
		return 0;
	info = slice_take(in, (size_t)at);
	sip_advance(in, 1);
	uri->user = slice_take_until(&info, ':', &found);
	if (uri->user.len == 0 || !sip_escaped_valid(uri->user, SIP_C_USER))
		return -EBADMSG;
	uri->has_password = found;
	if (found) {
		uri->password = info;
		if (!sip_escaped_valid(info, SIP_C_PASSWORD))
			return -EBADMSG;
	}
	return 0;
}

/* SIP-URI = "sip:" [ userinfo ] hostport uri-parameters [ headers ] */
static int parse_sip(struct slice in, struct sip_uri *uri)
{
	ptrdiff_t mark;

	if (take_userinfo(&in, uri) < 0 ||
	    sip_hostport_take(&in, &uri->host, &uri->host_kind, &uri->port) < 0)
		return -EBADMSG;
	if (in.len == 0)
		return 0;
	mark = slice_find(in, '?');
	if (mark >= 0) {
		uri->headers = slice_make(in.p + mark + 1, in.len - (size_t)mark - 1);
		if (!uri_headers_valid(uri->headers))
			return -EBADMSG;
		in.len = (size_t)mark;
	}
	uri->params = in;
	return uri_params_valid(in) ? 0 : -EBADMSG;
}

static bool is_phone_digit(char c)
{
	return sip_char_in(c, SIP_C_HEX) || strchr("-.()*#", c) != NULL;
}

/* telephone-uri = "tel:" ( global-number / local-number ) *par */
static int parse_tel(struct slice in, struct sip_uri *uri)
{
	size_t n = in.len > 0 && in.p[0] == '+' ? 1 : 0;
	size_t first = n;

	while (n < in.len && in.p[n] != '\0' && is_phone_digit(in.p[n]))
		n++;
	if (n == first)
		return -EBADMSG;
	uri->user = slice_make(in.p, n);
	sip_advance(&in, n);
	uri->params = in;
	return uri_params_valid(in) ? 0 : -EBADMSG;
}

/* absoluteURI: only that nothing stands in it that would end it in a message. */
static int parse_other(struct slice scheme, struct slice in, struct sip_uri *uri)
{
	if (!ascii_is_alpha((unsigned char)scheme.p[0]) || in.len == 0)
		return -EBADMSG;
	for (size_t i = 1; i < scheme.len; i++) {
		if (!ascii_is_alnum((unsigned char)scheme.p[i]) && !strchr("+-.", scheme.p[i]))
			return -EBADMSG;
	}
	for (size_t i = 0; i < in.len; i++) {
		if ((unsigned char)in.p[i] <= ' ' || in.p[i] == 0x7f || in.p[i] == '<' ||
		    in.p[i] == '>' || in.p[i] == '"')
			return -EBADMSG;
	}
	uri->opaque = in;
	return 0;
}

int sip_uri_parse(struct slice in, struct sip_uri *ret)
{
	struct sip_uri out = { .text = in };
	struct slice scheme;
	bool found;
	int r;

	if (in.len > 4 && memcmp(in.p, "sip:", 4) == 0) {
		sip_advance(&in, 4);
		out.scheme = SIP_SCHEME_SIP;
		r = parse_sip(in, &out);
		if (r == 0)
			*ret = out;
		return r;
	}
	scheme = slice_take_until(&in, ':', &found);
	if (!found || scheme.len == 0)
		return -EBADMSG;
	if (slice_eq_nocase(scheme, SLICE("sip")))
		out.scheme = SIP_SCHEME_SIP;
	else if (slice_eq_nocase(scheme, SLICE("sips")))
		out.scheme = SIP_SCHEME_SIPS;
	else if (slice_eq_nocase(scheme, SLICE("tel")))
		out.scheme = SIP_SCHEME_TEL;

	if (out.scheme == SIP_SCHEME_OTHER)
		r = parse_other(scheme, in, &out);
	else if (out.scheme == SIP_SCHEME_TEL)
		r = parse_tel(in, &out);
	else
		r = parse_sip(in, &out);
	if (r < 0)
		return r;
	*ret = out;
	return 0;
}

bool sip_uri_param(const struct sip_uri *uri, struct slice name, struct slice *ret)
{
	struct slice params = uri->params;
	struct slice one, value;

	while (uri_param_next(&params, &one, &value) > 0) {
		if (slice_eq_nocase(one, name)) {
			if (ret)
				*ret = value;
			return true;
		}
	}
	return false;
}

int sip_unescape(struct slice in, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.p[i];

		if (c == '%' && in.len - i >= 3 && sip_hex(in.p[i + 1]) >= 0 &&
		    sip_hex(in.p[i + 2]) >= 0) {
			c = (char)(sip_hex(in.p[i + 1]) * 16 + sip_hex(in.p[i + 2]));
			i += 2;
		}
		if (n >= cap)
			return -ENOBUFS;
		out[n++] = c;
	}
	return (int)n;
}

static void escape(struct buf *out, struct slice plain, unsigned classes, const char *but)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < plain.len; i++) {
		unsigned char c = (unsigned char)plain.p[i];

		if (sip_char_in((char)c, classes) && !strchr(but, c)) {
			buf_add_char(out, (char)c);
		} else {
			const char text[3] = { '%', digits[c >> 4], digits[c & 15] };

			buf_add(out, text, sizeof(text));
		}
	}
}

void sip_escape_user(struct buf *out, struct slice plain)
{
	escape(out, plain, SIP_C_USER, "#");
}

void sip_escape_param(struct buf *out, struct slice plain)
{
	escape(out, plain, SIP_C_PARAM, "");
}
