/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - one child process watched by a pidfd; survives this agent and can be adopted by the
 * next one, so that a crash of the agent leaves the call server running. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "base/loop.h"

struct error;

struct process_spec {
	const char *const
		*argv; /* absolute path first; NULL-terminated; used during the call only */
	uid_t uid;
	gid_t gid;
	const char *folder;   /* working directory */
	const char *pid_file; /* where "PID START" is kept for adoption; NULL = not adoptable */
};

struct process {
	struct loop *loop;
	struct loop_io io; /* on the pidfd, readable when the process ended */
	pid_t pid;	   /* 0 when none runs */
	int pidfd;
	/* It ended. status as of waitpid(), or -1 when it was adopted and nobody may know. */
	void (*ended)(struct process *p, int status);
};

void process_init(struct process *p, struct loop *loop);
/* Start it. Errors: -EBUSY one runs, -errno. */
int process_start(struct process *p, const struct process_spec *spec, struct error *err);
/* Take over the one that pid_file names, if it still runs. Errors: -ENOENT, -ESRCH. */
int process_adopt(struct process *p, const char *pid_file);
/* Errors: -ESRCH none runs. */
int process_signal(const struct process *p, int signo);
/* Stop watching it; the process goes on. */
void process_release(struct process *p);
