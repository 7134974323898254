/* SPDX-License-Identifier: Apache-2.0 */
/* presence_options.h - the options of aura-presence beside those of every call server. */
#pragma once
#include "node/node.h"

struct presence_options {
	struct node_options node;
	uint32_t publish_min_s, publish_default_s, publish_max_s;
	uint32_t watch_min_s, watch_default_s, watch_max_s;
	uint32_t publications_max, publications_per_user;
	uint32_t watches_max, watches_per_user;
	uint32_t throttle_ms;
};

extern const struct option presence_options[];
