/* SPDX-License-Identifier: Apache-2.0 */
/* test_registrar.c - which times are granted and what is read from a REGISTER. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/error.h"
#include "codec/sip/sip_msg.h"
#include "sm/registrar.h"

static const struct sm_options reject = { .min_expires_s = 60,
					  .default_expires_s = 3600,
					  .max_expires_s = 3600,
					  .short_expires = SHORT_EXPIRES_REJECT };

static void times_are_lowered_refused_or_raised(void **state)
{
	struct sm_options raise = reject;
	uint32_t out = 0;

	(void)state;
	raise.short_expires = SHORT_EXPIRES_RAISE;
	assert_int_equal(registrar_grant(&reject, 0, &out), 0); /* a removal is never too short */
	assert_int_equal(out, 0);
	assert_int_equal(registrar_grant(&reject, 59, &out), -ERANGE);
	assert_int_equal(registrar_grant(&reject, 60, &out), 0);
	assert_int_equal(out, 60);
	assert_int_equal(registrar_grant(&reject, 7200, &out), 0);
	assert_int_equal(out, 3600);
	assert_int_equal(registrar_grant(&raise, 10, &out), 0);
	assert_int_equal(out, 60);
}

static void an_hour_is_never_too_short(void **state)
{
	struct sm_options strict = reject;
	uint32_t out = 0;

	(void)state;
	strict.min_expires_s = strict.max_expires_s = 7200;
	assert_int_equal(registrar_grant(&strict, 3599, &out), -ERANGE);
	assert_int_equal(registrar_grant(&strict, 3600, &out), 0);
	assert_int_equal(out, 7200);
}

static char text[4096];
static struct sip_msg msg;
static struct registrar_text kept;

static unsigned read_lines(const char *lines, struct location_request *rq)
{
	int n = snprintf(text, sizeof(text),
			 "REGISTER sip:aurabox.internal SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
			 "From: <sip:3001@aurabox.internal>;tag=1\r\n"
			 "To: <sip:3001@aurabox.internal>\r\n"
			 "Call-ID: one\r\nCSeq: 7 REGISTER\r\n%sContent-Length: 0\r\n\r\n",
			 lines);

	*rq = (struct location_request){ 0 };
	assert_int_equal(sip_msg_parse(slice_make(text, (size_t)n), &msg), 0);
	return registrar_read(&reject, &msg, &kept, rq);
}

static void contacts_are_read_as_phones_write_them(void **state)
{
	struct location_request rq;

	(void)state;
	assert_int_equal(read_lines("Contact: Andrew Prokop <SIP:aprokop@192.168.0.14>\r\n", &rq),
			 0);
	assert_int_equal(rq.count, 1);
	assert_int_equal(rq.cseq, 7);
	assert_true(slice_eq_str(rq.changes[0].uri, "SIP:aprokop@192.168.0.14"));
	assert_int_equal(rq.changes[0].expires_s, 3600);
	assert_int_equal(read_lines("Contact: <sip:a@192.0.2.1>;expires=120;q=0.25, "
				    "<sip:b@192.0.2.1>;+sip.instance=\"<urn:uuid:9>\"\r\n"
				    "Expires: 90\r\n",
				    &rq),
			 0);
	assert_int_equal(rq.count, 2);
	assert_int_equal(rq.changes[0].expires_s, 120);
	assert_int_equal(rq.changes[0].q, 250);
	assert_int_equal(rq.changes[1].expires_s, 90);
	assert_true(slice_eq_str(rq.changes[1].instance, "<urn:uuid:9>"));
}

static void a_contact_may_have_any_scheme(void **state)
{
	struct location_request rq;

	(void)state;
	assert_int_equal(read_lines("Contact: <http://192.0.2.1/a?b=c;d>;q=0.1, "
				    "mailto:ada@example.org;expires=90\r\n"
				    "m: Ada <tel:+49-30-1;phone-context=x>;+sip.instance=\"<i>\";"
				    "reg-id=1\r\nSupported: outbound\r\n",
				    &rq),
			 0);
	assert_int_equal(rq.count, 3);
	assert_true(slice_eq_str(rq.changes[0].uri, "http://192.0.2.1/a?b=c;d"));
	assert_int_equal(rq.changes[0].q, 100);
	assert_true(slice_eq_str(rq.changes[1].uri, "mailto:ada@example.org"));
	assert_int_equal(rq.changes[1].expires_s, 90);
	assert_true(slice_eq_str(rq.changes[2].uri, "tel:+49-30-1;phone-context=x"));
	assert_int_equal(rq.changes[2].reg_id, 0); /* no flow leads there */
}

static void what_cannot_be_granted_is_refused(void **state)
{
	struct location_request rq;

	(void)state;
	assert_int_equal(read_lines("Contact: <sip:a@192.0.2.1>\r\nExpires: 5\r\n", &rq), 423);
	assert_int_equal(read_lines("Contact: <http://192.0.2.1/\xc3\xa4>\r\n", &rq), 400);
	assert_int_equal(read_lines("Contact: <//192.0.2.1/>\r\n", &rq), 400);
	assert_int_equal(read_lines("Contact: <1tp:x>\r\n", &rq), 400);
	assert_int_equal(read_lines("Contact: <tel:>\r\n", &rq), 400);
	assert_int_equal(read_lines("Contact: *\r\nExpires: 60\r\n", &rq), 400);
	assert_int_equal(read_lines("Contact: *\r\n", &rq), 400);
	assert_int_equal(read_lines("Contact: *, <sip:a@192.0.2.1>\r\nExpires: 0\r\n", &rq), 400);
	assert_int_equal(read_lines("Contact: <sip:a@192.0.2.1\r\n", &rq), 400);
}

static void a_star_with_zero_removes_all(void **state)
{
	struct location_request rq;

	(void)state;
	assert_int_equal(read_lines("Contact: *\r\nExpires: 0\r\n", &rq), 0);
	assert_true(rq.remove_all);
}

static void more_than_ten_contacts_in_one_request_are_refused(void **state)
{
	struct location_request rq;
	char lines[2048];
	int n = 0;

	(void)state;
	for (int i = 0; i < 11; i++)
		n += snprintf(lines + n, sizeof(lines) - (size_t)n,
			      "Contact: <sip:p%d@192.0.2.1>\r\n", i);
	assert_int_equal(read_lines(lines, &rq), 403);
}

static void every_contact_that_the_rfc_allows_is_taken(void **state)
{
	struct location_request rq;

	(void)state;
	assert_int_equal(
		read_lines("m: \"A, \\\"B\\\"\" <SIPS:a%20b;x@[2001:DB8::1]:5071;Transport=TCP"
			   "?Subject=hi>;Methods=\"INVITE,ACK\";audio;EXPIRES=70 ; q=1,"
			   "sip:c@example.org;expires=80;+x.y=\"1;2\",\r\n"
			   " Some One <sip:[::1]>\r\n",
			   &rq),
		0);
	assert_int_equal(rq.count, 3);
	assert_true(slice_eq_str(rq.changes[0].uri,
				 "SIPS:a%20b;x@[2001:DB8::1]:5071;Transport=TCP?Subject=hi"));
	assert_int_equal(rq.changes[0].expires_s, 70);
	assert_true(slice_eq_str(rq.changes[0].params, ";Methods=\"INVITE,ACK\";audio"));
	assert_true(slice_eq_str(rq.changes[1].uri, "sip:c@example.org"));
	assert_int_equal(rq.changes[1].expires_s, 80);
	assert_true(slice_eq_str(rq.changes[1].params, ";+x.y=\"1;2\""));
	assert_true(slice_eq_str(rq.changes[2].uri, "sip:[::1]"));
	assert_int_equal(rq.changes[2].params.len, 0);
}

static void a_path_is_kept_where_the_phone_knows_it(void **state)
{
	struct location_request rq;

	(void)state;
	assert_int_equal(read_lines("Contact: <sip:a@b>\r\nSupported: path\r\n"
				    "Path: <sip:p1@192.0.2.5;lr>,<sip:192.0.2.6;lr;ob>\r\n"
				    "Path: <sips:c.example;lr>\r\n",
				    &rq),
			 0);
	assert_true(slice_eq_str(rq.path, "<sip:p1@192.0.2.5;lr>, <sip:192.0.2.6;lr;ob>, "
					  "<sips:c.example;lr>"));
	assert_int_equal(read_lines("Contact: <sip:a@b>\r\nPath: <sip:x;lr>\r\n", &rq), 420);
	assert_int_equal(read_lines("Contact: <sip:a@b>\r\nSupported: path\r\nPath: <tel:1>\r\n",
				    &rq),
			 400);
}

static void a_flow_needs_both_ends_and_the_first_hop(void **state)
{
#define FLOW "Contact: <sip:a@b>;reg-id=2;+sip.instance=\"<urn:uuid:1>\"\r\n"
	struct location_request rq;

	(void)state;
	assert_int_equal(read_lines(FLOW "Supported: path, outbound\r\n", &rq), 0);
	assert_int_equal(rq.changes[0].reg_id, 2);
	assert_int_equal(read_lines(FLOW, &rq), 0);
	assert_int_equal(rq.changes[0].reg_id, 0);
	assert_int_equal(read_lines("Contact: <sip:a@b>;reg-id=2\r\nSupported: outbound\r\n", &rq),
			 0);
	assert_int_equal(rq.changes[0].reg_id, 0);
	assert_int_equal(read_lines(FLOW "Supported: path, outbound\r\nPath: <sip:x;lr;ob>\r\n",
				    &rq),
			 0);
	assert_int_equal(rq.changes[0].reg_id, 2);
	assert_int_equal(read_lines(FLOW "Supported: path, outbound\r\nPath: <sip:x;lr>\r\n", &rq),
			 439);
	assert_int_equal(read_lines(FLOW "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2\r\n"
					 "Supported: outbound\r\n",
				    &rq),
			 439);
	assert_int_equal(read_lines(FLOW
				    "Contact: <sip:c@d>;reg-id=3;+sip.instance=\"<urn:uuid:1>\"\r\n"
				    "Supported: outbound\r\n",
				    &rq),
			 400);
#undef FLOW
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_lowered_refused_or_raised),
		cmocka_unit_test(an_hour_is_never_too_short),
		cmocka_unit_test(contacts_are_read_as_phones_write_them),
		cmocka_unit_test(a_contact_may_have_any_scheme),
		cmocka_unit_test(what_cannot_be_granted_is_refused),
		cmocka_unit_test(a_star_with_zero_removes_all),
		cmocka_unit_test(every_contact_that_the_rfc_allows_is_taken),
		cmocka_unit_test(a_path_is_kept_where_the_phone_knows_it),
		cmocka_unit_test(a_flow_needs_both_ends_and_the_first_hop),
		cmocka_unit_test(more_than_ten_contacts_in_one_request_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
