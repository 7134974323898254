/* SPDX-License-Identifier: Apache-2.0 */
/* sip_notify.c - the NOTIFYs of subscriptions: one on its way at a time, the last state wins.
 * RFC 6665 section 4.2.2. */
#include "codec/sip/sip_build.h"
#include "stack/sip/sip_event_private.h"

#define NOTIFY_BODY_MAX 49152

static void throttle_over(struct timer *t)
{
	struct sip_subscription *sub = CONTAINER_OF(t, struct sip_subscription, throttle);

	if (sub->due && !sub->notify)
		sip_subscription_send(sub);
}

/* Which answers end a subscription (RFC 6665 section 4.2.2, RFC 5057). */
static bool ends(unsigned status)
{
	static const unsigned short final[] = { 404, 405, 408, 410, 416, 480, 481,
						482, 483, 484, 485, 489, 501, 604 };

	for (size_t i = 0; i < ARRAY_SIZE(final); i++) {
		if (status == final[i])
			return true;
	}
	return false;
}

static void notify_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct sip_subscription *sub = user;

	if (in->msg->status < 200)
		return;
	sip_client_txn_detach(txn);
	sub->notify = NULL;
	/* Out of reach since the restart, it may still come back by itself. */
	if (sub->restored && (in->msg->status == 408 || in->msg->status == 480))
		return;
	if (in->msg->status < 300)
		sub->restored = false;
	if (ends(in->msg->status)) {
		sip_subscription_gone(sub, "rejected");
		return;
	}
	if (sub->due)
		sip_subscription_notify(sub);
}

static void notify_failed(void *user, struct sip_client_txn *txn, int reason)
{
	struct sip_subscription *sub = user;

	(void)reason;
	sip_client_txn_detach(txn);
	sub->notify = NULL;
	if (!sub->restored)
		sip_subscription_gone(sub, "unreachable");
}

static const struct sip_client_handlers notify_handlers = { .response = notify_response,
							    .failed = notify_failed };

static void build_headers(struct sip_subscription *sub, const char *end_reason, struct buf *out)
{
	uint64_t now = sub->events->stack->timers->now_ms;
	uint64_t left = sub->expires_at > now ? (sub->expires_at - now + 999) / 1000 : 0;

	buf_printf(out, "Event: %s", sub->package->is->name);
	if (sub->event_id.len > 0)
		buf_printf(out, ";id=%.*s", SLICE_ARG(sub->event_id));
	if (end_reason)
		buf_printf(out, "\r\nSubscription-State: terminated;reason=%s\r\n", end_reason);
	else
		buf_printf(out, "\r\nSubscription-State: %s;expires=%llu\r\n",
			   sub->pending ? "pending" : "active", (unsigned long long)left);
}

static int put(struct sip_subscription *sub, const char *end_reason)
{
	const struct package *p = sub->package;
	AUTO_BUF headers = { 0 };
	AUTO_BUF body = { 0 };
	struct sip_extra extra;
	int r;

	buf_init(&body, NOTIFY_BODY_MAX);
	build_headers(sub, end_reason, &headers);
	if (!sub->pending && p->is->body)
		p->is->body(p->user, sub, &body);
	if (!buf_ok(&headers) || !buf_ok(&body))
		return -ENOMEM;
	extra = (struct sip_extra){ .headers = buf_slice(&headers) };
	if (body.len > 0) {
		extra.body = buf_slice(&body);
		extra.content_type = slice_str(p->is->content_type);
		sub->version++;
	}
	sub->due = false;
	sub->last_notify = sub->events->stack->timers->now_ms;
	if (end_reason)
		return sip_dialog_request(sub->dialog, SLICE("NOTIFY"), &extra, NULL, NULL, NULL,
					  NULL, NULL);
	r = sip_dialog_request(sub->dialog, SLICE("NOTIFY"), &extra, NULL, &notify_handlers, sub,
			       &sub->notify, NULL);
	sip_subscription_number_used(sub);
	return r;
}

void sip_subscription_send(struct sip_subscription *sub)
{
	if (sub->notify) {
		sub->due = true;
		return;
	}
	if (put(sub, NULL) < 0 && !sub->restored)
		sip_subscription_gone(sub, "unreachable");
}

void sip_subscription_notify(struct sip_subscription *sub)
{
	struct sip_stack *stack = sub->events->stack;
	uint64_t now = stack->timers->now_ms, gap = sub->package->is->throttle_ms;

	if (sub->notify || timer_active(&sub->throttle)) {
		sub->due = true;
		return;
	}
	if (gap > 0 && now - sub->last_notify < gap) {
		sub->due = true;
		sip_timer(stack, &sub->throttle, sub->last_notify + gap - now, throttle_over);
		return;
	}
	sip_subscription_send(sub);
}

void sip_subscription_approve(struct sip_subscription *sub)
{
	if (!sub->pending)
		return;
	sub->pending = false;
	sip_subscription_keep(sub);
	sip_subscription_send(sub);
}

void sip_subscription_end(struct sip_subscription *sub, const char *reason)
{
	(void)put(sub, reason);
	sip_subscription_gone(sub, reason);
}

size_t sip_event_notify(struct sip_events *events, const char *package, struct slice resource)
{
	struct map_node *node = map_get(&events->by_resource, resource), *next;
	size_t count = 0;

	for (; node; node = next) {
		struct sip_subscription *sub = MAP_ENTRY(node, struct sip_subscription, node);

		next = map_next_same(node);
		if (package && strcmp(package, sub->package->is->name) != 0)
			continue;
		sip_subscription_notify(sub);
		count++;
	}
	return count;
}
