/* SPDX-License-Identifier: Apache-2.0 */
/* vm_log.c - reads the end of the console log; virtlogd writes and rotates it as root. */
#include "control/vm/vm_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/vm/vm_internal.h"

#define ROTATED 3 /* older files that are looked at: NAME.log.0 is the newest of them */

static int open_log(struct vm_manager *m, const char *name, unsigned index, struct error *err)
{
	char path[560];
	int fd;

	if (m->config.log_open)
		return m->config.log_open(m->config.user, name, index, err);
	if (index == 0)
		(void)snprintf(path, sizeof(path), "%s/%s.log", m->config.logs_dir, name);
	else
		(void)snprintf(path, sizeof(path), "%s/%s.log.%u", m->config.logs_dir, name,
			       index - 1);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? error_set(err, -errno, "%s: %s", path, strerror(errno)) : fd;
}

/* The last part of one file in front of what is there already. */
static int prepend(int fd, char *buf, size_t max, size_t *used, struct error *err)
{
	struct stat st;
	size_t want, got = 0;
	off_t from;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, -EIO, "the console log is no file");
	want = max - *used;
	if ((off_t)want > st.st_size)
		want = (size_t)st.st_size;
	from = st.st_size - (off_t)want;
	memmove(buf + want, buf, *used);
	while (got < want) {
		ssize_t n = pread(fd, buf + got, want - got, from + (off_t)got);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	/* rotated away under our eyes: what was not read leaves no gap */
	memmove(buf + got, buf + want, *used);
	*used += got;
	return 0;
}

int vm_log_tail(struct vm_manager *m, const char *vm_name, size_t max, char **ret, size_t *len,
		struct error *err)
{
	char name[VM_NAME_MAX + 1];
	AUTO(str) char *buf = NULL;
	size_t used = 0;
	struct vm *vm;
	int r = 0;

	if (max > VM_LOG_READ_MAX)
		max = VM_LOG_READ_MAX;
	vm_lock(m);
	vm = vm_find(m, vm_name);
	if (vm)
		memcpy(name, vm->name, sizeof(name));
	vm_unlock(m);
	if (!vm)
		return error_set(err, -ENOENT, "there is no VM '%.63s'", vm_name);
	buf = malloc(max + 1);
	if (!buf)
		return error_set(err, -ENOMEM, "out of memory");
	for (unsigned i = 0; i <= ROTATED && used < max && r == 0; i++) {
		AUTO(fd) int fd = open_log(m, name, i, err);

		if (fd == -ENOENT)
			break;
		r = fd < 0 ? fd : prepend(fd, buf, max, &used, err);
	}
	if (r < 0)
		return r;
	error_clear(err);
	buf[used] = '\0';
	*ret = TAKE(buf);
	*len = used;
	return 0;
}
