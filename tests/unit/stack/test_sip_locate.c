/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_locate.c - RFC 3263 over a DNS that is a table: what is asked, in which order places come,
 * how long they are kept, and what a failed one does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/error.h"
#include "stack/sip/sip_locate.h"

struct dns_query {
	dns_done_fn *done;
	void *arg;
	enum dns_type type;
	char name[300];
	bool under_way;
};

struct row {
	const char *name;
	enum dns_type type;
	struct dns_record record;
};

static struct dns_query question;
static const struct row *zone;
static size_t zone_count;
static uint64_t now = 1000;
static uint32_t ttl = 60, drawn;
static char asked[1024];

static int ask(void *user, const char *name, enum dns_type type, dns_done_fn *done, void *arg,
	       struct dns_query **ret)
{
	size_t used = strlen(asked);

	assert_false(question.under_way);
	question = (struct dns_query){ .done = done, .arg = arg, .type = type, .under_way = true };
	(void)snprintf(question.name, sizeof(question.name), "%s", name);
	(void)snprintf(asked + used, sizeof(asked) - used, "%s/%d ", name, (int)type);
	*ret = &question;
	return 0;
}

static void cancel(void *user, struct dns_query *query)
{
	query->under_way = false;
}

/* Answer what is asked until nothing is. */
static void serve(void)
{
	while (question.under_way) {
		struct dns_record found[8];
		struct dns_query q = question;
		size_t count = 0;

		for (size_t i = 0; i < zone_count; i++)
			if (zone[i].type == q.type && strcmp(zone[i].name, q.name) == 0)
				found[count++] = zone[i].record;
		question.under_way = false;
		q.done(q.arg, count ? 0 : -ENOENT, count ? found : NULL, count, ttl);
	}
}

static uint64_t clock_ms(void *user)
{
	return now;
}

static uint32_t draw(void *user)
{
	return drawn;
}

static struct sip_locator *make(uint32_t transports, bool ipv6, const struct row *rows,
				size_t count)
{
	const struct sip_locate_dns dns = { ask, cancel, NULL };
	const struct sip_locate_rules rules = { .transports = transports,
						.ipv4 = true,
						.ipv6 = ipv6,
						.now_ms = clock_ms,
						.random = draw };
	struct sip_locator *locator;

	zone = rows;
	zone_count = count;
	asked[0] = '\0';
	question.under_way = false;
	assert_int_equal(sip_locator_new(&dns, &rules, &locator), 0);
	return locator;
}

enum { U = 1 << SIP_TRANSPORT_UDP, T = 1 << SIP_TRANSPORT_TCP, L = 1 << SIP_TRANSPORT_TLS };

static struct dns_record srv(uint16_t priority, uint16_t weight, uint16_t port, const char *name)
{
	struct dns_record out = { .priority = priority, .weight = weight, .port = port };

	(void)snprintf(out.name, sizeof(out.name), "%s", name);
	return out;
}

static struct dns_record naptr(uint16_t order, const char *service, const char *name)
{
	struct dns_record out = srv(order, 0, 0, name);

	(void)snprintf(out.service, sizeof(out.service), "%s", service);
	(void)snprintf(out.flags, sizeof(out.flags), "s");
	return out;
}

static struct dns_record a(const char *ip)
{
	struct dns_record out = { 0 };

	assert_int_equal(addr_parse_ip(slice_str(ip), 0, &out.addr), 0);
	return out;
}

/* "udp 192.0.2.1:5060 tcp ..." of everything found. */
static const char *places(struct sip_locator *locator, const struct sip_locate_what *what)
{
	static char text[1024];
	struct sip_target targets[SIP_LOCATE_TARGETS];
	char addr[ADDR_TEXT_MAX];
	int n = sip_locate_all(locator, what, targets, NULL);

	if (n == -EINPROGRESS) {
		serve();
		n = sip_locate_all(locator, what, targets, NULL);
	}
	(void)snprintf(text, sizeof(text), "%d", n < 0 ? n : 0);
	if (n > 0)
		text[0] = '\0';
	for (int i = 0; i < n; i++) {
		size_t used = strlen(text);

		(void)snprintf(text + used, sizeof(text) - used, "%.*s %s ",
			       SLICE_ARG(sip_transport_name(targets[i].transport)),
			       addr_format(&targets[i].addr, addr));
	}
	return text;
}

static const struct sip_locate_what plain = { .host = { "x.com", 5 } };

static void naptr_leads_to_srv_and_addresses(void **state)
{
	const struct row rows[] = {
		{ "x.com", DNS_NAPTR, naptr(20, "SIP+D2U", "u.x.com") },
		{ "x.com", DNS_NAPTR, naptr(10, "SIP+D2T", "t.x.com") },
		{ "x.com", DNS_NAPTR, naptr(5, "SIPS+D2T", "s.x.com") },
		{ "x.com", DNS_NAPTR, naptr(1, "E2U+sip", "e.x.com") },
		{ "t.x.com", DNS_SRV, srv(1, 0, 5070, "h1.x.com") },
		{ "u.x.com", DNS_SRV, srv(1, 0, 5080, "h2.x.com") },
		{ "h1.x.com", DNS_A, a("192.0.2.1") },
		{ "h2.x.com", DNS_A, a("192.0.2.2") },
	};
	struct sip_locator *locator = make(U | T, false, rows, ARRAY_SIZE(rows));

	assert_string_equal(places(locator, &plain), "TCP 192.0.2.1:5070 UDP 192.0.2.2:5080 ");
	assert_string_equal(asked, "x.com/35 t.x.com/33 u.x.com/33 h1.x.com/1 h2.x.com/1 ");
	sip_locator_free(locator);
}

static void without_naptr_each_transport_is_asked_for(void **state)
{
	const struct row rows[] = {
		{ "_sip._tcp.x.com", DNS_SRV, srv(1, 0, 5060, "h.x.com") },
		{ "h.x.com", DNS_AAAA, a("2001:db8::1") },
		{ "h.x.com", DNS_A, a("192.0.2.1") },
	};
	struct sip_locator *locator = make(U | T | L, true, rows, ARRAY_SIZE(rows));

	assert_string_equal(places(locator, &plain), "TCP [2001:db8::1]:5060 TCP 192.0.2.1:5060 ");
	sip_locator_free(locator);
}

static void a_port_or_no_srv_means_the_host_itself(void **state)
{
	const struct row rows[] = { { "x.com", DNS_A, a("192.0.2.1") } };
	struct sip_locator *locator = make(U | T | L, false, rows, ARRAY_SIZE(rows));
	struct sip_locate_what what = plain;

	what.port = 5099;
	assert_string_equal(places(locator, &what), "UDP 192.0.2.1:5099 ");
	assert_string_equal(asked, "x.com/1 ");
	what.port = 0;
	assert_string_equal(places(locator, &what), "UDP 192.0.2.1:5060 ");
	what.secure = true;
	assert_string_equal(places(locator, &what), "TLS 192.0.2.1:5061 ");
	what.secure = false;
	what.transport = SIP_TRANSPORT_TCP;
	asked[0] = '\0';
	assert_string_equal(places(locator, &what), "TCP 192.0.2.1:5060 ");
	assert_string_equal(asked, "_sip._tcp.x.com/33 x.com/1 ");
	sip_locator_free(locator);
}

static void priorities_come_in_order_and_weights_are_drawn(void **state)
{
	const struct row rows[] = {
		{ "_sip._udp.x.com", DNS_SRV, srv(20, 0, 1, "h.x.com") },
		{ "_sip._udp.x.com", DNS_SRV, srv(10, 90, 3, "h.x.com") },
		{ "_sip._udp.x.com", DNS_SRV, srv(10, 10, 2, "h.x.com") },
		{ "h.x.com", DNS_A, a("192.0.2.1") },
	};
	struct sip_locator *locator = make(U, false, rows, ARRAY_SIZE(rows));

	drawn = 5;
	assert_string_equal(places(locator, &plain),
			    "UDP 192.0.2.1:2 UDP 192.0.2.1:3 UDP 192.0.2.1:1 ");
	sip_locator_free(locator);
	locator = make(U, false, rows, ARRAY_SIZE(rows));
	drawn = 60;
	assert_string_equal(places(locator, &plain),
			    "UDP 192.0.2.1:3 UDP 192.0.2.1:2 UDP 192.0.2.1:1 ");
	sip_locator_free(locator);
	drawn = 0;
}

static void a_failed_place_is_passed_over_for_a_while(void **state)
{
	const struct row rows[] = {
		{ "_sip._udp.x.com", DNS_SRV, srv(1, 0, 1, "h.x.com") },
		{ "_sip._udp.x.com", DNS_SRV, srv(2, 0, 2, "h.x.com") },
		{ "h.x.com", DNS_A, a("192.0.2.1") },
	};
	struct sip_locator *locator = make(U, false, rows, ARRAY_SIZE(rows));
	struct sip_target first, second;

	(void)places(locator, &plain);
	assert_int_equal(sip_locate(locator, &plain, &first, NULL), 0);
	assert_int_equal(addr_port(&first.addr), 1);
	assert_true(sip_locate_failed(locator, &plain, &first));
	assert_int_equal(sip_locate(locator, &plain, &second, NULL), 0);
	assert_int_equal(addr_port(&second.addr), 2);
	now += 10;
	assert_false(sip_locate_failed(locator, &plain, &second));
	/* All have failed: the one that did so longest ago. */
	assert_int_equal(sip_locate(locator, &plain, &second, NULL), 0);
	assert_int_equal(addr_port(&second.addr), 1);
	now += SIP_LOCATE_PENALTY_MS;
	assert_int_equal(sip_locate(locator, &plain, &second, NULL), 0);
	assert_int_equal(addr_port(&second.addr), 1);
	sip_locator_free(locator);
}

static int woken_with;
static struct sip_locator *the_locator;

static void on_woken(struct sip_locate_wait *wait, int r)
{
	struct sip_target target;

	woken_with = r;
	if (r == 0)
		assert_int_equal(sip_locate(the_locator, &plain, &target, wait), 0);
}

static void who_waits_is_woken_and_time_runs_out(void **state)
{
	const struct row rows[] = { { "x.com", DNS_A, a("192.0.2.1") } };
	struct sip_locator *locator = make(U, false, rows, ARRAY_SIZE(rows));
	struct sip_locate_wait one = { .woken = on_woken }, two = { .woken = on_woken };
	struct sip_target target;

	the_locator = locator;
	woken_with = 1;
	assert_int_equal(sip_locate(locator, &plain, &target, &one), -EINPROGRESS);
	assert_int_equal(sip_locate(locator, &plain, &target, &two), -EINPROGRESS);
	sip_locate_stop(&two);
	serve();
	assert_int_equal(woken_with, 0);
	/* Kept for its time; then asked again, and who cannot wait still gets the old one. */
	asked[0] = '\0';
	assert_int_equal(sip_locate(locator, &plain, &target, NULL), 0);
	assert_string_equal(asked, "");
	now += 61000;
	assert_int_equal(sip_locate(locator, &plain, &target, NULL), 0);
	assert_string_equal(asked, "x.com/35 ");
	assert_int_equal(sip_locate(locator, &plain, &target, &one), -EINPROGRESS);
	/* Nobody answers. */
	now += SIP_LOCATE_PATIENCE_MS;
	sip_locator_sweep(locator);
	assert_int_equal(woken_with, -ETIMEDOUT);
	assert_int_equal(sip_locate(locator, &plain, &target, &one), -ENOENT);
	sip_locator_free(locator);
}

static void nonsense_is_refused_and_names_are_bounded(void **state)
{
	struct sip_locator *locator = make(U, false, NULL, 0);
	struct sip_locate_what what = { .host = SLICE("") };
	struct sip_target target;
	char name[32];

	assert_int_equal(sip_locate(locator, &what, &target, NULL), -EINVAL);
	what.host = slice_make("a\0b", 3);
	assert_int_equal(sip_locate(locator, &what, &target, NULL), -EINVAL);
	for (int i = 0; i < SIP_LOCATE_NAMES + 10; i++) {
		(void)snprintf(name, sizeof(name), "h%d.x.com", i);
		what.host = slice_str(name);
		assert_string_equal(places(locator, &what), "-2");
	}
	sip_locator_free(locator);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(naptr_leads_to_srv_and_addresses),
		cmocka_unit_test(without_naptr_each_transport_is_asked_for),
		cmocka_unit_test(a_port_or_no_srv_means_the_host_itself),
		cmocka_unit_test(priorities_come_in_order_and_weights_are_drawn),
		cmocka_unit_test(a_failed_place_is_passed_over_for_a_while),
		cmocka_unit_test(who_waits_is_woken_and_time_runs_out),
		cmocka_unit_test(nonsense_is_refused_and_names_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
