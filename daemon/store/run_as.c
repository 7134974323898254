/* SPDX-License-Identifier: Apache-2.0 */
/* run_as.c - fork, drop rights, exec, wait with a deadline. */
#include "store/run_as.h"

#include "base/clock.h"
#include "base/error.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* After fork() in a process with threads: only what POSIX calls async-signal-safe. */
static void child(const struct run_as *run, const char *const *argv, int out)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(out, 1) < 0 || dup2(out, 2) < 0 || chdir("/") < 0)
		_exit(126);
	if (run->uid != (uid_t)-1 &&
	    (setgroups(1, &run->gid) < 0 || setgid(run->gid) < 0 || setuid(run->uid) < 0))
		_exit(126);
	execve(argv[0], (char *const *)argv, (char *const *)env);
	_exit(127);
}

static int wait_child(pid_t pid, uint32_t timeout_ms)
{
	const struct timespec nap = { .tv_nsec = 5000000 };
	uint64_t deadline = clock_now(clock_system()) + timeout_ms;
	bool killed = false;
	int status;
	pid_t r;

	while ((r = waitpid(pid, &status, killed ? 0 : WNOHANG)) != pid) {
		if (r < 0 && errno != EINTR)
			return -errno;
		if (!killed && clock_now(clock_system()) >= deadline) {
			kill(pid, SIGKILL);
			killed = true;
		}
		if (!killed)
			nanosleep(&nap, NULL);
	}
	if (killed)
		return -ETIMEDOUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

int run_as(struct run_as *run, const char *const *argv)
{
	AUTO(fd) int out = memfd_create("output", MFD_CLOEXEC);
	off_t end;
	ssize_t n;
	pid_t pid;
	int r;

	run->output[0] = '\0';
	if (out < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child(run, argv, out);
	r = wait_child(pid, run->timeout_ms);
	end = lseek(out, 0, SEEK_END);
	if (end > RUN_AS_OUTPUT - 1)
		end -= RUN_AS_OUTPUT - 1;
	else
		end = 0;
	n = pread(out, run->output, RUN_AS_OUTPUT - 1, end);
	run->output[n > 0 ? n : 0] = '\0';
	return r;
}

const char *run_as_last_line(struct run_as *run)
{
	size_t len = strlen(run->output);
	char *line;

	while (len && strchr("\r\n ", run->output[len - 1]))
		run->output[--len] = '\0';
	line = strrchr(run->output, '\n');
	return line ? line + 1 : run->output;
}
