/* SPDX-License-Identifier: Apache-2.0 */
/* entity.h - the SIP entities that sm talks to, their links, and who a message comes from. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_field.h"
#include "base/list.h"
#include "base/slice.h"
#include "base/timer.h"
#include "node/uc_model.h"
#include "sm/link.h"
#include "sm/route.h"
#include "stack/sip/sip_flow.h"
#include "stack/sip/sip_locate.h"
#include "stack/sip/sip_stack.h"

#define ENTITY_NAME_MAX (4 * UC_NAME_MAX + 1) /* UTF-8 */
#define ENTITY_FLOWS 8 /* connections that an entity made to us and proved to be its own */

struct entities; /* opaque, see entity.c */
struct peer;
struct sip_client_txn;
struct sip_msg;
struct sip_incoming;
struct sm;

/* One entity link: a way to the entity, and whether it is alive. */
struct entity_way {
	struct entity *entity;
	struct sip_flow flow;	 /* by address; no connection fixed; remote.len 0: not found yet */
	char host[DNS_NAME_MAX]; /* its address when that is a name, or "" */
	uint16_t port;		 /* of the link */
	bool misplaced;		 /* it did not answer where it is: try another place of the name */
	unsigned places;	 /* tried since it was up */
	struct sip_locate_wait wait;
	bool trusted;
	bool deny; /* takes no new calls, in neither direction */
	struct link link;
	struct timer timer; /* next probe or next judgement, whichever comes first */
	uint64_t due_ms;    /* when it should fire; 0 not known */
	uint64_t next_probe_ms;
	struct sip_client_txn *probe;
	unsigned attempts;   /* unanswered probes in a row */
	uint64_t connection; /* that the last probe went over; 0 none */
	uint64_t asked_ms;   /* of the last probe, 0 none */
	char asked[96];	     /* its first line */
	char answer[64];     /* what came of it */
};

enum entity_registration_state {
	ENTITY_REGISTER_NONE,
	ENTITY_REGISTER_TRYING,
	ENTITY_REGISTERED,
	ENTITY_REGISTER_REFUSED,
	ENTITY_REGISTER_FAILED
};

/* We as a subscriber of a provider. */
struct entity_registration {
	enum entity_registration_state state;
	struct timer timer;
	struct sip_client_txn *txn;
	bool challenged; /* the last REGISTER carried credentials */
	uint32_t cseq;
	uint32_t min_expires_s; /* that it insists on, 0 none */
	int64_t expires_wall_ms;
	char call_id[SIP_TAG_LEN], tag[SIP_TAG_LEN];
	char reason[64];
};

/* Lives until entities_free(): one that is deleted or changed is only marked as gone. */
struct entity {
	struct list link_list; /* in the table */
	struct sm *sm;
	char name[ENTITY_NAME_MAX];
	enum uc_entity_type type;
	bool fast; /* cm, presence: watched closely, as a part of us */
	bool gone;
	struct uc_monitoring monitoring; /* of the others */
	uint32_t timer_b_ms;		 /* patience with a first answer */
	size_t way_count;		 /* 1 or more */
	struct entity_way ways[UC_ENTITY_LINKS_MAX];
	struct entity_registration registration;
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
/* The best link for something new: up before unknown, in the order of the administration; the first of
 * all when none takes anything. */
const struct entity_way *entity_way_best(const struct entity *entity);
/* The best that a sips: request may take (sips.h), NULL: none does. */
const struct entity_way *entity_way_sips(const struct entity *entity);
/* A message of ours went there, one of its came, its connection was refused, or it let a request go
 * unanswered. */
void entity_sent(struct entity *entity, const struct sip_flow *flow);
void entity_heard(struct entity *entity, const struct sip_flow *flow);
void entity_refused(struct entity *entity, const struct sip_flow *flow);
void entity_suspect(struct entity *entity, const struct sip_flow *flow);
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
/* The same of a request that is only imagined: over TLS as if it had shown the certificate of who is
 * administered there; without a port as if it came from the right one. */
struct peer peer_at(struct sm *sm, const struct sip_flow *flow);
struct peer peer_of_entity(struct entity *entity);
struct peer peer_of_way(const struct entity_way *way);
size_t entities_down(const struct entities *entities);

/* {name, type, address, transport, link, reason, changed_at, checked_at, last_request, last_answer,
 * links: [{transport, port, link, reason}]}; NULL without memory. */
json_t *entity_to_json(const struct entity *entity);

/* entity_calls.c: its calls, counted against its max_calls (seats.h); those of cm and presence are not. */
uint32_t entity_calls(const struct entity *entity);
bool entity_full(const struct entity *entity);
/* An INVITE goes there, or came from there. false: it has as many calls as it may. */
bool entity_seat_take(struct entity *entity, const struct sip_msg *invite, bool must);
void entity_seat_leave(struct entity *entity, const struct sip_msg *invite);
/* An answer to an INVITE or UPDATE passes. */
void entity_seats_answer(struct sm *sm, const struct sip_msg *answer, bool in_dialog);
/* A BYE passes, or a request inside of the dialog found nobody. */
void entity_seats_end(struct sm *sm, const struct sip_msg *msg);

/* entity_way.c: one link, watched. */
void entity_way_start(struct entity_way *way);
void entity_way_stop(struct entity_way *way);
void entity_way_ask(struct entity_way *way); /* now */
void entity_way_sent(struct entity_way *way);
void entity_way_heard(struct entity_way *way);
void entity_way_refused(struct entity_way *way);
void entity_way_suspect(struct entity_way *way);

/* entity_register.c: register with a provider as the model says, or no more. */
void entity_register_sync(struct entity *entity);
void entity_register_stop(struct entity *entity);
json_t *entity_register_to_json(const struct entity *entity);
/* The credential line for a 401 or 407 of the entity to a request. Errors: as sip_digest_answer(). */
struct buf;
struct sip_msg;
int entity_answer_challenge(const struct entity *entity, const struct sip_msg *challenge,
			    struct slice method, struct slice uri, bool retried, struct buf *out);

struct entity *entity_next(const struct entities *entities, struct entity *after);
