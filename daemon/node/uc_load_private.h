/* SPDX-License-Identifier: Apache-2.0 */
/* uc_load_private.h - how the loaders of a snapshot read members of the document, and where they are. */
#pragma once
#include "base/json_field.h"
#include "node/uc_model.h"

#define UC_POINTER_SIZE 96

/* Where in the document the loader is, for errors. */
struct uc_place {
	struct uc_model *m;
	char at[UC_POINTER_SIZE];
	struct error *err;
};

void uc_load_at(struct uc_place *pl, const char *list, size_t i);
/* -EINVAL with the member's JSON pointer. */
int uc_load_bad(const struct uc_place *pl, const char *member, const char *why);
/* A string of 1..max bytes; absent gives fallback, and is an error when that is NULL. */
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

/* uc_routing_load.c: what entities refer to, what refers to entities, what refers to sequences. */
int uc_routing_load_before(struct uc_place *pl, const json_t *document);
int uc_routing_load_entity(struct uc_place *pl, const json_t *object, struct uc_entity *entity);
int uc_routing_load_after(struct uc_place *pl, const json_t *document);
/* "location" of a user: where he is at home; absent: nowhere. */
int uc_routing_load_home(struct uc_place *pl, const json_t *object, const struct uc_location **ret);
