/* SPDX-License-Identifier: Apache-2.0 */
/* dns.c - see dns.h. */
#include "net/dns.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unbound.h>

#include "base/list.h"
#include "base/loop.h"

#define CLASS_IN 1
#define TTL_NO_S 5	/* nothing there, and the zone does not say how long */
#define TTL_MAX_S 86400 /* nothing is believed for longer */
#define RCODE_NXDOMAIN 3

struct dns {
	struct loop *loop;
	struct ub_ctx *context;
	struct loop_io io;
	struct list queries;
	uint32_t count;
};

struct dns_query {
	struct list link;
	struct dns *dns;
	enum dns_type type;
	int id;
	dns_done_fn *done; /* NULL: cancelled */
	void *user;
};

/* Records ------------------------------------------------------------------------------------- */

static bool take_u16(struct slice *in, uint16_t *ret)
{
	struct slice two = slice_take(in, 2);

	if (two.len != 2)
		return false;
	*ret = (uint16_t)((unsigned char)two.p[0] << 8 | (unsigned char)two.p[1]);
	return true;
}

/* character-string = length byte, bytes (RFC 1035 section 3.3) */
static bool take_string(struct slice *in, struct slice *ret)
{
	struct slice one = slice_take(in, 1);
	size_t len;

	if (one.len != 1)
		return false;
	len = (unsigned char)one.p[0];
	*ret = slice_take(in, len);
	return ret->len == len;
}

/* Labels up to the empty one, joined with dots; only what a host name may hold. */
static bool take_name(struct slice *in, char ret[static DNS_NAME_MAX])
{
	struct slice label;
	size_t len = 0;

	for (;;) {
		if (!take_string(in, &label) || label.len > 63)
			return false;
		if (label.len == 0)
			break;
		if (len + label.len + 2 > DNS_NAME_MAX)
			return false;
		for (size_t i = 0; i < label.len; i++)
			if (!ascii_is_alnum((unsigned char)label.p[i]) && label.p[i] != '-' &&
			    label.p[i] != '_')
				return false;
		if (len > 0)
			ret[len++] = '.';
		memcpy(ret + len, label.p, label.len);
		len += label.len;
	}
	ret[len] = '\0';
	return true;
}

static bool take_text(struct slice *in, char *ret, size_t size)
{
	struct slice text;

	return take_string(in, &text) && !slice_has_nul(text) && slice_copy(text, ret, size) == 0;
}

static bool parse_address(enum dns_type type, struct slice rdata, struct addr *ret)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (type == DNS_A && rdata.len == sizeof(in4.sin_addr)) {
		memcpy(&in4.sin_addr, rdata.p, sizeof(in4.sin_addr));
		return addr_from_sockaddr((struct sockaddr *)&in4, sizeof(in4), ret) == 0;
	}
	if (type == DNS_AAAA && rdata.len == sizeof(in6.sin6_addr)) {
		memcpy(&in6.sin6_addr, rdata.p, sizeof(in6.sin6_addr));
		return addr_from_sockaddr((struct sockaddr *)&in6, sizeof(in6), ret) == 0;
	}
	return false;
}

int dns_record_parse(enum dns_type type, struct slice rdata, struct dns_record *ret)
{
	struct dns_record out = { 0 };
	struct slice regexp;
	bool ok = false;

	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		ok = parse_address(type, rdata, &out.addr);
		rdata.len = 0;
		break;
	case DNS_SRV:
		ok = take_u16(&rdata, &out.priority) && take_u16(&rdata, &out.weight) &&
		     take_u16(&rdata, &out.port) && take_name(&rdata, out.name);
		break;
	case DNS_NAPTR:
		ok = take_u16(&rdata, &out.priority) && take_u16(&rdata, &out.weight) &&
		     take_text(&rdata, out.flags, sizeof(out.flags)) &&
		     take_text(&rdata, out.service, sizeof(out.service)) &&
		     take_string(&rdata, &regexp) && take_name(&rdata, out.name);
		for (char *c = out.flags; *c; c++)
			*c = ascii_lower(*c);
		break;
	}
	if (!ok || rdata.len != 0)
		return -EBADMSG;
	*ret = out;
	return 0;
}

/* Queries ------------------------------------------------------------------------------------- */

static void forget(struct dns_query *q)
{
	q->dns->count--;
	list_remove(&q->link);
	free(q);
}

static void tell(struct dns_query *q, const struct ub_result *result)
{
	AUTO(mem) void *storage = calloc(DNS_RECORDS_MAX, sizeof(struct dns_record));
	struct dns_record *records = storage;
	size_t count = 0;
	uint32_t ttl = result->ttl > 0 ? (uint32_t)result->ttl : TTL_NO_S;

	if (!records) {
		q->done(q->user, -EIO, NULL, 0, TTL_NO_S);
		return;
	}
	for (size_t i = 0; result->havedata && result->data[i] && count < DNS_RECORDS_MAX; i++) {
		struct slice rdata = slice_make(result->data[i], (size_t)result->len[i]);

		if (dns_record_parse(q->type, rdata, &records[count]) == 0)
			count++;
	}
	ttl = ttl < TTL_MAX_S ? ttl : TTL_MAX_S;
	if (result->havedata || result->rcode == 0)
		q->done(q->user, 0, records, count, ttl);
	else
		q->done(q->user, result->rcode == RCODE_NXDOMAIN ? -ENOENT : -EIO, NULL, 0,
			result->rcode == RCODE_NXDOMAIN ? ttl : TTL_NO_S);
}

static void answered(void *user, int error, struct ub_result *result)
{
	struct dns_query *q = user;

	if (q->done && error == 0 && result)
		tell(q, result);
	else if (q->done)
		q->done(q->user, -EIO, NULL, 0, TTL_NO_S);
	ub_resolve_free(result);
	forget(q);
}

static void answers_ready(struct loop_io *io, uint32_t events)
{
	struct dns *dns = CONTAINER_OF(io, struct dns, io);

	(void)events;
	(void)ub_process(dns->context);
}

static int set_up(struct dns *dns, const char *server, struct error *err)
{
	int r = 0;

	(void)ub_ctx_async(dns->context, 1); /* a thread, not a process */
	/* What is not signed is taken: the box trusts the resolver that it was given. */
	(void)ub_ctx_set_option(dns->context, "module-config:", "iterator");
	if (server && *server) {
		/* Also one on loopback, and zones that only it knows. */
		(void)ub_ctx_set_option(dns->context, "do-not-query-localhost:", "no");
		r = ub_ctx_set_fwd(dns->context, server);
		if (r != 0)
			return error_set(err, -EINVAL, "'%s' is no resolver", server);
		return 0;
	}
	/* A missing file is no failure: then nothing but addresses is known. */
	(void)ub_ctx_resolvconf(dns->context, NULL);
	(void)ub_ctx_hosts(dns->context, NULL);
	return 0;
}

int dns_new(struct loop *loop, const struct dns_config *config, struct dns **ret, struct error *err)
{
	AUTO(dns) struct dns *dns = calloc(1, sizeof(*dns));
	int r;

	if (!dns)
		return error_set(err, -ENOMEM, "no memory for the resolver");
	list_init(&dns->queries);
	dns->loop = loop;
	dns->io.fd = -1;
	dns->context = ub_ctx_create();
	if (!dns->context)
		return error_set(err, -ENOMEM, "no memory for the resolver");
	r = set_up(dns, config ? config->server : NULL, err);
	if (r < 0)
		return r;
	r = loop_io_add(loop, &dns->io, ub_fd(dns->context), EPOLLIN, answers_ready);
	if (r < 0)
		return error_set(err, r, "cannot watch the resolver");
	*ret = TAKE(dns);
	return 0;
}

struct dns *dns_free(struct dns *dns)
{
	struct dns_query *q;

	if (!dns)
		return NULL;
	if (dns->io.fd >= 0)
		loop_io_remove(&dns->io);
	if (dns->context)
		ub_ctx_delete(dns->context); /* ends its thread; nothing is called */
	LIST_FOREACH (q, &dns->queries, struct dns_query, link)
		free(q);
	free(dns);
	return NULL;
}

int dns_ask(struct dns *dns, const char *name, enum dns_type type, dns_done_fn *done, void *user,
	    struct dns_query **ret)
{
	struct dns_query *q;
	size_t len = strlen(name);

	if (len == 0 || len >= DNS_NAME_MAX)
		return -EINVAL;
	if (dns->count >= DNS_QUERIES_MAX)
		return -EUSERS;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->dns = dns;
	q->type = type;
	q->done = done;
	q->user = user;
	list_append(&dns->queries, &q->link);
	dns->count++;
	if (ub_resolve_async(dns->context, name, (int)type, CLASS_IN, q, answered, &q->id) != 0) {
		forget(q);
		return -ENOMEM;
	}
	*ret = q;
	return 0;
}

void dns_cancel(struct dns_query *query)
{
	/* libunbound's own cancel may not be called while it reports; so the answer is ignored. */
	query->done = NULL;
}
