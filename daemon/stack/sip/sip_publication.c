/* SPDX-License-Identifier: Apache-2.0 */
/* sip_publication.c - see sip_publication.h. RFC 3903 section 6. */
#include "stack/sip/sip_publication.h"

#include "base/random.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_misc.h"
#include "stack/sip/sip_event_keep.h"
#include "stack/sip/sip_private.h"

#define ETAG_LEN 17

struct sip_publication {
	struct sip_publications *pubs;
	struct map_node by_etag, by_resource;
	struct timer expiry;
	uint64_t changed_at, order;
	char id[ETAG_LEN]; /* for ever */
	char etag[ETAG_LEN];
	bool restored;	       /* by a restart; not heard of since */
	struct slice resource; /* in text */
	struct slice body;     /* owned */
	char text[];
};

struct sip_publications {
	struct sip_stack *stack;
	struct sip_publications_config config;
	struct map by_etag, by_resource;
	uint64_t last_order;
	const struct sip_publications_keeper *keeper; /* NULL: nothing is kept */
	void *keeper_user;
};

int sip_publications_new(struct sip_stack *stack, const struct sip_publications_config *config,
			 struct sip_publications **ret, struct error *err)
{
	struct sip_publications *pubs = calloc(1, sizeof(*pubs));

	if (!pubs)
		return error_set(err, -ENOMEM, "no memory for publications");
	pubs->stack = stack;
	pubs->config = *config;
	if (!pubs->config.min_s)
		pubs->config.min_s = 60;
	if (!pubs->config.default_s)
		pubs->config.default_s = 3600;
	if (!pubs->config.max_s)
		pubs->config.max_s = 3600;
	if (!pubs->config.publications_max)
		pubs->config.publications_max = 65536;
	if (!pubs->config.per_resource_max)
		pubs->config.per_resource_max = 10;
	map_init(&pubs->by_etag);
	map_init(&pubs->by_resource);
	*ret = pubs;
	return 0;
}

static void destroy(struct sip_publication *pub)
{
	struct sip_publications *pubs = pub->pubs;

	if (pubs->keeper)
		pubs->keeper->forget(pubs->keeper_user, slice_str(pub->id));
	sip_timer_stop(pubs->stack, &pub->expiry);
	(void)map_remove(&pubs->by_etag, &pub->by_etag);
	(void)map_remove(&pubs->by_resource, &pub->by_resource);
	free((void *)(uintptr_t)pub->body.p);
	free(pub);
}

struct sip_publications *sip_publications_free(struct sip_publications *pubs)
{
	struct map_node *node;
	struct map_iter it;

	if (!pubs)
		return NULL;
	pubs->keeper = NULL;
	MAP_FOREACH (node, &pubs->by_etag, &it)
		destroy(MAP_ENTRY(node, struct sip_publication, by_etag));
	map_done(&pubs->by_etag);
	map_done(&pubs->by_resource);
	free(pubs);
	return NULL;
}

static void tell(struct sip_publications *pubs, struct slice resource)
{
	if (pubs->config.changed)
		pubs->config.changed(pubs->config.user, resource);
}

/* Remove and tell: the resource's name must outlive the publication it is stored in. */
static void remove_and_tell(struct sip_publication *pub)
{
	struct sip_publications *pubs = pub->pubs;
	AUTO(str) char *name = slice_dup(pub->resource);
	size_t len = pub->resource.len;

	destroy(pub);
	if (name)
		tell(pubs, slice_make(name, len));
}

static void expired(struct timer *t)
{
	remove_and_tell(CONTAINER_OF(t, struct sip_publication, expiry));
}

/* Queries --------------------------------------------------------------------------------------- */

static struct sip_publication *newest_below(const struct sip_publications *pubs,
					    struct slice resource, uint64_t order)
{
	struct map_node *node = map_get(&pubs->by_resource, resource);
	struct sip_publication *best = NULL;

	for (; node; node = map_next_same(node)) {
		struct sip_publication *pub = MAP_ENTRY(node, struct sip_publication, by_resource);

		if (pub->order < order && (!best || pub->order > best->order))
			best = pub;
	}
	return best;
}

const struct sip_publication *sip_publication_first(const struct sip_publications *pubs,
						    struct slice resource)
{
	return newest_below(pubs, resource, UINT64_MAX);
}

const struct sip_publication *sip_publication_next(const struct sip_publications *pubs,
						   const struct sip_publication *after)
{
	return newest_below(pubs, after->resource, after->order);
}

struct slice sip_publication_body(const struct sip_publication *pub)
{
	return pub->body;
}

struct slice sip_publication_etag(const struct sip_publication *pub)
{
	return slice_str(pub->etag);
}

uint64_t sip_publication_changed_at(const struct sip_publication *pub)
{
	return pub->changed_at;
}

size_t sip_publications_count(const struct sip_publications *pubs)
{
	return pubs->by_etag.count;
}

size_t sip_publication_forget(struct sip_publications *pubs, struct slice resource)
{
	struct sip_publication *pub;
	size_t count = 0;

	while ((pub = newest_below(pubs, resource, UINT64_MAX))) {
		destroy(pub);
		count++;
	}
	if (count > 0)
		tell(pubs, resource);
	return count;
}

/* Changes --------------------------------------------------------------------------------------- */

static int new_etag(struct sip_publication *pub)
{
	(void)map_remove(&pub->pubs->by_etag, &pub->by_etag);
	random_token(pub->etag, ETAG_LEN - 1);
	return map_add(&pub->pubs->by_etag, &pub->by_etag, slice_str(pub->etag));
}

static int set_body(struct sip_publication *pub, struct slice body)
{
	char *copy = malloc(body.len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, body.p, body.len);
	copy[body.len] = '\0';
	free((void *)(uintptr_t)pub->body.p);
	pub->body = slice_make(copy, body.len);
	pub->changed_at = pub->pubs->stack->timers->now_ms;
	pub->order = ++pub->pubs->last_order;
	return 0;
}

static void drop_restored(struct sip_publications *pubs, struct slice resource)
{
	struct map_node *node = map_get(&pubs->by_resource, resource), *next;

	for (; node; node = next) {
		struct sip_publication *pub = MAP_ENTRY(node, struct sip_publication, by_resource);

		next = map_next_same(node);
		if (pub->restored)
			destroy(pub);
	}
}

static void make_room(struct sip_publications *pubs, struct slice resource)
{
	struct sip_publication *pub, *last = NULL;
	uint64_t order = UINT64_MAX;
	uint32_t count = 0;

	while ((pub = newest_below(pubs, resource, order))) {
		order = pub->order;
		last = pub;
		count++;
	}
	/* A phone that restarts forgets its tag: the oldest of a person makes room. */
	if (last && count >= pubs->config.per_resource_max)
		destroy(last);
}

/* Without id and tag. */
static struct sip_publication *make(struct sip_publications *pubs, struct slice resource,
				    struct slice body)
{
	struct sip_publication *pub = calloc(1, sizeof(*pub) + resource.len);

	if (!pub)
		return NULL;
	pub->pubs = pubs;
	memcpy(pub->text, resource.p, resource.len);
	pub->resource = slice_make(pub->text, resource.len);
	if (set_body(pub, body) < 0 ||
	    map_add(&pubs->by_resource, &pub->by_resource, pub->resource) < 0) {
		free((void *)(uintptr_t)pub->body.p);
		free(pub);
		return NULL;
	}
	return pub;
}

static int create(struct sip_publications *pubs, struct slice resource, struct slice body,
		  struct sip_publication **ret)
{
	struct sip_publication *pub;

	if (pubs->config.one_source)
		drop_restored(pubs, resource);
	make_room(pubs, resource);
	if (pubs->by_etag.count >= pubs->config.publications_max)
		return -EUSERS;
	pub = make(pubs, resource, body);
	if (!pub)
		return -ENOMEM;
	random_token(pub->id, ETAG_LEN - 1);
	if (new_etag(pub) < 0) {
		destroy(pub);
		return -ENOMEM;
	}
	*ret = pub;
	return 0;
}

/* PUBLISH ----------------------------------------------------------------------------------------- */

struct answer {
	unsigned status;
	const char *etag;
	uint32_t expires_s;
};

static unsigned check_body(const struct sip_publications *pubs, const struct sip_msg *msg,
			   struct slice resource)
{
	struct slice type = sip_msg_value(msg, SIP_HDR_CONTENT_TYPE);

	if (msg->body.len > SIP_PUBLICATION_BODY_MAX)
		return 413;
	if (!type.p || !sip_content_type_is(type, slice_str(pubs->config.content_type)))
		return 415;
	if (pubs->config.check && pubs->config.check(pubs->config.user, resource, msg->body) < 0)
		return 400;
	return 0;
}

static unsigned grant_time(const struct sip_publications *pubs, const struct sip_msg *msg,
			   uint32_t *ret_s)
{
	uint32_t want = pubs->config.default_s;
	int r = sip_msg_expires(msg, &want);

	if (r < 0 && r != -ENOENT)
		return 400;
	if (want > pubs->config.max_s)
		want = pubs->config.max_s;
	if (want > 0 && want < pubs->config.min_s && want < 3600)
		return 423;
	*ret_s = want;
	return 0;
}

static struct sip_publication *find(struct sip_publications *pubs, struct slice etag,
				    struct slice resource)
{
	struct map_node *node = map_get(&pubs->by_etag, etag);
	struct sip_publication *pub =
		node ? MAP_ENTRY(node, struct sip_publication, by_etag) : NULL;

	return pub && slice_eq(pub->resource, resource) ? pub : NULL;
}

static void keep(const struct sip_publication *pub, uint64_t expires_in_ms)
{
	const struct sip_publications *pubs = pub->pubs;
	const struct sip_publication_kept kept = { .resource = pub->resource,
						   .etag = slice_str(pub->etag),
						   .body = pub->body,
						   .order = pub->order,
						   .expires_in_ms = expires_in_ms };

	if (pubs->keeper)
		pubs->keeper->keep(pubs->keeper_user, slice_str(pub->id), &kept);
}

static void keep_until(struct sip_publication *pub, uint32_t expires_s, struct answer *a)
{
	sip_timer(pub->pubs->stack, &pub->expiry, 1000ULL * expires_s, expired);
	pub->restored = false;
	keep(pub, 1000ULL * expires_s);
	a->etag = pub->etag;
	a->expires_s = expires_s;
	a->status = 200;
}

/* Table 1 of RFC 3903: initial, refresh, modify, remove. Returns whether the state changed. */
static bool apply(struct sip_publications *pubs, const struct sip_msg *msg, struct slice resource,
		  struct answer *a)
{
	struct slice match = sip_msg_value(msg, SIP_HDR_SIP_IF_MATCH);
	struct sip_publication *pub = match.p ? find(pubs, match, resource) : NULL;
	uint32_t expires_s = 0;
	bool body = msg->body.len > 0;

	a->status = grant_time(pubs, msg, &expires_s);
	if (a->status == 0 && match.p && !pub)
		a->status = 412;
	if (a->status == 0 && !match.p && !body)
		a->status = 400;
	if (a->status == 0 && body)
		a->status = check_body(pubs, msg, resource);
	if (a->status != 0)
		return false;
	if (expires_s == 0) {
		a->status = 200;
		if (pub)
			destroy(pub);
		return pub != NULL;
	}
	a->status = 503;
	if (!pub) {
		if (create(pubs, resource, msg->body, &pub) < 0)
			return false;
	} else if ((body && set_body(pub, msg->body) < 0) || new_etag(pub) < 0) {
		destroy(pub);
		return true;
	}
	keep_until(pub, expires_s, a);
	return body;
}

static void build_headers(const struct sip_publications *pubs, const struct answer *a,
			  struct buf *out)
{
	if (a->status == 200) {
		char etag[ETAG_LEN];

		random_token(etag, ETAG_LEN - 1);
		sip_build_header(out, SIP_HDR_SIP_ETAG, slice_str(a->etag ? a->etag : etag));
		sip_build_header_u32(out, SIP_HDR_EXPIRES, a->expires_s);
	} else if (a->status == 423) {
		sip_build_header_u32(out, SIP_HDR_MIN_EXPIRES, pubs->config.min_s);
	} else if (a->status == 415) {
		sip_build_header(out, SIP_HDR_ACCEPT, slice_str(pubs->config.content_type));
	} else if (a->status == 489) {
		sip_build_header(out, SIP_HDR_ALLOW_EVENTS, slice_str(pubs->config.event));
	}
}

int sip_publication_serve(struct sip_publications *pubs, const struct sip_incoming *in,
			  struct slice resource)
{
	struct slice value = sip_msg_value(in->msg, SIP_HDR_EVENT);
	struct answer a = { 0 };
	struct sip_server_txn *txn;
	struct sip_event event;
	struct sip_extra extra;
	AUTO_BUF lines = { 0 };
	bool changed = false;

	if (sip_server_txn_new(pubs->stack, in, NULL, NULL, &txn) < 0) {
		(void)sip_stack_reply(pubs->stack, in, 503, NULL);
		return 0;
	}
	if (!value.p || sip_event_parse(value, &event) < 0 ||
	    !slice_eq_str_nocase(event.type, pubs->config.event))
		a.status = 489;
	else
		changed = apply(pubs, in->msg, resource, &a);
	build_headers(pubs, &a, &lines);
	extra = (struct sip_extra){ .headers = buf_slice(&lines) };
	(void)sip_server_txn_reply(txn, a.status, &extra);
	if (changed)
		tell(pubs, resource);
	return 0;
}

/* Over a restart (sip_event_keep.h) -------------------------------------------------------------- */

void sip_publications_set_keeper(struct sip_publications *pubs,
				 const struct sip_publications_keeper *keeper, void *user)
{
	pubs->keeper = keeper;
	pubs->keeper_user = user;
}

int sip_publications_restore(struct sip_publications *pubs, struct slice id,
			     const struct sip_publication_kept *kept)
{
	struct sip_publication *pub;

	if (id.len != ETAG_LEN - 1 || kept->etag.len != ETAG_LEN - 1 || kept->body.len == 0 ||
	    kept->body.len > SIP_PUBLICATION_BODY_MAX || kept->order >= UINT64_MAX / 2 ||
	    kept->expires_in_ms == 0 || kept->expires_in_ms > INT32_MAX ||
	    (pubs->config.check &&
	     pubs->config.check(pubs->config.user, kept->resource, kept->body) < 0))
		return -EINVAL;
	if (map_get(&pubs->by_etag, kept->etag))
		return -EEXIST;
	if (pubs->by_etag.count >= pubs->config.publications_max)
		return -EUSERS;
	pub = make(pubs, kept->resource, kept->body);
	if (!pub)
		return -ENOMEM;
	(void)slice_copy(id, pub->id, sizeof(pub->id));
	(void)slice_copy(kept->etag, pub->etag, sizeof(pub->etag));
	if (map_add(&pubs->by_etag, &pub->by_etag, slice_str(pub->etag)) < 0) {
		destroy(pub);
		return -ENOMEM;
	}
	pub->order = kept->order;
	if (pubs->last_order < kept->order)
		pubs->last_order = kept->order;
	pub->restored = true;
	sip_timer(pubs->stack, &pub->expiry, kept->expires_in_ms, expired);
	return 0;
}
