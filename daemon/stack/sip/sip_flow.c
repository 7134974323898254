/* SPDX-License-Identifier: Apache-2.0 */
/* sip_flow.c - see sip_flow.h. */
#include "stack/sip/sip_flow.h"

bool sip_flow_equal(const struct sip_flow *a, const struct sip_flow *b)
{
	if (a->transport != b->transport)
		return false;
	if (a->connection != 0 || b->connection != 0)
		return a->connection == b->connection;
	return addr_equal(&a->remote, &b->remote);
}

const char *sip_flow_transport_text(const struct sip_flow *flow)
{
	switch (flow->transport) {
	case SIP_TRANSPORT_TCP:
		return "tcp";
	case SIP_TRANSPORT_TLS:
		return "tls";
	case SIP_TRANSPORT_WS:
		return "ws";
	case SIP_TRANSPORT_WSS:
		return "wss";
	default:
		return "udp";
	}
}
