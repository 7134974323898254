/* SPDX-License-Identifier: Apache-2.0 */
/* sip_flow.h - where a message goes to or came from: listen point and remote address, or one
 * connection. A plain value that may be kept; a connection's number is never used again. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "codec/sip/sip_via.h"
#include "net/addr.h"

#define SIP_FLOW_NAME_MAX 64 /* of the TLS name, with NUL */

struct sip_flow {
	enum sip_transport transport; /* UDP, TCP, TLS, WS or WSS */
	uint32_t listen;     /* index of the listen point; SIP_LISTEN_ANY = the wire chooses */
	uint64_t connection; /* TCP, TLS: this connection and no other; 0 = by address */
	struct addr remote;
	bool datagram;			  /* UDP however long the request: TCP was tried in vain */
	char tls_name[SIP_FLOW_NAME_MAX]; /* whom the certificate must name; "" = remote's IP */
};
#define SIP_LISTEN_ANY UINT32_MAX

/* Same way: transport and connection, or transport and remote address. */
bool sip_flow_equal(const struct sip_flow *a, const struct sip_flow *b);
/* A WebSocket: only ever opened by the peer, and found again by its connection alone. */
static inline bool sip_transport_is_ws(enum sip_transport transport)
{
	return transport == SIP_TRANSPORT_WS || transport == SIP_TRANSPORT_WSS;
}
static inline bool sip_flow_is_reliable(const struct sip_flow *flow)
{
	return flow->transport != SIP_TRANSPORT_UDP;
}
/* "udp" "tcp" "tls" "ws" "wss", as in logs and traces. Static storage. */
const char *sip_flow_transport_text(const struct sip_flow *flow);
