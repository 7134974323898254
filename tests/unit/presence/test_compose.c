/* SPDX-License-Identifier: Apache-2.0 */
/* One document made of several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "presence/compose.h"

#define HEAD                                                                                       \
	"<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "                  \
	"xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" "                                     \
	"xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"pres:3001@d\">"
#define TUPLE(id, basic) "<tuple id=\"" id "\"><status><basic>" basic "</basic></status></tuple>"

static struct compose *c;

static int make(void **state)
{
	(void)state;
	c = calloc(1, sizeof(*c));
	return c ? 0 : -1;
}

static int drop(void **state)
{
	(void)state;
	free(c);
	return 0;
}

/* What comes out, read back. */
static void finish(struct pidf *ret)
{
	AUTO_BUF out = { 0 };

	compose_end(c, &out);
	assert_true(buf_ok(&out));
	assert_int_equal(pidf_parse(buf_slice(&out), ret), 0);
}

static void nobody_published_is_one_closed_tuple(void **state)
{
	static struct pidf p;

	(void)state;
	compose_begin(c, SLICE("sip:3001@aurabox.internal"));
	finish(&p);
	assert_string_equal(p.entity, "sip:3001@aurabox.internal");
	assert_int_equal(p.tuple_count, 1);
	assert_int_equal(p.tuples[0].basic, PIDF_CLOSED);
	assert_false(p.has_person);
}

static void devices_are_put_side_by_side(void **state)
{
	static struct pidf p;

	(void)state;
	compose_begin(c, SLICE("sip:3001@d"));
	assert_int_equal(
		compose_add(c, SLICE(HEAD TUPLE("t1", "open") "<note>desk</note></presence>")), 0);
	assert_int_equal(
		compose_add(c, SLICE(HEAD TUPLE("t1", "closed") "<note>old</note></presence>")), 0);
	finish(&p);
	assert_int_equal(p.tuple_count, 2);
	assert_string_equal(p.tuples[0].id, "t1");
	assert_int_equal(p.tuples[0].basic, PIDF_OPEN);
	assert_string_not_equal(p.tuples[1].id, "t1");
	assert_int_equal(p.tuples[1].basic, PIDF_CLOSED);
	assert_string_equal(p.note, "desk");
}

static void a_person_does_what_any_device_says(void **state)
{
	static struct pidf p;

	(void)state;
	compose_begin(c, SLICE("sip:3001@d"));
	compose_add(c, SLICE(HEAD TUPLE(
			       "a",
			       "open") "<dm:person id=\"p1\"><rpid:activities><rpid:on-the-phone/>"
				       "</rpid:activities></dm:person></presence>"));
	compose_add(c,
		    SLICE(HEAD TUPLE("b",
				     "open") "<dm:person id=\"p2\"><rpid:activities><rpid:meeting/>"
					     "</rpid:activities></dm:person></presence>"));
	finish(&p);
	assert_true(p.has_person);
	assert_int_equal(p.activities, PIDF_ON_THE_PHONE | PIDF_MEETING);
	assert_string_equal(p.person_id, "p1");
}

static void what_is_no_document_adds_nothing(void **state)
{
	static struct pidf p;

	(void)state;
	compose_begin(c, SLICE("sip:3001@d"));
	assert_int_equal(compose_add(c, SLICE(HEAD TUPLE("a", "open") "</presence>")), 0);
	assert_true(compose_add(c, SLICE("<presence")) < 0);
	assert_true(compose_add(c, SLICE("<html/>")) < 0);
	finish(&p);
	assert_int_equal(p.tuple_count, 1);
	assert_string_equal(p.tuples[0].id, "a");
}

static void tuples_are_limited(void **state)
{
	static struct pidf p;

	(void)state;
	compose_begin(c, SLICE("sip:3001@d"));
	for (int i = 0; i < PIDF_TUPLES_MAX + 5; i++)
		assert_int_equal(compose_add(c, SLICE(HEAD TUPLE("same", "open") "</presence>")),
				 0);
	finish(&p);
	assert_int_equal(p.tuple_count, PIDF_TUPLES_MAX);
	for (size_t i = 0; i < p.tuple_count; i++) {
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(p.tuples[i].id, p.tuples[k].id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_published_is_one_closed_tuple, make, drop),
		cmocka_unit_test_setup_teardown(devices_are_put_side_by_side, make, drop),
		cmocka_unit_test_setup_teardown(a_person_does_what_any_device_says, make, drop),
		cmocka_unit_test_setup_teardown(what_is_no_document_adds_nothing, make, drop),
		cmocka_unit_test_setup_teardown(tuples_are_limited, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
