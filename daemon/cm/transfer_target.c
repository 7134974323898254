/* SPDX-License-Identifier: Apache-2.0 */
/* transfer_target.c - the half that is made for the new party of a transfer: the half-call's port, with the
 * kept side of another half where the caller's INVITE would be. RFC 3725 section 4.4, RFC 5589. */
#include "base/error.h"
#include "cm/b2bua.h"
#include "cm/join.h"
#include "cm/leg_header.h"
#include "cm/operation.h"
#include "cm/own_invite.h"
#include "cm/side.h"
#include "cm/transfer_private.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

/* -- its port ------------------------------------------------------------------------------ */

static struct transfer *transfer_of(struct half *h)
{
	return b2bua_of(h)->target_of;
}

static void target_refuse(struct half *h, const struct half_final *final)
{
	struct transfer *t = transfer_of(h);

	if (t)
		transfer_decide(t, leg_status_pass(final->status));
}

static void target_progress(struct half *h, const struct half_reply *reply)
{
	const struct b2bua_answer *answer = reply->message;

	b2bua_note_contact(&h->down, answer->in->msg);
	if (transfer_of(h))
		transfer_tell(transfer_of(h), reply->status);
}

/* The kept side has answered: it changes halves. */
static void kept_answered(void *user, unsigned status, const struct sip_incoming *in)
{
	struct b2bua_half *n = user;
	struct transfer *t = n->target_of;
	struct b2bua_half *b = t->asker;
	int8_t winner = n->half.forks.winner;
	struct sip_dialog *dialog;

	dialog = in && status < 300 ? operation_take(b, transfer_kept_up(b)) : NULL;
	if (!dialog) {
		b2bua_release(n, status >= 300 ? status : 481, NULL);
		return;
	}
	n->half.up = transfer_kept_up(b) ? b->half.up : b->half.down;
	n->half.up.state = LEG_TALKING;
	n->up[winner] = dialog;
	sip_dialog_set_user(dialog, &b2bua_up_handlers, &n->up_leg[winner]);
	n->session_up.updates = (transfer_kept_up(b) ? &b->session_up : &b->session_down)->updates;
	session_agreed(n, true, in->msg);
	(void)b2bua_step(n, HALF_EV_ACK, in);
	transfer_decide(t, 200);
}

static void target_answer(struct half *h, const struct half_reply *reply)
{
	struct b2bua_half *n = b2bua_of(h);
	const struct b2bua_answer *answer = reply->message;
	const struct sip_msg *msg = answer->in->msg;
	struct slice type = sip_msg_value(msg, SIP_HDR_CONTENT_TYPE);
	struct b2bua_half *b = n->target_of ? n->target_of->asker : NULL;
	int r = -ENOTCONN;

	b2bua_note_contact(&h->down, msg);
	session_agreed(n, false, msg);
	session_note(n, true, type, msg->body); /* what the kept side is told */
	if (b && msg->body.len > 0)
		r = side_offer(b, transfer_kept_up(b), type, msg->body, kept_answered, n);
	/* A hold of ours that is not answered yet is in the way: it is given up. */
	if (r == -EBUSY) {
		side_stop(b);
		r = side_offer(b, transfer_kept_up(b), type, msg->body, kept_answered, n);
	}
	if (r < 0)
		b2bua_release(n, 500, NULL);
}

/* What a borrowed dialog is told when nothing comes of it: what it was told before. */
static void acknowledge_as_before(struct b2bua_half *n, struct b2bua_branch *br)
{
	const struct session *s = n->lender_up ? &n->lender->session_up : &n->lender->session_down;
	struct sip_extra extra = { 0 };
	AUTO_BUF body = { 0 };

	buf_add_slice(&body, session_told(s));
	if (body.len > 0) {
		extra.content_type = slice_str(s->sdp_type);
		extra.body = buf_slice(&body);
		session_tell(n->lender, n->lender_up, br->base, &extra);
	}
	(void)sip_dialog_ack(br->base, br->cseq, &extra);
}

static void target_ack(struct half *h, const void *message)
{
	struct b2bua_half *n = b2bua_of(h);
	const struct sip_incoming *in = message;
	int8_t winner = h->forks.winner;
	struct b2bua_branch *br = &n->branches[h->forks.early[winner].branch];
	struct sip_dialog *dialog = n->lender ? br->base : n->down[winner];
	struct sip_extra extra = { 0 };

	if (!dialog)
		return;
	if (!in && n->lender) {
		acknowledge_as_before(n, br);
		join_give_back(n);
		return;
	}
	if (in) {
		extra.content_type = sip_msg_value(in->msg, SIP_HDR_CONTENT_TYPE);
		extra.body = in->msg->body;
		session_tell(n, false, dialog, &extra);
	}
	(void)sip_dialog_ack(dialog, br->cseq, &extra);
	if (!in)
		return;
	(void)operation_raise(n, ENGINE_ANSWERED);
	if (n->lender) {
		n->down[winner] = dialog;
		sip_dialog_set_user(dialog, &b2bua_down_handlers, &n->down_leg[winner]);
		join_settle(n);
	}
	audit_start(n);
}

static void target_over(struct half *h)
{
	struct b2bua_half *n = b2bua_of(h);
	struct transfer *t = n->target_of;

	b2bua_port.over(h);
	if (!t)
		return;
	n->target_of = NULL;
	if (!t->decided && t->asker)
		side_cancel(t->asker);
	transfer_decide(t, n->final.status >= 300 ? n->final.status : 487);
	t->target = NULL;
	transfer_settle(t);
}

/* The half-call's port, with the kept side of another half where the caller's INVITE would be. */
static const struct half_port target_port = {
	.send_on = b2bua_port_send_on,
	.refuse = target_refuse,
	.pass_progress = target_progress,
	.pass_answer = target_answer,
	.pass_ack = target_ack,
	.drop_extra = b2bua_port_extra,
	.cancel_down = b2bua_port_cancel,
	.bye_up = b2bua_port_bye_up,
	.bye_down = b2bua_port_bye_down,
	.over = target_over,
	.ended = b2bua_port_ended,
};

/* -- the target's INVITE ------------------------------------------------------------------ */

bool transfer_is_on(const struct b2bua_half *n)
{
	return n->target_of && n->target_of->asker;
}

int transfer_dialog(struct b2bua_branch *br, struct error *err)
{
	struct b2bua_half *n = br->owner, *b = n->target_of->asker;
	struct sip_dialog *kept = operation_dialog(b, transfer_kept_up(b));
	struct sip_dialog_uac spec = { 0 };
	AUTO_BUF route = { 0 };
	AUTO_BUF to = { 0 };
	int r;

	if (!kept)
		return error_set(err, -ENOTCONN, "the other side has left");
	r = own_route(n->cm, OWN_TRANSFER, n->half.served, &route, &spec.flow);
	if (r < 0)
		return error_set(err, r, "no way to the session manager");
	buf_printf(&to, "<%s>", n->target);
	if (!buf_ok(&to))
		return error_set(err, -ENOMEM, "out of memory");
	/* Who is heard is who shall be seen. */
	spec.local = sip_dialog_remote(kept);
	spec.remote = buf_slice(&to);
	spec.routes = buf_slice(&route);
	spec.target = slice_str(n->target);
	return sip_dialog_new_uac(n->cm->stack, &spec, &b2bua_down_handlers, &n->down_leg[0],
				  &br->base, err);
}

void transfer_headers(const struct b2bua_half *n, struct buf *out)
{
	(void)sip_build_header_u32(out, SIP_HDR_MAX_FORWARDS, n->max_forwards);
	(void)sip_build_header(out, SIP_HDR_AV_GLOBAL_SESSION_ID, slice_str(n->half.call->gsid));
	(void)sip_build_header(out, SIP_HDR_ALLOW, SLICE(CM_ALLOW));
	(void)sip_build_header(out, SIP_HDR_SUPPORTED, SLICE(CM_SUPPORTED_INSIDE));
	if (!n->lender)
		buf_add_slice(out, buf_slice(&n->own_lines));
}

int transfer_target_new(struct b2bua_half *b, uint32_t max_forwards, struct transfer *t,
			struct b2bua_half **ret)
{
	struct b2bua_half *n;
	int r = b2bua_new_own(b->cm, HALF_IMSORIG, &target_port, &n);

	if (r < 0)
		return r;
	r = call_add_half(&b->cm->calls, &n->half, slice_str(b->half.call->gsid));
	if (r < 0) {
		b2bua_discard(n);
		return r;
	}
	(void)slice_copy(slice_str(b->half.station), n->half.served, sizeof(n->half.served));
	n->max_forwards = max_forwards;
	n->private = b->private && transfer_kept_up(b);
	n->target_of = t;
	t->target = n;
	*ret = n;
	return 0;
}
