/* SPDX-License-Identifier: Apache-2.0 */
/* firewall.h - what the network may ask of sm before anybody is known: allow and deny lists, rates
 * per source and per user, quarantine, connections. Counts and judges; touches no socket.
 *
 * A source is an IPv4 address or an IPv6 /64. Each message costs it one token; a request whose
 * credentials were right gives back what it cost, so that only strangers and guessers run dry. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json_field.h"
#include "base/slice.h"
#include "net/addr.h"

#define FIREWALL_NETS_MAX 64	   /* in one list of the configuration */
#define FIREWALL_SOURCES_MAX 65536 /* the longest silent one without a connection makes room */
#define FIREWALL_USERS_MAX 16384

enum firewall_rule {
	FIREWALL_PASS = 0,
	FIREWALL_DENY,	      /* on the deny list */
	FIREWALL_QUARANTINE,  /* after malformed messages or wrong passwords */
	FIREWALL_SOURCE_RATE, /* too many messages of a source */
	FIREWALL_USER_RATE,   /* too many requests of a user */
	FIREWALL_CONNECTIONS, /* too many connections of a source */
	FIREWALL_RULES
};

struct firewall_config {
	const char *allow; /* "192.0.2.0/24, 2001:db8::1": patterns that no rule applies to */
	const char *deny;
	uint32_t source_per_s, source_burst; /* messages; per_s 0: no limit */
	uint32_t user_per_s, user_burst;     /* authenticated requests; 0: no limit */
	uint32_t malformed_max;		     /* in ten seconds, then quarantine; 0: never */
	uint32_t failed_max; /* wrong passwords in a minute, then quarantine; 0: never */
	uint32_t quarantine_s;
	uint32_t connections_max; /* of one source; 0: no limit */
};

struct firewall; /* opaque, see firewall.c */

struct uc_firewall;

/* Is it a list of patterns of addresses, commas between? Errors: -EINVAL. */
int firewall_check_nets(const char *text, struct error *err);
/* Errors: -EINVAL a list is malformed, -ENOMEM. */
int firewall_new(const struct firewall_config *config, struct firewall **ret, struct error *err);
struct firewall *firewall_free(struct firewall *fw);
DEFINE_AUTO(firewall)
/* What people administer, beside and instead of the configuration: rules in addition, limits in its
 * place. Who is in quarantine stays there. Of all patterns that hold an address the narrowest decides,
 * of two alike the one that allows. Errors: -ENOMEM, nothing is changed. */
int firewall_administer(struct firewall *fw, const struct uc_firewall *rows);
/* Let it speak again; NULL: all. How many were let go. */
size_t firewall_release(struct firewall *fw, const struct addr *addr, uint64_t now_ms);
/* Further addresses that no rule but deny applies to: the entities'. At most FIREWALL_NETS_MAX are kept. */
void firewall_set_peers(struct firewall *fw, const struct addr *peers, size_t count);

/* A message came; now_ms is the monotonic clock throughout. */
enum firewall_rule firewall_message(struct firewall *fw, const struct addr *from, uint64_t now_ms);
/* A request of this user passed the password check. Gives back its tokens, forgives one failure. */
enum firewall_rule firewall_authenticated(struct firewall *fw, const struct addr *from,
					  struct slice user, uint64_t now_ms);
/* What it sent cannot be read; its credentials are wrong. */
void firewall_malformed(struct firewall *fw, const struct addr *from, uint64_t now_ms);
void firewall_failed(struct firewall *fw, const struct addr *from, uint64_t now_ms);
/* A connection came (PASS: it is counted) and went. */
enum firewall_rule firewall_connect(struct firewall *fw, const struct addr *from, uint64_t now_ms);
void firewall_disconnect(struct firewall *fw, const struct addr *from);

/* Count a blocked thing. true: it may be logged, once a second a rule; *unlogged is how many were
 * not since the last line. */
bool firewall_blocked(struct firewall *fw, enum firewall_rule rule, uint64_t now_ms,
		      uint64_t *unlogged);
const char *firewall_rule_name(enum firewall_rule rule); /* "source_rate" */
uint64_t firewall_count(const struct firewall *fw, enum firewall_rule rule);
size_t firewall_sources(const struct firewall *fw);
size_t firewall_quarantined(const struct firewall *fw, uint64_t now_ms);
/* {"limits":{…},"rules":[{pattern,action,origin,hits}],"blocked":{rule:n},"sources":n,
 * "quarantined":[{address,reason,for_s}]}, of the last at most 500; new reference. */
json_t *firewall_to_json(const struct firewall *fw, uint64_t now_ms);
