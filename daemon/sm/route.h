/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - where a request goes that no application sequence decides: users, dial patterns, regular
 * expressions, outbound proxy, Request-URI, in this order. Decides only; touches nothing, so that the
 * routing test and a call ask the same function. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "node/uc_routing.h"

struct route_table; /* opaque, see route.c */
struct uc_model;
struct uc_user;

#define ROUTE_CANDIDATES_MAX 16
#define ROUTE_STEPS_MAX 96
#define ROUTE_DETAIL_MAX 192
#define ROUTE_DIGITS_SIZE 64

enum route_outcome {
	ROUTE_USER,	 /* user */
	ROUTE_ENTITY,	 /* the first candidate that takes calls */
	ROUTE_ELSEWHERE, /* to the host of the Request-URI */
	ROUTE_DENIED,	 /* 403 */
	ROUTE_NOT_FOUND, /* 404; 480 when only the time is wrong */
	ROUTE_DOWN,	 /* candidates there are, but none takes calls: 500; 486 when one is full */
};

enum route_link {
	ROUTE_LINK_UP,
	ROUTE_LINK_UNKNOWN,
	ROUTE_LINK_DOWN,
	ROUTE_LINK_DENIED,
	ROUTE_LINK_FULL
};
/* The state of an entity's links, and why (a literal or text of the entity). */
typedef enum route_link route_link_fn(void *user, const struct uc_entity *entity, const char **why);

struct route_query {
	struct slice uri;		  /* Request-URI, adapted by the sender's entity */
	bool own_host;			  /* its host is an address of ours */
	bool may_leave;			  /* the sender may call foreign domains */
	const struct uc_location *actual; /* by address or entity; NULL: unknown */
	const struct uc_location *home;	  /* of the caller; NULL: as actual */
	const struct uc_zone *zone;	  /* of the sender himself; NULL: of the location */
	int64_t at_ms;			  /* since 1970 UTC */
	route_link_fn *link;		  /* NULL: all are up */
	void *link_user;
};

struct route_candidate {
	const struct uc_entity *entity;
	const struct uc_policy *policy; /* NULL: the outbound proxy */
	uint32_t rank;
	enum route_link link;
	const char *why;
};

enum route_result { ROUTE_MATCH, ROUTE_SKIP, ROUTE_NONE };
struct route_step {
	const char *step; /* "dial_pattern" ...: a literal */
	enum route_result result;
	const char *name; /* of the row, "" none; lives as long as the model */
	char detail[ROUTE_DETAIL_MAX];
};
/* What was looked at, in order; what does not fit is counted. */
struct route_steps {
	size_t count, lost;
	struct route_step items[ROUTE_STEPS_MAX];
};

struct route {
	enum route_outcome outcome;
	unsigned status; /* of a refusal, 0: none */
	bool authoritative;
	bool emergency;
	const struct uc_location *location; /* whose patterns held; NULL: none */
	const struct uc_user *user;
	const struct uc_implicit_user *implicit; /* of the callee, NULL: none */
	const struct uc_dial_pattern *pattern;
	const struct uc_regular_expression *expression;
	size_t count;
	struct route_candidate candidates[ROUTE_CANDIDATES_MAX];
};

/* Compile the rows of a model; the table holds a reference of it. A regular expression that PCRE2
 * refuses is left out and logged. Errors: -ENOMEM. */
int route_table_new(struct uc_model *model, struct route_table **ret);
struct route_table *route_table_free(struct route_table *table);
DEFINE_AUTO(route_table)
/* steps may be NULL. */
void route_decide(const struct route_table *table, const struct route_query *query,
		  struct route_steps *steps, struct route *ret);
/* Is that an emergency number, for somebody at these places? */
bool route_is_emergency(const struct route_table *table, const struct route_query *query);
/* The implicit user of a number; NULL: none. */
const struct uc_implicit_user *route_implicit(const struct uc_model *model, struct slice uri,
					      bool own_host);
/* The same for a number of whichever domain. */
const struct uc_implicit_user *route_implicit_number(const struct uc_model *model,
						     struct slice digits);
/* The dialled number of a URI: without escapes, separators and parameters; empty: it is no number. */
struct slice route_digits(struct slice uri, char out[static ROUTE_DIGITS_SIZE]);
/* Does the range hold at that time on the wall of the zone (NULL: UTC)? */
bool route_time_holds(const struct uc_time_range *range, const struct uc_zone *zone, int64_t at_ms);

void route_note(struct route_steps *steps, const char *step, enum route_result result,
		const char *name, const char *format, ...) __attribute__((format(printf, 5, 6)));
const char *route_outcome_name(enum route_outcome outcome);
const char *route_result_name(enum route_result result);
const char *route_link_name(enum route_link link);
