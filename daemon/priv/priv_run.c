/* SPDX-License-Identifier: Apache-2.0 */
/* priv_run.c - posix_spawn with pipes for stdin and the program's complaints. */
#include "priv/priv_run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS 10000
#define POLL_MS 5

/* stdin is a sealed memory file: no pipe can fill up and block us. */
static int input_fd(const char *input)
{
	AUTO(fd) int fd = -1;
	size_t len = input ? strlen(input) : 0;

	if (!input)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0 || write(fd, input, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0)
		return -1;
	return TAKE_FD(fd);
}

static int wait_within(pid_t pid, int *status)
{
	struct timespec pause = { 0, POLL_MS * 1000000L };

	for (int waited = 0; waited < TIMEOUT_MS; waited += POLL_MS) {
		pid_t got = waitpid(pid, status, WNOHANG);

		if (got == pid)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		(void)nanosleep(&pause, NULL);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, status, 0);
	return -ETIMEDOUT;
}

static void last_words(int fd, char *out, size_t size)
{
	ssize_t n = pread(fd, out, size - 1, 0);

	out[n > 0 ? n : 0] = '\0';
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
}

int priv_run(const char *const *argv, const char *input, struct error *err)
{
	char *env[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" }, (char[]){ "LC_ALL=C" },
			NULL };
	AUTO(fd) int in = input_fd(input);
	AUTO(fd) int out = memfd_create("output", MFD_CLOEXEC);
	posix_spawn_file_actions_t actions;
	char words[200];
	int r, status;
	pid_t pid;

	if (in < 0 || out < 0)
		return error_set(err, -ENOMEM, "no room for the input of %s", argv[0]);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, in, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, out, 1);
	(void)posix_spawn_file_actions_adddup2(&actions, out, 2);
	r = posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, env);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return error_set(err, -r, "%s: %s", argv[0], strerror(r));
	r = wait_within(pid, &status);
	if (r < 0)
		return error_set(err, r, "%s did not end within %d s", argv[0], TIMEOUT_MS / 1000);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	last_words(out, words, sizeof(words));
	return error_set(err, -EIO, "%s failed: %s", argv[0], words);
}
