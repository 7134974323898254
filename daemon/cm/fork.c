/* SPDX-License-Identifier: Apache-2.0 */
/* fork.c - branches and early dialogs below one half; RFC 3261 sections 13.2.2.4 and 16.7. */
#include "cm/fork.h"

#include "base/error.h"

void fork_set_init(struct fork_set *f)
{
	memset(f, 0, sizeof(*f));
	f->winner = -1;
}

int fork_branch_add(struct fork_set *f)
{
	if (f->branch_count >= FORK_BRANCH_MAX)
		return -ENOSPC;
	f->branches[f->branch_count] = (struct fork_branch){ .open = true };
	return f->branch_count++;
}

int fork_early_find(const struct fork_set *f, unsigned branch, struct slice down_tag)
{
	for (unsigned i = 0; i < f->early_count; i++) {
		const struct fork_early *e = &f->early[i];

		if (e->branch == branch && slice_eq(slice_make(e->down, e->down_len), down_tag))
			return (int)i;
	}
	return -ENOENT;
}

static void early_set(struct fork_early *e, unsigned branch, struct slice down_tag)
{
	*e = (struct fork_early){ .branch = (uint8_t)branch, .down_len = (uint8_t)down_tag.len };
	memcpy(e->down, down_tag.p, down_tag.len);
}

int fork_early_get(struct fork_set *f, unsigned branch, struct slice down_tag)
{
	int i;

	if (down_tag.len == 0 || down_tag.len > FORK_TAG_MAX)
		return -EINVAL;
	i = fork_early_find(f, branch, down_tag);
	if (i >= 0)
		return i;
	if (f->early_count >= FORK_EARLY_MAX)
		return -ENOSPC;
	early_set(&f->early[f->early_count], branch, down_tag);
	return f->early_count++;
}

int fork_answer(struct fork_set *f, unsigned branch, struct slice down_tag)
{
	int i;

	if (branch < f->branch_count)
		f->branches[branch].open = false;
	i = fork_early_get(f, branch, down_tag);
	if (i == -EINVAL)
		return i;
	if (f->winner >= 0)
		return i >= 0 && i == f->winner ? i : -EALREADY;
	if (i == -ENOSPC) {
		i = FORK_EARLY_MAX - 1;
		early_set(&f->early[i], branch, down_tag);
	}

	f->early[i].answered = true;
	f->winner = (int8_t)i;
	return i;
}

/* Section 16.7 step 6: a 6xx wins; else the lowest class; within 4xx those that tell the caller
 * how to try again. 503 is the last choice of its class: it says nothing about the callee. */
static unsigned status_rank(unsigned status)
{
	if (status >= 600)
		return 0;
	switch (status) {
	case 401:
	case 407:
	case 415:
	case 420:
	case 484:
		return 400;
	case 503:
		return 599;
	default:
		return status / 100 * 100 + 50;
	}
}

bool fork_status_better(unsigned a, unsigned b)
{
	return b == 0 || status_rank(a) < status_rank(b);
}

bool fork_reject(struct fork_set *f, unsigned branch, unsigned status)
{
	if (branch >= f->branch_count || !f->branches[branch].open)
		return false;
	f->branches[branch].open = false;
	f->branches[branch].status = (uint16_t)status;
	if (f->have_best && !fork_status_better(status, f->branches[f->best].status))
		return false;
	f->best = (uint8_t)branch;
	f->have_best = true;
	return true;
}

void fork_forget_best(struct fork_set *f)
{
	f->have_best = false;
}

bool fork_all_closed(const struct fork_set *f)
{
	for (unsigned i = 0; i < f->branch_count; i++) {
		if (f->branches[i].open)
			return false;
	}
	return true;
}

unsigned fork_best_status(const struct fork_set *f)
{
	return f->have_best ? f->branches[f->best].status : 0;
}
