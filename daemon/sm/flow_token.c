/* SPDX-License-Identifier: Apache-2.0 */
/* flow_token.c - the flows of a dialog's phones in its Record-Route, see flow_token.h.
 *
 * TOKEN = stream "-" seal / datagram "-" seal; stream = "c" epoch "." connection, all in hex;
 * datagram = "u" listen "." port "." address, address in hex: 4 or 16 bytes. */
#include "sm/flow_token.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "codec/sip/sip_uri.h"
#include "net/digest.h"
#include "stack/sip/sip_wire.h"

#define TEXT_MAX 64

static void append_datagram(const struct sip_flow *flow, char text[static TEXT_MAX])
{
	char hex[33];

	if (addr_family(&flow->remote) == AF_INET6)
		digest_to_hex(flow->remote.in6.sin6_addr.s6_addr, 16, hex);
	else
		digest_to_hex((const uint8_t *)&flow->remote.in4.sin_addr, 4, hex);
	(void)snprintf(text, TEXT_MAX, "u%x.%x.%s", flow->listen, addr_port(&flow->remote), hex);
}

/* A datagram phone needs it only where its Contact does not lead to it. */
static bool is_needed(const struct sip_flow *flow, const struct sip_uri *contact)
{
	struct addr named;

	if (sip_flow_is_reliable(flow))
		return flow->connection != 0;
	return contact && addr_parse_ip(contact->host, 0, &named) == 0 &&
	       !addr_equal_ip(&named, &flow->remote);
}

void flow_token_write(const struct sm *sm, const struct sip_flow *flow, enum trust_peer peer,
		      const struct sip_uri *contact, struct slice call_id, bool in, struct buf *out)
{
	char text[TEXT_MAX], seal[ODI_COOKIE_SIZE];

	if (!trust_is_phone(peer) || !is_needed(flow, contact))
		return;
	if (sip_flow_is_reliable(flow))
		(void)snprintf(text, sizeof(text), "c%" PRIx32 ".%" PRIx64, sm->epoch,
			       flow->connection);
	else
		append_datagram(flow, text);
	odi_seal_flow(sm->key, slice_str(text), call_id, seal);
	buf_printf(out, ";f%c=%s-%s", in ? 'i' : 'o', text, seal);
}

static bool take_hex(struct slice *in, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; n < in->len && n < 16; n++) {
		char c = in->p[n];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
						   : -1;

		if (digit < 0)
			break;
		value = value << 4 | (uint64_t)digit;
	}
	if (n == 0 || value > max)
		return false;
	*in = slice_sub(*in, n, in->len);
	*ret = value;
	return true;
}

static bool read_stream(const struct sm *sm, struct slice text, struct sip_flow *ret)
{
	uint64_t epoch, connection;

	if (!take_hex(&text, UINT32_MAX, &epoch) || !slice_skip_char(&text, '.') ||
	    !take_hex(&text, UINT64_MAX, &connection) || text.len || epoch != sm->epoch)
		return false;
	*ret = (struct sip_flow){ .transport = SIP_TRANSPORT_TCP,
				  .listen = SIP_LISTEN_ANY,
				  .connection = connection };
	return connection != 0;
}

static bool read_datagram(struct slice text, struct sip_flow *ret)
{
	uint8_t raw[16];
	uint64_t listen, port;
	struct sip_flow out = { .transport = SIP_TRANSPORT_UDP };

	if (!take_hex(&text, SIP_LISTEN_MAX, &listen) || !slice_skip_char(&text, '.') ||
	    !take_hex(&text, UINT16_MAX, &port) || !slice_skip_char(&text, '.'))
		return false;
	if (text.len == 32 && digest_from_hex(text, raw, 16) == 16) {
		out.remote.in6.sin6_family = AF_INET6;
		memcpy(&out.remote.in6.sin6_addr, raw, 16);
		out.remote.len = sizeof(out.remote.in6);
	} else if (text.len == 8 && digest_from_hex(text, raw, 4) == 4) {
		out.remote.in4.sin_family = AF_INET;
		memcpy(&out.remote.in4.sin_addr, raw, 4);
		out.remote.len = sizeof(out.remote.in4);
	} else {
		return false;
	}
	addr_set_port(&out.remote, (uint16_t)port);
	out.listen = (uint32_t)listen;
	out.datagram = true; /* nobody listens behind a translator */
	*ret = out;
	return true;
}

static bool read_one(const struct sm *sm, const struct sip_uri *route, struct slice name,
		     struct slice call_id, struct sip_flow *ret)
{
	char seal[ODI_COOKIE_SIZE];
	struct slice value, text;
	bool found;

	if (!sip_uri_param(route, name, &value) || value.len >= TEXT_MAX + ODI_COOKIE_SIZE)
		return false;
	text = slice_take_until(&value, '-', &found);
	odi_seal_flow(sm->key, text, call_id, seal);
	if (!found || !digest_equal_slice(value, slice_str(seal)))
		return false;
	if (slice_skip_char(&text, 'c'))
		return read_stream(sm, text, ret);
	return slice_skip_char(&text, 'u') && read_datagram(text, ret);
}

void flow_token_read(const struct sm *sm, const struct sip_uri *route, struct slice call_id,
		     struct flow_pair *ret)
{
	ret->has_in = ret->has_in || read_one(sm, route, SLICE("fi"), call_id, &ret->in);
	ret->has_out = ret->has_out || read_one(sm, route, SLICE("fo"), call_id, &ret->out);
}

static bool is_flow(const struct sip_flow *token, const struct sip_flow *from)
{
	if (token->connection || from->connection)
		return token->connection == from->connection;
	return addr_equal(&token->remote, &from->remote);
}

const struct sip_flow *flow_token_way(const struct sm *sm, const struct flow_pair *pair,
				      const struct sip_flow *from, bool entity)
{
	const struct sip_flow *way = NULL;

	if (entity)
		way = pair->has_in ? &pair->in : pair->has_out ? &pair->out : NULL;
	else if (pair->has_in && is_flow(&pair->in, from))
		way = pair->has_out ? &pair->out : NULL;
	else if (pair->has_out && is_flow(&pair->out, from))
		way = pair->has_in ? &pair->in : NULL;
	return way && sip_wire_is_open(sm->wire, way) ? way : NULL;
}
