/* SPDX-License-Identifier: Apache-2.0 */
/* map.h - an intrusive hash table keyed by byte strings; grows by doubling, bounded by the caller. */
#pragma once
#include "base/slice.h"

/* Embed in the value; the key's bytes belong to the value and must not change while linked. */
struct map_node {
	struct map_node *next;
	struct map_node **at; /* what points here; NULL: not linked */
	uint64_t hash;
	struct slice key;
};

struct map {
	struct map_node **slots;
	size_t mask; /* slots - 1, or 0 when empty */
	size_t count;
};

void map_init(struct map *m);
void map_done(struct map *m); /* frees the table, not the values */
struct map_node *map_get(const struct map *m, struct slice key);
/* For who looks one key up in several maps: hash is slice_hash(key). */
struct map_node *map_get_hashed(const struct map *m, struct slice key, uint64_t hash);
/* Several values may share one key: the next one after node, or NULL. */
struct map_node *map_next_same(const struct map_node *node);
/* Link. Errors: -ENOMEM. A value with the same key may be present already (it stays). */
int map_add(struct map *m, struct map_node *node, struct slice key);
/* As map_add(), refusing a second value of one key. Errors: -EEXIST, -ENOMEM. */
int map_add_unique(struct map *m, struct map_node *node, struct slice key);
/* In O(1), however many share its key; false if it was not linked. */
bool map_remove(struct map *m, struct map_node *node);

/* Iterate in no order; removing the current node is allowed, adding is not. */
struct map_iter {
	size_t slot;
	struct map_node *next;
};
struct map_node *map_first(const struct map *m, struct map_iter *it);
struct map_node *map_next(const struct map *m, struct map_iter *it);

#define MAP_ENTRY(node, type, member) CONTAINER_OF(node, type, member)
#define MAP_FOREACH(node, m, it)                                                                   \
	for ((node) = map_first((m), (it)); (node); (node) = map_next((m), (it)))
