/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - what the guest knows of itself: memory, load, data disk, uptime. */
#pragma once
#include <stdint.h>

struct buf;

struct status {
	uint64_t uptime_s;
	uint64_t memory_total_kib, memory_available_kib;
	uint64_t data_size_bytes, data_used_bytes;
	double load1;
};

/* Whatever cannot be read stays 0. */
void status_read(const char *data_folder, struct status *ret);
/* Prometheus text, for the guest without a call server. */
void status_metrics(const struct status *s, int ready, uint32_t restarts, struct buf *out);
/* The kernel's random id of this boot; "" when unknown. */
void status_boot_id(char out[64]);
