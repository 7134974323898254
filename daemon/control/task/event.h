/* SPDX-License-Identifier: Apache-2.0 */
/* event.h - what happened, as rows: ids become visible in the order of commits, and every new row
 * reaches the listeners on the loop. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct error;
struct events; /* opaque, see event.c */
struct json_t; /* Jansson */
struct loop;
struct store;
struct store_config;
struct store_tx;

enum {
	EVENT_TOPIC_SIZE = 48,
	EVENT_TYPE_SIZE = 64,
	EVENT_SUBJECT_SIZE = 128,
	EVENT_KEEP = 100000, /* newest rows that are kept; a reader behind them gets `reset` */
};

/* One row as it is sent: text is the whole {"id","at","topic","type","subject","data"}. */
struct event {
	uint64_t id;
	const char *topic;
	const char *type;
	const char *text;
};

typedef void event_fn(void *user, const struct event *event);

/* Follow the table: new rows are handed to fn, in order, on a thread of their own. Listens for
 * NOTIFY and looks once a second besides. Errors: -ENOMEM, -EAGAIN no thread. */

int events_new(struct store *store, struct events **ret, struct error *err);
/* From now on hand new rows to fn (set once, before events_start()). */
void events_listen(struct events *events, event_fn *fn, void *user);
/* Find the newest id (0 in an empty table) and begin. Errors: as store.h. */
int events_start(struct events *events, uint64_t *newest, struct error *err);
struct events *events_free(struct events *events);

/* Add a row in an open transaction; it is seen after the commit. Takes over data, also on failure.
 * Writers queue behind one another from here to their commit: call it last, commit soon.
 * topic: "vms" "tasks" "alarms" "uc.users" …; type: "vm.changed"; subject: the resource's id. */
int event_add(struct store_tx *tx, const char *topic, const char *type, const char *subject,
	      struct json_t *data, struct error *err);
/* The same in a transaction of its own. Any worker thread, never the loop. Takes over data. */
int event_publish(struct events *events, const char *topic, const char *type, const char *subject,
		  struct json_t *data, struct error *err);
