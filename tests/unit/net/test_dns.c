/* SPDX-License-Identifier: Apache-2.0 */
/* test_dns.c - records as they come from the DNS: good ones, and bytes that only look like some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/dns.h"

#define BYTES(text) slice_make(text, sizeof(text) - 1)

static void records_are_read(void **state)
{
	struct dns_record record;
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(dns_record_parse(DNS_A, BYTES("\xc0\0\2\1"), &record), 0);
	assert_string_equal(addr_format_ip(&record.addr, text), "192.0.2.1");
	assert_int_equal(dns_record_parse(DNS_AAAA, BYTES("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
					  &record),
			 0);
	assert_string_equal(addr_format_ip(&record.addr, text), "2001:db8::1");
	assert_int_equal(dns_record_parse(DNS_SRV, BYTES("\0\12\0\5\x13\xc4\2sm\7example\0"),
					  &record),
			 0);
	assert_int_equal(record.priority, 10);
	assert_int_equal(record.weight, 5);
	assert_int_equal(record.port, 5060);
	assert_string_equal(record.name, "sm.example");
	assert_int_equal(dns_record_parse(DNS_SRV, BYTES("\0\0\0\0\0\0\0"), &record), 0);
	assert_string_equal(record.name, "");
	assert_int_equal(dns_record_parse(DNS_NAPTR,
					  BYTES("\0\1\0\2\1S\7SIP+D2U\0\4_sip\4_udp\1x\0"),
					  &record),
			 0);
	assert_string_equal(record.flags, "s");
	assert_string_equal(record.service, "SIP+D2U");
	assert_string_equal(record.name, "_sip._udp.x");
}

static void what_is_cut_or_strange_is_refused(void **state)
{
	static const char naptr[] = "\0\1\0\2\1S\7SIP+D2U\0\4_sip\4_udp\1x";
	static const char srv[] = "\0\12\0\5\x13\xc4\2sm\7example";
	char deep[400];
	struct dns_record record;

	(void)state;
	for (size_t i = 0; i < sizeof(naptr) - 1; i++)
		assert_int_equal(dns_record_parse(DNS_NAPTR, slice_make(naptr, i), &record),
				 -EBADMSG);
	for (size_t i = 0; i < sizeof(srv) - 1; i++)
		assert_int_equal(dns_record_parse(DNS_SRV, slice_make(srv, i), &record), -EBADMSG);
	assert_int_equal(dns_record_parse(DNS_A, BYTES("\1\2\3"), &record), -EBADMSG);
	assert_int_equal(dns_record_parse(DNS_AAAA, BYTES("\1\2\3\4"), &record), -EBADMSG);
	/* compressed, longer than a label, with a blank, longer than a name, with something behind */
	assert_int_equal(dns_record_parse(DNS_SRV, BYTES("\0\0\0\0\0\1\xc0\x0c"), &record),
			 -EBADMSG);
	assert_int_equal(dns_record_parse(DNS_SRV, BYTES("\0\0\0\0\0\1\3a b\0"), &record),
			 -EBADMSG);
	assert_int_equal(dns_record_parse(DNS_SRV, BYTES("\0\0\0\0\0\1\1a\0more"), &record),
			 -EBADMSG);
	memset(deep, 0, 6);
	for (size_t i = 6; i + 1 < sizeof(deep); i += 2)
		memcpy(deep + i, "\1a", 2);
	deep[sizeof(deep) - 2] = 0;
	assert_int_equal(dns_record_parse(DNS_SRV, slice_make(deep, sizeof(deep) - 1), &record),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read),
		cmocka_unit_test(what_is_cut_or_strange_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
