/* SPDX-License-Identifier: Apache-2.0 */
/* sip_check.h - what a server must do with a message before it looks at its meaning.
 * RFC 3261 sections 8.2, 16.3 and 18.3; the cases of RFC 4475 are its test. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "codec/sip/sip_header.h"

struct sip_msg;

enum sip_verdict_kind {
	SIP_VERDICT_OK = 0,
	SIP_VERDICT_RESPOND, /* a request to be answered with status */
	SIP_VERDICT_DROP     /* a response or an ACK, or nothing that could be answered */
};

struct sip_verdict {
	enum sip_verdict_kind kind;
	unsigned status; /* 400, 413, 416, 420, 483, 505 ...; 0 unless RESPOND */
	const char
		*reason; /* one short English sentence, static; also the reason phrase of a 400 */
	enum sip_header_id header; /* the field at fault, SIP_HDR_OTHER when it is none */
	bool unsupported;	   /* 420: list what sip_check_unsupported() gives */
};

enum sip_role {
	SIP_ROLE_PROXY, /* Proxy-Require counts, Max-Forwards 0 is 483, unknown methods pass */
	SIP_ROLE_UAS,	/* Require counts, unknown methods are 501 */
};

struct sip_check_rules {
	enum sip_role role;
	const struct slice *options; /* option tags that this element supports */
	size_t option_count;
	size_t body_max; /* longer bodies are 413; 0 = no limit of its own */
	bool any_scheme; /* Request-URI of an unknown scheme is no 416 */
};

/* rules NULL = a proxy that supports no options. Always fills ret. */
void sip_msg_check(const struct sip_msg *msg, const struct sip_check_rules *rules,
		   struct sip_verdict *ret);
/* The nth (from 0) option tag that msg requires and rules do not offer; false when there are no
 * more. For the Unsupported field of a 420. */
bool sip_check_unsupported(const struct sip_msg *msg, const struct sip_check_rules *rules, size_t n,
			   struct slice *ret);
/* OK, RESPOND, DROP. */
const char *sip_verdict_name(enum sip_verdict_kind kind);
