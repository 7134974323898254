/* SPDX-License-Identifier: Apache-2.0 */
/* appearance.c - line appearances as one bit set a station, made when first used. */
#include "cm/appearance.h"

#include "base/error.h"

struct usage {
	struct map_node node;
	char *handle;
	uint32_t bits; /* bit n: appearance n + 1 is in use */
};

void appearance_table_init(struct appearance_table *t)
{
	map_init(&t->by_handle);
}

static void usage_free(struct usage *u)
{
	free(u->handle);
	free(u);
}

void appearance_table_done(struct appearance_table *t)
{
	struct map_iter it;
	struct map_node *node;

	MAP_FOREACH (node, &t->by_handle, &it)
		usage_free(MAP_ENTRY(node, struct usage, node));
	map_done(&t->by_handle);
}

static struct usage *usage_get(const struct appearance_table *t, struct slice handle)
{
	struct map_node *node = map_get(&t->by_handle, handle);

	return node ? MAP_ENTRY(node, struct usage, node) : NULL;
}

static struct usage *usage_add(struct appearance_table *t, struct slice handle)
{
	struct usage *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->handle = slice_dup(handle);
	if (!u->handle || map_add(&t->by_handle, &u->node, slice_str(u->handle)) < 0) {
		usage_free(u);
		return NULL;
	}
	return u;
}

int appearance_seize(struct appearance_table *t, struct slice handle, uint32_t count,
		     bool keep_last, enum appearance_use use)
{
	return appearance_seize_at(t, handle, count, keep_last, use, 0);
}

int appearance_seize_at(struct appearance_table *t, struct slice handle, uint32_t count,
			bool keep_last, enum appearance_use use, unsigned wanted)
{
	struct usage *u;
	unsigned used, reserved;

	if (handle.len == 0)
		return -EINVAL;
	if (count > APPEARANCE_MAX)
		count = APPEARANCE_MAX;

	u = usage_get(t, handle);
	used = u ? (unsigned)__builtin_popcount(u->bits) : 0;
	reserved = keep_last && use == APPEARANCE_INCOMING ? 1 : 0;
	if (used + reserved >= count)
		return -EBUSY;

	if (!u)
		u = usage_add(t, handle);
	if (!u)
		return -ENOMEM;

	if (wanted >= 1 && wanted <= count && !(u->bits & 1U << (wanted - 1))) {
		u->bits |= 1U << (wanted - 1);
		return (int)wanted;
	}
	/* A count that was lowered may leave higher bits set: the lowest free one still fits. */
	for (unsigned i = 0; i < count; i++) {
		if (!(u->bits & 1U << i)) {
			u->bits |= 1U << i;
			return (int)i + 1;
		}
	}
	return -EBUSY;
}

void appearance_release(struct appearance_table *t, struct slice handle, int number)
{
	struct usage *u = usage_get(t, handle);

	if (!u || number < 1 || number > APPEARANCE_MAX)
		return;
	u->bits &= ~(1U << (number - 1));
	if (u->bits == 0) {
		map_remove(&t->by_handle, &u->node);
		usage_free(u);
	}
}

unsigned appearance_in_use(const struct appearance_table *t, struct slice handle)
{
	const struct usage *u = usage_get(t, handle);

	return u ? (unsigned)__builtin_popcount(u->bits) : 0;
}
