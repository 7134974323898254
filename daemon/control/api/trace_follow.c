/* SPDX-License-Identifier: Apache-2.0 */
/* trace_follow.c - one job a turn asks the nodes for each follower's messages, with its own filter,
 * and publishes them under the follower's own topic. */
#include "control/api/trace_follow.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/job.h"
#include "base/json_field.h"
#include "base/loop.h"
#include "base/timer.h"
#include "control/uc/uc_ladder.h"
#include "control/uc/uc_trace.h"
#include "http/sse.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	TURN_MS = 250,
	RECENT = 300,	    /* messages kept to know who an address is */
	GRACE_MS = 10000,   /* until the answer's stream must be there */
	ENTITIES_MS = 5000, /* what sm says of them is asked again after that */
	BACK_US = 200000,   /* "from now": guests' clocks and the request itself take time */
	FILTER_TEXTS = 6,
};

struct follower {
	char topic[24];
	struct uc_trace_filter filter; /* its texts are copies, see text */
	char *text[FILTER_TEXTS];
	json_t *recent;
	uint64_t born_ms;
};

struct trace_follow {
	struct trace_follow_config config;
	struct sse_hub *hub;
	struct timer timer;
	atomic_bool polling, stopping;
	pthread_mutex_t lock;			    /* of slot, serial and last_id */
	struct follower *slot[TRACE_FOLLOWERS_MAX]; /* a follower itself is the job's alone */
	uint64_t serial, last_id;
	json_t *entities; /* the job's */
	uint64_t entities_ms;
};

static struct follower *follower_free(struct follower *f)
{
	if (!f)
		return NULL;
	for (size_t i = 0; i < FILTER_TEXTS; i++)
		free(f->text[i]);
	json_decref(f->recent);
	free(f);
	return NULL;
}
DEFINE_AUTO(follower)

static int follower_new(const struct uc_trace_filter *filter, struct follower **ret)
{
	AUTO(follower) struct follower *f = calloc(1, sizeof(*f));
	const char **texts[FILTER_TEXTS];

	if (!f)
		return -ENOMEM;
	f->filter = *filter;
	f->filter.oldest = true;
	f->filter.limit = UC_TRACE_MAX;
	if (f->filter.from_us == 0)
		f->filter.from_us = clock_wall_us() - BACK_US;
	f->recent = json_array();
	f->born_ms = clock_now(clock_system());
	texts[0] = &f->filter.node;
	texts[1] = &f->filter.user;
	texts[2] = &f->filter.call_id;
	texts[3] = &f->filter.gsid;
	texts[4] = &f->filter.address;
	texts[5] = &f->filter.text;
	for (size_t i = 0; i < FILTER_TEXTS; i++) {
		if (!*texts[i])
			continue;
		f->text[i] = strdup(*texts[i]);
		if (!f->text[i])
			return -ENOMEM;
		*texts[i] = f->text[i];
	}
	*ret = TAKE(f);
	return 0;
}

/* The job --------------------------------------------------------------------------------------- */
static void publish(struct trace_follow *t, const struct follower *f, const char *type,
		    const json_t *data, int64_t at_us)
{
	AUTO(str) char *text = json_text(data);
	struct sse_event event = { .topic = f->topic, .type = type, .data = text };

	if (!text)
		return;
	(void)pthread_mutex_lock(&t->lock);
	t->last_id = at_us > 0 && (uint64_t)at_us > t->last_id ? (uint64_t)at_us : t->last_id + 1;
	event.id = t->last_id;
	(void)pthread_mutex_unlock(&t->lock);
	(void)sse_publish(t->hub, &event);
}

static const json_t *entities(struct trace_follow *t)
{
	uint64_t now = clock_now(clock_system());

	if (!t->entities || now - t->entities_ms > ENTITIES_MS) {
		json_decref(t->entities);
		t->entities = uc_trace_entities(t->config.uc);
		t->entities_ms = now;
	}
	return t->entities;
}

/* Name the new messages by what was seen before, and remember them for the next. */
static int name_items(struct trace_follow *t, struct follower *f, json_t *items)
{
	size_t count;

	if (json_array_extend(f->recent, items) < 0 || uc_ladder_name(f->recent, entities(t)) < 0)
		return -ENOMEM;
	count = json_array_size(f->recent);
	for (size_t i = RECENT; i < count; i++)
		(void)json_array_remove(f->recent, 0);
	return 0;
}

static void note_gaps(struct trace_follow *t, struct follower *f, const struct uc_trace *trace)
{
	for (size_t i = 0; i < UC_NODES; i++) {
		const char *node = uc_trace_node(i);
		AUTO(json) json_t *data = NULL;

		if (!trace->answered[i])
			continue;
		if (f->filter.after[i] && trace->oldest[i] > f->filter.after[i] + 1) {
			data = json_pack("{s:s}", "node", node);
			publish(t, f, "trace.gap", data, 0);
		}
		/* a node that began anew counts from 1 again */
		f->filter.after[i] = trace->newest[i] < f->filter.after[i] ? 0 : trace->next[i];
	}
}

static void poll_one(struct trace_follow *t, struct follower *f)
{
	AUTO_UC_TRACE trace = { 0 };
	struct error err = { 0 };
	json_t *item;
	size_t i;

	if (uc_trace_read(t->config.uc, &f->filter, &trace, &err) < 0)
		return; /* the nodes come back, or the listener sees that nothing comes */
	note_gaps(t, f, &trace);
	if (json_array_size(trace.items) == 0 || name_items(t, f, trace.items) < 0)
		return;
	json_array_foreach(trace.items, i, item)
		publish(t, f, "trace.message", item,
			(int64_t)json_integer_value(json_object_get(item, "at_us")));
}

static void poll_all(void *user)
{
	struct trace_follow *t = user;

	for (size_t i = 0; i < TRACE_FOLLOWERS_MAX && !atomic_load(&t->stopping); i++) {
		struct follower *f;

		(void)pthread_mutex_lock(&t->lock);
		f = t->slot[i];
		(void)pthread_mutex_unlock(&t->lock);
		if (!f)
			continue;
		if (sse_listeners(t->hub, f->topic) > 0 ||
		    clock_now(clock_system()) - f->born_ms < GRACE_MS) {
			poll_one(t, f);
			continue;
		}
		(void)pthread_mutex_lock(&t->lock);
		t->slot[i] = NULL;
		(void)pthread_mutex_unlock(&t->lock);
		(void)follower_free(f);
	}
	atomic_store(&t->polling, false);
}

static bool is_followed(struct trace_follow *t)
{
	bool followed = false;

	(void)pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < TRACE_FOLLOWERS_MAX; i++)
		followed = followed || t->slot[i];
	(void)pthread_mutex_unlock(&t->lock);
	return followed;
}

static void turn(struct timer *timer)
{
	struct trace_follow *t = CONTAINER_OF(timer, struct trace_follow, timer);

	if (is_followed(t) && !atomic_exchange(&t->polling, true) &&
	    job_submit(t->config.workers, poll_all, NULL, t) < 0)
		atomic_store(&t->polling, false);
	loop_timer_start(t->config.loop, &t->timer, TURN_MS, turn);
}

/* Its life ---------------------------------------------------------------------------------------- */
int trace_follow_new(const struct trace_follow_config *config, struct trace_follow **ret,
		     struct error *err)
{
	struct trace_follow *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return error_set(err, -ENOMEM, "no memory for the trace");
	t->config = *config;
	t->last_id = (uint64_t)clock_wall_us();
	r = sse_hub_new(config->server, t->last_id, &t->hub, err);
	if (r < 0) {
		free(t);
		return r;
	}
	(void)pthread_mutex_init(&t->lock, NULL);
	loop_timer_start(config->loop, &t->timer, TURN_MS, turn);
	*ret = t;
	return 0;
}

struct trace_follow *trace_follow_stop(struct trace_follow *t)
{
	struct timespec nap = { .tv_nsec = 5000000 };

	if (!t)
		return NULL;
	loop_timer_stop(t->config.loop, &t->timer);
	atomic_store(&t->stopping, true);
	while (atomic_load(&t->polling)) /* it uses the hub, on a worker */
		(void)nanosleep(&nap, NULL);
	(void)sse_hub_free(sse_hub_hold(t->hub));
	return t;
}

struct trace_follow *trace_follow_free(struct trace_follow *t)
{
	if (!t)
		return NULL;
	t->hub = sse_hub_let_go(t->hub);
	for (size_t i = 0; i < TRACE_FOLLOWERS_MAX; i++)
		(void)follower_free(t->slot[i]);
	json_decref(t->entities);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
	return NULL;
}

struct sse_hub *trace_follow_hub(struct trace_follow *t)
{
	return t->hub;
}

/* A place for the follower, and where its stream begins. */
static int take_place(struct trace_follow *t, struct follower *f, char *topic, uint64_t *after)
{
	int r = -EUSERS;

	(void)pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < TRACE_FOLLOWERS_MAX && r < 0; i++) {
		if (t->slot[i])
			continue;
		(void)snprintf(f->topic, sizeof(f->topic), "f%llu",
			       (unsigned long long)++t->serial);
		memcpy(topic, f->topic, sizeof(f->topic));
		*after = t->last_id;
		t->slot[i] = f;
		r = 0;
	}
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

int trace_follow_add(struct trace_follow *t, const char *owner,
		     const struct uc_trace_filter *filter, struct http_stream_source **ret,
		     struct error *err)
{
	AUTO(follower) struct follower *f = NULL;
	char topic[sizeof(f->topic)];
	struct sse_subscription sub = { .owner = owner };
	int r = follower_new(filter, &f);

	if (r < 0)
		return error_set(err, r, "no memory for the trace");
	r = take_place(t, f, topic, &sub.after);
	if (r < 0)
		return error_set(err, r, "%d follow the trace already", TRACE_FOLLOWERS_MAX);
	(void)TAKE(f); /* the job's from now on */
	sub.topics = (const char *const[]){ topic, NULL };
	return sse_subscribe(t->hub, &sub, ret, err);
}
