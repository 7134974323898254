/* SPDX-License-Identifier: Apache-2.0 */
/* vm_cycle.h - the life cycle of a VM as a table of states and events. */
#pragma once
#include "base/fsm.h"

enum vm_state {
	VM_DEPLOYING,
	VM_STOPPED,
	VM_STARTING,
	VM_RUNNING,
	VM_PAUSED,
	VM_STOPPING,
	VM_CRASHED,
	VM_STATES,
};

enum vm_event {
	VM_EV_START,	    /* somebody or the restart timer wants it to run */
	VM_EV_STARTED,	    /* the domain runs */
	VM_EV_START_FAILED, /* it could not be started */
	VM_EV_STOP,	    /* somebody wants it to end */
	VM_EV_STOP_FAILED,  /* it runs on */
	VM_EV_GONE,	    /* the domain is no more */
	VM_EV_ADOPT,	    /* the domain was found running */
	VM_EV_PAUSED,
	VM_EV_RESUMED,
	VM_EVENTS,
};

/* Rows only move; what goes with a move (log, alarm, restart timer) is vm_step() of vm_hooks.c.
 * The fsm is embedded in struct vm. */
extern const struct fsm_table vm_cycle;

/* Pause before the n-th restart in a row (n from 0): 1, 2, 4 … 60 s. */
uint32_t vm_restart_delay_ms(uint32_t n);
