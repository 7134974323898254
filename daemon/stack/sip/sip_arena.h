/* SPDX-License-Identifier: Apache-2.0 */
/* sip_arena.h - memory that lives and dies with one transaction, from a pool of equal blocks. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct sip_msg;

#define SIP_ARENA_BLOCK 4096 /* bytes of a block; what is longer gets a block of its own */

/* Embed once in the stack. Free blocks are kept (at most keep_max) so that the steady state
 * allocates nothing. */
struct sip_arena_pool {
	struct sip_arena_block *free;
	size_t free_count, keep_max, used_count;
};
struct sip_arena {
	struct sip_arena_pool *pool;
	struct sip_arena_block *blocks;
};

void sip_arena_pool_init(struct sip_arena_pool *pool, size_t keep_max);
void sip_arena_pool_done(struct sip_arena_pool *pool);
void sip_arena_init(struct sip_arena *arena, struct sip_arena_pool *pool);
void sip_arena_done(struct sip_arena *arena); /* all blocks go back */
/* Zeroed, aligned for any type; NULL without memory. */
void *sip_arena_alloc(struct sip_arena *arena, size_t size);
/* p == NULL without memory. */
struct slice sip_arena_copy(struct sip_arena *arena, struct slice bytes);
/* A copy of a parsed message with its bytes; holds only the headers that are there, so it is read,
 * never copied by value. NULL without memory. */
const struct sip_msg *sip_arena_msg(struct sip_arena *arena, const struct sip_msg *msg);
