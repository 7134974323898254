/* SPDX-License-Identifier: Apache-2.0 */
/* The dialog state of a station's lines as a document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "cm/line.h"

static void nothing_is_an_empty_document(void **state)
{
	struct line_dialog lines[APPEARANCE_MAX] = { 0 };
	AUTO_BUF out = { 0 };

	(void)state;
	line_document(&out, SLICE("sip:3001@d"), 7, lines);
	assert_true(buf_ok(&out));
	assert_non_null(memmem(out.data, out.len, "version=\"7\" state=\"full\"", 24));
	assert_null(memmem(out.data, out.len, "<dialog ", 8));
}

static void lines_have_their_numbers_and_foreign_text_is_escaped(void **state)
{
	struct line_dialog lines[APPEARANCE_MAX] = {
		[1] = { .state = LINE_EARLY,
			.initiator = true,
			.call_id = SLICE("a\"<&>\x01\xc3\xa9"),
			.local_tag = SLICE("t") },
		[9] = { .state = LINE_CONFIRMED, .peer = SLICE("sip:x@d") },
	};
	static const char *const wanted[] = {
		"<dialog id=\"line-2\" call-id=\"a&quot;&lt;&amp;&gt;???\" local-tag=\"t\" "
		"direction=\"initiator\"><state>early</state>",
		"<dialog id=\"line-10\" direction=\"recipient\"><state>confirmed</state>",
		"pname=\"+avaya-cm-line\" pval=\"10\"",
		"<remote><identity>sip:x@d</identity></remote>",
	};
	AUTO_BUF out = { 0 };

	(void)state;
	line_document(&out, SLICE("sip:3001@d"), 1, lines);
	assert_true(buf_ok(&out));
	buf_add_char(&out, '\0');
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_non_null(strstr(out.data, wanted[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_an_empty_document),
		cmocka_unit_test(lines_have_their_numbers_and_foreign_text_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
