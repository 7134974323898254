/* SPDX-License-Identifier: Apache-2.0 */
/* cm_options.h - the options of aura-cm beside those of every call server. */
#pragma once
#include "node/node.h"

struct cm_options {
	struct node_options node;
	uint32_t no_answer_s; /* how long the terminating half lets a station ring */
	uint32_t setup_s;     /* how long the originating half waits for a final answer */
	uint32_t audit_s;     /* how often both sides of a talk are asked whether they know it */
	uint32_t session_s;   /* session interval that we propose */
	uint32_t reserve_s;   /* how long a phone may be off-hook without dialling */
	bool dialog_state_all;
	uint32_t max_calls;
};

extern const struct option cm_options[];
