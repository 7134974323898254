/* SPDX-License-Identifier: Apache-2.0 */
/* sip_event.c - subscriptions: beginning, refresh, end. RFC 6665 section 4.2. */
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_misc.h"
#include "stack/sip/sip_event_private.h"

static void expired(struct timer *t)
{
	sip_subscription_end(CONTAINER_OF(t, struct sip_subscription, expiry), "timeout");
}

int sip_events_new(struct sip_stack *stack, const struct sip_events_limits *limits,
		   struct sip_events **ret, struct error *err)
{
	struct sip_events *ev = calloc(1, sizeof(*ev));

	if (!ev)
		return error_set(err, -ENOMEM, "no memory for subscriptions");
	ev->stack = stack;
	if (limits)
		ev->limits = *limits;
	if (!ev->limits.subscriptions_max)
		ev->limits.subscriptions_max = 65536;
	if (!ev->limits.subscriptions_per_user)
		ev->limits.subscriptions_per_user = 20;
	map_init(&ev->by_resource);
	list_init(&ev->all);
	list_init(&ev->resuming);
	*ret = ev;
	return 0;
}

void sip_subscription_destroy(struct sip_subscription *sub)
{
	struct sip_events *ev = sub->events;

	sip_timer_stop(ev->stack, &sub->expiry);
	sip_timer_stop(ev->stack, &sub->throttle);
	if (sub->notify)
		sip_client_txn_detach(sub->notify);
	sip_dialog_free(sub->dialog);
	(void)map_remove(&ev->by_resource, &sub->node);
	list_remove(&sub->link);
	list_remove(&sub->resume);
	free(sub);
}

struct sip_events *sip_events_free(struct sip_events *events)
{
	struct sip_subscription *sub;

	if (!events)
		return NULL;
	LIST_FOREACH (sub, &events->all, struct sip_subscription, link)
		sip_subscription_destroy(sub);
	sip_timer_stop(events->stack, &events->resume);
	map_done(&events->by_resource);
	free(events);
	return NULL;
}

int sip_events_add(struct sip_events *events, const struct sip_event_package *package, void *user)
{
	if (events->package_count == SIP_EVENT_PACKAGES_MAX)
		return -ENOSPC;
	events->packages[events->package_count++] =
		(struct package){ .is = package,
				  .user = user,
				  .min_s = package->min_s ? package->min_s : 60,
				  .default_s = package->default_s ? package->default_s : 3600,
				  .max_s = package->max_s ? package->max_s : 3600 };
	return 0;
}

void sip_events_names(const struct sip_events *events, struct buf *out)
{
	for (size_t i = 0; i < events->package_count; i++) {
		if (i > 0)
			buf_add_str(out, ", ");
		buf_add_str(out, events->packages[i].is->name);
	}
}

/* What a SUBSCRIBE asks for -------------------------------------------------------------------- */

const struct package *sip_events_package(const struct sip_events *events, struct slice name)
{
	for (size_t i = 0; i < events->package_count; i++) {
		if (slice_eq_str_nocase(name, events->packages[i].is->name))
			return &events->packages[i];
	}
	return NULL;
}

static const struct package *find_package(const struct sip_events *ev, const struct sip_msg *msg,
					  struct sip_event *event)
{
	struct slice value = sip_msg_value(msg, SIP_HDR_EVENT);

	if (!value.p || sip_event_parse(value, event) < 0)
		return NULL;
	return sip_events_package(ev, event->type);
}

/* 0 and the time to grant, else the status to refuse with. */
static unsigned grant_time(const struct package *p, const struct sip_msg *msg, uint32_t *ret_s)
{
	uint32_t want = p->default_s;
	int r = sip_msg_expires(msg, &want);

	if (r < 0 && r != -ENOENT)
		return 400;
	if (want > p->max_s)
		want = p->max_s;
	if (want > 0 && want < p->min_s && want < 3600)
		return 423;
	*ret_s = want;
	return 0;
}

static bool accepts(const struct package *p, const struct sip_msg *msg)
{
	struct sip_values it = sip_values_of(msg, SIP_HDR_ACCEPT);
	struct slice value, type = slice_str(p->is->content_type);
	bool any = false;

	while (sip_values_next(&it, &value)) {
		struct slice range = slice_trim(slice_take_until(&value, ';', NULL));

		any = true;
		if (slice_eq_nocase(range, type) || slice_eq_str(range, "*/*") ||
		    slice_eq_str_nocase(range, "application/*"))
			return true;
	}
	return !any;
}

static int refuse(struct sip_events *ev, const struct sip_incoming *in, unsigned status,
		  const struct package *p)
{
	AUTO_BUF lines = { 0 };
	AUTO_BUF names = { 0 };
	struct sip_extra extra = { 0 };

	if (status == 489) {
		sip_events_names(ev, &names);
		sip_build_header(&lines, SIP_HDR_ALLOW_EVENTS, buf_slice(&names));
	} else if (status == 423 && p) {
		sip_build_header_u32(&lines, SIP_HDR_MIN_EXPIRES, p->min_s);
	} else if (status == 406 && p) {
		sip_build_header(&lines, SIP_HDR_ACCEPT, slice_str(p->is->content_type));
	}
	if (buf_ok(&lines))
		extra.headers = buf_slice(&lines);
	(void)sip_stack_reply(ev->stack, in, status, &extra);
	return 0;
}

static void answer(struct sip_subscription *sub, struct sip_server_txn *txn, uint32_t expires_s)
{
	char line[40];
	int n = snprintf(line, sizeof(line), "Expires: %u\r\n", expires_s);
	struct sip_extra extra = { .headers = slice_make(line, (size_t)n) };

	(void)sip_dialog_reply(sub->dialog, txn, 200, &extra);
}

/* Refresh and end inside the dialog --------------------------------------------------------------- */

void sip_subscription_expire_in(struct sip_subscription *sub, uint64_t ms)
{
	struct sip_stack *stack = sub->events->stack;

	sub->expires_at = stack->timers->now_ms + ms;
	sip_timer(stack, &sub->expiry, ms, expired);
}

static void take_refresh(struct sip_subscription *sub, const struct sip_incoming *in)
{
	struct sip_events *ev = sub->events;
	struct sip_server_txn *txn;
	struct sip_event event;
	uint32_t expires_s = 0;
	unsigned status;

	if (find_package(ev, in->msg, &event) != sub->package) {
		(void)refuse(ev, in, 489, NULL);
		return;
	}
	status = grant_time(sub->package, in->msg, &expires_s);
	if (status != 0) {
		(void)refuse(ev, in, status, sub->package);
		return;
	}
	if (sip_server_txn_new(ev->stack, in, NULL, NULL, &txn) < 0) {
		(void)sip_stack_reply(ev->stack, in, 503, NULL);
		return;
	}
	answer(sub, txn, expires_s);
	if (expires_s == 0) {
		sip_subscription_end(sub, "timeout");
		return;
	}
	sub->restored = false;
	list_remove(&sub->resume);
	sip_subscription_expire_in(sub, 1000ULL * expires_s);
	sip_subscription_keep(sub);
	sip_subscription_send(sub);
}

static void dialog_request(void *user, struct sip_dialog *dialog, const struct sip_incoming *in)
{
	struct sip_subscription *sub = user;
	static const struct sip_extra allow = { .headers = { "Allow: SUBSCRIBE, NOTIFY\r\n", 26 } };

	(void)dialog;
	if (in->msg->method == SIP_SUBSCRIBE)
		take_refresh(sub, in);
	else
		(void)sip_stack_reply(sub->events->stack, in, 405, &allow);
}

const struct sip_dialog_handlers sip_subscription_dialog_handlers = { .request = dialog_request };

/* Beginning ------------------------------------------------------------------------------------- */

static size_t count_of(const struct sip_events *ev, struct slice resource, struct slice watcher)
{
	struct map_node *node = map_get(&ev->by_resource, resource);
	size_t count = 0;

	for (; node; node = map_next_same(node)) {
		if (slice_eq(MAP_ENTRY(node, struct sip_subscription, node)->watcher, watcher))
			count++;
	}
	return count;
}

static struct slice append(char **at, struct slice text)
{
	struct slice out = slice_make(*at, text.len);

	if (text.len > 0)
		memcpy(*at, text.p, text.len);
	*at += text.len;
	return out;
}

int sip_subscription_make(struct sip_events *ev, const struct package *p,
			  const struct sip_subscription_kept *texts, struct sip_subscription **ret)
{
	size_t size =
		texts->resource.len + texts->watcher.len + texts->event_id.len + texts->accept.len;
	struct sip_subscription *sub;
	char *at;

	if (size > TEXTS_MAX)
		return -EMSGSIZE;
	sub = calloc(1, sizeof(*sub) + size);
	if (!sub)
		return -ENOMEM;
	at = sub->texts;
	sub->resource = append(&at, texts->resource);
	sub->watcher = append(&at, texts->watcher);
	sub->event_id = append(&at, texts->event_id);
	sub->accept = append(&at, texts->accept);
	sub->events = ev;
	sub->package = p;
	list_init(&sub->resume);
	if (map_add(&ev->by_resource, &sub->node, sub->resource) < 0) {
		free(sub);
		return -ENOMEM;
	}
	list_append(&ev->all, &sub->link);
	*ret = sub;
	return 0;
}

/* Transaction, dialog, 200; afterwards the subscription stands. */
static int establish(struct sip_subscription *sub, const struct sip_incoming *in,
		     uint32_t expires_s)
{
	struct sip_stack *stack = sub->events->stack;
	struct sip_server_txn *txn;
	int r;

	r = sip_server_txn_new(stack, in, NULL, NULL, &txn);
	if (r < 0) {
		(void)sip_stack_reply(stack, in, 503, NULL);
		return r;
	}
	r = sip_dialog_new_uas(stack, txn, (struct slice){ 0 }, &sip_subscription_dialog_handlers,
			       sub, &sub->dialog, NULL);
	if (r < 0) {
		(void)sip_server_txn_reply(txn, r == -EBADMSG ? 400 : 503, NULL);
		return r;
	}
	answer(sub, txn, expires_s);
	return 0;
}

int sip_event_subscribe(struct sip_events *events, const struct sip_incoming *in,
			struct slice resource, bool pending)
{
	struct sip_event event = { 0 };
	const struct package *p = find_package(events, in->msg, &event);
	struct sip_subscription_kept texts = { .resource = resource };
	struct sip_subscription *sub;
	struct sip_addr from;
	uint32_t expires_s = 0;
	unsigned status;

	if (!p)
		return refuse(events, in, 489, NULL);
	status = grant_time(p, in->msg, &expires_s);
	if (status == 0 && sip_msg_from(in->msg, &from) < 0)
		status = 400;
	if (status == 0 && !accepts(p, in->msg))
		status = 406;
	if (status == 0 &&
	    (events->by_resource.count >= events->limits.subscriptions_max ||
	     count_of(events, resource, from.uri.text) >= events->limits.subscriptions_per_user))
		status = 503;
	if (status == 0) {
		texts.watcher = from.uri.text;
		texts.event_id = event.id;
		texts.accept = sip_msg_value(in->msg, SIP_HDR_ACCEPT);
		if (sip_subscription_make(events, p, &texts, &sub) < 0)
			status = 503;
	}
	if (status != 0)
		return refuse(events, in, status, p);

	sub->pending = pending;
	if (establish(sub, in, expires_s) < 0) {
		sip_subscription_destroy(sub);
		return 0;
	}
	sub->begun = expires_s > 0;
	if (sub->begun) {
		sip_subscription_expire_in(sub, 1000ULL * expires_s);
		sip_subscription_keep(sub);
		if (p->is->started)
			p->is->started(p->user, sub);
		sip_subscription_send(sub);
	} else {
		sip_subscription_end(sub, "timeout");
	}
	return 0;
}

/* End ------------------------------------------------------------------------------------------- */

void sip_subscription_gone(struct sip_subscription *sub, const char *reason)
{
	const struct package *p = sub->package;

	if (sub->begun && p->is->ended)
		p->is->ended(p->user, sub, reason);
	sip_subscription_forget(sub);
	sip_subscription_destroy(sub);
}

size_t sip_event_end_resource(struct sip_events *events, const char *package, struct slice resource,
			      const char *reason)
{
	struct map_node *node = map_get(&events->by_resource, resource), *next;
	size_t count = 0;

	for (; node; node = next) {
		struct sip_subscription *sub = MAP_ENTRY(node, struct sip_subscription, node);

		next = map_next_same(node);
		if (package && strcmp(package, sub->package->is->name) != 0)
			continue;
		sip_subscription_end(sub, reason);
		count++;
	}
	return count;
}

struct slice sip_subscription_resource(const struct sip_subscription *sub)
{
	return sub->resource;
}

struct slice sip_subscription_watcher(const struct sip_subscription *sub)
{
	return sub->watcher;
}

struct slice sip_subscription_event_id(const struct sip_subscription *sub)
{
	return sub->event_id;
}

const char *sip_subscription_package(const struct sip_subscription *sub)
{
	return sub->package->is->name;
}

struct slice sip_subscription_accept(const struct sip_subscription *sub)
{
	return sub->accept;
}

uint32_t sip_subscription_version(struct sip_subscription *sub)
{
	return sub->version;
}

void *sip_subscription_user(const struct sip_subscription *sub)
{
	return sub->user;
}

void sip_subscription_set_user(struct sip_subscription *sub, void *user)
{
	sub->user = user;
}

size_t sip_events_count(const struct sip_events *events)
{
	return events->by_resource.count;
}

bool sip_events_watched(const struct sip_events *events, const char *package, struct slice resource)
{
	struct map_node *node = map_get(&events->by_resource, resource);

	for (; node; node = map_next_same(node))
		if (strcmp(MAP_ENTRY(node, struct sip_subscription, node)->package->is->name,
			   package) == 0)
			return true;
	return false;
}

void sip_events_walk(const struct sip_events *events,
		     void (*fn)(void *user, const struct sip_subscription *sub), void *user)
{
	struct sip_subscription *sub;

	LIST_FOREACH (sub, &events->all, struct sip_subscription, link)
		fn(user, sub);
}

uint64_t sip_subscription_expires_in_ms(const struct sip_subscription *sub)
{
	uint64_t now = sub->events->stack->timers->now_ms;

	return sub->expires_at > now ? sub->expires_at - now : 0;
}
