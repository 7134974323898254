/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_agent_line.c - any bytes from a guest on the agent channel: the host believes nothing and tells
 * the same whether they arrive at once or one by one. */
#include "fuzz.h"

#include <string.h>

#include "control/vm/vm_agent.h"

static int sink_send(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	MUST(len > 0 && bytes[len - 1] == '\n');
	return 0;
}

static void count_csr(void *arg, const char *csr)
{
	*(size_t *)arg += strlen(csr) + 1;
}

static void see_changed(void *arg, const struct vm_agent_status *status)
{
	(void)arg;
	MUST(memchr(status->reason, '\0', sizeof(status->reason)) != NULL);
	MUST(memchr(status->version, '\0', sizeof(status->version)) != NULL);
	MUST(memchr(status->boot_id, '\0', sizeof(status->boot_id)) != NULL);
}

static const struct vm_agent_ops ops = {
	.send = sink_send,
	.csr = count_csr,
	.changed = see_changed,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(vm_agent) struct vm_agent *whole = NULL;
	AUTO(vm_agent) struct vm_agent *bytewise = NULL;
	struct vm_agent_status a, b;
	size_t csrs_a = 0, csrs_b = 0;

	MUST(vm_agent_new(&ops, &csrs_a, &whole) == 0 &&
	     vm_agent_new(&ops, &csrs_b, &bytewise) == 0);
	vm_agent_opened(whole);
	vm_agent_opened(bytewise);
	vm_agent_feed(whole, (const char *)data, size, 1000);
	for (size_t i = 0; i < size; i++)
		vm_agent_feed(bytewise, (const char *)data + i, 1, 1000);
	vm_agent_status(whole, &a);
	vm_agent_status(bytewise, &b);
	MUST(csrs_a == csrs_b && a.connected == b.connected && a.ready == b.ready);
	MUST(strcmp(a.reason, b.reason) == 0 && a.memory_total_kib == b.memory_total_kib);
	MUST(vm_agent_bad_lines(whole) == vm_agent_bad_lines(bytewise));
	vm_agent_tick(whole, 1000 + VM_AGENT_STALE_MS + 1);
	vm_agent_status(whole, &a);
	MUST(!a.ready);
	return 0;
}
