/* SPDX-License-Identifier: Apache-2.0 */
/* presence_options.c - the options of aura-presence beside those of every call server. */
#include "presence/presence_options.h"

/* clang-format off */
const struct option presence_options[] = {
	NODE_OPTIONS(struct presence_options, node),
	OPT_U32(struct presence_options, publish_min_s, "publish.min_expires_s", "60",
		"Shortest time a publication may ask for.", .min = 1, .max = 86400, .unit = "s"),
	OPT_U32(struct presence_options, publish_default_s, "publish.default_expires_s", "3600",
		"Time of a publication that asks for none.", .min = 1, .max = 86400, .unit = "s"),
	OPT_U32(struct presence_options, publish_max_s, "publish.max_expires_s", "3600",
		"Longest time of a publication.", .min = 1, .max = 86400, .unit = "s"),
	OPT_U32(struct presence_options, watch_min_s, "watch.min_expires_s", "60",
		"Shortest time a subscription may ask for.", .min = 1, .max = 86400, .unit = "s"),
	OPT_U32(struct presence_options, watch_default_s, "watch.default_expires_s", "3600",
		"Time of a subscription that asks for none.", .min = 1, .max = 86400, .unit = "s"),
	OPT_U32(struct presence_options, watch_max_s, "watch.max_expires_s", "3600",
		"Longest time of a subscription.", .min = 1, .max = 86400, .unit = "s"),
	OPT_U32(struct presence_options, publications_max, "publish.max_total", "65536",
		"Publications at a time.", .min = 1, .max = 1000000),
	OPT_U32(struct presence_options, publications_per_user, "publish.max_per_user", "10",
		"Publications of one user at a time: one a device.", .min = 1, .max = 16),
	OPT_U32(struct presence_options, watches_max, "watch.max_total", "65536",
		"Subscriptions at a time.", .min = 1, .max = 1000000),
	OPT_U32(struct presence_options, watches_per_user, "watch.max_per_user", "20",
		"Subscriptions of one watcher to one user at a time.", .min = 1, .max = 1000),
	OPT_U32(struct presence_options, throttle_ms, "watch.throttle_ms", "200",
		"Least time between two notifications of one subscription.",
		.max = 60000, .unit = "ms"),
	OPT_END,
};
/* clang-format on */
