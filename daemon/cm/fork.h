/* SPDX-License-Identifier: Apache-2.0 */
/* fork.h - the branches and early dialogs below one half: which one wins, the best final answer.
 * RFC 3261 sections 13.2.2.4 and 16.7. Each early dialog here has one of its own upstream. */
#pragma once
#include "base/slice.h"

#define FORK_EARLY_MAX 10 /* early dialogs of one half */
#define FORK_BRANCH_MAX 4 /* INVITEs that one half has out at a time */
#define FORK_TAG_MAX 128  /* bytes of a tag below; longer ones are not followed */

/* One dialog below, as its To-tag made it. */
struct fork_early {
	uint8_t branch;
	uint8_t down_len;
	char down[FORK_TAG_MAX];
	bool answered;
};

struct fork_branch {
	bool open;	 /* sent, no final answer yet */
	uint16_t status; /* final answer, 0 before */
};

struct fork_set {
	struct fork_early early[FORK_EARLY_MAX];
	uint8_t early_count;
	struct fork_branch branches[FORK_BRANCH_MAX];
	uint8_t branch_count;
	uint8_t best; /* branch of the best final answer so far */
	bool have_best;
	int8_t winner; /* index of the early dialog that was answered first, -1 before */
};

void fork_set_init(struct fork_set *f);
/* A new INVITE goes out. Returns its number. Errors: -ENOSPC. */
int fork_branch_add(struct fork_set *f);
/* The dialog that a To-tag below stands for, made if it is new. Returns its index.
 * Errors: -ENOSPC more than FORK_EARLY_MAX, -EINVAL no tag or one too long. */
int fork_early_get(struct fork_set *f, unsigned branch, struct slice down_tag);
/* As above, but only one that is known. Errors: -ENOENT. */
int fork_early_find(const struct fork_set *f, unsigned branch, struct slice down_tag);

/* A 2xx: closes the branch. Returns the early dialog's index if it is the first one, which makes
 * it the winner. Errors: -EALREADY another dialog was answered before (it gets ACK and BYE),
 * -EINVAL no usable tag. A full table never stops an answer: it takes the last place. */
int fork_answer(struct fork_set *f, unsigned branch, struct slice down_tag);
/* A final answer that is no 2xx. True if its branch now holds the best one (RFC 3261 section
 * 16.7 step 6): the caller keeps that message. */
bool fork_reject(struct fork_set *f, unsigned branch, unsigned status);
/* The best final answer so far does not count any more: it was a redirection, and is followed. */
void fork_forget_best(struct fork_set *f);
/* No branch is open any more. */
bool fork_all_closed(const struct fork_set *f);
/* Status of the best final answer so far; 0 when there is none. */
unsigned fork_best_status(const struct fork_set *f);
/* Is a better than b? */
bool fork_status_better(unsigned a, unsigned b);
