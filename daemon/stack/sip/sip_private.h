/* SPDX-License-Identifier: Apache-2.0 */
/* sip_private.h - what the files of this room share and nobody else sees. */
#pragma once
#include "base/buf.h"
#include "base/fsm.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/timer.h"
#include "codec/sip/sip_msg.h"
#include "stack/sip/sip_arena.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"
#include "stack/sip/sip_wire.h"

/* How messages leave: the wire, or what a test puts in its place. */
struct sip_way {
	int (*prepare)(void *user, struct sip_flow *flow, size_t length);
	void (*via)(void *user, const struct sip_flow *flow, struct slice branch, struct buf *out);
	int (*send)(void *user, const struct sip_flow *flow, struct slice message);
	int (*reply_flow)(void *user, const struct sip_flow *request, const struct sip_via *via,
			  struct sip_flow *ret);
	int (*resolve)(void *user, const struct sip_uri *uri, struct sip_flow *ret);
	bool (*is_open)(void *user, const struct sip_flow *flow);
	void (*uri)(void *user, uint32_t listen, struct buf *out); /* own Contact */
	void *user;
};

struct sip_stack {
	struct loop *loop; /* NULL in tests, then timers is theirs */
	struct timer_wheel *timers;
	struct sip_wire *wire;
	struct sip_way way;
	struct sip_stack_handlers handlers;
	void *user;
	char product[64];
	char server_line[80]; /* the field of our answers, with its line end; empty: none */
	bool proxy, freeing;
	const struct slice *supported;
	size_t supported_count;
	uint32_t transactions_max, dialogs_max, t1, t2, t4, trying_after;
	struct sip_arena_pool pool;
	struct map servers, merged, clients, clients_by_connection, dialogs;
	/* old_*: their final response is through, they only wait for copies; oldest first. */
	struct list all_clients, all_servers, old_clients, old_servers, all_dialogs;
	struct map answers; /* sip_answer.c: by the key of their transaction */
	struct list all_answers;
	struct timer answer_timer;
	size_t answer_bytes;
	struct buf out;	    /* the message being built */
	struct buf draft;   /* a request before its Via is put in */
	struct sip_msg msg; /* the message being parsed again */
	/* Whose key key_hash is of: the message being handled, or NULL. */
	const struct sip_msg *hashed;
	uint64_t key_hash;
	/* By the message being sent, for the trace; NULL: not known. */
	const struct sip_msg *answered;
	struct sip_stack_stats stats;
};

static inline void sip_timer(struct sip_stack *stack, struct timer *t, uint64_t after_ms,
			     void (*fire)(struct timer *t))
{
	timer_start(stack->timers, t, after_ms, fire);
}

static inline void sip_timer_stop(struct sip_stack *stack, struct timer *t)
{
	timer_stop(stack->timers, t);
}

/* Everything but wire and loop, for tests: no socket is opened. */
int sip_stack_new_over(const struct sip_stack_config *config, struct timer_wheel *timers,
		       const struct sip_way *way, const struct sip_stack_handlers *handlers,
		       void *user, struct sip_stack **ret);
/* What the wire's handlers call. */
void sip_stack_message(struct sip_stack *stack, const struct sip_incoming *in);
void sip_stack_closed(struct sip_stack *stack, const struct sip_flow *flow, int reason);

/* Transactions (sip_server_txn.c, sip_client_txn.c). True = the message was for one of them. */
bool sip_server_txn_receive(struct sip_stack *stack, const struct sip_incoming *in);
void sip_server_txn_cancelled(struct sip_stack *stack, const struct sip_incoming *in);
bool sip_client_txn_receive(struct sip_stack *stack, const struct sip_incoming *in);
void sip_client_txn_closed(struct sip_stack *stack, uint64_t connection, int reason);
void sip_server_txn_free_all(struct sip_stack *stack);
void sip_client_txn_free_all(struct sip_stack *stack);

/* Key of the server transaction that a request of that method belongs to, into stack->out. */
int sip_server_txn_key(struct sip_stack *stack, const struct sip_msg *msg, struct slice method);
/* Send stack->out, which answers that request. */
int sip_stack_send_answer(struct sip_stack *stack, const struct sip_msg *request,
			  const struct sip_flow *flow);
/* slice_hash() of that key, an ACK's as its INVITE's; 0 when there is none. stack->out may change. */
uint64_t sip_server_txn_hash(struct sip_stack *stack, const struct sip_msg *msg);
/* sip_answer.c: the request of that key was answered before; the same went again. */
bool sip_answer_again(struct sip_stack *stack, struct slice key, uint64_t hash);
void sip_answer_free_all(struct sip_stack *stack);

const struct sip_flow *sip_server_txn_reply_flow(const struct sip_server_txn *txn);

/* Dialogs. True = taken. */
bool sip_dialog_receive(struct sip_stack *stack, const struct sip_incoming *in);
void sip_dialog_free_all(struct sip_stack *stack);

/* Put "Via: VALUE" (and more whole lines) under the start line of message, into stack->out. */
int sip_insert_via(struct sip_stack *stack, struct slice message, const struct sip_flow *flow,
		   struct slice branch, struct slice more_lines);
/* "z9hG4bK" + random + tail into ret. */
void sip_make_branch(struct slice tail, char ret[static SIP_BRANCH_MAX]);
/* Response to msg with the stack's Server field and extra, into stack->out. */
int sip_build_response(struct sip_stack *stack, const struct sip_msg *request, unsigned status,
		       struct slice to_tag, const struct sip_extra *extra, struct slice contact);
/* Status of a response's bytes, 0 when they are none. */
unsigned sip_status_of(struct slice response);

/* The tables, for the tests that walk them. */
extern const struct fsm_table sip_invite_server_table, sip_plain_server_table,
	sip_invite_client_table, sip_plain_client_table;

/* clang-format off */
enum { IST_PROCEEDING, IST_ACCEPTED, IST_COMPLETED, IST_CONFIRMED, IST_TERMINATED, IST_STATES };
enum { NST_TRYING, NST_PROCEEDING, NST_COMPLETED, NST_TERMINATED, NST_STATES };
enum { ICT_CALLING, ICT_PROCEEDING, ICT_ACCEPTED, ICT_COMPLETED, ICT_TERMINATED, ICT_STATES };
enum { NCT_TRYING, NCT_PROCEEDING, NCT_COMPLETED, NCT_TERMINATED, NCT_STATES };
enum {
	EV_REQUEST, EV_ACK, EV_SEND_1XX, EV_SEND_2XX, EV_SEND_300_699, EV_TIMER_TRYING,
	EV_TIMER_G, EV_TIMER_H, EV_TIMER_I, EV_TIMER_J, EV_TIMER_L, EV_TRANSPORT_ERR,
	SERVER_EVENTS
};
enum {
	EC_1XX, EC_2XX, EC_300_699, EC_TIMER_A, EC_TIMER_B, EC_TIMER_D, EC_TIMER_E, EC_TIMER_F,
	EC_TIMER_K, EC_TIMER_M, EC_TIMER_CANCEL, EC_TRANSPORT_ERR, CLIENT_EVENTS
};
/* clang-format on */
