/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - see audit.h. */
#include "control/auth/audit.h"
#include "base/json_field.h"
#include "base/random.h"
#include "control/auth/actor.h"
#include "control/task/event.h"
#include "control/task/sql.h"
#include "store/listing_sql.h"

#include <stdio.h>

enum { CHANGE_EVENTS = 4, TARGET_SIZE = 320 };

struct change {
	struct store_tx *tx;
	struct actor actor;
	char action[160];
	char target[TARGET_SIZE];
	struct {
		char topic[48];
		char type[64];
		char subject[TARGET_SIZE];
		json_t *data;
	} event[CHANGE_EVENTS];
	size_t events;
};

int change_begin(struct store *store, const struct actor *actor, const char *action,
		 const char *target, struct change **ret, struct error *err)
{
	struct change *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return error_set(err, -ENOMEM, "no memory for a change");
	c->actor = *actor;
	(void)snprintf(c->action, sizeof(c->action), "%s", action);
	change_target(c, target);
	r = store_tx_begin(store, false, &c->tx, err);
	if (r < 0) {
		(void)change_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct store_tx *change_tx(struct change *change)
{
	return change->tx;
}

void change_target(struct change *change, const char *target)
{
	(void)snprintf(change->target, sizeof(change->target), "%s", target);
}

int change_event(struct change *change, const char *topic, const char *type, const char *subject,
		 json_t *data, struct error *err)
{
	size_t n = change->events;

	if (!data || n == CHANGE_EVENTS) {
		json_decref(data);
		return error_set(err, -ENOMEM, "no memory for an event");
	}
	(void)snprintf(change->event[n].topic, sizeof(change->event[n].topic), "%s", topic);
	(void)snprintf(change->event[n].type, sizeof(change->event[n].type), "%s", type);
	(void)snprintf(change->event[n].subject, sizeof(change->event[n].subject), "%s", subject);
	change->event[n].data = data;
	change->events++;
	return 0;
}

int audit_add(struct store_tx *tx, const struct actor *actor, const char *action,
	      const char *target, const char *result, struct error *err)
{
	static const char sql[] = "INSERT INTO audit (id, actor, action, target, address, result) "
				  "VALUES ($1::uuid, $2, $3, $4, $5, $6) RETURNING " SQL_TIME("at");
	AUTO(store_rows) struct store_rows *rows = NULL;
	char id[UUID_SIZE];
	int r;

	uuid_v7(id);
	r = store_tx_query(tx, sql,
			   (const char *[]){ id, actor->name, action, target, actor->address,
					     result },
			   6, &rows, err);
	if (r < 0)
		return r;
	return event_add(tx, "audit", "audit.added", id,
			 json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", id, "at",
				   store_rows_text(rows, 0, 0), "actor", actor->name, "action",
				   action, "target", target, "address", actor->address, "result",
				   result),
			 err);
}

int change_commit(struct change *change, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < change->events && r == 0; i++)
		r = event_add(change->tx, change->event[i].topic, change->event[i].type,
			      change->event[i].subject, TAKE(change->event[i].data), err);
	if (r == 0)
		r = audit_add(change->tx, &change->actor, change->action, change->target, "ok",
			      err);
	if (r == 0)
		r = store_tx_commit(change->tx, err);
	return r;
}

struct change *change_free(struct change *change)
{
	if (!change)
		return NULL;
	for (size_t i = 0; i < change->events; i++)
		json_decref(change->event[i].data);
	(void)store_tx_free(change->tx);
	free(change);
	return NULL;
}

int audit_write(struct store *store, const struct actor *actor, const char *action,
		const char *target, const char *result, struct error *err)
{
	AUTO(store_tx) struct store_tx *tx = NULL;
	int r = store_tx_begin(store, false, &tx, err);

	if (r == 0)
		r = audit_add(tx, actor, action, target, result, err);
	if (r == 0)
		r = store_tx_commit(tx, err);
	return r;
}

const struct listing audit_listing = {
	.sort = "-id",
	.fields =
		(const struct listing_field[]){
			{ .name = "id", .kind = LISTING_ID, .use = LISTING_KEY },
			{ .name = "at",
			  .kind = LISTING_TIME,
			  .use = LISTING_SORT | LISTING_RANGE,
			  .help = "When it was done" },
			{ .name = "actor",
			  .use = LISTING_FILTER | LISTING_SEARCH,
			  .help = "Who did it" },
			{ .name = "action",
			  .use = LISTING_FILTER | LISTING_SEARCH,
			  .help = "What was done" },
			{ .name = "target",
			  .use = LISTING_FILTER | LISTING_SEARCH,
			  .help = "To what" },
			{ .name = "result",
			  .use = LISTING_FILTER,
			  .help = "'ok' or the problem's code" },
			{ .name = NULL } },
};

int audit_list(struct store *store, const struct listing_query *query, struct listing_page *ret,
	       struct error *err)
{
	static const struct store_listing source = {
		.item = "json_build_object('id', id, 'at', " SQL_TIME(
			"at") ", 'actor', actor, 'action', action, 'target', target, 'address', "
			      "address, 'result', result)",
		.from = "audit",
	};

	return store_listing(store, &source, query, ret, err);
}
