/* SPDX-License-Identifier: Apache-2.0 */
/* test_event_body.c - the bodies of reg, dialog and message-summary, hostile ones too. */
#include "helper_codec.h"

#include <errno.h>

#include "base/buf.h"
#include "codec/event/dialog_info.h"
#include "codec/event/message_summary.h"
#include "codec/event/reginfo.h"
#include "codec/event/xml_text.h"

#define NS "xmlns=\"urn:ietf:params:xml:ns:dialog-info\" "
#define ROOT "<dialog-info " NS "version=\"0\" state=\"full\" entity=\"sip:3001@a\">"

static void text_cannot_leave_its_place(void **state)
{
	AUTO_BUF out = { 0 };

	(void)state;
	xml_text_add(&out, SLICE("a<b>&\"\r\x01\xff\xc3\xa4"));
	assert_string_equal(out.data, "a&lt;b&gt;&amp;&quot;&#13;\xc3\xa4");
}

static void registration_state_is_written_whole(void **state)
{
	const struct reginfo_contact live = { .id = 10,
					      .active = true,
					      .event = "registered",
					      .expires_s = 60,
					      .q = 500,
					      .uri = SLICE("sip:a@b?x=1&y=2"),
					      .call_id = SLICE("c\"1"),
					      .cseq = 3,
					      .instance = SLICE("<urn:uuid:1>") };
	const struct reginfo_contact gone = {
		.id = 11, .event = "expired", .q = 1000, .uri = SLICE("sip:c@d")
	};
	AUTO_BUF out = { 0 };

	(void)state;
	reginfo_begin(&out, 4, SLICE("sip:3001@a"), true);
	reginfo_add(&out, &live);
	reginfo_add(&out, &gone);
	reginfo_end(&out);
	assert_string_equal(
		out.data,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"4\" state=\"full\">\n"
		"<registration aor=\"sip:3001@a\" id=\"a1\" state=\"active\">\n"
		"<contact id=\"c000000000000000a\" state=\"active\" event=\"registered\" expires=\"60\" "
		"q=\"0.500\" callid=\"c&quot;1\" cseq=\"3\"><uri>sip:a@b?x=1&amp;y=2</uri>"
		"<unknown-param name=\"+sip.instance\">\"&lt;urn:uuid:1&gt;\"</unknown-param></contact>\n"
		"<contact id=\"c000000000000000b\" state=\"terminated\" event=\"expired\">"
		"<uri>sip:c@d</uri></contact>\n"
		"</registration>\n</reginfo>\n");
}

static void dialogs_of_several_become_one(void **state)
{
	AUTO(dialog_info) struct dialog_info *info = NULL;
	AUTO_BUF out = { 0 };

	(void)state;
	assert_int_equal(dialog_info_new(SLICE("sip:a&b@c"), 5, &info), 0);
	assert_int_equal(dialog_info_add(info, SLICE(ROOT "<dialog id=\"1\"><state>early</state>"
							  "</dialog></dialog-info>")),
			 0);
	assert_int_equal(
		dialog_info_add(
			info, SLICE("<d:dialog-info xmlns:d=\"urn:ietf:params:xml:ns:dialog-info\" "
				    "xmlns:x=\"urn:x\" entity=\"e\"><d:dialog id=\"2\" x:l=\"1\"/>"
				    "<other/></d:dialog-info>")),
		0);
	assert_int_equal(dialog_info_write(info, &out), 0);
	assert_non_null(strstr(out.data, "version=\"5\" state=\"full\" entity=\"sip:a&amp;b@c\""));
	assert_non_null(strstr(out.data, "<dialog id=\"1\"><state>early</state></dialog>"));
	assert_non_null(strstr(out.data, "id=\"2\" "));
	assert_non_null(strstr(out.data, "=\"urn:x\""));
	assert_null(strstr(out.data, "other"));
	assert_int_equal(dialog_info_check(buf_slice(&out)), 0);
}

static void what_is_no_dialog_state_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"<a/>",
		"<dialog-info/>",
		"<dialog-info " NS "/>",
		ROOT,
		ROOT "<dialog/></dialog-info>",
		"<!DOCTYPE a><dialog-info " NS "entity=\"e\"/>",
		"<!DOCTYPE a [<!ENTITY b \"c\">]><dialog-info " NS "entity=\"&b;\"/>",
	};
	AUTO_BUF deep = { 0 };
	AUTO_BUF many = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(dialog_info_check(slice_str(bad[i])), -EBADMSG);
	buf_add_str(&deep, ROOT);
	for (int i = 0; i < 40; i++)
		buf_add_str(&deep, "<a>");
	for (int i = 0; i < 40; i++)
		buf_add_str(&deep, "</a>");
	buf_add_str(&deep, "</dialog-info>");
	assert_int_equal(dialog_info_check(buf_slice(&deep)), -EMSGSIZE);
	buf_add_str(&many, ROOT);
	for (int i = 0; i <= DIALOG_INFO_DIALOGS; i++)
		buf_add_str(&many, "<dialog id=\"1\"/>");
	buf_add_str(&many, "</dialog-info>");
	assert_int_equal(dialog_info_check(buf_slice(&many)), -EMSGSIZE);
}

static void a_message_summary_is_header_lines(void **state)
{
	static const char *const bad[] = { "",
					   "\r\n",
					   "Messages-Waiting: maybe",
					   "Voice-Message: 1/0",
					   "Messages-Waiting: yes\r\nnonsense\r\n",
					   "Messages-Waiting: yes\r\nBad Name: 1\r\n",
					   "Messages-Waiting: yes\r\nX: a\x01" };
	bool waiting = false;

	(void)state;
	assert_int_equal(message_summary_check(SLICE(MESSAGE_SUMMARY_NONE), &waiting), 0);
	assert_false(waiting);
	assert_int_equal(message_summary_check(SLICE("messages-waiting: YES\nVoice-Message: 2/8 "
						     "(0/2)\n\nTo: <sip:a@b>\n"),
					       &waiting),
			 0);
	assert_true(waiting);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(message_summary_check(slice_str(bad[i]), NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_cannot_leave_its_place),
		cmocka_unit_test(registration_state_is_written_whole),
		cmocka_unit_test(dialogs_of_several_become_one),
		cmocka_unit_test(what_is_no_dialog_state_is_refused),
		cmocka_unit_test(a_message_summary_is_header_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
