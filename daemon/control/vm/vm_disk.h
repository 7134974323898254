/* SPDX-License-Identifier: Apache-2.0 */
/* vm_disk.h - a VM's folder below disks/: its data disk (qcow2) and its boot configuration. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Free bytes that the folder's file system keeps; a deployment that finds less is refused. */
#define VM_DISK_RESERVE (192ULL << 20)

/* DISKS/NAME/data.qcow2; out has room for size bytes. Errors: -ENAMETOOLONG. */
int vm_disk_path(const char *disks, const char *name, char *out, size_t size);
/* Make DISKS/NAME (0711) and in it data.qcow2 of size_mib, by qemu-img into a temporary name, fsync and
 * rename; an existing disk is kept as it is. Returns 1 made, 0 there already.
 * Errors: -ENOSPC (disk_full), -EIO qemu-img failed, -errno. */
int vm_disk_create(const char *disks, const char *name, uint64_t size_mib, struct error *err);
/* Is there a data disk? */
bool vm_disk_exists(const char *disks, const char *name);
/* Remove the disk and the folder with all that is in it (one level). Nothing there is no error. */
int vm_disk_remove(const char *disks, const char *name, struct error *err);
/* Bytes that the file takes on the host; 0 when there is none. */
uint64_t vm_disk_used(const char *disks, const char *name);
