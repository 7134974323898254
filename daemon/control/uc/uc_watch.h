/* SPDX-License-Identifier: Apache-2.0 */
/* uc_watch.h - makes events of what changes in sm's registrations and cm's calls. */
#pragma once
#include <stdbool.h>

struct error;
struct job_pool;
struct loop;
struct store;
struct uc;
struct uc_watch; /* opaque, see uc_watch.c */

/* All borrowed; they outlive the watch. */
struct uc_watch_config {
	struct loop *loop;
	struct job_pool *jobs; /* one job at a time runs there */
	struct uc *uc;
	struct store *store; /* of the events */
	/* Is that node ("sm", "cm") there to be asked? On a job thread. */
	bool (*ready)(void *user, const char *node);
	void *user;
};

/* Looks once a second, each 5 s at a node that is not there. On the loop's thread. Errors: -ENOMEM. */
int uc_watch_new(const struct uc_watch_config *config, struct uc_watch **ret, struct error *err);
/* The loop has ended and the pool is freed. Accepts NULL. */
struct uc_watch *uc_watch_free(struct uc_watch *watch);
