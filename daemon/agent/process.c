/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - fork, drop rights, exec; the end is seen through pidfd_open(2). */
#include "agent/process.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/slice.h"

#define FILES_LIMIT 65536

void process_init(struct process *p, struct loop *loop)
{
	void (*ended)(struct process *, int) = p->ended;

	*p = (struct process){ .loop = loop, .pidfd = -1, .ended = ended };
}

/* Start time of a process in clock ticks (proc(5), stat field 22): with the pid it names one
 * process for ever. 0 when there is none. */
static unsigned long long start_time(pid_t pid)
{
	char path[64], text[1024];
	unsigned long long start = 0;
	const char *at;
	FILE *file;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	at = strrchr(text, ')');
	if (!at || at[1] == '\0' || at[2] == 'Z')
		return 0;
	at++;
	for (int field = 3; field < 22 && at; field++)
		at = strchr(at + 1, ' ');
	if (at)
		start = strtoull(at, NULL, 10);
	return start;
}

static void on_end(struct loop_io *io, uint32_t events)
{
	struct process *p = CONTAINER_OF(io, struct process, io);
	int status = -1;

	if (waitpid(p->pid, &status, WNOHANG) != p->pid)
		status = -1;
	process_release(p);
	p->ended(p, status);
}

static int watch(struct process *p, pid_t pid)
{
	int r, fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return -errno;
	r = loop_io_add(p->loop, &p->io, fd, EPOLLIN, on_end);
	if (r < 0) {
		close(fd);
		return r;
	}
	p->pid = pid;
	p->pidfd = fd;
	return 0;
}

/* In the child: only calls that are safe there. */
static void become(const struct process_spec *spec)
{
	struct rlimit files = { FILES_LIMIT, FILES_LIMIT };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)setsid();
	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (spec->uid != getuid() &&
	    (setgroups(0, NULL) < 0 || setresgid(spec->gid, spec->gid, spec->gid) < 0 ||
	     setresuid(spec->uid, spec->uid, spec->uid) < 0))
		_exit(126);
	if (chdir(spec->folder) < 0)
		_exit(126);
	(void)execv(spec->argv[0], (char *const *)(uintptr_t)spec->argv);
	_exit(127);
}

int process_start(struct process *p, const struct process_spec *spec, struct error *err)
{
	pid_t pid;
	int r;

	if (p->pid)
		return error_set(err, -EBUSY, "process %d runs already", (int)p->pid);
	pid = fork();
	if (pid < 0)
		return error_set(err, -errno, "cannot fork");
	if (pid == 0)
		become(spec);
	r = watch(p, pid);
	if (r < 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return error_set(err, r, "cannot watch process %d", (int)pid);
	}
	if (spec->pid_file) {
		FILE *file = fopen(spec->pid_file, "we");

		if (file) {
			(void)fprintf(file, "%d %llu\n", (int)pid, start_time(pid));
			fclose(file);
		}
	}
	return 0;
}

int process_adopt(struct process *p, const char *pid_file)
{
	FILE *file = fopen(pid_file, "re");
	char text[64] = "";
	struct slice rest;
	uint64_t start;
	uint32_t pid;

	if (!file)
		return -ENOENT;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	rest = slice_trim(slice_str(text));
	if (slice_take_u32(&rest, &pid) < 0 || !slice_skip_char(&rest, ' ') ||
	    slice_to_u64(rest, &start) < 0 || start == 0)
		return -ENOENT;
	if (start_time((pid_t)pid) != start)
		return -ESRCH;
	return watch(p, (pid_t)pid);
}

int process_signal(const struct process *p, int signo)
{
	if (!p->pid)
		return -ESRCH;
	return syscall(SYS_pidfd_send_signal, p->pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

void process_release(struct process *p)
{
	if (!p->pid)
		return;
	loop_io_remove(&p->io);
	close(p->pidfd);
	p->pidfd = -1;
	p->pid = 0;
}
