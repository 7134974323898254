/* SPDX-License-Identifier: Apache-2.0 */
/* sm.h - the session manager as one object: what its modules share. Private to this room. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/log_limit.h"
#include "base/slice.h"
#include "base/timer.h"
#include "sm/odi.h"
#include "sm/trust.h"

struct binding;
struct firewall;
struct buf;
struct calls;
struct entities;
struct entity;
struct location;
struct metrics;
struct node;
struct notifier;
struct route_table;
struct resolve;
struct seats;
struct sip_digest;
struct sip_incoming;
struct sip_stack;
struct sip_wire;
struct sm_options;
struct uc_model;

enum sm_metric {
	SM_REQUESTS_REGISTER,
	SM_REQUESTS_INVITE,
	SM_REQUESTS_OTHER,
	SM_CHALLENGES,
	SM_PHASE_REFUSED,
	SM_FROM_REFUSED,
	SM_LOOPS,
	SM_CALLS_STARTED,
	SM_CALLS_ANSWERED,
	SM_APPLICATION_FAILED,
	SM_APPLICATION_SKIPPED,
	SM_BINDINGS,
	SM_CALLS,
	SM_LINKS_DOWN,
	SM_SUBSCRIPTIONS,
	SM_ROUTED,
	SM_ALTERNATE_ROUTES,
	SM_FIREWALL_DENY, /* in the order of enum firewall_rule */
	SM_FIREWALL_QUARANTINE,
	SM_FIREWALL_SOURCE_RATE,
	SM_FIREWALL_USER_RATE,
	SM_FIREWALL_CONNECTIONS,
	SM_QUARANTINED,
	SM_STUN,
	SM_MESSAGES_READ,
	SM_MESSAGES_UNREADABLE,
	SM_MESSAGES_REFUSED,
	SM_TXNS_SERVER,
	SM_TXNS_CLIENT,
	SM_ENTITY_FULL,
	SM_METRICS
};

struct sm {
	struct node *node;
	struct loop *loop;
	const struct sm_options *options;
	struct metrics *metrics;
	struct sip_stack *stack;
	struct sip_wire *wire;
	struct sip_digest *digest;
	struct location *location;
	struct entities *entities;
	struct resolve *resolve; /* names of next hops */
	struct calls *calls;
	struct seats *seats; /* calls of each entity */
	struct notifier *notifier;
	struct firewall *firewall;
	int64_t wall_offset_ms;	   /* see sm_wall_at() */
	uint8_t key[ODI_KEY_SIZE]; /* of odi tokens and Record-Route cookies; outlives a restart */
	uint8_t secrets_key[32];   /* of sealed passwords, secrets.h */
	bool secrets_known;
	uint32_t epoch;	       /* of this process: connections are numbered anew in each */
	struct list late_acks; /* late_ack.h */
	uint32_t late_ack_count;
	struct list proxies;	    /* struct proxy, those in progress */
	struct route_table *routes; /* of the current model */
	struct timer sweep;
	/* once a call while a link is down or full, once a request of somebody who guesses */
	struct log_limit unavailable_log, alternate_log, full_log, auth_log;
};

/* The other end of a hop. */
struct peer {
	enum trust_peer kind;
	struct entity *entity; /* NULL for phones */
	bool denied;	       /* its link takes no new calls */
};

/* The current administration; valid until the next turn of the loop. */
const struct uc_model *sm_model(const struct sm *sm);
struct slice sm_domain(const struct sm *sm);
/* Is this host our SIP domain or one of our own addresses? */
struct sip_uri;
bool sm_uri_is_local(const struct sm *sm, const struct sip_uri *uri);
int64_t sm_wall_ms(const struct sm *sm);
uint64_t sm_now_ms(const struct sm *sm);
/* What the wall clock said at a moment of sm_now_ms(): always the same of the same moment, until
 * somebody sets the clock. */
int64_t sm_wall_at(struct sm *sm, uint64_t at_ms);

/* sm_server.c: something was blocked: counted, and logged once a second a rule. */
struct addr;
void sm_blocked(struct sm *sm, unsigned rule, const struct addr *from);

/* router.c: what happens to a request outside of transactions, and to an ACK. */
void router_request(struct sm *sm, const struct sip_incoming *in);
void router_ack(struct sm *sm, const struct sip_incoming *in);
void router_late_ack(struct sm *sm, const struct sip_incoming *in); /* its hop is known now */
