/* SPDX-License-Identifier: Apache-2.0 */
/* sip_client_txn.c - client transactions. RFC 3261 section 17.1, RFC 6026. */
#include <stdio.h>

#include "base/error.h"
#include "codec/sip/sip_build.h"
#include "stack/sip/sip_private.h"

#define TIMER_D_MS 32000
#define FLOW_ROOM 128 /* of the Via line, when the length decides between UDP and TCP */

struct sip_client_txn {
	struct sip_stack *stack;
	struct sip_arena arena;
	struct list link;
	struct map_node node, connection_node;
	bool linked_connection, finished, cancel_wanted, cancel_sent, may_fall_back, pass;
	struct fsm fsm;
	unsigned int depth;
	const struct sip_msg *request; /* as sent */
	enum sip_method method;
	struct sip_flow flow;
	struct sip_flow udp_flow; /* to fall back to when TCP was only for the length */
	char branch[SIP_BRANCH_MAX];
	struct slice key;
	struct slice cancel_lines;
	struct slice ack; /* for a 300-699 */
	unsigned last_status;
	int fail;	   /* to be told */
	int pending_error; /* of the first send: told from the timer */
	uint32_t interval_ms, final_timeout_ms;
	struct timer resend, main; /* A, E; B, D, F, K, M, CANCEL */
	const struct sip_client_handlers *handlers;
	void *user;
};

static void step(struct sip_client_txn *txn, uint8_t event, const struct sip_incoming *in);
static void send_cancel(struct sip_client_txn *txn);

static struct sip_client_txn *owner(struct fsm *fsm)
{
	return CONTAINER_OF(fsm, struct sip_client_txn, fsm);
}

/* Timers -------------------------------------------------------------------------------------- */

static void timer_a(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_client_txn, resend), EC_TIMER_A, NULL);
}

static void timer_e(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_client_txn, resend), EC_TIMER_E, NULL);
}

static void timer_b(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_client_txn, main), EC_TIMER_B, NULL);
}

static void timer_d(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_client_txn, main), EC_TIMER_D, NULL);
}

static void timer_f(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_client_txn, main), EC_TIMER_F, NULL);
}

static void timer_k(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_client_txn, main), EC_TIMER_K, NULL);
}

static void timer_m(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_client_txn, main), EC_TIMER_M, NULL);
}

static void timer_cancel(struct timer *t)
{
	step(CONTAINER_OF(t, struct sip_client_txn, main), EC_TIMER_CANCEL, NULL);
}

/* A send that failed inside the user's own call is told from here. */
static void timer_first_error(struct timer *t)
{
	struct sip_client_txn *txn = CONTAINER_OF(t, struct sip_client_txn, main);

	txn->fail = txn->pending_error;
	step(txn, EC_TRANSPORT_ERR, NULL);
}

/* Actions ------------------------------------------------------------------------------------- */

static int put(struct sip_client_txn *txn, struct slice bytes)
{
	return txn->stack->way.send(txn->stack->way.user, &txn->flow, bytes);
}

static void resend(struct sip_client_txn *txn)
{
	int r = put(txn, txn->request->raw);

	if (r < 0) {
		txn->fail = r;
		step(txn, EC_TRANSPORT_ERR, NULL);
	}
}

static void resend_grow_a(struct fsm *fsm, const void *arg)
{
	struct sip_client_txn *txn = owner(fsm);

	(void)arg;
	txn->interval_ms *= 2;
	sip_timer(txn->stack, &txn->resend, txn->interval_ms, timer_a);
	resend(txn);
}

static void resend_grow_e(struct fsm *fsm, const void *arg)
{
	struct sip_client_txn *txn = owner(fsm);
	uint32_t t2 = txn->stack->t2;

	(void)arg;
	txn->interval_ms = 2 * txn->interval_ms < t2 ? 2 * txn->interval_ms : t2;
	sip_timer(txn->stack, &txn->resend, txn->interval_ms, timer_e);
	resend(txn);
}

static void resend_slow_e(struct fsm *fsm, const void *arg)
{
	struct sip_client_txn *txn = owner(fsm);

	(void)arg;
	sip_timer(txn->stack, &txn->resend, txn->stack->t2, timer_e);
	resend(txn);
}

static void pass(struct fsm *fsm, const void *arg)
{
	(void)arg;
	owner(fsm)->pass = true;
}

static void pass_proceed(struct fsm *fsm, const void *arg)
{
	struct sip_client_txn *txn = owner(fsm);

	(void)arg;
	sip_timer_stop(txn->stack, &txn->resend);
	sip_timer_stop(txn->stack, &txn->main);
	if (txn->final_timeout_ms)
		sip_timer(txn->stack, &txn->main, txn->final_timeout_ms, timer_cancel);
	txn->pass = true;
}

static void pass_start_m(struct fsm *fsm, const void *arg)
{
	struct sip_client_txn *txn = owner(fsm);

	(void)arg;
	sip_timer_stop(txn->stack, &txn->resend);
	sip_timer(txn->stack, &txn->main, 64ULL * txn->stack->t1, timer_m);
	txn->pass = true;
}

static void pass_start_k(struct fsm *fsm, const void *arg)
{
	struct sip_client_txn *txn = owner(fsm);

	(void)arg;
	sip_timer_stop(txn->stack, &txn->resend);
	sip_timer(txn->stack, &txn->main, sip_flow_is_reliable(&txn->flow) ? 0 : txn->stack->t4,
		  timer_k);
	txn->pass = true;
}

static void resend_ack(struct fsm *fsm, const void *arg)
{
	struct sip_client_txn *txn = owner(fsm);

	(void)arg;
	if (txn->ack.len > 0)
		(void)put(txn, txn->ack);
}

static void ack_pass_start_d(struct fsm *fsm, const void *arg)
{
	struct sip_client_txn *txn = owner(fsm);
	const struct sip_incoming *in = arg;
	struct buf *out = &txn->stack->out;

	buf_reset(out);
	sip_build_ack(out, txn->request, in->msg);
	if (buf_ok(out))
		txn->ack = sip_arena_copy(&txn->arena, buf_slice(out));
	resend_ack(fsm, arg);
	sip_timer_stop(txn->stack, &txn->resend);
	sip_timer(txn->stack, &txn->main, sip_flow_is_reliable(&txn->flow) ? 0 : TIMER_D_MS,
		  timer_d);
	txn->pass = true;
}

static void report_timeout(struct fsm *fsm, const void *arg)
{
	(void)arg;
	owner(fsm)->fail = -ETIMEDOUT;
}

static void report_error(struct fsm *fsm, const void *arg)
{
	struct sip_client_txn *txn = owner(fsm);

	(void)arg;
	if (txn->fail == 0)
		txn->fail = -EHOSTUNREACH;
}

static void no_report(struct fsm *fsm, const void *arg)
{
	(void)arg;
	owner(fsm)->fail = 0; /* the final response has been told */
}

/* Tables -------------------------------------------------------------------------------------- */

/* INVITE client transaction: RFC 3261 section 17.1.1, amended by RFC 6026 section 7.2. Beyond them: a lost
 * connection ends PROCEEDING too, and a CANCEL bounds it (RFC 3261 section 9.1). */
/* clang-format off */
static const struct fsm_row invite_client[] = {
	/* state         event             next            action */
	{ ICT_CALLING,    EC_TIMER_A,       ICT_CALLING,    resend_grow_a    },
	{ ICT_CALLING,    EC_TIMER_B,       ICT_TERMINATED, report_timeout   },
	{ ICT_CALLING,    EC_TRANSPORT_ERR, ICT_TERMINATED, report_error     },
	{ ICT_CALLING,    EC_1XX,           ICT_PROCEEDING, pass_proceed     },
	{ ICT_CALLING,    EC_2XX,           ICT_ACCEPTED,   pass_start_m     },
	{ ICT_CALLING,    EC_300_699,       ICT_COMPLETED,  ack_pass_start_d },
	{ ICT_PROCEEDING, EC_1XX,           ICT_PROCEEDING, pass             },
	{ ICT_PROCEEDING, EC_2XX,           ICT_ACCEPTED,   pass_start_m     },
	{ ICT_PROCEEDING, EC_300_699,       ICT_COMPLETED,  ack_pass_start_d },
	{ ICT_PROCEEDING, EC_TRANSPORT_ERR, ICT_TERMINATED, report_error     },
	{ ICT_PROCEEDING, EC_TIMER_CANCEL,  ICT_TERMINATED, report_timeout   },
	{ ICT_ACCEPTED,   EC_2XX,           ICT_ACCEPTED,   pass             },
	{ ICT_ACCEPTED,   EC_TRANSPORT_ERR, ICT_ACCEPTED,   no_report        },
	{ ICT_ACCEPTED,   EC_TIMER_M,       ICT_TERMINATED, NULL             },
	{ ICT_COMPLETED,  EC_300_699,       ICT_COMPLETED,  resend_ack       },
	{ ICT_COMPLETED,  EC_TRANSPORT_ERR, ICT_TERMINATED, no_report        },
	{ ICT_COMPLETED,  EC_TIMER_D,       ICT_TERMINATED, NULL             },
};

/* Non-INVITE client transaction: RFC 3261 section 17.1.2. */
static const struct fsm_row plain_client[] = {
	/* state         event             next            action */
	{ NCT_TRYING,     EC_TIMER_E,       NCT_TRYING,     resend_grow_e  },
	{ NCT_TRYING,     EC_TIMER_F,       NCT_TERMINATED, report_timeout },
	{ NCT_TRYING,     EC_TRANSPORT_ERR, NCT_TERMINATED, report_error   },
	{ NCT_TRYING,     EC_1XX,           NCT_PROCEEDING, pass           },
	{ NCT_TRYING,     EC_2XX,           NCT_COMPLETED,  pass_start_k   },
	{ NCT_TRYING,     EC_300_699,       NCT_COMPLETED,  pass_start_k   },
	{ NCT_PROCEEDING, EC_TIMER_E,       NCT_PROCEEDING, resend_slow_e  },
	{ NCT_PROCEEDING, EC_TIMER_F,       NCT_TERMINATED, report_timeout },
	{ NCT_PROCEEDING, EC_TRANSPORT_ERR, NCT_TERMINATED, report_error   },
	{ NCT_PROCEEDING, EC_1XX,           NCT_PROCEEDING, pass           },
	{ NCT_PROCEEDING, EC_2XX,           NCT_COMPLETED,  pass_start_k   },
	{ NCT_PROCEEDING, EC_300_699,       NCT_COMPLETED,  pass_start_k   },
	{ NCT_COMPLETED,  EC_TRANSPORT_ERR, NCT_TERMINATED, no_report      },
	{ NCT_COMPLETED,  EC_TIMER_K,       NCT_TERMINATED, NULL           },
};
/* clang-format on */

static const char *const invite_states[] = { "calling", "proceeding", "accepted", "completed",
					     "terminated" };
static const char *const plain_states[] = { "trying", "proceeding", "completed", "terminated" };
static const char *const events[] = { "1xx",	 "2xx",	    "3-6xx",	    "timer A",
				      "timer B", "timer D", "timer E",	    "timer F",
				      "timer K", "timer M", "timer CANCEL", "transport error" };

const struct fsm_table sip_invite_client_table = { "sip.invite_client", invite_client,
						   ARRAY_SIZE(invite_client), invite_states,
						   events };
const struct fsm_table sip_plain_client_table = { "sip.client", plain_client,
						  ARRAY_SIZE(plain_client), plain_states, events };

/* Life ---------------------------------------------------------------------------------------- */

static bool is_invite(const struct sip_client_txn *txn)
{
	return txn->method == SIP_INVITE;
}

static bool is_terminated(const struct sip_client_txn *txn)
{
	return txn->fsm.state == (is_invite(txn) ? ICT_TERMINATED : NCT_TERMINATED);
}

static void unlink_connection(struct sip_client_txn *txn)
{
	if (txn->linked_connection)
		(void)map_remove(&txn->stack->clients_by_connection, &txn->connection_node);
	txn->linked_connection = false;
}

static void link_connection(struct sip_client_txn *txn)
{
	unlink_connection(txn);
	if (txn->flow.connection != 0)
		txn->linked_connection =
			map_add(&txn->stack->clients_by_connection, &txn->connection_node,
				slice_make(&txn->flow.connection, sizeof(txn->flow.connection))) ==
			0;
}

static void unlink_txn(struct sip_client_txn *txn)
{
	sip_timer_stop(txn->stack, &txn->resend);
	sip_timer_stop(txn->stack, &txn->main);
	(void)map_remove(&txn->stack->clients, &txn->node);
	unlink_connection(txn);
	list_remove(&txn->link);
	txn->stack->stats.ignored_events += txn->fsm.ignored;
	txn->stack->stats.client_txns--;
}

static void destroy(struct sip_client_txn *txn)
{
	struct sip_arena arena = txn->arena;

	sip_arena_done(&arena);
}

static void finish(struct sip_client_txn *txn)
{
	txn->finished = true;
	unlink_txn(txn);
	if (txn->handlers && txn->handlers->ended)
		txn->handlers->ended(txn->user, txn);
	destroy(txn);
}

static void tell(struct sip_client_txn *txn, const struct sip_incoming *in)
{
	int fail = txn->fail;

	if (txn->pass && in) {
		txn->pass = false;
		if (txn->cancel_wanted && !txn->cancel_sent && txn->last_status < 200)
			send_cancel(txn);
		if (txn->handlers)
			txn->handlers->response(txn->user, txn, in);
	}
	if (fail != 0 && is_terminated(txn)) {
		txn->fail = 0;
		if (txn->handlers)
			txn->handlers->failed(txn->user, txn, fail);
	}
}

static void step(struct sip_client_txn *txn, uint8_t event, const struct sip_incoming *in)
{
	txn->depth++;
	(void)fsm_step(&txn->fsm, event, in);
	if (!txn->fsm.busy)
		tell(txn, in);
	txn->depth--;
	if (txn->depth == 0 && !txn->finished && is_terminated(txn))
		finish(txn);
}

/* Beginning ------------------------------------------------------------------------------------- */

/* Complete message into the arena and parsed. with_via: it has its Via already (CANCEL). */
static int set_request(struct sip_client_txn *txn, struct slice request, struct slice more_lines,
		       bool with_via)
{
	struct sip_stack *stack = txn->stack;
	int r = 0;

	if (!with_via) {
		r = sip_insert_via(stack, request, &txn->flow, slice_str(txn->branch), more_lines);
		if (r < 0)
			return r;
		request = buf_slice(&stack->out);
	}
	r = sip_msg_parse(request, &stack->msg);
	if (r < 0 || !stack->msg.request)
		return -EBADMSG;
	txn->request = sip_arena_msg(&txn->arena, &stack->msg);
	if (!txn->request)
		return -ENOMEM;
	txn->method = txn->request->method;
	return 0;
}

static struct slice make_key(struct buf *out, struct slice branch, struct slice method)
{
	buf_reset(out);
	buf_add_slice(out, method);
	buf_add_char(out, ' ');
	buf_add_slice(out, branch);
	return buf_slice(out);
}

static int link_txn(struct sip_client_txn *txn)
{
	struct sip_stack *stack = txn->stack;
	int r;

	txn->key = sip_arena_copy(&txn->arena, make_key(&stack->out, slice_str(txn->branch),
							txn->request->method_name));
	if (!txn->key.p)
		return -ENOMEM;
	r = map_add_unique(&stack->clients, &txn->node, txn->key);
	if (r < 0)
		return r;
	link_connection(txn);
	list_append(&stack->all_clients, &txn->link);
	stack->stats.client_txns++;
	return 0;
}

static void start_timers(struct sip_client_txn *txn, uint32_t timeout_ms)
{
	struct sip_stack *stack = txn->stack;
	bool invite = is_invite(txn);

	txn->interval_ms = stack->t1;
	if (!sip_flow_is_reliable(&txn->flow))
		sip_timer(stack, &txn->resend, stack->t1, invite ? timer_a : timer_e);
	sip_timer(stack, &txn->main, timeout_ms ? timeout_ms : 64ULL * stack->t1,
		  invite ? timer_b : timer_f);
}

/* At the bound: one that waits for nothing but copies of its final ends before its time. */
static bool make_room(struct sip_stack *stack)
{
	struct sip_client_txn *txn = LIST_FIRST(&stack->old_clients, struct sip_client_txn, link);

	if (!txn || txn->depth > 0)
		return false;
	finish(txn);
	return true;
}

static int make(struct sip_stack *stack, const struct sip_flow *flow, struct sip_client_txn **ret)
{
	struct sip_arena arena;
	struct sip_client_txn *txn;

	sip_arena_init(&arena, &stack->pool);
	txn = sip_arena_alloc(&arena, sizeof(*txn));
	if (!txn)
		return -ENOMEM;
	txn->stack = stack;
	txn->arena = arena;
	txn->flow = *flow;
	*ret = txn;
	return 0;
}

/* Send for the first time; what fails is told by a timer, as a lost connection would be. */
static void begin(struct sip_client_txn *txn, uint32_t timeout_ms)
{
	int r;

	fsm_init(&txn->fsm, is_invite(txn) ? &sip_invite_client_table : &sip_plain_client_table,
		 is_invite(txn) ? (uint8_t)ICT_CALLING : (uint8_t)NCT_TRYING);
	start_timers(txn, timeout_ms);
	r = put(txn, txn->request->raw);
	if (r < 0) {
		txn->pending_error = r;
		sip_timer_stop(txn->stack, &txn->resend);
		sip_timer(txn->stack, &txn->main, 0, timer_first_error);
	}
}

int sip_client_txn_new(struct sip_stack *stack, const struct sip_flow *flow, struct slice request,
		       const struct sip_client_options *options,
		       const struct sip_client_handlers *handlers, void *user,
		       struct sip_client_txn **ret, struct error *err)
{
	static const struct sip_client_options none;
	const struct sip_client_options *opt = options ? options : &none;
	struct sip_client_txn *txn;
	char text[ADDR_TEXT_MAX];
	int r;

	if (stack->stats.client_txns >= stack->transactions_max && !make_room(stack))
		return error_set(err, -EUSERS, "no room for another transaction");
	r = make(stack, flow, &txn);
	if (r < 0)
		return error_set(err, r, "no room for another transaction");
	txn->handlers = handlers;
	txn->user = user;
	txn->final_timeout_ms = opt->final_timeout_ms;
	sip_make_branch(opt->branch_tail, txn->branch);
	r = stack->way.prepare(stack->way.user, &txn->flow, request.len + FLOW_ROOM);
	if (r < 0) {
		destroy(txn);
		return error_set(err, r, "cannot reach %s", addr_format(&flow->remote, text));
	}
	if (flow->transport == SIP_TRANSPORT_UDP && txn->flow.transport != SIP_TRANSPORT_UDP) {
		txn->udp_flow = *flow;
		txn->may_fall_back = true;
	}
	r = set_request(txn, request, (struct slice){ 0 }, false);
	if (r == 0)
		r = link_txn(txn);
	if (r < 0) {
		destroy(txn);
		return error_set(err, r, "the request cannot be sent");
	}
	begin(txn, opt->timeout_ms);
	*ret = txn;
	return 0;
}

/* RFC 3261 section 18.1.1: when the TCP connection is refused, the long request goes by UDP. */
static bool fall_back(struct sip_client_txn *txn)
{
	struct slice old = txn->request->raw;
	const char *line = memmem(old.p, old.len, "\r\n", 2);
	const char *via_end;
	struct buf without = { 0 };
	int r;

	if (!txn->may_fall_back || txn->last_status != 0 || !line)
		return false;
	txn->may_fall_back = false;
	line += 2;
	via_end = memmem(line, (size_t)(old.p + old.len - line), "\r\n", 2);
	if (!via_end)
		return false;
	via_end += 2;
	buf_init(&without, SIP_MSG_MAX);
	buf_add(&without, old.p, (size_t)(line - old.p));
	buf_add(&without, via_end, (size_t)(old.p + old.len - via_end));
	unlink_connection(txn);
	txn->flow = txn->udp_flow;
	r = txn->stack->way.prepare(txn->stack->way.user, &txn->flow, 0);
	if (r == 0 && buf_ok(&without))
		r = set_request(txn, buf_slice(&without), (struct slice){ 0 }, false);
	buf_done(&without);
	if (r < 0)
		return false;
	txn->interval_ms = txn->stack->t1;
	sip_timer(txn->stack, &txn->resend, txn->stack->t1, is_invite(txn) ? timer_a : timer_e);
	return put(txn, txn->request->raw) == 0;
}

void sip_client_txn_closed(struct sip_stack *stack, uint64_t connection, int reason)
{
	struct slice key = slice_make(&connection, sizeof(connection));
	struct map_node *node;

	while ((node = map_get(&stack->clients_by_connection, key))) {
		struct sip_client_txn *txn =
			MAP_ENTRY(node, struct sip_client_txn, connection_node);

		unlink_connection(txn);
		if (fall_back(txn))
			continue;
		txn->fail = reason;
		step(txn, EC_TRANSPORT_ERR, NULL);
	}
}

size_t sip_stack_fail_remote(struct sip_stack *stack, enum sip_transport transport,
			     const struct addr *remote)
{
	struct sip_client_txn *txn;
	size_t count = 0, size = 0;
	char(*keys)[SIP_BRANCH_MAX + 32];
	AUTO(mem)
	void *storage = calloc(stack->stats.client_txns + 1UL, sizeof(char[SIP_BRANCH_MAX + 32]));

	/* Collected first: a user's handler may end other transactions meanwhile. They are found again
	 * by key before they are touched. */
	if (!storage)
		return 0;
	keys = storage;
	LIST_FOREACH (txn, &stack->all_clients, struct sip_client_txn, link) {
		if ((transport == SIP_TRANSPORT_OTHER || transport == txn->flow.transport) &&
		    addr_equal(&txn->flow.remote, remote) && txn->last_status < 200 &&
		    slice_copy(txn->key, keys[size], sizeof(keys[size])) == 0)
			size++;
	}
	for (size_t i = 0; i < size; i++) {
		struct map_node *node = map_get(&stack->clients, slice_str(keys[i]));

		if (!node)
			continue;
		txn = MAP_ENTRY(node, struct sip_client_txn, node);
		txn->fail = -EHOSTUNREACH;
		step(txn, EC_TRANSPORT_ERR, NULL);
		count++;
	}
	return count;
}

void sip_client_txn_free_all(struct sip_stack *stack)
{
	struct sip_client_txn *txn;

	while ((txn = LIST_FIRST(&stack->all_clients, struct sip_client_txn, link)) ||
	       (txn = LIST_FIRST(&stack->old_clients, struct sip_client_txn, link))) {
		unlink_txn(txn);
		destroy(txn);
	}
}

/* Responses (RFC 3261 section 17.1.3) ------------------------------------------------------------ */

bool sip_client_txn_receive(struct sip_stack *stack, const struct sip_incoming *in)
{
	struct sip_via via;
	struct sip_cseq cseq;
	struct map_node *node;
	struct sip_client_txn *txn;
	unsigned status = in->msg->status;

	if (sip_msg_top_via(in->msg, &via) < 0 || sip_msg_cseq(in->msg, &cseq) < 0)
		return false;
	node = map_get(&stack->clients, make_key(&stack->out, via.branch, cseq.method_name));
	if (!node)
		return false;
	txn = MAP_ENTRY(node, struct sip_client_txn, node);
	if (txn->last_status < 200 && status >= 200) {
		list_remove(&txn->link);
		list_append(&stack->old_clients, &txn->link);
	}
	if (txn->last_status < 200)
		txn->last_status = status;
	step(txn, status < 200 ? EC_1XX : status < 300 ? EC_2XX : EC_300_699, in);
	return true;
}

/* CANCEL (RFC 3261 section 9.1) ------------------------------------------------------------------ */

static void send_cancel(struct sip_client_txn *txn)
{
	struct sip_stack *stack = txn->stack;
	struct buf *out = &stack->out;
	struct sip_client_txn *cancel;
	AUTO_BUF bytes = { 0 };
	const char *line;
	int r;

	txn->cancel_sent = true;
	sip_timer(stack, &txn->main, 64ULL * stack->t1, timer_cancel);
	buf_reset(out);
	sip_build_cancel(out, txn->request);
	/* Never refused at the bound (each INVITE has one at most), and nobody's transaction ends for
	 * it: users cancel while they walk their own lists. */
	if (!buf_ok(out) || make(stack, &txn->flow, &cancel) < 0)
		return;
	line = memmem(out->data, out->len, "\r\n", 2);
	line = line ? line + 2 : out->data;
	buf_add(&bytes, out->data, (size_t)(line - out->data));
	buf_add_slice(&bytes, txn->cancel_lines);
	buf_add(&bytes, line, (size_t)(out->data + out->len - line));
	memcpy(cancel->branch, txn->branch, sizeof(cancel->branch));
	r = buf_ok(&bytes) ? set_request(cancel, buf_slice(&bytes), (struct slice){ 0 }, true)
			   : -ENOMEM;
	if (r == 0)
		r = link_txn(cancel);
	if (r < 0)
		destroy(cancel);
	else
		begin(cancel, 0);
}

void sip_client_txn_cancel(struct sip_client_txn *txn, struct slice reason)
{
	if (!is_invite(txn) || txn->cancel_wanted || txn->last_status >= 200 || txn->finished ||
	    is_terminated(txn))
		return;
	txn->cancel_wanted = true;
	txn->cancel_lines = sip_arena_copy(&txn->arena, reason);
	if (txn->last_status >= 100)
		send_cancel(txn);
}

const struct sip_msg *sip_client_txn_request(const struct sip_client_txn *txn)
{
	return txn->request;
}

const struct sip_flow *sip_client_txn_flow(const struct sip_client_txn *txn)
{
	return &txn->flow;
}

enum sip_method sip_client_txn_method(const struct sip_client_txn *txn)
{
	return txn->method;
}

unsigned sip_client_txn_last_status(const struct sip_client_txn *txn)
{
	return txn->last_status;
}

void *sip_client_txn_user(const struct sip_client_txn *txn)
{
	return txn->user;
}

void sip_client_txn_set_user(struct sip_client_txn *txn, const struct sip_client_handlers *handlers,
			     void *user)
{
	txn->handlers = handlers;
	txn->user = user;
}

void sip_client_txn_detach(struct sip_client_txn *txn)
{
	txn->handlers = NULL;
}
