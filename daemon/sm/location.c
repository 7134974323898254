/* SPDX-License-Identifier: Apache-2.0 */
/* location.c - where users can be reached: bindings by user, by flow and by contact. */
#include "sm/location.h"

#include <stdio.h>

#include "base/random.h"
#include "codec/sip/sip_uri.h"
#include "sm/sips.h"

struct location_user {
	struct map_node node;
	struct list bindings; /* oldest change first */
	size_t count;
	char handle[];
};

#define DUE_SLOTS 4096		       /* seconds; what ends later waits for its turn in a slot */
#define KEY_MAX (LOCATION_URI_MAX + 8) /* "user@host:port" of a Contact */

/* A connection that bindings live on. */
struct location_flow {
	struct map_node node;
	uint64_t id;
	struct list bindings;
};

struct location {
	struct map users;
	struct map flows;
	struct map contacts; /* of all bindings */
	struct list due[DUE_SLOTS];
	int64_t expired_s; /* everything that ended before this second is gone */
	size_t count;
	uint64_t version;
	location_hook_fn *hook;
	void *hook_user;
};

int location_new(location_hook_fn *hook, void *user, struct location **ret)
{
	struct location *location = calloc(1, sizeof(*location));

	if (!location)
		return -ENOMEM;
	map_init(&location->users);
	map_init(&location->flows);
	map_init(&location->contacts);
	for (size_t i = 0; i < DUE_SLOTS; i++)
		list_init(&location->due[i]);
	random_bytes(&location->version, sizeof(location->version));
	location->hook = hook;
	location->hook_user = user;
	*ret = location;
	return 0;
}

static struct binding *binding_free(struct binding *b)
{
	if (!b)
		return NULL;
	free(b->texts);
	free(b);
	return NULL;
}
DEFINE_AUTO(binding)

static struct location_flow *flow_find(const struct location *location, uint64_t id)
{
	struct map_node *node = map_get(&location->flows, slice_make(&id, sizeof(id)));

	return node ? MAP_ENTRY(node, struct location_flow, node) : NULL;
}

/* Take the binding off its connection, and that away with its last. */
static void leave_flow(struct location *location, struct binding *b)
{
	struct location_flow *flow = b->flow ? flow_find(location, b->flow) : NULL;

	b->flow = 0;
	list_remove(&b->flow_link);
	if (!flow || !list_empty(&flow->bindings))
		return;
	map_remove(&location->flows, &flow->node);
	free(flow);
}

static void unlink_binding(struct location *location, struct binding *b)
{
	list_remove(&b->link);
	list_remove(&b->due);
	leave_flow(location, b);
	map_remove(&location->contacts, &b->contact_node);
	b->user->count--;
	location->count--;
}

struct location *location_free(struct location *location)
{
	struct map_node *node;
	struct map_iter it;

	if (!location)
		return NULL;
	MAP_FOREACH (node, &location->users, &it) {
		struct location_user *user = MAP_ENTRY(node, struct location_user, node);
		struct binding *b;

		LIST_FOREACH (b, &user->bindings, struct binding, link)
			binding_free(b);
		free(user);
	}
	MAP_FOREACH (node, &location->flows, &it)
		free(MAP_ENTRY(node, struct location_flow, node));
	map_done(&location->users);
	map_done(&location->flows);
	map_done(&location->contacts);
	free(location);
	return NULL;
}

static struct location_user *user_find(const struct location *location, struct slice handle)
{
	struct map_node *node = map_get(&location->users, handle);

	return node ? MAP_ENTRY(node, struct location_user, node) : NULL;
}

static struct location_user *user_make(struct location *location, struct slice handle)
{
	struct location_user *user = user_find(location, handle);

	if (user)
		return user;
	user = calloc(1, sizeof(*user) + handle.len + 1);
	if (!user)
		return NULL;
	memcpy(user->handle, handle.p, handle.len);
	list_init(&user->bindings);
	if (map_add(&location->users, &user->node, slice_make(user->handle, handle.len)) < 0) {
		free(user);
		return NULL;
	}
	return user;
}

static void user_tidy(struct location *location, struct location_user *user)
{
	if (user->count)
		return;
	map_remove(&location->users, &user->node);
	free(user);
}

/* Tell, unlink and free; the user stays even when it has no binding left. */
static void drop(struct location *location, struct binding *b, enum location_event event)
{
	if (location->hook)
		location->hook(location->hook_user, event, b->user->handle, b);
	location->version++;
	unlink_binding(location, b);
	binding_free(b);
}

static bool same_uri(struct slice a, struct slice b)
{
	struct sip_uri ua, ub;

	if (slice_eq(a, b))
		return true;
	return sip_uri_parse(a, &ua) == 0 && sip_uri_parse(b, &ub) == 0 && sip_uri_equal(&ua, &ub);
}

static bool is_callable(struct slice uri)
{
	return slice_starts_with_nocase(uri, SLICE("sip:")) ||
	       slice_starts_with_nocase(uri, SLICE("sips:"));
}

/* An instance has one Contact that can be called; a number or an address of it stands for itself. */
static struct binding *match(const struct location_user *user, const struct location_change *change)
{
	struct binding *b;

	LIST_FOREACH (b, &user->bindings, struct binding, link) {
		if (change->instance.len && b->instance[0] && b->callable &&
		    is_callable(change->uri)) {
			if (slice_eq_str(change->instance, b->instance) &&
			    change->reg_id == b->reg_id)
				return b;
			continue;
		}
		if (same_uri(slice_str(b->uri), change->uri))
			return b;
	}
	return NULL;
}

static bool stale(const struct binding *b, const struct location_request *rq)
{
	return slice_eq_str(rq->call_id, b->call_id) && rq->cseq <= b->cseq;
}

/* Would the request succeed? Nothing is changed. */
static int judge(const struct location_user *user, const struct location_request *rq)
{
	size_t count = user ? user->count : 0;
	size_t added = 0;
	struct binding *b;

	if (rq->remove_all) {
		if (user)
			LIST_FOREACH (b, &user->bindings, struct binding, link)
				if (stale(b, rq))
					return -ESTALE;
		return 0;
	}
	for (size_t i = 0; i < rq->count; i++) {
		b = user ? match(user, &rq->changes[i]) : NULL;
		if (b && stale(b, rq))
			return -ESTALE;
		if (rq->changes[i].expires_s == 0)
			count -= b ? 1 : 0;
		else
			added += b ? 0 : 1;
	}
	if (added > rq->max_contacts)
		return -EDQUOT;
	if (count + added > rq->max_contacts && added && !rq->replace_oldest)
		return -EDQUOT;
	return 0;
}

/* "user@host:port" in lower case but for the user; its length, -EINVAL for what is no URI of ours. */
static ssize_t contact_key(struct slice text, char out[static KEY_MAX])
{
	struct sip_uri uri;
	size_t n;
	int port;

	if (text.len > LOCATION_URI_MAX || sip_uri_parse(text, &uri) < 0)
		return -EINVAL;
	if (uri.scheme == SIP_SCHEME_OTHER) { /* no user has a ":" in his name */
		memcpy(out, uri.text.p, uri.text.len);
		return (ssize_t)uri.text.len;
	}
	n = uri.user.len;
	if (n)
		memcpy(out, uri.user.p, n);
	out[n++] = '@';
	for (size_t i = 0; i < uri.host.len; i++)
		out[n++] = ascii_lower(uri.host.p[i]);
	port = snprintf(out + n, KEY_MAX - n, ":%u", uri.port);
	return (ssize_t)n + port;
}

static struct map_node *find_contact(const struct location *location, struct slice uri)
{
	char key[KEY_MAX];
	ssize_t n = contact_key(uri, key);

	return n < 0 ? NULL : map_get(&location->contacts, slice_make(key, (size_t)n));
}

static struct slice cut(struct slice s)
{
	return slice_sub(s, 0, LOCATION_TEXT_MAX);
}

static char *put_text(char **at, struct slice text)
{
	char *start = *at;

	if (text.len)
		memcpy(start, text.p, text.len);
	start[text.len] = '\0';
	*at += text.len + 1;
	return start;
}

/* Write all texts into one block, the old one where they fit, and see that requests find the binding.
 * A refresh of the same Contact moves nothing. */
static int set_texts(struct location *location, struct binding *b,
		     const struct location_request *rq, const struct location_change *change)
{
	struct slice uri = change->uri, path = rq->path, params = change->params;
	struct slice instance = cut(change->instance), call_id = cut(rq->call_id);
	struct slice agent = cut(rq->user_agent);
	bool same = b->texts && slice_eq_str(uri, b->uri);
	struct slice found = { 0 };
	char key[KEY_MAX], *block = b->texts, *at;
	ssize_t n = same ? (ssize_t)b->contact_node.key.len : contact_key(uri, key);
	size_t need;

	if (n < 0)
		return (int)n;
	/* The key most often stands in the URI as it is. */
	if (same)
		memcpy(key, b->contact_node.key.p, (size_t)n);
	found.p = memmem(uri.p, uri.len, key, (size_t)n);
	need = uri.len + instance.len + call_id.len + agent.len + params.len + path.len + 6 +
	       (found.p ? 0 : (size_t)n);
	if (!same)
		map_remove(&location->contacts, &b->contact_node);
	if (!same || need > b->texts_size) {
		block = malloc(need);
		if (!block)
			return -ENOMEM;
		b->texts_size = (uint32_t)need;
	}
	at = block;
	if (block == b->texts)
		at += uri.len + 1;
	else
		b->uri = put_text(&at, uri);
	if (found.p) {
		b->contact_node.key = slice_make(b->uri + (found.p - uri.p), (size_t)n);
	} else {
		memcpy(at, key, (size_t)n);
		b->contact_node.key = slice_make(at, (size_t)n);
		at += n;
	}
	b->instance = put_text(&at, instance);
	b->call_id = put_text(&at, call_id);
	b->user_agent = put_text(&at, agent);
	b->params = params.len ? put_text(&at, params) : NULL;
	b->path = path.len ? put_text(&at, path) : NULL;
	if (block != b->texts)
		free(b->texts);
	b->texts = block;
	return same ? 0 : map_add(&location->contacts, &b->contact_node, b->contact_node.key);
}

static void set_due(struct location *location, struct binding *b, int64_t expires_ms)
{
	b->expires_ms = expires_ms;
	list_remove(&b->due);
	list_append(&location->due[(uint64_t)(expires_ms / 1000) % DUE_SLOTS], &b->due);
}

static int binding_fill(struct location *location, struct binding *b,
			const struct location_request *rq, const struct location_change *change)
{
	int r = set_texts(location, b, rq, change);

	if (r < 0)
		return r;
	b->reg_id = change->reg_id;
	b->cseq = rq->cseq;
	b->q = change->q;
	b->transport = rq->transport;
	b->source = rq->source;
	b->by_source = rq->by_source;
	b->callable = is_callable(change->uri);
	set_due(location, b, rq->now_ms + (int64_t)change->expires_s * 1000);
	return 0;
}

/* Without memory for its connection it stays until it expires. */
static void set_flow(struct location *location, struct binding *b, uint64_t id)
{
	struct location_flow *flow;

	if (b->flow == id)
		return;
	leave_flow(location, b);
	if (!id)
		return;
	flow = flow_find(location, id);
	if (!flow) {
		flow = calloc(1, sizeof(*flow));
		if (!flow)
			return;
		flow->id = id;
		list_init(&flow->bindings);
		if (map_add(&location->flows, &flow->node,
			    slice_make(&flow->id, sizeof(flow->id))) < 0) {
			free(flow);
			return;
		}
	}
	b->flow = id;
	list_append(&flow->bindings, &b->flow_link);
}

static void link_binding(struct location *location, struct location_user *user, struct binding *b)
{
	b->user = user;
	list_append(&user->bindings, &b->link);
	user->count++;
	location->count++;
	location->version++;
}

/* Does this REGISTER change what people see of the binding, beside its end? */
static bool moves(const struct binding *b, const struct location_request *rq,
		  const struct location_change *change)
{
	return !slice_eq_str(change->uri, b->uri) || !slice_eq_str(rq->user_agent, b->user_agent) ||
	       b->transport != rq->transport || !slice_eq_str(rq->path, b->path ? b->path : "") ||
	       !addr_equal(&b->source, &rq->source);
}

static int put(struct location *location, struct location_user *user,
	       const struct location_request *rq, const struct location_change *change)
{
	struct binding *old = match(user, change);
	AUTO(binding) struct binding *fresh = NULL;
	struct binding *b = old;
	int r;

	if (!b) {
		fresh = calloc(1, sizeof(*fresh));
		if (!fresh)
			return -ENOMEM;
		list_init(&fresh->link);
		list_init(&fresh->due);
		list_init(&fresh->flow_link);
		random_bytes(&fresh->id, sizeof(fresh->id));
		b = fresh;
	}
	if (old && moves(old, rq, change))
		location->version++;
	r = binding_fill(location, b, rq, change);
	if (r < 0)
		return r;
	set_flow(location, b, b->callable ? rq->flow : 0);
	if (old) {
		list_remove(&b->link);
		list_append(&user->bindings, &b->link);
	} else {
		link_binding(location, user, TAKE(fresh));
	}
	if (location->hook)
		location->hook(location->hook_user, old ? LOCATION_REFRESHED : LOCATION_ADDED,
			       user->handle, b);
	return 0;
}

static void remove_asked(struct location *location, struct location_user *user,
			 const struct location_request *rq)
{
	struct binding *b;

	if (rq->remove_all) {
		LIST_FOREACH (b, &user->bindings, struct binding, link)
			drop(location, b, LOCATION_REMOVED);
		return;
	}
	for (size_t i = 0; i < rq->count; i++) {
		b = rq->changes[i].expires_s == 0 ? match(user, &rq->changes[i]) : NULL;
		if (b)
			drop(location, b, LOCATION_REMOVED);
	}
}

int location_update(struct location *location, const struct location_request *request)
{
	struct location_user *user = user_find(location, slice_str(request->handle));
	int r;

	r = judge(user, request);
	if (r < 0)
		return r;
	if (!user)
		user = user_make(location, slice_str(request->handle));
	if (!user)
		return -ENOMEM;

	remove_asked(location, user, request);
	for (size_t i = 0; i < request->count && r == 0; i++) {
		const struct location_change *change = &request->changes[i];

		if (request->remove_all || change->expires_s == 0)
			continue;
		if (user->count >= request->max_contacts && !match(user, change))
			drop(location, LIST_FIRST(&user->bindings, struct binding, link),
			     LOCATION_REPLACED);
		r = put(location, user, request, change);
	}
	user_tidy(location, user);
	return r;
}

int location_restore(struct location *location, const char *handle, const struct binding *values)
{
	struct location_request rq = { .handle = handle, .cseq = values->cseq };
	struct location_change change = { .uri = slice_str(values->uri), .q = values->q };
	AUTO(binding) struct binding *b = calloc(1, sizeof(*b));
	struct location_user *user;
	int r;

	if (!b)
		return -ENOMEM;
	if (change.uri.len == 0 || change.uri.len > LOCATION_URI_MAX)
		return -EINVAL;
	rq.call_id = slice_str(values->call_id);
	rq.user_agent = slice_str(values->user_agent);
	rq.transport = values->transport;
	rq.source = values->source;
	rq.by_source = values->by_source;
	change.instance = slice_str(values->instance);
	change.params = slice_str(values->params);
	change.reg_id = values->reg_id;
	rq.path = slice_str(values->path);
	user = user_make(location, slice_str(handle));
	if (!user)
		return -ENOMEM;
	list_init(&b->link);
	list_init(&b->due);
	list_init(&b->flow_link);
	r = match(user, &change) || user->count >= LOCATION_CONTACTS_MAX
		    ? -EINVAL
		    : binding_fill(location, b, &rq, &change);
	if (r == 0) {
		b->id = values->id;
		set_due(location, b, values->expires_ms);
		link_binding(location, user, TAKE(b));
	}
	user_tidy(location, user);
	return r;
}

const struct list *location_of(const struct location *location, struct slice handle)
{
	const struct location_user *user = user_find(location, handle);

	return user && user->count ? &user->bindings : NULL;
}

bool location_takes(const struct binding *binding, bool sips)
{
	return binding->callable && (!sips || sips_is(slice_str(binding->uri)));
}

size_t location_callable(const struct location *location, struct slice handle, bool sips)
{
	const struct location_user *user = user_find(location, handle);
	const struct binding *b;
	size_t count = 0;

	if (user)
		LIST_FOREACH (b, &user->bindings, struct binding, link)
			count += location_takes(b, sips);
	return count;
}

/* Did it register from the very address that its Contact names? */
static bool is_at_home(const struct binding *b)
{
	struct sip_uri uri;
	struct addr host;

	return sip_uri_parse(slice_str(b->uri), &uri) == 0 &&
	       addr_parse_ip(uri.host, 0, &host) == 0 && addr_equal_ip(&host, &b->source);
}

const struct binding *location_by_contact(const struct location *location, struct slice uri)
{
	const struct binding *found = NULL;

	/* Anybody may write another's Contact into his own REGISTER, but not from there; and a number
	 * that somebody has written there leads nowhere. */
	for (struct map_node *n = find_contact(location, uri); n; n = map_next_same(n)) {
		const struct binding *b = MAP_ENTRY(n, struct binding, contact_node);

		if (b->callable && is_at_home(b))
			return b;
		if (b->callable && !found)
			found = b;
	}
	return found;
}

struct slice location_target(const struct binding *binding)
{
	struct slice text = slice_str(binding->uri);
	struct sip_uri uri;

	if (sip_uri_parse(text, &uri) == 0 && uri.headers.len)
		text.len = (size_t)(uri.headers.p - text.p) - 1;
	return text;
}

uint64_t location_instance(const struct binding *binding)
{
	uint64_t hash = binding->reg_id ? slice_hash(slice_str(binding->instance)) : 0;

	return binding->reg_id && hash == 0 ? 1 : hash;
}

bool location_is_spare(const struct binding *binding)
{
	struct list *end = &binding->user->bindings;

	if (!binding->reg_id)
		return false;
	for (struct list *pos = binding->link.next; pos != end; pos = pos->next) {
		const struct binding *b = LIST_ENTRY(pos, struct binding, link);

		if (b->reg_id && strcmp(b->instance, binding->instance) == 0)
			return true;
	}
	return false;
}

const struct binding *location_other_flow(const struct location *location, struct slice handle,
					  uint64_t instance, const uint64_t *tried, size_t count)
{
	const struct list *bindings = location_of(location, handle);
	const struct binding *b, *found = NULL;

	if (!bindings || !instance)
		return NULL;
	LIST_FOREACH (b, bindings, struct binding, link) {
		bool is_new = location_instance(b) == instance;

		for (size_t i = 0; i < count; i++)
			is_new = is_new && tried[i] != b->id;
		if (is_new)
			found = b;
	}
	return found;
}

void location_set_only_udp(struct location *location, struct slice uri)
{
	struct map_node *node = find_contact(location, uri);

	if (node)
		MAP_ENTRY(node, struct binding, contact_node)->only_udp = true;
}

const char *location_handle(const struct binding *binding)
{
	return binding->user->handle;
}

void location_flow_closed(struct location *location, uint64_t flow)
{
	struct location_flow *found = flow ? flow_find(location, flow) : NULL;
	struct binding *b;

	/* The last one takes the list away with it. */
	for (bool more = found != NULL; more;) {
		struct location_user *user;

		b = LIST_FIRST(&found->bindings, struct binding, flow_link);
		more = b->flow_link.next != &found->bindings;
		user = b->user;
		drop(location, b, LOCATION_CLOSED);
		user_tidy(location, user);
	}
}

void location_forget(struct location *location, struct slice handle)
{
	struct location_user *user = user_find(location, handle);
	struct binding *b;

	if (!user)
		return;
	LIST_FOREACH (b, &user->bindings, struct binding, link)
		drop(location, b, LOCATION_REMOVED);
	user_tidy(location, user);
}

void location_expire(struct location *location, int64_t now_ms)
{
	int64_t now_s = now_ms / 1000;
	struct location_user *user;
	struct binding *b;

	if (now_s - location->expired_s >= DUE_SLOTS || now_s < location->expired_s)
		location->expired_s = now_s - DUE_SLOTS + 1;
	for (;; location->expired_s++) {
		LIST_FOREACH (b, &location->due[(uint64_t)location->expired_s % DUE_SLOTS],
			      struct binding, due)
			if (b->expires_ms <= now_ms) {
				user = b->user;
				drop(location, b, LOCATION_EXPIRED);
				user_tidy(location, user);
			}
		if (location->expired_s == now_s)
			return; /* what is left of this second comes the next time */
	}
}

uint64_t location_version(const struct location *location)
{
	return location->version;
}

size_t location_count(const struct location *location)
{
	return location->count;
}

void location_walk(const struct location *location,
		   void (*fn)(void *user, const char *handle, const struct binding *binding),
		   void *user)
{
	struct map_node *node;
	struct map_iter it;
	struct binding *b;

	MAP_FOREACH (node, &location->users, &it) {
		struct location_user *owner = MAP_ENTRY(node, struct location_user, node);

		LIST_FOREACH (b, &owner->bindings, struct binding, link)
			fn(user, owner->handle, b);
	}
}

const char *location_event_name(enum location_event event)
{
	static const char *const names[] = { "added",	 "refreshed", "removed",
					     "replaced", "expired",   "closed" };

	return names[event];
}
