/* SPDX-License-Identifier: Apache-2.0 */
/* test_origin.c - one origin a dialog: which version goes with what, and that nothing else changes. */
#include "../base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cm/origin.h"
#include "stack/sip/sip_private.h"

#define TYPE "application/sdp"
#define HEAD "v=0\r\no=alice 7 7 IN IP4 192.0.2.1\r\n"
#define TAIL(port) "s=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio " port " RTP/AVP 0\r\na=o=-\r\n"

struct place {
	struct timer_wheel timers;
	struct sip_stack *stack;
	struct sip_dialog *dialog;
};

static struct sip_dialog *dialog_new(struct place *p)
{
	static const struct sip_dialog_handlers handlers;
	struct sip_dialog_uac spec = { .local = SLICE("<sip:a@x>"),
				       .remote = SLICE("<sip:b@x>"),
				       .target = SLICE("sip:b@192.0.2.1") };
	struct sip_dialog *dialog;

	assert_int_equal(sip_dialog_new_uac(p->stack, &spec, &handlers, NULL, &dialog, NULL), 0);
	return dialog;
}

static void begin(struct place *p)
{
	static const struct sip_way way;
	static const struct sip_stack_handlers handlers;
	struct sip_stack_config config = { .product = "Test", .transactions_max = 16 };

	timer_wheel_init(&p->timers, 1000);
	assert_int_equal(sip_stack_new_over(&config, &p->timers, &way, &handlers, NULL, &p->stack),
			 0);
	p->dialog = dialog_new(p);
}

static void end(struct place *p)
{
	sip_dialog_free(p->dialog);
	sip_stack_free(p->stack);
}

/* What goes out must be this, with %s where the dialog's own number stands. */
static void assert_sent(struct sip_dialog *dialog, const char *type, const char *body,
			const char *sent)
{
	AUTO_BUF out = { 0 }, should = { 0 };
	const char *gap = strstr(sent, "%s");

	origin_write(dialog, slice_str(type), slice_str(body), &out);
	assert_true(buf_ok(&out));
	buf_add(&should, sent, gap ? (size_t)(gap - sent) : strlen(sent));
	if (gap) {
		assert_true(sip_dialog_told(dialog)->id < 1ULL << 53);
		buf_add_u64(&should, sip_dialog_told(dialog)->id);
		buf_add_str(&should, gap + 2);
	}
	assert_string_equal(out.data ? out.data : "", should.data ? should.data : "");
}

#define SENT(version) "v=0\r\no=- %s " version " IN IP4 127.0.0.1\r\n"

static void the_version_rises_with_what_is_said(void **state)
{
	static const struct {
		const char *body, *sent;
	} steps[] = {
		{ HEAD TAIL("4000"), SENT("1") TAIL("4000") },
		/* the same again, whoever writes it and however often he has counted */
		{ HEAD TAIL("4000"), SENT("1") TAIL("4000") },
		{ "v=0\r\no=bob 9 2 IN IP6 2001:db8::1\r\n" TAIL("4000"), SENT("1") TAIL("4000") },
		{ HEAD TAIL("4002"), SENT("2") TAIL("4002") },
		{ HEAD TAIL("4002"), SENT("2") TAIL("4002") },
		/* never back */
		{ HEAD TAIL("4000"), SENT("3") TAIL("4000") },
		{ HEAD "s=-\r\n", SENT("4") "s=-\r\n" },
	};
	struct place p;
	uint64_t id;

	begin(&p);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		assert_sent(p.dialog, TYPE, steps[i].body, steps[i].sent);
		if (i == 0)
			id = sip_dialog_told(p.dialog)->id;
		assert_true(sip_dialog_told(p.dialog)->id == id);
	}
	end(&p);
}

static void each_dialog_has_its_own(void **state)
{
	struct sip_dialog *other;
	struct place p;

	begin(&p);
	other = dialog_new(&p);
	assert_sent(p.dialog, TYPE, HEAD TAIL("1"), SENT("1") TAIL("1"));
	assert_sent(p.dialog, TYPE, HEAD TAIL("2"), SENT("2") TAIL("2"));
	assert_sent(other, TYPE, HEAD TAIL("1"), SENT("1") TAIL("1"));
	assert_true(sip_dialog_told(p.dialog)->id != sip_dialog_told(other)->id);
	/* What forks of one INVITE have heard is the same. */
	*sip_dialog_told(other) = *sip_dialog_told(p.dialog);
	assert_sent(other, TYPE, HEAD TAIL("2"), SENT("2") TAIL("2"));
	assert_sent(other, TYPE, HEAD TAIL("3"), SENT("3") TAIL("3"));
	assert_sent(p.dialog, TYPE, HEAD TAIL("4"), SENT("3") TAIL("4"));
	sip_dialog_free(other);
	end(&p);
}

static void other_bytes_stay(void **state)
{
	static const struct {
		const char *type, *body, *sent;
	} cases[] = {
		{ TYPE, "v=0\no=a 1 1 IN IP4 b\ns=-\nx\r\n\r\n\t",
		  "v=0\no=- %s 1 IN IP4 127.0.0.1\ns=-\nx\r\n\r\n\t" },
		{ TYPE, "v=0\r\no=John Doe 1\r\ns=", "v=0\r\no=- %s 1 IN IP4 127.0.0.1\r\ns=" },
		{ "multipart/mixed;boundary=cut",
		  "pre\r\n--cut\r\nContent-Type: text/plain\r\n\r\n" HEAD "s=-\r\n--cut\r\n"
		  "Content-Type: application/sdp\r\n\r\n" HEAD "s=-\r\n\r\n--cut--\r\npost",
		  "pre\r\n--cut\r\nContent-Type: text/plain\r\n\r\n" HEAD "s=-\r\n--cut\r\n"
		  "Content-Type: application/sdp\r\n\r\n" SENT("1") "s=-\r\n\r\n--cut--\r\npost" },
	};
	struct place p;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(&p);
		assert_sent(p.dialog, cases[i].type, cases[i].body, cases[i].sent);
		end(&p);
	}
}

static void only_the_part_that_describes_counts(void **state)
{
#define PARTS(text, port)                                                                          \
	"--cut\r\nContent-Type: text/plain\r\n\r\n" text "\r\n--cut\r\n"                           \
	"Content-Type: application/sdp\r\n\r\n" port "\r\n--cut--\r\n"
	static const char mixed[] = "multipart/mixed;boundary=cut";
	struct place p;

	begin(&p);
	assert_sent(p.dialog, mixed, PARTS("one", HEAD TAIL("1")),
		    PARTS("one", SENT("1") TAIL("1")));
	assert_sent(p.dialog, mixed, PARTS("two", HEAD TAIL("1")),
		    PARTS("two", SENT("1") TAIL("1")));
	assert_sent(p.dialog, TYPE, HEAD TAIL("1"), SENT("1") TAIL("1"));
	assert_sent(p.dialog, mixed, PARTS("two", HEAD TAIL("2")),
		    PARTS("two", SENT("2") TAIL("2")));
	end(&p);
}

static void what_describes_nothing_passes(void **state)
{
	static const struct {
		const char *type, *body;
	} cases[] = {
		{ TYPE, "" },
		{ TYPE, "v=0\r\n" },
		{ TYPE, "v=0\r\no=a 1 1 IN IP4 b" },
		{ TYPE, "v=0\r\ns=-\r\no=a 1 1 IN IP4 b\r\n" },
		{ TYPE, "v=0\r\no=a 1 1 IN IP4 b\r\no=a 1 1 IN IP4 b\r\ns=-\r\n" },
		{ TYPE, "v=0\ro=a 1 1 IN IP4 b\rs=-\r" },
		{ "", HEAD TAIL("1") },
		{ "text/plain", HEAD TAIL("1") },
		{ "multipart/mixed;boundary=x", HEAD TAIL("1") },
	};
	struct place p;

	begin(&p);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_sent(p.dialog, cases[i].type, cases[i].body, cases[i].body);
	/* and counts for nothing */
	assert_int_equal(sip_dialog_told(p.dialog)->version, 0);
	assert_sent(p.dialog, TYPE, HEAD TAIL("1"), SENT("1") TAIL("1"));
	end(&p);
}

static void a_long_line_passes(void **state)
{
	AUTO_BUF body = { 0 }, sent = { 0 };
	struct place p;

	begin(&p);
	for (int i = 0; i < 2; i++) {
		struct buf *b = i ? &sent : &body;

		buf_add_str(b, i ? "v=0\r\no=- %s 1 IN IP4 127.0.0.1\r\ns=" : "v=0\r\no=");
		for (int n = 0; n < 20000 && i == 0; n++)
			buf_add_str(b, "o= ");
		if (i == 0)
			buf_add_str(b, "\r\ns=");
		for (int n = 0; n < 60000; n++)
			buf_add_char(b, 'x');
	}
	assert_sent(p.dialog, TYPE, body.data, sent.data);
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_version_rises_with_what_is_said),
		cmocka_unit_test(each_dialog_has_its_own),
		cmocka_unit_test(other_bytes_stay),
		cmocka_unit_test(only_the_part_that_describes_counts),
		cmocka_unit_test(what_describes_nothing_passes),
		cmocka_unit_test(a_long_line_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
