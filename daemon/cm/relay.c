/* SPDX-License-Identifier: Apache-2.0 */
/* relay.c - requests inside a call: BYE ends it, INVITE, UPDATE and INFO cross to the other side.
 * RFC 3261 sections 14 and 15, RFC 3311. */
#include "base/error.h"
#include "base/log.h"
#include "cm/b2bua.h"
#include "cm/leg_header.h"
#include "cm/operation.h"
#include "cm/origin.h"
#include "cm/prack.h"
#include "cm/side.h"
#include "cm/transfer.h"
#include "codec/sdp/sdp.h"
#include "codec/sip/sip_body.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_guard.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

#define RELAYS_MAX 16 /* requests of one half on their way at a time */

/* -- answering on the spot -------------------------------------------------------------- */

void relay_answer_now(struct b2bua_half *b, struct sip_dialog *dialog,
		      const struct sip_incoming *in, unsigned status, struct slice headers)
{
	struct sip_extra extra = { .headers = headers };
	struct sip_server_txn *txn;
	int r;

	r = sip_server_txn_new(b->cm->stack, in, NULL, NULL, &txn);
	if (r == -EEXIST)
		return;
	if (r < 0) {
		(void)sip_stack_reply(b->cm->stack, in, 503, NULL);
		return;
	}
	(void)sip_dialog_reply(dialog, txn, status, &extra);
	sip_server_txn_detach(txn);
}

static const struct slice no_headers;

/* -- hold ------------------------------------------------------------------------------- */

/* Does an offer want to stop hearing the other side? The first media that is not refused says so. */
static bool offer_holds(const struct sip_msg *msg)
{
	struct sdp *sdp = malloc(sizeof(*sdp));
	struct slice body;
	bool holds = false;

	if (sdp &&
	    sip_body_description(sip_msg_value(msg, SIP_HDR_CONTENT_TYPE), msg->body, &body) &&
	    sdp_parse(body, sdp) == 0) {
		for (size_t i = 0; i < sdp->media_count; i++) {
			if (sdp->media[i].port == 0)
				continue;
			holds = sdp_is_hold(sdp, i);
			break;
		}
	}
	free(sdp);
	return holds;
}

static void apply_hold(struct b2bua_relay *relay)
{
	struct half *h = &relay->owner->half;
	struct leg *leg = relay->from_up ? &h->up : &h->down;

	if (!relay->offers || half_state(h) != HALF_TALKING)
		return;
	leg->asks_hold = relay->holds;
	leg->state = relay->holds ? LEG_HELD : LEG_TALKING;
}

/* -- a request on its way ----------------------------------------------------------------- */

static void relay_free(struct b2bua_relay *relay)
{
	relay->owner->relay_count--;
	list_remove(&relay->link);
	buf_done(&relay->before);
	free(relay);
}

static void relay_settle(struct b2bua_relay *relay)
{
	if (!relay->server && !relay->client)
		relay_free(relay);
}

static void server_cancel(void *user, struct sip_server_txn *txn, const struct sip_incoming *cancel)
{
	struct b2bua_relay *relay = user;

	/* The final answer, 487 as a rule, comes from the other side. */
	if (relay->client)
		sip_client_txn_cancel(relay->client, slice_make(NULL, 0));
	else
		(void)sip_server_txn_reply(txn, 487, NULL);
}

static void server_ended(void *user, struct sip_server_txn *txn, int reason)
{
	struct b2bua_relay *relay = user;

	relay->server = NULL;
	relay_settle(relay);
}

static const struct sip_server_handlers server_handlers = {
	.cancel = server_cancel,
	.ended = server_ended,
};

static void reinvite_done(struct b2bua_half *b)
{
	if (b->reinvite)
		(void)engine_offer(&b->engine, OFFER_EV_DONE);
	b->reinvite = NULL;
	b->reinvite_cseq = 0;
}

/* What RFC 4028 calls a session refresh request. */
static bool refreshes(enum sip_method method)
{
	return method == SIP_INVITE || method == SIP_UPDATE;
}

/* Whether a body in it is an offer or an answer. */
static bool describes(enum sip_method method)
{
	return refreshes(method) || method == SIP_PRACK;
}

static void relay_answer(struct b2bua_relay *relay, unsigned status, const struct sip_msg *msg)
{
	struct b2bua_half *b = relay->owner;
	AUTO_BUF headers = { 0 };
	AUTO_BUF body = { 0 };
	struct sip_extra extra = { 0 };

	if (!relay->server)
		return;
	if (msg) {
		leg_header_copy(msg, LEG_WAY_REQUEST, &headers);
		extra.content_type = sip_msg_value(msg, SIP_HDR_CONTENT_TYPE);
		extra.body = msg->body;
		if (status == msg->status)
			extra.reason_phrase = msg->reason;
	}
	if (b->half.call)
		(void)sip_build_header(&headers, SIP_HDR_AV_GLOBAL_SESSION_ID,
				       slice_str(b->half.call->gsid));
	if (status >= 200 && status < 300 && refreshes(relay->method))
		session_answer(b, relay->from_up, sip_server_txn_request(relay->server), &headers);
	if (status < 300 && describes(relay->method)) {
		session_tell(b, relay->from_up, relay->from, &extra);
	} else if (describes(relay->method)) {
		/* What somebody can do who refuses: no session, but the same origin. */
		origin_write(relay->from, extra.content_type, extra.body, &body);
		if (buf_ok(&body))
			extra.body = buf_slice(&body);
	}
	if (buf_ok(&headers))
		extra.headers = buf_slice(&headers);
	(void)sip_dialog_reply(relay->from, relay->server, status, &extra);
}

/* The dialog on the other side is gone (RFC 5057): nothing is left to talk in. */
static bool ends_the_call(enum sip_method method, unsigned status)
{
	bool of_the_call = method == SIP_INVITE || method == SIP_UPDATE || method == SIP_INFO;

	return of_the_call && (status == 408 || status == 481);
}

static void relay_final(struct b2bua_relay *relay, unsigned status, const struct sip_msg *msg)
{
	struct b2bua_half *b = relay->owner;
	bool invite = relay->method == SIP_INVITE;

	relay->answered = true;
	if (status < 300)
		apply_hold(relay);
	if (status < 300 && msg && refreshes(sip_msg_cseq_method(msg)))
		session_agreed(b, !relay->from_up, msg);
	if (status >= 300 && relay->offers)
		session_note(b, !relay->from_up, slice_str(relay->before_type),
			     buf_slice(&relay->before));
	if (invite && status < 300)
		b->reinvite_cseq = relay->cseq;
	else if (invite)
		reinvite_done(b);
	relay_answer(relay, leg_status_pass(status), msg);
	if (ends_the_call(relay->method, status))
		b2bua_release(b, status, NULL);
}

static void client_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct b2bua_relay *relay = user;
	struct sip_dialog *dialog = NULL;
	unsigned status = in->msg->status;

	if (status == 100)
		return;
	if (status >= 200 && status < 300 && sip_dialog_is_acked(relay->to, in->msg))
		return;
	/* Takes the refreshed target; inside a dialog no other can come of it. */
	if (sip_dialog_response(relay->to, in->msg, &dialog) == 1)
		dialog = sip_dialog_free(dialog);
	if (status < 200) {
		relay_answer(relay, status, in->msg);
		return;
	}
	relay_final(relay, status, in->msg);
}

static void client_failed(void *user, struct sip_client_txn *txn, int reason)
{
	relay_final(user, reason == -ETIMEDOUT ? 408 : 500, NULL);
}

static void client_ended(void *user, struct sip_client_txn *txn)
{
	struct b2bua_relay *relay = user;

	relay->client = NULL;
	relay_settle(relay);
}

static const struct sip_client_handlers client_handlers = {
	.response = client_response,
	.failed = client_failed,
	.ended = client_ended,
};

/* -- sending on --------------------------------------------------------------------------- */

/* Refused, the description of before stays in force (RFC 3261 section 14.1). */
static void keep_before(struct b2bua_relay *relay)
{
	const struct session *s =
		relay->from_up ? &relay->owner->session_down : &relay->owner->session_up;

	if (!relay->offers)
		return;
	buf_add_slice(&relay->before, session_told(s));
	(void)slice_copy(slice_str(s->sdp_type), relay->before_type, sizeof(relay->before_type));
}

static int relay_send(struct b2bua_relay *relay, const struct sip_msg *msg, struct slice method,
		      struct slice more)
{
	struct b2bua_half *b = relay->owner;
	AUTO_BUF headers = { 0 };
	struct sip_extra extra = { 0 };
	struct sip_cseq cseq;
	uint32_t max_forwards;
	int r;

	r = sip_guard_max_forwards(msg, &max_forwards);
	if (r < 0)
		return r;
	(void)sip_build_header_u32(&headers, SIP_HDR_MAX_FORWARDS, max_forwards);
	leg_header_copy(msg, LEG_WAY_REQUEST, &headers);
	(void)sip_build_header(&headers, SIP_HDR_AV_GLOBAL_SESSION_ID,
			       slice_str(b->half.call->gsid));
	buf_add_slice(&headers, more);
	if (refreshes(sip_method_lookup(method)))
		session_keep(b, !relay->from_up, &headers);
	if (!buf_ok(&headers))
		return -ENOMEM;
	extra.headers = buf_slice(&headers);
	extra.content_type = sip_msg_value(msg, SIP_HDR_CONTENT_TYPE);
	extra.body = msg->body;
	if (describes(sip_method_lookup(method))) {
		keep_before(relay);
		session_tell(b, !relay->from_up, relay->to, &extra);
	}
	r = sip_dialog_request(relay->to, method, &extra, NULL, &client_handlers, relay,
			       &relay->client, NULL);
	if (r < 0)
		return r;
	if (sip_msg_cseq(sip_client_txn_request(relay->client), &cseq) == 0)
		relay->cseq = cseq.number;
	return 0;
}

static struct b2bua_relay *relay_new(struct b2bua_leg *leg, struct sip_dialog *from,
				     struct sip_dialog *to, const struct sip_msg *msg)
{
	struct b2bua_relay *relay = calloc(1, sizeof(*relay));

	if (!relay)
		return NULL;
	relay->owner = leg->owner;
	relay->from = from;
	relay->to = to;
	relay->from_up = leg->up;
	relay->index = leg->index;
	relay->method = msg->method;
	relay->offers = msg->body.len > 0 && msg->method != SIP_INFO;
	relay->holds = relay->offers && offer_holds(msg);
	list_append(&leg->owner->relays, &relay->link);
	leg->owner->relay_count++;
	return relay;
}

void relay_as(struct b2bua_leg *leg, struct sip_dialog *from, struct sip_dialog *to,
	      const struct sip_incoming *in, struct slice method, struct slice headers)
{
	struct b2bua_half *b = leg->owner;
	struct b2bua_relay *relay;
	int r;

	relay = b->relay_count < RELAYS_MAX ? relay_new(leg, from, to, in->msg) : NULL;
	if (!relay) {
		relay_answer_now(b, from, in, 500, no_headers);
		return;
	}
	r = sip_server_txn_new(b->cm->stack, in, &server_handlers, relay, &relay->server);
	if (r < 0) {
		if (r != -EEXIST)
			(void)sip_stack_reply(b->cm->stack, in, 503, NULL);
		relay_free(relay);
		return;
	}
	r = relay_send(relay, in->msg, method, headers);
	if (r < 0) {
		(void)sip_dialog_reply(from, relay->server, r == -ELOOP ? 483 : 500, NULL);
		return;
	}
	if (relay->method == SIP_INVITE) {
		(void)engine_offer(&b->engine, leg->up ? OFFER_EV_FROM_UP : OFFER_EV_FROM_DOWN);
		b->reinvite = from;
	}
}

static void relay_on(struct b2bua_leg *leg, struct sip_dialog *from, struct sip_dialog *to,
		     const struct sip_incoming *in)
{
	relay_as(leg, from, to, in, in->msg->method_name, no_headers);
}

/* Two offers may not cross (RFC 3261 section 14). */
static void take_reinvite(struct b2bua_leg *leg, struct sip_dialog *from, struct sip_dialog *to,
			  const struct sip_incoming *in)
{
	struct b2bua_half *b = leg->owner;
	unsigned refused =
		engine_offer_look(&b->engine, leg->up ? OFFER_EV_FROM_UP : OFFER_EV_FROM_DOWN);

	if (half_state(&b->half) != HALF_TALKING)
		refused = 491;
	if (refused)
		relay_answer_now(b, from, in, refused,
				 refused == 500 ? SLICE("Retry-After: 3\r\n") : no_headers);
	else
		relay_on(leg, from, to, in);
}

static void take_bye(struct b2bua_leg *leg, struct sip_dialog *dialog,
		     const struct sip_incoming *in)
{
	struct b2bua_half *b = leg->owner;
	bool asks = b->engine.asker_up == leg->up;
	struct engine_cell cell;

	relay_answer_now(b, dialog, in, 200, no_headers);
	b2bua_note_reason(b, in->msg);
	cell = operation_raise(b, asks ? ENGINE_ASKER_LEFT : ENGINE_KEPT_LEFT);
	if (cell.action == ENGINE_END || cell.action == ENGINE_GIVE_UP)
		(void)b2bua_step(b, leg->up ? HALF_EV_BYE_UP : HALF_EV_BYE_DOWN, NULL);
}

/* An UPDATE with an offer while another is not answered (RFC 3311 section 5.2): 491 from the other side,
 * 500 from the same one. 0: it may go on. */
static unsigned glare(const struct b2bua_leg *leg)
{
	const struct b2bua_half *b = leg->owner;
	const struct b2bua_relay *relay;

	LIST_FOREACH (relay, &b->relays, struct b2bua_relay, link) {
		if (relay->offers && !relay->answered && relay->to && leg->index == relay->index)
			return relay->from_up == leg->up ? 500 : 491;
	}
	return 0;
}

/* One that only keeps the session alive concerns this leg alone. true: answered. */
static bool take_refresh(struct b2bua_leg *leg, struct sip_dialog *dialog,
			 const struct sip_incoming *in)
{
	struct b2bua_half *b = leg->owner;
	AUTO_BUF headers = { 0 };
	struct session_words words;

	if (!refreshes(in->msg->method))
		return false;
	session_read(in->msg, &words);
	if (session_is_short(&words)) {
		(void)sip_build_header_u32(&headers, SIP_HDR_MIN_SE, SESSION_LEAST_S);
		relay_answer_now(b, dialog, in, 422, buf_slice(&headers));
		return true;
	}
	if (in->msg->method != SIP_UPDATE || in->msg->body.len > 0 || words.interval_s == 0)
		return false;
	session_answer(b, leg->up, in->msg, &headers);
	relay_answer_now(b, dialog, in, 200, buf_slice(&headers));
	return true;
}

void relay_request(struct b2bua_leg *leg, struct sip_dialog *dialog, const struct sip_incoming *in)
{
	struct b2bua_half *b = leg->owner;
	struct sip_dialog *other = leg->up ? b->down[leg->index] : b->up[leg->index];
	enum half_state state = half_state(&b->half);
	unsigned refused;
	bool alive = state >= HALF_RINGING && state <= HALF_TALKING;

	/* Who has left, or has nobody left, can say no more than goodbye. */
	if (alive && in->msg->method == SIP_BYE && !b->engine.left[leg->up] &&
	    (other || state >= HALF_ANSWERED)) {
		take_bye(leg, dialog, in);
		return;
	}
	if (!alive || b->engine.left[leg->up] || (!other && !b->engine.left[!leg->up])) {
		relay_answer_now(b, dialog, in, 481, no_headers);
		return;
	}
	if (take_refresh(leg, dialog, in))
		return;
	refused = in->msg->method == SIP_UPDATE && in->msg->body.len > 0 ? glare(leg) : 0;
	if (refused) {
		relay_answer_now(b, dialog, in, refused,
				 refused == 500 ? SLICE("Retry-After: 3\r\n") : no_headers);
		return;
	}
	if (b->engine.left[!leg->up]) {
		side_answer_alone(leg, dialog, in);
		return;
	}
	switch (in->msg->method) {
	case SIP_INVITE:
		take_reinvite(leg, dialog, other, in);
		break;
	case SIP_REFER:
		if (transfer_is_ours(leg))
			transfer_refer(leg, dialog, in);
		else
			relay_on(leg, dialog, other, in);
		break;
	case SIP_UPDATE:
	case SIP_INFO:
	case SIP_NOTIFY:
		relay_on(leg, dialog, other, in);
		break;
	case SIP_OPTIONS:
		relay_answer_now(b, dialog, in, 200, SLICE("Allow: " CM_ALLOW "\r\n"));
		break;
	case SIP_PRACK:
		prack_request(leg, dialog, other, in);
		break;
	default:
		relay_answer_now(b, dialog, in, 405, SLICE("Allow: " CM_ALLOW "\r\n"));
		break;
	}
}

bool relay_ack(struct b2bua_leg *leg, struct sip_dialog *dialog, const struct sip_incoming *in)
{
	struct b2bua_half *b = leg->owner;
	struct sip_dialog *other = leg->up ? b->down[leg->index] : b->up[leg->index];
	struct sip_extra extra = {
		.content_type = sip_msg_value(in->msg, SIP_HDR_CONTENT_TYPE),
		.body = in->msg->body,
	};

	if (!other || b->reinvite != dialog || b->reinvite_cseq == 0)
		return false;
	session_tell(b, !leg->up, other, &extra);
	(void)sip_dialog_ack(other, b->reinvite_cseq, &extra);
	reinvite_done(b);
	return true;
}

static void relay_end(struct b2bua_relay *relay)
{
	if (relay->server) {
		/* -EALREADY when its final answer has gone out: nothing to say then. */
		(void)sip_server_txn_reply(relay->server, 487, NULL);
		sip_server_txn_detach(relay->server);
	}
	if (relay->client)
		sip_client_txn_detach(relay->client);
	relay_free(relay);
}

void relay_end_dialog(struct b2bua_half *b, const struct sip_dialog *dialog)
{
	struct b2bua_relay *relay;

	LIST_FOREACH (relay, &b->relays, struct b2bua_relay, link) {
		if (dialog && (relay->from == dialog || relay->to == dialog))
			relay_end(relay);
	}
}

void relay_end_all(struct b2bua_half *b)
{
	struct b2bua_relay *relay;

	LIST_FOREACH (relay, &b->relays, struct b2bua_relay, link)
		relay_end(relay);
	reinvite_done(b);
}
