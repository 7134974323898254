/* SPDX-License-Identifier: Apache-2.0 */
/* sm_options.h - the configuration of aura-sm: one row an option. */
#pragma once
#include "base/option.h"
#include "node/node.h"

enum short_expires { SHORT_EXPIRES_REJECT, SHORT_EXPIRES_RAISE };
enum dialog_watch { DIALOG_WATCH_OWN, DIALOG_WATCH_USERS };
enum when_full { WHEN_FULL_REPLACE_OLDEST, WHEN_FULL_REFUSE };

struct sm_options {
	struct node_options node;
	uint32_t min_expires_s;
	uint32_t default_expires_s;
	uint32_t max_expires_s;
	uint32_t max_contacts;
	uint32_t short_expires; /* enum short_expires */
	uint32_t when_full;	/* enum when_full */
	uint32_t dialog_watch;	/* enum dialog_watch */
	bool service_route;
	char *digest_algorithms;
	uint32_t nonce_ttl_s;
	char *firewall_allow;
	char *firewall_deny;
	uint32_t source_per_s, source_burst;
	uint32_t user_per_s, user_burst;
	uint32_t malformed_max, failed_max;
	uint32_t quarantine_s;
	uint32_t connections_max;
	uint32_t down_after_ms;
	uint32_t probe_ms;
	uint32_t timer_c_s;
	char *dns_server; /* "ADDRESS[@PORT]" or "" */
	char *wss_listen; /* ADDRESS:PORT or "" */
};

extern const struct option sm_option_table[];
