/* SPDX-License-Identifier: Apache-2.0 */
/* uc_entity_load.c - SIP entities and their links in an /uc/export document, into a snapshot. */
#include "node/uc_load_private.h"
#include "node/uc_model_build.h"

#include <string.h>

static int load_down_on(struct uc_place *pl, const json_t *object, struct uc_monitoring *m)
{
	const char **texts = NULL;
	const json_t *list = json_object_get(object, "down_on");
	uint32_t status;
	int r;

	if (!list || json_is_null(list))
		return 0;
	r = uc_load_texts(pl, object, "down_on", UC_DOWN_ON_MAX, 3, &texts, &m->down_on_count);
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
		r = uc_load_u32(pl, object, "proactive_s", 1, UC_PROACTIVE_MAX_S, 900,
				&m->proactive_s);
	if (r == 0)
		r = uc_load_u32(pl, object, "reactive_s", 1, UC_REACTIVE_MAX_S, 120,
				&m->reactive_s);
	if (r == 0)
		r = uc_load_u32(pl, object, "retries", 0, UC_RETRIES_MAX, 1, &m->retries);
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
	r = uc_load_room(pl, 1, sizeof(*reg), &reg);
	if (r < 0)
		return r;
	r = uc_load_text(pl, object, "registrar", UC_REGISTRAR_MAX, NULL, &reg->registrar);
	if (r == 0)
		r = uc_load_text(pl, object, "user", UC_REG_USER_MAX, NULL, &reg->user);
	if (r == 0)
		r = uc_load_text(pl, object, "auth_user", UC_REG_USER_MAX, reg->user,
				 &reg->auth_user);
	if (r == 0)
		r = uc_load_text(pl, object, "password", UC_REG_PASSWORD_MAX, "", &reg->password);
	if (r == 0)
		r = uc_load_text(pl, object, "password_sealed", UC_REG_SEALED_MAX, "",
				 &reg->password_sealed);
	if (r == 0)
		r = uc_load_u32(pl, object, "expires_s", UC_REG_EXPIRES_MIN_S, UC_REG_EXPIRES_MAX_S,
				3600, &reg->expires_s);
	if (r == 0)
		*ret = reg;
	return r;
}

static int load_ways(struct uc_place *pl, const json_t *object, struct uc_entity *entity)
{
	struct map_node *node = NULL;
	int r;

	r = uc_load_location(pl, object, "location", &entity->location);
	if (r == 0)
		r = uc_load_reference(pl, object, "adaptation", &pl->m->routing.by_adaptation,
				      &node);
	if (r == 0 && node)
		entity->adaptation = MAP_ENTRY(node, struct uc_adaptation, by_name);
	if (r == 0)
		r = uc_load_zone(pl, object, &entity->zone);
	if (r == 0)
		r = uc_load_u32(pl, object, "timer_b_s", 1, UC_TIMER_B_MAX_S, 4,
				&entity->timer_b_s);
	if (r == 0)
		r = load_monitoring(pl, object, &entity->monitoring);
	if (r == 0)
		r = load_registration(pl, object, &entity->registration);
	if (r == 0)
		r = uc_load_u32(pl, object, "max_calls", 0, UC_CALLS_MAX, 0, &entity->max_calls);
	if (r < 0)
		return r;
	entity->link_count = 1;
	entity->links[0] = (struct uc_entity_link){ .transport = (uint8_t)entity->transport,
						    .port = entity->port,
						    .trusted = entity->trusted };
	return 0;
}

int uc_load_entity_of(struct uc_place *pl, const json_t *object, const char *member,
		      struct uc_entity **ret)
{
	struct map_node *node;
	int r = uc_load_reference(pl, object, member, &pl->m->by_entity, &node);

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

	r = uc_load_entity_of(pl, object, "entity", &entity);
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
static int load_entity(struct uc_place *pl, const json_t *object, struct uc_entity_slot *slot)
{
	static const char *const types[] = { "sm",	  "cm",	     "presence", "trunk",
					     "voicemail", "gateway", "other" };
	static const char *const transports[] = { "udp", "tcp", "tls" };
	struct uc_entity *entity = &slot->entity;
	int type = 0, transport = 0, r;
	uint32_t port = 0;

	r = uc_load_text(pl, object, "name", UC_NAME_MAX, NULL, &entity->name);
	if (r == 0)
		r = uc_load_choice(pl, object, "type", types, ARRAY_SIZE(types), -1, &type);
	if (r == 0)
		r = uc_load_text(pl, object, "address", 255, NULL, &entity->address);
	if (r == 0)
		r = uc_load_choice(pl, object, "transport", transports, ARRAY_SIZE(transports),
				   UC_TLS, &transport);
	if (r == 0)
		r = uc_load_u32(pl, object, "port", 1, 65535, transport == UC_TLS ? 5061 : 5060,
				&port);
	if (r == 0)
		r = uc_load_bool(pl, object, "trusted", false, &entity->trusted);
	if (r < 0)
		return r;
	entity->trusted = entity->trusted || type <= UC_ENTITY_PRESENCE;
	entity->type = (enum uc_entity_type)type;
	entity->transport = (enum uc_transport)transport;
	entity->port = (uint16_t)port;
	r = load_ways(pl, object, entity);
	if (r < 0)
		return r;
	r = map_add_unique(&pl->m->by_entity, &slot->by_name, slice_str(entity->name));
	return r == -EEXIST ? uc_load_bad(pl, "name", "is there twice") : r;
}

int uc_load_links(struct uc_place *pl, const json_t *document)
{
	void *links;
	size_t count = 0;

	return uc_load_rows(pl, document, "entity_links", UC_ENTITY_LINKS_ALL_MAX, sizeof(char),
			    load_link, &links, &count);
}

int uc_load_entities(struct uc_place *pl, const json_t *document)
{
	const json_t *list;
	size_t count;
	int r = uc_load_list(pl, document, "sip_entities", UC_ENTITIES_MAX, &list, &count);

	if (r < 0 || count == 0)
		return r;
	pl->m->entities = calloc(count, sizeof(*pl->m->entities));
	if (!pl->m->entities)
		return error_set(pl->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		uc_load_at(pl, "sip_entities", i);
		pl->m->entity_count++; /* what it owns is freed even when it is half built */
		r = load_entity(pl, json_array_get(list, i), &pl->m->entities[i]);
		if (r < 0)
			return r;
	}
	pl->at[0] = '\0';
	return 0;
}
