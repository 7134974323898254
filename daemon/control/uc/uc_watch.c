/* SPDX-License-Identifier: Apache-2.0 */
/* uc_watch.c - see uc_watch.h. */
#include "control/uc/uc_watch.h"

#include "base/clock.h"
#include "base/job.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/timer.h"
#include "control/task/event.h"
#include "control/uc/uc.h"
#include "control/uc/uc_diff.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN_MS 1000
#define AWAY_MS 5000
#define KEY_MS 30000
#define VERSION_SIZE 33

/* One list that is followed. Used by one job at a time. */
struct followed {
	const char *node;
	const char *path;
	const char *topic;
	const struct uc_diff_kind *kind;
	json_t *known;		    /* the last reading by key; NULL: none yet */
	char version[VERSION_SIZE]; /* the node's word for it, or "" */
	uint64_t due_ms;
};

enum { LISTS = 4 };

struct uc_watch {
	struct uc_watch_config config;
	struct timer timer;
	uint64_t key_due_ms; /* when sm is given the key of sealed passwords again */
	struct followed list[LISTS];
};

static void remember_version(struct followed *f, const json_t *body)
{
	const char *version = json_string_value(json_object_get(body, "version"));

	f->version[0] = '\0';
	if (version && strlen(version) < VERSION_SIZE &&
	    version[strspn(version, "0123456789abcdef")] == '\0')
		(void)snprintf(f->version, sizeof(f->version), "%s", version);
}

static int publish(struct uc_watch *w, const struct followed *f, const json_t *events,
		   struct error *err)
{
	AUTO(store_tx) struct store_tx *tx = NULL;
	json_t *event;
	size_t i;
	int r;

	if (json_array_size(events) == 0)
		return 0;
	r = store_tx_begin(w->config.store, false, &tx, err);
	if (r < 0)
		return r;
	json_array_foreach((json_t *)events, i, event)
	{
		r = event_add(tx, f->topic, json_string_value(json_object_get(event, "type")),
			      json_string_value(json_object_get(event, "subject")),
			      json_incref(json_object_get(event, "data")), err);
		if (r < 0)
			return r;
	}
	return store_tx_commit(tx, err);
}

/* A list that the node cut short names no item that is gone: it gives a summary.
 * What could not be published is found again by the next reading: known stays as it was. */
static int take_items(struct uc_watch *w, struct followed *f, const json_t *body, struct error *err)
{
	AUTO(json) json_t *now = NULL;
	AUTO(json) json_t *events = NULL;
	bool cut = json_is_true(json_object_get(body, "more"));
	int r = uc_diff(f->kind, cut ? NULL : f->known, json_object_get(body, "items"), &now,
			&events, err);

	if (r == 0)
		r = publish(w, f, events, err);
	if (r < 0)
		return r;
	json_decref(f->known);
	f->known = TAKE(now);
	remember_version(f, body);
	return 0;
}

static int look(struct uc_watch *w, struct followed *f, struct error *err)
{
	AUTO(json) json_t *body = NULL;
	char path[80];
	int status = 0, r;

	if (!w->config.ready(w->config.user, f->node))
		return error_set(err, -EAGAIN, "%s is not ready", f->node);
	(void)snprintf(path, sizeof(path), "%s%s%s", f->path, f->version[0] ? "?since=" : "",
		       f->version);
	r = uc_node_get(w->config.uc, f->node, path, &status, &body, err);
	if (r < 0)
		return r;
	if (status == 200 && f->version[0] && json_is_true(json_object_get(body, "unchanged")))
		return 0;
	if (status != 200 || !json_is_array(json_object_get(body, "items")))
		return error_set(err, -EAGAIN, "%s answers %d", f->node, status);
	return take_items(w, f, body, err);
}

/* sm keeps it; one that lost its disk gets it again. */
static void give_key(struct uc_watch *w)
{
	uint64_t now = clock_now(clock_system());
	struct error err = { 0 };
	int r;

	if (now < w->key_due_ms || !w->config.ready(w->config.user, "sm"))
		return;
	r = uc_secret_give(w->config.uc, &err);
	w->key_due_ms = now + (r < 0 ? AWAY_MS : KEY_MS);
	if (r < 0)
		log_debug("uc.secrets_key", F("reason", error_text(&err, r)));
}

static void run(void *user)
{
	struct uc_watch *w = user;

	give_key(w);
	for (size_t i = 0; i < LISTS; i++) {
		struct followed *f = &w->list[i];
		struct error err = { 0 };
		int r;

		if (clock_now(clock_system()) < f->due_ms)
			continue;
		r = look(w, f, &err);
		if (r < 0) {
			log_debug("uc.watch", F("node", f->node), F("reason", error_text(&err, r)));
			f->due_ms = clock_now(clock_system()) + AWAY_MS;
		}
	}
}

static void turn(struct timer *timer);

static void done(void *user)
{
	struct uc_watch *w = user;

	loop_timer_start(w->config.loop, &w->timer, TURN_MS, turn);
}

static void turn(struct timer *timer)
{
	struct uc_watch *w = CONTAINER_OF(timer, struct uc_watch, timer);

	if (job_submit(w->config.jobs, run, done, w) < 0)
		done(w);
}

int uc_watch_new(const struct uc_watch_config *config, struct uc_watch **ret, struct error *err)
{
	struct uc_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	w->config = *config;
	w->list[0] = (struct followed){ .node = "sm",
					.path = "/v1/registrations",
					.topic = "uc.registrations",
					.kind = &uc_diff_registrations };
	w->list[1] = (struct followed){
		.node = "cm", .path = "/v1/calls", .topic = "uc.calls", .kind = &uc_diff_calls
	};
	w->list[2] = (struct followed){ .node = "sm",
					.path = "/v1/entities",
					.topic = "uc.sip-entities",
					.kind = &uc_diff_entities };
	w->list[3] = (struct followed){ .node = "sm",
					.path = "/v1/firewall/quarantine",
					.topic = "uc.firewall",
					.kind = &uc_diff_quarantine };
	done(w);
	*ret = w;
	return 0;
}

struct uc_watch *uc_watch_free(struct uc_watch *watch)
{
	if (!watch)
		return NULL;
	for (size_t i = 0; i < LISTS; i++)
		json_decref(watch->list[i].known);
	free(watch);
	return NULL;
}
