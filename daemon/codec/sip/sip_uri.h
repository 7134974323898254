/* SPDX-License-Identifier: Apache-2.0 */
/* sip_uri.h - SIP, SIPS and tel URIs; other schemes are kept as they are.
 * RFC 3261 sections 19.1 and 25.1, RFC 3966. Slices point into the parsed text. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf;

/* Parameters, and headers, of one URI; one with more is malformed. Comparing is quadratic in them. */
#define SIP_URI_PARAMS_MAX 64

enum sip_scheme {
	SIP_SCHEME_OTHER = 0, /* well-formed, of a scheme that we do not route */
	SIP_SCHEME_SIP,
	SIP_SCHEME_SIPS,
	SIP_SCHEME_TEL
};

enum sip_host_kind { SIP_HOST_NONE = 0, SIP_HOST_NAME, SIP_HOST_IPV4, SIP_HOST_IPV6 };

struct sip_uri {
	enum sip_scheme scheme;
	enum sip_host_kind host_kind;
	uint16_t port; /* 0 = none written */
	bool has_password;
	struct slice text;     /* the whole URI */
	struct slice user;     /* still escaped; of tel: the number; empty when there is none */
	struct slice password; /* still escaped */
	struct slice host;     /* IPv6 without its brackets */
	struct slice params;   /* with the leading ";"; empty when there are none */
	struct slice headers;  /* after the "?"; empty when there are none */
	struct slice opaque;   /* SIP_SCHEME_OTHER: what stands after "scheme:" */
};

/* host [ ":" port ] from the front of in (hostname, IPv4, [IPv6]). 0 or -EBADMSG. */
int sip_hostport_take(struct slice *in, struct slice *host, enum sip_host_kind *kind,
		      uint16_t *port);

/* The whole input is one URI, without LWS around it. 0 or -EBADMSG. */
int sip_uri_parse(struct slice in, struct sip_uri *ret);

/* URI parameter by name in any case; ret may be NULL, the value is still escaped. */
bool sip_uri_param(const struct sip_uri *uri, struct slice name, struct slice *ret);

/* Next "name=value" of the header part; consumes from *headers. 1, 0 at the end, -EBADMSG. */
int sip_uri_header_next(struct slice *headers, struct slice *name, struct slice *value);

/* RFC 3261 section 19.1.4; tel: by digits without visual separators (RFC 3966 section 4); other
 * schemes byte by byte after the scheme. */
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);
/* Same scheme class (sip and sips alike), user and host: what an address of record is matched by. */
bool sip_uri_same_aor(const struct sip_uri *a, const struct sip_uri *b);
/* Whether the unescaped user part is exactly that text. */
bool sip_uri_user_is(const struct sip_uri *uri, struct slice plain);

/* Undo %XX. Returns the length written (never above in.len) or -ENOBUFS. A "%" that no two hex
 * digits follow stays as it is. */
int sip_unescape(struct slice in, char *out, size_t cap);
/* Append text to a user part, escaping what may not stand there. */
void sip_escape_user(struct buf *out, struct slice plain);
/* The same for a parameter name or value. */
void sip_escape_param(struct buf *out, struct slice plain);
