/* SPDX-License-Identifier: Apache-2.0 */
/* sip_via.h - one value of a Via header field. RFC 3261 section 20.42, RFC 3581 (rport). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "codec/sip/sip_uri.h"

/* Branches made after RFC 3261 start so; what follows must not be empty. */
#define SIP_BRANCH_MAGIC "z9hG4bK"

enum sip_transport {
	SIP_TRANSPORT_OTHER = 0,
	SIP_TRANSPORT_UDP,
	SIP_TRANSPORT_TCP,
	SIP_TRANSPORT_TLS,
	SIP_TRANSPORT_WS,
	SIP_TRANSPORT_WSS,
	SIP_TRANSPORT_SCTP
};

struct sip_via {
	enum sip_transport transport;
	enum sip_host_kind host_kind;
	uint16_t port;	/* 0 = none written */
	uint16_t rport; /* 0 = no value */
	bool version_2; /* protocol is SIP/2.0 */
	bool has_rport; /* rport present, with or without a value */
	struct slice transport_name;
	struct slice host;   /* sent-by; IPv6 without its brackets */
	struct slice params; /* with the leading ";" */
	struct slice branch; /* empty when there is none */
	struct slice received;
	struct slice maddr;
	struct slice received_text, rport_text; /* whole parameters with their ";", for the stamp */
};

/* One value, the whole input. 0 or -EBADMSG. */
int sip_via_parse(struct slice in, struct sip_via *ret);
/* The value as a server must keep it (RFC 3261 section 18.2.1, RFC 3581 section 4): received= when the
 * source is not the sent-by host or rport was asked for, rport= filled when it was asked for or forced.
 * Received and rport that the peer wrote itself go. source is numeric, IPv6 without brackets.
 * Returns the length written to out, -EBADMSG no Via, -ENOBUFS; value.len + 80 always suffices. */
int sip_via_stamp(struct slice value, struct slice source, uint16_t port, bool force_rport,
		  char *out, size_t cap);
/* The same of a value that was parsed before; *ret is what was written, parsed: slices of out. */
int sip_via_stamp_parsed(struct slice value, const struct sip_via *parsed, struct slice source,
			 uint16_t port, bool force_rport, char *out, size_t cap,
			 struct sip_via *ret);
/* Branch starts with the magic cookie and has something after it. */
bool sip_via_branch_is_3261(const struct sip_via *via);
/* "UDP" and so on; empty for SIP_TRANSPORT_OTHER. Static storage. */
struct slice sip_transport_name(enum sip_transport transport);
/* In any letter case. */
enum sip_transport sip_transport_lookup(struct slice name);
