/* SPDX-License-Identifier: Apache-2.0 */
/* sip_auth.h - Digest challenges and credentials as fields. RFC 3261 section 22, RFC 7616, RFC 8760.
 * Reads only; whether a response is right is the stack's to say. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* Values are without quotes; sip_unquote() undoes the backslashes that may stand in them.
 * A field that is absent has p == NULL; one that is written empty has len == 0. */
struct sip_auth {
	bool digest; /* scheme is Digest in any letter case; else only scheme is filled */
	bool stale;
	uint32_t nc_value; /* of nc, 0 when absent */
	struct slice scheme;
	struct slice username;
	struct slice realm;
	struct slice nonce;
	struct slice uri;
	struct slice response;
	struct slice algorithm;
	struct slice cnonce;
	struct slice opaque;
	struct slice qop; /* credentials: one token; challenge: the list as written */
	struct slice nc;  /* 8 hex digits */
	struct slice domain;
};

/* WWW-Authenticate, Proxy-Authenticate, Authorization, Proxy-Authorization: the whole field value.
 * 0 or -EBADMSG (a field twice, nc not 8 hex digits, broken quoting). */
int sip_auth_parse(struct slice in, struct sip_auth *ret);
/* Whether a challenge's qop list holds that word. */
bool sip_auth_qop_has(const struct sip_auth *auth, struct slice word);
