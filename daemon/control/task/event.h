/* SPDX-License-Identifier: Apache-2.0 */
/* event.h - what happened, as rows: ids become visible in the order of commits, and every new row
 * reaches one listener. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/listing.h"

struct error;
struct events; /* opaque, see event.c */
struct json_t; /* Jansson */
struct store;
struct store_tx;

enum {
	EVENT_KEEP = 100000, /* newest rows that are kept; a reader behind them gets `reset` */
	EVENT_BATCH = 500,   /* rows read at once */
};

/* One row as it is sent: text is the whole {"id","at","topic","type","subject","data"}. */
struct event {
	uint64_t id;
	const char *topic;
	const char *type;
	const char *text;
};

typedef void event_fn(void *user, const struct event *event);

/* The table of a database. Errors: -ENOMEM. */
int events_new(struct store *store, struct events **ret, struct error *err);
/* Hand every row after `after` to fn, in order, on a thread of its own, from now on until
 * events_free(). Errors: -EAGAIN no thread. */
int events_start(struct events *events, event_fn *fn, void *user, uint64_t after,
		 struct error *err);
/* No call of fn after it; the rest still works. */
void events_stop(struct events *events);
struct events *events_free(struct events *events);

/* Add a row in an open transaction; it is seen after the commit. Takes over data, also on failure.
 * Writers queue behind one another from here to their commit: call it last, commit soon.
 * topic: "vms" "tasks" "alarms" "uc.users" …; type: "vm.changed"; subject: the resource's id. */
int event_add(struct store_tx *tx, const char *topic, const char *type, const char *subject,
	      struct json_t *data, struct error *err);
/* The same in a transaction of its own. Any worker thread, never the loop. Takes over data. */
int event_publish(struct events *events, const char *topic, const char *type, const char *subject,
		  struct json_t *data, struct error *err);

/* The ids that the table reaches: everything above *before, up to *newest. */
int event_range(struct events *events, uint64_t *before, uint64_t *newest, struct error *err);
/* Rows above `after` in order, at most EVENT_BATCH; returns how many fn was given. */
int event_after(struct events *events, uint64_t after, event_fn *fn, void *user, struct error *err);

/* Newest first, those of the topics (NULL-terminated): what `text` holds. */
extern const struct listing event_listing;
int event_list(struct events *events, const char *const *topics, const struct listing_query *query,
	       struct listing_page *ret, struct error *err);
