/* SPDX-License-Identifier: Apache-2.0 */
/* job.h - a pool of worker threads for what blocks; each job posts one result to the loop. */
#pragma once
#include "base/error.h"

struct loop;
struct job_pool; /* opaque, see job.c */

/* Errors: -ENOMEM, -EAGAIN no thread. queue_limit bounds what waits. */
int job_pool_new(struct loop *loop, unsigned threads, size_t queue_limit, struct job_pool **ret);
/* Runs what is queued to its end and waits for it; done() of each is still posted to the loop. */
struct job_pool *job_pool_free(struct job_pool *p);
DEFINE_AUTO(job_pool)

/* run(user) on a worker, then done(user) on the loop (done may be NULL). user belongs to the job
 * between the two. Callable from any thread. Errors: -EAGAIN queue full, -ESHUTDOWN. */
int job_submit(struct job_pool *p, void (*run)(void *user), void (*done)(void *user), void *user);
size_t job_pool_backlog(const struct job_pool *p);
