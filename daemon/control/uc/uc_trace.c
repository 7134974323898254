/* SPDX-License-Identifier: Apache-2.0 */
/* uc_trace.c - asks the nodes' trace rings page by page and merges what they tell by time. */
#include "control/uc/uc_trace.h"
#include "control/uc/uc_private.h"

#include "base/buf.h"
#include "net/rest_client.h"

#include <stdio.h>
#include <string.h>

#define PAGE 250	      /* what a node makes an answer of while it carries calls */
#define BYTES_MAX (24U << 20) /* of one node's messages */

void uc_trace_done(struct uc_trace *trace)
{
	json_decref(trace->items);
	json_decref(trace->nodes);
	*trace = (struct uc_trace){ 0 };
}

static void add_text(struct buf *path, const char *name, const char *value)
{
	char escaped[2048];

	if (!value)
		return;
	if (rest_client_escape(value, escaped, sizeof(escaped)) < 0)
		path->failed = true; /* longer than anything it could be equal to */
	else
		buf_printf(path, "&%s=%s", name, escaped);
}

static void add_number(struct buf *path, const char *name, uint64_t value)
{
	if (value)
		buf_printf(path, "&%s=%llu", name, (unsigned long long)value);
}

static char *path_of(const struct uc_trace_filter *f, uint64_t after, int64_t to_us, uint32_t limit)
{
	AUTO_BUF path = { 0 };

	buf_printf(&path, "/v1/trace?limit=%u", limit > PAGE ? PAGE : limit);
	add_text(&path, "user", f->user);
	add_text(&path, "call_id", f->call_id);
	add_text(&path, "gsid", f->gsid);
	add_text(&path, "address", f->address);
	add_text(&path, "text", f->text);
	add_number(&path, "from_us", (uint64_t)f->from_us);
	add_number(&path, "to_us", (uint64_t)to_us);
	add_number(&path, "after", after);
	if (f->oldest)
		buf_add_str(&path, "&oldest=true");
	return buf_take_str(&path);
}

static int64_t number(const json_t *object, const char *name)
{
	return (int64_t)json_integer_value(json_object_get(object, name));
}

/* The start line, as a list shows it. */
static json_t *summary_of(const json_t *item)
{
	const char *text = json_string_value(json_object_get(item, "message"));

	return json_stringn(text ? text : "", text ? strcspn(text, "\r\n") : 0);
}

static bool is_item(const json_t *item)
{
	static const char *const texts[] = { "direction", "transport", "local",	  "remote",
					     "call_id",	  "gsid",      "message", "encoding" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!json_is_string(json_object_get(item, texts[i])))
			return false;
	return number(item, "seq") > 0 && number(item, "at_us") > 0;
}

/* A node's page with what it cannot know; what is no item is left out. */
static int add_page(const char *node, json_t *page, bool oldest, json_t *items)
{
	json_t *item;
	size_t i;

	json_array_foreach(page, i, item)
	{
		char id[UC_TRACE_ID_SIZE];

		if (!is_item(item))
			continue;
		(void)snprintf(id, sizeof(id), "%s-%lld", node, (long long)number(item, "at_us"));
		if (json_object_set_new(item, "id", json_string(id)) < 0 ||
		    json_object_set_new(item, "node", json_string(node)) < 0 ||
		    json_object_set_new(item, "summary", summary_of(item)) < 0 ||
		    (oldest ? json_array_append(items, item) : json_array_insert(items, i, item)) <
			    0)
			return -ENOMEM;
	}
	return 0;
}

static size_t bytes_in(const json_t *page)
{
	size_t bytes = 0, i;
	json_t *item;

	json_array_foreach((json_t *)page, i, item) bytes +=
		json_string_length(json_object_get(item, "message"));
	return bytes;
}

/* One node's messages into items, page by page: on from the last, or back from the first. */
static int read_node(struct uc *uc, size_t node, const struct uc_trace_filter *f,
		     struct uc_trace *t, struct error *err)
{
	AUTO(json) json_t *items = json_array();
	uint64_t after = f->after[node];
	int64_t to_us = f->to_us;
	bool more = true, first = true;
	size_t bytes = 0;

	while (more && json_array_size(items) < f->limit && bytes < BYTES_MAX) {
		AUTO(json) json_t *body = NULL;
		AUTO(str)
		char *path = path_of(f, after, to_us, f->limit - (uint32_t)json_array_size(items));
		json_t *page;
		int status = 0, r;

		if (!path)
			return error_set(err, -EINVAL, "a filter is too long");
		r = uc_node_get(uc, uc_node_names[node], path, &status, &body, err);
		if (r < 0)
			return r;
		page = json_object_get(body, "items");
		if (status == 400 || status == 422)
			return error_set(err, -EINVAL, "%s refuses the filter",
					 uc_node_names[node]);
		if (status != 200 || !json_is_array(page))
			return error_set(err, -EAGAIN, "%s answers %d", uc_node_names[node],
					 status);
		if (first) {
			t->matched += number(body, "matched");
			t->newest[node] = (uint64_t)number(body, "newest");
			t->oldest[node] = (uint64_t)number(body, "oldest");
			first = false;
		}
		more = json_is_true(json_object_get(body, "more")) && json_array_size(page) > 0;
		bytes += bytes_in(page);
		if (add_page(uc_node_names[node], page, f->oldest, items) < 0)
			return error_set(err, -ENOMEM, "out of memory");
		if (f->oldest)
			after = (uint64_t)number(json_array_get(page, json_array_size(page) - 1),
						 "seq");
		else
			to_us = number(json_array_get(page, 0), "at_us");
	}
	t->more |= more;
	t->next[node] = more ? after : t->newest[node];
	return json_array_extend(t->items, items) < 0 ? error_set(err, -ENOMEM, "out of memory")
						      : 0;
}

static int by_time(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	int64_t left = number(x, "at_us"), right = number(y, "at_us");

	if (left != right)
		return left < right ? -1 : 1;
	return strcmp(json_string_value(json_object_get(x, "node")),
		      json_string_value(json_object_get(y, "node")));
}

/* It is the next reading's. */
static void not_given(struct uc_trace *t, const json_t *item)
{
	uint64_t seq = (uint64_t)number(item, "seq");

	for (size_t i = 0; i < UC_NODES; i++)
		if (strcmp(json_string_value(json_object_get(item, "node")), uc_node_names[i]) ==
			    0 &&
		    seq <= t->next[i])
			t->next[i] = seq - 1;
}

/* In the order of time, and no more of them than were asked for. */
static int merge(struct uc_trace *t, const struct uc_trace_filter *f)
{
	size_t count = json_array_size(t->items), skip = 0;
	json_t **order = calloc(count ? count : 1, sizeof(json_t *));
	json_t *sorted = json_array();

	if (!order || !sorted) {
		free(order);
		json_decref(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		order[i] = json_array_get(t->items, i);
	qsort(order, count, sizeof(json_t *), by_time);
	if (count > f->limit) {
		skip = f->oldest ? 0 : count - f->limit;
		for (size_t i = f->limit; f->oldest && i < count; i++)
			not_given(t, order[i]);
		count = f->limit;
		t->more = true;
	}
	for (size_t i = 0; i < count; i++)
		(void)json_array_append(sorted, order[skip + i]);
	free(order);
	json_decref(t->items);
	t->items = sorted;
	return 0;
}

static void note_node(struct uc_trace *t, size_t node, const char *state)
{
	(void)json_array_append_new(t->nodes, json_pack("{s:s,s:s}", "node", uc_node_names[node],
							"state", state));
}

int uc_trace_read(struct uc *uc, const struct uc_trace_filter *filter, struct uc_trace *ret,
		  struct error *err)
{
	AUTO_UC_TRACE t = { .items = json_array(), .nodes = json_array() };
	bool answered = false;

	for (size_t i = 0; i < UC_NODES; i++) {
		int r;

		if (filter->node && strcmp(filter->node, uc_node_names[i]) != 0)
			continue;
		if (!uc->management[i] || (uc->ready && !uc->ready(uc->user, uc_node_names[i]))) {
			note_node(&t, i, "absent");
			continue;
		}
		r = read_node(uc, i, filter, &t, err);
		if (r < 0 && r != -EAGAIN)
			return r;
		note_node(&t, i, r < 0 ? "unreachable" : "ok");
		t.answered[i] = r == 0;
		answered |= r == 0;
	}
	if (!answered)
		return error_set(err, -EAGAIN, "no call server answers");
	if (merge(&t, filter) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	*ret = t;
	t = (struct uc_trace){ 0 };
	return 0;
}

int uc_trace_find(struct uc *uc, const char *id, json_t **ret, struct error *err)
{
	struct uc_trace_filter f = { .limit = 1 };
	AUTO_UC_TRACE t = { 0 };
	const char *dash = strchr(id, '-');
	uint64_t at_us = 0;
	int r;

	for (size_t i = 0; dash && i < UC_NODES; i++)
		if (slice_eq_str(slice_make(id, (size_t)(dash - id)), uc_node_names[i]))
			f.node = uc_node_names[i];
	if (!f.node || slice_to_u64(slice_str(dash + 1), &at_us) < 0 || at_us >= INT64_MAX)
		return error_set(err, -ENOENT, "there is no message '%s'", id);
	f.from_us = (int64_t)at_us;
	f.to_us = f.from_us + 1;
	r = uc_trace_read(uc, &f, &t, err);
	if (r < 0)
		return r;
	if (json_array_size(t.items) == 0)
		return error_set(err, -ENOENT, "the message '%s' is not kept any more", id);
	*ret = json_incref(json_array_get(t.items, 0));
	return 0;
}

const char *uc_trace_node(size_t index)
{
	return uc_node_names[index];
}

json_t *uc_trace_entities(struct uc *uc)
{
	AUTO(json) json_t *body = NULL;
	struct error err = { 0 };
	int status = 0;

	if (uc_node_get(uc, "sm", "/v1/entities", &status, &body, &err) < 0 || status != 200 ||
	    !json_is_array(json_object_get(body, "items")))
		return json_array();
	return json_incref(json_object_get(body, "items"));
}
