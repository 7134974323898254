/* SPDX-License-Identifier: Apache-2.0 */
/* uc_routing_load.c - the lists of routing in an /uc/export document, into a snapshot. */
#include "node/uc_load_private.h"
#include "node/uc_model_build.h"
#include "node/uc_zone.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define LOCATION_LIMIT 1000
#define IP_PATTERN_LIMIT 256
#define ADAPTATION_LIMIT 1000
#define CONVERSION_LIMIT 200
#define REMOVE_LIMIT 32
#define RANGE_LIMIT 500
#define POLICY_LIMIT 5000
#define TIME_LIMIT 32
#define PATTERN_LIMIT 100000
#define EXPRESSION_LIMIT 500
#define IMPLICIT_LIMIT 1000
#define DOMAIN_LIMIT 1000
#define POLICIES_LIMIT 16 /* of one pattern */
#define EXPRESSION_MAX 256

static int no_memory(const struct uc_place *pl)
{
	return error_set(pl->err, -ENOMEM, "out of memory");
}

/* Room in the snapshot for count structs, of one size each. */
static int room(struct uc_place *pl, size_t count, size_t size, void *ret)
{
	void *memory = uc_model_room(pl->m, count * size);

	if (!memory)
		return no_memory(pl);
	*(void **)ret = memory;
	return 0;
}

typedef int load_fn(struct uc_place *pl, const json_t *object, void *item, size_t i);

/* A list of objects into an array of structs. */
static int load_list(struct uc_place *pl, const json_t *document, const char *name, size_t max,
		     size_t size, load_fn *load, void *ret_items, size_t *ret_count)
{
	const json_t *list;
	size_t count;
	char *items = NULL;
	int r = uc_load_list(pl, document, name, max, &list, &count);

	if (r < 0 || count == 0)
		return r;
	r = room(pl, count, size, &items);
	if (r < 0)
		return r;
	*(void **)ret_items = items;
	for (size_t i = 0; i < count; i++) {
		const json_t *object = json_array_get(list, i);

		uc_load_at(pl, name, i);
		if (!json_is_object(object))
			return uc_load_bad(pl, "", "must be an object");
		*ret_count = i + 1; /* what it owns is freed even when it is half built */
		r = load(pl, object, items + i * size, i);
		if (r < 0)
			return r;
	}
	pl->at[0] = '\0';
	return 0;
}

/* A list of strings inside of an object. */
static int load_texts(struct uc_place *pl, const json_t *object, const char *member, size_t max,
		      size_t length, const char ***ret, size_t *ret_count)
{
	const json_t *list;
	const char **texts = NULL;
	size_t count;
	int r = uc_load_list(pl, object, member, max, &list, &count);

	if (r < 0 || count == 0)
		return r;
	r = room(pl, count, sizeof(*texts), &texts);
	for (size_t i = 0; r == 0 && i < count; i++) {
		const json_t *value = json_array_get(list, i);
		size_t len = json_string_length(value);

		if (!json_is_string(value) || len == 0 || len > length ||
		    memchr(json_string_value(value), '\0', len))
			return uc_load_bad(pl, member, "holds texts");
		texts[i] = uc_model_text(pl->m, json_string_value(value), len);
		if (!texts[i])
			return no_memory(pl);
	}
	*ret = texts;
	*ret_count = count;
	return r;
}

static int add_name(struct uc_place *pl, struct map *map, struct map_node *node, const char *name)
{
	int r = map_add_unique(map, node, slice_str(name));

	return r == -EEXIST ? uc_load_bad(pl, "name", "is there twice") : r;
}

/* The row that a member names; absent: *ret stays NULL. So it does where there are no such rows at all:
 * cm and presence are not given what only sm needs. */
static int load_reference(struct uc_place *pl, const json_t *object, const char *member,
			  const struct map *map, struct map_node **ret)
{
	const char *name = "";
	int r = uc_load_text(pl, object, member, 256, "", &name);

	*ret = NULL;
	if (r < 0 || !*name || map->count == 0)
		return r;
	*ret = map_get(map, slice_str(name));
	return *ret ? 0 : uc_load_bad(pl, member, "names nothing that is there");
}

static int load_location_of(struct uc_place *pl, const json_t *object, const char *member,
			    const struct uc_location **ret)
{
	struct map_node *node;
	int r = load_reference(pl, object, member, &pl->m->routing.by_location, &node);

	if (r == 0 && node)
		*ret = MAP_ENTRY(node, struct uc_location, by_name);
	return r;
}

static int load_zone(struct uc_place *pl, const json_t *object, const struct uc_zone **ret)
{
	const char *name = "";
	struct uc_zone *zone = NULL;
	int r = uc_load_text(pl, object, "time_zone", UC_ZONE_NAME_MAX, "", &name);

	if (r < 0 || !*name)
		return r;
	r = uc_zone_load(name, &zone);
	if (r == -EINVAL)
		return uc_load_bad(pl, "time_zone", "is no name of a time zone");
	if (r < 0) /* a machine without this zone goes on in UTC */
		log_warning("zone.unknown", F("zone", name), F("error", strerror(-r)));
	*ret = zone;
	return 0;
}

/* What entities refer to ------------------------------------------------------------------- */
static int load_domain(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	const char **name = item;
	bool ours = true;
	int r = uc_load_text(pl, object, "name", 253, NULL, name);

	if (r == 0)
		r = uc_load_bool(pl, object, "authoritative", true, &ours);
	if (r == 0 && !ours)
		*name = ""; /* no host is called so */
	return r;
}

static int load_location(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	struct uc_location *l = item;
	const char **texts = NULL;
	int r;

	r = uc_load_text(pl, object, "name", 256, NULL, &l->name);
	if (r == 0)
		r = load_zone(pl, object, &l->zone);
	if (r == 0)
		r = load_texts(pl, object, "patterns", IP_PATTERN_LIMIT, 128, &texts, &l->count);
	if (r == 0 && l->count)
		r = room(pl, l->count, sizeof(*l->patterns), &l->patterns);
	if (r < 0)
		l->count = 0;
	for (size_t j = 0; r == 0 && j < l->count; j++) {
		if (uc_ip_pattern_read(slice_str(texts[j]), &l->patterns[j]) < 0)
			return uc_load_bad(pl, "patterns", "holds what is no pattern of addresses");
		l->patterns[j].text = texts[j];
	}
	return r < 0 ? r : add_name(pl, &pl->m->routing.by_location, &l->by_name, l->name);
}

static int load_conversion(struct uc_place *pl, const json_t *object, struct uc_digit_conversion *c)
{
	static const char *const directions[] = { "ingress", "egress" };
	static const char *const addresses[] = { "origination", "destination", "both" };
	int direction = 0, address = 0, r;

	r = uc_load_choice(pl, object, "direction", directions, 2, -1, &direction);
	if (r == 0)
		r = uc_load_choice(pl, object, "address", addresses, 3, 1, &address);
	if (r == 0)
		r = uc_load_text(pl, object, "match", UC_DIGITS_MAX, NULL, &c->match);
	if (r == 0)
		r = uc_load_u32(pl, object, "min", 1, UC_DIGITS_MAX, 1, &c->min);
	if (r == 0)
		r = uc_load_u32(pl, object, "max", 1, UC_DIGITS_MAX, UC_DIGITS_MAX, &c->max);
	if (r == 0)
		r = uc_load_u32(pl, object, "delete", 0, UC_DIGITS_MAX, 0, &c->cut);
	if (r == 0)
		r = uc_load_text(pl, object, "insert", UC_DIGITS_MAX, "", &c->insert);
	if (r < 0)
		return r;
	if (uc_pattern_check(c->match) < 0)
		return uc_load_bad(pl, "digit_conversions", "has a match that is no pattern");
	if (*c->insert && strspn(c->insert, "0123456789+*#") != strlen(c->insert))
		return uc_load_bad(pl, "digit_conversions", "inserts what are no digits");
	c->direction = (enum uc_direction)direction;
	c->origination = address != 1;
	c->destination = address != 0;
	return 0;
}

static int load_side(struct uc_place *pl, const json_t *object, const char *prefix,
		     struct uc_adaptation_side *side)
{
	char member[48];
	int r;

	snprintf(member, sizeof(member), "%s_domain", prefix);
	r = uc_load_text(pl, object, member, 253, "", &side->domain);
	snprintf(member, sizeof(member), "%s_source_domain", prefix);
	if (r == 0)
		r = uc_load_text(pl, object, member, 253, "", &side->source_domain);
	snprintf(member, sizeof(member), "%s_remove_headers", prefix);
	if (r == 0)
		r = load_texts(pl, object, member, REMOVE_LIMIT, 64, &side->remove,
			       &side->remove_count);
	return r;
}

static int load_adaptation(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	static const char *const states[] = { "enabled", "disabled", "test_only" };
	struct uc_adaptation *a = item;
	const json_t *list = NULL;
	size_t count = 0;
	int state = 0, r;

	r = uc_load_text(pl, object, "name", 256, NULL, &a->name);
	if (r == 0)
		r = uc_load_choice(pl, object, "state", states, 3, 0, &state);
	if (r == 0)
		r = uc_load_bool(pl, object, "from_to", false, &a->from_to);
	if (r == 0)
		r = load_side(pl, object, "ingress", &a->side[UC_INGRESS]);
	if (r == 0)
		r = load_side(pl, object, "egress", &a->side[UC_EGRESS]);
	if (r == 0)
		r = uc_load_list(pl, object, "digit_conversions", CONVERSION_LIMIT, &list, &count);
	if (r == 0 && count)
		r = room(pl, count, sizeof(*a->conversions), &a->conversions);
	for (size_t j = 0; r == 0 && j < count; j++)
		r = load_conversion(pl, json_array_get(list, j), &a->conversions[j]);
	if (r < 0)
		return r;
	a->state = (enum uc_adaptation_state)state;
	a->count = count;
	return add_name(pl, &pl->m->routing.by_adaptation, &a->by_name, a->name);
}

int uc_routing_load_before(struct uc_place *pl, const json_t *document)
{
	struct uc_routing *ro = &pl->m->routing;
	int r;

	r = load_list(pl, document, "domains", DOMAIN_LIMIT, sizeof(*ro->domains), load_domain,
		      &ro->domains, &ro->domain_count);
	if (r == 0)
		r = load_list(pl, document, "locations", LOCATION_LIMIT, sizeof(*ro->locations),
			      load_location, &ro->locations, &ro->location_count);
	if (r == 0)
		r = load_list(pl, document, "adaptations", ADAPTATION_LIMIT,
			      sizeof(*ro->adaptations), load_adaptation, &ro->adaptations,
			      &ro->adaptation_count);
	return r;
}

/* Entities and users ------------------------------------------------------------------------- */
static int load_down_on(struct uc_place *pl, const json_t *object, struct uc_monitoring *m)
{
	const char **texts = NULL;
	const json_t *list = json_object_get(object, "down_on");
	uint32_t status;
	int r;

	if (!list || json_is_null(list))
		return 0;
	r = load_texts(pl, object, "down_on", UC_DOWN_ON_MAX, 3, &texts, &m->down_on_count);
	for (size_t i = 0; r == 0 && i < m->down_on_count; i++) {
		if (slice_to_u32(slice_str(texts[i]), &status) < 0 || status < 300 || status > 699)
			return uc_load_bad(pl, "monitoring/down_on", "holds what is no status");
		m->down_on[i] = (uint16_t)status;
	}
	return r;
}

static int load_monitoring(struct uc_place *pl, const json_t *entity, struct uc_monitoring *m)
{
	const json_t *object = json_object_get(entity, "monitoring");
	int r;

	*m = (struct uc_monitoring){ true, 900, 120, 1, 0, { 0 } };
	if (!object || json_is_null(object))
		return 0;
	if (!json_is_object(object))
		return uc_load_bad(pl, "monitoring", "must be an object");
	r = uc_load_bool(pl, object, "enabled", true, &m->enabled);
	if (r == 0)
		r = uc_load_u32(pl, object, "proactive_s", 1, 9000, 900, &m->proactive_s);
	if (r == 0)
		r = uc_load_u32(pl, object, "reactive_s", 1, 900, 120, &m->reactive_s);
	if (r == 0)
		r = uc_load_u32(pl, object, "retries", 0, 15, 1, &m->retries);
	return r < 0 ? r : load_down_on(pl, object, m);
}

static int load_registration(struct uc_place *pl, const json_t *entity,
			     const struct uc_registration **ret)
{
	const json_t *object = json_object_get(entity, "registration");
	struct uc_registration *reg = NULL;
	int r;

	if (!object || json_is_null(object))
		return 0;
	if (!json_is_object(object))
		return uc_load_bad(pl, "registration", "must be an object or null");
	r = room(pl, 1, sizeof(*reg), &reg);
	if (r < 0)
		return r;
	r = uc_load_text(pl, object, "registrar", 255, NULL, &reg->registrar);
	if (r == 0)
		r = uc_load_text(pl, object, "user", 128, NULL, &reg->user);
	if (r == 0)
		r = uc_load_text(pl, object, "auth_user", 128, reg->user, &reg->auth_user);
	if (r == 0)
		r = uc_load_text(pl, object, "password", 256, "", &reg->password);
	if (r == 0)
		r = uc_load_u32(pl, object, "expires_s", 30, 86400, 3600, &reg->expires_s);
	if (r == 0)
		*ret = reg;
	return r;
}

int uc_routing_load_entity(struct uc_place *pl, const json_t *object, struct uc_entity *entity)
{
	struct map_node *node = NULL;
	int r;

	r = load_location_of(pl, object, "location", &entity->location);
	if (r == 0)
		r = load_reference(pl, object, "adaptation", &pl->m->routing.by_adaptation, &node);
	if (r == 0 && node)
		entity->adaptation = MAP_ENTRY(node, struct uc_adaptation, by_name);
	if (r == 0)
		r = uc_load_u32(pl, object, "timer_b_s", 1, 32, 4, &entity->timer_b_s);
	if (r == 0)
		r = load_monitoring(pl, object, &entity->monitoring);
	if (r == 0)
		r = load_registration(pl, object, &entity->registration);
	if (r == 0)
		r = uc_load_u32(pl, object, "max_calls", 0, 100000, 0, &entity->max_calls);
	if (r < 0)
		return r;
	entity->link_count = 1;
	entity->links[0] = (struct uc_entity_link){ .transport = (uint8_t)entity->transport,
						    .port = entity->port,
						    .trusted = entity->trusted };
	return 0;
}

int uc_routing_load_home(struct uc_place *pl, const json_t *object, const struct uc_location **ret)
{
	return load_location_of(pl, object, "location", ret);
}

/* What refers to entities -------------------------------------------------------------------- */
static int load_entity_of(struct uc_place *pl, const json_t *object, const char *member,
			  struct uc_entity **ret)
{
	struct map_node *node;
	int r = load_reference(pl, object, member, &pl->m->by_entity, &node);

	*ret = r == 0 && node ? &MAP_ENTRY(node, struct uc_entity_slot, by_name)->entity : NULL;
	return r;
}

static int load_link(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	static const char *const transports[] = { "udp", "tcp", "tls" };
	struct uc_entity_link link = { 0 };
	struct uc_entity *entity;
	uint32_t port = 0;
	int transport = 0, r;

	r = load_entity_of(pl, object, "entity", &entity);
	if (r == 0 && !entity)
		return uc_load_bad(pl, "entity", "is missing");
	if (r == 0)
		r = uc_load_choice(pl, object, "transport", transports, 3, UC_TLS, &transport);
	if (r == 0)
		r = uc_load_u32(pl, object, "port", 1, 65535, transport == UC_TLS ? 5061 : 5060,
				&port);
	if (r == 0)
		r = uc_load_bool(pl, object, "trusted", false, &link.trusted);
	if (r == 0)
		r = uc_load_bool(pl, object, "deny_new_service", false, &link.deny_new_service);
	if (r < 0)
		return r;
	link.transport = (uint8_t)transport;
	link.port = (uint16_t)port;
	for (size_t j = 0; j < entity->link_count; j++)
		if (entity->links[j].transport == link.transport &&
		    entity->links[j].port == link.port) {
			/* Said again, with more: the entity's own first link, for instance. */
			link.trusted = link.trusted || entity->links[j].trusted;
			entity->links[j] = link;
			return 0;
		}
	if (entity->link_count == UC_ENTITY_LINKS_MAX)
		return uc_load_bad(pl, "entity", "has too many links");
	entity->links[entity->link_count++] = link;
	return 0;
}

static int load_minutes(struct uc_place *pl, const json_t *object, const char *member,
			uint16_t *ret)
{
	const char *text = "";
	struct slice rest, hour;
	uint32_t h, m;
	int r = uc_load_text(pl, object, member, 8, NULL, &text);

	if (r < 0)
		return r;
	rest = slice_str(text);
	hour = slice_take_until(&rest, ':', NULL);
	if (hour.len != 2 || rest.len != 2 || slice_to_u32(hour, &h) < 0 ||
	    slice_to_u32(rest, &m) < 0 || h > 24 || m > 59 || (h == 24 && m))
		return uc_load_bad(pl, member, "is no time like 08:30");
	*ret = (uint16_t)(h * 60 + m);
	return 0;
}

static int load_range(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	struct uc_time_range *range = item;
	const char **names = NULL;
	size_t count = 0;
	int r;

	r = uc_load_text(pl, object, "name", 256, NULL, &range->name);
	if (r == 0)
		r = load_texts(pl, object, "days", 7, 3, &names, &count);
	if (r == 0)
		r = load_minutes(pl, object, "start", &range->start);
	if (r == 0)
		r = load_minutes(pl, object, "end", &range->finish);
	for (size_t j = 0; r == 0 && j < count; j++) {
		unsigned day = 0;

		while (day < 7 && !slice_eq_str_nocase(slice_str(names[j]), days[day]))
			day++;
		if (day == 7)
			return uc_load_bad(pl, "days", "holds mon, tue, wed, thu, fri, sat, sun");
		range->days |= (uint8_t)(1U << day);
	}
	return r < 0 ? r : add_name(pl, &pl->m->routing.by_range, &range->by_name, range->name);
}

static int load_time(struct uc_place *pl, const json_t *object, struct uc_policy_time *time)
{
	struct map_node *node;
	int r = load_reference(pl, object, "time_range", &pl->m->routing.by_range, &node);

	if (r == 0 && node)
		time->range = MAP_ENTRY(node, struct uc_time_range, by_name);
	return r < 0 ? r : uc_load_u32(pl, object, "rank", 0, 100, 0, &time->rank);
}

static int load_policy(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	static const struct uc_policy_time always[1];
	struct uc_policy *policy = item;
	struct uc_entity *entity = NULL;
	const json_t *list = NULL;
	size_t count = 0;
	int r;

	r = uc_load_text(pl, object, "name", 256, NULL, &policy->name);
	if (r == 0)
		r = load_entity_of(pl, object, "entity", &entity);
	if (r == 0 && !entity)
		return uc_load_bad(pl, "entity", "is missing");
	if (r == 0)
		r = uc_load_bool(pl, object, "disabled", false, &policy->disabled);
	if (r == 0)
		r = uc_load_list(pl, object, "times", TIME_LIMIT, &list, &count);
	if (r == 0)
		r = room(pl, count ? count : 1, sizeof(*policy->times), &policy->times);
	for (size_t j = 0; r == 0 && j < count; j++)
		r = load_time(pl, json_array_get(list, j), &policy->times[j]);
	if (r < 0)
		return r;
	policy->entity = entity;
	policy->count = count;
	if (!json_object_get(object, "times")) { /* none said: always */
		policy->times[0] = always[0];
		policy->count = 1;
	}
	return add_name(pl, &pl->m->routing.by_policy, &policy->by_name, policy->name);
}

static int load_policies(struct uc_place *pl, const json_t *object, const struct uc_policy ***ret,
			 size_t *ret_count)
{
	const struct uc_policy **policies = NULL;
	const char **names = NULL;
	size_t count = 0;
	int r = load_texts(pl, object, "policies", POLICIES_LIMIT, 256, &names, &count);

	if (r < 0 || count == 0)
		return r;
	r = room(pl, count, sizeof(*policies), &policies);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct map_node *node = map_get(&pl->m->routing.by_policy, slice_str(names[i]));

		if (!node)
			return uc_load_bad(pl, "policies", "names no policy");
		policies[i] = MAP_ENTRY(node, struct uc_policy, by_name);
	}
	*ret = policies;
	*ret_count = count;
	return r;
}

/* pattern, min and max of anything that matches digits. */
static int load_digits(struct uc_place *pl, const json_t *object, const char **pattern,
		       uint32_t *min, uint32_t *max)
{
	int r = uc_load_text(pl, object, "pattern", UC_DIGITS_MAX, NULL, pattern);

	if (r < 0)
		return r;
	if (uc_pattern_check(*pattern) < 0)
		return uc_load_bad(pl, "pattern", "is made of digits, + * # and x");
	r = uc_load_u32(pl, object, "min", 1, UC_DIGITS_MAX, (uint32_t)strlen(*pattern), min);
	if (r == 0)
		r = uc_load_u32(pl, object, "max", 1, UC_DIGITS_MAX, UC_DIGITS_MAX, max);
	return r == 0 && *min > *max ? uc_load_bad(pl, "max", "is less than min") : r;
}

static int load_domain_of(struct uc_place *pl, const json_t *object, const char **ret)
{
	int r = uc_load_text(pl, object, "domain", 253, "", ret);

	if (r == 0 && !**ret)
		*ret = NULL;
	return r;
}

static int load_pattern(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	struct uc_dial_pattern *p = item;
	size_t stem;
	int r;

	r = load_digits(pl, object, &p->pattern, &p->min, &p->max);
	if (r == 0)
		r = uc_load_bool(pl, object, "emergency", false, &p->emergency);
	if (r == 0)
		r = uc_load_bool(pl, object, "deny", false, &p->deny);
	if (r == 0)
		r = load_domain_of(pl, object, &p->domain);
	if (r == 0)
		r = load_location_of(pl, object, "location", &p->location);
	if (r == 0)
		r = load_policies(pl, object, &p->policies, &p->count);
	if (r < 0)
		return r;
	p->index = i;
	p->length = strlen(p->pattern);
	for (const char *c = p->pattern; *c; c++)
		p->literals += *c != 'x';
	stem = strcspn(p->pattern, "x");
	r = map_add(&pl->m->routing.by_stem, &p->by_stem, slice_make(p->pattern, stem));
	return r < 0 ? no_memory(pl) : 0;
}

static int load_expression(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	struct uc_regular_expression *e = item;
	int r;

	r = uc_load_text(pl, object, "pattern", EXPRESSION_MAX, NULL, &e->pattern);
	if (r == 0)
		r = uc_load_u32(pl, object, "rank", 0, 10000, 0, &e->rank);
	if (r == 0)
		r = uc_load_bool(pl, object, "deny", false, &e->deny);
	return r < 0 ? r : load_policies(pl, object, &e->policies, &e->count);
}

static int load_sequence_of(struct uc_place *pl, const json_t *object, const char *member,
			    const struct uc_sequence **ret)
{
	const char *name = "";
	int r = uc_load_text(pl, object, member, 64, "", &name);

	if (r < 0 || !*name)
		return r;
	for (size_t i = 0; i < pl->m->sequence_count; i++)
		if (strcmp(pl->m->sequences[i].name, name) == 0) {
			*ret = &pl->m->sequences[i];
			return 0;
		}
	return uc_load_bad(pl, member, "names no sequence");
}

static int load_implicit(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	struct uc_implicit_user *u = item;
	int r;

	r = load_digits(pl, object, &u->pattern, &u->min, &u->max);
	if (r == 0)
		r = load_domain_of(pl, object, &u->domain);
	if (r == 0)
		r = load_sequence_of(pl, object, "origination_sequence", &u->origination);
	return r < 0 ? r : load_sequence_of(pl, object, "termination_sequence", &u->termination);
}

static int load_settings(struct uc_place *pl, const json_t *document)
{
	const json_t *settings = json_object_get(document, "settings");
	struct uc_routing *ro = &pl->m->routing;
	struct uc_entity *proxy = NULL;
	int r;

	if (!settings || json_is_null(settings))
		return 0;
	if (!json_is_object(settings))
		return uc_load_bad(pl, "settings", "must be an object");
	r = uc_load_bool(pl, settings, "better_match_all_overrides", false,
			 &ro->better_match_all_overrides);
	if (r == 0)
		r = uc_load_bool(pl, settings, "emergency_unauthenticated", false,
				 &ro->emergency_unauthenticated);
	if (r == 0)
		r = load_entity_of(pl, settings, "outbound_proxy", &proxy);
	ro->outbound_proxy = proxy;
	return r;
}

int uc_routing_load_after(struct uc_place *pl, const json_t *document)
{
	struct uc_routing *ro = &pl->m->routing;
	void *links;
	size_t link_count = 0;
	int r;

	r = load_list(pl, document, "entity_links", UC_ENTITY_LIMIT * 4, sizeof(char), load_link,
		      &links, &link_count);
	if (r == 0)
		r = load_list(pl, document, "time_ranges", RANGE_LIMIT, sizeof(*ro->ranges),
			      load_range, &ro->ranges, &ro->range_count);
	if (r == 0)
		r = load_list(pl, document, "routing_policies", POLICY_LIMIT, sizeof(*ro->policies),
			      load_policy, &ro->policies, &ro->policy_count);
	if (r == 0)
		r = load_list(pl, document, "dial_patterns", PATTERN_LIMIT, sizeof(*ro->patterns),
			      load_pattern, &ro->patterns, &ro->pattern_count);
	if (r == 0)
		r = load_list(pl, document, "regular_expressions", EXPRESSION_LIMIT,
			      sizeof(*ro->expressions), load_expression, &ro->expressions,
			      &ro->expression_count);
	if (r == 0)
		r = load_list(pl, document, "implicit_users", IMPLICIT_LIMIT, sizeof(*ro->implicit),
			      load_implicit, &ro->implicit, &ro->implicit_count);
	return r < 0 ? r : load_settings(pl, document);
}
