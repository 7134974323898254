/* SPDX-License-Identifier: Apache-2.0 */
/* test_pidf_write.c - built presence documents are what the reader reads. */
#include "helper_codec.h"

#include "codec/pidf/pidf.h"

static struct pidf in, out;

static void built_documents_read_back(void **state)
{
	AUTO_BUF text = { 0 };

	(void)state;
	memset(&in, 0, sizeof(in));
	pidf_text_set(&in.entity, SLICE("pres:3001@aurabox.internal"));
	in.tuple_count = 2;
	pidf_text_set(&in.tuples[0].id, SLICE("phone"));
	in.tuples[0].basic = PIDF_OPEN;
	pidf_text_set(&in.tuples[0].contact, SLICE("sip:3001@h;x=\"1\"&<y>"));
	in.tuples[0].priority = 805;
	pidf_text_set(&in.tuples[0].note, SLICE("Gr\xc3\xbc\xc3\x9f\x65 & <more>"));
	in.tuples[1].basic = PIDF_CLOSED;
	in.tuples[1].priority = -1;
	in.has_person = true;
	in.activities = PIDF_ON_THE_PHONE | PIDF_AWAY | PIDF_UNKNOWN_ACTIVITY;
	pidf_text_set(&in.person_note, SLICE("in a call"));
	pidf_write(&in, &text);
	assert_true(buf_ok(&text));
	assert_int_equal(pidf_parse(buf_slice(&text), &out), 0);
	assert_string_equal(out.entity, in.entity);
	assert_int_equal(out.tuple_count, 2);
	assert_string_equal(out.tuples[0].contact, in.tuples[0].contact);
	assert_string_equal(out.tuples[0].note, in.tuples[0].note);
	assert_int_equal(out.tuples[0].priority, 805);
	assert_string_equal(out.tuples[1].id, "t2");
	assert_int_equal(out.tuples[1].basic, PIDF_CLOSED);
	assert_int_equal(out.activities, in.activities);
	assert_string_equal(out.person_id, "p1");
	assert_string_equal(out.person_note, "in a call");
}

static void what_xml_cannot_hold_is_left_out(void **state)
{
	AUTO_BUF text = { 0 };

	(void)state;
	memset(&in, 0, sizeof(in));
	pidf_text_set(&in.entity, SLICE("a\x01\xff\xc3\xed\xa0\x80\xef\xbf\xbf\xc0\xaf z"));
	pidf_write(&in, &text);
	assert_int_equal(pidf_parse(buf_slice(&text), &out), 0);
	assert_string_equal(out.entity, "a z");
}

static void every_activity_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(pidf_activity_name(PIDF_ON_THE_PHONE), "on-the-phone");
	assert_string_equal(pidf_activity_name(PIDF_BUSY), "busy");
	assert_string_equal(pidf_activity_name(PIDF_AWAY), "away");
	assert_string_equal(pidf_activity_name(PIDF_PERMANENT_ABSENCE), "permanent-absence");
	assert_string_equal(pidf_activity_name(PIDF_UNKNOWN_ACTIVITY), "unknown");
	assert_null(pidf_activity_name(PIDF_UNKNOWN_ACTIVITY << 1));
	assert_null(pidf_activity_name(PIDF_BUSY | PIDF_AWAY));
	assert_null(pidf_activity_name(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_documents_read_back),
		cmocka_unit_test(what_xml_cannot_hold_is_left_out),
		cmocka_unit_test(every_activity_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
