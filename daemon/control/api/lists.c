/* SPDX-License-Identifier: Apache-2.0 */
/* lists.c - the tables of lists that are whole in memory and of single parameters, and how a page is
 * answered. Lists out of the database have their tables beside their SQL. */
#include "control/api/api_private.h"

#define FIELDS (const struct listing_field[])

static const char *const vm_states[] = { "deploying", "stopped",  "starting", "running",
					 "paused",    "stopping", "crashed",  NULL };
static const char *const template_kinds[] = { "core", "application", "foreign", NULL };
static const char *const call_states[] = { "ringing", "talking", "held", NULL };

/* clang-format off */
const struct listing vm_listing = {
	.sort = "name",
	.fields = FIELDS{
		{ .name = "name", .use = LISTING_KEY | LISTING_SORT | LISTING_SEARCH | LISTING_FILTER,
		  .help = "Name" },
		{ .name = "template", .use = LISTING_SEARCH | LISTING_FILTER, .help = "Template" },
		{ .name = "state", .kind = LISTING_WORD, .use = LISTING_SORT | LISTING_FILTER,
		  .words = vm_states, .help = "State" },
		{ .name = "created_at", .kind = LISTING_TIME, .use = LISTING_SORT },
		{ .name = NULL } },
};

const struct listing vm_delete_listing = {
	.bare = true,
	.fields = FIELDS{
		{ .name = "purge", .kind = LISTING_BOOL, .use = LISTING_OTHER,
		  .help = "true: its data goes too" },
		{ .name = NULL } },
};

const struct listing batch_listing = {
	.bare = true,
	.fields = FIELDS{
		{ .name = "get", .kind = LISTING_TEXT, .use = LISTING_OTHER,
		  .help = "What to GET, as /api/v1/vms?limit=5; given 1 to 16 times" },
		{ .name = NULL } },
};

const struct listing vm_log_listing = {
	.bare = true,
	.fields = FIELDS{
		{ .name = "lines", .kind = LISTING_NUMBER, .use = LISTING_OTHER,
		  .help = "How many lines from the end, 200 if not said, at most 5000" },
		{ .name = NULL } },
};

const struct listing template_listing = {
	.sort = "name",
	.fields = FIELDS{
		{ .name = "name", .use = LISTING_KEY | LISTING_SORT | LISTING_SEARCH, .help = "Name" },
		{ .name = "title", .use = LISTING_SORT | LISTING_SEARCH, .help = "Title" },
		{ .name = "kind", .kind = LISTING_WORD, .use = LISTING_FILTER,
		  .words = template_kinds, .help = "Kind" },
		{ .name = NULL } },
};

const struct listing registration_listing = {
	.sort = "handle",
	.fields = FIELDS{
		{ .name = "handle", .use = LISTING_SORT | LISTING_SEARCH | LISTING_FILTER,
		  .help = "Handle of the user" },
		{ .name = "aor", .use = LISTING_KEY },
		{ .name = "contact", .use = LISTING_KEY | LISTING_SEARCH },
		{ .name = "source", .use = LISTING_SEARCH },
		{ .name = "user_agent", .use = LISTING_SEARCH },
		{ .name = "expires_at", .kind = LISTING_TIME, .use = LISTING_SORT },
		{ .name = NULL } },
};

const struct listing call_listing = {
	.sort = "started_at",
	.fields = FIELDS{
		{ .name = "started_at", .kind = LISTING_TIME, .use = LISTING_SORT },
		{ .name = "gsid", .use = LISTING_KEY | LISTING_SEARCH },
		{ .name = "caller", .use = LISTING_SEARCH | LISTING_FILTER, .help = "Who calls" },
		{ .name = "callee", .use = LISTING_SEARCH | LISTING_FILTER, .help = "Who is called" },
		{ .name = "handle", .use = LISTING_OTHER, .help = "Caller or callee" },
		{ .name = "state", .kind = LISTING_WORD, .use = LISTING_FILTER, .words = call_states,
		  .help = "State" },
		{ .name = NULL } },
};

#define TRACE_FILTERS \
	{ .name = "node", .use = LISTING_KEY | LISTING_OTHER, .help = "sm, cm or presence" }, \
	{ .name = "at", .kind = LISTING_TIME, .use = LISTING_RANGE, .help = "When" }, \
	{ .name = "user", .use = LISTING_OTHER, \
	  .help = "A user or number in the request line, From or To" }, \
	{ .name = "call_id", .use = LISTING_OTHER, .help = "Call-ID" }, \
	{ .name = "gsid", .use = LISTING_OTHER, .help = "Global session id of a call" }, \
	{ .name = "address", .use = LISTING_OTHER, \
	  .help = "IP address of either end, with or without a port" }

const struct listing trace_listing = {
	.sort = "-at_us",
	.fields = FIELDS{
		{ .name = "at_us", .kind = LISTING_NUMBER, .use = LISTING_KEY | LISTING_SORT },
		TRACE_FILTERS,
		{ .name = "message", .use = LISTING_SEARCH },
		{ .name = "follow", .kind = LISTING_BOOL, .use = LISTING_OTHER,
		  .help = "Then live, as server-sent events `trace.message` with an item each" },
		{ .name = NULL } },
};

const struct listing trace_export_listing = {
	.bare = true,
	.fields = FIELDS{
		TRACE_FILTERS,
		{ .name = "q", .use = LISTING_OTHER, .help = "Text in the message, in any case" },
		{ .name = "limit", .kind = LISTING_NUMBER, .use = LISTING_OTHER,
		  .help = "The newest so many, at most 5000" },
		{ .name = NULL } },
};

const struct listing replication_listing = {
	.sort = "node",
	.fields = FIELDS{
		{ .name = "node", .use = LISTING_KEY | LISTING_FILTER, .help = "Call server" },
		{ .name = NULL } },
};

const struct listing cdr_summary_listing = {
	.bare = true,
	.fields = FIELDS{
		{ .name = "from", .kind = LISTING_TIME, .use = LISTING_OTHER,
		  .help = "Calls that began then or later; a day before `to` if not said" },
		{ .name = "to", .kind = LISTING_TIME, .use = LISTING_OTHER,
		  .help = "and before that; now if not said" },
		{ .name = "step_s", .kind = LISTING_NUMBER, .use = LISTING_OTHER,
		  .help = "Seconds of one count, 900 if not said; at most 500 counts" },
		{ .name = NULL } },
};

const struct listing uc_import_listing = {
	.bare = true,
	.fields = FIELDS{
		{ .name = "replace", .kind = LISTING_BOOL, .use = LISTING_OTHER,
		  .help = "true: rows that a list of the document does not hold are removed" },
		{ .name = NULL } },
};

const struct listing event_stream_listing = {
	.bare = true,
	.fields = FIELDS{
		{ .name = "topics", .use = LISTING_OTHER, .help = "Topics, several with commas" },
		{ .name = "since", .kind = LISTING_NUMBER, .use = LISTING_OTHER,
		  .help = "Id of the last event seen, as Last-Event-ID" },
		{ .name = NULL } },
};
/* clang-format on */

int api_reply_page(const struct listing_query *query, struct listing_page *page,
		   struct http_reply *reply, struct error *err)
{
	json_t *answer = NULL;
	int r = http_listing_answer(query, page, &answer, err);

	return r < 0 ? r : reply_json(reply, 200, answer, err);
}

int api_reply_whole(const struct listing_query *query, json_t *items, struct http_reply *reply,
		    struct error *err)
{
	AUTO(json) json_t *owned = items;
	AUTO_LISTING_PAGE page = { 0 };
	int r = listing_json(query, owned, &page, err);

	return r < 0 ? r : api_reply_page(query, &page, reply, err);
}
