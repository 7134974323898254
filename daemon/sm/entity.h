/* SPDX-License-Identifier: Apache-2.0 */
/* entity.h - the SIP entities that sm talks to, their links, and who a message comes from. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/slice.h"
#include "base/timer.h"
#include "node/uc_model.h"
#include "sm/link.h"
#include "sm/route.h"
#include "stack/sip/sip_flow.h"

#define ENTITY_NAME_MAX 64
#define ENTITY_FLOWS 8 /* connections that an entity made to us and proved to be its own */

struct entities; /* opaque, see entity.c */
struct peer;
struct sip_client_txn;
struct sip_incoming;
struct sm;

/* Lives until entities_free(): one that is deleted or changed is only marked as gone. */
struct entity {
	struct list link_list; /* in the table */
	struct sm *sm;
	char name[ENTITY_NAME_MAX];
	enum uc_entity_type type;
	bool trusted;
	bool gone;
	struct sip_flow flow; /* by address; no connection fixed */
	struct link link;
	struct timer timer; /* next probe or next judgement, whichever comes first */
	uint64_t next_probe_ms;
	struct sip_client_txn *probe;
	uint32_t timer_b_ms;	      /* patience with a first answer */
	uint64_t connection;	      /* that the last probe went over; 0 none */
	uint64_t flows[ENTITY_FLOWS]; /* newest first, 0 empty */
};

/* Errors: -ENOMEM. */
int entities_new(struct sm *sm, struct entities **ret);
struct entities *entities_free(struct entities *entities);
/* Take over the model's entities: new ones are watched, changed ones replaced. */
void entities_load(struct entities *entities, const struct uc_model *model);
struct entity *entity_by_name(const struct entities *entities, struct slice name);
struct entity *entity_by_type(const struct entities *entities, enum uc_entity_type type);
bool entity_usable(const struct entity *entity); /* NULL: no */
/* A message of ours went to it, one of its came, or its connection was refused. */
void entity_sent(struct entity *entity);
void entity_heard(struct entity *entity);
void entity_refused(struct entity *entity);
/* It let a request go unanswered: ask at once whether it lives. */
void entity_suspect(struct entity *entity);
/* Does it take new calls? Else why not. */
enum route_link entity_route_link(const struct entity *entity, const char **why);
/* This connection has shown a token that only the entity can have. */
void entity_learn(struct entity *entity, uint64_t connection);
void entities_flow_closed(struct entities *entities, const struct sip_flow *flow);
struct entity *entity_by_flow(const struct entities *entities, const struct sip_flow *flow);
/* Does the flow end at the entity? */
bool entity_owns(const struct entity *entity, const struct sip_flow *flow);

/* Who sent this: by certificate; without TLS by address, on loopback alone. */
struct peer peer_identify(struct sm *sm, const struct sip_incoming *in);
struct peer peer_of_flow(struct sm *sm, const struct sip_flow *flow, const char *certificate);
struct peer peer_of_entity(struct entity *entity);
size_t entities_down(const struct entities *entities);

struct entity *entity_next(const struct entities *entities, struct entity *after);
