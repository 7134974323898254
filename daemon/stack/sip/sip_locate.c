/* SPDX-License-Identifier: Apache-2.0 */
/* sip_locate.c - see sip_locate.h. One question to the DNS at a time for each name: first NAPTR, then SRV,
 * then the addresses of each server found, in the order in which they are to be tried. */
#include "stack/sip/sip_locate.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/map.h"

#define SERVERS_MAX 8 /* SRV records followed */
#define SRV_MAX 6     /* SRV names asked: one a NAPTR or transport */
#define FAILED_TTL_S 5

enum step { STEP_NAPTR, STEP_SRV, STEP_ADDRESS, STEP_DONE };

struct server { /* a name with a port, whose addresses are to be found */
	enum sip_transport transport;
	uint16_t port;
	char name[DNS_NAME_MAX];
};

struct srv { /* an SRV name to be asked */
	enum sip_transport transport;
	char name[DNS_NAME_MAX + 16];
};

struct place {
	struct map_node node;
	struct list used; /* in the locator, oldest first */
	struct sip_locator *locator;
	struct list waiting;
	enum step step;
	struct dns_query *query;
	bool second_family; /* of the server being asked for */
	bool denied;	    /* an SRV record says: not here */
	uint64_t begun_ms;
	uint64_t until_ms; /* step DONE: how long this is good */
	uint32_t ttl_s;
	/* what was asked for */
	char host[DNS_NAME_MAX];
	uint16_t port;
	enum sip_transport transport;
	bool secure;
	/* on the way */
	struct srv srvs[SRV_MAX];
	size_t srv_count, srv_at;
	struct server servers[SERVERS_MAX];
	size_t server_count, server_at;
	struct sip_target fresh[SIP_LOCATE_TARGETS];
	size_t fresh_count;
	/* the result; while it is looked up again the old one stays */
	struct sip_target targets[SIP_LOCATE_TARGETS];
	uint64_t failed_ms[SIP_LOCATE_TARGETS]; /* 0 = not lately */
	size_t count;
	size_t key_len;
	char key[];
};

struct sip_locator {
	struct sip_locate_dns dns;
	struct sip_locate_rules rules;
	struct map places;
	struct list by_use;
};

static void go_on(struct place *p);

int sip_locator_new(const struct sip_locate_dns *dns, const struct sip_locate_rules *rules,
		    struct sip_locator **ret)
{
	struct sip_locator *locator = calloc(1, sizeof(*locator));

	if (!locator)
		return -ENOMEM;
	locator->dns = *dns;
	locator->rules = *rules;
	map_init(&locator->places);
	list_init(&locator->by_use);
	*ret = locator;
	return 0;
}

static void let_go(struct place *p)
{
	struct sip_locate_wait *wait;

	LIST_FOREACH (wait, &p->waiting, struct sip_locate_wait, link) {
		list_remove(&wait->link);
		wait->waiting = false;
	}
	if (p->query)
		p->locator->dns.cancel(p->locator->dns.user, p->query);
	(void)map_remove(&p->locator->places, &p->node);
	list_remove(&p->used);
	free(p);
}

struct sip_locator *sip_locator_free(struct sip_locator *locator)
{
	struct place *p;

	if (!locator)
		return NULL;
	LIST_FOREACH (p, &locator->by_use, struct place, used)
		let_go(p);
	map_done(&locator->places);
	free(locator);
	return NULL;
}

static bool can(const struct place *p, enum sip_transport transport)
{
	if (p->secure && transport != SIP_TRANSPORT_TLS)
		return false;
	return p->locator->rules.transports & 1U << transport;
}

static uint16_t default_port(enum sip_transport transport)
{
	return transport == SIP_TRANSPORT_TLS ? 5061 : 5060;
}

/* Questions in the order of RFC 3263 section 4 ---------------------------------------------------- */

/* What failed lately stays out, also when it is named again. */
static void take_result(struct place *p)
{
	uint64_t failed[SIP_LOCATE_TARGETS] = { 0 };

	for (size_t i = 0; i < p->fresh_count; i++)
		for (size_t k = 0; k < p->count; k++)
			if (p->targets[k].transport == p->fresh[i].transport &&
			    addr_equal(&p->targets[k].addr, &p->fresh[i].addr))
				failed[i] = p->failed_ms[k];
	memcpy(p->targets, p->fresh, sizeof(p->targets));
	memcpy(p->failed_ms, failed, sizeof(failed));
	p->count = p->fresh_count;
}

static void finish(struct place *p, int r)
{
	struct sip_locate_wait *wait;
	struct list woken;

	p->step = STEP_DONE;
	take_result(p);
	if (p->ttl_s == UINT32_MAX || p->count == 0)
		p->ttl_s = FAILED_TTL_S;
	p->until_ms = p->locator->rules.now_ms(p->locator->rules.user) + p->ttl_s * 1000ULL;
	/* The woken ask again, and may begin to wait for something else. */
	list_init(&woken);
	while ((wait = LIST_FIRST(&p->waiting, struct sip_locate_wait, link))) {
		list_remove(&wait->link);
		list_append(&woken, &wait->link);
	}
	r = r < 0 ? r : p->count ? 0 : -ENOENT;
	while ((wait = LIST_FIRST(&woken, struct sip_locate_wait, link))) {
		list_remove(&wait->link);
		wait->waiting = false;
		wait->woken(wait, r);
	}
}

static bool add_server(struct place *p, enum sip_transport transport, const char *name,
		       uint16_t port)
{
	struct server *s = &p->servers[p->server_count];

	if (p->server_count == SERVERS_MAX)
		return false;
	s->transport = transport;
	s->port = port;
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	p->server_count++;
	return true;
}

static void add_srv(struct place *p, enum sip_transport transport, const char *name)
{
	static const char *const prefix[] = { [SIP_TRANSPORT_UDP] = "_sip._udp.",
					      [SIP_TRANSPORT_TCP] = "_sip._tcp.",
					      [SIP_TRANSPORT_TLS] = "_sips._tcp." };
	struct srv *s = &p->srvs[p->srv_count];

	if (p->srv_count == SRV_MAX || !can(p, transport))
		return;
	s->transport = transport;
	(void)snprintf(s->name, sizeof(s->name), "%s%s", name ? "" : prefix[transport],
		       name ? name : p->host);
	p->srv_count++;
}

/* No NAPTR: SRV for each transport, or for the one that was written. */
static void ask_every_srv(struct place *p)
{
	static const enum sip_transport order[] = { SIP_TRANSPORT_UDP, SIP_TRANSPORT_TCP,
						    SIP_TRANSPORT_TLS };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (p->transport == SIP_TRANSPORT_OTHER || p->transport == order[i])
			add_srv(p, order[i], NULL);
	p->step = STEP_SRV;
}

static enum sip_transport plain_transport(const struct place *p)
{
	if (p->transport != SIP_TRANSPORT_OTHER)
		return p->transport;
	if (!p->secure && can(p, SIP_TRANSPORT_UDP))
		return SIP_TRANSPORT_UDP;
	return can(p, SIP_TRANSPORT_TLS) ? SIP_TRANSPORT_TLS : SIP_TRANSPORT_TCP;
}

/* No SRV either, or a port was written: the name itself is the server. */
static void ask_host_itself(struct place *p)
{
	enum sip_transport transport = plain_transport(p);

	if (can(p, transport))
		(void)add_server(p, transport, p->host,
				 p->port ? p->port : default_port(transport));
	p->step = STEP_ADDRESS;
}

static void keep_ttl(struct place *p, uint32_t ttl_s)
{
	if (ttl_s < p->ttl_s)
		p->ttl_s = ttl_s;
}

/* By priority (order), then weight (preference); stable for what is equal. */
static void sort(struct dns_record *records, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct dns_record moving = records[i];
		size_t k = i;

		while (k > 0 && (records[k - 1].priority > moving.priority ||
				 (records[k - 1].priority == moving.priority &&
				  records[k - 1].weight > moving.weight))) {
			records[k] = records[k - 1];
			k--;
		}
		records[k] = moving;
	}
}

/* RFC 2782: within a priority, sorted by weight, one after the other drawn at random by weight. */
static void draw(struct place *p, struct dns_record *records, size_t count)
{
	const struct sip_locate_rules *rules = &p->locator->rules;

	for (size_t i = 0; i < count; i++) {
		uint32_t sum = 0, at, run = 0;
		size_t last = i, pick = i;

		while (last < count && records[last].priority == records[i].priority)
			sum += records[last++].weight;
		at = sum ? rules->random(rules->user) % (sum + 1) : 0;
		for (pick = i; pick < last - 1; pick++) {
			run += records[pick].weight;
			if (run >= at)
				break;
		}
		if (pick != i) {
			struct dns_record chosen = records[pick];

			memmove(&records[i + 1], &records[i], (pick - i) * sizeof(*records));
			records[i] = chosen;
		}
	}
}

static enum sip_transport service_transport(const char *service)
{
	struct slice text = slice_str(service);

	if (slice_eq_str_nocase(text, "SIP+D2U"))
		return SIP_TRANSPORT_UDP;
	if (slice_eq_str_nocase(text, "SIP+D2T"))
		return SIP_TRANSPORT_TCP;
	return slice_eq_str_nocase(text, "SIPS+D2T") ? SIP_TRANSPORT_TLS : SIP_TRANSPORT_OTHER;
}

static void take_naptr(struct place *p, const struct dns_record *records, size_t count)
{
	struct dns_record sorted[DNS_RECORDS_MAX];

	if (count > 0)
		memcpy(sorted, records, count * sizeof(*records));
	sort(sorted, count);
	for (size_t i = 0; i < count; i++) {
		enum sip_transport transport = service_transport(sorted[i].service);

		if (transport != SIP_TRANSPORT_OTHER && strcmp(sorted[i].flags, "s") == 0 &&
		    sorted[i].name[0])
			add_srv(p, transport, sorted[i].name);
	}
}

static void take_srv(struct place *p, const struct dns_record *records, size_t count)
{
	struct dns_record sorted[DNS_RECORDS_MAX];
	enum sip_transport transport = p->srvs[p->srv_at].transport;

	if (count > 0)
		memcpy(sorted, records, count * sizeof(*records));
	sort(sorted, count);
	draw(p, sorted, count);
	for (size_t i = 0; i < count; i++)
		if (sorted[i].name[0] && sorted[i].port)
			(void)add_server(p, transport, sorted[i].name, sorted[i].port);
		else
			p->denied = true; /* "." (RFC 2782): decidedly not here */
}

static void take_addresses(struct place *p, const struct dns_record *records, size_t count)
{
	const struct server *s = &p->servers[p->server_at];

	for (size_t i = 0; i < count && p->fresh_count < SIP_LOCATE_TARGETS; i++) {
		struct sip_target *t = &p->fresh[p->fresh_count++];

		t->transport = s->transport;
		t->addr = records[i].addr;
		addr_set_port(&t->addr, s->port);
	}
}

static void answered(void *user, int r, const struct dns_record *records, size_t count,
		     uint32_t ttl_s)
{
	struct place *p = user;

	p->query = NULL;
	count = r < 0 ? 0 : count < DNS_RECORDS_MAX ? count : DNS_RECORDS_MAX;
	if (count > 0)
		keep_ttl(p, ttl_s);
	switch (p->step) {
	case STEP_NAPTR:
		take_naptr(p, records, count);
		if (p->srv_count == 0)
			ask_every_srv(p);
		p->step = STEP_SRV;
		break;
	case STEP_SRV:
		take_srv(p, records, count);
		p->srv_at++;
		break;
	case STEP_ADDRESS:
		take_addresses(p, records, count);
		if (!p->second_family && p->locator->rules.ipv4 && p->locator->rules.ipv6) {
			p->second_family = true;
		} else {
			p->second_family = false;
			p->server_at++;
		}
		break;
	case STEP_DONE:
		return;
	}
	go_on(p);
}

/* What is to be asked now; false: nothing is left. */
static bool next_question(struct place *p, const char **name, enum dns_type *type)
{
	const struct sip_locate_rules *rules = &p->locator->rules;

	if (p->step == STEP_NAPTR) {
		*name = p->host;
		*type = DNS_NAPTR;
		return true;
	}
	if (p->step == STEP_SRV && p->srv_at < p->srv_count) {
		*name = p->srvs[p->srv_at].name;
		*type = DNS_SRV;
		return true;
	}
	if (p->step == STEP_SRV) {
		p->step = STEP_ADDRESS;
		if (p->server_count == 0 && !p->denied)
			ask_host_itself(p);
	}
	if (p->step != STEP_ADDRESS || p->server_at >= p->server_count ||
	    p->fresh_count == SIP_LOCATE_TARGETS)
		return false;
	*name = p->servers[p->server_at].name;
	*type = rules->ipv6 && !p->second_family ? DNS_AAAA : DNS_A;
	return true;
}

static void go_on(struct place *p)
{
	const struct sip_locate_dns *dns = &p->locator->dns;
	enum dns_type type;
	const char *name;
	int r;

	if (!next_question(p, &name, &type)) {
		finish(p, 0);
		return;
	}
	r = dns->ask(dns->user, name, type, answered, p, &p->query);
	if (r < 0)
		finish(p, r);
}

/* Names kept ------------------------------------------------------------------------------------ */

static void begin(struct place *p)
{
	p->step = STEP_NAPTR;
	p->ttl_s = UINT32_MAX;
	p->srv_count = p->srv_at = p->server_count = p->server_at = p->fresh_count = 0;
	p->second_family = p->denied = false;
	p->begun_ms = p->locator->rules.now_ms(p->locator->rules.user);
	if (p->port)
		ask_host_itself(p);
	else if (p->transport != SIP_TRANSPORT_OTHER)
		ask_every_srv(p);
}

static int make_key(const struct sip_locate_what *what, char *key, size_t size)
{
	char host[DNS_NAME_MAX];
	struct slice name = what->host;
	int n;

	if (name.len > 0 && name.p[name.len - 1] == '.')
		name.len--;
	if (name.len == 0 || slice_has_nul(name) || slice_copy(name, host, sizeof(host)) < 0)
		return -EINVAL;
	for (char *c = host; *c; c++)
		*c = ascii_lower(*c);
	n = snprintf(key, size, "%u %u %d %s", what->port, (unsigned)what->transport, what->secure,
		     host);
	return n > 0 && (size_t)n < size ? n : -EINVAL;
}

static int make(struct sip_locator *locator, const struct sip_locate_what *what, const char *key,
		struct place **ret)
{
	size_t len = strlen(key);
	struct place *p, *oldest = NULL;

	if (locator->places.count >= SIP_LOCATE_NAMES) {
		LIST_FOREACH (p, &locator->by_use, struct place, used) {
			oldest = p;
			if (p->step == STEP_DONE)
				break;
		}
		if (!oldest || oldest->step != STEP_DONE)
			return -EUSERS;
		let_go(oldest);
	}
	p = calloc(1, sizeof(*p) + len + 1);
	if (!p)
		return -ENOMEM;
	p->locator = locator;
	list_init(&p->waiting);
	memcpy(p->key, key, len);
	p->key_len = len;
	(void)snprintf(p->host, sizeof(p->host), "%s", strrchr(key, ' ') + 1);
	p->port = what->port;
	p->transport = what->transport;
	p->secure = what->secure;
	if (p->secure && p->transport == SIP_TRANSPORT_TCP)
		p->transport = SIP_TRANSPORT_TLS;
	p->step = STEP_DONE;
	if (map_add(&locator->places, &p->node, slice_make(p->key, p->key_len)) < 0) {
		free(p);
		return -ENOMEM;
	}
	list_append(&locator->by_use, &p->used);
	*ret = p;
	return 0;
}

/* The place, its answer in place or on the way. */
static int find(struct sip_locator *locator, const struct sip_locate_what *what,
		struct sip_locate_wait *wait, struct place **ret)
{
	char key[DNS_NAME_MAX + 32];
	struct map_node *node;
	struct place *p;
	int r = make_key(what, key, sizeof(key));

	if (r < 0)
		return r;
	node = map_get(&locator->places, slice_str(key));
	if (node) {
		p = MAP_ENTRY(node, struct place, node);
		list_remove(&p->used);
		list_append(&locator->by_use, &p->used);
	} else {
		r = make(locator, what, key, &p);
		if (r < 0)
			return r;
	}
	if (p->step == STEP_DONE && locator->rules.now_ms(locator->rules.user) >= p->until_ms) {
		begin(p);
		go_on(p);
	}
	/* Who cannot wait gets what was known. */
	if (p->step != STEP_DONE && (wait || p->count == 0)) {
		if (wait && !wait->waiting) {
			wait->waiting = true;
			list_append(&p->waiting, &wait->link);
		}
		return -EINPROGRESS;
	}
	if (p->count == 0)
		return -ENOENT;
	*ret = p;
	return 0;
}

void sip_locator_sweep(struct sip_locator *locator)
{
	uint64_t now = locator->rules.now_ms(locator->rules.user);
	struct place *p;
	bool again = true;

	/* Whoever is woken may ask for other names: begin anew after each. */
	while (again) {
		again = false;
		LIST_FOREACH (p, &locator->by_use, struct place, used) {
			if (p->step == STEP_DONE || now < p->begun_ms + SIP_LOCATE_PATIENCE_MS)
				continue;
			if (p->query)
				locator->dns.cancel(locator->dns.user, p->query);
			p->query = NULL;
			p->fresh_count = 0;
			again = true;
			finish(p, -ETIMEDOUT);
			break;
		}
	}
}

static bool is_out(const struct place *p, size_t i)
{
	uint64_t now = p->locator->rules.now_ms(p->locator->rules.user);

	return p->failed_ms[i] && now < p->failed_ms[i] + SIP_LOCATE_PENALTY_MS;
}

int sip_locate(struct sip_locator *locator, const struct sip_locate_what *what,
	       struct sip_target *ret, struct sip_locate_wait *wait)
{
	struct place *p;
	size_t best = 0;
	int r = find(locator, what, wait, &p);

	if (r < 0)
		return r;
	for (size_t i = 0; i < p->count; i++) {
		if (!is_out(p, i)) {
			best = i;
			break;
		}
		if (p->failed_ms[i] < p->failed_ms[best])
			best = i;
	}
	*ret = p->targets[best];
	return 0;
}

bool sip_locate_failed(struct sip_locator *locator, const struct sip_locate_what *what,
		       const struct sip_target *target)
{
	char key[DNS_NAME_MAX + 32];
	struct map_node *node;
	struct place *p;
	bool other = false;

	if (make_key(what, key, sizeof(key)) < 0)
		return false;
	node = map_get(&locator->places, slice_str(key));
	if (!node)
		return false;
	p = MAP_ENTRY(node, struct place, node);
	for (size_t i = 0; i < p->count; i++) {
		if (p->targets[i].transport == target->transport &&
		    addr_equal(&p->targets[i].addr, &target->addr))
			p->failed_ms[i] = locator->rules.now_ms(locator->rules.user) | 1;
		other = other || !is_out(p, i);
	}
	return other && p->step == STEP_DONE;
}

void sip_locate_stop(struct sip_locate_wait *wait)
{
	if (!wait->waiting)
		return;
	list_remove(&wait->link);
	wait->waiting = false;
}

int sip_locate_all(struct sip_locator *locator, const struct sip_locate_what *what,
		   struct sip_target ret[static SIP_LOCATE_TARGETS], struct sip_locate_wait *wait)
{
	struct place *p;
	int r = find(locator, what, wait, &p);

	if (r < 0)
		return r;
	memcpy(ret, p->targets, p->count * sizeof(*ret));
	return (int)p->count;
}
