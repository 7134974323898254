/* SPDX-License-Identifier: Apache-2.0 */
/* places.c - the routing decision as the running server asks it. */
#include "sm/places.h"

#include "codec/sip/sip_uri.h"
#include "node/uc_model.h"
#include "sm/entity.h"
#include "sm/sm.h"
#include "stack/sip/sip_wire.h"

enum route_link places_link(void *user, const struct uc_entity *row, const char **why)
{
	struct sm *sm = user;
	const struct entity *e = entity_by_name(sm->entities, slice_str(row->name));

	*why = "it has no usable address";
	return e ? entity_route_link(e, why) : ROUTE_LINK_DOWN;
}

struct route_query places_query(struct sm *sm, const struct places_origin *origin, struct slice uri)
{
	const struct uc_model *model = sm_model(sm);
	const struct uc_entity *row = NULL;
	struct route_query q = {
		.uri = uri,
		.at_ms = sm_wall_ms(sm),
		.link = places_link,
		.link_user = sm,
		.may_leave = origin->user || origin->trusted,
	};
	struct sip_uri parsed;

	if (sip_uri_parse(uri, &parsed) == 0 && parsed.host.len)
		q.own_host = sip_wire_uri_is_mine(sm->wire, &parsed);
	if (origin->entity)
		row = uc_entity_by_name(model, origin->entity->name, strlen(origin->entity->name));
	if (row) {
		q.actual = row->location;
		q.zone = row->zone;
	}
	if (!q.actual && origin->source.len)
		q.actual = uc_location_of(uc_model_routing(model), &origin->source);
	if (origin->user)
		q.home = origin->user->home;
	return q;
}
