/* SPDX-License-Identifier: Apache-2.0 */
/* uc_model_build.h - inside of a snapshot, shared by its builder and its look-ups alone. */
#pragma once
#include "node/uc_model.h"

#include "base/map.h"

#include <stdatomic.h>

#define UC_USER_LIMIT 100000
#define UC_DIAL_LIMIT 2000

struct uc_user_slot {
	struct map_node by_handle;
	struct map_node by_extension; /* linked when there is a station */
	struct uc_user user;
	struct uc_station station;
};

struct uc_entity_slot {
	struct map_node by_name;
	struct uc_entity entity;
};

struct uc_text {
	struct uc_text *next;
	size_t used;
	size_t size;
	char bytes[];
};

struct uc_model {
	atomic_uint refs;
	const char *domain;
	struct uc_text *texts; /* arena of all strings */
	struct uc_user_slot *users;
	size_t user_count;
	struct uc_entity_slot *entities;
	size_t entity_count;
	struct uc_sequence *sequences;
	size_t sequence_count;
	struct uc_dial_entry *dial;
	size_t dial_count;
	struct map by_handle;
	struct map by_extension;
	struct map by_entity;
	struct uc_routing routing; /* its arrays lie in the arena */
};

/* A copy in the snapshot's arena; NULL without memory. */
const char *uc_model_text(struct uc_model *m, const char *text, size_t len);
/* Zeroed memory in the arena, aligned for pointers; NULL without memory. */
void *uc_model_room(struct uc_model *m, size_t size);
struct uc_model *uc_model_alloc(void); /* one reference; NULL without memory */
