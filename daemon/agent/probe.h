/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - asks the guest's server whether it serves: /health on its socket, or PostgreSQL. */
#pragma once
#include <stdbool.h>

#define PROBE_TIMEOUT 3000 /* ms for the whole exchange */

struct probe_result {
	bool ready;
	char reason[120]; /* why not, printable ASCII */
};

/* A log-in that is kept between probes, because a new one costs PostgreSQL a process. {.fd = -1} at first;
 * one thread at a time. */
struct probe_link {
	int fd;
	unsigned uses;
};

/* Both block up to PROBE_TIMEOUT: for worker threads. */
/* GET /health over the unix socket: ready when 200 and "ready": true. */
void probe_health(const char *socket_path, struct probe_result *ret);
/* PostgreSQL's log-in by protocol 3.0 over its unix socket, then an empty query on the same link: ready when it
 * says ReadyForQuery. A kept link that fails, and each 60th probe, logs in anew. */
void probe_postgres(struct probe_link *link, const char *socket_path, const char *user,
		    const char *database, struct probe_result *ret);
void probe_link_close(struct probe_link *link);

/* The parsers, for tests: whole answers. */
void probe_read_health(const char *answer, unsigned long len, struct probe_result *ret);
/* 1 when decided, 0 when more bytes are needed. */
int probe_read_postgres(const unsigned char *answer, unsigned long len, struct probe_result *ret);
