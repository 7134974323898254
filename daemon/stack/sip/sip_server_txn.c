/* SPDX-License-Identifier: Apache-2.0 */
/* sip_server_txn.c - server transactions. RFC 3261 section 17.2, RFC 6026. */
#include <stdio.h>

#include "codec/sip/sip_build.h"
#include "codec/sip/sip_edit.h"
#include "stack/sip/sip_private.h"

struct sip_server_txn {
	struct sip_stack *stack;
	struct sip_arena arena;
	struct list link;
	struct map_node node, merged_node;
	bool merged_linked, finished;
	struct fsm fsm;
	unsigned int depth; /* of calls under way: it is freed by the outermost */
	const struct sip_msg *request;
	struct sip_flow flow;	    /* where the request came from */
	struct sip_flow reply_flow; /* where responses go */
	char peer_name[64];
	char tag[SIP_TAG_LEN];
	struct slice own_tag; /* set by a dialog */
	unsigned last_status;
	char *last; /* bytes of the last response */
	size_t last_len, last_cap;
	int reason;
	uint32_t g_ms;
	struct timer main, grow; /* H, I, J, L or the 100; G */
	const struct sip_server_handlers *handlers;
	void *user;
};

static void step(struct sip_server_txn *txn, uint8_t event, const void *arg);

/* Actions ------------------------------------------------------------------------------------- */

static struct sip_server_txn *owner(struct fsm *fsm)
{
	return CONTAINER_OF(fsm, struct sip_server_txn, fsm);
}

static void put(struct sip_server_txn *txn, struct slice bytes)
{
	struct sip_stack *stack = txn->stack;
	int r = stack->way.send(stack->way.user, &txn->reply_flow, bytes);

	if (r == -ENOTCONN && txn->reply_flow.connection != 0) {
		/* The connection is gone: one to where the Via says (RFC 3261 section 18.2.2). */
		struct sip_flow again = txn->flow;
		struct sip_via via;

		if (sip_msg_top_via(txn->request, &via) == 0 &&
		    stack->way.reply_flow(stack->way.user, &txn->flow, &via, &again) == 0) {
			r = stack->way.prepare(stack->way.user, &again, 0);
			if (r == 0) {
				txn->reply_flow = again;
				r = stack->way.send(stack->way.user, &again, bytes);
			}
		}
	}
	if (r < 0) {
		txn->reason = r;
		step(txn, EV_TRANSPORT_ERR, NULL);
	}
}

static void resend_last(struct fsm *fsm, const void *arg)
{
	struct sip_server_txn *txn = owner(fsm);

	(void)arg;
	if (txn->last_len > 0)
		put(txn, slice_make(txn->last, txn->last_len));
}

static void send_reply(struct fsm *fsm, const void *arg)
{
	struct sip_server_txn *txn = owner(fsm);
	const struct slice *bytes = arg;

	if (bytes->len > txn->last_cap) {
		txn->last_cap = bytes->len + 512;
		txn->last = sip_arena_alloc(&txn->arena, txn->last_cap);
		if (!txn->last)
			txn->last_cap = txn->last_len = 0;
	}
	if (txn->last) {
		memcpy(txn->last, bytes->p, bytes->len);
		txn->last_len = bytes->len;
	}
	put(txn, *bytes);
}

static void timer_h(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_server_txn, main), EV_TIMER_H, NULL);
}

static void timer_i(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_server_txn, main), EV_TIMER_I, NULL);
}

static void timer_j(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_server_txn, main), EV_TIMER_J, NULL);
}

static void timer_l(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_server_txn, main), EV_TIMER_L, NULL);
}

static void timer_g(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_server_txn, grow), EV_TIMER_G, NULL);
}

static void timer_trying(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_server_txn, main), EV_TIMER_TRYING, NULL);
}

static void send_trying(struct fsm *fsm, const void *arg)
{
	struct sip_server_txn *txn = owner(fsm);
	struct slice bytes;

	(void)arg;
	if (txn->last_status != 0 ||
	    sip_build_response(txn->stack, txn->request, 100, (struct slice){ 0 }, NULL,
			       (struct slice){ 0 }) < 0)
		return;
	txn->last_status = 100;
	bytes = buf_slice(&txn->stack->out);
	send_reply(fsm, &bytes);
}

static void send_start_l(struct fsm *fsm, const void *arg)
{
	struct sip_server_txn *txn = owner(fsm);

	sip_timer(txn->stack, &txn->main, 64ULL * txn->stack->t1, timer_l);
	send_reply(fsm, arg);
}

static void send_start_g_h(struct fsm *fsm, const void *arg)
{
	struct sip_server_txn *txn = owner(fsm);

	if (!sip_flow_is_reliable(&txn->flow)) {
		txn->g_ms = txn->stack->t1;
		sip_timer(txn->stack, &txn->grow, txn->g_ms, timer_g);
	}
	sip_timer(txn->stack, &txn->main, 64ULL * txn->stack->t1, timer_h);
	send_reply(fsm, arg);
}

static void resend_grow_g(struct fsm *fsm, const void *arg)
{
	struct sip_server_txn *txn = owner(fsm);

	txn->g_ms = 2 * txn->g_ms < txn->stack->t2 ? 2 * txn->g_ms : txn->stack->t2;
	sip_timer(txn->stack, &txn->grow, txn->g_ms, timer_g);
	resend_last(fsm, arg);
}

static void start_i(struct fsm *fsm, const void *arg)
{
	struct sip_server_txn *txn = owner(fsm);

	(void)arg;
	sip_timer_stop(txn->stack, &txn->grow);
	sip_timer(txn->stack, &txn->main, sip_flow_is_reliable(&txn->flow) ? 0 : txn->stack->t4,
		  timer_i);
}

static void send_start_j(struct fsm *fsm, const void *arg)
{
	struct sip_server_txn *txn = owner(fsm);

	sip_timer(txn->stack, &txn->main,
		  sip_flow_is_reliable(&txn->flow) ? 0 : 64ULL * txn->stack->t1, timer_j);
	send_reply(fsm, arg);
}

static void report_timeout(struct fsm *fsm, const void *arg)
{
	(void)arg;
	owner(fsm)->reason = -ETIMEDOUT;
}

/* Tables -------------------------------------------------------------------------------------- */

/* INVITE server transaction: RFC 3261 section 17.2.1, amended by RFC 6026 section 7.1. The ACK of a 2xx
 * has a branch of its own and goes to the dialog or the proxy, not through here. A transport error has
 * left its reason in the transaction when its event comes. */
/* clang-format off */
static const struct fsm_row invite_server[] = {
	/* state         event             next            action */
	{ IST_PROCEEDING, EV_REQUEST,       IST_PROCEEDING, resend_last    },
	{ IST_PROCEEDING, EV_TIMER_TRYING,  IST_PROCEEDING, send_trying    },
	{ IST_PROCEEDING, EV_SEND_1XX,      IST_PROCEEDING, send_reply     },
	{ IST_PROCEEDING, EV_SEND_2XX,      IST_ACCEPTED,   send_start_l   },
	{ IST_PROCEEDING, EV_SEND_300_699,  IST_COMPLETED,  send_start_g_h },
	{ IST_PROCEEDING, EV_TRANSPORT_ERR, IST_PROCEEDING, NULL           },
	{ IST_ACCEPTED,   EV_REQUEST,       IST_ACCEPTED,   NULL           },
	{ IST_ACCEPTED,   EV_SEND_2XX,      IST_ACCEPTED,   send_reply     },
	{ IST_ACCEPTED,   EV_ACK,           IST_ACCEPTED,   NULL           },
	{ IST_ACCEPTED,   EV_TRANSPORT_ERR, IST_ACCEPTED,   NULL           },
	{ IST_ACCEPTED,   EV_TIMER_L,       IST_TERMINATED, NULL           },
	{ IST_COMPLETED,  EV_REQUEST,       IST_COMPLETED,  resend_last    },
	{ IST_COMPLETED,  EV_TIMER_G,       IST_COMPLETED,  resend_grow_g  },
	{ IST_COMPLETED,  EV_TRANSPORT_ERR, IST_COMPLETED,  NULL           },
	{ IST_COMPLETED,  EV_ACK,           IST_CONFIRMED,  start_i        },
	{ IST_COMPLETED,  EV_TIMER_H,       IST_TERMINATED, report_timeout },
	{ IST_CONFIRMED,  EV_ACK,           IST_CONFIRMED,  NULL           },
	{ IST_CONFIRMED,  EV_TIMER_I,       IST_TERMINATED, NULL           },
};

/* Non-INVITE server transaction: RFC 3261 section 17.2.2. */
static const struct fsm_row plain_server[] = {
	/* state         event             next            action */
	{ NST_TRYING,     EV_REQUEST,       NST_TRYING,     NULL         },
	{ NST_TRYING,     EV_SEND_1XX,      NST_PROCEEDING, send_reply   },
	{ NST_TRYING,     EV_SEND_2XX,      NST_COMPLETED,  send_start_j },
	{ NST_TRYING,     EV_SEND_300_699,  NST_COMPLETED,  send_start_j },
	{ NST_PROCEEDING, EV_REQUEST,       NST_PROCEEDING, resend_last  },
	{ NST_PROCEEDING, EV_SEND_1XX,      NST_PROCEEDING, send_reply   },
	{ NST_PROCEEDING, EV_SEND_2XX,      NST_COMPLETED,  send_start_j },
	{ NST_PROCEEDING, EV_SEND_300_699,  NST_COMPLETED,  send_start_j },
	{ NST_PROCEEDING, EV_TRANSPORT_ERR, NST_TERMINATED, NULL         },
	{ NST_COMPLETED,  EV_REQUEST,       NST_COMPLETED,  resend_last  },
	{ NST_COMPLETED,  EV_TRANSPORT_ERR, NST_TERMINATED, NULL         },
	{ NST_COMPLETED,  EV_TIMER_J,       NST_TERMINATED, NULL         },
};
/* clang-format on */

static const char *const invite_states[] = { "proceeding", "accepted", "completed", "confirmed",
					     "terminated" };
static const char *const plain_states[] = { "trying", "proceeding", "completed", "terminated" };
static const char *const events[] = { "request",    "ACK",     "send 1xx", "send 2xx",
				      "send 3-6xx", "trying",  "timer G",  "timer H",
				      "timer I",    "timer J", "timer L",  "transport error" };

const struct fsm_table sip_invite_server_table = { "sip.invite_server", invite_server,
						   ARRAY_SIZE(invite_server), invite_states,
						   events };
const struct fsm_table sip_plain_server_table = { "sip.server", plain_server,
						  ARRAY_SIZE(plain_server), plain_states, events };

/* Life ---------------------------------------------------------------------------------------- */

static bool is_invite(const struct sip_server_txn *txn)
{
	return txn->request->method == SIP_INVITE;
}

static bool is_terminated(const struct sip_server_txn *txn)
{
	return txn->fsm.state == (is_invite(txn) ? IST_TERMINATED : NST_TERMINATED);
}

static void unlink_txn(struct sip_server_txn *txn)
{
	struct sip_stack *stack = txn->stack;

	sip_timer_stop(stack, &txn->main);
	sip_timer_stop(stack, &txn->grow);
	(void)map_remove(&stack->servers, &txn->node);
	if (txn->merged_linked)
		(void)map_remove(&stack->merged, &txn->merged_node);
	list_remove(&txn->link);
	stack->stats.ignored_events += txn->fsm.ignored;
	stack->stats.server_txns--;
}

static void destroy(struct sip_server_txn *txn)
{
	struct sip_arena arena = txn->arena;

	sip_arena_done(&arena);
}

static void finish(struct sip_server_txn *txn)
{
	const struct sip_server_handlers *handlers = txn->handlers;

	txn->finished = true;
	unlink_txn(txn);
	txn->handlers = NULL;
	if (handlers && handlers->ended)
		handlers->ended(txn->user, txn, txn->reason);
	destroy(txn);
}

static void step(struct sip_server_txn *txn, uint8_t event, const void *arg)
{
	txn->depth++;
	(void)fsm_step(&txn->fsm, event, arg);
	txn->depth--;
	if (txn->depth == 0 && !txn->finished && is_terminated(txn))
		finish(txn);
}

/* Matching (RFC 3261 section 17.2.3) ------------------------------------------------------------ */

/* The host in lower case, ":", the two bytes of the port, the branch: a key is compared, never shown. */
static void add_sent_by(struct buf *out, const struct sip_via *via)
{
	size_t start = out->len;

	buf_add_slice(out, via->host);
	for (size_t i = start; via->host_kind != SIP_HOST_IPV4 && i < out->len; i++)
		out->data[i] = ascii_lower(out->data[i]);
	buf_add_char(out, ':');
	buf_add(out, &via->port, sizeof(via->port));
	buf_add_slice(out, via->branch);
}

/* -EBADMSG: no Via. */
int sip_server_txn_key(struct sip_stack *stack, const struct sip_msg *msg, struct slice method)
{
	struct buf *out = &stack->out;
	struct sip_via via;
	struct sip_cseq cseq = { 0 };

	if (sip_msg_top_via(msg, &via) < 0)
		return -EBADMSG;
	buf_reset(out);
	buf_add_slice(out, method);
	buf_add_char(out, ' ');
	if (!sip_via_branch_is_3261(&via)) {
		(void)sip_msg_cseq(msg, &cseq);
		buf_printf(out, "2543 %u ", cseq.number);
		buf_add_slice(out, sip_msg_call_id(msg));
		buf_add_char(out, ' ');
		buf_add_slice(out, sip_msg_from_tag(msg));
		buf_add_char(out, ' ');
		buf_add_slice(out, msg->uri);
		buf_add_char(out, ' ');
	}
	add_sent_by(out, &via);
	return buf_ok(out) ? 0 : -ENOMEM;
}

static struct sip_server_txn *find(struct sip_stack *stack, const struct sip_msg *msg,
				   struct slice method)
{
	struct map_node *node;

	if (sip_server_txn_key(stack, msg, method) < 0)
		return NULL;
	node = map_get(&stack->servers, buf_slice(&stack->out));
	return node ? MAP_ENTRY(node, struct sip_server_txn, node) : NULL;
}

static struct slice method_of_txn(const struct sip_msg *msg)
{
	return msg->method == SIP_ACK ? SLICE("INVITE") : msg->method_name;
}

uint64_t sip_server_txn_hash(struct sip_stack *stack, const struct sip_msg *msg)
{
	if (stack->hashed == msg)
		return stack->key_hash;
	if (sip_server_txn_key(stack, msg, method_of_txn(msg)) < 0)
		return 0;
	return slice_hash(buf_slice(&stack->out));
}

bool sip_server_txn_receive(struct sip_stack *stack, const struct sip_incoming *in)
{
	bool ack = in->msg->method == SIP_ACK;
	struct sip_server_txn *txn;
	struct map_node *node;
	struct slice key;

	if (sip_server_txn_key(stack, in->msg, method_of_txn(in->msg)) < 0)
		return false;
	key = buf_slice(&stack->out);
	stack->hashed = in->msg; /* a tag may be made of it */
	stack->key_hash = slice_hash(key);
	node = map_get_hashed(&stack->servers, key, stack->key_hash);
	if (!node)
		return !ack && sip_answer_again(stack, key, stack->key_hash);
	txn = MAP_ENTRY(node, struct sip_server_txn, node);
	if (ack && txn->fsm.state == IST_ACCEPTED)
		return false; /* of an old client, for the 2xx: the user's */
	step(txn, ack ? EV_ACK : EV_REQUEST, NULL);
	return true;
}

static int make_merged_key(struct buf *out, const struct sip_msg *msg)
{
	struct sip_cseq cseq = { 0 };

	if (sip_msg_cseq(msg, &cseq) < 0 || sip_msg_from_tag(msg).len == 0)
		return -EBADMSG;
	buf_reset(out);
	buf_add_u64(out, cseq.number);
	buf_add_char(out, ' ');
	buf_add_slice(out, msg->method_name);
	buf_add_char(out, ' ');
	buf_add_slice(out, sip_msg_from_tag(msg));
	buf_add_char(out, ' ');
	buf_add_slice(out, sip_msg_call_id(msg));
	return buf_ok(out) ? 0 : -ENOMEM;
}

bool sip_server_txn_is_merged(struct sip_stack *stack, const struct sip_incoming *in)
{
	if (sip_msg_to_tag(in->msg).len > 0 || in->msg->method == SIP_ACK ||
	    in->msg->method == SIP_CANCEL || make_merged_key(&stack->out, in->msg) < 0)
		return false;
	return map_get(&stack->merged, buf_slice(&stack->out)) != NULL;
}

static int link_keys(struct sip_server_txn *txn)
{
	struct sip_stack *stack = txn->stack;
	struct slice key;
	int r;

	r = sip_server_txn_key(stack, txn->request, txn->request->method_name);
	if (r < 0)
		return r;
	key = sip_arena_copy(&txn->arena, buf_slice(&stack->out));
	if (!key.p)
		return -ENOMEM;
	r = map_add_unique(&stack->servers, &txn->node, key);
	if (r < 0)
		return r;
	if (sip_msg_to_tag(txn->request).len == 0 &&
	    make_merged_key(&stack->out, txn->request) == 0) {
		key = sip_arena_copy(&txn->arena, buf_slice(&stack->out));
		txn->merged_linked = key.p && map_add(&stack->merged, &txn->merged_node, key) == 0;
	}
	return 0;
}

/* At the bound: one that waits for nothing but copies of its request ends before its time. */
static bool make_room(struct sip_stack *stack)
{
	struct sip_server_txn *txn = LIST_FIRST(&stack->old_servers, struct sip_server_txn, link);

	if (!txn || txn->depth > 0)
		return false;
	finish(txn);
	return true;
}

int sip_server_txn_new(struct sip_stack *stack, const struct sip_incoming *in,
		       const struct sip_server_handlers *handlers, void *user,
		       struct sip_server_txn **ret)
{
	struct sip_arena arena;
	struct sip_server_txn *txn;
	struct sip_via via;
	int r;

	if (stack->stats.server_txns >= stack->transactions_max && !make_room(stack))
		return -EUSERS;
	sip_arena_init(&arena, &stack->pool);
	txn = sip_arena_alloc(&arena, sizeof(*txn));
	if (!txn)
		return -ENOMEM;
	txn->stack = stack;
	txn->request = sip_arena_msg(&arena, in->msg);
	txn->arena = arena;
	r = txn->request ? sip_msg_top_via(in->msg, &via) : -ENOMEM;
	if (r == 0)
		r = stack->way.reply_flow(stack->way.user, &in->flow, &via, &txn->reply_flow);
	if (r == 0)
		r = link_keys(txn);
	if (r < 0) {
		destroy(txn);
		return r;
	}
	txn->flow = in->flow;
	if (in->peer_name && in->peer_name[0])
		(void)snprintf(txn->peer_name, sizeof(txn->peer_name), "%s", in->peer_name);
	sip_stack_tag(txn->tag);
	txn->handlers = handlers;
	txn->user = user;
	fsm_init(&txn->fsm, is_invite(txn) ? &sip_invite_server_table : &sip_plain_server_table,
		 is_invite(txn) ? (uint8_t)IST_PROCEEDING : (uint8_t)NST_TRYING);
	list_append(&stack->all_servers, &txn->link);
	stack->stats.server_txns++;
	if (is_invite(txn) && stack->trying_after != UINT32_MAX)
		sip_timer(stack, &txn->main, stack->trying_after, timer_trying);
	*ret = txn;
	return 0;
}

void sip_server_txn_free_all(struct sip_stack *stack)
{
	struct sip_server_txn *txn;

	while ((txn = LIST_FIRST(&stack->all_servers, struct sip_server_txn, link)) ||
	       (txn = LIST_FIRST(&stack->old_servers, struct sip_server_txn, link))) {
		unlink_txn(txn);
		destroy(txn);
	}
}

/* CANCEL (RFC 3261 section 9.2) ------------------------------------------------------------------ */

void sip_server_txn_cancelled(struct sip_stack *stack, const struct sip_incoming *in)
{
	struct sip_server_txn *invite, *cancel;

	if (!find(stack, in->msg, SLICE("INVITE"))) {
		if (stack->handlers.cancel)
			stack->handlers.cancel(stack->user, in);
		else
			(void)sip_stack_reply(stack, in, 481, NULL);
		return;
	}
	if (sip_server_txn_new(stack, in, NULL, NULL, &cancel) < 0) {
		(void)sip_stack_reply(stack, in, 500, NULL);
		return;
	}
	/* At the bound the INVITE, answered long ago, may have made room for its CANCEL. */
	invite = find(stack, in->msg, SLICE("INVITE"));
	if (!invite) {
		(void)sip_server_txn_reply(cancel, 481, NULL);
		return;
	}
	(void)sip_server_txn_set_tag(cancel, sip_server_txn_tag(invite));
	(void)sip_server_txn_reply(cancel, 200, NULL);
	if (invite->last_status >= 200)
		return;
	if (invite->handlers && invite->handlers->cancel)
		invite->handlers->cancel(invite->user, invite, in);
	else
		(void)sip_server_txn_reply(invite, 487, NULL);
}

/* Answers --------------------------------------------------------------------------------------- */

static uint8_t event_of(unsigned status)
{
	if (status < 200)
		return EV_SEND_1XX;
	return status < 300 ? EV_SEND_2XX : EV_SEND_300_699;
}

int sip_server_txn_send(struct sip_server_txn *txn, struct slice response)
{
	unsigned status = sip_status_of(response);
	bool more_2xx = is_invite(txn) && txn->last_status >= 200 && txn->last_status < 300 &&
			status >= 200 && status < 300;

	if (status == 0)
		return -EBADMSG;
	if (txn->last_status >= 200 && !more_2xx)
		return -EALREADY;
	if (status >= 200 && txn->last_status < 200) {
		list_remove(&txn->link);
		list_append(&txn->stack->old_servers, &txn->link);
	}
	txn->last_status = status;
	if (status >= 100 && txn->main.fire == timer_trying)
		sip_timer_stop(txn->stack, &txn->main);
	txn->reason = 0;
	txn->depth++; /* the caller still uses it */
	step(txn, event_of(status), &response);
	txn->depth--;
	if (txn->depth == 0 && !txn->finished && is_terminated(txn)) {
		/* Not from inside the user's own call: let the timer end it. */
		sip_timer(txn->stack, &txn->main, 0, timer_j);
	}
	return txn->reason;
}

int sip_server_txn_reply(struct sip_server_txn *txn, unsigned status, const struct sip_extra *extra)
{
	int r;

	if (txn->last_status >= 200 &&
	    (!is_invite(txn) || txn->last_status >= 300 || status < 200 || status >= 300))
		return -EALREADY;
	r = sip_build_response(txn->stack, txn->request, status, sip_server_txn_tag(txn), extra,
			       (struct slice){ 0 });
	return r < 0 ? r : sip_server_txn_send(txn, buf_slice(&txn->stack->out));
}

int sip_server_txn_forward(struct sip_server_txn *txn, const struct sip_msg *response)
{
	struct sip_edit edit;
	struct buf *out = &txn->stack->out;
	int r;

	sip_edit_init(&edit, response);
	(void)sip_edit_pop(&edit, SIP_HDR_VIA, 1);
	buf_reset(out);
	r = sip_edit_apply(&edit, out);
	return r < 0 ? r : sip_server_txn_send(txn, buf_slice(out));
}

const struct sip_msg *sip_server_txn_request(const struct sip_server_txn *txn)
{
	return txn->request;
}

const struct sip_flow *sip_server_txn_flow(const struct sip_server_txn *txn)
{
	return &txn->flow;
}

const struct sip_flow *sip_server_txn_reply_flow(const struct sip_server_txn *txn)
{
	return &txn->reply_flow;
}

const char *sip_server_txn_peer_name(const struct sip_server_txn *txn)
{
	return txn->peer_name;
}

struct slice sip_server_txn_tag(struct sip_server_txn *txn)
{
	return txn->own_tag.len > 0 ? txn->own_tag : slice_str(txn->tag);
}

int sip_server_txn_set_tag(struct sip_server_txn *txn, struct slice tag)
{
	struct slice copy = sip_arena_copy(&txn->arena, tag);

	if (!copy.p)
		return -ENOMEM;
	txn->own_tag = copy;
	return 0;
}

unsigned sip_server_txn_last_status(const struct sip_server_txn *txn)
{
	return txn->last_status;
}

void *sip_server_txn_user(const struct sip_server_txn *txn)
{
	return txn->user;
}

void sip_server_txn_set_user(struct sip_server_txn *txn, const struct sip_server_handlers *handlers,
			     void *user)
{
	txn->handlers = handlers;
	txn->user = user;
}

void sip_server_txn_detach(struct sip_server_txn *txn)
{
	txn->handlers = NULL;
	if (txn->last_status < 200)
		(void)sip_server_txn_reply(txn, 500, NULL);
}

struct slice sip_server_txn_copy(struct sip_server_txn *txn, struct slice bytes)
{
	return sip_arena_copy(&txn->arena, bytes);
}
