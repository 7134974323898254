/* SPDX-License-Identifier: Apache-2.0 */
/* uc_model.c - storage and look-ups of a snapshot; uc_load.c fills it. */
#include "node/uc_model.h"
#include "node/uc_model_build.h"
#include "node/uc_zone.h"

#include <string.h>

#define TEXT_CHUNK 65536

static const char *const entity_type_names[] = {
	[UC_ENTITY_SM] = "sm",
	[UC_ENTITY_CM] = "cm",
	[UC_ENTITY_PRESENCE] = "presence",
	[UC_ENTITY_TRUNK] = "trunk",
	[UC_ENTITY_VOICEMAIL] = "voicemail",
	[UC_ENTITY_GATEWAY] = "gateway",
	[UC_ENTITY_OTHER] = "other",
};

const char *uc_entity_type_name(enum uc_entity_type type)
{
	return entity_type_names[type];
}

static char *take_bytes(struct uc_model *m, size_t len)
{
	struct uc_text *chunk = m->texts;
	char *bytes;

	if (!chunk || chunk->size - chunk->used < len) {
		size_t size = len > TEXT_CHUNK ? len : TEXT_CHUNK;

		chunk = malloc(sizeof(*chunk) + size);
		if (!chunk)
			return NULL;
		*chunk = (struct uc_text){ .next = m->texts, .size = size };
		m->texts = chunk;
	}
	bytes = chunk->bytes + chunk->used;
	chunk->used += len;
	return bytes;
}

void *uc_model_room(struct uc_model *m, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	char *bytes = take_bytes(m, size + align);

	if (!bytes)
		return NULL;
	bytes += (align - (uintptr_t)bytes % align) % align;
	memset(bytes, 0, size);
	return bytes;
}

const char *uc_model_text(struct uc_model *m, const char *text, size_t len)
{
	char *copy = take_bytes(m, len + 1);

	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

struct uc_model *uc_model_alloc(void)
{
	struct uc_model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	atomic_init(&m->refs, 1);
	m->domain = "";
	map_init(&m->by_handle);
	map_init(&m->by_extension);
	map_init(&m->by_entity);
	map_init(&m->routing.by_location);
	map_init(&m->routing.by_adaptation);
	map_init(&m->routing.by_range);
	map_init(&m->routing.by_policy);
	map_init(&m->routing.by_stem);
	for (size_t i = 0; i < UC_FIREWALL_LIMIT_COUNT; i++)
		m->routing.firewall.limit[i] = -1;
	return m;
}

struct uc_model *uc_model_empty(const char *domain)
{
	struct uc_model *m = uc_model_alloc();

	if (!m)
		return NULL;
	m->domain = uc_model_text(m, domain, strlen(domain));
	return m->domain ? m : uc_model_unref(m);
}

struct uc_model *uc_model_ref(struct uc_model *model)
{
	if (model)
		atomic_fetch_add(&model->refs, 1);
	return model;
}

struct uc_model *uc_model_unref(struct uc_model *model)
{
	if (!model || atomic_fetch_sub(&model->refs, 1) != 1)
		return NULL;
	map_done(&model->by_handle);
	map_done(&model->by_extension);
	map_done(&model->by_entity);
	map_done(&model->routing.by_location);
	map_done(&model->routing.by_adaptation);
	map_done(&model->routing.by_range);
	map_done(&model->routing.by_policy);
	map_done(&model->routing.by_stem);
	for (size_t i = 0; i < model->routing.location_count; i++)
		uc_zone_free((struct uc_zone *)model->routing.locations[i].zone);
	for (size_t i = 0; i < model->entity_count; i++)
		uc_zone_free((struct uc_zone *)model->entities[i].entity.zone);
	for (size_t i = 0; i < model->sequence_count; i++)
		free((void *)model->sequences[i].entries);
	free(model->users);
	free(model->entities);
	free(model->sequences);
	free(model->dial);
	while (model->texts) {
		struct uc_text *next = model->texts->next;

		free(model->texts);
		model->texts = next;
	}
	free(model);
	return NULL;
}

const char *uc_model_domain(const struct uc_model *model)
{
	return model->domain;
}

const struct uc_user *uc_user_by_handle(const struct uc_model *m, const char *key, size_t len)
{
	struct map_node *node = map_get(&m->by_handle, slice_make(key, len));

	return node ? &MAP_ENTRY(node, struct uc_user_slot, by_handle)->user : NULL;
}

const struct uc_user *uc_user_by_extension(const struct uc_model *m, const char *key, size_t len)
{
	struct map_node *node = map_get(&m->by_extension, slice_make(key, len));

	return node ? &MAP_ENTRY(node, struct uc_user_slot, by_extension)->user : NULL;
}

const struct uc_station *uc_station_by_extension(const struct uc_model *m, const char *key,
						 size_t len)
{
	const struct uc_user *user = uc_user_by_extension(m, key, len);

	return user ? user->station : NULL;
}

const struct uc_entity *uc_entity_by_name(const struct uc_model *m, const char *key, size_t len)
{
	struct map_node *node = map_get(&m->by_entity, slice_make(key, len));

	return node ? &MAP_ENTRY(node, struct uc_entity_slot, by_name)->entity : NULL;
}

const struct uc_entity *uc_entity_by_type(const struct uc_model *m, enum uc_entity_type type)
{
	for (size_t i = 0; i < m->entity_count; i++)
		if (m->entities[i].entity.type == type)
			return &m->entities[i].entity;
	return NULL;
}

const struct uc_dial_entry *uc_dial_match(const struct uc_model *m, const char *digits, size_t len)
{
	const struct uc_dial_entry *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; i < m->dial_count; i++) {
		const struct uc_dial_entry *entry = &m->dial[i];
		size_t match = strlen(entry->match);

		if (entry->length != len || match > len || memcmp(entry->match, digits, match) != 0)
			continue;
		if (!best || match > best_len) {
			best = entry;
			best_len = match;
		}
	}
	return best;
}

size_t uc_user_count(const struct uc_model *m)
{
	return m->user_count;
}

const struct uc_user *uc_user_at(const struct uc_model *m, size_t i)
{
	return i < m->user_count ? &m->users[i].user : NULL;
}

size_t uc_entity_count(const struct uc_model *m)
{
	return m->entity_count;
}

const struct uc_entity *uc_entity_at(const struct uc_model *m, size_t i)
{
	return i < m->entity_count ? &m->entities[i].entity : NULL;
}

size_t uc_sequence_count(const struct uc_model *m)
{
	return m->sequence_count;
}

const struct uc_sequence *uc_sequence_at(const struct uc_model *m, size_t i)
{
	return i < m->sequence_count ? &m->sequences[i] : NULL;
}

size_t uc_dial_count(const struct uc_model *m)
{
	return m->dial_count;
}

const struct uc_dial_entry *uc_dial_at(const struct uc_model *m, size_t i)
{
	return i < m->dial_count ? &m->dial[i] : NULL;
}
