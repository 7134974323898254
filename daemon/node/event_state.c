/* SPDX-License-Identifier: Apache-2.0 */
/* event_state.c - see event_state.h. Rows are JSON: a subscription under its own tag, a publication under
 * the name that it has for ever. */
#include "node/event_state.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json_field.h"
#include "base/log.h"
#include "base/loop.h"
#include "net/addr.h"
#include "node/node.h"
#include "node/state_journal.h"
#include "node/uc_model.h"
#include "stack/sip/sip_event_keep.h"

#define KIND_SUBSCRIPTION "subscription"

static int64_t wall_ms(const struct event_state *state)
{
	return clock_wall(loop_clock(node_loop(state->node)));
}

static uint64_t left_ms(const struct event_state *state, int64_t expires_ms)
{
	int64_t left = expires_ms - wall_ms(state);

	return left > 0 ? (uint64_t)left : 0;
}

/* Is that still somebody? */
static bool is_known(const struct event_state *state, struct slice handle)
{
	return uc_user_by_handle(node_model(state->node), handle.p, handle.len) != NULL;
}

static void put(struct event_state *state, const char *kind, struct slice id, json_t *json,
		uint64_t expires_in_ms)
{
	AUTO(str) char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int r = text ? state_put(node_state(state->node), kind, id, slice_str(text),
				 wall_ms(state) + (int64_t)expires_in_ms)
		     : -ENOMEM;

	json_decref(json);
	if (r < 0)
		log_failure(LOG_LEVEL_WARNING, "event.journal", r, NULL);
}

static void drop(struct event_state *state, const char *kind, struct slice id)
{
	int r = state_delete(node_state(state->node), kind, id);

	if (r < 0)
		log_failure(LOG_LEVEL_WARNING, "event.journal", r, NULL);
}

static struct slice text_of(const json_t *json, const char *key)
{
	const json_t *value = json_object_get(json, key);

	return slice_make(json_string_value(value), json_string_length(value));
}

static int64_t number_of(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

static uint32_t u32_of(const json_t *json, const char *key)
{
	int64_t value = number_of(json, key);

	return value >= 0 && value <= UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* Subscriptions ---------------------------------------------------------------------------------- */
#define TEXT(slice) (slice).p, (slice).len

static void keep_subscription(void *user, struct slice id, const struct sip_subscription_kept *k)
{
	struct event_state *state = user;
	char source[ADDR_TEXT_MAX];

	if (!state_wanted(node_state(state->node)))
		return;
	put(state, KIND_SUBSCRIPTION, id,
	    json_pack("{s:s%,s:s%,s:s%,s:s%,s:s%,s:s%,s:s%,s:s%,s:s%,s:s%,s:s%,s:s%,s:s%,"
		      "s:I,s:I,s:I,s:b,s:i,s:s}",
		      "package", TEXT(k->package), "resource", TEXT(k->resource), "watcher",
		      TEXT(k->watcher), "event_id", TEXT(k->event_id), "accept", TEXT(k->accept),
		      "call_id", TEXT(k->call_id), "local_tag", TEXT(k->local_tag), "remote_tag",
		      TEXT(k->remote_tag), "local", TEXT(k->local), "remote", TEXT(k->remote),
		      "target", TEXT(k->target), "routes", TEXT(k->routes), "contact",
		      TEXT(k->contact), "local_cseq", (json_int_t)k->local_cseq, "remote_cseq",
		      (json_int_t)k->remote_cseq, "version", (json_int_t)k->version, "pending",
		      k->pending, "transport", (int)k->transport, "source",
		      addr_format(&k->source, source)),
	    k->expires_in_ms);
}

static void forget_subscription(void *user, struct slice id)
{
	drop(user, KIND_SUBSCRIPTION, id);
}

static const struct sip_events_keeper events_keeper = { .keep = keep_subscription,
							.forget = forget_subscription };

static int load_subscription(void *user, struct slice key, struct slice value, int64_t expires_ms)
{
	struct event_state *state = user;
	json_t *json = json_loadb(value.p, value.len, 0, NULL);
	struct sip_subscription_kept k = { .package = text_of(json, "package"),
					   .resource = text_of(json, "resource"),
					   .watcher = text_of(json, "watcher"),
					   .event_id = text_of(json, "event_id"),
					   .accept = text_of(json, "accept"),
					   .call_id = text_of(json, "call_id"),
					   .local_tag = text_of(json, "local_tag"),
					   .remote_tag = text_of(json, "remote_tag"),
					   .local = text_of(json, "local"),
					   .remote = text_of(json, "remote"),
					   .target = text_of(json, "target"),
					   .routes = text_of(json, "routes"),
					   .contact = text_of(json, "contact"),
					   .local_cseq = u32_of(json, "local_cseq"),
					   .remote_cseq = u32_of(json, "remote_cseq"),
					   .version = u32_of(json, "version"),
					   .pending =
						   json_is_true(json_object_get(json, "pending")),
					   .transport =
						   (enum sip_transport)u32_of(json, "transport"),
					   .expires_in_ms = left_ms(state, expires_ms) };
	int r = addr_parse(text_of(json, "source"), 0, &k.source);

	if (r == 0 && !is_known(state, k.resource))
		r = -ENOENT;
	if (r == 0)
		r = sip_events_restore(state->events, &k);
	if (r < 0)
		drop(state, KIND_SUBSCRIPTION, key);
	json_decref(json);
	return 0;
}

int event_state_subscriptions(struct event_state *state, struct node *node,
			      struct sip_events *events, struct error *err)
{
	int r;

	*state = (struct event_state){ .node = node, .kind = KIND_SUBSCRIPTION };
	state->events = events;
	sip_events_set_keeper(events, &events_keeper, state);
	r = state_load(node_state(node), KIND_SUBSCRIPTION, load_subscription, state, err);
	if (r >= 0)
		sip_events_resume(events);
	return r;
}

/* Publications ----------------------------------------------------------------------------------- */
static void keep_publication(void *user, struct slice id, const struct sip_publication_kept *k)
{
	struct event_state *state = user;

	if (state_wanted(node_state(state->node)))
		put(state, state->kind, id,
		    json_pack("{s:s%,s:s%,s:s%,s:I}", "resource", TEXT(k->resource), "etag",
			      TEXT(k->etag), "body", TEXT(k->body), "order", (json_int_t)k->order),
		    k->expires_in_ms);
}

static void forget_publication(void *user, struct slice id)
{
	struct event_state *state = user;

	drop(state, state->kind, id);
}

static const struct sip_publications_keeper publications_keeper = { .keep = keep_publication,
								    .forget = forget_publication };

static int load_publication(void *user, struct slice key, struct slice value, int64_t expires_ms)
{
	struct event_state *state = user;
	json_t *json = json_loadb(value.p, value.len, 0, NULL);
	const struct sip_publication_kept k = { .resource = text_of(json, "resource"),
						.etag = text_of(json, "etag"),
						.body = text_of(json, "body"),
						.order = (uint64_t)number_of(json, "order"),
						.expires_in_ms = left_ms(state, expires_ms) };
	int r = is_known(state, k.resource) ? 0 : -ENOENT;

	if (r == 0)
		r = sip_publications_restore(state->publications, key, &k);
	if (r < 0)
		drop(state, state->kind, key);
	json_decref(json);
	return 0;
}

int event_state_publications(struct event_state *state, struct node *node, const char *kind,
			     struct sip_publications *publications, struct error *err)
{
	*state = (struct event_state){ .node = node, .kind = kind };
	state->publications = publications;
	sip_publications_set_keeper(publications, &publications_keeper, state);
	return state_load(node_state(node), kind, load_publication, state, err);
}
