/* SPDX-License-Identifier: Apache-2.0 */
/* uc_ladder_party.c - who is at the other end of each message. */
#include "control/uc/uc_ladder_private.h"

#include "net/addr.h"

#include <stdio.h>
#include <string.h>

static size_t add_party(struct ladder *l, enum party_kind kind, const char *name,
			const char *address)
{
	struct party *p;

	for (size_t i = 0; i < l->parties; i++) {
		p = &l->party[i];
		if (kind == PARTY_NODE || kind == PARTY_ENTITY
			    ? p->kind == kind && strcmp(p->name, name) == 0
			    : p->address && strcmp(p->address, address) == 0)
			return i;
	}
	if (l->parties == UC_LADDER_PARTIES_MAX)
		return UC_LADDER_PARTIES_MAX - 1;
	p = &l->party[l->parties];
	*p = (struct party){ .kind = kind, .address = address };
	(void)snprintf(p->name, sizeof(p->name), "%s",
		       l->parties == UC_LADDER_PARTIES_MAX - 1 ? "others" : name);
	return l->parties++;
}

static bool is_node_name(const char *name)
{
	return strcmp(name, "sm") == 0 || strcmp(name, "cm") == 0 || strcmp(name, "presence") == 0;
}

/* The entity with that address; its port may differ where the address is its own alone. */
static const char *entity_at(const struct ladder *l, const char *address, bool *node)
{
	const char *found = NULL;
	struct addr wanted, have;
	json_t *entity;
	size_t i, same_ip = 0;

	if (addr_parse(slice_str(address), 0, &wanted) < 0)
		return NULL;
	json_array_foreach((json_t *)l->entities, i, entity)
	{
		const char *name = uc_ladder_text(entity, "name"),
			   *type = uc_ladder_text(entity, "type");

		if (addr_parse(slice_str(uc_ladder_text(entity, "address")), 0, &have) < 0 ||
		    !*name)
			continue;
		if (addr_equal(&wanted, &have)) {
			*node = is_node_name(type);
			return *node ? type : name;
		}
		if (addr_equal_ip(&wanted, &have) && !addr_is_loopback(&have) && ++same_ip == 1) {
			*node = is_node_name(type);
			found = *node ? type : name;
		}
	}
	return same_ip == 1 ? found : NULL;
}

/* Which node listens or speaks at an address, as pairs of messages have shown. */
static const char *node_at(const struct ladder *l, const struct arrow *a)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct arrow *s = &l->arrow[i], *r = s->receipt;

		if (!r)
			continue;
		if (strcmp(s->node, a->node) == 0 && strcmp(s->remote, a->remote) == 0)
			return r->node;
		if (strcmp(r->node, a->node) == 0 && strcmp(r->remote, a->remote) == 0)
			return s->node;
	}
	return NULL;
}

/* The user of a phone: who asks from there, who answers from there, whom it is for. */
static const char *handle_at(const struct ladder *l, const struct arrow *a)
{
	const char *guess = "";

	for (size_t i = 0; i < l->count; i++) {
		const struct arrow *b = &l->arrow[i];
		const char *user;

		if (strcmp(b->remote, a->remote) != 0 || strcmp(b->node, a->node) != 0)
			continue;
		user = b->request == b->sent ? b->to_user : b->from_user;
		if (!b->sent && *user)
			return user;
		if (!*guess)
			guess = b->sent && b->request && *b->uri_user ? b->uri_user : user;
	}
	return guess;
}

/* A party for each address at the far end of a node; looked up once an address. */
struct known {
	struct map_node link;
	char key[128];
	size_t party;
};

static size_t find_party(struct ladder *l, const struct arrow *a)
{
	bool node = false;
	const char *name = node_at(l, a);

	if (name)
		return add_party(l, PARTY_NODE, name, NULL);
	name = entity_at(l, a->remote, &node);
	if (name)
		return add_party(l, node ? PARTY_NODE : PARTY_ENTITY, name,
				 node ? NULL : a->remote);
	name = handle_at(l, a);
	if (*name)
		return add_party(l, PARTY_PHONE, name, a->remote);
	return add_party(l, PARTY_UNKNOWN, a->remote, a->remote);
}

static int far_end(struct ladder *l, struct map *known, const struct arrow *a, size_t *ret)
{
	char key[128];
	struct map_node *n;
	struct known *k;

	(void)snprintf(key, sizeof(key), "%s %s", a->node, a->remote);
	n = map_get(known, slice_str(key));
	if (n) {
		*ret = MAP_ENTRY(n, struct known, link)->party;
		return 0;
	}
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	memcpy(k->key, key, sizeof(key));
	k->party = *ret = find_party(l, a);
	if (map_add(known, &k->link, slice_str(k->key)) < 0) {
		free(k);
		return -ENOMEM;
	}
	return 0;
}

static void forget(struct map *known)
{
	struct map_iter it;
	struct map_node *n;

	MAP_FOREACH (n, known, &it) {
		struct known *k = MAP_ENTRY(n, struct known, link);

		(void)map_remove(known, n);
		free(k);
	}
	map_done(known);
}

int uc_ladder_find_ends(struct ladder *l)
{
	struct map known;
	int r = 0;

	map_init(&known);
	for (size_t i = 0; i < l->count && r == 0; i++) {
		struct arrow *a = &l->arrow[i];
		size_t near = add_party(l, PARTY_NODE, a->node, NULL), far = 0;

		if (a->merged)
			continue;
		if (a->receipt)
			far = add_party(l, PARTY_NODE, a->receipt->node, NULL);
		else
			r = far_end(l, &known, a, &far);
		a->from = a->sent ? near : far;
		a->to = a->sent ? far : near;
	}
	forget(&known);
	return r;
}
