/* SPDX-License-Identifier: Apache-2.0 */
/* vm_cycle.c - the table of the life cycle. */
#include "control/vm/vm_cycle.h"

#include "base/error.h"

static const char *const state_names[] = {
	[VM_DEPLOYING] = "deploying", [VM_STOPPED] = "stopped", [VM_STARTING] = "starting",
	[VM_RUNNING] = "running",     [VM_PAUSED] = "paused",	[VM_STOPPING] = "stopping",
	[VM_CRASHED] = "crashed",
};

static const char *const event_names[] = {
	[VM_EV_START] = "start",
	[VM_EV_STARTED] = "started",
	[VM_EV_START_FAILED] = "start_failed",
	[VM_EV_STOP] = "stop",
	[VM_EV_STOP_FAILED] = "stop_failed",
	[VM_EV_GONE] = "gone",
	[VM_EV_ADOPT] = "adopt",
	[VM_EV_PAUSED] = "paused",
	[VM_EV_RESUMED] = "resumed",
};

/* clang-format off */
static const struct fsm_row rows[] = {
	/* state        event               next          action */
	{ VM_DEPLOYING, VM_EV_START,        VM_STARTING,  NULL },
	{ VM_DEPLOYING, VM_EV_ADOPT,        VM_RUNNING,   NULL },
	{ VM_STOPPED,   VM_EV_START,        VM_STARTING,  NULL },
	{ VM_STOPPED,   VM_EV_ADOPT,        VM_RUNNING,   NULL },
	{ VM_STARTING,  VM_EV_STARTED,      VM_RUNNING,   NULL },
	{ VM_STARTING,  VM_EV_START_FAILED, VM_CRASHED,   NULL },
	{ VM_RUNNING,   VM_EV_STOP,         VM_STOPPING,  NULL },
	{ VM_RUNNING,   VM_EV_GONE,         VM_CRASHED,   NULL },
	{ VM_RUNNING,   VM_EV_PAUSED,       VM_PAUSED,    NULL },
	{ VM_PAUSED,    VM_EV_RESUMED,      VM_RUNNING,   NULL },
	{ VM_PAUSED,    VM_EV_STOP,         VM_STOPPING,  NULL },
	{ VM_PAUSED,    VM_EV_GONE,         VM_CRASHED,   NULL },
	{ VM_STOPPING,  VM_EV_GONE,         VM_STOPPED,   NULL },
	{ VM_STOPPING,  VM_EV_STOP_FAILED,  VM_RUNNING,   NULL },
	{ VM_CRASHED,   VM_EV_START,        VM_STARTING,  NULL },
	{ VM_CRASHED,   VM_EV_STOP,         VM_STOPPED,   NULL },
	{ VM_CRASHED,   VM_EV_ADOPT,        VM_RUNNING,   NULL },
};
/* clang-format on */

const struct fsm_table vm_cycle = {
	.name = "vm",
	.rows = rows,
	.count = ARRAY_SIZE(rows),
	.state_names = state_names,
	.event_names = event_names,
};

uint32_t vm_restart_delay_ms(uint32_t n)
{
	return n < 6 ? 1000U << n : 60000;
}
