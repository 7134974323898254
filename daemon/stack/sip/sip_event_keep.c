/* SPDX-License-Identifier: Apache-2.0 */
/* sip_event_keep.c - subscriptions over a restart, see sip_event_keep.h. */
#include "stack/sip/sip_event_keep.h"

#include "base/random.h"
#include "stack/sip/sip_dialog_private.h"
#include "stack/sip/sip_event_private.h"

/* After a start there is enough else to do, and a journal to be written. */
#define RESUME_AFTER_MS 200
#define RESUME_EVERY_MS 20
#define RESUME_AT_ONCE 20

void sip_events_set_keeper(struct sip_events *events, const struct sip_events_keeper *keeper,
			   void *user)
{
	events->keeper = keeper;
	events->keeper_user = user;
}

static uint64_t left_ms(const struct sip_subscription *sub)
{
	uint64_t now = sub->events->stack->timers->now_ms;

	return sub->expires_at > now ? sub->expires_at - now : 0;
}

void sip_subscription_keep(struct sip_subscription *sub)
{
	const struct sip_dialog *d = sub->dialog;
	const struct sip_events *ev = sub->events;
	struct sip_subscription_kept kept = { .package = slice_str(sub->package->is->name),
					      .resource = sub->resource,
					      .watcher = sub->watcher,
					      .event_id = sub->event_id,
					      .accept = sub->accept,
					      .pending = sub->pending,
					      .version = sub->version + SIP_EVENT_AHEAD,
					      .expires_in_ms = left_ms(sub) };

	if (!ev->keeper || !sub->begun)
		return;
	kept.call_id = text_slice(&d->call_id);
	kept.local_tag = text_slice(&d->local_tag);
	kept.remote_tag = text_slice(&d->remote_tag);
	kept.local = text_slice(&d->local);
	kept.remote = text_slice(&d->remote);
	kept.target = text_slice(&d->target);
	kept.routes = text_slice(&d->routes);
	kept.contact = text_slice(&d->contact);
	kept.local_cseq = d->local_cseq + SIP_EVENT_AHEAD;
	kept.remote_cseq = d->remote_cseq;
	kept.transport = d->flow.transport;
	kept.source = d->flow.remote;
	sub->kept_cseq = kept.local_cseq;
	ev->keeper->keep(ev->keeper_user, kept.local_tag, &kept);
}

void sip_subscription_number_used(struct sip_subscription *sub)
{
	if (sub->dialog->local_cseq + SIP_EVENT_AHEAD / 2 > sub->kept_cseq)
		sip_subscription_keep(sub);
}

void sip_subscription_forget(struct sip_subscription *sub)
{
	const struct sip_events *ev = sub->events;

	if (ev->keeper && sub->begun)
		ev->keeper->forget(ev->keeper_user, sip_dialog_local_tag(sub->dialog));
}

/* Putting back ---------------------------------------------------------------------------------- */
static int restore_texts(struct sip_dialog *d, const struct sip_subscription_kept *kept)
{
	int r = sip_text_set(d, &d->call_id, kept->call_id);

	if (r == 0)
		r = sip_text_set(d, &d->local_tag, kept->local_tag);
	if (r == 0)
		r = sip_text_set(d, &d->remote_tag, kept->remote_tag);
	if (r == 0)
		r = sip_text_set(d, &d->local, kept->local);
	if (r == 0)
		r = sip_text_set(d, &d->remote, kept->remote);
	if (r == 0)
		r = sip_text_set(d, &d->target, kept->target);
	if (r == 0)
		r = sip_text_set(d, &d->routes, kept->routes);
	return r < 0 ? r : sip_text_set(d, &d->contact, kept->contact);
}

static bool is_sound(const struct sip_subscription_kept *kept)
{
	struct sip_uri target;

	return kept->call_id.len > 0 && kept->local_tag.len > 0 && kept->local.len > 0 &&
	       kept->remote.len > 0 && kept->expires_in_ms > 0 &&
	       kept->expires_in_ms <= INT32_MAX && kept->local_cseq < INT32_MAX &&
	       kept->remote_cseq <= INT32_MAX && kept->transport <= SIP_TRANSPORT_WSS &&
	       sip_uri_parse(kept->target, &target) == 0;
}

int sip_events_restore(struct sip_events *events, const struct sip_subscription_kept *kept)
{
	const struct package *p = sip_events_package(events, kept->package);
	struct sip_subscription *sub;
	struct sip_dialog *d;
	int r;

	if (!p || !is_sound(kept))
		return -EINVAL;
	if (sip_dialog_find(events->stack, kept->call_id, kept->local_tag, kept->remote_tag))
		return -EEXIST;
	if (events->by_resource.count >= events->limits.subscriptions_max)
		return -EUSERS;
	r = sip_subscription_make(events, p, kept, &sub);
	if (r < 0)
		return r;
	r = sip_dialog_put_back(events->stack, &sip_subscription_dialog_handlers, sub, &d);
	if (r == 0) {
		sub->dialog = d;
		r = restore_texts(d, kept);
	}
	if (r == 0) {
		d->flow = (struct sip_flow){ .transport = kept->transport,
					     .listen = SIP_LISTEN_ANY,
					     .remote = kept->source };
		/* Killed again before the new promise is written, we begin at another place. */
		d->local_cseq = kept->local_cseq + random_below(SIP_EVENT_AHEAD / 2);
		d->first_cseq = d->remote_cseq = kept->remote_cseq;
		r = sip_dialog_link(d);
	}
	if (r < 0) {
		sip_subscription_destroy(sub);
		return r;
	}
	sub->pending = kept->pending;
	sub->version = kept->version;
	sub->begun = sub->restored = true;
	sip_subscription_expire_in(sub, kept->expires_in_ms);
	list_append(&events->resuming, &sub->resume);
	sip_subscription_keep(sub);
	return 0;
}

static void resume_some(struct timer *t)
{
	struct sip_events *ev = CONTAINER_OF(t, struct sip_events, resume);
	struct sip_subscription *sub;

	for (int i = 0; i < RESUME_AT_ONCE; i++) {
		sub = LIST_FIRST(&ev->resuming, struct sip_subscription, resume);
		if (!sub)
			return;
		list_remove(&sub->resume);
		sip_subscription_send(sub);
	}
	sip_timer(ev->stack, &ev->resume, RESUME_EVERY_MS, resume_some);
}

void sip_events_resume(struct sip_events *events)
{
	if (!list_empty(&events->resuming))
		sip_timer(events->stack, &events->resume, RESUME_AFTER_MS, resume_some);
}
