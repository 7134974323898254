/* SPDX-License-Identifier: Apache-2.0 */
/* uc_routing.h - the administration of routing as rows of a snapshot: plain values that point at each
 * other and live as long as the snapshot (uc_model.h). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/slice.h"
#include "node/uc_limits.h"

struct addr;
struct uc_entity;
struct uc_model;
struct uc_sequence;
struct uc_zone;

/* Addresses, as bytes of IPv6 (IPv4 mapped): from low to high, or by the octets of a pattern. */
struct uc_ip_pattern {
	const char *text;
	uint8_t low[16], high[16];
	bool octets;	    /* "135.12x.121.*": octet[] decides */
	char octet[4][4];   /* digits, x one digit, "*" any */
	unsigned free_bits; /* how much it leaves open: the narrower pattern wins */
};

struct uc_location {
	struct map_node by_name;
	const char *name;
	const struct uc_zone *zone; /* NULL: UTC */
	size_t count;
	struct uc_ip_pattern *patterns;
};

struct uc_time_range {
	struct map_node by_name;
	const char *name;
	uint8_t days;	 /* bit 0 Monday .. bit 6 Sunday, of the day on which it starts */
	uint16_t start;	 /* minutes since midnight */
	uint16_t finish; /* not above start: it crosses midnight */
};

struct uc_policy_time {
	const struct uc_time_range *range; /* NULL: always */
	uint32_t rank;			   /* lower first */
};

struct uc_policy {
	struct map_node by_name;
	const char *name;
	const struct uc_entity *entity;
	bool disabled;
	size_t count;
	struct uc_policy_time *times;
};

struct uc_dial_pattern {
	struct map_node by_stem; /* the characters before the first x */
	const char *pattern;	 /* digits + * #, x one digit: a prefix of the number */
	uint32_t min, max;	 /* total length */
	size_t length;		 /* of pattern */
	size_t literals;	 /* without x */
	bool emergency;
	bool deny;
	const char *domain;		    /* NULL: all */
	const struct uc_location *location; /* NULL: all */
	size_t index;			    /* in the order of ids */
	size_t count;
	const struct uc_policy **policies;
};

struct uc_regular_expression {
	const char *pattern; /* PCRE2 */
	uint32_t rank;	     /* lower first */
	bool deny;
	size_t count;
	const struct uc_policy **policies;
};

struct uc_implicit_user {
	const char *pattern;
	uint32_t min, max;
	const char *domain; /* NULL: all */
	const struct uc_sequence *origination;
	const struct uc_sequence *termination;
};

enum uc_direction { UC_INGRESS, UC_EGRESS };
enum uc_adaptation_state { UC_ADAPTATION_ENABLED, UC_ADAPTATION_DISABLED, UC_ADAPTATION_TEST_ONLY };

struct uc_digit_conversion {
	enum uc_direction direction;
	bool origination, destination;
	const char *match; /* as a dial pattern */
	uint32_t min, max;
	uint32_t cut; /* leading characters that go */
	const char *insert;
};

/* What a direction of an adaptation does beside digits. */
struct uc_adaptation_side {
	const char *domain;	   /* of the destination; "": as it is */
	const char *source_domain; /* of the origination */
	size_t remove_count;
	const char **remove; /* names of header fields */
};

struct uc_adaptation {
	struct map_node by_name;
	const char *name;
	enum uc_adaptation_state state;
	bool from_to; /* From and To are adapted, too */
	struct uc_adaptation_side side[2];
	size_t count;
	struct uc_digit_conversion *conversions;
};

/* One way to an entity; the entity's own transport and port are its first. */
struct uc_entity_link {
	uint8_t transport; /* enum uc_transport */
	uint16_t port;
	bool trusted;
	bool deny_new_service;
};

struct uc_monitoring {
	bool enabled;
	uint32_t proactive_s, reactive_s, retries;
	size_t down_on_count; /* 0: the usual answers */
	uint16_t down_on[UC_DOWN_ON_MAX];
};

/* What a trunk's password is sealed for (net/seal.h). */
#define UC_SECRET_PURPOSE "entity_registrations.password"

/* We register with a provider as a phone would. */
struct uc_registration {
	const char *registrar; /* domain or address */
	const char *user;
	const char *auth_user;
	const char *password;	     /* in clear in a standalone document alone, else "" */
	const char *password_sealed; /* for UC_SECRET_PURPOSE; "" none */
	uint32_t expires_s;
};

/* Who sm answers, and how often. */
struct uc_firewall_rule {
	const char *text; /* the pattern as it was written */
	struct uc_ip_pattern pattern;
	bool allow; /* else deny */
};

enum uc_firewall_limit {
#define UC_FIREWALL_ENUM(name, least, most) UC_FIREWALL_##name,
	UC_FIREWALL_LIMITS(UC_FIREWALL_ENUM)
#undef UC_FIREWALL_ENUM
		UC_FIREWALL_LIMIT_COUNT
};

struct uc_firewall {
	struct uc_firewall_rule *rules;
	size_t rule_count;
	int64_t limit[UC_FIREWALL_LIMIT_COUNT]; /* below 0: what the server's configuration says */
};

struct uc_routing {
	const char **domains; /* beside the model's own */
	size_t domain_count;
	struct uc_location *locations;
	size_t location_count;
	struct uc_adaptation *adaptations;
	size_t adaptation_count;
	struct uc_time_range *ranges;
	size_t range_count;
	struct uc_policy *policies;
	size_t policy_count;
	struct uc_dial_pattern *patterns;
	size_t pattern_count;
	struct uc_regular_expression *expressions;
	size_t expression_count;
	struct uc_implicit_user *implicit;
	size_t implicit_count;
	const struct uc_entity *outbound_proxy; /* NULL: none */
	bool better_match_all_overrides;
	bool emergency_unauthenticated;
	struct uc_firewall firewall;

	struct map by_location, by_adaptation, by_range, by_policy, by_stem;
};

const char *uc_firewall_limit_name(enum uc_firewall_limit limit); /* "source_per_s" */
const struct uc_routing *uc_model_routing(const struct uc_model *m);
const struct uc_location *uc_location_by_name(const struct uc_routing *r, const char *name);
/* The location with the narrowest pattern that holds the address; NULL: none. */
const struct uc_location *uc_location_of(const struct uc_routing *r, const struct addr *addr);
/* Is the host one of the authoritative domains? The model's own is. */
bool uc_domain_is_ours(const struct uc_model *m, struct slice host);
/* Does a pattern (digits + * #, x one digit) lead that number of min..max characters? */
bool uc_digits_match(const char *pattern, uint32_t min, uint32_t max, struct slice digits);
/* 0 for a pattern of digits + * # x of at most UC_DIGITS_MAX, else -EINVAL. */
int uc_pattern_check(const char *pattern);
/* Errors: -EINVAL. */
int uc_ip_pattern_read(struct slice text, struct uc_ip_pattern *ret);
bool uc_ip_pattern_holds(const struct uc_ip_pattern *pattern, const struct addr *addr);
const char *uc_adaptation_state_name(enum uc_adaptation_state state);
