/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - an intrusive doubly linked list with a sentinel. */
#pragma once
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev;
	struct list *next;
};

#define LIST_INIT(name)                                                                            \
	{                                                                                          \
		&(name), &(name)                                                                   \
	}

static inline void list_init(struct list *head)
{
	head->prev = head;
	head->next = head;
}

/* true also for a zeroed node that was never linked */
static inline bool list_empty(const struct list *head)
{
	return head->next == head || head->next == NULL;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void list_prepend(struct list *head, struct list *node)
{
	list_append(head->next, node);
}

/* Unlink; the node then counts as empty and may be removed again. */
static inline void list_remove(struct list *node)
{
	if (!node->next)
		return;
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define LIST_ENTRY(node, type, member) CONTAINER_OF(node, type, member)
#define LIST_FIRST(head, type, member)                                                             \
	(list_empty(head) ? NULL : LIST_ENTRY((head)->next, type, member))
/* The current element may be removed from within the loop. */
#define LIST_FOREACH(var, head, type, member)                                                      \
	for (struct list *pos_ = (head)->next, *next_ = pos_->next;                                \
	     pos_ != (head) && ((var) = LIST_ENTRY(pos_, type, member), 1);                        \
	     pos_ = next_, next_ = pos_->next)
