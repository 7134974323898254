/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - session timers on each leg of a half by itself: agreed, kept alive, expired. RFC 4028. */
#include "cm/session.h"

#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "cm/b2bua.h"
#include "cm/cm_options.h"
#include "cm/operation.h"
#include "cm/origin.h"
#include "cm/side.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

#define AGAIN_S 10 /* after a refresh that failed for the moment */

/* -- what messages say ------------------------------------------------------------------ */

void session_read(const struct sip_msg *msg, struct session_words *ret)
{
	struct sip_session_expires se;

	*ret = (struct session_words){ .least_s = SESSION_LEAST_S };
	ret->supported = sip_msg_has_token(msg, SIP_HDR_SUPPORTED, SLICE("timer")) ||
			 sip_msg_has_token(msg, SIP_HDR_REQUIRE, SLICE("timer"));
	if (sip_session_expires_parse(sip_msg_value(msg, SIP_HDR_SESSION_EXPIRES), &se) == 0) {
		ret->interval_s = se.seconds > 0 ? se.seconds : 1;
		ret->refresher = se.refresher;
	}
	if (sip_session_expires_parse(sip_msg_value(msg, SIP_HDR_MIN_SE), &se) == 0 &&
	    se.seconds > ret->least_s)
		ret->least_s = se.seconds;
}

bool session_is_short(const struct session_words *request)
{
	return request->supported && request->interval_s > 0 &&
	       request->interval_s < SESSION_LEAST_S;
}

/* Section 9, table 2. One who knows no timers cannot refresh: if somebody on the way asked for one, it
 * is up to us. */
void session_accept(const struct session_words *request, uint32_t own_s, struct session_terms *ret)
{
	*ret = (struct session_terms){ .interval_s = request->interval_s };
	if (ret->interval_s == 0 && !request->supported)
		return;
	if (ret->interval_s == 0)
		ret->interval_s = own_s;
	if (ret->interval_s < request->least_s)
		ret->interval_s = request->least_s;
	ret->we_refresh = !request->supported || request->refresher == SIP_REFRESHER_UAS;
	ret->demanded = !ret->we_refresh;
}

void session_agree(const struct session_words *answer, struct session_terms *ret)
{
	*ret = (struct session_terms){
		.interval_s = answer->interval_s,
		.we_refresh = answer->refresher != SIP_REFRESHER_UAS,
	};
}

/* -- the timer -------------------------------------------------------------------------- */

static struct session *session_of(struct b2bua_half *b, bool up)
{
	return up ? &b->session_up : &b->session_down;
}

static struct sip_dialog *dialog_of(const struct session *s)
{
	const struct b2bua_half *b = s->owner;

	return operation_dialog(b, s->up);
}

static uint64_t now_ms(const struct session *s)
{
	return loop_now(s->owner->cm->loop);
}

static void session_fired(struct timer *timer);

static void run_for(struct session *s, uint32_t seconds)
{
	loop_timer_start(s->owner->cm->loop, &s->timer, 1000ULL * seconds, session_fired);
}

/* Section 10: half of it before the refresher acts; the other one gives up a third or 32 s before the end. */
static void restart(struct session *s, const struct session_terms *terms)
{
	uint32_t early = terms->interval_s / 3 < 32 ? terms->interval_s / 3 : 32;

	s->terms = *terms;
	loop_timer_stop(s->owner->cm->loop, &s->timer);
	if (terms->interval_s == 0)
		return;
	s->ends_ms = now_ms(s) + 1000ULL * (terms->interval_s - early);
	run_for(s, terms->we_refresh ? terms->interval_s / 2 : terms->interval_s - early);
}

static void expired(struct session *s)
{
	log_info("call.session_expired", F("gsid", s->owner->half.call->gsid),
		 F("phase", half_phase_name(s->owner->half.phase)));
	b2bua_release(s->owner, 408, "Session expired");
}

static void refresh_over(struct session *s)
{
	if (s->txn)
		sip_client_txn_detach(s->txn);
	s->txn = NULL;
}

/* 2xx have been seen to. */
static void refresh_refused(struct session *s, unsigned status, const struct sip_msg *msg)
{
	struct session_words words = { .least_s = 0 };

	if (status == 481 || status == 408) {
		expired(s);
		return;
	}
	if (msg)
		session_read(msg, &words);
	if (status == 405 || status == 501)
		s->updates = false;
	if (status == 422 && words.least_s > s->terms.interval_s)
		s->terms.interval_s = words.least_s;
	run_for(s, status == 422 ? 0 : AGAIN_S);
}

static void refresh_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct session *s = user;
	unsigned status = in->msg->status;

	if (status < 200)
		return;
	refresh_over(s);
	if (status < 300)
		session_agreed(s->owner, s->up, in->msg);
	else
		refresh_refused(s, status, in->msg);
}

static void refresh_failed(void *user, struct sip_client_txn *txn, int reason)
{
	struct session *s = user;

	refresh_over(s);
	if (reason == -ETIMEDOUT)
		expired(s);
	else
		run_for(s, AGAIN_S);
}

static const struct sip_client_handlers refresh_handlers = {
	.response = refresh_response,
	.failed = refresh_failed,
};

static void reinvited(void *user, unsigned status, const struct sip_incoming *in)
{
	if (status >= 300)
		refresh_refused(user, status, in ? in->msg : NULL);
}

/* UPDATE needs no description; a re-INVITE repeats the last one, so that nothing changes (section 7.4). */
static int refresh(struct session *s, struct sip_dialog *dialog)
{
	struct b2bua_half *b = s->owner;
	AUTO_BUF headers = { 0 };
	AUTO_BUF body = { 0 };
	struct sip_extra extra = { 0 };

	if (!s->updates) {
		buf_add_slice(&body, session_told(s));
		if (body.len == 0 || !buf_ok(&body))
			return -EAGAIN;
		return side_offer(b, s->up, slice_str(s->sdp_type), buf_slice(&body), reinvited, s);
	}
	session_keep(b, s->up, &headers);
	(void)sip_build_header(&headers, SIP_HDR_AV_GLOBAL_SESSION_ID,
			       slice_str(b->half.call->gsid));
	if (!buf_ok(&headers))
		return -ENOMEM;
	extra.headers = buf_slice(&headers);
	return sip_dialog_request(dialog, SLICE("UPDATE"), &extra, NULL, &refresh_handlers, s,
				  &s->txn, NULL);
}

static void session_fired(struct timer *timer)
{
	struct session *s = CONTAINER_OF(timer, struct session, timer);
	struct sip_dialog *dialog = dialog_of(s);

	if (!s->terms.we_refresh || now_ms(s) >= s->ends_ms || !dialog) {
		expired(s);
		return;
	}
	if (!s->txn && half_state(&s->owner->half) == HALF_TALKING)
		(void)refresh(s, dialog);
	run_for(s, AGAIN_S);
}

/* -- on the legs ------------------------------------------------------------------------ */

void session_begin(struct b2bua_half *b)
{
	const struct sip_msg *invite = b->up_txn ? sip_server_txn_request(b->up_txn) : NULL;

	b->session_up.owner = b->session_down.owner = b;
	b->session_up.up = true;
	b->session_up.updates = invite && sip_msg_has_token(invite, SIP_HDR_ALLOW, SLICE("UPDATE"));
}

void session_propose(const struct b2bua_half *b, uint32_t least_s, struct buf *headers)
{
	uint32_t own = b->cm->options->session_s;

	(void)sip_build_headerf(headers, SIP_HDR_SESSION_EXPIRES, "%u;refresher=uas",
				own > least_s ? own : least_s);
	if (least_s > 0)
		(void)sip_build_header_u32(headers, SIP_HDR_MIN_SE, least_s);
}

void session_keep(const struct b2bua_half *b, bool up, struct buf *headers)
{
	const struct session *s = up ? &b->session_up : &b->session_down;

	(void)sip_build_header(headers, SIP_HDR_SUPPORTED, SLICE(CM_SUPPORTED_INSIDE));
	if (s->terms.interval_s > 0)
		(void)sip_build_headerf(headers, SIP_HDR_SESSION_EXPIRES, "%u;refresher=%s",
					s->terms.interval_s, s->terms.we_refresh ? "uac" : "uas");
}

void session_answer(struct b2bua_half *b, bool up, const struct sip_msg *request,
		    struct buf *headers)
{
	struct session_words words;
	struct session_terms terms;

	session_read(request, &words);
	session_accept(&words, b->cm->options->session_s, &terms);
	if (terms.interval_s > 0)
		(void)sip_build_headerf(headers, SIP_HDR_SESSION_EXPIRES, "%u;refresher=%s",
					terms.interval_s, terms.we_refresh ? "uas" : "uac");
	if (terms.demanded)
		(void)sip_build_header(headers, SIP_HDR_REQUIRE, SLICE("timer"));
	if (b->half.answered_at)
		restart(session_of(b, up), &terms);
}

void session_agreed(struct b2bua_half *b, bool up, const struct sip_msg *answer)
{
	struct session *s = session_of(b, up);
	struct session_words words;
	struct session_terms terms;

	session_read(answer, &words);
	session_agree(&words, &terms);
	if (sip_msg_has_token(answer, SIP_HDR_ALLOW, SLICE("UPDATE")))
		s->updates = true;
	if (b->half.answered_at)
		restart(s, &terms);
}

struct slice session_told(const struct session *s)
{
	return s->sdp_type[0] ? buf_slice(&s->sdp) : slice_make(NULL, 0);
}

static void note_type(struct session *s, struct slice type)
{
	if (slice_copy(type, s->sdp_type, sizeof(s->sdp_type)) < 0)
		s->sdp_type[0] = '\0';
}

void session_tell(struct b2bua_half *b, bool up, struct sip_dialog *dialog, struct sip_extra *extra)
{
	struct session *s = session_of(b, up);

	if (extra->body.len == 0)
		return;
	buf_reset(&s->sdp);
	origin_write(dialog, extra->content_type, extra->body, &s->sdp);
	if (!buf_ok(&s->sdp)) {
		buf_reset(&s->sdp);
		return;
	}
	note_type(s, extra->content_type);
	extra->body = buf_slice(&s->sdp);
}

void session_note(struct b2bua_half *b, bool up, struct slice type, struct slice body)
{
	struct session *s = session_of(b, up);

	if (body.len == 0)
		return;
	buf_reset(&s->sdp);
	buf_add_slice(&s->sdp, body);
	note_type(s, type);
	if (!buf_ok(&s->sdp))
		buf_reset(&s->sdp);
}

void session_stop_side(struct b2bua_half *b, bool up)
{
	struct session *s = session_of(b, up);

	loop_timer_stop(b->cm->loop, &s->timer);
	refresh_over(s);
}

static void stop(struct b2bua_half *b, bool up)
{
	session_stop_side(b, up);
	buf_done(&session_of(b, up)->sdp);
}

void session_stop(struct b2bua_half *b)
{
	stop(b, true);
	stop(b, false);
}
