/* SPDX-License-Identifier: Apache-2.0 */
/* vm_agent.h - the link to aurabox-agent in a guest: JSON lines over its virtio-serial port. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct vm_agent; /* opaque, see vm_agent.c */

#define VM_AGENT_LINE_MAX 65536 /* longest line; a longer one is dropped up to its end */

#define VM_AGENT_NUMBER_MAX (1LL << 50) /* a larger number of a status counts as none */

/* The newest status that the guest gave of itself. */
struct vm_agent_status {
	bool connected; /* a hello or status was seen since the link was opened */
	bool ready;
	char reason[128];
	char version[32];
	char boot_id[64];
	uint64_t uptime_s;
	uint64_t memory_total_kib, memory_available_kib;
	uint64_t data_size_bytes, data_used_bytes;
	double load1;
	uint64_t heard_ms; /* monotonic clock */
};

/* What the link needs and tells. Callbacks run on the thread that feeds the link. */
struct vm_agent_ops {
	/* Send bytes to the guest; 0 or negative errno. */
	int (*send)(void *arg, const char *bytes, size_t len);
	/* The guest asks for a certificate; the answer comes by vm_agent_certify(). `csr` is borrowed. */
	void (*csr)(void *arg, const char *csr);
	/* The status changed in what others see: connected, ready or reason. */
	void (*changed)(void *arg, const struct vm_agent_status *status);
};

/* The caller owns *ret. `ops` must outlive it. */
int vm_agent_new(const struct vm_agent_ops *ops, void *arg, struct vm_agent **ret);
struct vm_agent *vm_agent_free(struct vm_agent *agent); /* accepts NULL */
DEFINE_AUTO(vm_agent)

/* The channel opened, or opened again under a guest that runs on: ask for a hello. What was known stays
 * until it is stale. */
void vm_agent_opened(struct vm_agent *agent);
/* The guest has ended: not connected, not ready. */
void vm_agent_closed(struct vm_agent *agent);
/* Bytes from the guest; malformed or unknown lines are counted and ignored. */
void vm_agent_feed(struct vm_agent *agent, const char *bytes, size_t len, uint64_t now_ms);
/* A status older than VM_AGENT_STALE_MS makes the guest not ready. */
#define VM_AGENT_STALE_MS 8000
void vm_agent_tick(struct vm_agent *agent, uint64_t now_ms);

int vm_agent_certify(struct vm_agent *agent, const char *certificate_pem, const char *ca_pem,
		     const char *time);
/* Ask the guest to power off. Errors: -ENOTCONN no agent. */
int vm_agent_shutdown(struct vm_agent *agent);
int vm_agent_ping(struct vm_agent *agent);
/* Freeze the guest's data for at most timeout_s, and thaw it. The id of the answer is in *id. */
int vm_agent_freeze(struct vm_agent *agent, uint32_t timeout_s, uint64_t *id);
int vm_agent_thaw(struct vm_agent *agent, uint64_t *id);

void vm_agent_status(const struct vm_agent *agent, struct vm_agent_status *ret);
/* Lines that were not understood, for the metrics. */
uint64_t vm_agent_bad_lines(const struct vm_agent *agent);
