/* SPDX-License-Identifier: Apache-2.0 */
/* test_operation.c - park: one side waits alone on hold, the other is let go; and when it is refused. */
#include "../base/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/loop.h"
#include "cm/b2bua.h"
#include "cm/operation.h"
#include "cm/side.h"
#include "stack/sip/sip_private.h"

#define SENT_MAX 8
#define SDP                                                                                        \
	"v=0\r\no=a 1 7 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"                \
	"m=audio 4000 RTP/AVP 0\r\n"

/* One half that talks, its stack with nothing but a wall around it. */
struct talk {
	struct timer_wheel timers;
	struct cm cm;
	struct call call;
	struct b2bua_half *half;
	unsigned int sent;
	char *log[SENT_MAX];
};

static int way_prepare(void *user, struct sip_flow *flow, size_t length)
{
	return 0;
}

static void way_via(void *user, const struct sip_flow *flow, struct slice branch, struct buf *out)
{
	buf_printf(out, "SIP/2.0/UDP 192.0.2.9;branch=%.*s", SLICE_ARG(branch));
}

static int way_send(void *user, const struct sip_flow *flow, struct slice message)
{
	struct talk *t = user;

	assert_true(t->sent < SENT_MAX);
	t->log[t->sent++] = slice_dup(message);
	return 0;
}

static int way_resolve(void *user, const struct sip_uri *uri, struct sip_flow *ret)
{
	*ret = (struct sip_flow){ .transport = SIP_TRANSPORT_TCP, .connection = 1 };
	return 0;
}

static bool way_is_open(void *user, const struct sip_flow *flow)
{
	return true;
}

static void way_uri(void *user, uint32_t listen, struct buf *out)
{
	buf_add_str(out, "sip:192.0.2.9");
}

static const struct sip_dialog_handlers no_handlers;

/* A dialog that has been answered, with the side of that name. */
static struct sip_dialog *dialog_with(struct talk *t, const char *name)
{
	struct sip_dialog_uac spec = { .local = SLICE("<sip:cm@x>"),
				       .remote = SLICE("<sip:side@x>"),
				       .target = SLICE("sip:side@192.0.2.1"),
				       .call_id = slice_str(name) };
	struct sip_dialog *dialog, *same;
	struct sip_msg *msg = calloc(1, sizeof(*msg));
	char text[512];

	assert_int_equal(sip_dialog_new_uac(t->cm.stack, &spec, &no_handlers, t, &dialog, NULL), 0);
	(void)snprintf(text, sizeof(text),
		       "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n"
		       "From: <sip:cm@x>;tag=%.*s\r\nTo: <sip:side@x>;tag=far\r\nCall-ID: %s\r\n"
		       "CSeq: 1 INVITE\r\nContact: <sip:%s@192.0.2.1>\r\nContent-Length: 0\r\n\r\n",
		       SLICE_ARG(sip_dialog_local_tag(dialog)), name, name);
	assert_int_equal(sip_msg_parse(slice_str(text), msg), 0);
	assert_int_equal(sip_dialog_response(dialog, msg, &same), 0);
	assert_ptr_equal(dialog, same);
	free(msg);
	return dialog;
}

static void begin(struct talk *t)
{
	struct sip_way way = { .prepare = way_prepare,
			       .via = way_via,
			       .send = way_send,
			       .resolve = way_resolve,
			       .is_open = way_is_open,
			       .uri = way_uri,
			       .user = t };
	static const struct sip_stack_handlers handlers;
	struct sip_stack_config config = { .product = "Test", .transactions_max = 16 };
	struct b2bua_half *b = calloc(1, sizeof(*b));

	*t = (struct talk){ .half = b };
	timer_wheel_init(&t->timers, 1000);
	assert_int_equal(loop_new(clock_system(), &t->cm.loop), 0);
	assert_int_equal(sip_stack_new_over(&config, &t->timers, &way, &handlers, t, &t->cm.stack),
			 0);
	list_init(&t->cm.sides);
	list_init(&b->relays);
	b->cm = &t->cm;
	b->half.call = &t->call;
	b->half.phase = HALF_IMSORIG;
	b->up[0] = dialog_with(t, "up");
	b->down[0] = dialog_with(t, "down");
	for (int up = 0; up < 2; up++) {
		struct session *s = up ? &b->session_up : &b->session_down;

		s->owner = b;
		s->up = up != 0;
		buf_add_str(&s->sdp, SDP);
		(void)snprintf(s->sdp_type, sizeof(s->sdp_type), "application/sdp");
	}
}

static void end(struct talk *t)
{
	side_stop(t->half);
	sip_dialog_free(t->half->up[0]);
	sip_dialog_free(t->half->down[0]);
	sip_stack_free(t->cm.stack);
	side_free_all(&t->cm);
	buf_done(&t->half->session_up.sdp);
	buf_done(&t->half->session_down.sdp);
	loop_free(t->cm.loop);
	free(t->half);
	for (unsigned int i = 0; i < t->sent; i++)
		free(t->log[i]);
}

static void the_kept_side_is_held_and_the_other_let_go(void **state)
{
	for (int keep_up = 0; keep_up < 2; keep_up++) {
		const char *kept = keep_up ? "INVITE sip:up@" : "INVITE sip:down@";
		const char *gone = keep_up ? "BYE sip:down@" : "BYE sip:up@";
		struct talk t;
		struct b2bua_half *b;

		begin(&t);
		b = t.half;
		(void)engine_step(&b->engine, ENGINE_ANSWERED);
		assert_int_equal(operation_park(b, keep_up), 0);
		assert_int_equal(b->engine.state, ENGINE_PARKED);
		assert_true(b->engine.left[!keep_up]);
		assert_false(b->engine.left[keep_up]);
		assert_int_equal((keep_up ? b->half.up : b->half.down).state, LEG_HELD);
		assert_int_equal((keep_up ? b->half.down : b->half.up).state, LEG_ENDED);
		assert_null(operation_dialog(b, !keep_up));
		assert_non_null(operation_dialog(b, keep_up));
		/* On hold first: nobody hears a voice that is gone. */
		assert_int_equal(t.sent, 2);
		assert_int_equal(strncmp(t.log[0], kept, strlen(kept)), 0);
		assert_non_null(strstr(t.log[0], "a=inactive\r\n"));
		assert_non_null(strstr(t.log[0], " 1 IN IP4 127.0.0.1\r\ns=-\r\n"));
		assert_int_equal(strncmp(t.log[1], gone, strlen(gone)), 0);
		/* Parked it is until somebody takes it: not again, by neither side. */
		assert_int_equal(operation_park(b, keep_up), 481);
		assert_int_equal(operation_park(b, !keep_up), 481);
		assert_int_equal(t.sent, 2);
		end(&t);
	}
}

static void what_does_not_talk_cannot_be_parked(void **state)
{
	static const struct {
		enum engine_op before[2];
		unsigned status;
	} cases[] = {
		{ { ENGINE_REDIRECT, ENGINE_REDIRECT }, 480 }, /* nobody has answered yet */
		{ { ENGINE_ANSWERED, ENGINE_REFER }, 491 },    /* a transfer is on its way */
		{ { ENGINE_ANSWERED, ENGINE_LEND }, 491 },
	};
	struct talk t;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(&t);
		for (size_t n = 0; n < 2; n++)
			(void)engine_step(&t.half->engine, cases[i].before[n]);
		assert_int_equal(operation_park(t.half, true), cases[i].status);
		assert_int_equal(t.sent, 0);
		assert_non_null(operation_dialog(t.half, false));
		end(&t);
	}
	begin(&t);
	(void)engine_step(&t.half->engine, ENGINE_ANSWERED);
	t.half->half.forks.winner = -1;
	assert_int_equal(operation_park(t.half, true), 481);
	t.half->half.forks.winner = 0;
	assert_int_equal(t.sent, 0);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kept_side_is_held_and_the_other_let_go),
		cmocka_unit_test(what_does_not_talk_cannot_be_parked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
