/* SPDX-License-Identifier: Apache-2.0 */
/* vm_disk.c - data disks are made by qemu-img, run without a shell. */
#include "control/vm/vm_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

#define QEMU_IMG "/usr/bin/qemu-img"

int vm_disk_path(const char *disks, const char *name, char *out, size_t size)
{
	int n = snprintf(out, size, "%s/%s/data.qcow2", disks, name);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

bool vm_disk_exists(const char *disks, const char *name)
{
	struct stat st;
	char path[512];

	return vm_disk_path(disks, name, path, sizeof(path)) == 0 && stat(path, &st) == 0;
}

uint64_t vm_disk_used(const char *disks, const char *name)
{
	struct stat st;
	char path[512];

	if (vm_disk_path(disks, name, path, sizeof(path)) < 0 || stat(path, &st) < 0)
		return 0;
	return (uint64_t)st.st_blocks * 512;
}

static int run_qemu_img(const char *path, uint64_t size_mib, struct error *err)
{
	char *env[] = { (char[]){ "PATH=/usr/bin:/bin" }, (char[]){ "LC_ALL=C" }, NULL };
	posix_spawn_file_actions_t actions;
	char size[32];
	pid_t pid;
	int r, status;

	(void)snprintf(size, sizeof(size), "%lluM", (unsigned long long)size_mib);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	(void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	{
		char *argv[] = { (char[]){ QEMU_IMG },
				 (char[]){ "create" },
				 (char[]){ "-q" },
				 (char[]){ "-f" },
				 (char[]){ "qcow2" },
				 (char *)(uintptr_t)path,
				 size,
				 NULL };

		r = posix_spawn(&pid, QEMU_IMG, &actions, NULL, argv, env);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return error_set(err, -EIO, "qemu-img cannot be started: %s", strerror(r));
	while ((r = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
		;
	if (r < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(err, -EIO, "qemu-img could not make %s", path);
	return 0;
}

static int sync_path(const char *path, int flags)
{
	AUTO(fd) int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int room_left(const char *disks, struct error *err)
{
	struct statvfs fs;

	if (statvfs(disks, &fs) < 0)
		return error_set(err, -errno, "%s: %s", disks, strerror(errno));
	if ((uint64_t)fs.f_bavail * fs.f_frsize < VM_DISK_RESERVE) {
		(void)error_set(err, -ENOSPC, "the file system of %s has only %llu MiB free", disks,
				(unsigned long long)((uint64_t)fs.f_bavail * fs.f_frsize >> 20));
		error_resolution(err, "Free at least %llu MiB there, then deploy again.",
				 (unsigned long long)(VM_DISK_RESERVE >> 20));
		return -ENOSPC;
	}
	return 0;
}

int vm_disk_create(const char *disks, const char *name, uint64_t size_mib, struct error *err)
{
	char folder[512], path[560], temporary[576];
	int r;

	(void)snprintf(folder, sizeof(folder), "%s/%s", disks, name);
	if (mkdir(folder, 0711) < 0 && errno != EEXIST)
		return error_set(err, -errno, "%s: %s", folder, strerror(errno));
	/* QEMU runs as another user and must be able to walk in, whatever the umask was */
	(void)chmod(folder, 0711);
	r = vm_disk_path(disks, name, path, sizeof(path));
	if (r < 0)
		return error_set(err, r, "%s: name too long", folder);
	if (vm_disk_exists(disks, name))
		return 0;
	r = room_left(disks, err);
	if (r < 0)
		return r;
	(void)snprintf(temporary, sizeof(temporary), "%s.new", path);
	(void)unlink(temporary);
	r = run_qemu_img(temporary, size_mib, err);
	/* keys and digests of passwords will lie in it; libvirt gives it to QEMU's user */
	if (r == 0 && chmod(temporary, 0600) < 0)
		r = error_set(err, -errno, "%s: %s", temporary, strerror(errno));
	if (r == 0)
		r = sync_path(temporary, O_RDONLY);
	if (r == 0 && rename(temporary, path) < 0)
		r = error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (r < 0) {
		(void)unlink(temporary);
		return r;
	}
	(void)sync_path(folder, O_RDONLY | O_DIRECTORY);
	return 1;
}

int vm_disk_remove(const char *disks, const char *name, struct error *err)
{
	char folder[512];
	struct dirent *de;
	DIR *d;
	int r = 0;

	(void)snprintf(folder, sizeof(folder), "%s/%s", disks, name);
	d = opendir(folder);
	if (!d)
		return errno == ENOENT ? 0
				       : error_set(err, -errno, "%s: %s", folder, strerror(errno));
	while ((de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0 &&
		    unlinkat(dirfd(d), de->d_name, 0) < 0 && errno != ENOENT)
			r = error_set(err, -errno, "%s/%s: %s", folder, de->d_name,
				      strerror(errno));
	(void)closedir(d);
	if (r == 0 && rmdir(folder) < 0 && errno != ENOENT)
		r = error_set(err, -errno, "%s: %s", folder, strerror(errno));
	return r;
}
