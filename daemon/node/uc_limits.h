/* SPDX-License-Identifier: Apache-2.0 */
/* uc_limits.h - how many rows there are, and how long their members: said once, for who takes rows in
 * and for who reads them. */
#pragma once

#define UC_DIGITS_MAX 36 /* of a dialled number, and of a pattern */
#define UC_NOTES_MAX 1000
#define UC_NAME_MAX 64
#define UC_DOMAIN_MAX 253

/* Rows of one kind. */
#define UC_DOMAINS_MAX 1000
#define UC_LOCATIONS_MAX 1000
#define UC_ADAPTATIONS_MAX 1000
#define UC_ENTITIES_MAX 1000
#define UC_ENTITY_LINKS_ALL_MAX (UC_ENTITIES_MAX * UC_ENTITY_LINKS_MAX)
#define UC_TIME_RANGES_MAX 500
#define UC_POLICIES_MAX 5000
#define UC_SEQUENCES_MAX 200
#define UC_DIAL_PATTERNS_MAX 100000
#define UC_EXPRESSIONS_MAX 500
#define UC_IMPLICIT_USERS_MAX 1000
#define UC_FIREWALL_RULES_MAX 200

/* Within one row. */
#define UC_ENTITY_LINKS_MAX 4	   /* ways to an entity, its own first one with them */
#define UC_IP_PATTERNS_MAX 200	   /* of a location */
#define UC_CONVERSIONS_MAX 200	   /* of an adaptation */
#define UC_REMOVED_HEADERS_MAX 32  /* of one direction */
#define UC_HEADER_NAME_MAX 64	   /* characters */
#define UC_DOWN_ON_MAX 16	   /* answers that mean down */
#define UC_POLICY_TIMES_MAX 32	   /* of a policy */
#define UC_PATTERN_POLICIES_MAX 16 /* of a pattern */
#define UC_APPLICATIONS_MAX 16	   /* of a sequence */
#define UC_EXPRESSION_MAX 256	   /* characters */
#define UC_RANK_MAX 100		   /* of a policy's time */
#define UC_EXPRESSION_RANK_MAX 1000
#define UC_TIMER_B_MAX_S 32
#define UC_PROACTIVE_MAX_S 9000
#define UC_REACTIVE_MAX_S 900
#define UC_RETRIES_MAX 15
#define UC_CALLS_MAX 100000 /* of an entity */
#define UC_REGISTRAR_MAX 255
#define UC_REG_USER_MAX 128
#define UC_REG_PASSWORD_MAX 128
#define UC_REG_SEALED_MAX 896 /* the same, sealed (net/seal.h) */
#define UC_REG_EXPIRES_MIN_S 60
#define UC_REG_EXPIRES_MAX_S 86400

/* Limits of the firewall: name, least, most. */
#define UC_FIREWALL_LIMITS(X)                                                                      \
	X(source_per_s, 0, 1000000)                                                                \
	X(source_burst, 1, 1000000)                                                                \
	X(user_per_s, 0, 1000000)                                                                  \
	X(user_burst, 1, 1000000)                                                                  \
	X(malformed_max, 0, 1000000)                                                               \
	X(failed_max, 0, 1000000)                                                                  \
	X(quarantine_s, 1, 86400)                                                                  \
	X(connections_max, 0, 10240)
