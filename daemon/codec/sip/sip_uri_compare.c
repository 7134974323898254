/* SPDX-License-Identifier: Apache-2.0 */
/* sip_uri_compare.c - when two URIs are the same, see sip_uri.h. RFC 3261 section 19.1.4. */
#include "base/error.h"
#include "codec/sip/sip_chars.h"
#include "codec/sip/sip_uri.h"

enum { ESCAPED = 0x100 };

/* The next character with its escape undone. One of the reserved set keeps a mark, because there
 * "%3B" and ";" differ. */
static int next_char(struct slice *in, bool nocase)
{
	char c = in->p[0];
	int mark = 0;

	if (c == '%' && in->len >= 3 && sip_hex(in->p[1]) >= 0 && sip_hex(in->p[2]) >= 0) {
		c = (char)(sip_hex(in->p[1]) * 16 + sip_hex(in->p[2]));
		if (c != '\0' && strchr(";/?:@&=+$,", c))
			mark = ESCAPED;
		sip_advance(in, 2);
	}
	sip_advance(in, 1);
	return mark | (unsigned char)(nocase ? ascii_lower(c) : c);
}

static bool equal_unescaped(struct slice a, struct slice b, bool nocase)
{
	while (a.len > 0 && b.len > 0) {
		if (next_char(&a, nocase) != next_char(&b, nocase))
			return false;
	}
	return a.len == 0 && b.len == 0;
}

/* One "name[=value]" off the front of ";a=b;c". */
static bool take_param(struct slice *in, struct slice *name, struct slice *value)
{
	struct slice one;

	if (!slice_skip_char(in, ';'))
		return false;
	for (one = slice_make(in->p, 0); one.len < in->len && one.p[one.len] != ';';)
		one.len++;
	sip_advance(in, one.len);
	*name = slice_take_until(&one, '=', NULL);
	*value = one;
	return true;
}

static bool find_param(struct slice params, struct slice name, struct slice *ret)
{
	struct slice one, value;

	while (take_param(&params, &one, &value)) {
		if (equal_unescaped(one, name, true)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* Parameters that matter even when only one of the two URIs has them. transport is among them: with
 * and without it two URIs may resolve differently. */
static bool matters_alone(struct slice name)
{
	static const char *const names[] = { "user", "ttl", "method", "maddr", "transport" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (equal_unescaped(name, slice_str(names[i]), true))
			return true;
	}
	return false;
}

static bool params_agree(struct slice a, struct slice b)
{
	struct slice params = a, name, value, other;

	while (take_param(&params, &name, &value)) {
		/* of a name that stands twice the first counts */
		(void)find_param(a, name, &value);
		if (find_param(b, name, &other)) {
			if (!equal_unescaped(value, other, true))
				return false;
		} else if (matters_alone(name)) {
			return false;
		}
	}
	return true;
}

/* Every header of a is in b with the same value. */
static bool headers_within(struct slice a, struct slice b)
{
	struct slice name, value;

	while (sip_uri_header_next(&a, &name, &value) > 0) {
		struct slice rest = b, other_name, other;
		bool found = false;

		while (!found && sip_uri_header_next(&rest, &other_name, &other) > 0)
			found = equal_unescaped(name, other_name, true) &&
				equal_unescaped(value, other, false);
		if (!found)
			return false;
	}
	return true;
}

/* RFC 3966 section 4: visual separators do not count. */
static bool same_number(struct slice a, struct slice b)
{
	static const char separators[] = "-.()";

	for (;;) {
		while (a.len > 0 && a.p[0] != '\0' && strchr(separators, a.p[0]))
			sip_advance(&a, 1);
		while (b.len > 0 && b.p[0] != '\0' && strchr(separators, b.p[0]))
			sip_advance(&b, 1);
		if (a.len == 0 || b.len == 0)
			return a.len == b.len;
		if (ascii_lower(a.p[0]) != ascii_lower(b.p[0]))
			return false;
		sip_advance(&a, 1);
		sip_advance(&b, 1);
	}
}

static bool tel_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	struct slice params = a->params, name, value, other;

	if (!same_number(a->user, b->user))
		return false;
	while (take_param(&params, &name, &value)) {
		(void)find_param(a->params, name, &value);
		if (!find_param(b->params, name, &other) || !equal_unescaped(value, other, true))
			return false;
	}
	for (params = b->params; take_param(&params, &name, &value);) {
		if (!find_param(a->params, name, &other))
			return false;
	}
	return true;
}

static bool other_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	struct slice scheme_a = slice_sub(a->text, 0, a->text.len - a->opaque.len);
	struct slice scheme_b = slice_sub(b->text, 0, b->text.len - b->opaque.len);

	return slice_eq_nocase(scheme_a, scheme_b) && slice_eq(a->opaque, b->opaque);
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->scheme != b->scheme)
		return false;
	if (a->scheme == SIP_SCHEME_TEL)
		return tel_equal(a, b);
	if (a->scheme == SIP_SCHEME_OTHER)
		return other_equal(a, b);
	return a->port == b->port && a->has_password == b->has_password &&
	       slice_eq_nocase(a->host, b->host) && equal_unescaped(a->user, b->user, false) &&
	       equal_unescaped(a->password, b->password, false) &&
	       params_agree(a->params, b->params) && params_agree(b->params, a->params) &&
	       headers_within(a->headers, b->headers) && headers_within(b->headers, a->headers);
}

bool sip_uri_same_aor(const struct sip_uri *a, const struct sip_uri *b)
{
	bool sip_a = a->scheme == SIP_SCHEME_SIP || a->scheme == SIP_SCHEME_SIPS;
	bool sip_b = b->scheme == SIP_SCHEME_SIP || b->scheme == SIP_SCHEME_SIPS;

	return sip_a && sip_b && slice_eq_nocase(a->host, b->host) &&
	       equal_unescaped(a->user, b->user, false);
}

bool sip_uri_user_is(const struct sip_uri *uri, struct slice plain)
{
	struct slice user = uri->user;
	size_t n = 0;

	for (; user.len > 0 && n < plain.len; n++) {
		if ((next_char(&user, false) & 0xff) != (unsigned char)plain.p[n])
			return false;
	}
	return user.len == 0 && n == plain.len;
}
