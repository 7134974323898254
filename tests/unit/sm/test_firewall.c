/* SPDX-License-Identifier: Apache-2.0 */
/* test_firewall.c - who is let in, how often, and who not any more; the clock is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "node/uc_model.h"
#include "sm/firewall.h"

static const struct firewall_config usual = { .allow = "127.0.0.1, 2001:db8:a::/48",
					      .deny = "198.51.100.0/24,127.0.0.1",
					      .source_per_s = 10,
					      .source_burst = 20,
					      .user_per_s = 5,
					      .user_burst = 10,
					      .malformed_max = 5,
					      .failed_max = 3,
					      .quarantine_s = 60,
					      .connections_max = 2 };

static struct firewall *make(const struct firewall_config *config)
{
	struct firewall *fw = NULL;

	assert_int_equal(firewall_new(config, &fw, NULL), 0);
	return fw;
}

static struct addr at(const char *text)
{
	struct addr out;

	assert_int_equal(addr_parse(slice_str(text), 5060, &out), 0);
	return out;
}

static unsigned pass_of(struct firewall *fw, const char *text, unsigned messages, uint64_t now)
{
	struct addr from = at(text);
	unsigned passed = 0;

	for (unsigned i = 0; i < messages; i++)
		passed += firewall_message(fw, &from, now) == FIREWALL_PASS;
	return passed;
}

static void lists_are_read_and_judged(void **state)
{
	AUTO(firewall) struct firewall *fw = make(&usual);
	struct addr a = at("198.51.100.9"), peer = at("198.51.100.10"), other = at("192.0.2.1");

	(void)state;
	assert_int_equal(firewall_message(fw, &a, 1), FIREWALL_DENY);
	assert_int_equal(firewall_connect(fw, &a, 1), FIREWALL_DENY);
	firewall_set_peers(fw, &peer, 1);
	assert_int_equal(firewall_message(fw, &peer, 1), FIREWALL_DENY); /* named by hand: wins */
	firewall_set_peers(fw, &other, 1);
	assert_int_equal(pass_of(fw, "192.0.2.1:7000", 1000, 1), 1000);
	assert_int_equal(pass_of(fw, "127.0.0.1", 1000, 1), 1000); /* allow goes before deny */
	assert_int_equal(pass_of(fw, "[2001:db8:a::5]:9", 1000, 1), 1000);
	assert_int_equal(firewall_sources(fw), 0);
	assert_int_equal(firewall_check_nets(" 10.0.0.0/8 ,, ::1", NULL), 0);
	assert_int_equal(firewall_check_nets("10.0.0.0/33", NULL), -EINVAL);
	assert_int_equal(firewall_check_nets("example.org", NULL), -EINVAL);
}

static void a_source_has_its_rate_and_others_theirs(void **state)
{
	AUTO(firewall) struct firewall *fw = make(&usual);

	(void)state;
	assert_int_equal(pass_of(fw, "192.0.2.1:1", 500, 1000), 20);
	assert_int_equal(pass_of(fw, "192.0.2.1:2", 500, 1000), 0); /* the port does not count */
	assert_int_equal(pass_of(fw, "192.0.2.2:1", 5, 1000), 5);
	assert_int_equal(pass_of(fw, "192.0.2.1:1", 500, 2000), 10);
	assert_int_equal(pass_of(fw, "192.0.2.1:1", 500, 2050), 0);
	assert_int_equal(pass_of(fw, "192.0.2.1:1", 500, 1000000), 20);
	assert_int_equal(pass_of(fw, "[2001:db8::1]:1", 15, 1000), 15);
	assert_int_equal(pass_of(fw, "[2001:db8::ffff:1]:1", 500, 1000), 5); /* one /64 */
	assert_int_equal(pass_of(fw, "[2001:db8:0:1::1]:1", 500, 1000), 20);
	assert_int_equal(pass_of(fw, "[::ffff:192.0.2.2]:1", 500, 1000), 15); /* the same machine */
}

static void who_knows_his_password_is_not_slowed(void **state)
{
	AUTO(firewall) struct firewall *fw = make(&usual);
	struct addr from = at("192.0.2.1");
	char user[16];

	(void)state;
	for (int i = 0; i < 1000; i++) { /* a branch behind one address, all at once */
		(void)snprintf(user, sizeof(user), "%d", i);
		assert_int_equal(firewall_message(fw, &from, 5), FIREWALL_PASS);
		assert_int_equal(firewall_message(fw, &from, 5), FIREWALL_PASS);
		assert_int_equal(firewall_authenticated(fw, &from, slice_str(user), 5),
				 FIREWALL_PASS);
	}
}

static void a_user_has_a_rate_wherever_he_is(void **state)
{
	AUTO(firewall) struct firewall *fw = make(&usual);
	struct addr a = at("192.0.2.1"), b = at("192.0.2.2"), home = at("127.0.0.1");
	unsigned passed = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		passed += firewall_authenticated(fw, i % 2 ? &a : &b, SLICE("3001"), 7) ==
			  FIREWALL_PASS;
	assert_int_equal(passed, 10);
	assert_int_equal(firewall_authenticated(fw, &a, SLICE("3001"), 7), FIREWALL_USER_RATE);
	assert_int_equal(firewall_authenticated(fw, &a, SLICE("3002"), 7), FIREWALL_PASS);
	assert_int_equal(firewall_authenticated(fw, &home, SLICE("3001"), 7), FIREWALL_PASS);
	assert_int_equal(firewall_authenticated(fw, &a, SLICE("3001"), 207), FIREWALL_PASS);
}

static void garbage_leads_into_quarantine_and_out(void **state)
{
	AUTO(firewall) struct firewall *fw = make(&usual);
	struct addr from = at("192.0.2.1"), good = at("192.0.2.2"), home = at("127.0.0.1");
	json_t *json;

	(void)state;
	for (int i = 0; i < 5; i++)
		firewall_malformed(fw, &from, 1000);
	assert_int_equal(firewall_message(fw, &from, 1000), FIREWALL_PASS);
	firewall_malformed(fw, &from, 1001);
	assert_int_equal(firewall_message(fw, &from, 1001), FIREWALL_QUARANTINE);
	assert_int_equal(firewall_connect(fw, &from, 1001), FIREWALL_QUARANTINE);
	assert_int_equal(firewall_quarantined(fw, 1001), 1);
	json = firewall_to_json(fw, 1001);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(json, "quarantined"), 0),
				    "address")),
			    "192.0.2.1");
	json_decref(json);
	assert_int_equal(firewall_message(fw, &from, 60999), FIREWALL_QUARANTINE);
	assert_int_equal(firewall_message(fw, &from, 61001), FIREWALL_PASS);
	firewall_malformed(fw, &from, 61001); /* it begins anew */
	assert_int_equal(firewall_message(fw, &from, 61001), FIREWALL_PASS);

	/* Slowly, it is only bad luck. */
	for (uint64_t now = 100000; now < 400000; now += 2500)
		firewall_malformed(fw, &from, now);
	assert_int_equal(firewall_message(fw, &from, 400000), FIREWALL_PASS);

	/* Anybody can write another's address on a datagram. */
	firewall_message(fw, &good, 1000);
	firewall_authenticated(fw, &good, SLICE("3001"), 1000);
	for (int i = 0; i < 1000; i++)
		firewall_malformed(fw, &good, 1500);
	assert_int_equal(firewall_message(fw, &good, 1500), FIREWALL_PASS);
	for (int i = 0; i < 1000; i++)
		firewall_malformed(fw, &home, 1500);
	assert_int_equal(firewall_message(fw, &home, 1500), FIREWALL_PASS);
}

static void guessing_leads_into_quarantine(void **state)
{
	AUTO(firewall) struct firewall *fw = make(&usual);
	struct addr from = at("192.0.2.1"), branch = at("192.0.2.2");

	(void)state;
	for (int i = 0; i < 4; i++)
		firewall_failed(fw, &from, 1000);
	assert_int_equal(firewall_message(fw, &from, 1000), FIREWALL_QUARANTINE);
	/* One phone of a branch with an old password: the others speak for the address. */
	firewall_message(fw, &branch, 1);
	for (int i = 0; i < 50; i++) {
		firewall_failed(fw, &branch, 1000);
		firewall_authenticated(fw, &branch, i % 2 ? SLICE("3001") : SLICE("3002"),
				       1000 + (uint64_t)i * 500);
	}
	assert_int_equal(firewall_message(fw, &branch, 26000), FIREWALL_PASS);
}

static void connections_are_counted(void **state)
{
	AUTO(firewall) struct firewall *fw = make(&usual);
	struct addr from = at("192.0.2.1"), other = at("192.0.2.2"), home = at("127.0.0.1");

	(void)state;
	assert_int_equal(firewall_connect(fw, &from, 1), FIREWALL_PASS);
	assert_int_equal(firewall_connect(fw, &from, 1), FIREWALL_PASS);
	assert_int_equal(firewall_connect(fw, &from, 1), FIREWALL_CONNECTIONS);
	assert_int_equal(firewall_connect(fw, &other, 1), FIREWALL_PASS);
	firewall_disconnect(fw, &from);
	assert_int_equal(firewall_connect(fw, &from, 1), FIREWALL_PASS);
	for (int i = 0; i < 100; i++)
		assert_int_equal(firewall_connect(fw, &home, 1), FIREWALL_PASS);
	firewall_disconnect(fw, &from);
	firewall_disconnect(fw, &from);
	firewall_disconnect(fw, &from); /* once too often is harmless */
	assert_int_equal(firewall_connect(fw, &from, 1), FIREWALL_PASS);
}

static struct uc_model *model_of(const char *text)
{
	json_t *document = json_loads(text, 0, NULL);
	struct uc_model *model = NULL;

	assert_int_equal(uc_model_new(document, &model, NULL), 0);
	json_decref(document);
	return model;
}

static void administer(struct firewall *fw, const char *text)
{
	AUTO(uc_model) struct uc_model *model = model_of(text);

	assert_int_equal(firewall_administer(fw, &uc_model_routing(model)->firewall), 0);
}

static json_int_t hits_of(struct firewall *fw, const char *pattern)
{
	json_t *json = firewall_to_json(fw, 1), *rule;
	json_int_t hits = -1;
	size_t i;

	json_array_foreach(json_object_get(json, "rules"), i, rule)
	{
		if (strcmp(json_string_value(json_object_get(rule, "pattern")), pattern) == 0 &&
		    strcmp(json_string_value(json_object_get(rule, "origin")), "administration") ==
			    0)
			hits = json_integer_value(json_object_get(rule, "hits"));
	}
	json_decref(json);
	return hits;
}

static void what_is_administered_is_in_force(void **state)
{
	AUTO(firewall) struct firewall *fw = make(&usual);
	struct addr from = at("192.0.2.9");

	(void)state;
	administer(fw, "{\"firewall_rules\":[{\"pattern\":\"192.0.2.*\",\"action\":\"deny\"},"
		       "{\"pattern\":\"192.0.2.9\",\"action\":\"allow\"},"
		       "{\"pattern\":\"0.0.0.0/0\",\"action\":\"deny\"}]}");
	assert_int_equal(pass_of(fw, "192.0.2.8", 3, 1), 0);
	assert_int_equal(pass_of(fw, "203.0.113.1", 2, 1), 0);
	assert_int_equal(pass_of(fw, "192.0.2.9", 100, 1), 100); /* the narrowest decides */
	assert_int_equal(pass_of(fw, "127.0.0.1", 5, 1), 5);	 /* the configuration's stays */
	assert_int_equal(hits_of(fw, "192.0.2.*"), 3);
	assert_int_equal(hits_of(fw, "192.0.2.9"), 100);
	/* A change of others keeps the count; what is gone holds no more. */
	administer(fw, "{\"firewall_rules\":[{\"pattern\":\"192.0.2.*\",\"action\":\"deny\"}],"
		       "\"settings\":{\"firewall\":{\"source_burst\":7,\"failed_max\":1}}}");
	assert_int_equal(hits_of(fw, "192.0.2.*"), 3);
	assert_int_equal(hits_of(fw, "192.0.2.9"), -1);
	assert_int_equal(pass_of(fw, "203.0.113.1", 50, 1), 7);
	administer(fw, "{}");
	assert_int_equal(pass_of(fw, "203.0.113.2", 50, 1), 20); /* as configured */
	assert_int_equal(pass_of(fw, "192.0.2.9", 50, 1), 20);
	for (int i = 0; i < 5; i++)
		firewall_failed(fw, &from, 1000);
	assert_int_equal(firewall_message(fw, &from, 1000), FIREWALL_QUARANTINE);
	administer(fw, "{\"settings\":{\"firewall\":{\"quarantine_s\":10}}}");
	assert_int_equal(firewall_message(fw, &from, 1000), FIREWALL_QUARANTINE);
}

static void who_is_let_go_is_heard_again(void **state)
{
	AUTO(firewall) struct firewall *fw = make(&usual);
	struct addr a = at("192.0.2.1"), b = at("192.0.2.2"), nobody = at("192.0.2.3");

	(void)state;
	for (int i = 0; i < 4; i++) {
		firewall_failed(fw, &a, 1000);
		firewall_failed(fw, &b, 1000);
	}
	assert_int_equal(firewall_quarantined(fw, 1000), 2);
	assert_int_equal(firewall_release(fw, &nobody, 1000), 0);
	assert_int_equal(firewall_release(fw, &a, 1000), 1);
	assert_int_equal(firewall_release(fw, &a, 1000), 0);
	assert_int_equal(firewall_message(fw, &a, 1000), FIREWALL_PASS);
	assert_int_equal(firewall_message(fw, &b, 1000), FIREWALL_QUARANTINE);
	firewall_failed(fw, &a, 1000); /* it begins anew */
	assert_int_equal(firewall_message(fw, &a, 1000), FIREWALL_PASS);
	assert_int_equal(firewall_release(fw, NULL, 1000), 1);
	assert_int_equal(firewall_quarantined(fw, 1000), 0);
}

static void memory_is_bounded(void **state)
{
	struct firewall_config config = usual;
	AUTO(firewall) struct firewall *fw = NULL;
	struct addr kept = at("192.0.2.1"), from = at("10.0.0.0");
	char user[16];

	(void)state;
	fw = make(&config);
	assert_int_equal(firewall_connect(fw, &kept, 1), FIREWALL_PASS);
	assert_int_equal(firewall_connect(fw, &kept, 1), FIREWALL_PASS);
	for (uint32_t i = 0; i < FIREWALL_SOURCES_MAX + 1000; i++) {
		from.in4.sin_addr.s_addr = htonl(0x0a000000 + i);
		assert_int_equal(firewall_message(fw, &from, 2), FIREWALL_PASS);
	}
	assert_int_equal(firewall_sources(fw), FIREWALL_SOURCES_MAX);
	/* Who has a connection is not forgotten. */
	assert_int_equal(firewall_connect(fw, &kept, 3), FIREWALL_CONNECTIONS);
	for (int i = 0; i < FIREWALL_USERS_MAX + 100; i++) {
		(void)snprintf(user, sizeof(user), "%d", i);
		assert_int_equal(firewall_authenticated(fw, &kept, slice_str(user), 4),
				 FIREWALL_PASS);
	}
}

static void one_line_a_second_a_rule(void **state)
{
	AUTO(firewall) struct firewall *fw = make(&usual);
	uint64_t unlogged = 99;

	(void)state;
	assert_true(firewall_blocked(fw, FIREWALL_DENY, 10, &unlogged));
	assert_int_equal(unlogged, 0);
	for (int i = 0; i < 1000; i++)
		assert_false(
			firewall_blocked(fw, FIREWALL_DENY, 11 + (uint64_t)i % 900, &unlogged));
	assert_true(firewall_blocked(fw, FIREWALL_SOURCE_RATE, 11, &unlogged));
	assert_true(firewall_blocked(fw, FIREWALL_DENY, 1010, &unlogged));
	assert_int_equal(unlogged, 1000);
	assert_int_equal(firewall_count(fw, FIREWALL_DENY), 1002);
	assert_string_equal(firewall_rule_name(FIREWALL_SOURCE_RATE), "source_rate");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read_and_judged),
		cmocka_unit_test(a_source_has_its_rate_and_others_theirs),
		cmocka_unit_test(who_knows_his_password_is_not_slowed),
		cmocka_unit_test(a_user_has_a_rate_wherever_he_is),
		cmocka_unit_test(garbage_leads_into_quarantine_and_out),
		cmocka_unit_test(guessing_leads_into_quarantine),
		cmocka_unit_test(connections_are_counted),
		cmocka_unit_test(what_is_administered_is_in_force),
		cmocka_unit_test(who_is_let_go_is_heard_again),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(one_line_a_second_a_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
