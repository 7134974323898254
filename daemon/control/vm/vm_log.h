/* SPDX-License-Identifier: Apache-2.0 */
/* vm_log.h - the console log of a VM: what its kernel, init and agent said, kept with rotation. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct error;
struct vm_manager;

#define VM_LOG_READ_MAX 1048576 /* most bytes that one call returns */

/* The last `max` bytes of the VM's console log (at most VM_LOG_READ_MAX), the rotated files included
 * when the newest is shorter. *ret is malloc'd, NUL-terminated and may hold any byte; the caller frees
 * it. A VM that never ran has an empty log. Errors: -ENOENT no such VM, -EACCES, -EIO. */
int vm_log_tail(struct vm_manager *m, const char *vm, size_t max, char **ret, size_t *len,
		struct error *err);
