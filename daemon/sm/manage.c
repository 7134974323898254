/* SPDX-License-Identifier: Apache-2.0 */
/* manage.c - what the management API shows of sm: registrations, calls, entities. */
#include "sm/manage.h"

#include "base/json_field.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "node/node.h"
#include "sm/calls.h"
#include "sm/entity.h"
#include "sm/explain.h"
#include "sm/firewall.h"
#include "sm/location.h"
#include "sm/notifier.h"
#include "sm/secrets.h"
#include "sm/sm.h"
#include "stack/sip/sip_flow.h"

struct walk {
	struct sm *sm;
	const char *handle; /* NULL: all */
	json_t *items;
};

static void add_binding(void *user, const char *handle, const struct binding *b)
{
	struct walk *walk = user;
	struct slice domain = sm_domain(walk->sm);
	const struct sip_flow flow = { .transport = b->transport };
	char source[ADDR_TEXT_MAX], expires[CLOCK_RFC3339_SIZE];
	char aor[512];

	if (walk->handle && strcmp(walk->handle, handle) != 0)
		return;
	snprintf(aor, sizeof(aor), "sip:%s@%.*s", handle, SLICE_ARG(domain));
	json_array_append_new(walk->items, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "handle",
						     handle, "aor", aor, "contact", b->uri,
						     "transport", sip_flow_transport_text(&flow),
						     "source", addr_format(&b->source, source),
						     "user_agent", b->user_agent, "expires_at",
						     clock_format(b->expires_ms, expires)));
}

static int get_registrations(void *server, const json_t *query, json_t **ret, struct error *err)
{
	struct walk walk = { .sm = server, .items = json_array() };

	const char *since = json_string_value(json_object_get(query, "since"));
	char version[24];

	if (!walk.items)
		return error_set(err, -ENOMEM, "out of memory");
	(void)snprintf(version, sizeof(version), "%" PRIx64,
		       location_version(walk.sm->location) ^ slice_hash(sm_domain(walk.sm)));
	if (since && strcmp(since, version) == 0) {
		json_decref(walk.items);
		*ret = json_pack("{s:b,s:s}", "unchanged", 1, "version", version);
		return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
	}
	walk.handle = json_string_value(json_object_get(query, "handle"));
	location_walk(walk.sm->location, add_binding, &walk);
	*ret = json_pack("{s:o,s:s}", "items", walk.items, "version", version);
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int get_calls(void *server, const json_t *query, json_t **ret, struct error *err)
{
	struct sm *sm = server;

	*ret = calls_to_json(sm->calls);
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int get_entities(void *server, const json_t *query, json_t **ret, struct error *err)
{
	struct sm *sm = server;
	json_t *items = json_array();

	for (struct entity *e = entity_next(sm->entities, NULL); e;
	     e = entity_next(sm->entities, e))
		json_array_append_new(items, entity_to_json(e));
	*ret = json_pack("{s:o}", "items", items);
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int get_subscriptions(void *server, const json_t *query, json_t **ret, struct error *err)
{
	struct sm *sm = server;
	json_t *items = notifier_to_json(sm->notifier);

	*ret = items ? json_pack("{s:o}", "items", items) : NULL;
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int get_firewall(void *server, const json_t *query, json_t **ret, struct error *err)
{
	struct sm *sm = server;

	*ret = firewall_to_json(sm->firewall, sm_now_ms(sm));
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int get_quarantine(void *server, const json_t *query, json_t **ret, struct error *err)
{
	struct sm *sm = server;
	AUTO(json) json_t *all = firewall_to_json(sm->firewall, sm_now_ms(sm));

	*ret = all ? json_pack("{s:O}", "items", json_object_get(all, "quarantined")) : NULL;
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static const struct json_field release_fields[] = {
	JSON_MEMBER(STRING, "address", .nullable = true, .min = 1, .max = ADDR_TEXT_MAX),
	JSON_END,
};

/* Out of quarantine: one address, or without one all. */
static int post_release(void *server, const json_t *body, json_t **ret, struct error *err)
{
	struct sm *sm = server;
	const char *text;
	struct addr addr;
	size_t count;
	int r = json_check(body, release_fields, err);

	if (r < 0)
		return r;
	text = json_string_value(json_object_get(body, "address"));
	if (text && addr_parse_ip(slice_str(text), 0, &addr) < 0)
		return error_field(err, -EINVAL, "/address", "is no IP address");
	count = firewall_release(sm->firewall, text ? &addr : NULL, sm_now_ms(sm));
	if (count > 0)
		log_info("firewall.released", F("source", text ? text : "all"),
			 F("count", (uint64_t)count));
	*ret = json_pack("{s:I}", "released", (json_int_t)count);
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

const struct node_route manage_routes[MANAGE_ROUTES] = {
	{ "/v1/registrations", get_registrations, NULL, NULL },
	{ "/v1/calls", get_calls, NULL, NULL },
	{ "/v1/entities", get_entities, NULL, NULL },
	{ "/v1/subscriptions", get_subscriptions, NULL, NULL },
	{ "/v1/firewall", get_firewall, NULL, NULL },
	{ "/v1/firewall/quarantine", get_quarantine, NULL, NULL },
	{ "/v1/firewall/release", NULL, post_release, release_fields },
	{ "/v1/secrets-key", NULL, secrets_post, secrets_fields },
	{ "/v1/route-test", NULL, explain_post, explain_fields },
};
