/* SPDX-License-Identifier: Apache-2.0 */
/* uc_routing_load.c - the lists of routing in an /uc/export document, into a snapshot. */
#include "node/uc_load_private.h"
#include "node/uc_model_build.h"

#include <stdio.h>
#include <string.h>

/* What entities refer to ------------------------------------------------------------------- */
static int load_domain(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	const char **name = item;
	bool ours = true;
	int r = uc_load_text(pl, object, "name", UC_DOMAIN_MAX, NULL, name);

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

	r = uc_load_text(pl, object, "name", UC_NAME_MAX, NULL, &l->name);
	if (r == 0)
		r = uc_load_zone(pl, object, &l->zone);
	if (r == 0)
		r = uc_load_texts(pl, object, "patterns", UC_IP_PATTERNS_MAX, 128, &texts,
				  &l->count);
	if (r == 0 && l->count)
		r = uc_load_room(pl, l->count, sizeof(*l->patterns), &l->patterns);
	if (r < 0)
		l->count = 0;
	for (size_t j = 0; r == 0 && j < l->count; j++) {
		if (uc_ip_pattern_read(slice_str(texts[j]), &l->patterns[j]) < 0)
			return uc_load_bad(pl, "patterns", "holds what is no pattern of addresses");
		l->patterns[j].text = texts[j];
	}
	return r < 0 ? r : uc_load_name(pl, &pl->m->routing.by_location, &l->by_name, l->name);
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
	r = uc_load_text(pl, object, member, UC_DOMAIN_MAX, "", &side->domain);
	snprintf(member, sizeof(member), "%s_source_domain", prefix);
	if (r == 0)
		r = uc_load_text(pl, object, member, UC_DOMAIN_MAX, "", &side->source_domain);
	snprintf(member, sizeof(member), "%s_remove_headers", prefix);
	if (r == 0)
		r = uc_load_texts(pl, object, member, UC_REMOVED_HEADERS_MAX, UC_HEADER_NAME_MAX,
				  &side->remove, &side->remove_count);
	return r;
}

static int load_adaptation(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	static const char *const states[] = { "enabled", "disabled", "test_only" };
	struct uc_adaptation *a = item;
	const json_t *list = NULL;
	size_t count = 0;
	int state = 0, r;

	r = uc_load_text(pl, object, "name", UC_NAME_MAX, NULL, &a->name);
	if (r == 0)
		r = uc_load_choice(pl, object, "state", states, 3, 0, &state);
	if (r == 0)
		r = uc_load_bool(pl, object, "from_to", false, &a->from_to);
	if (r == 0)
		r = load_side(pl, object, "ingress", &a->side[UC_INGRESS]);
	if (r == 0)
		r = load_side(pl, object, "egress", &a->side[UC_EGRESS]);
	if (r == 0)
		r = uc_load_list(pl, object, "digit_conversions", UC_CONVERSIONS_MAX, &list,
				 &count);
	if (r == 0 && count)
		r = uc_load_room(pl, count, sizeof(*a->conversions), &a->conversions);
	for (size_t j = 0; r == 0 && j < count; j++)
		r = load_conversion(pl, json_array_get(list, j), &a->conversions[j]);
	if (r < 0)
		return r;
	a->state = (enum uc_adaptation_state)state;
	a->count = count;
	return uc_load_name(pl, &pl->m->routing.by_adaptation, &a->by_name, a->name);
}

int uc_routing_load_before(struct uc_place *pl, const json_t *document)
{
	struct uc_routing *ro = &pl->m->routing;
	int r;

	r = uc_load_rows(pl, document, "domains", UC_DOMAINS_MAX, sizeof(*ro->domains), load_domain,
			 &ro->domains, &ro->domain_count);
	if (r == 0)
		r = uc_load_rows(pl, document, "locations", UC_LOCATIONS_MAX,
				 sizeof(*ro->locations), load_location, &ro->locations,
				 &ro->location_count);
	if (r == 0)
		r = uc_load_rows(pl, document, "adaptations", UC_ADAPTATIONS_MAX,
				 sizeof(*ro->adaptations), load_adaptation, &ro->adaptations,
				 &ro->adaptation_count);
	return r;
}

/* What refers to entities -------------------------------------------------------------------- */
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

	r = uc_load_text(pl, object, "name", UC_NAME_MAX, NULL, &range->name);
	if (r == 0)
		r = uc_load_texts(pl, object, "days", 7, 3, &names, &count);
	if (r == 0)
		r = load_minutes(pl, object, "start", &range->start);
	if (r == 0)
		r = load_minutes(pl, object, "end", &range->finish);
	if (count == 0)
		range->days = 0x7f; /* not said: every day */
	for (size_t j = 0; r == 0 && j < count; j++) {
		unsigned day = 0;

		while (day < 7 && !slice_eq_str_nocase(slice_str(names[j]), days[day]))
			day++;
		if (day == 7)
			return uc_load_bad(pl, "days", "holds mon, tue, wed, thu, fri, sat, sun");
		range->days |= (uint8_t)(1U << day);
	}
	return r < 0 ? r : uc_load_name(pl, &pl->m->routing.by_range, &range->by_name, range->name);
}

static int load_time(struct uc_place *pl, const json_t *object, struct uc_policy_time *time)
{
	struct map_node *node;
	int r = uc_load_reference(pl, object, "time_range", &pl->m->routing.by_range, &node);

	if (r == 0 && node)
		time->range = MAP_ENTRY(node, struct uc_time_range, by_name);
	return r < 0 ? r : uc_load_u32(pl, object, "rank", 0, UC_RANK_MAX, 0, &time->rank);
}

static int load_policy(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	static const struct uc_policy_time always[1];
	struct uc_policy *policy = item;
	struct uc_entity *entity = NULL;
	const json_t *list = NULL;
	size_t count = 0;
	int r;

	r = uc_load_text(pl, object, "name", UC_NAME_MAX, NULL, &policy->name);
	if (r == 0)
		r = uc_load_entity_of(pl, object, "entity", &entity);
	if (r == 0 && !entity)
		return uc_load_bad(pl, "entity", "is missing");
	if (r == 0)
		r = uc_load_bool(pl, object, "disabled", false, &policy->disabled);
	if (r == 0)
		r = uc_load_list(pl, object, "times", UC_POLICY_TIMES_MAX, &list, &count);
	if (r == 0)
		r = uc_load_room(pl, count ? count : 1, sizeof(*policy->times), &policy->times);
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
	return uc_load_name(pl, &pl->m->routing.by_policy, &policy->by_name, policy->name);
}

static int load_policies(struct uc_place *pl, const json_t *object, const struct uc_policy ***ret,
			 size_t *ret_count)
{
	const struct uc_policy **policies = NULL;
	const char **names = NULL;
	size_t count = 0;
	int r = uc_load_texts(pl, object, "policies", UC_PATTERN_POLICIES_MAX, UC_NAME_MAX, &names,
			      &count);

	if (r < 0 || count == 0)
		return r;
	r = uc_load_room(pl, count, sizeof(*policies), &policies);
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
	int r = uc_load_text(pl, object, "domain", UC_DOMAIN_MAX, "", ret);

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
		r = uc_load_location(pl, object, "location", &p->location);
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
	return r < 0 ? uc_load_no_memory(pl) : 0;
}

static int load_expression(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	struct uc_regular_expression *e = item;
	int r;

	r = uc_load_text(pl, object, "pattern", UC_EXPRESSION_MAX, NULL, &e->pattern);
	if (r == 0)
		r = uc_load_u32(pl, object, "rank", 0, UC_EXPRESSION_RANK_MAX, 0, &e->rank);
	if (r == 0)
		r = uc_load_bool(pl, object, "deny", false, &e->deny);
	return r < 0 ? r : load_policies(pl, object, &e->policies, &e->count);
}

static int load_sequence_of(struct uc_place *pl, const json_t *object, const char *member,
			    const struct uc_sequence **ret)
{
	const char *name = "";
	int r = uc_load_text(pl, object, member, UC_NAME_MAX, "", &name);

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
		r = uc_load_entity_of(pl, settings, "outbound_proxy", &proxy);
	ro->outbound_proxy = proxy;
	return r;
}

int uc_routing_load_after(struct uc_place *pl, const json_t *document)
{
	struct uc_routing *ro = &pl->m->routing;
	int r;

	r = uc_load_links(pl, document);
	if (r == 0)
		r = uc_load_rows(pl, document, "time_ranges", UC_TIME_RANGES_MAX,
				 sizeof(*ro->ranges), load_range, &ro->ranges, &ro->range_count);
	if (r == 0)
		r = uc_load_rows(pl, document, "routing_policies", UC_POLICIES_MAX,
				 sizeof(*ro->policies), load_policy, &ro->policies,
				 &ro->policy_count);
	if (r == 0)
		r = uc_load_rows(pl, document, "dial_patterns", UC_DIAL_PATTERNS_MAX,
				 sizeof(*ro->patterns), load_pattern, &ro->patterns,
				 &ro->pattern_count);
	if (r == 0)
		r = uc_load_rows(pl, document, "regular_expressions", UC_EXPRESSIONS_MAX,
				 sizeof(*ro->expressions), load_expression, &ro->expressions,
				 &ro->expression_count);
	if (r == 0)
		r = uc_load_rows(pl, document, "implicit_users", UC_IMPLICIT_USERS_MAX,
				 sizeof(*ro->implicit), load_implicit, &ro->implicit,
				 &ro->implicit_count);
	if (r == 0)
		r = load_settings(pl, document);
	return r < 0 ? r : uc_firewall_load(pl, document);
}
