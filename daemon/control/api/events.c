/* SPDX-License-Identifier: Apache-2.0 */
/* events.c - /events and /events/stream: what happened, and what happens. */
#include "base/job.h"
#include "base/loop.h"
#include "base/slice.h"
#include "control/api/api_private.h"
#include "control/api/trace_follow.h"
#include "control/task/event.h"
#include "http/sse.h"

#include <stdio.h>

enum { OWNERS_MAX = 512, CHECK_MS = 2000, BACKLOG_MAX = 4000, BACKLOG_BYTES = 2 << 20 };

/* clang-format off */
static const struct { const char *topic, *permission; } topics[] = {
	{ "admins",           "admins:read" },
	{ "alarms",           "alarms:read" },
	{ "appliance",        "appliance:read" },
	{ "audit",            "audit:read" },
	{ "tasks",            "tasks:read" },
	{ "tokens",           "admins:read" },
	{ "uc.adaptations",             "uc:read" },
	{ "uc.application-sequences",   "uc:read" },
	{ "uc.calls",                   "uc:read" },
	{ "uc.dial-patterns",           "uc:read" },
	{ "uc.domains",                 "uc:read" },
	{ "uc.entity-links",            "uc:read" },
	{ "uc.firewall",                "uc:read" },
	{ "uc.firewall-rules",          "uc:read" },
	{ "uc.implicit-users",          "uc:read" },
	{ "uc.import",                  "uc:read" },
	{ "uc.locations",               "uc:read" },
	{ "uc.registrations",           "uc:read" },
	{ "uc.regular-expressions",     "uc:read" },
	{ "uc.routing-policies",        "uc:read" },
	{ "uc.settings",                "uc:read" },
	{ "uc.sip-entities",            "uc:read" },
	{ "uc.time-ranges",             "uc:read" },
	{ "uc.users",                   "uc:read" },
	{ "vms",              "vms:read" },
};
/* clang-format on */

/* The topics asked for (all by default) that the actor may read; out has room for all and NULL. */
static int wanted_topics(const struct http_request *req, const char **out, struct error *err)
{
	const char *asked = http_query(req, "topics");
	bool named[ARRAY_SIZE(topics)] = { false };
	size_t n = 0;

	if (asked) {
		struct slice rest = slice_str(asked);

		while (rest.len > 0) {
			struct slice topic = slice_take_until(&rest, ',', NULL);
			size_t i = 0;

			while (i < ARRAY_SIZE(topics) && !slice_eq_str(topic, topics[i].topic))
				i++;
			if (i == ARRAY_SIZE(topics))
				return error_field(err, -EINVAL, "topics",
						   "there is no topic '%.*s'", SLICE_ARG(topic));
			named[i] = true;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
		if ((!asked || named[i]) && actor_may(api_actor(req), topics[i].permission))
			out[n++] = topics[i].topic;
	}
	out[n] = NULL;
	return 0;
}

int events_list(struct api *api, const struct http_request *req, struct http_reply *reply,
		struct error *err)
{
	const char *wanted[ARRAY_SIZE(topics) + 1];
	AUTO_LISTING query = { 0 };
	AUTO_LISTING_PAGE page = { 0 };
	int r = http_listing_read(req, &event_listing, &query, err);

	if (r == 0)
		r = wanted_topics(req, wanted, err);
	if (r == 0)
		r = event_list(api->config.events, wanted, &query, &page, err);
	return r < 0 ? r : api_reply_page(&query, &page, reply, err);
}

/* What the client missed, out of the database. */
struct backlog {
	const char *const *topics;
	struct sse_event *event;
	size_t count, size, bytes;
	uint64_t last;
	bool failed;
};

static void backlog_add(void *user, const struct event *event)
{
	struct backlog *b = user;
	const char *const *topic = b->topics;

	b->last = event->id;
	while (*topic && strcmp(*topic, event->topic) != 0)
		topic++;
	if (!*topic)
		return;
	if (b->count == b->size) {
		size_t size = b->size ? 2 * b->size : 64;
		struct sse_event *grown = realloc(b->event, size * sizeof(*grown));

		if (!grown) {
			b->failed = true;
			return;
		}
		b->event = grown;
		b->size = size;
	}
	b->event[b->count] = (struct sse_event){ .id = event->id,
						 .topic = *topic,
						 .type = strdup(event->type),
						 .data = strdup(event->text) };
	if (!b->event[b->count].type || !b->event[b->count].data)
		b->failed = true;
	b->bytes += strlen(event->text) + strlen(event->type) + 64;
	b->count++;
}

static void backlog_done(struct backlog *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free((char *)b->event[i].type);
		free((char *)b->event[i].data);
	}
	free(b->event);
}

/* Where to begin: after Last-Event-ID (or ?since=), else now. */
static int start_id(const struct http_request *req, bool *given, uint64_t *ret, struct error *err)
{
	const char *text = http_header(req, "Last-Event-ID");

	if (!text)
		text = http_query(req, "since");
	*given = text && *text;
	if (*given && slice_to_u64(slice_str(text), ret) < 0)
		return error_field(err, -EINVAL, "since", "is no event id");
	return 0;
}

static int fill_backlog(struct api *api, struct sse_subscription *sub, struct backlog *b,
			struct error *err)
{
	uint64_t before, newest;
	bool given = sub->after != UINT64_MAX;
	int r = event_range(api->config.events, &before, &newest, err);

	if (r < 0)
		return r;
	if (!given || sub->after < before || sub->after > newest) {
		sub->reset = given;
		sub->after = newest;
		return 0;
	}
	b->last = sub->after;
	do {
		r = event_after(api->config.events, b->last, backlog_add, b, err);
		if (b->failed)
			r = error_set(err, -ENOMEM, "no memory for events");
	} while (r == EVENT_BATCH && b->count < BACKLOG_MAX && b->bytes < BACKLOG_BYTES);
	if (r < 0)
		return r;
	if (r == EVENT_BATCH ||
	    b->bytes > BACKLOG_BYTES) { /* so far behind that reading everything anew is cheaper */
		backlog_done(b);
		*b = (struct backlog){ .topics = b->topics };
		sub->reset = true;
		sub->after = newest;
		return 0;
	}
	sub->after = b->last;
	sub->backlog = b->event;
	sub->backlog_count = b->count;
	return 0;
}

void api_stream_owner(const struct http_request *req, char *owner)
{
	const struct actor *actor = api_actor(req);

	(void)snprintf(owner, SSE_OWNER_SIZE, "%s/%s", actor->session_id, role_name(actor->role));
}

int events_stream(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	static const char *const known[] = { "topics", "since", NULL };
	const char *wanted[ARRAY_SIZE(topics) + 1];
	struct sse_subscription sub = { .topics = wanted, .after = UINT64_MAX };
	struct backlog backlog = { .topics = wanted };
	struct http_stream_source *source = NULL;
	char owner[SSE_OWNER_SIZE];
	bool given;
	int r = http_query_only(req, known, err);

	if (r == 0)
		r = wanted_topics(req, wanted, err);
	if (r == 0)
		r = start_id(req, &given, &sub.after, err);
	if (r == 0)
		r = fill_backlog(api, &sub, &backlog, err);
	if (r == 0) {
		api_stream_owner(req, owner);
		sub.owner = owner;
		r = sse_subscribe(api->hub, &sub, &source, err);
	}
	backlog_done(&backlog);
	return r < 0 ? r : reply_stream(reply, source, err);
}

static void check_hub(struct api *api, struct sse_hub *hub)
{
	char(*owners)[SSE_OWNER_SIZE] = calloc(OWNERS_MAX, sizeof(*owners));
	bool *alive = calloc(OWNERS_MAX, sizeof(*alive));
	size_t n = owners ? sse_owners(hub, owners, OWNERS_MAX) : 0;

	if (n > OWNERS_MAX)
		n = OWNERS_MAX;
	if (n > 0 && alive &&
	    auth_alive(api->config.auth, (const char(*)[48])owners, n, alive, NULL) == 0) {
		for (size_t i = 0; i < n; i++) {
			if (!alive[i])
				sse_close_owner(hub, owners[i]);
		}
	}
	free(owners);
	free(alive);
}

static void check_owners(void *user)
{
	struct api *api = user;

	check_hub(api, api->hub);
	if (api->follow)
		check_hub(api, trace_follow_hub(api->follow));
	atomic_store(&api->checking, false);
}

void api_streams_check(struct timer *timer)
{
	struct api *api = CONTAINER_OF(timer, struct api, alive_timer);

	if (!atomic_exchange(&api->checking, true) &&
	    job_submit(api->config.workers, check_owners, NULL, api) < 0)
		atomic_store(&api->checking, false);
	loop_timer_start(api->config.loop, &api->alive_timer, CHECK_MS, api_streams_check);
}
