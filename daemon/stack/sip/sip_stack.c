/* SPDX-License-Identifier: Apache-2.0 */
/* sip_stack.c - from the wire to transactions, dialogs and the user, and answers without state. */
#include "stack/sip/sip_stack.h"

#include <stdio.h>

#include "base/log.h"
#include "base/random.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_check.h"
#include "net/digest.h"
#include "stack/sip/sip_private.h"

#define POOL_KEEP 4096 /* free blocks kept: 16 MiB at most, after a peak that used them */
#define STATELESS_TAG_LEN 18

static int wire_prepare(void *user, struct sip_flow *flow, size_t length)
{
	return sip_wire_prepare(user, flow, length);
}

static void wire_via(void *user, const struct sip_flow *flow, struct slice branch, struct buf *out)
{
	sip_wire_via(user, flow, branch, out);
}

static int wire_send(void *user, const struct sip_flow *flow, struct slice message)
{
	return sip_wire_send(user, flow, message);
}

static int wire_reply_flow(void *user, const struct sip_flow *request, const struct sip_via *via,
			   struct sip_flow *ret)
{
	return sip_wire_reply_flow(user, request, via, ret);
}

static int wire_resolve(void *user, const struct sip_uri *uri, struct sip_flow *ret)
{
	return sip_wire_resolve(user, uri, ret);
}

static bool wire_is_open(void *user, const struct sip_flow *flow)
{
	return sip_wire_is_open(user, flow);
}

static void wire_uri(void *user, uint32_t listen, struct buf *out)
{
	sip_wire_uri(user, listen, (struct slice){ 0 }, out);
}

static void wire_message(void *user, const struct sip_incoming *in)
{
	sip_stack_message(user, in);
}

static void wire_closed(void *user, const struct sip_flow *flow, int reason)
{
	sip_stack_closed(user, flow, reason);
}

static void wire_trace(void *user, const struct sip_traced *traced)
{
	struct sip_stack *stack = user;
	struct sip_traced known = *traced;

	if (known.sent)
		known.msg = stack->answered;
	stack->handlers.trace(stack->user, &known);
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
	return value ? value : fallback;
}

int sip_stack_new_over(const struct sip_stack_config *config, struct timer_wheel *timers,
		       const struct sip_way *way, const struct sip_stack_handlers *handlers,
		       void *user, struct sip_stack **ret)
{
	struct sip_stack *stack = calloc(1, sizeof(*stack));

	if (!stack)
		return -ENOMEM;
	stack->loop = config->loop;
	stack->timers = timers;
	if (way)
		stack->way = *way;
	stack->handlers = *handlers;
	stack->user = user;
	if (config->product)
		(void)snprintf(stack->product, sizeof(stack->product), "%s", config->product);
	if (stack->product[0])
		(void)snprintf(stack->server_line, sizeof(stack->server_line), "Server: %s\r\n",
			       stack->product);
	stack->proxy = config->proxy;
	stack->supported = config->supported;
	stack->supported_count = config->supported_count;
	stack->transactions_max = or_default(config->transactions_max, 16384);
	stack->dialogs_max = or_default(config->dialogs_max, 65536);
	stack->t1 = or_default(config->t1_ms, SIP_T1_MS);
	stack->t2 = or_default(config->t2_ms, SIP_T2_MS);
	stack->t4 = or_default(config->t4_ms, SIP_T4_MS);
	stack->trying_after = or_default(config->trying_after_ms, 150);
	sip_arena_pool_init(&stack->pool, POOL_KEEP);
	map_init(&stack->servers);
	map_init(&stack->merged);
	map_init(&stack->clients);
	map_init(&stack->clients_by_connection);
	map_init(&stack->dialogs);
	map_init(&stack->answers);
	list_init(&stack->all_answers);
	list_init(&stack->all_clients);
	list_init(&stack->all_servers);
	list_init(&stack->old_clients);
	list_init(&stack->old_servers);
	list_init(&stack->all_dialogs);
	buf_init(&stack->out, SIP_MSG_MAX);
	buf_init(&stack->draft, SIP_MSG_MAX);
	*ret = stack;
	return 0;
}

int sip_stack_new(const struct sip_stack_config *config, const struct sip_stack_handlers *handlers,
		  void *user, struct sip_stack **ret, struct error *err)
{
	struct sip_wire_handlers on_wire = { .message = wire_message,
					     .closed = wire_closed,
					     .trace = handlers->trace ? wire_trace : NULL };
	AUTO(sip_stack) struct sip_stack *stack = NULL;
	int r;

	r = sip_stack_new_over(config, loop_timers(config->loop), NULL, handlers, user, &stack);
	if (r < 0)
		return error_set(err, r, "no memory for SIP");
	r = sip_wire_new(config->loop, config->wire_limits, &on_wire, stack, &stack->wire, err);
	if (r < 0)
		return r;
	stack->way = (struct sip_way){ .prepare = wire_prepare,
				       .via = wire_via,
				       .send = wire_send,
				       .reply_flow = wire_reply_flow,
				       .resolve = wire_resolve,
				       .is_open = wire_is_open,
				       .uri = wire_uri,
				       .user = stack->wire };
	*ret = TAKE(stack);
	return 0;
}

struct sip_stack *sip_stack_free(struct sip_stack *stack)
{
	if (!stack)
		return NULL;
	stack->freeing = true;
	sip_dialog_free_all(stack);
	sip_server_txn_free_all(stack);
	sip_client_txn_free_all(stack);
	sip_answer_free_all(stack);
	sip_wire_free(stack->wire);
	map_done(&stack->servers);
	map_done(&stack->merged);
	map_done(&stack->clients);
	map_done(&stack->clients_by_connection);
	map_done(&stack->dialogs);
	buf_done(&stack->out);
	buf_done(&stack->draft);
	sip_arena_pool_done(&stack->pool);
	free(stack);
	return NULL;
}

struct sip_wire *sip_stack_wire(struct sip_stack *stack)
{
	return stack->wire;
}

struct loop *sip_stack_loop(struct sip_stack *stack)
{
	return stack->loop;
}

const char *sip_stack_product(const struct sip_stack *stack)
{
	return stack->product;
}

void sip_stack_tag(char ret[static SIP_TAG_LEN])
{
	random_token(ret, 16);
}

void sip_make_branch(struct slice tail, char ret[static SIP_BRANCH_MAX])
{
	char token[17];

	random_token(token, 16);
	(void)snprintf(ret, SIP_BRANCH_MAX, "%s%s%.*s", SIP_BRANCH_MAGIC, token,
		       (int)(tail.len < 60 ? tail.len : 60), tail.p ? tail.p : "");
}

unsigned sip_status_of(struct slice response)
{
	uint32_t status;
	bool ok = slice_skip(&response, SLICE("SIP/2.0 ")) &&
		  slice_take_u32(&response, &status) == 0 && status >= 100 && status <= 699;

	return ok ? status : 0;
}

int sip_insert_via(struct sip_stack *stack, struct slice message, const struct sip_flow *flow,
		   struct slice branch, struct slice more_lines)
{
	const char *end = memmem(message.p, message.len, "\r\n", 2);
	size_t at;

	if (!end)
		return -EBADMSG;
	at = (size_t)(end - message.p) + 2;
	buf_reset(&stack->out);
	buf_add(&stack->out, message.p, at);
	buf_add_str(&stack->out, "Via: ");
	stack->way.via(stack->way.user, flow, branch, &stack->out);
	buf_add_str(&stack->out, "\r\n");
	buf_add_slice(&stack->out, more_lines);
	buf_add(&stack->out, message.p + at, message.len - at);
	return buf_ok(&stack->out) ? 0 : -EMSGSIZE;
}

int sip_build_response(struct sip_stack *stack, const struct sip_msg *request, unsigned status,
		       struct slice to_tag, const struct sip_extra *extra, struct slice contact)
{
	static const struct sip_extra none;
	const struct sip_extra *x = extra ? extra : &none;
	bool dialog = request->method == SIP_INVITE || request->method == SIP_SUBSCRIBE ||
		      request->method == SIP_REFER;
	struct sip_reply reply = { .status = status,
				   .reason = x->reason_phrase,
				   .to_tag = status > 100 ? to_tag : (struct slice){ 0 },
				   .flags = dialog && status > 100 && status < 300
						    ? SIP_REPLY_RECORD_ROUTE
						    : 0 };

	buf_reset(&stack->out);
	sip_build_reply(&stack->out, request, &reply);
	if (contact.len > 0)
		sip_build_header(&stack->out, SIP_HDR_CONTACT, contact);
	buf_add_str(&stack->out, stack->server_line);
	buf_add_slice(&stack->out, x->headers);
	sip_build_body(&stack->out, x->content_type, x->body);
	return buf_ok(&stack->out) ? 0 : -EMSGSIZE;
}

/* Stateless answers --------------------------------------------------------------------------- */

/* The same for every copy of a request and for the ACK of its answer (RFC 3261 section 8.2.7): both are of one
 * transaction. Hashed once more, so that nobody learns where in a table a key of his stands. */
static void stateless_tag(struct sip_stack *stack, const struct sip_msg *msg,
			  char ret[static STATELESS_TAG_LEN])
{
	uint64_t hash = sip_server_txn_hash(stack, msg);

	hash = slice_hash(slice_make(&hash, sizeof(hash))); /* keyed by a random of this process */
	ret[0] = 's';
	digest_to_hex(&hash, sizeof(hash), ret + 1);
}

static bool is_stateless_ack(struct sip_stack *stack, const struct sip_msg *msg)
{
	char tag[STATELESS_TAG_LEN];
	struct slice to_tag = sip_msg_to_tag(msg);

	if (to_tag.len != STATELESS_TAG_LEN - 1 || to_tag.p[0] != 's')
		return false;
	stateless_tag(stack, msg, tag);
	return slice_eq_str(to_tag, tag);
}

int sip_stack_send_answer(struct sip_stack *stack, const struct sip_msg *request,
			  const struct sip_flow *flow)
{
	int r;

	stack->answered = request;
	r = stack->way.send(stack->way.user, flow, buf_slice(&stack->out));
	stack->answered = NULL;
	return r;
}

static int send_reply(struct sip_stack *stack, const struct sip_incoming *in)
{
	struct sip_flow flow;
	struct sip_via via;
	bool has_via = sip_msg_top_via(in->msg, &via) == 0;
	int r;

	r = stack->way.reply_flow(stack->way.user, &in->flow, has_via ? &via : NULL, &flow);
	if (r < 0)
		return r;
	stack->stats.stateless_replies++;
	return sip_stack_send_answer(stack, in->msg, &flow);
}

int sip_stack_reply(struct sip_stack *stack, const struct sip_incoming *in, unsigned status,
		    const struct sip_extra *extra)
{
	size_t limit = 2 * in->msg->raw.len;
	struct sip_extra less = extra ? *extra : (struct sip_extra){ 0 };
	char tag[STATELESS_TAG_LEN];
	int r;

	if (in->msg->method == SIP_ACK)
		return -EINVAL;
	stateless_tag(stack, in->msg, tag);
	r = sip_build_response(stack, in->msg, status, slice_str(tag), &less, (struct slice){ 0 });
	if (r == 0 && stack->out.len > limit && less.body.len > 0) {
		less.body = less.content_type = (struct slice){ 0 };
		r = sip_build_response(stack, in->msg, status, slice_str(tag), &less,
				       (struct slice){ 0 });
	}
	if (r == 0 && stack->out.len > limit)
		r = sip_build_response(stack, in->msg, status, slice_str(tag), NULL,
				       (struct slice){ 0 });
	if (r < 0)
		return r;
	return send_reply(stack, in);
}

int sip_stack_send(struct sip_stack *stack, const struct sip_flow *flow, struct slice request,
		   struct slice branch)
{
	char own[SIP_BRANCH_MAX];
	struct sip_flow way = *flow;
	int r;

	r = stack->way.prepare(stack->way.user, &way, request.len + 128);
	if (r < 0)
		return r;
	if (branch.len == 0) {
		sip_make_branch((struct slice){ 0 }, own);
		branch = slice_str(own);
	}
	r = sip_insert_via(stack, request, &way, branch, (struct slice){ 0 });
	if (r < 0)
		return r;
	return stack->way.send(stack->way.user, &way, buf_slice(&stack->out));
}

int sip_stack_send_response(struct sip_stack *stack, struct slice response)
{
	struct sip_flow flow = { .listen = SIP_LISTEN_ANY };
	struct sip_via via;
	struct slice host;
	int r;

	r = sip_msg_parse(response, &stack->msg);
	if (r == 0)
		r = sip_msg_top_via(&stack->msg, &via);
	if (r < 0)
		return -EBADMSG;
	flow.transport = via.transport;
	host = via.maddr.len ? via.maddr : via.received.len ? via.received : via.host;
	if (addr_parse_ip(host, via.port, &flow.remote) < 0)
		return -EADDRNOTAVAIL;
	if (via.has_rport && via.rport)
		addr_set_port(&flow.remote, via.rport);
	else if (via.port == 0)
		addr_set_port(&flow.remote, via.transport == SIP_TRANSPORT_TLS ? 5061 : 5060);
	r = stack->way.prepare(stack->way.user, &flow, 0);
	return r < 0 ? r : stack->way.send(stack->way.user, &flow, response);
}

/* Received messages --------------------------------------------------------------------------- */

static void reject(struct sip_stack *stack, const struct sip_incoming *in,
		   const struct sip_check_rules *rules, const struct sip_verdict *verdict)
{
	AUTO_BUF lines = { 0 };
	struct sip_extra extra = { 0 };
	struct slice option;

	stack->stats.rejected++;
	if (verdict->status == 400)
		sip_wire_blame(stack->wire, &in->flow);
	for (size_t n = 0;
	     verdict->unsupported && n < 16 && sip_check_unsupported(in->msg, rules, n, &option);
	     n++)
		sip_build_header(&lines, SIP_HDR_UNSUPPORTED, option);
	if (buf_ok(&lines))
		extra.headers = buf_slice(&lines);
	if (verdict->status == 400 && verdict->reason)
		extra.reason_phrase = slice_str(verdict->reason);
	(void)sip_stack_reply(stack, in, verdict->status, &extra);
}

static bool is_good(struct sip_stack *stack, const struct sip_incoming *in)
{
	struct sip_check_rules rules = { .role = stack->proxy ? SIP_ROLE_PROXY : SIP_ROLE_UAS,
					 .options = stack->supported,
					 .option_count = stack->supported_count };
	struct sip_verdict verdict;

	sip_msg_check(in->msg, &rules, &verdict);
	if (in->out_of_step && verdict.kind == SIP_VERDICT_OK)
		verdict =
			(struct sip_verdict){ .kind = in->msg->request && in->msg->method != SIP_ACK
							      ? SIP_VERDICT_RESPOND
							      : SIP_VERDICT_DROP,
					      .status = 400,
					      .reason = "Missing Content-Length" };
	if (verdict.kind == SIP_VERDICT_OK)
		return true;
	if (verdict.kind == SIP_VERDICT_RESPOND)
		reject(stack, in, &rules, &verdict);
	else
		stack->stats.rejected++;
	return false;
}

static void take_ack(struct sip_stack *stack, const struct sip_incoming *in)
{
	if (is_stateless_ack(stack, in->msg) || sip_dialog_receive(stack, in))
		return;
	if (stack->handlers.ack)
		stack->handlers.ack(stack->user, in);
}

static void take_request(struct sip_stack *stack, const struct sip_incoming *in)
{
	if (sip_server_txn_receive(stack, in)) {
		stack->stats.retransmissions++;
		return;
	}
	stack->stats.requests++;
	if (in->msg->method == SIP_ACK)
		take_ack(stack, in);
	else if (in->msg->method == SIP_CANCEL)
		sip_server_txn_cancelled(stack, in);
	else if (!sip_dialog_receive(stack, in))
		stack->handlers.request(stack->user, in);
}

void sip_stack_message(struct sip_stack *stack, const struct sip_incoming *in)
{
	stack->hashed = NULL;
	if (!is_good(stack, in))
		return;
	if (in->msg->request) {
		take_request(stack, in);
		stack->hashed = NULL;
		return;
	}
	stack->stats.responses++;
	if (sip_client_txn_receive(stack, in))
		return;
	stack->stats.stray_responses++;
	if (stack->handlers.response)
		stack->handlers.response(stack->user, in);
}

void sip_stack_closed(struct sip_stack *stack, const struct sip_flow *flow, int reason)
{
	if (stack->freeing)
		return;
	sip_client_txn_closed(stack, flow->connection, reason < 0 ? reason : -ECONNRESET);
	if (stack->handlers.closed)
		stack->handlers.closed(stack->user, flow, reason);
}

struct sip_stack_stats sip_stack_stats(const struct sip_stack *stack)
{
	struct sip_stack_stats out = stack->stats;

	out.dialogs = (uint32_t)stack->dialogs.count;
	return out;
}
