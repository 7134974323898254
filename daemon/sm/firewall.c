/* SPDX-License-Identifier: Apache-2.0 */
/* firewall.c - what the network may ask of sm before anybody is known, see firewall.h. */
#include "sm/firewall.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/log_limit.h"
#include "base/map.h"
#include "node/uc_routing.h"

#define MALFORMED_WINDOW_MS 10000
#define FAILED_WINDOW_MS 60000
/* Who proved to be a user this lately is not shut out for what others send in its name: the source
 * of a datagram can be made up. */
#define GOOD_FOR_MS 300000
/* What a right password gives back: the challenge, the request, and the other messages of a call. */
#define REFUND 10
#define SHOWN_MAX 500

/* Whose patterns are many are people's: those of the configuration are few. */
#define RULES_MAX (2 * FIREWALL_NETS_MAX + UC_FIREWALL_RULES_MAX)
#define PATTERN_TEXT 92

struct rule {
	struct uc_ip_pattern pattern;
	bool allow;
	bool configured; /* by sm's own configuration */
	uint64_t hits;
	char text[PATTERN_TEXT];
};

struct rules {
	size_t count;
	struct rule at[];
};

enum verdict { UNNAMED, ALLOWED, DENIED };

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
	struct firewall_config config; /* as it is in force */
	struct firewall_config own;    /* without what is administered */
	struct rules *rules;	       /* the narrowest first */
	struct addr peers[FIREWALL_NETS_MAX];
	size_t peer_count;
	struct map sources, accounts;
	struct list idle, accounts_used;
	uint64_t blocked[FIREWALL_RULES];
	struct log_limit logged[FIREWALL_RULES];
};

static const char *const rule_names[FIREWALL_RULES] = {
	"pass", "deny", "quarantine", "source_rate", "user_rate", "connections",
};

/* Lists ------------------------------------------------------------------------------------------- */
/* Of the texts in a list the i-th, or -ENOENT. */
static int next_text(struct slice *rest, struct slice *ret)
{
	while (rest->len) {
		*ret = slice_trim(slice_take_until(rest, ',', NULL));
		if (ret->len)
			return 0;
	}
	return -ENOENT;
}

static int read_rule(struct slice text, bool allow, struct rule *ret)
{
	*ret = (struct rule){ .allow = allow };
	if (text.len >= PATTERN_TEXT || uc_ip_pattern_read(text, &ret->pattern) < 0)
		return -EINVAL;
	memcpy(ret->text, text.p, text.len);
	ret->pattern.text = NULL; /* borrowed; the text is ours */
	return 0;
}

static int add_list(struct rules *rules, const char *list, bool allow)
{
	struct slice rest = slice_str(list ? list : ""), one;

	while (next_text(&rest, &one) == 0) {
		struct rule *rule = &rules->at[rules->count];

		if (rules->count == RULES_MAX || read_rule(one, allow, rule) < 0)
			return -EINVAL;
		rule->configured = true;
		rules->count++;
	}
	return 0;
}

int firewall_check_nets(const char *text, struct error *err)
{
	struct slice rest = slice_str(text ? text : ""), one;
	struct rule rule;
	int n = 0;

	while (next_text(&rest, &one) == 0) {
		if (read_rule(one, true, &rule) < 0)
			return error_set(err, -EINVAL, "'%s' is not a list of networks", text);
		if (++n > FIREWALL_NETS_MAX)
			return error_set(err, -EINVAL, "more than %d networks", FIREWALL_NETS_MAX);
	}
	return 0;
}

static int compare_rules(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	if (x->pattern.free_bits != y->pattern.free_bits)
		return x->pattern.free_bits < y->pattern.free_bits ? -1 : 1;
	return (int)y->allow - (int)x->allow;
}

static struct rules *make_rules(const struct rules *configured, const struct uc_firewall *rows)
{
	size_t room = rows ? rows->rule_count : 0;
	struct rules *rules = calloc(1, sizeof(*rules) + RULES_MAX * sizeof(rules->at[0]));

	for (size_t i = 0; rules && configured && i < configured->count; i++)
		if (configured->at[i].configured)
			rules->at[rules->count++] = configured->at[i];
	for (size_t i = 0; rules && i < room && rules->count < RULES_MAX; i++)
		if (read_rule(slice_str(rows->rules[i].text), rows->rules[i].allow,
			      &rules->at[rules->count]) == 0)
			rules->count++;
	return rules;
}

/* A rule that stays keeps its count. */
static void keep_hits(struct rules *rules, const struct rules *old)
{
	for (size_t i = 0; i < rules->count; i++)
		for (size_t j = 0; j < old->count; j++)
			if (rules->at[i].allow == old->at[j].allow &&
			    rules->at[i].configured == old->at[j].configured &&
			    strcmp(rules->at[i].text, old->at[j].text) == 0)
				rules->at[i].hits = old->at[j].hits;
}

static enum verdict verdict_of(const struct firewall *fw, const struct addr *addr, bool count)
{
	for (size_t i = 0; i < fw->rules->count; i++) {
		struct rule *rule = &fw->rules->at[i];

		if (!uc_ip_pattern_holds(&rule->pattern, addr))
			continue;
		rule->hits += count;
		return rule->allow ? ALLOWED : DENIED;
	}
	for (size_t i = 0; i < fw->peer_count; i++)
		if (addr_in_net(addr, &fw->peers[i],
				addr_family(&fw->peers[i]) == AF_INET6 ? 128 : 32))
			return ALLOWED;
	return UNNAMED;
}

static bool is_exempt(const struct firewall *fw, const struct addr *addr)
{
	return verdict_of(fw, addr, false) == ALLOWED;
}

void firewall_set_peers(struct firewall *fw, const struct addr *peers, size_t count)
{
	fw->peer_count = 0;
	for (size_t i = 0; i < count && i < FIREWALL_NETS_MAX; i++)
		fw->peers[fw->peer_count++] = peers[i];
}

/* The member of the configuration that a limit is. */
static uint32_t *limit_at(struct firewall_config *config, enum uc_firewall_limit limit)
{
	switch (limit) {
#define LIMIT(name, least, most)                                                                   \
	case UC_FIREWALL_##name:                                                                   \
		return &config->name;
		UC_FIREWALL_LIMITS(LIMIT)
#undef LIMIT
	case UC_FIREWALL_LIMIT_COUNT:
		break;
	}
	return NULL;
}

int firewall_administer(struct firewall *fw, const struct uc_firewall *rows)
{
	struct rules *rules = make_rules(fw->rules, rows);

	if (!rules)
		return -ENOMEM;
	qsort(rules->at, rules->count, sizeof(rules->at[0]), compare_rules);
	keep_hits(rules, fw->rules);
	free(fw->rules);
	fw->rules = rules;
	fw->config = fw->own;
	for (int i = 0; i < UC_FIREWALL_LIMIT_COUNT; i++)
		if (rows->limit[i] >= 0)
			*limit_at(&fw->config, (enum uc_firewall_limit)i) =
				(uint32_t)rows->limit[i];
	return 0;
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

static void release(struct source *s)
{
	s->quarantined_until = 0;
	s->malformed.level = s->failed.level = 0;
}

static bool is_quarantined(struct source *s, uint64_t now)
{
	if (s->quarantined_until == 0)
		return false;
	if (now < s->quarantined_until)
		return true;
	release(s);
	return false;
}

static void quarantine(struct firewall *fw, struct source *s, bool guessing, uint64_t now)
{
	s->quarantined_until = now + fw->config.quarantine_s * 1000ULL;
	s->guessing = guessing;
}

enum firewall_rule firewall_message(struct firewall *fw, const struct addr *from, uint64_t now_ms)
{
	enum verdict verdict = verdict_of(fw, from, true);
	struct source *s;

	if (verdict != UNNAMED)
		return verdict == ALLOWED ? FIREWALL_PASS : FIREWALL_DENY;
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
	enum verdict verdict = verdict_of(fw, from, true);
	bool exempt = verdict == ALLOWED;
	struct source *s;

	if (verdict == DENIED)
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
	fw->blocked[rule]++;
	return log_limit_take(&fw->logged[rule], now_ms, unlogged);
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

size_t firewall_release(struct firewall *fw, const struct addr *addr, uint64_t now_ms)
{
	struct map_node *node;
	struct map_iter it;
	size_t count = 0;

	if (addr) {
		struct source *s = find(fw, addr);

		if (!s || !is_quarantined(s, now_ms))
			return 0;
		release(s);
		return 1;
	}
	MAP_FOREACH (node, &fw->sources, &it) {
		struct source *s = MAP_ENTRY(node, struct source, node);

		if (!is_quarantined(s, now_ms))
			continue;
		release(s);
		count++;
	}
	return count;
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
	json_t *blocked = json_object(), *shut_out = json_array(), *limits = json_object();
	json_t *rules = json_array();
	char text[ADDR_TEXT_MAX];
	struct map_node *node;
	struct map_iter it;

	struct firewall_config config = fw->config;

	for (int i = 0; i < UC_FIREWALL_LIMIT_COUNT; i++)
		json_object_set_new(limits, uc_firewall_limit_name((enum uc_firewall_limit)i),
				    json_integer(*limit_at(&config, (enum uc_firewall_limit)i)));
	for (size_t i = 0; i < fw->rules->count; i++)
		json_array_append_new(rules,
				      json_pack("{s:s,s:s,s:s,s:I}", "pattern",
						fw->rules->at[i].text, "action",
						fw->rules->at[i].allow ? "allow" : "deny", "origin",
						fw->rules->at[i].configured ? "configuration"
									    : "administration",
						"hits", (json_int_t)fw->rules->at[i].hits));
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
	return json_pack("{s:o,s:o,s:o,s:I,s:o}", "limits", limits, "rules", rules, "blocked",
			 blocked, "sources", (json_int_t)fw->sources.count, "quarantined",
			 shut_out);
}

/* Life -------------------------------------------------------------------------------------------- */
int firewall_new(const struct firewall_config *config, struct firewall **ret, struct error *err)
{
	AUTO(firewall) struct firewall *fw = calloc(1, sizeof(*fw));

	if (!fw)
		return error_set(err, -ENOMEM, "no memory for the firewall");
	fw->own = *config;
	fw->own.allow = fw->own.deny = NULL; /* borrowed until here */
	fw->config = fw->own;
	map_init(&fw->sources);
	map_init(&fw->accounts);
	list_init(&fw->idle);
	list_init(&fw->accounts_used);
	fw->rules = make_rules(NULL, NULL);
	if (!fw->rules)
		return error_set(err, -ENOMEM, "no memory for the firewall");
	if (add_list(fw->rules, config->allow, true) < 0 ||
	    add_list(fw->rules, config->deny, false) < 0)
		return error_set(err, -EINVAL, "a list of the firewall holds no networks");
	qsort(fw->rules->at, fw->rules->count, sizeof(fw->rules->at[0]), compare_rules);
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
	free(fw->rules);
	free(fw);
	return NULL;
}
