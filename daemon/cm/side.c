/* SPDX-License-Identifier: Apache-2.0 */
/* side.c - a re-INVITE of our own towards one side of a half. RFC 3261 section 14, RFC 3264 section 8.4. */
#include "cm/side.h"

#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "cm/b2bua.h"
#include "cm/operation.h"
#include "codec/sdp/sdp.h"
#include "codec/sip/sip_body.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

#define WAIT_MS 250 /* for an offer of the peer to be over */

/* It outlives its half for as long as its transaction does: a 2xx that comes again wants its ACK again. */
struct side {
	struct list link;
	struct b2bua_half *owner; /* NULL once it is done */
	struct sip_stack *stack;
	struct sip_client_txn *txn;
	struct timer timer;
	side_done_fn *done;
	void *user;
	struct buf body, before; /* before: what the side was told until then */
	uint64_t ends_ms;
	uint32_t cseq;
	bool up, cancelled;
	char type[64];
};

static void side_free(struct side *s)
{
	list_remove(&s->link);
	buf_done(&s->body);
	buf_done(&s->before);
	free(s);
}

static enum engine_offer_event event_of(const struct side *s)
{
	return s->up ? OFFER_EV_TO_UP : OFFER_EV_TO_DOWN;
}

static struct session *session_of(struct b2bua_half *b, bool up)
{
	return up ? &b->session_up : &b->session_down;
}

/* It is over: the half may have another one. */
static void finish(struct side *s, unsigned status, const struct sip_incoming *in)
{
	struct b2bua_half *b = s->owner;
	side_done_fn *done = s->done;
	void *user = s->user;
	bool undo = s->cancelled && status < 300;

	loop_timer_stop(b->cm->loop, &s->timer);
	b->side = NULL;
	s->owner = NULL;
	if (s->cancelled && undo)
		(void)side_offer(b, s->up, slice_str(s->type), buf_slice(&s->before), NULL, NULL);
	else if (!s->cancelled && status >= 300)
		session_note(b, s->up, slice_str(s->type), buf_slice(&s->before));
	if (!s->txn)
		side_free(s);
	if (done)
		done(user, status, in);
}

static int try(struct side *s);

static void again_fired(struct timer *timer)
{
	struct side *s = CONTAINER_OF(timer, struct side, timer);
	struct b2bua_half *b = s->owner;

	if (loop_now(b->cm->loop) >= s->ends_ms)
		finish(s, 491, NULL);
	else if (try(s) < 0)
		finish(s, 500, NULL);
}

static void wait(struct side *s, uint32_t ms)
{
	loop_timer_start(s->owner->cm->loop, &s->timer, ms, again_fired);
}

/* -- answers ---------------------------------------------------------------------------- */

static void acknowledge(const struct side *s, const struct sip_msg *msg)
{
	/* It may have gone to another half, or be no more. */
	struct sip_dialog *dialog = sip_dialog_find(s->stack, sip_msg_call_id(msg),
						    sip_msg_from_tag(msg), sip_msg_to_tag(msg));

	if (dialog && !sip_dialog_is_acked(dialog, msg))
		(void)sip_dialog_ack(dialog, s->cseq, NULL);
}

static void refused(struct side *s, struct sip_client_txn *txn, unsigned status,
		    const struct sip_incoming *in)
{
	struct b2bua_half *b = s->owner;
	struct sip_dialog *dialog = operation_dialog(b, s->up);

	(void)engine_offer(&b->engine, OFFER_EV_DONE);
	if (status == 491 && dialog && !s->cancelled) {
		sip_client_txn_detach(txn);
		s->txn = NULL;
		wait(s, engine_retry_ms(sip_dialog_is_uac(dialog), random_u32()));
		return;
	}
	finish(s, status, in);
}

static void response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct side *s = user;
	struct b2bua_half *b = s->owner;
	struct sip_dialog *dialog = b ? operation_dialog(b, s->up) : NULL, *same = NULL;
	unsigned status = in->msg->status;

	if (status < 200)
		return;
	if (dialog && sip_dialog_response(dialog, in->msg, &same) == 1)
		(void)sip_dialog_free(same);
	if (status < 300)
		acknowledge(s, in->msg);
	if (!b)
		return;
	if (status >= 300) {
		refused(s, txn, status, in);
		return;
	}
	(void)engine_offer(&b->engine, OFFER_EV_DONE);
	session_agreed(b, s->up, in->msg);
	finish(s, status, in);
}

static void failed(void *user, struct sip_client_txn *txn, int reason)
{
	struct side *s = user;

	if (!s->owner)
		return;
	(void)engine_offer(&s->owner->engine, OFFER_EV_DONE);
	finish(s, reason == -ETIMEDOUT ? 408 : 500, NULL);
}

static void ended(void *user, struct sip_client_txn *txn)
{
	struct side *s = user;

	s->txn = NULL;
	if (!s->owner)
		side_free(s);
}

static const struct sip_client_handlers handlers = {
	.response = response,
	.failed = failed,
	.ended = ended,
};

/* -- asking ----------------------------------------------------------------------------- */

static int try(struct side *s)
{
	struct b2bua_half *b = s->owner;
	struct sip_dialog *dialog = operation_dialog(b, s->up);
	AUTO_BUF headers = { 0 };
	struct sip_extra extra = { 0 };
	struct sip_cseq cseq;
	int r;

	if (!dialog)
		return -ENOTCONN;
	if (engine_offer_look(&b->engine, event_of(s)) == OFFER_WAIT) {
		wait(s, WAIT_MS);
		return 0;
	}
	session_keep(b, s->up, &headers);
	(void)sip_build_header(&headers, SIP_HDR_ALLOW, SLICE(CM_ALLOW));
	if (b->half.call)
		(void)sip_build_header(&headers, SIP_HDR_AV_GLOBAL_SESSION_ID,
				       slice_str(b->half.call->gsid));
	if (!buf_ok(&headers))
		return -ENOMEM;
	extra.headers = buf_slice(&headers);
	extra.body = buf_slice(&s->body);
	extra.content_type = slice_str(s->type);
	session_tell(b, s->up, dialog, &extra);
	r = sip_dialog_request(dialog, SLICE("INVITE"), &extra, NULL, &handlers, s, &s->txn, NULL);
	if (r < 0)
		return r;
	(void)engine_offer(&b->engine, event_of(s));
	if (sip_msg_cseq(sip_client_txn_request(s->txn), &cseq) == 0)
		s->cseq = cseq.number;
	return 0;
}

int side_offer(struct b2bua_half *b, bool up, struct slice type, struct slice body,
	       side_done_fn *done, void *user)
{
	const struct session *session = session_of(b, up);
	struct side *s;
	int r;

	if (b->side)
		return -EBUSY;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	list_append(&b->cm->sides, &s->link);
	s->owner = b;
	s->stack = b->cm->stack;
	s->up = up;
	s->done = done;
	s->user = user;
	s->ends_ms = loop_now(b->cm->loop) + SIDE_PATIENCE_MS;
	buf_add_slice(&s->body, body);
	buf_add_slice(&s->before, session_told(session));
	r = !buf_ok(&s->body) || !buf_ok(&s->before) ||
			    slice_copy(type, s->type, sizeof(s->type)) < 0
		    ? -ENOMEM
		    : try(s);
	if (r < 0) {
		side_free(s);
		return r;
	}
	b->side = s;
	return 0;
}

void side_cancel(struct b2bua_half *b)
{
	struct side *s = b->side;

	if (!s)
		return;
	s->done = NULL;
	s->cancelled = true;
	if (s->txn)
		sip_client_txn_cancel(s->txn, slice_make(NULL, 0));
	else
		finish(s, 487, NULL);
}

void side_stop(struct b2bua_half *b)
{
	struct side *s = b->side;

	if (!s)
		return;
	loop_timer_stop(b->cm->loop, &s->timer);
	b->side = NULL;
	s->owner = NULL;
	if (s->txn)
		sip_client_txn_cancel(s->txn, slice_make(NULL, 0));
	else
		side_free(s);
}

void side_free_all(struct cm *cm)
{
	struct side *s;

	LIST_FOREACH (s, &cm->sides, struct side, link)
		side_free(s);
}

/* -- hold ------------------------------------------------------------------------------- */

#define DESCRIPTION "application/sdp"

/* The description that a side was told last, stopped; the other parts of a body are not said again. False if
 * there is none, or if it is to be a change and would be none. */
static bool stopped(const struct session *session, bool change, struct buf *out)
{
	static const struct sdp_change stop = { .direction = SDP_INACTIVE };
	struct sdp *sdp = malloc(sizeof(*sdp));
	struct slice told;
	bool made = false;

	if (sdp &&
	    sip_body_description(slice_str(session->sdp_type), session_told(session), &told) &&
	    sdp_parse(told, sdp) == 0 && sdp->media_count > 0 &&
	    (!change || !sdp_is_hold(sdp, 0))) {
		sdp_write(sdp, &stop, out);
		made = buf_ok(out);
	}
	free(sdp);
	return made;
}

void side_hold(struct b2bua_half *b, bool up)
{
	const struct session *session = session_of(b, up);
	AUTO_BUF body = { 0 };

	if (stopped(session, true, &body))
		(void)side_offer(b, up, SLICE(DESCRIPTION), buf_slice(&body), NULL, NULL);
}

static void answer_offer(struct b2bua_leg *leg, struct sip_dialog *dialog,
			 const struct sip_incoming *in)
{
	struct b2bua_half *b = leg->owner;
	const struct session *session = session_of(b, leg->up);
	AUTO_BUF headers = { 0 };
	AUTO_BUF body = { 0 };
	struct sip_extra extra = { 0 };
	struct sip_server_txn *txn;

	if (b->side) {
		relay_answer_now(b, dialog, in, 491, slice_make(NULL, 0));
		return;
	}
	if (!stopped(session, false, &body)) {
		relay_answer_now(b, dialog, in, 488, slice_make(NULL, 0));
		return;
	}
	if (sip_server_txn_new(b->cm->stack, in, NULL, NULL, &txn) < 0)
		return;
	session_answer(b, leg->up, in->msg, &headers);
	extra.headers = buf_slice(&headers);
	extra.content_type = SLICE(DESCRIPTION);
	extra.body = buf_slice(&body);
	session_tell(b, leg->up, dialog, &extra);
	(void)sip_dialog_reply(dialog, txn, 200, &extra);
	sip_server_txn_detach(txn);
}

void side_answer_alone(struct b2bua_leg *leg, struct sip_dialog *dialog,
		       const struct sip_incoming *in)
{
	unsigned status = 405;

	switch (in->msg->method) {
	case SIP_INVITE:
		answer_offer(leg, dialog, in);
		return;
	case SIP_UPDATE:
		if (in->msg->body.len > 0) {
			answer_offer(leg, dialog, in);
			return;
		}
		status = 200;
		break;
	case SIP_INFO:
	case SIP_OPTIONS:
		status = 200;
		break;
	case SIP_REFER:
		status = 480;
		break;
	default:
		status = 481;
		break;
	}
	relay_answer_now(leg->owner, dialog, in, status, SLICE("Allow: " CM_ALLOW "\r\n"));
}
