/* SPDX-License-Identifier: Apache-2.0 */
/* test_route.c - where a call goes: precedence of dial patterns, places, time, the fall-through order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "net/addr.h"
#include "node/uc_model.h"
#include "sm/route.h"

#define HEAD                                                                                       \
	"{\"schema\":1,\"domain\":\"aurabox.internal\","                                           \
	"\"domains\":[{\"name\":\"eng.example.com\"}],"                                            \
	"\"users\":[{\"handle\":\"3001\",\"name\":\"Ada\",\"station\":null},"                      \
	"{\"handle\":\"112\",\"name\":\"Not an ambulance\",\"station\":null}],"                    \
	"\"locations\":[{\"name\":\"A\",\"patterns\":[\"10.1.0.0/16\"],"                           \
	"\"time_zone\":\"Europe/Berlin\"},"                                                        \
	"{\"name\":\"B\",\"patterns\":[\"10.2.0.0/16\"]}],"                                        \
	"\"sip_entities\":["                                                                       \
	"{\"name\":\"central\",\"type\":\"trunk\",\"address\":\"192.0.2.1\"},"                     \
	"{\"name\":\"local\",\"type\":\"trunk\",\"address\":\"192.0.2.2\"},"                       \
	"{\"name\":\"night\",\"type\":\"voicemail\",\"address\":\"192.0.2.3\"}],"                  \
	"\"time_ranges\":[{\"name\":\"day\",\"days\":[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\"],"   \
	"\"start\":\"08:00\",\"end\":\"18:00\"},"                                                  \
	"{\"name\":\"dark\",\"days\":[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\",\"sat\",\"sun\"],"   \
	"\"start\":\"18:00\",\"end\":\"08:00\"}],"                                                 \
	"\"routing_policies\":[{\"name\":\"central\",\"entity\":\"central\"},"                     \
	"{\"name\":\"local\",\"entity\":\"local\"},"                                               \
	"{\"name\":\"off\",\"entity\":\"local\",\"disabled\":true},"                               \
	"{\"name\":\"second\",\"entity\":\"local\",\"times\":[{\"rank\":5}]},"                     \
	"{\"name\":\"office\",\"entity\":\"central\",\"times\":[{\"time_range\":\"day\"}]},"       \
	"{\"name\":\"closed\",\"entity\":\"night\",\"times\":[{\"time_range\":\"dark\"}]}],"

static struct uc_model *model;
static struct route_table *table;
static const char *down; /* entity that does not answer */

static void load(const char *rest)
{
	AUTO(json) json_t *json = NULL;
	struct error err = { 0 };
	AUTO_BUF text = { 0 };

	buf_add_str(&text, HEAD);
	buf_add_str(&text, rest);
	buf_add_char(&text, '}');
	assert_int_equal(json_parse(buf_slice(&text), &json, &err), 0);
	if (uc_model_new(json, &model, &err) < 0)
		fail_msg("%s: %s", err.field, err.detail);
	assert_int_equal(route_table_new(model, &table), 0);
}

static int clear(void **state)
{
	(void)state;
	down = NULL;
	table = route_table_free(table);
	model = uc_model_unref(model);
	return 0;
}

static enum route_link link_of(void *user, const struct uc_entity *entity, const char **why)
{
	*why = "silent";
	return down && strcmp(entity->name, down) == 0 ? ROUTE_LINK_DOWN : ROUTE_LINK_UP;
}

struct ask {
	const char *uri, *actual, *home, *at;
	bool may_leave;
};

static struct route asked(struct ask a)
{
	static struct route_steps steps;
	struct route_query q = { .uri = slice_str(a.uri),
				 .may_leave = a.may_leave,
				 .link = link_of };
	struct route route, again;

	q.actual = a.actual ? uc_location_by_name(uc_model_routing(model), a.actual) : NULL;
	q.home = a.home ? uc_location_by_name(uc_model_routing(model), a.home) : NULL;
	if (a.at)
		assert_int_equal(clock_parse(slice_str(a.at), &q.at_ms), 0);
	steps.count = steps.lost = 0;
	route_decide(table, &q, &steps, &route);
	/* The call that is not explained goes the same way. */
	route_decide(table, &q, NULL, &again);
	assert_memory_equal(&route, &again, sizeof(route));
	assert_true(steps.count > 0);
	return route;
}
#define ASK(...) asked((struct ask){ __VA_ARGS__ })

static const char *first(struct route r)
{
	return r.outcome == ROUTE_ENTITY ? r.candidates[0].entity->name
					 : route_outcome_name(r.outcome);
}

/* Each case: rows, what is dialled by somebody in A, the pattern that must win ("" none). */
static void patterns_have_one_order(void **state)
{
	static const struct {
		const char *why, *rows, *uri, *wins;
		bool emergency;
	} cases[] = {
		{ "the longest", "{\"pattern\":\"+4\"},{\"pattern\":\"+49\"},{\"pattern\":\"+\"}",
		  "sip:+4930@aurabox.internal", "+49", false },
		{ "x counts as a character", "{\"pattern\":\"12\"},{\"pattern\":\"1xx\"}",
		  "sip:1234@aurabox.internal", "1xx", false },
		{ "more literal digits",
		  "{\"pattern\":\"12x\"},{\"pattern\":\"123\"},{\"pattern\":\"1xx\"}",
		  "sip:1234@aurabox.internal", "123", false },
		{ "narrower lengths",
		  "{\"pattern\":\"12\",\"min\":2,\"max\":36},{\"pattern\":\"12\",\"min\":4,\"max\":4}",
		  "sip:1234@aurabox.internal", "12", false },
		{ "length is of the whole number",
		  "{\"pattern\":\"12\",\"min\":5,\"max\":9},{\"pattern\":\"1\",\"min\":4,\"max\":4}",
		  "sip:1234@aurabox.internal", "1", false },
		{ "a place hides all",
		  "{\"pattern\":\"1234\"},{\"pattern\":\"1\",\"location\":\"A\"}",
		  "sip:1234@aurabox.internal", "1", false },
		{ "another place does not",
		  "{\"pattern\":\"1234\",\"location\":\"B\"},{\"pattern\":\"1\"}",
		  "sip:1234@aurabox.internal", "1", false },
		{ "a domain",
		  "{\"pattern\":\"12\",\"domain\":\"eng.example.com\"},{\"pattern\":\"1\"}",
		  "sip:1234@aurabox.internal", "1", false },
		{ "a domain above", "{\"pattern\":\"12\",\"domain\":\"example.com\"}",
		  "sip:1234@eng.example.com", "12", false },
		{ "the domain itself before the one above",
		  "{\"pattern\":\"12\",\"domain\":\"example.com\"},"
		  "{\"pattern\":\"1\",\"domain\":\"eng.example.com\"}",
		  "sip:1234@eng.example.com", "1", false },
		{ "separators are none", "{\"pattern\":\"+4930\"}",
		  "sip:+49-30-(55)@aurabox.internal", "+4930", false },
		{ "star and hash", "{\"pattern\":\"*2x#\"}", "sip:*21%23@aurabox.internal", "*2x#",
		  false },
		{ "a name is no number", "{\"pattern\":\"1\"}", "sip:1a@aurabox.internal", "",
		  false },
		{ "emergency before a user of that name",
		  "{\"pattern\":\"112\",\"max\":3,\"emergency\":true}", "sip:112@aurabox.internal",
		  "112", true },
	};
	char rows[512];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct route r;

		snprintf(rows, sizeof(rows), "\"dial_patterns\":[%s]", cases[i].rows);
		load(rows);
		r = ASK(.uri = cases[i].uri, .actual = "A");
		if (strcmp(r.pattern ? r.pattern->pattern : "", cases[i].wins) != 0)
			fail_msg("%s: %s won", cases[i].why,
				 r.pattern ? r.pattern->pattern : "none");
		assert_int_equal(r.emergency, cases[i].emergency);
		clear(state);
	}
}

static void of_equals_the_first_wins_and_the_narrower(void **state)
{
	struct route r;

	load("\"dial_patterns\":[{\"pattern\":\"12\",\"policies\":[\"local\"]},"
	     "{\"pattern\":\"12\",\"policies\":[\"central\"]},"
	     "{\"pattern\":\"77\",\"min\":2,\"max\":36,\"policies\":[\"central\"]},"
	     "{\"pattern\":\"77\",\"min\":4,\"max\":4,\"policies\":[\"local\"]}]");
	r = ASK(.uri = "sip:1234@aurabox.internal");
	assert_string_equal(first(r), "local");
	r = ASK(.uri = "sip:7712@aurabox.internal");
	assert_string_equal(first(r), "local");
	r = ASK(.uri = "sip:77123@aurabox.internal");
	assert_string_equal(first(r), "central");
}

static void a_better_match_for_all_may_override_the_place(void **state)
{
	load("\"settings\":{\"better_match_all_overrides\":true},"
	     "\"dial_patterns\":[{\"pattern\":\"123\",\"policies\":[\"central\"]},"
	     "{\"pattern\":\"1\",\"location\":\"A\",\"policies\":[\"local\"]},"
	     "{\"pattern\":\"9\",\"policies\":[\"central\"]},"
	     "{\"pattern\":\"9\",\"location\":\"A\",\"policies\":[\"local\"]}]");
	assert_string_equal(first(ASK(.uri = "sip:1234@aurabox.internal", .actual = "A")),
			    "central");
	assert_string_equal(first(ASK(.uri = "sip:1534@aurabox.internal", .actual = "A")), "local");
	assert_string_equal(first(ASK(.uri = "sip:9@aurabox.internal", .actual = "A")), "local");
}

static void home_decides_but_an_emergency_is_where_one_is(void **state)
{
	struct route r;

	load("\"dial_patterns\":["
	     "{\"pattern\":\"0\",\"location\":\"A\",\"policies\":[\"central\"]},"
	     "{\"pattern\":\"0\",\"location\":\"B\",\"policies\":[\"local\"]},"
	     "{\"pattern\":\"911\",\"max\":3,\"emergency\":true,\"location\":\"A\",\"policies\":[\"central\"]},"
	     "{\"pattern\":\"911\",\"max\":3,\"emergency\":true,\"location\":\"B\",\"policies\":[\"local\"]},"
	     "{\"pattern\":\"110\",\"max\":3,\"emergency\":true,\"location\":\"A\",\"policies\":[\"central\"]}]");
	r = ASK(.uri = "sip:0123@aurabox.internal", .actual = "B", .home = "A");
	assert_string_equal(first(r), "central");
	r = ASK(.uri = "sip:911@aurabox.internal", .actual = "B", .home = "A");
	assert_string_equal(first(r), "local");
	assert_true(r.emergency);
	assert_string_equal(r.location->name, "B");
	/* An emergency number of home only is none here. */
	r = ASK(.uri = "sip:110@aurabox.internal", .actual = "B", .home = "A");
	assert_int_equal(r.status, 404);
	/* Where nobody knows the place, home it is. */
	r = ASK(.uri = "sip:110@aurabox.internal", .home = "A");
	assert_string_equal(first(r), "central");
}

static void policies_go_by_rank_and_time_of_the_place(void **state)
{
	struct route r;

	load("\"dial_patterns\":[{\"pattern\":\"0\",\"policies\":[\"second\",\"off\",\"office\","
	     "\"closed\"]},{\"pattern\":\"1\",\"policies\":[\"office\",\"off\"]}]");
	/* Wednesday noon in summer: UTC+2 in A. */
	r = ASK(.uri = "sip:01@aurabox.internal", .actual = "A", .at = "2026-07-15T10:00:00Z");
	assert_int_equal(r.count, 2);
	assert_string_equal(r.candidates[0].policy->name, "office");
	assert_string_equal(r.candidates[1].policy->name, "second");
	assert_int_equal(r.candidates[1].rank, 5);
	r = ASK(.uri = "sip:01@aurabox.internal", .actual = "A", .at = "2026-07-15T15:59:59Z");
	assert_string_equal(r.candidates[0].policy->name, "office");
	r = ASK(.uri = "sip:01@aurabox.internal", .actual = "A", .at = "2026-07-15T16:00:00Z");
	assert_string_equal(r.candidates[0].policy->name, "closed");
	/* The same instant in winter is an hour earlier on the wall; without a zone it is UTC. */
	r = ASK(.uri = "sip:01@aurabox.internal", .actual = "A", .at = "2026-01-14T16:30:00Z");
	assert_string_equal(r.candidates[0].policy->name, "office");
	r = ASK(.uri = "sip:01@aurabox.internal", .actual = "B", .at = "2026-07-15T17:30:00Z");
	assert_string_equal(r.candidates[0].policy->name, "office");
	/* Saturday has no office hours: only a number of those has no way now. */
	r = ASK(.uri = "sip:1@aurabox.internal", .actual = "B", .at = "2026-07-18T10:00:00Z");
	assert_int_equal(r.outcome, ROUTE_NOT_FOUND);
	assert_int_equal(r.status, 480);
}

static void a_range_may_cross_midnight(void **state)
{
	struct uc_time_range fri = { .days = 1U << 4, .start = 22 * 60, .finish = 6 * 60 };
	struct uc_time_range full = { .days = 1U << 6, .start = 0, .finish = 24 * 60 };
	int64_t at;

	(void)state;
	assert_int_equal(clock_parse(SLICE("2026-07-17T22:00:00Z"), &at), 0); /* Friday */
	assert_true(route_time_holds(&fri, NULL, at));
	assert_false(route_time_holds(&fri, NULL, at - 1));
	assert_true(route_time_holds(&fri, NULL, at + 8 * 3600000LL - 1));
	assert_false(route_time_holds(&fri, NULL, at + 8 * 3600000LL));
	assert_false(route_time_holds(&fri, NULL, at + 24 * 3600000LL)); /* Saturday's evening */
	assert_false(route_time_holds(&full, NULL, at));
	assert_true(route_time_holds(&full, NULL, at + 26 * 3600000LL)); /* Sunday 00:00 */
	assert_true(route_time_holds(&full, NULL, at + 50 * 3600000LL - 1));
}

static void what_is_down_is_passed_over(void **state)
{
	struct route r;

	load("\"dial_patterns\":[{\"pattern\":\"0\",\"policies\":[\"central\",\"second\"]},"
	     "{\"pattern\":\"1\",\"policies\":[\"central\"]}]");
	down = "central";
	r = ASK(.uri = "sip:01@aurabox.internal");
	assert_int_equal(r.outcome, ROUTE_ENTITY);
	assert_int_equal(r.candidates[0].link, ROUTE_LINK_DOWN);
	assert_string_equal(r.candidates[1].entity->name, "local");
	r = ASK(.uri = "sip:1@aurabox.internal");
	assert_int_equal(r.outcome, ROUTE_DOWN);
	assert_int_equal(r.status, 500);
}

static void the_order_is_users_patterns_expressions_proxy_uri(void **state)
{
	struct route r;

	load("\"dial_patterns\":[{\"pattern\":\"300\",\"policies\":[\"central\"]},"
	     "{\"pattern\":\"66\",\"deny\":true}],"
	     "\"regular_expressions\":[{\"pattern\":\"^300x@\",\"rank\":1,\"policies\":[\"local\"]},"
	     "{\"pattern\":\"^sip:fax\",\"rank\":9,\"policies\":[\"local\"]},"
	     "{\"pattern\":\"^fax@\",\"rank\":0,\"policies\":[\"central\"]},"
	     "{\"pattern\":\"^[a-c]+@\",\"rank\":3,\"policies\":[\"central\"]},"
	     "{\"pattern\":\"^b\",\"rank\":2,\"deny\":true},{\"pattern\":\"(\",\"rank\":0}]");
	r = ASK(.uri = "sip:3001@aurabox.internal");
	assert_int_equal(r.outcome, ROUTE_USER);
	assert_string_equal(r.user->handle, "3001");
	/* The same name in a foreign domain is nobody of ours. */
	r = ASK(.uri = "sip:3001@example.org");
	assert_string_equal(first(r), "central");
	r = ASK(.uri = "sip:6612@aurabox.internal");
	assert_int_equal(r.outcome, ROUTE_DENIED);
	assert_int_equal(r.status, 403);
	/* The whole URI is tried with all of them before user@host, whatever the rank. */
	assert_string_equal(first(ASK(.uri = "sip:fax@aurabox.internal")), "local");
	assert_string_equal(first(ASK(.uri = "sip:acab@example.org")), "central");
	assert_string_equal(first(ASK(.uri = "sip:bc@example.org")), "denied");
	r = ASK(.uri = "sip:zoe@aurabox.internal", .may_leave = true);
	assert_int_equal(r.status, 404);
	r = ASK(.uri = "sip:zoe@example.org", .may_leave = true);
	assert_int_equal(r.outcome, ROUTE_ELSEWHERE);
	r = ASK(.uri = "sip:zoe@example.org");
	assert_int_equal(r.status, 404);
	r = ASK(.uri = "mailto:zoe@example.org");
	assert_int_equal(r.status, 416);
	r = ASK(.uri = "tel:3001");
	assert_int_equal(r.outcome, ROUTE_USER);
	clear(state);
	load("\"settings\":{\"outbound_proxy\":\"central\"}");
	r = ASK(.uri = "sip:zoe@example.org", .may_leave = true);
	assert_string_equal(first(r), "central");
	assert_null(r.candidates[0].policy);
}

static void an_expression_cannot_run_long(void **state)
{
	uint64_t before = clock_now(clock_system());

	load("\"regular_expressions\":[{\"pattern\":\"(a+)+$\",\"policies\":[\"central\"]}]");
	for (int i = 0; i < 50; i++) {
		struct route r = ASK(.uri = "sip:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"
					    "@example.org");

		assert_int_equal(r.status, 404);
	}
	assert_true(clock_now(clock_system()) - before < 5000);
}

static void implicit_users_are_numbers_with_sequences(void **state)
{
	const struct uc_implicit_user *u;

	load("\"application_sequences\":[{\"name\":\"pbx\",\"entities\":[]}],"
	     "\"implicit_users\":[{\"pattern\":\"4\",\"min\":4,\"max\":4,"
	     "\"termination_sequence\":\"pbx\"},"
	     "{\"pattern\":\"45\",\"min\":4,\"max\":4,\"domain\":\"eng.example.com\"}]");
	u = route_implicit(model, SLICE("sip:4512@aurabox.internal"), false);
	assert_string_equal(u->pattern, "4");
	assert_string_equal(u->termination->name, "pbx");
	u = route_implicit(model, SLICE("sip:4512@eng.example.com"), false);
	assert_string_equal(u->pattern, "45");
	assert_null(route_implicit(model, SLICE("sip:45123@aurabox.internal"), false));
}

/* Places -------------------------------------------------------------------------------------- */
static void addresses_have_the_narrowest_place(void **state)
{
	static const struct {
		const char *ip, *place;
	} cases[] = {
		{ "135.120.121.7", "wild" }, { "135.129.121.255", "wild" }, { "135.12.121.7", "" },
		{ "135.121.122.7", "" },     { "10.1.2.3", "A" },	    { "10.2.0.9", "range" },
		{ "10.2.0.10", "B" },	     { "2001:db8:1::5", "six" },    { "2001:db9::1", "" },
		{ "::ffff:10.1.2.3", "A" },
	};
	struct uc_ip_pattern pattern;
	static const char *const bad[] = { "",		 "10.1.0.0/33", "10.0.0.9-10.0.0.1",
					   "10.1.x",	 "1.2.3",	"a.b.c.x",
					   "10.1.*.*.*", "1**.2.3.4",	"10.0.0.1-2001:db8::1" };

	load("\"application_sequences\":[]");
	clear(state);
	{
		AUTO(json)
		json_t *json =
			json_loads("{\"schema\":1,\"locations\":["
				   "{\"name\":\"A\",\"patterns\":[\"10.1.0.0/16\"]},"
				   "{\"name\":\"B\",\"patterns\":[\"10.2.0.0/16\"]},"
				   "{\"name\":\"range\",\"patterns\":[\"10.2.0.1-10.2.0.9\"]},"
				   "{\"name\":\"wild\",\"patterns\":[\"135.12x.121.*\"]},"
				   "{\"name\":\"six\",\"patterns\":[\"2001:db8::/32\"]}]}",
				   0, NULL);

		assert_int_equal(uc_model_new(json, &model, NULL), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct uc_location *l;
		struct addr addr;

		assert_int_equal(addr_parse_ip(slice_str(cases[i].ip), 5060, &addr), 0);
		l = uc_location_of(uc_model_routing(model), &addr);
		if (strcmp(l ? l->name : "", cases[i].place) != 0)
			fail_msg("%s is in %s", cases[i].ip, l ? l->name : "no place");
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(uc_ip_pattern_read(slice_str(bad[i]), &pattern), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(patterns_have_one_order, clear),
		cmocka_unit_test_teardown(of_equals_the_first_wins_and_the_narrower, clear),
		cmocka_unit_test_teardown(a_better_match_for_all_may_override_the_place, clear),
		cmocka_unit_test_teardown(home_decides_but_an_emergency_is_where_one_is, clear),
		cmocka_unit_test_teardown(policies_go_by_rank_and_time_of_the_place, clear),
		cmocka_unit_test(a_range_may_cross_midnight),
		cmocka_unit_test_teardown(what_is_down_is_passed_over, clear),
		cmocka_unit_test_teardown(the_order_is_users_patterns_expressions_proxy_uri, clear),
		cmocka_unit_test_teardown(an_expression_cannot_run_long, clear),
		cmocka_unit_test_teardown(implicit_users_are_numbers_with_sequences, clear),
		cmocka_unit_test_teardown(addresses_have_the_narrowest_place, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
