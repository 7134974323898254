/* SPDX-License-Identifier: Apache-2.0 */
/* agent.h - aurabox-agent: the box's hand in a guest of ours. */
#pragma once

#include "base/error.h"

struct agent; /* opaque, see agent.c */

/* How the agent ends; init acts upon it (vmtemplates/image/root/init). */
enum agent_end { AGENT_POWER_OFF = 0, AGENT_FAILED = 1, AGENT_RESTART = 3 };

/* Prepare everything; the loop is not running yet. Errors: what stops the agent from speaking at
 * all; all else is told on the channel as the reason for not being ready. */
int agent_new(struct agent **ret, struct error *err);
struct agent *agent_free(struct agent *a);
DEFINE_AUTO(agent)
/* Until the guest is to end. */
enum agent_end agent_run(struct agent *a);
