/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - reads /proc and statvfs(2). */
#include "agent/status.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/buf.h"

static bool read_line(const char *path, char *out, int size)
{
	FILE *file = fopen(path, "re");
	bool ok = file && fgets(out, size, file);

	if (file)
		fclose(file);
	return ok;
}

static void read_memory(struct status *s)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "MemTotal:", 9) == 0)
			s->memory_total_kib = strtoull(line + 9, NULL, 10);
		else if (strncmp(line, "MemAvailable:", 13) == 0)
			s->memory_available_kib = strtoull(line + 13, NULL, 10);
	}
	if (file)
		fclose(file);
}

void status_read(const char *data_folder, struct status *ret)
{
	struct statvfs fs;
	char line[128];

	memset(ret, 0, sizeof(*ret));
	if (read_line("/proc/uptime", line, sizeof(line)))
		ret->uptime_s = strtoull(line, NULL, 10);
	if (read_line("/proc/loadavg", line, sizeof(line)))
		ret->load1 = strtod(line, NULL);
	read_memory(ret);
	if (statvfs(data_folder, &fs) == 0) {
		ret->data_size_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
		ret->data_used_bytes = (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize;
	}
}

void status_metrics(const struct status *s, int ready, uint32_t restarts, struct buf *out)
{
	const struct {
		const char *name, *type, *help;
		double value;
	} rows[] = {
		{ "aurabox_guest_ready", "gauge", "1 when the guest serves.", ready },
		{ "aurabox_guest_server_restarts_total", "counter",
		  "Times the server ended by itself and was started again.", restarts },
		{ "aurabox_guest_uptime_seconds", "gauge", "Time since boot.",
		  (double)s->uptime_s },
		{ "aurabox_guest_memory_bytes", "gauge", "Memory of the guest.",
		  (double)s->memory_total_kib * 1024 },
		{ "aurabox_guest_memory_available_bytes", "gauge", "Memory that could be used.",
		  (double)s->memory_available_kib * 1024 },
		{ "aurabox_guest_data_bytes", "gauge", "Size of the data disk's file system.",
		  (double)s->data_size_bytes },
		{ "aurabox_guest_data_used_bytes", "gauge", "Used of it.",
		  (double)s->data_used_bytes },
		{ "aurabox_guest_load1", "gauge", "Load average over one minute.", s->load1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.10g\n", rows[i].name,
			   rows[i].help, rows[i].name, rows[i].type, rows[i].name, rows[i].value);
}

void status_boot_id(char out[64])
{
	if (!read_line("/proc/sys/kernel/random/boot_id", out, 64))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}
