/* SPDX-License-Identifier: Apache-2.0 */
/* sip_auth.c - see sip_auth.h. RFC 3261 section 25.1: challenge, credentials. */
#include "codec/sip/sip_auth.h"

#include <errno.h>

#include "base/error.h"
#include "codec/sip/sip_chars.h"
#include "codec/sip/sip_token.h"

static const struct {
	struct slice name;
	size_t offset;
} members[] = {
#define MEMBER(name)                                                                               \
	{                                                                                          \
		{ #name, sizeof(#name) - 1 }, offsetof(struct sip_auth, name)                      \
	}
	MEMBER(username), MEMBER(realm),     MEMBER(nonce),  MEMBER(uri),
	MEMBER(response), MEMBER(algorithm), MEMBER(cnonce), MEMBER(opaque),
	MEMBER(qop),	  MEMBER(nc),	     MEMBER(domain),
#undef MEMBER
};

static struct slice *member_of(struct sip_auth *auth, struct slice name)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		/* the letters that names begin with differ from their large ones in one bit */
		if (name.len == members[i].name.len && (name.p[0] | 0x20) == members[i].name.p[0] &&
		    slice_eq_nocase(name, members[i].name))
			return (struct slice *)(void *)((char *)auth + members[i].offset);
	}
	return NULL;
}

/* name EQUAL ( token / quoted-string ) */
static int take_field(struct slice *in, struct slice *name, struct slice *value)
{
	*name = sip_take_class(in, SIP_C_TOKEN);
	if (name->len == 0)
		return -EBADMSG;
	sip_skip_lws(in);
	if (!slice_skip_char(in, '='))
		return -EBADMSG;
	sip_skip_lws(in);
	if (sip_peek(*in) == '"')
		return sip_take_quoted(in, value);
	*value = sip_take_class(in, SIP_C_VALUE);
	return value->len > 0 ? 0 : -EBADMSG;
}

/* nc-value = 8LHEX */
static int read_nc(struct sip_auth *auth)
{
	if (!auth->nc.p)
		return 0;
	if (auth->nc.len != 8)
		return -EBADMSG;
	for (size_t i = 0; i < 8; i++) {
		int digit = sip_hex(auth->nc.p[i]);

		if (digit < 0)
			return -EBADMSG;
		auth->nc_value = auth->nc_value * 16 + (uint32_t)digit;
	}
	return 0;
}

/* auth-param *(COMMA auth-param) */
static int parse_fields(struct slice in, struct sip_auth *auth)
{
	bool stale_seen = false;

	do {
		struct slice name, value, *member;

		sip_skip_lws(&in);
		if (take_field(&in, &name, &value) < 0)
			return -EBADMSG;
		member = member_of(auth, name);
		if (member) {
			if (member->p)
				return -EBADMSG;
			*member = value;
		} else if (slice_eq_nocase(name, SLICE("stale"))) {
			if (stale_seen)
				return -EBADMSG;
			stale_seen = true;
			auth->stale = slice_eq_nocase(value, SLICE("true"));
		}
		sip_skip_lws(&in);
	} while (slice_skip_char(&in, ','));
	return in.len == 0 ? 0 : -EBADMSG;
}

int sip_auth_parse(struct slice in, struct sip_auth *ret)
{
	struct sip_auth out = { 0 };

	in = sip_trim(in);
	out.scheme = sip_take_class(&in, SIP_C_TOKEN);
	if (out.scheme.len == 0 || sip_skip_lws(&in) == 0)
		return -EBADMSG;
	out.digest = slice_eq_nocase(out.scheme, SLICE("Digest"));
	if (out.digest && (parse_fields(in, &out) < 0 || read_nc(&out) < 0))
		return -EBADMSG;
	*ret = out;
	return 0;
}

bool sip_auth_qop_has(const struct sip_auth *auth, struct slice word)
{
	struct slice rest = auth->qop;

	while (rest.len > 0) {
		if (slice_eq_nocase(sip_trim(slice_take_until(&rest, ',', NULL)), word))
			return true;
	}
	return false;
}
