/* SPDX-License-Identifier: Apache-2.0 */
/* sip_stun.c - STUN on the SIP ports: who keeps his translator's mapping alive is told how he is seen.
 * RFC 5626 sections 4.4.2 and 8, RFC 8489 section 6.3.1. */
#include "base/buf.h"
#include "codec/stun/stun_msg.h"
#include "net/udp.h"
#include "stack/sip/sip_wire_private.h"

static struct slice bytes_of(const struct addr *addr)
{
	const struct in6_addr *in6 = &addr->in6.sin6_addr;

	if (addr_family(addr) == AF_INET)
		return slice_make(&addr->in4.sin_addr, 4);
	return IN6_IS_ADDR_V4MAPPED(in6) ? slice_make(in6->s6_addr + 12, 4)
					 : slice_make(in6->s6_addr, 16);
}

int sip_stun_received(struct sip_wire *wire, struct slice bytes, const struct sip_flow *flow)
{
	struct stun_msg msg;
	AUTO_BUF out = { 0 };
	int r = stun_parse(bytes, &msg);

	if (r < 0)
		return r;
	/* An indication is alive and wants nothing; answers are to nobody. */
	if (msg.type != STUN_BINDING_REQUEST)
		return 0;
	stun_write_binding(&msg, bytes_of(&flow->remote), addr_port(&flow->remote), &out);
	/* Not by sip_wire_send(): it is no SIP, and not for the trace. */
	if (!buf_ok(&out) ||
	    udp_send(wire->points[flow->listen]->udp, &flow->remote, buf_slice(&out)) < 0)
		return 0;
	wire->stats.stun++;
	return 0;
}
