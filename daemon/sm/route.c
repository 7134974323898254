/* SPDX-License-Identifier: Apache-2.0 */
/* route.c - where a request goes that no application sequence decides. */
#include "sm/route.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/sip/sip_uri.h"
#include "node/uc_model.h"
#include "node/uc_zone.h"
#include "sm/route_regex.h"
#include "sm/sequence.h"

#define DOMAIN_LEVELS_MAX 16
#define SKIPPED_SHOWN_MAX 12

struct route_table {
	struct uc_model *model;
	struct route_regexes *regexes;
};

/* One decision in progress. */
struct deciding {
	const struct route_table *table;
	const struct uc_model *model;
	const struct uc_routing *routing;
	const struct route_query *query;
	struct route_steps *steps;
	struct route *out;
	struct sip_uri uri;
	struct slice host; /* the model's own domain for an address of ours */
	struct slice digits;
	char digits_text[ROUTE_DIGITS_SIZE];
};

/* Names -------------------------------------------------------------------------------------- */
const char *route_outcome_name(enum route_outcome outcome)
{
	static const char *const names[] = { "user",   "entity",    "entity",
					     "denied", "not_found", "down" };

	return names[outcome];
}

const char *route_result_name(enum route_result result)
{
	static const char *const names[] = { "match", "skip", "none" };

	return names[result];
}

const char *route_link_name(enum route_link link)
{
	static const char *const names[] = { "up", "unknown", "down", "deny_new_service", "full" };

	return names[link];
}

void route_note(struct route_steps *steps, const char *step, enum route_result result,
		const char *name, const char *format, ...)
{
	struct route_step *s;
	va_list args;

	if (!steps)
		return;
	if (steps->count == ROUTE_STEPS_MAX) {
		steps->lost++;
		return;
	}
	s = &steps->items[steps->count++];
	s->step = step;
	s->result = result;
	s->name = name;
	va_start(args, format);
	(void)vsnprintf(s->detail, sizeof(s->detail), format, args);
	va_end(args);
}

/* The table ---------------------------------------------------------------------------------- */
int route_table_new(struct uc_model *model, struct route_table **ret)
{
	AUTO(route_table) struct route_table *table = calloc(1, sizeof(*table));
	int r;

	if (!table)
		return -ENOMEM;
	table->model = uc_model_ref(model);
	r = route_regexes_new(uc_model_routing(model), &table->regexes);
	if (r < 0)
		return r;
	*ret = TAKE(table);
	return 0;
}

struct route_table *route_table_free(struct route_table *table)
{
	if (!table)
		return NULL;
	route_regexes_free(table->regexes);
	uc_model_unref(table->model);
	free(table);
	return NULL;
}

/* Time --------------------------------------------------------------------------------------- */
bool route_time_holds(const struct uc_time_range *range, const struct uc_zone *zone, int64_t at_ms)
{
	const int64_t day_s = 86400;
	int64_t at_s = at_ms >= 0 ? at_ms / 1000 : -((999 - at_ms) / 1000);
	int64_t local = at_s + (zone ? uc_zone_offset(zone, at_s) : 0);
	int64_t day = local >= 0 ? local / day_s : -((day_s - 1 - local) / day_s);
	unsigned minute = (unsigned)((local - day * day_s) / 60);
	unsigned weekday = (unsigned)(((day + 3) % 7 + 7) % 7); /* 1970 began on a Thursday */
	bool today = range->days & 1U << weekday;
	bool yesterday = range->days & 1U << (weekday + 6) % 7;

	if (range->start < range->finish)
		return today && minute >= range->start && minute < range->finish;
	return (today && minute >= range->start) || (yesterday && minute < range->finish);
}

/* Digits ------------------------------------------------------------------------------------- */
static bool digit_char(char c)
{
	return ascii_is_digit((unsigned char)c) || c == '+' || c == '*' || c == '#';
}

static struct slice digits_of(const struct sip_uri *uri, char out[static ROUTE_DIGITS_SIZE])
{
	struct slice user = uri->user, rest;
	char plain[ROUTE_DIGITS_SIZE];
	size_t n = 0;
	int len;

	user = slice_take_until(&user, ';', NULL);
	len = user.len < sizeof(plain) ? sip_unescape(user, plain, sizeof(plain)) : -1;
	rest = slice_make(plain, len > 0 ? (size_t)len : 0);
	for (size_t i = 0; i < rest.len; i++) {
		char c = rest.p[i];

		if (digit_char(c))
			out[n++] = c;
		else if (n == 0 || c == '\0' || !strchr("-.()", c))
			return SLICE("");
	}
	return n <= UC_DIGITS_MAX ? slice_make(out, n) : SLICE("");
}

struct slice route_digits(struct slice text, char out[static ROUTE_DIGITS_SIZE])
{
	struct sip_uri uri;

	return sip_uri_parse(text, &uri) == 0 ? digits_of(&uri, out) : SLICE("");
}

/* Dial patterns ------------------------------------------------------------------------------ */
struct search {
	const struct uc_location *location; /* of the caller */
	const struct uc_location
		*emergency_at; /* whose emergency patterns count besides those for all */
	struct slice domain;
	bool stripped; /* the domain is a level above the one that was asked for */
};

/* May the pattern be taken at all? Else why not. */
static const char *unfit(const struct deciding *d, const struct search *s,
			 const struct uc_dial_pattern *p)
{
	if (!uc_digits_match(p->pattern, p->min, p->max, d->digits))
		return "length or digits differ";
	if (p->domain && !slice_eq_str_nocase(s->domain, p->domain))
		return "is for another domain";
	if (p->location && p->location != s->location)
		return "is for another location";
	if (p->emergency && p->location && p->location != s->emergency_at)
		return "an emergency number of where the caller is not";
	return NULL;
}

/* Does a come before b? Both fit. facts: longest, most literal digits, narrower, lowest id; what is
 * said for the caller's location hides what is said for all. */
static bool before(const struct deciding *d, const struct uc_dial_pattern *a,
		   const struct uc_dial_pattern *b)
{
	bool place = (a->location != NULL) != (b->location != NULL);

	if (place && !d->routing->better_match_all_overrides)
		return a->location != NULL;
	if (a->length != b->length)
		return a->length > b->length;
	if (a->literals != b->literals)
		return a->literals > b->literals;
	if (a->max - a->min != b->max - b->min)
		return a->max - a->min < b->max - b->min;
	if (place)
		return a->location != NULL;
	if ((a->domain != NULL) != (b->domain != NULL))
		return a->domain != NULL;
	return a->index < b->index;
}

static void note_pattern(const struct deciding *d, enum route_result result,
			 const struct uc_dial_pattern *p, const char *why)
{
	route_note(d->steps, "dial_pattern", result, p->pattern,
		   "%u to %u digits, domain %s, location %s%s%s%s%s", p->min, p->max,
		   p->domain ? p->domain : "all", p->location ? p->location->name : "all",
		   p->emergency ? ", emergency" : "", p->deny ? ", deny" : "", why ? ": " : "",
		   why ? why : "");
}

static const struct uc_dial_pattern *search_level(const struct deciding *d, const struct search *s,
						  bool show)
{
	const struct uc_dial_pattern *best = NULL;
	unsigned shown = 0;

	for (size_t len = 0; len <= d->digits.len; len++) {
		struct map_node *node = map_get(&d->routing->by_stem, slice_sub(d->digits, 0, len));

		for (; node; node = map_next_same(node)) {
			const struct uc_dial_pattern *p =
				MAP_ENTRY(node, struct uc_dial_pattern, by_stem);
			const char *why = unfit(d, s, p);
			const struct uc_dial_pattern *loser = p;

			if (!why && (!best || before(d, p, best))) {
				loser = best;
				best = p;
			}
			if (!show || !loser || shown++ >= SKIPPED_SHOWN_MAX)
				continue;
			note_pattern(d, ROUTE_SKIP, loser, why ? why : "another one fits better");
		}
	}
	return best;
}

/* The domain, then what is left of it without its first labels. */
static const struct uc_dial_pattern *search_patterns(const struct deciding *d, struct search *s,
						     bool show)
{
	s->domain = d->host;
	s->stripped = false;
	for (unsigned level = 0; d->digits.len && level < DOMAIN_LEVELS_MAX; level++) {
		const struct uc_dial_pattern *p = search_level(d, s, show && level == 0);
		bool dot = false;

		if (p)
			return p;
		slice_take_until(&s->domain, '.', &dot);
		if (!dot || s->domain.len == 0)
			break;
		s->stripped = true;
	}
	return NULL;
}

/* An emergency number is one where the caller is; all else is what it is at his home. */
static const struct uc_dial_pattern *find_pattern(const struct deciding *d, struct search *s,
						  bool show)
{
	const struct route_query *q = d->query;
	const struct uc_dial_pattern *p;

	s->emergency_at = q->actual ? q->actual : q->home;
	s->location = s->emergency_at;
	p = search_patterns(d, s, false);
	if (!p || !p->emergency)
		s->location = q->home ? q->home : q->actual;
	return search_patterns(d, s, show);
}

/* Policies ----------------------------------------------------------------------------------- */
static const struct uc_zone *zone_of(const struct deciding *d)
{
	if (d->query->zone)
		return d->query->zone;
	return d->out->location ? d->out->location->zone : NULL;
}

/* The best rank that holds now. false: none. */
static bool rank_now(const struct deciding *d, const struct uc_policy *policy, uint32_t *ret)
{
	bool found = false;

	for (size_t i = 0; i < policy->count; i++) {
		const struct uc_policy_time *t = &policy->times[i];

		if (t->range && !route_time_holds(t->range, zone_of(d), d->query->at_ms))
			continue;
		if (!found || t->rank < *ret)
			*ret = t->rank;
		found = true;
	}
	return found;
}

static void describe_times(const struct uc_policy *policy, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < policy->count && used + 1 < size; i++) {
		const struct uc_time_range *range = policy->times[i].range;
		int n = 0;

		if (range)
			n = snprintf(out + used, size - used, "%s%s %02u:%02u-%02u:%02u",
				     used ? ", " : "", range->name, range->start / 60U,
				     range->start % 60U, range->finish / 60U, range->finish % 60U);
		used += n > 0 ? (size_t)n : 0;
	}
}

static void add_candidate(struct deciding *d, const struct uc_entity *entity,
			  const struct uc_policy *policy, uint32_t rank)
{
	struct route *out = d->out;
	struct route_candidate *c;
	size_t at = out->count;

	for (size_t i = 0; i < out->count; i++)
		if (out->candidates[i].entity == entity && out->candidates[i].rank <= rank)
			return;
	if (out->count == ROUTE_CANDIDATES_MAX)
		return;
	while (at > 0 && out->candidates[at - 1].rank > rank) {
		out->candidates[at] = out->candidates[at - 1];
		at--;
	}
	c = &out->candidates[at];
	*c = (struct route_candidate){ .entity = entity, .policy = policy, .rank = rank };
	out->count++;
	for (size_t i = at + 1; i < out->count; i++)
		if (out->candidates[i].entity == entity) {
			memmove(&out->candidates[i], &out->candidates[i + 1],
				(out->count - i - 1) * sizeof(*c));
			out->count--;
			break;
		}
}

static void judge_links(struct deciding *d)
{
	struct route *out = d->out;

	out->outcome = ROUTE_DOWN;
	out->status = 500;
	for (size_t i = 0; i < out->count; i++) {
		struct route_candidate *c = &out->candidates[i];
		bool takes;

		c->why = "";
		c->link = d->query->link ? d->query->link(d->query->link_user, c->entity, &c->why)
					 : ROUTE_LINK_UP;
		takes = c->link == ROUTE_LINK_UP || c->link == ROUTE_LINK_UNKNOWN;
		route_note(d->steps, "link", takes ? ROUTE_MATCH : ROUTE_SKIP, c->entity->name,
			   "%s%s%s", route_link_name(c->link), *c->why ? ": " : "", c->why);
		if (takes) {
			out->outcome = ROUTE_ENTITY;
			out->status = 0;
		} else if (c->link == ROUTE_LINK_FULL && out->outcome == ROUTE_DOWN) {
			out->status = 486;
		}
	}
}

static void take_policies(struct deciding *d, const struct uc_policy *const *policies, size_t count)
{
	char times[ROUTE_DETAIL_MAX / 2];
	uint32_t rank = 0;

	for (size_t i = 0; i < count; i++) {
		const struct uc_policy *p = policies[i];

		if (p->disabled) {
			route_note(d->steps, "policy", ROUTE_SKIP, p->name, "disabled");
		} else if (!rank_now(d, p, &rank)) {
			describe_times(p, times, sizeof(times));
			route_note(d->steps, "policy", ROUTE_SKIP, p->name, "not at this time (%s)",
				   times);
		} else {
			route_note(d->steps, "policy", ROUTE_MATCH, p->name, "rank %u, to %s", rank,
				   p->entity->name);
			add_candidate(d, p->entity, p, rank);
		}
	}
	if (d->out->count) {
		judge_links(d);
		return;
	}
	route_note(d->steps, "policy", ROUTE_NONE, "", "%s",
		   count ? "no policy holds now" : "there is no policy");
	d->out->outcome = ROUTE_NOT_FOUND;
	d->out->status = 480;
}

/* The order ---------------------------------------------------------------------------------- */
static bool by_pattern(struct deciding *d)
{
	struct search s = { 0 };
	const struct uc_dial_pattern *p = find_pattern(d, &s, d->steps != NULL);

	if (!p) {
		route_note(d->steps, "dial_pattern", ROUTE_NONE, "", "%s",
			   d->digits.len ? "none fits" : "the callee is no number");
		return false;
	}
	note_pattern(d, ROUTE_MATCH, p, s.stripped ? "by a domain above" : NULL);
	d->out->pattern = p;
	d->out->emergency = p->emergency;
	d->out->location = s.location;
	if (p->deny) {
		d->out->outcome = ROUTE_DENIED;
		d->out->status = 403;
	} else {
		take_policies(d, p->policies, p->count);
	}
	return true;
}

static bool by_expression(struct deciding *d)
{
	const struct uc_regular_expression *e;
	bool whole = false;
	char address[512];
	int n = snprintf(address, sizeof(address), "%.*s@%.*s", SLICE_ARG(d->uri.user),
			 SLICE_ARG(d->uri.host));

	if (uc_model_routing(d->model)->expression_count == 0) {
		route_note(d->steps, "regular_expression", ROUTE_NONE, "", "there is none");
		return false;
	}
	e = route_regexes_find(d->table->regexes, d->uri.text,
			       slice_make(address, n > 0 && n < 512 ? (size_t)n : 0), &whole);
	if (!e) {
		route_note(d->steps, "regular_expression", ROUTE_NONE, "", "none fits");
		return false;
	}
	route_note(d->steps, "regular_expression", ROUTE_MATCH, e->pattern, "rank %u, %s", e->rank,
		   whole ? "the whole URI" : "user@host");
	d->out->expression = e;
	d->out->location = d->query->home ? d->query->home : d->query->actual;
	if (e->deny) {
		d->out->outcome = ROUTE_DENIED;
		d->out->status = 403;
	} else {
		take_policies(d, e->policies, e->count);
	}
	return true;
}

/* A foreign domain that nothing else led to. */
static void leave(struct deciding *d)
{
	const struct uc_entity *proxy = d->routing->outbound_proxy;

	if (d->out->authoritative || !d->query->may_leave) {
		route_note(d->steps, "dns", ROUTE_NONE, "", "%s",
			   d->out->authoritative ? "nobody has this number"
						 : "the sender may not call foreign domains");
		return;
	}
	if (proxy) {
		route_note(d->steps, "outbound_proxy", ROUTE_MATCH, proxy->name, "foreign domain");
		add_candidate(d, proxy, NULL, 0);
		judge_links(d);
		return;
	}
	route_note(d->steps, "outbound_proxy", ROUTE_NONE, "", "none is set");
	route_note(d->steps, "dns", ROUTE_MATCH, "", "to %.*s", SLICE_ARG(d->uri.host));
	d->out->outcome = ROUTE_ELSEWHERE;
	d->out->status = 0;
}

static bool by_user(struct deciding *d)
{
	char plain[256];
	int n = d->uri.user.len < sizeof(plain) ? sip_unescape(d->uri.user, plain, sizeof(plain))
						: -1;

	if (d->out->authoritative && n > 0)
		d->out->user = sequence_user(d->model, slice_make(plain, (size_t)n));
	if (!d->out->user) {
		route_note(d->steps, "user", ROUTE_NONE, "", "nobody here has this address");
		return false;
	}
	route_note(d->steps, "user", ROUTE_MATCH, d->out->user->handle, "%s", d->out->user->name);
	d->out->outcome = ROUTE_USER;
	d->out->status = 0;
	return true;
}

static void note_places(struct deciding *d)
{
	const struct route_query *q = d->query;

	route_note(d->steps, "location", q->actual ? ROUTE_MATCH : ROUTE_NONE,
		   q->actual ? q->actual->name : "", "where the caller is");
	if (q->home)
		route_note(d->steps, "location", ROUTE_MATCH, q->home->name, "the caller's home");
	route_note(d->steps, "domain", d->out->authoritative ? ROUTE_MATCH : ROUTE_NONE,
		   uc_model_domain(d->model), "%.*s is %s", SLICE_ARG(d->host),
		   d->out->authoritative ? "ours" : "foreign");
}

static int begin(struct deciding *d, const struct route_table *table,
		 const struct route_query *query)
{
	d->table = table;
	d->model = table->model;
	d->routing = uc_model_routing(table->model);
	d->query = query;
	if (sip_uri_parse(query->uri, &d->uri) < 0 || d->uri.scheme == SIP_SCHEME_OTHER)
		return -EINVAL;
	d->host = d->uri.scheme == SIP_SCHEME_TEL || query->own_host
			  ? slice_str(uc_model_domain(d->model))
			  : d->uri.host;
	d->digits = digits_of(&d->uri, d->digits_text);
	return 0;
}

void route_decide(const struct route_table *table, const struct route_query *query,
		  struct route_steps *steps, struct route *ret)
{
	struct deciding d = { .steps = steps, .out = ret };
	struct search s = { 0 };
	const struct uc_dial_pattern *p;

	*ret = (struct route){ .outcome = ROUTE_NOT_FOUND, .status = 404 };
	if (begin(&d, table, query) < 0) {
		ret->status = 416;
		route_note(steps, "domain", ROUTE_NONE, "", "no SIP or tel URI");
		return;
	}
	ret->authoritative = uc_domain_is_ours(d.model, d.host);
	ret->location = query->home ? query->home : query->actual;
	note_places(&d);
	p = find_pattern(&d, &s, false);
	if (p && p->emergency) {
		by_pattern(&d);
		return;
	}
	if (by_user(&d))
		return;
	ret->implicit = route_implicit(d.model, query->uri, query->own_host);
	if (ret->implicit)
		route_note(steps, "implicit_user", ROUTE_MATCH, ret->implicit->pattern, "%s",
			   ret->implicit->termination ? ret->implicit->termination->name
						      : "no terminating sequence");
	if (by_pattern(&d) || by_expression(&d))
		return;
	leave(&d);
}

bool route_is_emergency(const struct route_table *table, const struct route_query *query)
{
	struct deciding d = { 0 };
	struct search s = { 0 };
	const struct uc_dial_pattern *p;

	if (begin(&d, table, query) < 0)
		return false;
	p = find_pattern(&d, &s, false);
	return p && p->emergency;
}

/* host without bytes: whatever the domain. */
static const struct uc_implicit_user *find_implicit(const struct uc_model *model,
						    struct slice digits, struct slice host)
{
	const struct uc_routing *routing = uc_model_routing(model);
	const struct uc_implicit_user *best = NULL;

	for (size_t i = 0; i < routing->implicit_count && digits.len; i++) {
		const struct uc_implicit_user *u = &routing->implicit[i];

		if (!uc_digits_match(u->pattern, u->min, u->max, digits) ||
		    (u->domain && host.len && !slice_eq_str_nocase(host, u->domain)))
			continue;
		if (!best || strlen(u->pattern) > strlen(best->pattern))
			best = u;
	}
	return best;
}

const struct uc_implicit_user *route_implicit_number(const struct uc_model *model,
						     struct slice digits)
{
	return find_implicit(model, digits, SLICE(""));
}

const struct uc_implicit_user *route_implicit(const struct uc_model *model, struct slice text,
					      bool own_host)
{
	char buffer[ROUTE_DIGITS_SIZE];
	struct sip_uri uri;
	struct slice host;

	if (uc_model_routing(model)->implicit_count == 0 || sip_uri_parse(text, &uri) < 0)
		return NULL;
	host = own_host || uri.scheme == SIP_SCHEME_TEL ? slice_str(uc_model_domain(model))
							: uri.host;
	return find_implicit(model, digits_of(&uri, buffer), host);
}
