/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_route.c - a request that no user of ours gets: to the entities that routing names, one after
 * the other, or out. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "codec/sip/sip_msg.h"
#include "node/metrics.h"
#include "node/uc_model.h"
#include "sm/entity.h"
#include "sm/link.h"
#include "sm/places.h"
#include "sm/proxy_private.h"
#include "stack/sip/sip_stack.h"

struct proxy_alternates {
	size_t count, next;
	struct entity *full; /* the last that was passed over because it is */
	bool exposed;	     /* one was, because a sips: request would go there in clear */
	struct entity *entities[ROUTE_CANDIDATES_MAX];
};

static void origin_of(struct proxy *p, struct places_origin *ret)
{
	const struct call_origin *origin = calls_origin(p->sm->calls, slice_str(p->gsid));

	*ret = (struct places_origin){ .source = p->in_flow.remote,
				       .entity = p->from.entity,
				       .trusted = trust_is_internal(p->from.kind) };
	if (origin) {
		ret->source = origin->source;
		ret->entity = origin->entity;
		ret->trusted = origin->trusted;
	}
	if (origin && origin->caller[0])
		ret->user = sequence_user(sm_model(p->sm), slice_str(origin->caller));
}

static int start_alternate(struct proxy *p, struct entity *e, const struct entity_way *way)
{
	struct branch_spec spec = { .to = peer_of_way(way),
				    .flow = way->flow,
				    .alternate = true,
				    .timeout_ms = e->timer_b_ms,
				    .breadth = sip_guard_max_breadth(p->request) };
	int r = branch_start(p, &spec);

	if (r == -ECONNREFUSED || r == -EHOSTUNREACH || r == -ENOTCONN)
		entity_refused(e, &spec.flow);
	return r;
}

bool proxy_next_alternate(struct proxy *p)
{
	struct proxy_alternates *a = p->alternates;
	const char *why = "";

	if (p->finished || p->cancelled || !p->server)
		return false;
	while (a && a->next < a->count) {
		struct entity *e = a->entities[a->next++];
		enum route_link link = entity_route_link(e, &why);
		const struct entity_way *way = p->sips ? entity_way_sips(e) : entity_way_best(e);

		if (link == ROUTE_LINK_FULL && !p->emergency)
			a->full = e;
		if (link != ROUTE_LINK_UP && link != ROUTE_LINK_UNKNOWN &&
		    !(link == ROUTE_LINK_FULL && p->emergency))
			continue;
		if (!way) {
			a->exposed = true;
			continue;
		}
		if (p->invite && !entity_seat_take(e, p->request, p->emergency)) {
			a->full = e;
			continue;
		}
		if (start_alternate(p, e, way) < 0) {
			entity_seat_leave(e, p->request);
			continue;
		}
		if (a->next > 1)
			metric_add(p->sm->metrics, SM_ALTERNATE_ROUTES, 1);
		return true;
	}
	return false;
}

bool proxy_is_retried(unsigned status)
{
	return status == 408 || status == 503 || status == 504;
}

static int keep_alternates(struct proxy *p, const struct route *route)
{
	p->alternates = calloc(1, sizeof(*p->alternates));
	if (!p->alternates)
		return -ENOMEM;
	for (size_t i = 0; i < route->count; i++) {
		struct entity *e = entity_by_name(p->sm->entities,
						  slice_str(route->candidates[i].entity->name));

		if (e)
			p->alternates->entities[p->alternates->count++] = e;
	}
	return 0;
}

static void to_entities(struct proxy *p, const struct route *route)
{
	if (keep_alternates(p, route) < 0) {
		proxy_refuse(p, 500, SLICE(""));
		return;
	}
	if (proxy_next_alternate(p))
		return;
	if (p->alternates->full)
		proxy_full(p, p->alternates->full->name);
	else if (p->alternates->exposed)
		proxy_exposed(p);
	else
		proxy_unavailable(p, route->candidates[0].entity->name);
}

void proxy_route(struct proxy *p)
{
	struct places_origin origin;
	struct route_query query;
	struct route route;

	origin_of(p, &origin);
	query = places_query(p->sm, &origin, proxy_uri(p));
	route_decide(p->sm->routes, &query, NULL, &route);
	metric_add(p->sm->metrics, SM_ROUTED, 1);
	switch (route.outcome) {
	case ROUTE_USER:
		proxy_to_user(p, route.user);
		break;
	case ROUTE_ENTITY:
		to_entities(p, &route);
		break;
	case ROUTE_ELSEWHERE:
		p->elsewhere = true;
		proxy_to_place(p);
		break;
	case ROUTE_DOWN: /* an emergency goes where others have no room, and who is full says so */
		to_entities(p, &route);
		break;
	case ROUTE_DENIED:
	case ROUTE_NOT_FOUND:
		proxy_refuse(p, route.status, SLICE(""));
		break;
	}
}
