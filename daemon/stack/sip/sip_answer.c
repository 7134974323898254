/* SPDX-License-Identifier: Apache-2.0 */
/* sip_answer.c - a request answered at once: of its transaction only the response is kept, for copies of
 * the request, until timer J (RFC 3261 section 17.2.2, state Completed). A REGISTER is a tenth of the
 * memory of a whole transaction so. All wait equally long: one list, one timer. */
#include <stdlib.h>

#include "stack/sip/sip_private.h"

#define ANSWERS_PER_TRANSACTION 4 /* of the bound of transactions */
#define BYTES_MAX (64U << 20)
#define KEY_MAX 512 /* a longer key is not kept: the copy is then answered anew */

struct sip_answer {
	struct list link;
	struct map_node node;
	uint64_t until_ms;
	struct addr remote;
	uint32_t listen, key_len, len;
	char bytes[]; /* key, response */
};

static void forget(struct sip_stack *stack, struct sip_answer *a)
{
	list_remove(&a->link);
	(void)map_remove(&stack->answers, &a->node);
	stack->answer_bytes -= a->key_len + a->len;
	free(a);
}

static struct sip_answer *oldest(struct sip_stack *stack)
{
	return LIST_FIRST(&stack->all_answers, struct sip_answer, link);
}

static void timer_j(struct timer *t)
{
	struct sip_stack *stack = CONTAINER_OF(t, struct sip_stack, answer_timer);
	uint64_t now = stack->timers->now_ms;
	struct sip_answer *a;

	while ((a = oldest(stack)) != NULL && a->until_ms <= now)
		forget(stack, a);
	if (a)
		sip_timer(stack, t, a->until_ms - now, timer_j);
}

static void keep(struct sip_stack *stack, const struct sip_flow *flow, struct slice key,
		 struct slice bytes)
{
	uint64_t wait = 64ULL * stack->t1;
	struct sip_answer *a;

	while ((a = oldest(stack)) != NULL &&
	       (stack->answers.count >= (size_t)stack->transactions_max * ANSWERS_PER_TRANSACTION ||
		stack->answer_bytes + key.len + bytes.len > BYTES_MAX))
		forget(stack, a);
	a = malloc(sizeof(*a) + key.len + bytes.len);
	if (!a)
		return; /* a copy of the request is then answered anew */
	*a = (struct sip_answer){ .until_ms = stack->timers->now_ms + wait,
				  .remote = flow->remote,
				  .listen = flow->listen,
				  .key_len = (uint32_t)key.len,
				  .len = (uint32_t)bytes.len };
	memcpy(a->bytes, key.p, key.len);
	memcpy(a->bytes + key.len, bytes.p, bytes.len);
	if (map_add_unique(&stack->answers, &a->node, slice_make(a->bytes, key.len)) < 0) {
		free(a);
		return;
	}
	list_append(&stack->all_answers, &a->link);
	stack->answer_bytes += key.len + bytes.len;
	if (!timer_active(&stack->answer_timer))
		sip_timer(stack, &stack->answer_timer, wait, timer_j);
}

int sip_stack_answer(struct sip_stack *stack, const struct sip_incoming *in, unsigned status,
		     const struct sip_extra *extra)
{
	char tag[SIP_TAG_LEN], key_text[KEY_MAX];
	struct slice key = { 0 };
	struct sip_flow flow;
	struct sip_via via;
	int r;

	r = sip_msg_top_via(in->msg, &via);
	if (r == 0)
		r = stack->way.reply_flow(stack->way.user, &in->flow, &via, &flow);
	if (r < 0)
		return r;
	if (!sip_flow_is_reliable(&in->flow) &&
	    sip_server_txn_key(stack, in->msg, in->msg->method_name) == 0 &&
	    stack->out.len <= sizeof(key_text)) {
		key = slice_make(key_text, stack->out.len);
		memcpy(key_text, stack->out.data, key.len);
	}
	sip_stack_tag(tag);
	r = sip_build_response(stack, in->msg, status, slice_str(tag), extra, (struct slice){ 0 });
	if (r < 0)
		return r;
	if (key.len > 0)
		keep(stack, &flow, key, buf_slice(&stack->out));
	return sip_stack_send_answer(stack, in->msg, &flow);
}

bool sip_answer_again(struct sip_stack *stack, struct slice key, uint64_t hash)
{
	struct map_node *node = map_get_hashed(&stack->answers, key, hash);
	struct sip_answer *a;
	struct sip_flow flow;

	if (!node)
		return false;
	a = MAP_ENTRY(node, struct sip_answer, node);
	flow = (struct sip_flow){ .transport = SIP_TRANSPORT_UDP,
				  .listen = a->listen,
				  .remote = a->remote };
	(void)stack->way.send(stack->way.user, &flow, slice_make(a->bytes + a->key_len, a->len));
	return true;
}

void sip_answer_free_all(struct sip_stack *stack)
{
	struct sip_answer *a;

	sip_timer_stop(stack, &stack->answer_timer);
	while ((a = oldest(stack)) != NULL)
		forget(stack, a);
	map_done(&stack->answers);
}
