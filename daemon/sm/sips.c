/* SPDX-License-Identifier: Apache-2.0 */
/* sips.c - see sips.h. */
#include "sm/sips.h"

#include "base/buf.h"
#include "stack/sip/sip_flow.h"

bool sips_is(struct slice uri)
{
	return slice_starts_with_nocase(uri, SLICE("sips:"));
}

bool sips_hop(enum trust_peer peer, const struct sip_flow *flow)
{
	if (flow->transport == SIP_TRANSPORT_TLS || flow->transport == SIP_TRANSPORT_WSS)
		return true;
	return (peer == TRUST_CM || peer == TRUST_PRESENCE) && addr_is_loopback(&flow->remote);
}

void sips_to_sip(struct slice uri, struct buf *out)
{
	(void)slice_take_until(&uri, ':', NULL);
	buf_add_str(out, "sip:");
	buf_add_slice(out, uri);
}

void sips_warning(struct slice domain, struct buf *out)
{
	buf_printf(out, "Warning: 380 %.*s \"SIPS Not Allowed\"\r\n", SLICE_ARG(domain));
}
