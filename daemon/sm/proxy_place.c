/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_place.c - a request to where a URI says, its next Route or its Request-URI: found by the DNS where
 * it is a name, and sent to the next place when one does not answer (RFC 3263 section 4.3). */
#include "base/error.h"
#include "codec/sip/sip_msg.h"
#include "sm/entity.h"
#include "sm/proxy_private.h"
#include "sm/resolve.h"
#include "sm/way.h"
#include "stack/sip/sip_txn.h"

#define PLACES_MAX 4	       /* of one request */
#define PLACE_PATIENCE_MS 4000 /* with a place of which there are others */

static int next_uri(const struct proxy *p, struct sip_uri *ret)
{
	if (p->elsewhere)
		return sip_uri_parse(proxy_uri(p), ret);
	return way_next_uri(p->request, p->pop_routes, ret);
}

static void refuse(struct proxy *p, int r)
{
	if (p->sips && r == -EPROTONOSUPPORT)
		proxy_exposed(p);
	else if (p->elsewhere)
		proxy_refuse(p, 404, SLICE(""));
	else
		proxy_refuse(p, r == -EBADMSG ? 400 : p->in_dialog ? 481 : 404, SLICE(""));
}

static void woken(struct sip_locate_wait *wait, int r)
{
	struct proxy *p = CONTAINER_OF(wait, struct proxy, place_wait);

	proxy_enter(p);
	if (p->server && !p->finished && !p->cancelled)
		proxy_to_place(p);
	proxy_leave(p);
}

/* Errors: what way_to_uri() and branch_start() give. */
static int start(struct proxy *p, const struct sip_uri *uri)
{
	struct branch_spec spec = { .breadth = sip_guard_max_breadth(p->request) };
	int r;

	p->place_wait.woken = woken;
	if (p->elsewhere)
		r = way_to_uri(p->sm, uri, &spec.to, &spec.flow, &p->place_wait);
	else
		r = way_in_dialog(p->sm, p->request, p->pop_routes, p->way_known ? &p->way : NULL,
				  &spec.to, &spec.flow, &p->place_wait);
	if (r < 0)
		return r;
	if (spec.to.entity && !entity_usable(spec.to.entity)) {
		proxy_unavailable(p, spec.to.entity->name);
		return 0;
	}
	spec.named = !p->way_known && resolve_is_name(uri);
	if (spec.named)
		spec.timeout_ms = PLACE_PATIENCE_MS;
	return branch_start(p, &spec);
}

void proxy_to_place(struct proxy *p)
{
	struct sip_uri uri;
	int r;

	proxy_enter(p);
	r = next_uri(p, &uri);
	if (r == 0)
		r = start(p, &uri);
	if (r < 0 && r != -EINPROGRESS)
		refuse(p, r);
	proxy_leave(p);
}

bool proxy_next_place(struct proxy *p, struct branch *b)
{
	struct sip_uri uri;

	if (!b->named || b->provisional || b->given_up || p->cancelled || p->finished ||
	    !p->server || p->places == PLACES_MAX || next_uri(p, &uri) < 0)
		return false;
	if (!resolve_uri_failed(p->sm, &uri, &b->asked))
		return false;
	p->places++;
	return start(p, &uri) == 0;
}
