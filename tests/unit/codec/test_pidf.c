/* SPDX-License-Identifier: Apache-2.0 */
/* test_pidf.c - reading presence documents, hostile ones too. */
#include "helper_codec.h"

#include <errno.h>

#include "codec/pidf/pidf.h"

#define NS                                                                                           \
	"xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" " \
	"xmlns:r=\"urn:ietf:params:xml:ns:pidf:rpid\" "

static struct pidf pidf;

static int parse(const char *text)
{
	return pidf_parse(slice_str(text), &pidf);
}

static void whole_document(void **state)
{
	(void)state;
	assert_int_equal(
		parse("<?xml version=\"1.0\"?>\n<presence " NS
		      "entity=\"pres:3001@aurabox.internal\">"
		      "<tuple id=\"t1\"><status><basic> open </basic></status>"
		      "<contact priority=\"0.85\">sip:3001@192.0.2.1</contact>"
		      "<note>at &amp; desk</note><timestamp>2026-11-21T10:00:00Z</timestamp></tuple>"
		      "<tuple id=\"t2\"><status><basic>closed</basic><x:im xmlns:x=\"urn:x\"/></status></tuple>"
		      "<note xml:lang=\"en\">hello</note>"
		      "<dm:person id=\"p\"><r:activities><r:on-the-phone/><r:busy/><r:unheard-of/>"
		      "</r:activities><dm:note>call</dm:note></dm:person></presence>"),
		0);
	assert_string_equal(pidf.entity, "pres:3001@aurabox.internal");
	assert_int_equal(pidf.tuple_count, 2);
	assert_string_equal(pidf.tuples[0].id, "t1");
	assert_int_equal(pidf.tuples[0].basic, PIDF_OPEN);
	assert_string_equal(pidf.tuples[0].contact, "sip:3001@192.0.2.1");
	assert_int_equal(pidf.tuples[0].priority, 850);
	assert_string_equal(pidf.tuples[0].note, "at & desk");
	assert_string_equal(pidf.tuples[0].timestamp, "2026-11-21T10:00:00Z");
	assert_int_equal(pidf.tuples[1].basic, PIDF_CLOSED);
	assert_int_equal(pidf.tuples[1].priority, -1);
	assert_true(pidf.has_person);
	assert_int_equal(pidf.activities, PIDF_ON_THE_PHONE | PIDF_BUSY);
	assert_string_equal(pidf.person_note, "call");
	assert_string_equal(pidf.note, "hello");
}

static void rejects_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"<presence/>",
		"<presence " NS "/>",
		"<presence " NS "entity=\"\"/>",
		"<presence entity=\"a\"/>",
		"<presence " NS "entity=\"a\">",
		"<other " NS "entity=\"a\"/>",
		"<presence " NS "entity=\"a\"></presence>junk",
		"<presence " NS "entity=\"a\"><note>&nbsp;</note></presence>",
		"<presence " NS "entity=\"a\"><note>\xff</note></presence>",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct slice in = exact_copy(slice_str(bad[i]));

		if (pidf_parse(in, &pidf) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		free((char *)in.p);
	}
}

static void entities_and_files_stay_out(void **state)
{
	(void)state;
	assert_int_equal(parse("<!DOCTYPE p [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>"
			       "<presence " NS "entity=\"a\"><note>&e;</note></presence>"),
			 -EBADMSG);
	assert_int_equal(parse("<!DOCTYPE presence><presence " NS "entity=\"a\"/>"), -EBADMSG);
	assert_int_equal(parse("<?xml version=\"1.0\" encoding=\"UTF-7\"?>+ADwAIQ-DOCTYPE p>"
			       "<presence " NS "entity=\"a\"/>"),
			 -EBADMSG);
}

static void limits_hold(void **state)
{
	AUTO_BUF text = { 0 };

	(void)state;
	buf_add_str(&text, "<presence " NS "entity=\"a\">");
	for (int i = 0; i <= PIDF_TUPLES_MAX; i++)
		buf_add_str(&text, "<tuple id=\"t\"/>");
	buf_add_str(&text, "</presence>");
	assert_int_equal(pidf_parse(buf_slice(&text), &pidf), -EMSGSIZE);
	buf_reset(&text);
	buf_add_str(&text, "<presence " NS "entity=\"a\">");
	for (int i = 0; i < PIDF_DEPTH_MAX + 1; i++)
		buf_add_str(&text, "<x>");
	for (int i = 0; i < PIDF_DEPTH_MAX + 1; i++)
		buf_add_str(&text, "</x>");
	buf_add_str(&text, "<y/></presence>");
	assert_int_equal(pidf_parse(buf_slice(&text), &pidf), -EMSGSIZE);
	while (text.len <= PIDF_MAX)
		buf_add_str(&text, "                                ");
	assert_int_equal(pidf_parse(buf_slice(&text), &pidf), -EMSGSIZE);
}

static void long_texts_are_cut_at_a_character(void **state)
{
	AUTO_BUF text = { 0 };
	size_t len;

	(void)state;
	buf_add_str(&text, "<presence " NS "entity=\"a\"><note>");
	for (int i = 0; i < 3000; i++)
		buf_add_str(&text, "\xe2\x82\xac");
	buf_add_str(&text, "</note></presence>");
	assert_int_equal(pidf_parse(buf_slice(&text), &pidf), 0);
	len = strlen(pidf.note);
	assert_true(len > 0 && len < PIDF_TEXT_MAX && len % 3 == 0);
	buf_reset(&text);
	buf_printf(&text, "<presence " NS "entity=\"a\"><note>%-*sz</note></presence>",
		   PIDF_TEXT_MAX, "y");
	assert_int_equal(pidf_parse(buf_slice(&text), &pidf), 0);
	assert_string_equal(pidf.note, "y"); /* no blanks where it was cut */
	pidf_text_set(&pidf.note, SLICE("short"));
	assert_string_equal(pidf.note, "short");
}

static void priorities(void **state)
{
	static const struct {
		const char *text;
		int value;
	} cases[] = { { "1", 1000 }, { "1.0", 1000 },  { "0.", 0 }, { "0.001", 1 }, { "1.1", -1 },
		      { "2", -1 },   { "0.1234", -1 }, { "x", -1 }, { "0x", -1 },   { "", -1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_BUF text = { 0 };

		buf_printf(&text,
			   "<presence " NS "entity=\"a\"><tuple id=\"t\"><contact priority=\"%s\">"
			   "sip:a</contact></tuple></presence>",
			   cases[i].text);
		assert_int_equal(pidf_parse(buf_slice(&text), &pidf), 0);
		assert_int_equal(pidf.tuples[0].priority, cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_document),
		cmocka_unit_test(rejects_malformed),
		cmocka_unit_test(entities_and_files_stay_out),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(long_texts_are_cut_at_a_character),
		cmocka_unit_test(priorities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
