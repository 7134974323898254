/* SPDX-License-Identifier: Apache-2.0 */
/* test_location.c - bindings: matching, order, limits, flows, expiry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/error.h"
#include "sm/location.h"

static struct location *location;
static unsigned events[LOCATION_CLOSED + 1];
static struct location_request rq;

static void hook(void *user, enum location_event event, const char *handle,
		 const struct binding *binding)
{
	assert_non_null(binding->uri);
	events[event]++;
}

static int begin(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		events[i] = 0;
	rq = (struct location_request){ .handle = "3001",
					.call_id = SLICE("one"),
					.cseq = 1,
					.max_contacts = 10,
					.replace_oldest = true,
					.transport = SIP_TRANSPORT_UDP,
					.now_ms = 1000000 };
	return location_new(hook, NULL, &location);
}

static int end(void **state)
{
	(void)state;
	location = location_free(location);
	return 0;
}

static int put(const char *uri, const char *instance, uint32_t expires_s)
{
	rq.count = 1;
	rq.changes[0] = (struct location_change){ .uri = slice_str(uri),
						  .instance = slice_str(instance),
						  .expires_s = expires_s,
						  .q = 1000 };
	return location_update(location, &rq);
}

static size_t count(void)
{
	return location_callable(location, SLICE("3001"), false);
}

static void a_contact_is_added_refreshed_and_removed(void **state)
{
	(void)state;
	assert_int_equal(put("sip:3001@192.0.2.1:5060", "", 60), 0);
	rq.cseq++;
	assert_int_equal(put("sip:3001@192.0.2.1:5060", "", 60), 0);
	assert_int_equal(count(), 1);
	rq.cseq++;
	assert_int_equal(put("sip:3001@192.0.2.1:5060", "", 0), 0);
	assert_int_equal(count(), 0);
	assert_null(location_of(location, SLICE("3001")));
	assert_int_equal(events[LOCATION_ADDED], 1);
	assert_int_equal(events[LOCATION_REFRESHED], 1);
	assert_int_equal(events[LOCATION_REMOVED], 1);
}

static void the_version_follows_what_people_see(void **state)
{
	uint64_t before = location_version(location);

	(void)state;
	assert_int_equal(put("sip:3001@192.0.2.1:5060", "", 60), 0);
	assert_true(location_version(location) != before);
	before = location_version(location);
	rq.cseq++;
	assert_int_equal(put("sip:3001@192.0.2.1:5060", "", 90), 0);
	assert_true(location_version(location) == before);
	rq.cseq++;
	rq.transport = SIP_TRANSPORT_TCP;
	assert_int_equal(put("sip:3001@192.0.2.1:5060", "", 90), 0);
	assert_true(location_version(location) != before);
	before = location_version(location);
	location_expire(location, rq.now_ms + 90001);
	assert_true(location_version(location) != before);
}

static void equal_uris_are_one_contact(void **state)
{
	(void)state;
	assert_int_equal(put("sip:3001@Phone.Example:5060;transport=tcp", "", 60), 0);
	rq.cseq++;
	assert_int_equal(put("SIP:3001@phone.example:5060;Transport=TCP", "", 60), 0);
	assert_int_equal(count(), 1);
}

static void an_instance_keeps_its_binding_when_the_address_changes(void **state)
{
	(void)state;
	assert_int_equal(put("sip:3001@192.0.2.1", "<urn:uuid:1>", 60), 0);
	rq.call_id = SLICE("two");
	assert_int_equal(put("sip:3001@192.0.2.99", "<urn:uuid:1>", 60), 0);
	assert_int_equal(count(), 1);
	assert_non_null(location_by_contact(location, SLICE("sip:3001@192.0.2.99")));
	assert_null(location_by_contact(location, SLICE("sip:3001@192.0.2.1")));
}

/* RFC 5630 section 5.3: who registered with sip: cannot be reached by a sips: request; the other way he can. */
static void a_sips_request_goes_to_sips_contacts_alone(void **state)
{
	const struct binding *b;

	(void)state;
	assert_int_equal(put("sip:3001@192.0.2.1;transport=tls", "", 60), 0);
	rq.cseq++;
	assert_int_equal(put("mailto:3001@example.org", "", 60), 0);
	assert_int_equal(location_callable(location, SLICE("3001"), true), 0);
	assert_int_equal(count(), 1);
	rq.cseq++;
	assert_int_equal(put("SIPS:3001@192.0.2.1", "", 60), 0);
	assert_int_equal(location_callable(location, SLICE("3001"), true), 1);
	assert_int_equal(count(), 2);
	LIST_FOREACH (b, location_of(location, SLICE("3001")), struct binding, link)
		assert_int_equal(location_takes(b, true), b->uri[0] == 'S');
}

static void cseq_counts_within_one_call_id_only(void **state)
{
	(void)state;
	rq.cseq = 10;
	assert_int_equal(put("sip:a@192.0.2.1", "", 60), 0);
	assert_int_equal(put("sip:a@192.0.2.1", "", 60), -ESTALE);
	rq.cseq = 9;
	assert_int_equal(put("sip:a@192.0.2.1", "", 0), -ESTALE);
	assert_int_equal(count(), 1);
	rq.call_id = SLICE("two");
	rq.cseq = 1;
	assert_int_equal(put("sip:a@192.0.2.1", "", 60), 0);
}

static void fill(void)
{
	char uri[64];

	for (int i = 0; i < 10; i++) {
		snprintf(uri, sizeof(uri), "sip:p%d@192.0.2.1", i);
		assert_int_equal(put(uri, "", 60), 0);
	}
}

static void the_eleventh_replaces_the_oldest(void **state)
{
	(void)state;
	fill();
	assert_int_equal(put("sip:p10@192.0.2.1", "", 60), 0);
	assert_int_equal(count(), 10);
	assert_null(location_by_contact(location, SLICE("sip:p0@192.0.2.1")));
	assert_non_null(location_by_contact(location, SLICE("sip:p10@192.0.2.1")));
	assert_int_equal(events[LOCATION_REPLACED], 1);
}

static void the_eleventh_is_refused_by_choice_and_nothing_changes(void **state)
{
	(void)state;
	fill();
	rq.replace_oldest = false;
	assert_int_equal(put("sip:p10@192.0.2.1", "", 60), -EDQUOT);
	assert_int_equal(count(), 10);
	rq.cseq++;
	assert_int_equal(put("sip:p3@192.0.2.1", "", 60), 0); /* a refresh is no new one */
}

static void a_register_is_done_whole_or_not_at_all(void **state)
{
	(void)state;
	rq.cseq = 5;
	assert_int_equal(put("sip:old@192.0.2.1", "", 60), 0);
	rq.count = 2;
	rq.changes[0].uri = SLICE("sip:new@192.0.2.1");
	rq.changes[1] = rq.changes[0];
	rq.changes[1].uri = SLICE("sip:old@192.0.2.1"); /* same Call-ID, same CSeq */
	assert_int_equal(location_update(location, &rq), -ESTALE);
	assert_int_equal(count(), 1);
	assert_null(location_by_contact(location, SLICE("sip:new@192.0.2.1")));
}

static void a_star_removes_all(void **state)
{
	(void)state;
	fill();
	rq.cseq++;
	rq.count = 0;
	rq.remove_all = true;
	assert_int_equal(location_update(location, &rq), 0);
	assert_int_equal(location_count(location), 0);
	assert_int_equal(events[LOCATION_REMOVED], 10);
}

static void a_binding_goes_with_its_flow(void **state)
{
	(void)state;
	rq.transport = SIP_TRANSPORT_TCP;
	rq.flow = 7;
	assert_int_equal(put("sip:a@192.0.2.1", "", 60), 0);
	assert_int_equal(put("sip:b@192.0.2.1", "", 60), 0);
	rq.flow = 8;
	assert_int_equal(put("sip:c@192.0.2.1", "", 60), 0);
	location_flow_closed(location, 7);
	assert_int_equal(count(), 1);
	location_flow_closed(location, 0);
	assert_int_equal(count(), 1);
	assert_int_equal(events[LOCATION_CLOSED], 2);
}

static void a_refresh_over_another_flow_moves_the_binding(void **state)
{
	(void)state;
	rq.flow = 7;
	assert_int_equal(put("sip:a@192.0.2.1", "", 60), 0);
	rq.flow = 8;
	rq.cseq++;
	assert_int_equal(put("sip:a@192.0.2.1", "", 60), 0);
	location_flow_closed(location, 7);
	assert_int_equal(count(), 1);
	location_flow_closed(location, 8);
	assert_int_equal(count(), 0);
}

static void time_removes_what_was_not_refreshed(void **state)
{
	(void)state;
	assert_int_equal(put("sip:a@192.0.2.1", "", 60), 0);
	assert_int_equal(put("sip:b@192.0.2.1", "", 120), 0);
	location_expire(location, 1000000 + 59999);
	assert_int_equal(count(), 2);
	location_expire(location, 1000000 + 60000);
	assert_int_equal(count(), 1);
	assert_int_equal(events[LOCATION_EXPIRED], 1);
}

static void long_and_late_times_are_kept(void **state)
{
	(void)state;
	assert_int_equal(put("sip:a@192.0.2.1", "", 60), 0);
	assert_int_equal(put("sip:b@192.0.2.1", "", 10000), 0);
	for (int64_t s = 0; s < 10000; s += 500)
		location_expire(location, rq.now_ms + s * 1000);
	assert_int_equal(count(), 1);
	location_expire(location, rq.now_ms + 5000); /* the clock was set back */
	assert_int_equal(count(), 1);
	location_expire(location, rq.now_ms + 9999999);
	assert_int_equal(count(), 1);
	location_expire(location, rq.now_ms + 10000000);
	assert_int_equal(count(), 0);
	assert_int_equal(put("sip:c@192.0.2.1", "", 60), 0);
	location_expire(location, rq.now_ms + 90000000); /* set forward by a day */
	assert_int_equal(count(), 0);
}

static void refreshes_with_other_texts_keep_the_contact(void **state)
{
	static const char uri[] = "sip:A%41@EXAMPLE.org;transport=udp";
	char id[200];

	(void)state;
	for (size_t n = 1; n < sizeof(id); n += 33) {
		memset(id, 'x', n);
		rq.call_id = slice_make(id, n);
		rq.user_agent = slice_make(id, sizeof(id) - n < n ? n : sizeof(id) - n);
		assert_int_equal(put(uri, n % 2 ? "" : "<urn:uuid:1>", 60), 0);
		assert_non_null(location_by_contact(location, SLICE("sip:A%41@example.ORG")));
		assert_int_equal(strlen(location_by_contact(location, slice_str(uri))->call_id), n);
	}
	assert_int_equal(count(), 1);
	assert_null(location_by_contact(location, SLICE("sip:a%41@example.org")));
}

static void what_was_kept_comes_back(void **state)
{
	char uri[] = "sip:3001@192.0.2.1:5062", instance[] = "", id[] = "c", agent[] = "phone";
	struct binding b = { .uri = uri,
			     .instance = instance,
			     .call_id = id,
			     .user_agent = agent,
			     .id = 42,
			     .cseq = 3,
			     .q = 500,
			     .expires_ms = 77 };

	(void)state;
	assert_int_equal(location_restore(location, "3001", &b), 0);
	assert_int_equal(location_restore(location, "3001", &b), -EINVAL);
	assert_int_equal(location_by_contact(location, slice_str(uri))->id, 42);
	assert_int_equal(location_by_contact(location, slice_str(uri))->expires_ms, 77);
	assert_int_equal(events[LOCATION_ADDED], 0);
}

static void a_contact_of_somebody_else_is_not_taken_over(void **state)
{
	const char *uri = "sip:3001@192.0.2.1:5060";

	(void)state;
	assert_int_equal(addr_parse(SLICE("192.0.2.1:5060"), 0, &rq.source), 0);
	assert_int_equal(put(uri, "", 60), 0);
	rq.handle = "3002";
	rq.call_id = SLICE("two");
	rq.flow = 7;
	assert_int_equal(addr_parse(SLICE("192.0.2.66:5060"), 0, &rq.source), 0);
	assert_int_equal(put(uri, "", 60), 0);
	assert_int_equal(location_count(location), 2);
	assert_string_equal(location_handle(location_by_contact(location, slice_str(uri))), "3001");
	location_forget(location, SLICE("3001"));
	assert_string_equal(location_handle(location_by_contact(location, slice_str(uri))), "3002");
}

static void a_deleted_user_is_forgotten(void **state)
{
	(void)state;
	fill();
	location_forget(location, SLICE("3001"));
	assert_int_equal(location_count(location), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
static void other_schemes_are_kept_and_cannot_be_called(void **state)
{
	static const char *const uris[] = { "mailto:ada@example.org", "tel:+49-30-123",
					    "http://192.0.2.1/ada?x=1;y", "sip:3001@192.0.2.1" };
	struct slice handle = SLICE("3001");

	(void)state;
	rq.flow = 7;
	for (size_t i = 0; i < ARRAY_SIZE(uris); i++) {
		rq.cseq++;
		assert_int_equal(put(uris[i], "<urn:uuid:1>", 60), 0);
	}
	assert_int_equal(location_count(location), 4);
	assert_int_equal(count(), 1);
	/* Nobody draws another's calls to himself with a Contact that names a number. */
	assert_null(location_by_contact(location, SLICE("tel:+49-30-123")));
	assert_null(location_by_contact(location, SLICE("mailto:ada@example.org")));
	assert_non_null(location_by_contact(location, SLICE("sip:3001@192.0.2.1")));
	rq.cseq++;
	assert_int_equal(put("TEL:+4930123", "", 60), 0); /* the same number */
	rq.cseq++;
	assert_int_equal(put("mailto:ada@example.org", "", 60), 0);
	assert_int_equal(location_count(location), 4);
	rq.cseq++;
	assert_int_equal(put("sip:3001@192.0.2.1:5070", "<urn:uuid:1>", 60),
			 0); /* the same phone */
	assert_int_equal(location_count(location), 4);
	location_flow_closed(location, 7); /* they do not live on the connection */
	assert_int_equal(location_count(location), 3);
	assert_int_equal(count(), 0);
	rq.cseq++;
	assert_int_equal(put("http://192.0.2.1/ada?x=1;y", "", 0), 0);
	assert_int_equal(location_count(location), 2);
	assert_non_null(location_of(location, handle));
	location_expire(location, rq.now_ms + 61000);
	assert_int_equal(location_count(location), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_contact_is_added_refreshed_and_removed),
		TEST(the_version_follows_what_people_see),
		TEST(equal_uris_are_one_contact),
		TEST(an_instance_keeps_its_binding_when_the_address_changes),
		TEST(a_sips_request_goes_to_sips_contacts_alone),
		TEST(cseq_counts_within_one_call_id_only),
		TEST(the_eleventh_replaces_the_oldest),
		TEST(the_eleventh_is_refused_by_choice_and_nothing_changes),
		TEST(a_register_is_done_whole_or_not_at_all),
		TEST(a_star_removes_all),
		TEST(a_binding_goes_with_its_flow),
		TEST(a_refresh_over_another_flow_moves_the_binding),
		TEST(time_removes_what_was_not_refreshed),
		TEST(long_and_late_times_are_kept),
		TEST(refreshes_with_other_texts_keep_the_contact),
		TEST(what_was_kept_comes_back),
		TEST(a_contact_of_somebody_else_is_not_taken_over),
		TEST(a_deleted_user_is_forgotten),
		cmocka_unit_test_setup_teardown(other_schemes_are_kept_and_cannot_be_called, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
