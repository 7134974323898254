/* SPDX-License-Identifier: Apache-2.0 */
/* notifier.c - the event packages that sm itself serves, see notifier.h. */
#include "sm/notifier.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/map.h"
#include "codec/event/dialog_info.h"
#include "codec/event/message_summary.h"
#include "codec/event/reginfo.h"
#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"
#include "node/event_state.h"
#include "node/metrics.h"
#include "node/uc_model.h"
#include "sm/sm.h"
#include "sm/sm_options.h"
#include "stack/sip/sip_event.h"
#include "stack/sip/sip_publication.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

#define REG "reg"
#define DIALOG "dialog"
#define SUMMARY "message-summary"

/* A REGISTER changes several bindings; its watchers are told once, after the last. */
#define GATHER_MS 5
/* Contacts that ended are shown this long, so that every watcher sees how. */
#define ENDED_SHOWN_MS 10000
#define ENDED_KEPT 256

struct ended { /* a contact that is gone */
	struct slice handle, uri;
	uint64_t id;
	enum location_event how;
	uint64_t at_ms;
	char *text;
};

struct dirty { /* a user whose watchers are still to be told */
	struct map_node node;
	char handle[];
};

struct notifier {
	struct sm *sm;
	struct sip_events *events;
	struct sip_publications *dialogs;
	struct sip_publications *summaries;
	struct event_state kept_events, kept_dialogs, kept_summaries;
	struct map dirty;
	struct timer gather;
	struct ended ended[ENDED_KEPT]; /* a ring */
	size_t next_ended;
};

static void gauges(struct notifier *n)
{
	metric_set(n->sm->metrics, SM_SUBSCRIPTIONS, (int64_t)sip_events_count(n->events));
}

static void write_aor(const struct notifier *n, struct slice handle, struct buf *out)
{
	buf_add_str(out, "sip:");
	(void)sip_escape_user(out, handle);
	buf_add_char(out, '@');
	buf_add_slice(out, sm_domain(n->sm));
}

/* reg ------------------------------------------------------------------------------------------ */
static const char *ended_event(enum location_event how)
{
	switch (how) {
	case LOCATION_EXPIRED:
		return "expired";
	case LOCATION_REPLACED:
		return "rejected"; /* "deactivated" would make it register again, and so on */
	default:
		return "unregistered";
	}
}

static void add_ended(const struct notifier *n, struct slice handle, struct buf *out)
{
	uint64_t now = sm_now_ms(n->sm);

	for (size_t i = 0; i < ENDED_KEPT; i++) {
		const struct ended *e = &n->ended[i];
		struct reginfo_contact contact = { .id = e->id, .q = 1000, .uri = e->uri };

		if (!e->text || !slice_eq(e->handle, handle) || e->at_ms + ENDED_SHOWN_MS < now)
			continue;
		contact.event = ended_event(e->how);
		reginfo_add(out, &contact);
	}
}

static void reg_body(void *user, struct sip_subscription *sub, struct buf *out)
{
	struct notifier *n = user;
	struct slice handle = sip_subscription_resource(sub);
	const struct list *bindings = location_of(n->sm->location, handle);
	int64_t now = sm_wall_ms(n->sm);
	const struct binding *b;
	AUTO_BUF aor = { 0 };

	write_aor(n, handle, &aor);
	reginfo_begin(out, sip_subscription_version(sub), buf_slice(&aor), bindings != NULL);
	if (bindings)
		LIST_FOREACH (b, bindings, struct binding, link) {
			int64_t left = (b->expires_ms - now + 500) / 1000;
			struct reginfo_contact contact = { .id = b->id,
							   .active = true,
							   .event = "registered",
							   .expires_s =
								   left > 0 ? (uint32_t)left : 0,
							   .q = b->q,
							   .uri = slice_str(b->uri),
							   .call_id = slice_str(b->call_id),
							   .cseq = b->cseq,
							   .instance = slice_str(b->instance) };

			reginfo_add(out, &contact);
		}
	add_ended(n, handle, out);
	reginfo_end(out);
}

static void remember_ended(struct notifier *n, enum location_event how, const char *handle,
			   const struct binding *b)
{
	struct ended *e = &n->ended[n->next_ended];
	struct slice who = slice_str(handle), uri = slice_str(b->uri);
	char *text = malloc(who.len + uri.len + 1);

	if (!text)
		return;
	memcpy(text, who.p, who.len);
	memcpy(text + who.len, uri.p, uri.len);
	free(e->text);
	*e = (struct ended){ .handle = slice_make(text, who.len),
			     .uri = slice_make(text + who.len, uri.len),
			     .id = b->id,
			     .how = how,
			     .at_ms = sm_now_ms(n->sm),
			     .text = text };
	n->next_ended = (n->next_ended + 1) % ENDED_KEPT;
}

static void tell_gathered(struct timer *timer)
{
	struct notifier *n = CONTAINER_OF(timer, struct notifier, gather);
	struct map_node *node;
	struct map_iter it;

	MAP_FOREACH (node, &n->dirty, &it) {
		struct dirty *d = MAP_ENTRY(node, struct dirty, node);

		map_remove(&n->dirty, node);
		(void)sip_event_notify(n->events, REG, slice_str(d->handle));
		free(d);
	}
	gauges(n);
}

void notifier_binding(struct notifier *n, enum location_event event, const char *handle,
		      const struct binding *binding)
{
	struct slice key = slice_str(handle);
	struct dirty *d;

	if (!n || event == LOCATION_REFRESHED || !sip_events_watched(n->events, REG, key))
		return;
	if (event != LOCATION_ADDED)
		remember_ended(n, event, handle, binding);
	if (map_get(&n->dirty, key))
		return;
	d = calloc(1, sizeof(*d) + key.len + 1);
	if (!d)
		return;
	memcpy(d->handle, key.p, key.len);
	if (map_add(&n->dirty, &d->node, slice_make(d->handle, key.len)) < 0) {
		free(d);
		return;
	}
	if (!timer_active(&n->gather))
		loop_timer_start(n->sm->loop, &n->gather, GATHER_MS, tell_gathered);
}

/* dialog, message-summary ------------------------------------------------------------------------ */
static void dialog_body(void *user, struct sip_subscription *sub, struct buf *out)
{
	struct notifier *n = user;
	struct slice handle = sip_subscription_resource(sub);
	AUTO(dialog_info) struct dialog_info *info = NULL;
	const struct sip_publication *pub;
	AUTO_BUF entity = { 0 };

	write_aor(n, handle, &entity);
	if (dialog_info_new(buf_slice(&entity), sip_subscription_version(sub), &info) < 0)
		return;
	for (pub = sip_publication_first(n->dialogs, handle); pub;
	     pub = sip_publication_next(n->dialogs, pub))
		(void)dialog_info_add(info, sip_publication_body(pub));
	(void)dialog_info_write(info, out);
}

static int dialog_check(void *user, struct slice resource, struct slice body)
{
	(void)user;
	(void)resource;
	return dialog_info_check(body);
}

static void dialog_changed(void *user, struct slice resource)
{
	struct notifier *n = user;

	(void)sip_event_notify(n->events, DIALOG, resource);
	gauges(n);
}

/* One mailbox speaks for a user: the newest document is the state. */
static void summary_body(void *user, struct sip_subscription *sub, struct buf *out)
{
	const struct notifier *n = user;
	const struct sip_publication *pub =
		sip_publication_first(n->summaries, sip_subscription_resource(sub));

	if (pub)
		buf_add_slice(out, sip_publication_body(pub));
	else
		buf_add_str(out, MESSAGE_SUMMARY_NONE);
}

static int summary_check(void *user, struct slice resource, struct slice body)
{
	(void)user;
	(void)resource;
	return message_summary_check(body, NULL);
}

static void summary_changed(void *user, struct slice resource)
{
	struct notifier *n = user;

	(void)sip_event_notify(n->events, SUMMARY, resource);
	gauges(n);
}

/* Requests --------------------------------------------------------------------------------------- */
struct slice notifier_packages(void)
{
	return SLICE(REG ", " DIALOG ", " SUMMARY);
}

static bool read_event(struct slice value, struct sip_event *ret)
{
	return value.p && sip_event_parse(value, ret) == 0;
}

bool notifier_serves(const struct notifier *n, struct slice event)
{
	struct sip_event e;

	(void)n;
	return read_event(event, &e) &&
	       (slice_eq_str_nocase(e.type, REG) || slice_eq_str_nocase(e.type, DIALOG) ||
		slice_eq_str_nocase(e.type, SUMMARY));
}

/* Through a transaction: the credentials are used up, a copy of the request must not be challenged. */
static void refuse(struct notifier *n, const struct sip_incoming *in, unsigned status,
		   struct slice headers)
{
	const struct sip_extra extra = { .headers = headers };
	struct sip_server_txn *txn;

	if (sip_server_txn_new(n->sm->stack, in, NULL, NULL, &txn) == 0)
		sip_server_txn_reply(txn, status, &extra);
	else
		sip_stack_reply(n->sm->stack, in, 503, NULL);
}

/* One's own state, or over a trusted link; dialogs of others where that is switched on. */
static bool may_watch(const struct notifier *n, const struct sip_event *event,
		      const struct notifier_request *rq)
{
	if (rq->trusted || rq->asker == rq->owner)
		return true;
	return rq->asker && slice_eq_str_nocase(event->type, DIALOG) &&
	       n->sm->options->dialog_watch == DIALOG_WATCH_USERS;
}

static void publish(struct notifier *n, const struct sip_incoming *in,
		    const struct sip_event *event, const struct notifier_request *rq)
{
	struct slice handle = slice_str(rq->owner->handle);

	if (slice_eq_str_nocase(event->type, REG))
		refuse(n, in, 489, SLICE("Allow-Events: " DIALOG ", " SUMMARY "\r\n"));
	else if (!rq->trusted)
		refuse(n, in, 403, SLICE("")); /* what a phone does cm knows better */
	else if (slice_eq_str_nocase(event->type, DIALOG))
		sip_publication_serve(n->dialogs, in, handle);
	else
		sip_publication_serve(n->summaries, in, handle);
}

void notifier_request(struct notifier *n, const struct sip_incoming *in,
		      const struct notifier_request *rq)
{
	struct sip_event event;

	if (!read_event(sip_msg_value(in->msg, SIP_HDR_EVENT), &event))
		refuse(n, in, 400, SLICE(""));
	else if (!rq->owner)
		refuse(n, in, 404, SLICE(""));
	else if (in->msg->method == SIP_PUBLISH)
		publish(n, in, &event, rq);
	else if (!may_watch(n, &event, rq))
		refuse(n, in, 403, SLICE(""));
	else
		sip_event_subscribe(n->events, in, slice_str(rq->owner->handle), false);
	gauges(n);
}

/* Life ------------------------------------------------------------------------------------------- */
static void ended(void *user, struct sip_subscription *sub, const char *reason)
{
	(void)sub;
	(void)reason;
	gauges(user);
}

static int add_packages(struct notifier *n)
{
	static const struct sip_event_package packages[] = {
		{ .name = REG,
		  .content_type = REGINFO_CONTENT_TYPE,
		  .body = reg_body,
		  .ended = ended },
		{ .name = DIALOG,
		  .content_type = DIALOG_INFO_CONTENT_TYPE,
		  .body = dialog_body,
		  .ended = ended },
		{ .name = SUMMARY,
		  .content_type = MESSAGE_SUMMARY_CONTENT_TYPE,
		  .body = summary_body,
		  .ended = ended },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(packages) && r == 0; i++)
		r = sip_events_add(n->events, &packages[i], n);
	return r;
}

static int add_publications(struct notifier *n, struct error *err)
{
	const struct sip_publications_config dialogs = { .event = DIALOG,
							 .content_type = DIALOG_INFO_CONTENT_TYPE,
							 .check = dialog_check,
							 .changed = dialog_changed,
							 .one_source = true,
							 .user = n };
	const struct sip_publications_config summaries = { .event = SUMMARY,
							   .content_type =
								   MESSAGE_SUMMARY_CONTENT_TYPE,
							   .check = summary_check,
							   .changed = summary_changed,
							   .one_source = true,
							   .user = n };
	int r = sip_publications_new(n->sm->stack, &dialogs, &n->dialogs, err);

	return r < 0 ? r : sip_publications_new(n->sm->stack, &summaries, &n->summaries, err);
}

int notifier_new(struct sm *sm, struct notifier **ret, struct error *err)
{
	struct notifier *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return error_set(err, -ENOMEM, "no memory for subscriptions");
	n->sm = sm;
	map_init(&n->dirty);
	r = sip_events_new(sm->stack, NULL, &n->events, err);
	if (r == 0)
		r = add_packages(n);
	if (r == 0)
		r = add_publications(n, err);
	if (r < 0) {
		notifier_free(n);
		return r;
	}
	*ret = n;
	return 0;
}

int notifier_load(struct notifier *n, struct error *err)
{
	struct node *node = n->sm->node;
	int r = event_state_publications(&n->kept_dialogs, node, "publication.dialog", n->dialogs,
					 err);

	if (r >= 0)
		r = event_state_publications(&n->kept_summaries, node,
					     "publication.message-summary", n->summaries, err);
	if (r >= 0)
		r = event_state_subscriptions(&n->kept_events, node, n->events, err);
	gauges(n);
	return r;
}

struct notifier *notifier_free(struct notifier *n)
{
	struct map_node *node;
	struct map_iter it;

	if (!n)
		return NULL;
	loop_timer_stop(n->sm->loop, &n->gather);
	sip_publications_free(n->dialogs);
	sip_publications_free(n->summaries);
	sip_events_free(n->events);
	MAP_FOREACH (node, &n->dirty, &it)
		free(MAP_ENTRY(node, struct dirty, node));
	map_done(&n->dirty);
	for (size_t i = 0; i < ENDED_KEPT; i++)
		free(n->ended[i].text);
	free(n);
	return NULL;
}

void notifier_model_changed(struct notifier *n, const struct uc_model *old,
			    const struct uc_model *now)
{
	for (size_t i = 0; i < uc_user_count(old); i++) {
		const char *handle = uc_user_at(old, i)->handle;
		struct slice key = slice_str(handle);

		if (uc_user_by_handle(now, handle, key.len))
			continue;
		(void)sip_event_end_resource(n->events, NULL, key, "noresource");
		(void)sip_publication_forget(n->dialogs, key);
		(void)sip_publication_forget(n->summaries, key);
	}
	gauges(n);
}

size_t notifier_count(const struct notifier *n)
{
	return sip_events_count(n->events);
}

static void add_item(void *user, const struct sip_subscription *sub)
{
	struct slice handle = sip_subscription_resource(sub);
	struct slice watcher = sip_subscription_watcher(sub);

	json_array_append_new(user,
			      json_pack("{s:s%,s:s,s:s%,s:I}", "handle", handle.p, handle.len,
					"package", sip_subscription_package(sub), "watcher",
					watcher.p, watcher.len, "expires_in_s",
					(json_int_t)(sip_subscription_expires_in_ms(sub) / 1000)));
}

json_t *notifier_to_json(const struct notifier *n)
{
	json_t *items = json_array();

	if (items)
		sip_events_walk(n->events, add_item, items);
	return items;
}
