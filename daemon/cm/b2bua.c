/* SPDX-License-Identifier: Apache-2.0 */
/* b2bua.c - life of a half on the wire and the answers that come from below. */
#include "cm/b2bua.h"

#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "cm/cm_options.h"
#include "cm/join.h"
#include "cm/leg_header.h"
#include "cm/own_invite.h"
#include "cm/prack.h"
#include "cm/redirect.h"
#include "cm/side.h"
#include "cm/transfer.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "node/uc_model.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

#define BEST_HEADERS_MAX 8192
#define REASON_MAX 1024

struct b2bua_half *b2bua_of(struct half *h)
{
	return CONTAINER_OF(h, struct b2bua_half, half);
}

int64_t cm_wall_ms(const struct cm *cm)
{
	return clock_wall(loop_clock(cm->loop));
}

bool b2bua_step(struct b2bua_half *b, enum half_event event, const void *arg)
{
	bool taken = half_step(&b->half, event, arg, cm_wall_ms(b->cm));

	/* Nobody waits for the PRACK any more: what was answered is hung up. */
	if (b->held && half_state(&b->half) != HALF_RINGING)
		prack_resume(b);
	b2bua_tidy(b);
	return taken;
}

void b2bua_note_reason(struct b2bua_half *b, const struct sip_msg *msg)
{
	buf_reset(&b->reason);
	b->reason.limit = REASON_MAX;
	sip_build_copy(&b->reason, msg, SIP_HDR_REASON);
	if (!buf_ok(&b->reason))
		buf_reset(&b->reason);
}

/* -- upstream ------------------------------------------------------------------------ */

static void up_cancel(void *user, struct sip_server_txn *txn, const struct sip_incoming *cancel)
{
	b2bua_note_reason(user, cancel->msg);
	(void)b2bua_step(user, HALF_EV_CANCEL, NULL);
}

static void up_ended(void *user, struct sip_server_txn *txn, int reason)
{
	struct b2bua_half *b = user;

	b->up_txn = NULL;
	/* The caller cannot be told anything any more: why should a phone go on ringing? */
	if (reason != 0 && half_state(&b->half) < HALF_ANSWERED && !b->half.fsm.busy)
		b2bua_release(b, 500, NULL);
	else
		b2bua_tidy(b);
}

static const struct sip_server_handlers up_txn_handlers = {
	.cancel = up_cancel,
	.ended = up_ended,
};

static void leg_request(void *user, struct sip_dialog *dialog, const struct sip_incoming *in)
{
	relay_request(user, dialog, in);
}

static void leg_ack(void *user, struct sip_dialog *dialog, const struct sip_incoming *in)
{
	struct b2bua_leg *leg = user;

	if (!relay_ack(leg, dialog, in) && leg->up)
		(void)b2bua_step(leg->owner, HALF_EV_ACK, in);
}

static void leg_no_ack(void *user, struct sip_dialog *dialog)
{
	struct b2bua_leg *leg = user;

	b2bua_release(leg->owner, 408, "No ACK");
}

static void leg_no_prack(void *user, struct sip_dialog *dialog)
{
	struct b2bua_leg *leg = user;

	b2bua_release(leg->owner, 504, "No PRACK");
}

const struct sip_dialog_handlers b2bua_up_handlers = {
	.request = leg_request,
	.ack = leg_ack,
	.no_ack = leg_no_ack,
	.no_prack = leg_no_prack,
};

const struct sip_dialog_handlers b2bua_down_handlers = {
	.request = leg_request,
	.ack = leg_ack,
	.no_ack = leg_no_ack,
};

/* -- life ---------------------------------------------------------------------------- */

static struct b2bua_half *half_alloc(struct cm *cm, enum half_phase phase,
				     const struct half_port *port)
{
	struct b2bua_half *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	half_init(&b->half, phase, port, cm_wall_ms(cm));
	list_init(&b->relays);
	buf_init(&b->best_headers, BEST_HEADERS_MAX);
	b->cm = cm;
	for (unsigned i = 0; i < FORK_EARLY_MAX; i++) {
		b->up_leg[i] = (struct b2bua_leg){ .owner = b, .index = (uint8_t)i, .up = true };
		b->down_leg[i] = (struct b2bua_leg){ .owner = b, .index = (uint8_t)i };
	}
	return b;
}

static bool wants_privacy(const struct sip_msg *invite)
{
	struct slice value = sip_msg_value(invite, SIP_HDR_PRIVACY);

	return value.len > 0 && !slice_eq_str_nocase(value, "none");
}

int b2bua_new(struct cm *cm, const struct sip_incoming *in, enum half_phase phase,
	      struct b2bua_half **ret)
{
	struct b2bua_half *b = half_alloc(cm, phase, &b2bua_port);
	int r;

	if (!b)
		return -ENOMEM;
	r = sip_server_txn_new(cm->stack, in, &up_txn_handlers, b, &b->up_txn);
	if (r < 0) {
		free(b);
		return r;
	}
	prack_begin(b);
	session_begin(b);
	b->private = wants_privacy(in->msg);
	b2bua_note_contact(&b->half.up, in->msg);
	list_append(&cm->halves, &b->link);
	*ret = b;
	return 0;
}

int b2bua_new_own(struct cm *cm, enum half_phase phase, const struct half_port *port,
		  struct b2bua_half **ret)
{
	struct b2bua_half *b = half_alloc(cm, phase, port);

	if (!b)
		return -ENOMEM;
	session_begin(b);
	list_append(&cm->halves, &b->link);
	*ret = b;
	return 0;
}

static void refuse(struct b2bua_half *b, unsigned status, const char *reason)
{
	b->final = (struct half_final){ .status = status, .reason = reason };
	(void)b2bua_step(b, HALF_EV_REFUSE, &b->final);
}

/* The Request-URI of the INVITE that goes on; the one that came unless somebody else is meant. */
static char *target_uri(const struct b2bua_half *b, const struct service_verdict *v)
{
	const struct sip_msg *invite = sip_server_txn_request(b->up_txn);
	AUTO_BUF out = { 0 };
	struct sip_uri uri;

	if (!v->retarget || !v->target)
		return slice_dup(invite->uri);
	if (sip_msg_request_uri(invite, &uri) == 0 &&
	    sip_uri_user_is(&uri, slice_str(v->target->handle)) &&
	    slice_eq_str_nocase(uri.host, uc_model_domain(node_model(b->cm->node))))
		return slice_dup(invite->uri);

	/* What came for a sips: URI goes to no other (RFC 5630 section 5.1.1). */
	buf_add_str(&out, slice_starts_with_nocase(invite->uri, SLICE("sips:")) ? "sips:" : "sip:");
	(void)sip_escape_user(&out, slice_str(v->target->handle));
	buf_add_char(&out, '@');
	buf_add_str(&out, uc_model_domain(node_model(b->cm->node)));
	return buf_take_str(&out);
}

static int seize(struct b2bua_half *b, const struct uc_station *station)
{
	struct half *h = &b->half;
	int r;

	/* An appearance that was reserved off-hook is the call's already. */
	if (!station || h->appearance > 0)
		return 0;
	r = appearance_seize(&b->cm->appearances, slice_str(station->handle), station->appearances,
			     station->restrict_last_appearance,
			     h->phase == HALF_IMSORIG ? APPEARANCE_OUTGOING : APPEARANCE_INCOMING);
	if (r < 0)
		return r;
	(void)slice_copy(slice_str(station->handle), h->station, sizeof(h->station));
	h->appearance = r;
	return 0;
}

void b2bua_start(struct b2bua_half *b, const struct service_verdict *v)
{
	struct half *h = &b->half;
	int r;

	memcpy(h->caller, v->caller, sizeof(h->caller));
	memcpy(h->callee, v->callee, sizeof(h->callee));
	b->class = v->class;
	if (v->status) {
		refuse(b, v->status, v->reason);
		return;
	}
	r = seize(b, v->station);
	if (r < 0) {
		refuse(b, r == -EBUSY ? 486 : 500, NULL);
		return;
	}
	b->target = target_uri(b, v);
	if (!b->target) {
		refuse(b, 500, NULL);
		return;
	}
	(void)b2bua_step(b, HALF_EV_ADMIT, NULL);
}

void b2bua_start_own(struct b2bua_half *b, const struct service_verdict *v)
{
	memcpy(b->half.caller, v->caller, sizeof(b->half.caller));
	memcpy(b->half.callee, v->callee, sizeof(b->half.callee));
	b->class = v->class;
	if (v->status || !b->target)
		refuse(b, v->status ? v->status : 500, v->reason);
	else
		(void)b2bua_step(b, HALF_EV_ADMIT, NULL);
}

void b2bua_release(struct b2bua_half *b, unsigned status, const char *reason)
{
	b->final = (struct half_final){ .status = status, .reason = reason };
	(void)b2bua_step(b, HALF_EV_RELEASE, &b->final);
}

void b2bua_abandon(struct b2bua_half *b)
{
	struct half *h = &b->half;

	if (h->ended_at)
		return;
	if (h->answered_at) {
		h->ended_at = cm_wall_ms(b->cm);
		h->port->over(h);
	} else {
		b2bua_release(b, 500, "Server is stopping");
	}
}

/* Whatever is still there belongs to the stack from now on, which finishes it alone. */
void b2bua_discard(struct b2bua_half *b)
{
	loop_timer_stop(b->cm->loop, &b->guard);
	audit_stop(b);
	session_stop(b);
	side_stop(b);
	relay_end_all(b);
	join_give_back(b);
	transfer_forget(b);
	buf_done(&b->own_lines);
	free(b->redirected);
	buf_done(&b->reason);
	for (unsigned i = 0; i < FORK_BRANCH_MAX; i++) {
		struct b2bua_branch *br = &b->branches[i];

		if (br->txn)
			sip_client_txn_detach(br->txn);
		for (unsigned k = 0; k < FORK_EARLY_MAX; k++) {
			if (b->down[k] == br->base)
				b->down[k] = NULL;
		}
		own_invite_free(br->own);
		sip_dialog_free(br->base);
	}
	for (unsigned i = 0; i < FORK_EARLY_MAX; i++) {
		sip_dialog_free(b->down[i]);
		sip_dialog_free(b->up[i]);
	}
	if (b->up_txn)
		sip_server_txn_detach(b->up_txn);
	prack_forget(b, -1);
	call_remove_half(&b->cm->calls, &b->half);
	list_remove(&b->link);
	buf_done(&b->best_headers);
	free(b->target);
	free(b);
}

void b2bua_reap(struct cm *cm)
{
	struct b2bua_half *b;

	LIST_FOREACH (b, &cm->dead, struct b2bua_half, link)
		b2bua_discard(b);
	metric_set(cm->metrics, CM_CALLS, (int64_t)cm->calls.by_gsid.count);
}

void b2bua_tidy(struct b2bua_half *b)
{
	enum half_state state = half_state(&b->half);

	if (b->half.fsm.busy || (state != HALF_CANCELLING && state != HALF_CLEARING))
		return;
	if (b->byes > 0)
		return;
	for (unsigned i = 0; i < FORK_BRANCH_MAX; i++) {
		if (b->branches[i].txn)
			return;
	}
	(void)half_step(&b->half, HALF_EV_CLEARED, NULL, cm_wall_ms(b->cm));
}

void b2bua_note_contact(struct leg *leg, const struct sip_msg *msg)
{
	struct sip_addr contact;

	if (sip_msg_contact(msg, &contact) == 0 && !contact.wildcard)
		(void)slice_copy(slice_sub(contact.uri.text, 0, sizeof(leg->contact) - 1),
				 leg->contact, sizeof(leg->contact));
}

/* -- answers from below -------------------------------------------------------------- */

static struct slice answer_tag(const struct sip_incoming *in)
{
	return sip_msg_to_tag(in->msg);
}

/* The place of a dialog below: a new one brings its dialog along. */
static void place_dialog(struct b2bua_half *b, int i, struct sip_dialog *dialog)
{
	struct sip_dialog *old = b->down[i];
	bool is_base = false;

	if (old == dialog)
		return;
	for (unsigned k = 0; k < FORK_BRANCH_MAX; k++)
		is_base = is_base || (old && b->branches[k].base == old);
	relay_end_dialog(b, old);
	if (!is_base)
		sip_dialog_free(old);
	b->down[i] = dialog;
	prack_forget(b, i);
	sip_dialog_set_user(dialog, &b2bua_down_handlers, &b->down_leg[i]);
	/* The place was another fork's: its dialog upstream goes too. */
	if (old)
		b2bua_drop_up(b, i);
}

/* The dialog of an answer, as sip_dialog_response(). A new one has heard what all of them have. */
static int branch_response(struct b2bua_branch *br, const struct sip_msg *msg,
			   struct sip_dialog **ret)
{
	int made = sip_dialog_response(br->base, msg, ret);

	if (made == 1)
		*sip_dialog_told(*ret) = br->told;
	return made;
}

static void take_progress(struct b2bua_branch *br, const struct sip_incoming *in)
{
	struct b2bua_half *b = br->owner;
	struct sip_dialog *dialog = NULL;
	struct b2bua_answer answer;
	struct half_reply reply;
	int made, i, reliable;

	/* A re-INVITE on the callee's side is no ringing. */
	if (b->lender)
		return;
	/* 100 is for one hop; without a tag there is no dialog to put it in. */
	if (in->msg->status == 100 || answer_tag(in).len == 0)
		return;
	made = branch_response(br, in->msg, &dialog);
	if (made < 0)
		return;
	i = fork_early_get(&b->half.forks, br->number, answer_tag(in));
	if (i < 0) {
		if (made == 1)
			sip_dialog_free(dialog);
		return;
	}
	place_dialog(b, i, dialog);
	if (sip_msg_has_token(in->msg, SIP_HDR_ALLOW, SLICE("UPDATE")))
		b->early[i].updates = true;
	reliable = prack_received(br, i, dialog, in->msg);
	if (reliable < 0)
		return;
	answer = (struct b2bua_answer){
		.in = in, .dialog = dialog, .branch = br, .reliable = reliable > 0
	};
	reply = (struct half_reply){ .early = i, .status = in->msg->status, .message = &answer };
	(void)b2bua_step(b, HALF_EV_PROGRESS, &reply);
}

void b2bua_take_answer(struct b2bua_branch *br, const struct sip_incoming *in)
{
	struct b2bua_half *b = br->owner;
	struct fork_set *forks = &b->half.forks;
	struct sip_dialog *dialog = NULL;
	struct b2bua_answer answer;
	struct half_reply reply;
	int made, i;

	made = branch_response(br, in->msg, &dialog);
	if (made < 0) {
		log_warning("call.answer_unusable", F("gsid", b->half.call->gsid),
			    F("error", made));
		return;
	}
	/* A retransmission: its ACK is sent again, if it had one already. */
	if (sip_dialog_is_acked(dialog, in->msg))
		return;
	if (forks->winner >= 0 && (b->down[forks->winner] == dialog || b->lender))
		return;
	if (b->lender && half_state(&b->half) > HALF_RINGING) {
		join_crossed(br, in);
		return;
	}
	if (prack_hold(br, in))
		return;

	i = fork_answer(forks, br->number, answer_tag(in));
	/* A target half keeps what it has borrowed until the other side has answered, too. */
	if (i >= 0 && !(b->lender && b->target_of)) {
		place_dialog(b, i, dialog);
		join_settle(b);
	}
	answer = (struct b2bua_answer){ .in = in, .dialog = dialog, .branch = br };
	reply = (struct half_reply){ .early = i, .status = in->msg->status, .message = &answer };
	(void)b2bua_step(b, i >= 0 ? HALF_EV_ANSWER : HALF_EV_EXTRA, &reply);
}

/* Keep what goes upstream of the best refusal: its message is gone when the last branch closes. */
static void keep_best(struct b2bua_half *b, const struct sip_msg *msg)
{
	buf_reset(&b->best_headers);
	b->best_reason[0] = '\0';
	if (!msg)
		return;
	leg_header_copy(msg, LEG_WAY_REFUSAL, &b->best_headers);
	if (leg_status_pass(msg->status) == msg->status)
		(void)slice_copy(slice_sub(msg->reason, 0, sizeof(b->best_reason) - 1),
				 b->best_reason, sizeof(b->best_reason));
}

static void take_refusal(struct b2bua_branch *br, unsigned status, const struct sip_msg *msg)
{
	struct b2bua_half *b = br->owner;

	if (fork_reject(&b->half.forks, br->number, status)) {
		keep_best(b, msg);
		redirect_keep(b, msg);
	}
	if (!fork_all_closed(&b->half.forks) || redirect_follow(b))
		return;
	b->final = (struct half_final){
		.status = leg_status_pass(fork_best_status(&b->half.forks)),
		.reason = b->best_reason[0] ? b->best_reason : NULL,
		.message = &b->best_headers,
	};
	(void)b2bua_step(b, HALF_EV_REJECT, &b->final);
}

/* 422: the same INVITE with the interval that is asked for (RFC 4028 section 7.3), once. */
static bool asked_again(struct b2bua_branch *br, struct sip_client_txn *txn,
			const struct sip_msg *msg)
{
	struct b2bua_half *b = br->owner;
	struct session_words words;
	struct error err = { 0 };
	int r;

	session_read(msg, &words);
	if (msg->status != 422 || br->least_s || half_state(&b->half) > HALF_RINGING ||
	    sip_dialog_state(br->base) != SIP_DIALOG_TRYING)
		return false;
	br->least_s = words.least_s;
	sip_client_txn_detach(txn);
	br->txn = NULL;
	r = b2bua_branch_send(br, &err);
	if (r < 0)
		b2bua_not_sent(br->owner->cm, r, &err);
	return r == 0;
}

static void acknowledge_again(const struct b2bua_branch *br, const struct sip_msg *msg)
{
	struct sip_dialog *dialog = sip_dialog_find(br->owner->cm->stack, sip_msg_call_id(msg),
						    sip_msg_from_tag(msg), sip_msg_to_tag(msg));

	if (dialog)
		(void)sip_dialog_is_acked(dialog, msg);
}

static void down_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct b2bua_branch *br = user;

	/* Its dialog went to another half (join.c): a copy of an answer from before. */
	if (!br->base) {
		acknowledge_again(br, in->msg);
		return;
	}
	if (in->msg->status < 200)
		take_progress(br, in);
	else if (in->msg->status < 300)
		b2bua_take_answer(br, in);
	else if (!asked_again(br, txn, in->msg))
		take_refusal(br, in->msg->status, in->msg);
}

void b2bua_not_sent(struct cm *cm, int r, const struct error *err)
{
	uint64_t unlogged;

	if (log_limit_take(&cm->unsent_log, loop_now(cm->loop), &unlogged))
		log_warning("call.not_sent_on", F("errno", -r), F("reason", error_text(err, r)),
			    F("unlogged", unlogged));
}

static void down_failed(void *user, struct sip_client_txn *txn, int reason)
{
	struct b2bua_branch *br = user;
	struct cm *cm = br->owner->cm;
	uint64_t unlogged;

	if (log_limit_take(&cm->hop_log, loop_now(cm->loop), &unlogged))
		log_warning("call.next_hop_failed", F("gsid", br->owner->half.call->gsid),
			    F("phase", half_phase_name(br->owner->half.phase)),
			    F("error", strerrordesc_np(-reason)), F("unlogged", unlogged));
	take_refusal(br, reason == -ETIMEDOUT ? 408 : 500, NULL);
}

static void down_ended(void *user, struct sip_client_txn *txn)
{
	struct b2bua_branch *br = user;

	br->txn = NULL;
	b2bua_tidy(br->owner);
}

const struct sip_client_handlers b2bua_branch_handlers = {
	.response = down_response,
	.failed = down_failed,
	.ended = down_ended,
};
