/* SPDX-License-Identifier: Apache-2.0 */
/* zone.c - see zone.h. A zone is a file of TZif format (RFC 8536) below the database's folder. */
#include "control/setup/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/error.h"
#include "base/slice.h"

#define DATABASE "/usr/share/zoneinfo"
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-"

/* Words joined by single slashes: no dot, so no way out of the folder. */
static bool well_formed(const char *name)
{
	for (const char *p = name;; p++) {
		size_t word = strspn(p, NAME_CHARACTERS);

		if (word == 0)
			return false;
		p += word;
		if (*p == '\0')
			return (size_t)(p - name) <= ZONE_NAME_MAX;
		if (*p != '/')
			return false;
	}
}

static bool is_zone_file(const char *name)
{
	char path[sizeof(DATABASE) + ZONE_NAME_MAX + 2], magic[4];
	AUTO(fd) int fd = -1;
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", DATABASE, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic) &&
	       memcmp(magic, "TZif", sizeof(magic)) == 0;
}

int zone_check(const char *name, struct error *err)
{
	/* UTC needs no database. */
	if (strcmp(name, "UTC") == 0 || (well_formed(name) && is_zone_file(name)))
		return 0;
	return error_set(err, -EINVAL, "is no time zone of this system, such as Europe/Berlin");
}

void zone_of_host(char out[ZONE_NAME_MAX + 1])
{
	char path[256];
	ssize_t len = readlink("/etc/localtime", path, sizeof(path) - 1);
	const char *name = NULL;

	(void)snprintf(out, ZONE_NAME_MAX + 1, "UTC");
	if (len <= 0)
		return;
	path[len] = '\0';
	name = strstr(path, "/zoneinfo/");
	if (!name)
		return;
	name += strlen("/zoneinfo/");
	if (zone_check(name, NULL) == 0)
		(void)snprintf(out, ZONE_NAME_MAX + 1, "%s", name);
}

bool zone_clock_synchronized(void)
{
	struct timex t = { 0 };
	int state = adjtimex(&t);

	return state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC);
}
