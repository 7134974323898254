/* SPDX-License-Identifier: Apache-2.0 */
/* b2bua_port.c - what a half asks for, said in SIP: the port of half.h over stack/. */
#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "cm/b2bua.h"
#include "cm/cm_options.h"
#include "cm/join.h"
#include "cm/leg_header.h"
#include "cm/operation.h"
#include "cm/own_invite.h"
#include "cm/prack.h"
#include "cm/redirect.h"
#include "cm/side.h"
#include "cm/transfer.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "node/records.h"
#include "node/uc_model.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_guard.h"
#include "stack/sip/sip_reliable.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

/* -- what the station's line does ------------------------------------------------------ */

/* The dialog of the served phone, as the phone sees it. */
static void show_line(struct b2bua_half *b, enum line_state state, int early)
{
	bool orig = b->half.phase == HALF_IMSORIG;
	struct sip_dialog *dialog = early < 0 ? NULL : orig ? b->up[early] : b->down[early];
	struct slice handle = slice_str(b->half.station);
	struct line_dialog line = { .state = state, .initiator = orig };
	AUTO_BUF peer = { 0 };

	if (b->half.appearance == 0 || !line_is_watched(b->cm, handle))
		return;
	if (state == LINE_IDLE) {
		line_set(b->cm, handle, b->half.appearance, NULL);
		return;
	}
	if (dialog) {
		line.call_id = sip_dialog_call_id(dialog);
		line.local_tag = sip_dialog_remote_tag(dialog);
		line.remote_tag = sip_dialog_local_tag(dialog);
	} else if (orig && b->up_txn) {
		line.call_id = sip_msg_call_id(sip_server_txn_request(b->up_txn));
		line.local_tag = sip_msg_from_tag(sip_server_txn_request(b->up_txn));
	}
	buf_add_str(&peer, "sip:");
	sip_escape_user(&peer, slice_str(orig ? b->half.callee : b->half.caller));
	buf_printf(&peer, "@%s", uc_model_domain(node_model(b->cm->node)));
	if (buf_ok(&peer))
		line.peer = buf_slice(&peer);
	line_set(b->cm, handle, b->half.appearance, &line);
}

/* -- the INVITE that goes on ----------------------------------------------------------- */

static void guard_fired(struct timer *timer)
{
	struct b2bua_half *b = CONTAINER_OF(timer, struct b2bua_half, guard);

	b2bua_release(b, b->half.phase == HALF_IMSTERM ? 480 : 408, NULL);
}

/* The Route set that is left after ours: sm's way back, with phase and odi as they came. */
static void remaining_routes(const struct sip_msg *invite, struct buf *out)
{
	struct sip_values it = sip_values_of(invite, SIP_HDR_ROUTE);
	struct slice value;
	unsigned n = 0;

	while (sip_values_next(&it, &value)) {
		if (n++ == 0)
			continue;
		if (n > 2)
			buf_add_str(out, ", ");
		buf_add_slice(out, value);
	}
}

/* Distinctive ringing for the callee, unless the INVITE asks for one itself. */
static void alert_info(const struct b2bua_half *b, const struct sip_msg *invite, struct buf *out)
{
	const char *class = service_class_name(b->class);

	if (b->half.phase != HALF_IMSTERM || sip_msg_header(invite, SIP_HDR_ALERT_INFO))
		return;
	(void)sip_build_headerf(out, SIP_HDR_ALERT_INFO, "<cid:%s@%s>;cm-alert-type=%s", class,
				uc_model_domain(node_model(b->cm->node)), class);
}

static void invite_headers(const struct b2bua_branch *br, const struct sip_msg *invite,
			   struct buf *out)
{
	const struct b2bua_half *b = br->owner;
	uint32_t max_forwards = SIP_MAX_FORWARDS;

	(void)sip_guard_max_forwards(invite, &max_forwards);
	(void)sip_build_header_u32(out, SIP_HDR_MAX_FORWARDS, max_forwards);
	/* In a dialog that was borrowed it is a re-INVITE. */
	leg_header_copy(invite,
			b->lender ? LEG_WAY_REQUEST
			: br->own ? LEG_WAY_DIVERTED
				  : LEG_WAY_INVITE,
			out);
	if (br->own)
		buf_add_slice(out, buf_slice(&br->own->lines));
	(void)sip_build_header(out, SIP_HDR_AV_GLOBAL_SESSION_ID, slice_str(b->half.call->gsid));
	alert_info(b, invite, out);
	(void)sip_build_header(out, SIP_HDR_ALLOW, SLICE(CM_ALLOW));
	(void)sip_build_header(out, SIP_HDR_SUPPORTED,
			       prack_offered(b) && !b->lender ? SLICE(CM_SUPPORTED)
							      : SLICE(CM_SUPPORTED_INSIDE));
}

static int branch_dialog(struct b2bua_half *b, struct b2bua_branch *br,
			 const struct sip_msg *invite, struct error *err)
{
	AUTO_BUF from = { 0 };
	AUTO_BUF to = { 0 };
	AUTO_BUF routes = { 0 };
	struct sip_dialog_uac spec = { 0 };
	int r = 0;

	if (leg_party_text(sip_msg_value(invite, SIP_HDR_FROM), &from) < 0 ||
	    leg_party_text(sip_msg_value(invite, SIP_HDR_TO), &to) < 0)
		return error_set(err, -EBADMSG, "From or To is unusable");
	if (br->own)
		r = own_route(b->cm, OWN_REDIRECT, redirect_served(b), &routes, &spec.flow);
	else
		remaining_routes(invite, &routes);
	if (r < 0)
		return error_set(err, r, "no way to the session manager");
	if (!buf_ok(&from) || !buf_ok(&to) || !buf_ok(&routes))
		return error_set(err, -ENOMEM, "out of memory");

	spec.local = buf_slice(&from);
	spec.remote = buf_slice(&to);
	spec.routes = buf_slice(&routes);
	spec.target = slice_str(br->own ? br->own->target : b->target);
	return sip_dialog_new_uac(b->cm->stack, &spec, &b2bua_down_handlers, &b->down_leg[0],
				  &br->base, err);
}

/* The dialog that the INVITE goes out in: one that is lent, that of a try before, or a new one. */
static int branch_base(struct b2bua_branch *br, const struct sip_msg *invite, struct error *err)
{
	struct b2bua_half *b = br->owner;

	if (!invite && !transfer_is_on(b))
		return error_set(err, -ENOTCONN, "nobody asks for it any more");
	if (b->lender)
		return join_lend(br) ? 0
				     : error_set(err, -ENOTCONN, "the side that stays has left");
	if (br->base)
		return 0;
	return invite ? branch_dialog(b, br, invite, err) : transfer_dialog(br, err);
}

int b2bua_branch_send(struct b2bua_branch *br, struct error *err)
{
	struct b2bua_half *b = br->owner;
	/* None in a half that we made for the target of a transfer. */
	const struct sip_msg *invite = b->up_txn ? sip_server_txn_request(b->up_txn) : NULL;
	AUTO_BUF headers = { 0 };
	struct sip_extra extra = { 0 };
	struct sip_cseq cseq;
	int r;

	r = branch_base(br, invite, err);
	if (r < 0)
		return r;
	if (invite)
		invite_headers(br, invite, &headers);
	else
		transfer_headers(b, &headers);
	if (b->lender)
		session_keep(b->lender, b->lender_up, &headers);
	else
		session_propose(b, br->least_s, &headers);
	if (!buf_ok(&headers))
		return error_set(err, -ENOMEM, "out of memory");
	extra.headers = buf_slice(&headers);
	if (invite) {
		extra.content_type = sip_msg_value(invite, SIP_HDR_CONTENT_TYPE);
		extra.body = invite->body;
	}
	session_tell(b, false, br->base, &extra);
	br->told = *sip_dialog_told(br->base);
	r = sip_dialog_request(br->base, SLICE("INVITE"), &extra, NULL, &b2bua_branch_handlers, br,
			       &br->txn, err);
	if (r < 0)
		return r;
	if (sip_msg_cseq(sip_client_txn_request(br->txn), &cseq) == 0)
		br->cseq = cseq.number;
	return 0;
}

static void guard_start(struct b2bua_half *b)
{
	const struct cm_options *o = b->cm->options;

	/* One that we made rings a phone, too. */
	loop_timer_start(b->cm->loop, &b->guard,
			 1000ULL * (b->half.phase == HALF_IMSTERM || !b->up_txn ? o->no_answer_s
										: o->setup_s),
			 guard_fired);
}

int b2bua_branch_add(struct b2bua_half *b, struct own_invite *own, struct error *err)
{
	struct b2bua_branch *br;
	int number, r;

	number = fork_branch_add(&b->half.forks);
	if (number < 0) {
		own_invite_free(own);
		return error_set(err, number, "too many branches");
	}
	br = &b->branches[number];
	*br = (struct b2bua_branch){ .owner = b, .number = (uint8_t)number, .own = own };
	guard_start(b);
	r = b2bua_branch_send(br, err);
	if (r < 0)
		(void)fork_reject(&b->half.forks, (unsigned)number, 500);
	return r;
}

void b2bua_port_send_on(struct half *h)
{
	struct b2bua_half *b = b2bua_of(h);
	struct error err = { 0 };
	int r;

	show_line(b, LINE_TRYING, -1);
	r = b2bua_branch_add(b, NULL, &err);
	if (r < 0) {
		b2bua_not_sent(b->cm, r, &err);
		b->final = (struct half_final){ .status = 500, .reason = "Next hop unreachable" };
		(void)fsm_step(&h->fsm, HALF_EV_REJECT, &b->final);
	}
}

/* -- answers upstream ------------------------------------------------------------------ */

static void answer_headers(const struct b2bua_half *b, const struct sip_msg *msg, enum leg_way way,
			   struct buf *out)
{
	leg_header_copy(msg, way, out);
	(void)sip_build_header(out, SIP_HDR_AV_GLOBAL_SESSION_ID, slice_str(b->half.call->gsid));
	(void)sip_build_header(out, SIP_HDR_ALLOW, SLICE(CM_ALLOW));
	(void)sip_build_header(out, SIP_HDR_SUPPORTED, SLICE(CM_SUPPORTED));
}

static void port_refuse(struct half *h, const struct half_final *final)
{
	struct b2bua_half *b = b2bua_of(h);
	const struct buf *kept = final->message;
	AUTO_BUF headers = { 0 };
	struct sip_extra extra = { 0 };
	int r;

	if (!b->up_txn)
		return;
	if (kept)
		buf_add_slice(&headers, buf_slice(kept));
	else if (final->reason)
		(void)sip_build_headerf(&headers, SIP_HDR_WARNING, "399 cm \"%s\"", final->reason);
	if (h->call)
		(void)sip_build_header(&headers, SIP_HDR_AV_GLOBAL_SESSION_ID,
				       slice_str(h->call->gsid));
	if (buf_ok(&headers))
		extra.headers = buf_slice(&headers);
	if (kept && final->reason)
		extra.reason_phrase = slice_str(final->reason);
	r = sip_server_txn_reply(b->up_txn, final->status, &extra);
	if (r < 0)
		log_failure(LOG_LEVEL_WARNING, "call.refusal_not_sent", r, NULL);
}

void b2bua_drop_up(struct b2bua_half *b, int i)
{
	if (!b->up[i])
		return;
	b->up_told = *sip_dialog_told(b->up[i]);
	relay_end_dialog(b, b->up[i]);
	b->up[i] = sip_dialog_free(b->up[i]);
}

/* An INVITE that came with a To-tag (digits after off-hook) has no room for a second dialog: the first
 * fork has it, and the others nothing until one of them answers. */
static struct sip_dialog *up_dialog_fixed(struct b2bua_half *b, int i, struct slice tag,
					  bool answers)
{
	struct error err = { 0 };
	int r;

	for (int k = 0; k < FORK_EARLY_MAX; k++) {
		if (b->up[k] && !answers)
			return NULL;
		b2bua_drop_up(b, k);
	}
	r = sip_server_txn_set_tag(b->up_txn, tag);
	if (r == 0)
		r = sip_dialog_new_uas(b->cm->stack, b->up_txn, slice_make(NULL, 0),
				       &b2bua_up_handlers, &b->up_leg[i], &b->up[i], &err);
	if (r < 0)
		log_failure(LOG_LEVEL_WARNING, "call.no_dialog", r, &err);
	else
		*sip_dialog_told(b->up[i]) = b->up_told; /* to the caller it is the same one */
	return b->up[i];
}

/* The dialog upstream that stands for a fork below; answers: that one has won. */
static struct sip_dialog *up_dialog(struct b2bua_half *b, int i, bool answers)
{
	struct slice fixed;
	char tag[SIP_TAG_LEN];
	struct error err = { 0 };
	int r;

	if (b->up[i] || !b->up_txn)
		return b->up[i];
	fixed = sip_msg_to_tag(sip_server_txn_request(b->up_txn));
	if (fixed.len > 0)
		return up_dialog_fixed(b, i, fixed, answers);
	/* The transaction's tag would be the same for all of them. */
	sip_stack_tag(tag);
	r = sip_server_txn_set_tag(b->up_txn, slice_str(tag));
	if (r == 0)
		r = sip_dialog_new_uas(b->cm->stack, b->up_txn, slice_make(NULL, 0),
				       &b2bua_up_handlers, &b->up_leg[i], &b->up[i], &err);
	if (r < 0)
		log_failure(LOG_LEVEL_WARNING, "call.no_dialog", r, &err);
	return b->up[i];
}

static void pass_up(struct b2bua_half *b, const struct half_reply *reply, enum leg_way way)
{
	const struct b2bua_answer *answer = reply->message;
	const struct sip_msg *msg = answer->in->msg;
	struct sip_dialog *dialog = up_dialog(b, reply->early, way == LEG_WAY_ANSWER);
	struct sip_told told;
	AUTO_BUF headers = { 0 };
	struct sip_extra extra = { 0 };
	int r;

	if (!dialog || !b->up_txn)
		return;
	answer_headers(b, msg, way, &headers);
	if (way == LEG_WAY_ANSWER)
		session_answer(b, true, sip_server_txn_request(b->up_txn), &headers);
	if (buf_ok(&headers))
		extra.headers = buf_slice(&headers);
	extra.content_type = sip_msg_value(msg, SIP_HDR_CONTENT_TYPE);
	extra.body = msg->body;
	extra.reason_phrase = msg->reason;
	if (way == LEG_WAY_ANSWER)
		prack_complete(b, reply->early, &extra);
	told = *sip_dialog_told(dialog);
	session_tell(b, true, dialog, &extra);
	/* A description does not overtake one that waits for its turn. */
	if (way == LEG_WAY_PROGRESS && (prack_wanted(b, answer->reliable) ||
					(extra.body.len > 0 && sip_reliable_holds(dialog))))
		r = sip_reliable_reply(dialog, b->up_txn, msg->status, &extra);
	else
		r = sip_dialog_reply(dialog, b->up_txn, msg->status, &extra);
	if (r < 0) {
		*sip_dialog_told(dialog) = told;
		log_failure(LOG_LEVEL_WARNING, "call.answer_not_sent", r, NULL);
	}
}

static void port_progress(struct half *h, const struct half_reply *reply)
{
	const struct b2bua_answer *answer = reply->message;

	b2bua_note_contact(&h->down, answer->in->msg);
	pass_up(b2bua_of(h), reply, LEG_WAY_PROGRESS);
	show_line(b2bua_of(h), LINE_EARLY, reply->early);
}

static void port_answer(struct half *h, const struct half_reply *reply)
{
	struct b2bua_half *b = b2bua_of(h);
	const struct b2bua_answer *answer = reply->message;

	audit_start(b);
	b2bua_note_contact(&h->down, answer->in->msg);
	session_agreed(b, false, answer->in->msg);
	pass_up(b, reply, LEG_WAY_ANSWER);
	for (int i = 0; i < FORK_EARLY_MAX; i++) {
		if (i != reply->early)
			b2bua_drop_up(b, i);
	}
	show_line(b, LINE_CONFIRMED, reply->early);
}

/* -- downstream ------------------------------------------------------------------------ */

static struct b2bua_branch *branch_of_base(struct b2bua_half *b, const struct sip_dialog *dialog)
{
	for (unsigned i = 0; i < FORK_BRANCH_MAX; i++) {
		if (dialog && b->branches[i].base == dialog)
			return &b->branches[i];
	}
	return NULL;
}

static struct sip_dialog *winner_down(const struct b2bua_half *b)
{
	return b->half.forks.winner >= 0 ? b->down[b->half.forks.winner] : NULL;
}

static void port_ack(struct half *h, const void *message)
{
	struct b2bua_half *b = b2bua_of(h);
	const struct sip_incoming *in = message;
	const struct fork_early *early = &h->forks.early[h->forks.winner];
	struct sip_extra extra = { 0 };
	int r;

	if (!winner_down(b))
		return;
	if (in) {
		extra.content_type = sip_msg_value(in->msg, SIP_HDR_CONTENT_TYPE);
		extra.body = in->msg->body;
		session_tell(b, false, winner_down(b), &extra);
		(void)operation_raise(b, ENGINE_ANSWERED);
	}
	r = sip_dialog_ack(winner_down(b), b->branches[early->branch].cseq, &extra);
	if (r < 0)
		log_failure(LOG_LEVEL_WARNING, "call.ack_not_sent", r, NULL);
}

static void bye_ended(void *user, struct sip_client_txn *txn)
{
	struct b2bua_half *b = user;

	b->byes--;
	b2bua_tidy(b);
}

static void bye_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
}

static void bye_failed(void *user, struct sip_client_txn *txn, int reason)
{
}

static const struct sip_client_handlers bye_handlers = {
	.response = bye_response,
	.failed = bye_failed,
	.ended = bye_ended,
};

/* What ends the call says why. */
static struct sip_extra farewell(const struct b2bua_half *b)
{
	return (struct sip_extra){ .headers = buf_slice(&b->reason) };
}

/* BYE in a dialog below. The one that an open INVITE hangs on is kept: late answers need it. */
static void bye_dialog(struct b2bua_half *b, struct sip_dialog *dialog)
{
	struct b2bua_branch *br = branch_of_base(b, dialog);
	struct sip_extra extra = farewell(b);

	if (br && br->txn) {
		if (sip_dialog_request(dialog, SLICE("BYE"), &extra, NULL, &bye_handlers, b, NULL,
				       NULL) == 0)
			b->byes++;
		return;
	}
	relay_end_dialog(b, dialog);
	if (br)
		br->base = NULL;
	for (unsigned i = 0; i < FORK_EARLY_MAX; i++) {
		if (b->down[i] == dialog)
			b->down[i] = NULL;
	}
	sip_dialog_bye(dialog, &extra);
}

void b2bua_port_extra(struct half *h, const struct half_reply *reply)
{
	struct b2bua_half *b = b2bua_of(h);
	const struct b2bua_answer *answer = reply->message;

	(void)sip_dialog_ack(answer->dialog, answer->branch->cseq, NULL);
	bye_dialog(b, answer->dialog);
}

void b2bua_port_cancel(struct half *h)
{
	struct b2bua_half *b = b2bua_of(h);

	for (unsigned i = 0; i < h->forks.branch_count; i++) {
		if (b->branches[i].txn && h->forks.branches[i].open)
			sip_client_txn_cancel(b->branches[i].txn, buf_slice(&b->reason));
	}
}

void b2bua_port_bye_up(struct half *h)
{
	struct b2bua_half *b = b2bua_of(h);
	struct sip_dialog **slot = h->forks.winner >= 0 ? &b->up[h->forks.winner] : NULL;
	struct sip_extra extra = farewell(b);

	if (slot && *slot && !b->engine.left[true])
		sip_dialog_bye(TAKE(*slot), &extra);
}

void b2bua_port_bye_down(struct half *h)
{
	struct b2bua_half *b = b2bua_of(h);

	if (winner_down(b) && !b->engine.left[false])
		bye_dialog(b, winner_down(b));
}

void b2bua_bye_side(struct b2bua_half *b, bool up)
{
	struct sip_extra extra = farewell(b);

	if (!up && winner_down(b))
		bye_dialog(b, winner_down(b));
	else if (up && b->half.forks.winner >= 0 && b->up[b->half.forks.winner])
		sip_dialog_bye(TAKE(b->up[b->half.forks.winner]), &extra);
}

void b2bua_line_idle(struct b2bua_half *b)
{
	show_line(b, LINE_IDLE, -1);
}

/* -- the end --------------------------------------------------------------------------- */

static void put_record(struct cm *cm, json_t *record)
{
	int r = record ? record_put(node_records(cm->node), record) : -ENOMEM;

	if (r < 0) {
		metric_add(cm->metrics, CM_RECORDS_LOST, 1);
		log_failure(LOG_LEVEL_ERROR, "record.lost", r, NULL);
	}
}

static void count_result(struct cm *cm, enum half_result result)
{
	static const enum cm_metric by_result[] = {
		[HALF_RESULT_NONE] = CM_HALVES_FAILED,
		[HALF_RESULT_ANSWERED] = CM_HALVES_ANSWERED,
		[HALF_RESULT_BUSY] = CM_HALVES_BUSY,
		[HALF_RESULT_NO_ANSWER] = CM_HALVES_NO_ANSWER,
		[HALF_RESULT_CANCELLED] = CM_HALVES_CANCELLED,
		[HALF_RESULT_FAILED] = CM_HALVES_FAILED,
	};

	metric_add(cm->metrics, by_result[result], 1);
}

static void port_over(struct half *h)
{
	struct b2bua_half *b = b2bua_of(h);
	struct cm *cm = b->cm;

	loop_timer_stop(cm->loop, &b->guard);
	audit_stop(b);
	relay_end_all(b);
	session_stop(b);
	side_stop(b);
	(void)operation_raise(b, ENGINE_ENDED);
	transfer_forget(b);
	operation_free_line(b);
	count_result(cm, h->result);
	if (!h->call)
		return;
	put_record(cm, call_half_record(h));
	if (call_note_over(h->call, h))
		put_record(cm, call_record(h->call));
}

/* A half is freed from the loop: whoever ended it may still be working in it. */
static void reaper_fired(struct timer *timer)
{
	b2bua_reap(CONTAINER_OF(timer, struct cm, reaper));
}

void b2bua_port_ended(struct half *h)
{
	struct b2bua_half *b = b2bua_of(h);

	join_give_back(b);
	list_remove(&b->link);
	list_append(&b->cm->dead, &b->link);
	loop_timer_start(b->cm->loop, &b->cm->reaper, 0, reaper_fired);
}

const struct half_port b2bua_port = {
	.send_on = b2bua_port_send_on,
	.refuse = port_refuse,
	.pass_progress = port_progress,
	.pass_answer = port_answer,
	.pass_ack = port_ack,
	.drop_extra = b2bua_port_extra,
	.cancel_down = b2bua_port_cancel,
	.bye_up = b2bua_port_bye_up,
	.bye_down = b2bua_port_bye_down,
	.over = port_over,
	.ended = b2bua_port_ended,
};
