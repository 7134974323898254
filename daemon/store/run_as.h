/* SPDX-License-Identifier: Apache-2.0 */
/* run_as.h - runs a short-lived program as another user and keeps what it said; for store/. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

#define RUN_AS_OUTPUT 4096

struct run_as {
	uid_t uid; /* (uid_t)-1: as who we are */
	gid_t gid;
	uint32_t timeout_ms;
	char output[RUN_AS_OUTPUT]; /* its stdout and stderr, the end of it */
};

/* argv[0] is a path. Environment: PATH, LC_ALL=C.UTF-8, TZ=UTC alone. Returns the exit status.
 * Errors: -errno of fork and its like, -ETIMEDOUT (it is killed), -ECHILD ended by a signal. */
int run_as(struct run_as *run, const char *const *argv);
/* The last line that is not empty of what it said; cuts output. */
const char *run_as_last_line(struct run_as *run);
