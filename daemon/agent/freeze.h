/* SPDX-License-Identifier: Apache-2.0 */
/* freeze.h - holds all writes to the data disk for a consistent copy, never longer than promised. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"

struct job_pool;

/* FIFREEZE waits for the disk, so it runs as a job; answers come on the loop. */
struct freeze {
	struct loop *loop;
	struct job_pool *jobs;
	const char *folder;
	struct timer watchdog; /* thaws when the host does not */
	bool frozen, busy;
	bool thaw_wanted; /* asked while the freeze was under way */
	int64_t id;	  /* of the request under way */
	uint32_t timeout_s;
	int result;
	void (*answered)(struct freeze *f, int64_t id, int result);
	/* The system calls; replaced in tests. */
	int (*freeze_fs)(const char *folder);
	int (*thaw_fs)(const char *folder);
};

/* Thaws what an earlier agent may have left frozen. answered is set by the caller. */
void freeze_init(struct freeze *f, struct loop *loop, struct job_pool *jobs, const char *folder);
/* Answers by answered(): 0, -EBUSY frozen already, or what the kernel says. timeout_s is cut to
 * 1..AGENT_FREEZE_MAX_S. */
void freeze_begin(struct freeze *f, int64_t id, uint32_t timeout_s);
/* Answers 0, or -EINVAL when nothing is frozen (the watchdog was faster: the copy is not whole). */
void freeze_end(struct freeze *f, int64_t id);
void freeze_done(struct freeze *f);
