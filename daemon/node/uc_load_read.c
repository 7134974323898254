/* SPDX-License-Identifier: Apache-2.0 */
/* uc_load_read.c - members of an /uc/export document, checked one by one, see uc_load_private.h. */
#include "node/uc_load_private.h"
#include "node/uc_model_build.h"
#include "node/uc_zone.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

void uc_load_at(struct uc_place *pl, const char *list, size_t i)
{
	snprintf(pl->at, sizeof(pl->at), "/%s/%zu", list, i);
}

void uc_load_in(struct uc_place *pl, const char *member)
{
	snprintf(pl->at, sizeof(pl->at), "%s%s", *member ? "/" : "", member);
}

int uc_load_bad(const struct uc_place *pl, const char *member, const char *why)
{
	char field[UC_POINTER_SIZE + 64];

	snprintf(field, sizeof(field), "%s/%s", pl->at, member);
	return error_field(pl->err, -EINVAL, field, "%s", why);
}

/* Code points of UTF-8, as smgr counts them. */
static size_t characters(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

int uc_load_text(struct uc_place *pl, const json_t *object, const char *member, size_t max,
		 const char *fallback, const char **ret)
{
	const json_t *value = json_object_get(object, member);
	size_t len;

	if (!value || json_is_null(value)) {
		*ret = fallback;
		return fallback ? 0 : uc_load_bad(pl, member, "is missing");
	}
	if (!json_is_string(value))
		return uc_load_bad(pl, member, "must be a string");
	len = json_string_length(value);
	if ((len > max && characters(json_string_value(value), len) > max) ||
	    (len == 0 && !fallback))
		return uc_load_bad(pl, member, "has the wrong length");
	if (memchr(json_string_value(value), '\0', len))
		return uc_load_bad(pl, member, "must not hold NUL");
	*ret = uc_model_text(pl->m, json_string_value(value), len);
	return *ret ? 0 : error_set(pl->err, -ENOMEM, "out of memory");
}

int uc_load_u32(struct uc_place *pl, const json_t *object, const char *member, uint32_t min,
		uint32_t max, uint32_t fallback, uint32_t *ret)
{
	const json_t *value = json_object_get(object, member);

	*ret = fallback;
	if (!value || json_is_null(value))
		return fallback >= min ? 0 : uc_load_bad(pl, member, "is missing");
	if (!json_is_integer(value))
		return uc_load_bad(pl, member, "must be an integer");
	if (json_integer_value(value) < min || json_integer_value(value) > max)
		return uc_load_bad(pl, member, "is out of range");
	*ret = (uint32_t)json_integer_value(value);
	return 0;
}

int uc_load_bool(struct uc_place *pl, const json_t *object, const char *member, bool fallback,
		 bool *ret)
{
	const json_t *value = json_object_get(object, member);

	*ret = fallback;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_boolean(value))
		return uc_load_bad(pl, member, "must be true or false");
	*ret = json_is_true(value);
	return 0;
}

int uc_load_choice(struct uc_place *pl, const json_t *object, const char *member,
		   const char *const *names, size_t count, int fallback, int *ret)
{
	const char *text = "";
	int r = uc_load_text(pl, object, member, 32, fallback >= 0 ? "" : NULL, &text);

	if (r < 0)
		return r;
	*ret = fallback;
	if (!*text)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (slice_eq_str_nocase(slice_str(text), names[i])) {
			*ret = (int)i;
			return 0;
		}
	}
	return uc_load_bad(pl, member, "is none of the known words");
}

int uc_load_list(struct uc_place *pl, const json_t *document, const char *member, size_t max,
		 const json_t **ret, size_t *count)
{
	const json_t *list = json_object_get(document, member);

	*ret = list;
	*count = 0;
	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list))
		return uc_load_bad(pl, member, "must be an array");
	if (json_array_size(list) > max)
		return uc_load_bad(pl, member, "has too many items");
	*count = json_array_size(list);
	return 0;
}

int uc_load_no_memory(const struct uc_place *pl)
{
	return error_set(pl->err, -ENOMEM, "out of memory");
}

int uc_load_room(struct uc_place *pl, size_t count, size_t size, void *ret)
{
	void *memory = uc_model_room(pl->m, count * size);

	if (!memory)
		return uc_load_no_memory(pl);
	*(void **)ret = memory;
	return 0;
}

int uc_load_rows(struct uc_place *pl, const json_t *document, const char *name, size_t max,
		 size_t size, uc_load_fn *load, void *ret_items, size_t *ret_count)
{
	const json_t *list;
	size_t count;
	char *items = NULL;
	int r = uc_load_list(pl, document, name, max, &list, &count);

	if (r < 0 || count == 0)
		return r;
	r = uc_load_room(pl, count, size, &items);
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

int uc_load_texts(struct uc_place *pl, const json_t *object, const char *member, size_t max,
		  size_t length, const char ***ret, size_t *ret_count)
{
	const json_t *list;
	const char **texts = NULL;
	size_t count;
	int r = uc_load_list(pl, object, member, max, &list, &count);

	if (r < 0 || count == 0)
		return r;
	r = uc_load_room(pl, count, sizeof(*texts), &texts);
	for (size_t i = 0; r == 0 && i < count; i++) {
		const json_t *value = json_array_get(list, i);
		size_t len = json_string_length(value);

		if (!json_is_string(value) || len == 0 ||
		    characters(json_string_value(value), len) > length ||
		    memchr(json_string_value(value), '\0', len))
			return uc_load_bad(pl, member, "holds texts");
		texts[i] = uc_model_text(pl->m, json_string_value(value), len);
		if (!texts[i])
			return uc_load_no_memory(pl);
	}
	*ret = texts;
	*ret_count = count;
	return r;
}

int uc_load_name(struct uc_place *pl, struct map *map, struct map_node *node, const char *name)
{
	int r = map_add_unique(map, node, slice_str(name));

	return r == -EEXIST ? uc_load_bad(pl, "name", "is there twice") : r;
}

int uc_load_reference(struct uc_place *pl, const json_t *object, const char *member,
		      const struct map *map, struct map_node **ret)
{
	const char *name = "";
	int r = uc_load_text(pl, object, member, UC_DOMAIN_MAX, "", &name);

	*ret = NULL;
	if (r < 0 || !*name || map->count == 0)
		return r;
	*ret = map_get(map, slice_str(name));
	return *ret ? 0 : uc_load_bad(pl, member, "names nothing that is there");
}

int uc_load_location(struct uc_place *pl, const json_t *object, const char *member,
		     const struct uc_location **ret)
{
	struct map_node *node;
	int r = uc_load_reference(pl, object, member, &pl->m->routing.by_location, &node);

	if (r == 0 && node)
		*ret = MAP_ENTRY(node, struct uc_location, by_name);
	return r;
}

int uc_load_zone(struct uc_place *pl, const json_t *object, const struct uc_zone **ret)
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
