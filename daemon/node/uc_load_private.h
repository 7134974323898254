/* SPDX-License-Identifier: Apache-2.0 */
/* uc_load_private.h - how the loaders of a snapshot read members of the document, and where they are. */
#pragma once
#include "base/json_field.h"
#include "node/uc_limits.h"
#include "node/uc_model.h"

#define UC_POINTER_SIZE 96

/* Where in the document the loader is, for errors. */
struct uc_place {
	struct uc_model *m;
	char at[UC_POINTER_SIZE];
	struct error *err;
};

void uc_load_at(struct uc_place *pl, const char *list, size_t i);
void uc_load_in(struct uc_place *pl, const char *member); /* "": at the top */
/* -EINVAL with the member's JSON pointer. */
int uc_load_bad(const struct uc_place *pl, const char *member, const char *why);
/* A string of 1..max characters; absent gives fallback, and is an error when that is NULL. */
int uc_load_text(struct uc_place *pl, const json_t *object, const char *member, size_t max,
		 const char *fallback, const char **ret);
int uc_load_u32(struct uc_place *pl, const json_t *object, const char *member, uint32_t min,
		uint32_t max, uint32_t fallback, uint32_t *ret);
int uc_load_bool(struct uc_place *pl, const json_t *object, const char *member, bool fallback,
		 bool *ret);
/* The index of a word among names; fallback below 0: it must be there. */
int uc_load_choice(struct uc_place *pl, const json_t *object, const char *member,
		   const char *const *names, size_t count, int fallback, int *ret);
/* A list of at most max items; absent is an empty one. */
int uc_load_list(struct uc_place *pl, const json_t *document, const char *member, size_t max,
		 const json_t **ret, size_t *count);

int uc_load_no_memory(const struct uc_place *pl);
/* Room in the snapshot for count structs, of one size each; ret points to a pointer. */
int uc_load_room(struct uc_place *pl, size_t count, size_t size, void *ret);
typedef int uc_load_fn(struct uc_place *pl, const json_t *object, void *item, size_t i);
/* A list of objects into an array of structs; ret_items points to a pointer. */
int uc_load_rows(struct uc_place *pl, const json_t *document, const char *name, size_t max,
		 size_t size, uc_load_fn *load, void *ret_items, size_t *ret_count);
/* A list of at most max texts of at most length characters, inside of an object. */
int uc_load_texts(struct uc_place *pl, const json_t *object, const char *member, size_t max,
		  size_t length, const char ***ret, size_t *ret_count);
/* A row's own name, once. */
int uc_load_name(struct uc_place *pl, struct map *map, struct map_node *node, const char *name);
/* The row that a member names; absent: *ret is NULL. So it is where there are no such rows at all:
 * cm and presence are not given what only sm needs. */
int uc_load_reference(struct uc_place *pl, const json_t *object, const char *member,
		      const struct map *map, struct map_node **ret);
int uc_load_location(struct uc_place *pl, const json_t *object, const char *member,
		     const struct uc_location **ret);

/* "time_zone"; absent: *ret stays NULL. */
int uc_load_zone(struct uc_place *pl, const json_t *object, const struct uc_zone **ret);

/* uc_entity_load.c: after what entities refer to. */
int uc_load_entities(struct uc_place *pl, const json_t *document);
int uc_load_links(struct uc_place *pl, const json_t *document);
int uc_load_entity_of(struct uc_place *pl, const json_t *object, const char *member,
		      struct uc_entity **ret);
/* uc_routing_load.c: what entities refer to, what refers to entities or sequences. */
int uc_routing_load_before(struct uc_place *pl, const json_t *document);
int uc_routing_load_after(struct uc_place *pl, const json_t *document);
/* uc_firewall.c: rules, and limits out of `settings`. */
int uc_firewall_load(struct uc_place *pl, const json_t *document);
