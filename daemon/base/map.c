/* SPDX-License-Identifier: Apache-2.0 */
/* map.c - see map.h. */
#include "base/map.h"

#include <errno.h>
#include <stdlib.h>

void map_init(struct map *m)
{
	memset(m, 0, sizeof(*m));
}

void map_done(struct map *m)
{
	free(m->slots);
	map_init(m);
}

struct map_node *map_get(const struct map *m, struct slice key)
{
	return m->count ? map_get_hashed(m, key, slice_hash(key)) : NULL;
}

struct map_node *map_get_hashed(const struct map *m, struct slice key, uint64_t hash)
{
	if (m->count == 0)
		return NULL;
	for (struct map_node *n = m->slots[hash & m->mask]; n; n = n->next) {
		if (n->hash == hash && slice_eq(n->key, key))
			return n;
	}
	return NULL;
}

struct map_node *map_next_same(const struct map_node *node)
{
	for (struct map_node *n = node->next; n; n = n->next) {
		if (n->hash == node->hash && slice_eq(n->key, node->key))
			return n;
	}
	return NULL;
}

static void link_first(struct map_node **slot, struct map_node *node)
{
	node->next = *slot;
	node->at = slot;
	if (node->next)
		node->next->at = &node->next;
	*slot = node;
}

static int map_grow(struct map *m)
{
	size_t size = m->slots ? (m->mask + 1) * 2 : 16;
	struct map_node **slots;

	if (m->slots && m->count <= m->mask)
		return 0;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return m->slots ? 0 : -ENOMEM; /* a full table is slow, not wrong */
	for (size_t i = 0; m->slots && i <= m->mask; i++) {
		for (struct map_node *n = m->slots[i], *next; n; n = next) {
			next = n->next;
			link_first(&slots[n->hash & (size - 1)], n);
		}
	}
	free(m->slots);
	m->slots = slots;
	m->mask = size - 1;
	return 0;
}

int map_add(struct map *m, struct map_node *node, struct slice key)
{
	int r;

	r = map_grow(m);
	if (r < 0)
		return r;
	node->key = key;
	node->hash = slice_hash(key);
	link_first(&m->slots[node->hash & m->mask], node);
	m->count++;
	return 0;
}

int map_add_unique(struct map *m, struct map_node *node, struct slice key)
{
	if (map_get(m, key))
		return -EEXIST;
	return map_add(m, node, key);
}

bool map_remove(struct map *m, struct map_node *node)
{
	if (m->count == 0 || !node->at)
		return false;
	*node->at = node->next;
	if (node->next)
		node->next->at = node->at;
	node->next = NULL;
	node->at = NULL;
	m->count--;
	return true;
}

static struct map_node *map_seek(const struct map *m, struct map_iter *it)
{
	struct map_node *node = it->next;

	while (!node && m->slots && it->slot <= m->mask)
		node = m->slots[it->slot++];
	it->next = node ? node->next : NULL;
	return node;
}

struct map_node *map_first(const struct map *m, struct map_iter *it)
{
	it->slot = 0;
	it->next = NULL;
	return map_seek(m, it);
}

struct map_node *map_next(const struct map *m, struct map_iter *it)
{
	return map_seek(m, it);
}
