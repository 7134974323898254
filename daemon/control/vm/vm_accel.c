/* SPDX-License-Identifier: Apache-2.0 */
/* vm_accel.c - KVM or TCG: KVM only where the processor has the flag and the device can be used. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/vm/vm_internal.h"

static bool cpu_has_flag(void)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[8192];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		if (strncmp(line, "flags", 5) == 0)
			found = strstr(line, " vmx") || strstr(line, " svm");
	if (f)
		(void)fclose(f);
	return found;
}

/* A device that opens is no proof: it must also make a machine. */
static bool device_works(char *why, size_t size)
{
	AUTO(fd) int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm;

	if (fd < 0) {
		(void)snprintf(why, size, "/dev/kvm cannot be opened: %s", strerror(errno));
		return false;
	}
	if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
		(void)snprintf(why, size, "/dev/kvm speaks another version");
		return false;
	}
	vm = ioctl(fd, KVM_CREATE_VM, 0);
	if (vm < 0) {
		(void)snprintf(why, size, "/dev/kvm makes no machine: %s", strerror(errno));
		return false;
	}
	(void)close(vm);
	return true;
}

bool vm_accel_detect(const char *wish, char *reason, size_t size)
{
	if (strcmp(wish, "tcg") == 0) {
		(void)snprintf(reason, size, "configured: [vm] accelerator=tcg");
		return false;
	}
	if (strcmp(wish, "kvm") == 0) {
		(void)snprintf(reason, size, "configured: [vm] accelerator=kvm");
		return true;
	}
	if (!cpu_has_flag()) {
		(void)snprintf(reason, size, "the processor shows neither vmx nor svm");
		return false;
	}
	if (!device_works(reason, size))
		return false;
	(void)snprintf(reason, size, "the processor has the flag and /dev/kvm makes machines");
	return true;
}
