/* SPDX-License-Identifier: Apache-2.0 */
/* sip_addr.h - name-addr / addr-spec with header parameters: From, To, Contact, Route and kin.
 * RFC 3261 sections 20.10 and 25.1. Slices point into the parsed text. */
#pragma once
#include <stdbool.h>

#include "base/slice.h"
#include "codec/sip/sip_uri.h"

struct sip_addr {
	bool wildcard;	      /* Contact: * ; all else is then empty */
	bool bracketed;	      /* <uri>: parameters inside belong to the URI */
	bool display_quoted;  /* display stood in quotes and may hold backslash escapes */
	struct slice display; /* without quotes; empty when there is none */
	struct sip_uri uri;
	struct slice params; /* header parameters with the leading ";"; empty when there are none */
	struct slice tag;    /* the first parameter of that name; empty when there is none */
	bool has_tag, tag_doubtful; /* doubtful: there are two, or it is no token */
};

/* One value, the whole input (LWS around it is allowed). 0 or -EBADMSG.
 * Without brackets everything after the first ";" is a header parameter, and "?" and "," are
 * refused (RFC 3261 section 20). */
int sip_addr_parse(struct slice in, struct sip_addr *ret);
/* Header parameter by name in any case; ret may be NULL. */
bool sip_addr_param(const struct sip_addr *addr, struct slice name, struct slice *ret);
/* The tag, empty when there is none. */
struct slice sip_addr_tag(const struct sip_addr *addr);
