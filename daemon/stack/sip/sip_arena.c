/* SPDX-License-Identifier: Apache-2.0 */
/* sip_arena.c - see sip_arena.h. */
#include "stack/sip/sip_arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/sip/sip_msg.h"

struct sip_arena_block {
	struct sip_arena_block *next;
	size_t size, used; /* of bytes */
	alignas(max_align_t) unsigned char bytes[];
};

#define USUAL_SIZE (SIP_ARENA_BLOCK - sizeof(struct sip_arena_block))

void sip_arena_pool_init(struct sip_arena_pool *pool, size_t keep_max)
{
	*pool = (struct sip_arena_pool){ .keep_max = keep_max };
}

void sip_arena_pool_done(struct sip_arena_pool *pool)
{
	while (pool->free) {
		struct sip_arena_block *next = pool->free->next;

		free(pool->free);
		pool->free = next;
	}
	pool->free_count = 0;
}

void sip_arena_init(struct sip_arena *arena, struct sip_arena_pool *pool)
{
	arena->pool = pool;
	arena->blocks = NULL;
}

void sip_arena_done(struct sip_arena *arena)
{
	struct sip_arena_pool *pool = arena->pool;
	struct sip_arena_block *block = arena->blocks;

	/* The arena itself may live in one of its blocks. */
	while (block) {
		struct sip_arena_block *next = block->next;

		pool->used_count--;
		if (block->size == USUAL_SIZE && pool->free_count < pool->keep_max) {
			block->next = pool->free;
			pool->free = block;
			pool->free_count++;
		} else {
			free(block);
		}
		block = next;
	}
}

static struct sip_arena_block *take_block(struct sip_arena_pool *pool, size_t size)
{
	struct sip_arena_block *block;

	if (size <= USUAL_SIZE && pool->free) {
		block = pool->free;
		pool->free = block->next;
		pool->free_count--;
	} else {
		size = size > USUAL_SIZE ? size : USUAL_SIZE;
		block = malloc(sizeof(*block) + size);
		if (!block)
			return NULL;
		block->size = size;
	}
	block->used = 0;
	pool->used_count++;
	return block;
}

static void *take(struct sip_arena *arena, size_t size)
{
	struct sip_arena_block *block = arena->blocks;
	void *out;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!block || block->size - block->used < size) {
		block = take_block(arena->pool, size);
		if (!block)
			return NULL;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	out = block->bytes + block->used;
	block->used += size;
	return out;
}

void *sip_arena_alloc(struct sip_arena *arena, size_t size)
{
	void *out = take(arena, size);

	return out ? memset(out, 0, size) : NULL;
}

struct slice sip_arena_copy(struct sip_arena *arena, struct slice bytes)
{
	char *copy = take(arena, bytes.len + 1);

	if (!copy)
		return (struct slice){ 0 };
	if (bytes.len > 0)
		memcpy(copy, bytes.p, bytes.len);
	copy[bytes.len] = '\0';
	return slice_make(copy, bytes.len);
}

static void move(struct slice *s, const char *from, size_t len, const char *to)
{
	if (s->p && s->p >= from && s->p <= from + len)
		s->p = to + (s->p - from);
}

static void move_uri(struct sip_uri *uri, const char *from, size_t len, const char *to)
{
	struct slice *const all[] = { &uri->text,   &uri->user,	   &uri->password, &uri->host,
				      &uri->params, &uri->headers, &uri->opaque };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		move(all[i], from, len, to);
}

static void move_addr(struct sip_addr *addr, const char *from, size_t len, const char *to)
{
	move(&addr->display, from, len, to);
	move(&addr->params, from, len, to);
	move(&addr->tag, from, len, to);
	move_uri(&addr->uri, from, len, to);
}

/* What was read already need not be read again. */
static void move_typed(struct sip_msg *msg, const char *from, size_t len, const char *to)
{
	struct slice *const via[] = { &msg->via.transport_name, &msg->via.host,
				      &msg->via.params,		&msg->via.branch,
				      &msg->via.received,	&msg->via.maddr,
				      &msg->via.received_text,	&msg->via.rport_text };

	if (msg->typed & SIP_TYPED_VIA)
		for (size_t i = 0; i < ARRAY_SIZE(via); i++)
			move(via[i], from, len, to);
	if (msg->typed & SIP_TYPED_CSEQ)
		move(&msg->cseq.method_name, from, len, to);
	if (msg->typed & SIP_TYPED_FROM)
		move_addr(&msg->from, from, len, to);
	if (msg->typed & SIP_TYPED_TO)
		move_addr(&msg->to, from, len, to);
	if (msg->typed & SIP_TYPED_URI)
		move_uri(&msg->request_uri, from, len, to);
}

const struct sip_msg *sip_arena_msg(struct sip_arena *arena, const struct sip_msg *msg)
{
	size_t fixed = offsetof(struct sip_msg, headers);
	size_t size = fixed + msg->header_count * sizeof(msg->headers[0]);
	const char *from = msg->raw.p;
	size_t len = msg->raw.len;
	struct slice raw = sip_arena_copy(arena, msg->raw);
	struct sip_msg *out = take(arena, size);

	if (!raw.p || !out)
		return NULL;
	memcpy(out, msg, size);
	move(&out->raw, from, len, raw.p);
	move(&out->start_line, from, len, raw.p);
	move(&out->method_name, from, len, raw.p);
	move(&out->uri, from, len, raw.p);
	move(&out->version, from, len, raw.p);
	move(&out->reason, from, len, raw.p);
	move(&out->body, from, len, raw.p);
	for (size_t i = 0; i < out->header_count; i++) {
		move(&out->headers[i].name, from, len, raw.p);
		move(&out->headers[i].value, from, len, raw.p);
		move(&out->headers[i].line, from, len, raw.p);
	}
	move_typed(out, from, len, raw.p);
	return out;
}
