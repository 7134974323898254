/* SPDX-License-Identifier: Apache-2.0 */
/* sm_options.c - the configuration of aura-sm: one row an option. */
#include "sm/sm_options.h"

#include <stddef.h>

#include "base/error.h"
#include "base/slice.h"
#include "sm/firewall.h"

static const char *const short_expires_names[] = { "reject", "raise", NULL };
static const char *const dialog_watch_names[] = { "own", "users", NULL };
static const char *const when_full_names[] = { "replace-oldest", "refuse", NULL };

static int check_algorithms(const char *value, struct error *err)
{
	struct slice rest = slice_str(value);

	do {
		struct slice one = slice_trim(slice_take_until(&rest, ',', NULL));

		if (!slice_eq_str(one, "MD5") && !slice_eq_str(one, "SHA-256"))
			return error_set(err, -EINVAL, "'%s' is not a list of MD5 and SHA-256",
					 value);
	} while (rest.len);
	return 0;
}

const struct option sm_option_table[] = {
	NODE_OPTIONS(struct sm_options, node),
	OPT_U32(struct sm_options, min_expires_s, "registrar.min_expires_s", "60",
		"Shortest registration.", .min = 1, .max = 86400, .unit = "s"),
	OPT_U32(struct sm_options, default_expires_s, "registrar.default_expires_s", "3600",
		"Registration time where a phone asks for none.", .min = 1, .max = 86400,
		.unit = "s"),
	OPT_U32(struct sm_options, max_expires_s, "registrar.max_expires_s", "3600",
		"Longest registration.", .min = 1, .max = 86400, .unit = "s"),
	OPT_U32(struct sm_options, max_contacts, "registrar.max_contacts", "10",
		"Contacts of one user at most, below what the user has.", .min = 1, .max = 10),
	OPT_CHOICE(struct sm_options, short_expires, "registrar.short_expires", "reject",
		   short_expires_names, "Answer to too short a time: 423 or a longer one."),
	OPT_CHOICE(struct sm_options, when_full, "registrar.when_full", "replace-oldest",
		   when_full_names, "What one contact too many does."),
	OPT_BOOL(struct sm_options, service_route, "registrar.service_route", "true",
		 "Tell phones the Route of their calls when they register (RFC 3608)."),
	OPT_CHOICE(struct sm_options, dialog_watch, "events.dialog_watch", "own",
		   dialog_watch_names,
		   "Whose dialogs a user may watch: his own, or those of all users."),
	OPT_STRING(struct sm_options, digest_algorithms, "digest.algorithms", "MD5",
		   "Digest algorithms offered, in this order.", .check = check_algorithms),
	OPT_U32(struct sm_options, nonce_ttl_s, "digest.nonce_ttl_s", "30",
		"Life of a nonce that is not used.", .min = 1, .max = 3600, .unit = "s"),
	OPT_STRING(struct sm_options, firewall_allow, "firewall.allow", "127.0.0.1, ::1",
		   "Networks that no rule of the firewall applies to; entities need not be named.",
		   .check = firewall_check_nets),
	OPT_STRING(struct sm_options, firewall_deny, "firewall.deny", "",
		   "Networks that are never answered.", .check = firewall_check_nets),
	OPT_U32(struct sm_options, source_per_s, "firewall.source_per_s", "300",
		"Messages a second from one address that come to no right password; 0: no limit.",
		.max = 1000000),
	OPT_U32(struct sm_options, source_burst, "firewall.source_burst", "1500",
		"So many of them at once.", .min = 1, .max = 1000000),
	OPT_U32(struct sm_options, user_per_s, "firewall.user_per_s", "100",
		"Requests a second in one user's name; 0: no limit.", .max = 1000000),
	OPT_U32(struct sm_options, user_burst, "firewall.user_burst", "1000",
		"So many of them at once.", .min = 1, .max = 1000000),
	OPT_U32(struct sm_options, malformed_max, "firewall.malformed_max", "20",
		"Unreadable messages in ten seconds that bring an address into quarantine; 0: none.",
		.max = 1000000),
	OPT_U32(struct sm_options, failed_max, "firewall.failed_max", "20",
		"Wrong passwords in a minute that bring an address into quarantine; 0: none.",
		.max = 1000000),
	OPT_U32(struct sm_options, quarantine_s, "firewall.quarantine_s", "60",
		"How long an address is not answered then.", .min = 1, .max = 86400, .unit = "s"),
	OPT_U32(struct sm_options, connections_max, "firewall.connections", "256",
		"Connections from one address; 0: no limit.", .max = 10240),
	OPT_U32(struct sm_options, down_after_ms, "link.down_after_ms", "2000",
		"Silence after which an entity counts as dead.", .min = 100, .max = 60000,
		.unit = "ms"),
	OPT_U32(struct sm_options, probe_ms, "link.probe_ms", "500",
		"Distance of the OPTIONS that watch an entity.", .min = 50, .max = 60000,
		.unit = "ms"),
	OPT_U32(struct sm_options, timer_c_s, "sip.timer_c_s", "185",
		"Ringing time after which an unanswered branch is given up.", .min = 1, .max = 3600,
		.unit = "s"),
	OPT_STRING(struct sm_options, dns_server, "dns.server", "",
		   "Resolver as ADDRESS or ADDRESS@PORT; empty: those of the system."),
	OPT_STRING(struct sm_options, wss_listen, "sip.wss_listen", "",
		   "Addresses and ports for SIP over WebSocket; empty: 5443 beside 5060."),
	OPT_END,
};
