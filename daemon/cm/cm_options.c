/* SPDX-License-Identifier: Apache-2.0 */
/* cm_options.c - the options of aura-cm beside those of every call server. */
#include "cm/cm_options.h"

/* clang-format off */
const struct option cm_options[] = {
	NODE_OPTIONS(struct cm_options, node),
	OPT_U32(struct cm_options, no_answer_s, "call.no_answer_s", "60",
		"How long a called station may ring before the call is given up.",
		.min = 1, .max = 600, .unit = "s"),
	OPT_U32(struct cm_options, setup_s, "call.setup_s", "240",
		"How long the calling side waits for a final answer.",
		.min = 1, .max = 3600, .unit = "s"),
	OPT_U32(struct cm_options, audit_s, "call.audit_s", "600",
		"How often both sides of a call are asked whether they still know it.",
		.min = 1, .max = 86400, .unit = "s"),
	OPT_U32(struct cm_options, session_s, "call.session_s", "1800",
		"After how long a call without a refresh is over, for phones that know session "
		"timers.",
		.min = 90, .max = 86400, .unit = "s"),
	OPT_U32(struct cm_options, reserve_s, "call.reserve_s", "30",
		"How long a phone that is off-hook keeps its line without dialling, if it does not say.",
		.min = 30, .max = 240, .unit = "s"),
	OPT_BOOL(struct cm_options, dialog_state_all, "call.dialog_state_all", "no",
		 "Publish the dialog state of every station, not only of those whose phones go "
		 "off-hook before they dial."),
	OPT_U32(struct cm_options, max_calls, "call.max_calls", "0",
		"Calls at a time, those that ended within 32 s included; "
		"0: as many as half of the memory holds.", .max = 1000000),
	OPT_END,
};
/* clang-format on */
