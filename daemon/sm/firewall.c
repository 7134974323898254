/* SPDX-License-Identifier: Apache-2.0 */
/* firewall.c - what the network may ask of sm before anybody is known, see firewall.h. */
#include "sm/firewall.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"

#define MALFORMED_WINDOW_MS 10000
#define FAILED_WINDOW_MS 60000
/* Who proved to be a user this lately is not shut out for what others send in its name: the source
 * of a datagram can be made up. */
#define GOOD_FOR_MS 300000
/* What a right password gives back: the challenge, the request, and the other messages of a call. */
#define REFUND 10
#define SHOWN_MAX 500
#define LOG_EVERY_MS 1000

struct net {
	struct addr base;
	unsigned bits;
};

struct nets {
	struct net at[FIREWALL_NETS_MAX];
	size_t count;
};

/* Thousandths that refill, or drain, with time. */
struct bucket {
	uint64_t level;
	uint64_t at_ms;
};

struct source {
	struct map_node node;
	struct list link; /* while it has no connection: longest silent first */
	uint8_t key[17];
	struct addr addr;
	struct bucket tokens, malformed, failed;
	uint64_t good_at;	    /* 0: never */
	uint64_t quarantined_until; /* 0: not */
	bool guessing;		    /* why */
	uint32_t connections;
};

struct account { /* a user's own rate */
	struct map_node node;
	struct list link; /* longest silent first */
	struct bucket tokens;
	char handle[];
};

struct firewall {
	struct firewall_config config;
	struct nets allow, deny, peers;
	struct map sources, accounts;
	struct list idle, accounts_used;
	uint64_t blocked[FIREWALL_RULES], logged[FIREWALL_RULES], logged_at[FIREWALL_RULES];
};

static const char *const rule_names[FIREWALL_RULES] = {
	"pass", "deny", "quarantine", "source_rate", "user_rate", "connections",
};

/* Lists ------------------------------------------------------------------------------------------- */
static int read_nets(const char *text, struct nets *ret)
{
	struct slice rest = slice_str(text ? text : "");

	ret->count = 0;
	while (rest.len) {
		struct slice one = slice_trim(slice_take_until(&rest, ',', NULL));
		struct net net;

		if (one.len == 0)
			continue;
		if (addr_parse_ip(one, 0, &net.base) == 0)
			net.bits = addr_family(&net.base) == AF_INET6 ? 128 : 32;
		else if (addr_parse_net(one, &net.base, &net.bits) < 0)
			return -EINVAL;
		if (ret->count == FIREWALL_NETS_MAX)
			return -E2BIG;
		ret->at[ret->count++] = net;
	}
	return 0;
}

int firewall_check_nets(const char *text, struct error *err)
{
	struct nets nets;
	int r = read_nets(text, &nets);

	if (r == -E2BIG)
		return error_set(err, -EINVAL, "more than %d networks", FIREWALL_NETS_MAX);
	return r < 0 ? error_set(err, r, "'%s' is not a list of networks", text) : 0;
}

static bool is_in(const struct nets *nets, const struct addr *addr)
{
	for (size_t i = 0; i < nets->count; i++)
		if (addr_in_net(addr, &nets->at[i].base, nets->at[i].bits))
			return true;
	return false;
}

static bool is_exempt(const struct firewall *fw, const struct addr *addr)
{
	return is_in(&fw->allow, addr) || (is_in(&fw->peers, addr) && !is_in(&fw->deny, addr));
}

void firewall_set_peers(struct firewall *fw, const struct addr *peers, size_t count)
{
	fw->peers.count = 0;
	for (size_t i = 0; i < count && i < FIREWALL_NETS_MAX; i++)
		fw->peers.at[fw->peers.count++] =
			(struct net){ .base = peers[i],
				      .bits = addr_family(&peers[i]) == AF_INET6 ? 128 : 32 };
}

/* Buckets ----------------------------------------------------------------------------------------- */
static void fill(struct bucket *b, uint32_t per_s, uint64_t cap, uint64_t now)
{
	uint64_t passed = now > b->at_ms ? now - b->at_ms : 0;

	if (passed > UINT32_MAX)
		passed = UINT32_MAX;
	b->level += passed * per_s;
	if (b->level > cap)
		b->level = cap;
	b->at_ms = now;
}

static bool take(struct bucket *b, uint32_t per_s, uint32_t burst, uint64_t now)
{
	fill(b, per_s, burst * 1000ULL, now);
	if (b->level < 1000)
		return false;
	b->level -= 1000;
	return true;
}

/* One more bad thing; true: more than max within the window. It drains evenly. */
static bool overflows(struct bucket *b, uint32_t max, uint32_t window_ms, uint64_t now)
{
	uint64_t passed = now > b->at_ms ? now - b->at_ms : 0;
	uint64_t drained = passed > window_ms ? UINT64_MAX : passed * max * 1000ULL / window_ms;

	b->level -= drained < b->level ? drained : b->level;
	b->at_ms = now;
	b->level += 1000;
	return b->level > max * 1000ULL;
}

/* Sources ----------------------------------------------------------------------------------------- */
static struct slice make_key(const struct addr *addr, uint8_t key[static 17])
{
	memset(key, 0, 17);
	if (addr_family(addr) == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr)) {
		key[0] = 6;
		memcpy(key + 1, &addr->in6.sin6_addr, 8); /* a subscriber has a /64 */
		return slice_make(key, 9);
	}
	key[0] = 4;
	if (addr_family(addr) == AF_INET6)
		memcpy(key + 1, addr->in6.sin6_addr.s6_addr + 12, 4);
	else
		memcpy(key + 1, &addr->in4.sin_addr, 4);
	return slice_make(key, 5);
}

static struct source *find(const struct firewall *fw, const struct addr *addr)
{
	uint8_t key[17];
	struct map_node *node = map_get(&fw->sources, make_key(addr, key));

	return node ? MAP_ENTRY(node, struct source, node) : NULL;
}

static void forget(struct firewall *fw, struct source *s)
{
	map_remove(&fw->sources, &s->node);
	list_remove(&s->link);
	free(s);
}

/* NULL: no memory, or every source has a connection. */
static struct source *make(struct firewall *fw, const struct addr *addr, uint64_t now)
{
	struct source *oldest = LIST_FIRST(&fw->idle, struct source, link);
	struct source *s;

	if (fw->sources.count >= FIREWALL_SOURCES_MAX) {
		if (!oldest)
			return NULL;
		forget(fw, oldest);
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->addr = *addr;
	addr_set_port(&s->addr, 0);
	s->tokens = (struct bucket){ .level = fw->config.source_burst * 1000ULL, .at_ms = now };
	if (map_add(&fw->sources, &s->node, make_key(addr, s->key)) < 0) {
		free(s);
		return NULL;
	}
	list_append(&fw->idle, &s->link);
	return s;
}

static struct source *touch(struct firewall *fw, const struct addr *addr, uint64_t now)
{
	struct source *s = find(fw, addr);

	if (!s)
		return make(fw, addr, now);
	if (s->connections == 0) {
		list_remove(&s->link);
		list_append(&fw->idle, &s->link);
	}
	return s;
}

static bool is_quarantined(struct source *s, uint64_t now)
{
	if (s->quarantined_until == 0)
		return false;
	if (now < s->quarantined_until)
		return true;
	s->quarantined_until = 0;
	s->malformed.level = s->failed.level = 0;
	return false;
}

static void quarantine(struct firewall *fw, struct source *s, bool guessing, uint64_t now)
{
	s->quarantined_until = now + fw->config.quarantine_s * 1000ULL;
	s->guessing = guessing;
}

enum firewall_rule firewall_message(struct firewall *fw, const struct addr *from, uint64_t now_ms)
{
	struct source *s;

	if (is_exempt(fw, from))
		return FIREWALL_PASS;
	if (is_in(&fw->deny, from))
		return FIREWALL_DENY;
	s = touch(fw, from, now_ms);
	if (!s)
		return FIREWALL_SOURCE_RATE;
	if (is_quarantined(s, now_ms))
		return FIREWALL_QUARANTINE;
	if (fw->config.source_per_s &&
	    !take(&s->tokens, fw->config.source_per_s, fw->config.source_burst, now_ms))
		return FIREWALL_SOURCE_RATE;
	return FIREWALL_PASS;
}

static struct account *account_of(struct firewall *fw, struct slice user, uint64_t now)
{
	struct map_node *node = map_get(&fw->accounts, user);
	struct account *a = node ? MAP_ENTRY(node, struct account, node) : NULL;

	if (a) {
		list_remove(&a->link);
		list_append(&fw->accounts_used, &a->link);
		return a;
	}
	if (fw->accounts.count >= FIREWALL_USERS_MAX) {
		struct account *oldest = LIST_FIRST(&fw->accounts_used, struct account, link);

		map_remove(&fw->accounts, &oldest->node);
		list_remove(&oldest->link);
		free(oldest);
	}
	a = calloc(1, sizeof(*a) + user.len + 1);
	if (!a)
		return NULL;
	memcpy(a->handle, user.p, user.len);
	a->tokens = (struct bucket){ .level = fw->config.user_burst * 1000ULL, .at_ms = now };
	if (map_add(&fw->accounts, &a->node, slice_make(a->handle, user.len)) < 0) {
		free(a);
		return NULL;
	}
	list_append(&fw->accounts_used, &a->link);
	return a;
}

enum firewall_rule firewall_authenticated(struct firewall *fw, const struct addr *from,
					  struct slice user, uint64_t now_ms)
{
	struct account *a;
	struct source *s;

	if (is_exempt(fw, from))
		return FIREWALL_PASS;
	a = fw->config.user_per_s ? account_of(fw, user, now_ms) : NULL;
	if (a && !take(&a->tokens, fw->config.user_per_s, fw->config.user_burst, now_ms))
		return FIREWALL_USER_RATE;
	s = find(fw, from);
	if (s) {
		s->good_at = now_ms;
		s->failed.level -= s->failed.level < 1000 ? s->failed.level : 1000;
		s->tokens.level += REFUND * 1000ULL;
	}
	return FIREWALL_PASS;
}

void firewall_malformed(struct firewall *fw, const struct addr *from, uint64_t now_ms)
{
	struct source *s = is_exempt(fw, from) ? NULL : touch(fw, from, now_ms);

	if (!s || fw->config.malformed_max == 0 ||
	    !overflows(&s->malformed, fw->config.malformed_max, MALFORMED_WINDOW_MS, now_ms))
		return;
	if (s->good_at == 0 || now_ms - s->good_at > GOOD_FOR_MS)
		quarantine(fw, s, false, now_ms);
}

void firewall_failed(struct firewall *fw, const struct addr *from, uint64_t now_ms)
{
	struct source *s = is_exempt(fw, from) ? NULL : touch(fw, from, now_ms);

	if (s && fw->config.failed_max &&
	    overflows(&s->failed, fw->config.failed_max, FAILED_WINDOW_MS, now_ms))
		quarantine(fw, s, true, now_ms);
}

enum firewall_rule firewall_connect(struct firewall *fw, const struct addr *from, uint64_t now_ms)
{
	bool exempt = is_exempt(fw, from);
	struct source *s;

	if (!exempt && is_in(&fw->deny, from))
		return FIREWALL_DENY;
	s = touch(fw, from, now_ms);
	if (!s)
		return FIREWALL_CONNECTIONS;
	if (!exempt && is_quarantined(s, now_ms))
		return FIREWALL_QUARANTINE;
	if (!exempt && fw->config.connections_max && s->connections >= fw->config.connections_max)
		return FIREWALL_CONNECTIONS;
	if (s->connections++ == 0)
		list_remove(&s->link);
	return FIREWALL_PASS;
}

void firewall_disconnect(struct firewall *fw, const struct addr *from)
{
	struct source *s = find(fw, from);

	if (s && s->connections && --s->connections == 0)
		list_append(&fw->idle, &s->link);
}

/* Counters ---------------------------------------------------------------------------------------- */
bool firewall_blocked(struct firewall *fw, enum firewall_rule rule, uint64_t now_ms,
		      uint64_t *unlogged)
{
	uint64_t n = ++fw->blocked[rule];

	if (n > 1 && now_ms - fw->logged_at[rule] < LOG_EVERY_MS)
		return false;
	*unlogged = n - fw->logged[rule] - 1;
	fw->logged[rule] = n;
	fw->logged_at[rule] = now_ms;
	return true;
}

const char *firewall_rule_name(enum firewall_rule rule)
{
	return rule < FIREWALL_RULES ? rule_names[rule] : "";
}

uint64_t firewall_count(const struct firewall *fw, enum firewall_rule rule)
{
	return fw->blocked[rule];
}

size_t firewall_sources(const struct firewall *fw)
{
	return fw->sources.count;
}

size_t firewall_quarantined(const struct firewall *fw, uint64_t now_ms)
{
	struct map_node *node;
	struct map_iter it;
	size_t count = 0;

	MAP_FOREACH (node, &fw->sources, &it)
		count += MAP_ENTRY(node, struct source, node)->quarantined_until > now_ms;
	return count;
}

json_t *firewall_to_json(const struct firewall *fw, uint64_t now_ms)
{
	json_t *blocked = json_object(), *shut_out = json_array();
	char text[ADDR_TEXT_MAX];
	struct map_node *node;
	struct map_iter it;

	for (int i = FIREWALL_PASS + 1; i < FIREWALL_RULES; i++)
		json_object_set_new(blocked, rule_names[i],
				    json_integer((json_int_t)fw->blocked[i]));
	MAP_FOREACH (node, &fw->sources, &it) {
		const struct source *s = MAP_ENTRY(node, struct source, node);

		if (s->quarantined_until <= now_ms || json_array_size(shut_out) >= SHOWN_MAX)
			continue;
		json_array_append_new(
			shut_out,
			json_pack("{s:s,s:s,s:I}", "address", addr_format_ip(&s->addr, text),
				  "reason", s->guessing ? "wrong_password" : "malformed", "for_s",
				  (json_int_t)((s->quarantined_until - now_ms + 999) / 1000)));
	}
	return json_pack("{s:o,s:I,s:o}", "blocked", blocked, "sources",
			 (json_int_t)fw->sources.count, "quarantined", shut_out);
}

/* Life -------------------------------------------------------------------------------------------- */
int firewall_new(const struct firewall_config *config, struct firewall **ret, struct error *err)
{
	AUTO(firewall) struct firewall *fw = calloc(1, sizeof(*fw));

	if (!fw)
		return error_set(err, -ENOMEM, "no memory for the firewall");
	fw->config = *config;
	fw->config.allow = fw->config.deny = NULL; /* borrowed until here */
	map_init(&fw->sources);
	map_init(&fw->accounts);
	list_init(&fw->idle);
	list_init(&fw->accounts_used);
	if (read_nets(config->allow, &fw->allow) < 0 || read_nets(config->deny, &fw->deny) < 0)
		return error_set(err, -EINVAL, "a list of the firewall holds no networks");
	*ret = TAKE(fw);
	return 0;
}

struct firewall *firewall_free(struct firewall *fw)
{
	struct map_node *node;
	struct map_iter it;

	if (!fw)
		return NULL;
	MAP_FOREACH (node, &fw->sources, &it)
		free(MAP_ENTRY(node, struct source, node));
	MAP_FOREACH (node, &fw->accounts, &it)
		free(MAP_ENTRY(node, struct account, node));
	map_done(&fw->sources);
	map_done(&fw->accounts);
	free(fw);
	return NULL;
}
