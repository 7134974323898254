/* SPDX-License-Identifier: Apache-2.0 */
/* way.c - the next hop of a request: whose it is and over which flow it is reached. */
#include "sm/way.h"

#include "base/error.h"
#include "codec/sip/sip_msg.h"
#include "sm/entity.h"
#include "sm/location.h"
#include "sm/resolve.h"
#include "stack/sip/sip_wire.h"

/* Through the edge proxies that it registered by. */
static bool path_of(struct sm *sm, const char *path, struct sip_flow *ret)
{
	struct slice values = slice_str(path), first;
	struct sip_addr addr;

	return sip_value_take(&values, &first) && sip_addr_parse(first, &addr) == 0 &&
	       sip_wire_resolve(sm->wire, &addr.uri, ret) == 0;
}

static bool address_of(struct sm *sm, const struct binding *binding, struct sip_flow *ret)
{
	struct sip_uri uri;

	if (binding->path)
		return path_of(sm, binding->path, ret);
	*ret = (struct sip_flow){ .transport = binding->transport,
				  .listen = SIP_LISTEN_ANY,
				  .connection = binding->flow,
				  .remote = binding->source };
	if (binding->flow || (binding->by_source && binding->transport == SIP_TRANSPORT_UDP))
		return true;
	/* Without a connection (UDP, or restored after a restart) where the Contact says. */
	if (sip_uri_parse(slice_str(binding->uri), &uri) == 0 &&
	    resolve_uri(sm, &uri, ret, NULL) == 0)
		return true;
	return binding->transport == SIP_TRANSPORT_UDP;
}

bool way_to_binding(struct sm *sm, const struct binding *binding, struct sip_flow *ret)
{
	bool found = address_of(sm, binding, ret);

	ret->datagram = binding->only_udp;
	return found;
}

static struct peer phone_over(const struct sip_flow *flow)
{
	return (struct peer){ .kind = sip_flow_is_reliable(flow) ? TRUST_PHONE_STREAM
								 : TRUST_PHONE_UDP };
}

int way_to_uri(struct sm *sm, const struct sip_uri *uri, struct peer *peer, struct sip_flow *ret,
	       struct sip_locate_wait *wait)
{
	const struct binding *binding = location_by_contact(sm->location, uri->text);
	int r;

	if (binding && way_to_binding(sm, binding, ret)) {
		*peer = phone_over(ret);
		return 0;
	}
	r = resolve_uri(sm, uri, ret, wait);
	if (r < 0)
		return r;
	*peer = phone_over(ret);
	for (struct entity *e = entity_next(sm->entities, NULL); e;
	     e = entity_next(sm->entities, e))
		if (entity_owns(e, &(struct sip_flow){ .remote = ret->remote })) {
			*peer = peer_of_entity(e);
			break;
		}
	return 0;
}

int way_next_uri(const struct sip_msg *request, unsigned popped, struct sip_uri *ret)
{
	struct sip_values it = sip_values_of(request, SIP_HDR_ROUTE);
	struct sip_addr route;
	struct slice value;

	while (sip_values_next(&it, &value)) {
		if (popped-- > 0)
			continue;
		if (sip_addr_parse(value, &route) < 0)
			return -EBADMSG;
		*ret = route.uri;
		return 0;
	}
	return sip_msg_request_uri(request, ret) < 0 ? -EBADMSG : 0;
}

int way_next(struct sm *sm, const struct sip_msg *request, unsigned popped, struct peer *peer,
	     struct sip_flow *ret, struct sip_locate_wait *wait)
{
	struct sip_uri uri;
	int r = way_next_uri(request, popped, &uri);

	return r < 0 ? r : way_to_uri(sm, &uri, peer, ret, wait);
}

int way_in_dialog(struct sm *sm, const struct sip_msg *request, unsigned popped,
		  const struct sip_flow *known, struct peer *peer, struct sip_flow *ret,
		  struct sip_locate_wait *wait)
{
	if (!known || sip_values_count(request, SIP_HDR_ROUTE) > popped)
		return way_next(sm, request, popped, peer, ret, wait);
	*ret = *known;
	*peer = phone_over(known);
	return 0;
}
