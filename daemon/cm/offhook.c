/* SPDX-License-Identifier: Apache-2.0 */
/* offhook.c - lines that phones have reserved by going off-hook: 183, PUBLISH, then 484 once the digits
 * came in an INVITE of the same Call-ID and From tag, or 487 when they never do. */
#include "cm/offhook.h"

#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "cm/b2bua.h"
#include "cm/cm_options.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "node/metrics.h"
#include "node/node.h"
#include "node/node_sip.h"
#include "node/uc_model.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_reliable.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

#define LIMIT_LEAST_S 30
#define LIMIT_MOST_S 240

struct offhook {
	struct map_node node;
	struct cm *cm;
	struct sip_server_txn *txn; /* of the first INVITE */
	struct sip_dialog *dialog;
	struct timer limit;
	char *call_id, *station; /* station: its handle */
	int appearance;
	bool listed;
};

static bool says_offhook(const struct sip_uri *uri)
{
	struct slice value;

	return sip_uri_param(uri, SLICE("avaya-cm-fnu"), &value) &&
	       slice_eq_str_nocase(value, "off-hook");
}

bool offhook_is(const struct sip_msg *msg)
{
	struct sip_addr to;
	struct sip_uri uri;

	if (msg->method != SIP_INVITE)
		return false;
	return (sip_msg_request_uri(msg, &uri) == 0 && says_offhook(&uri)) ||
	       (sip_msg_to(msg, &to) == 0 && says_offhook(&to.uri));
}

/* -- the end ---------------------------------------------------------------------------- */

static void offhook_free(struct offhook *o)
{
	loop_timer_stop(o->cm->loop, &o->limit);
	if (o->appearance > 0) {
		appearance_release(&o->cm->appearances, slice_str(o->station), o->appearance);
		line_set(o->cm, slice_str(o->station), o->appearance, NULL);
	}
	if (o->txn)
		sip_server_txn_detach(o->txn);
	sip_dialog_free(o->dialog);
	if (o->listed)
		(void)map_remove(&o->cm->offhooks, &o->node);
	free(o->call_id);
	free(o->station);
	free(o);
}

static void finish(struct offhook *o, unsigned status, struct slice headers)
{
	const struct sip_extra extra = { .headers = headers };

	if (o->txn && o->dialog)
		(void)sip_dialog_reply(o->dialog, o->txn, status, &extra);
	offhook_free(o);
}

void offhook_hand_over(struct offhook *o, struct b2bua_half *b)
{
	(void)slice_copy(slice_str(o->station), b->half.station, sizeof(b->half.station));
	b->half.appearance = o->appearance;
	o->appearance = 0;
	finish(o, 484, SLICE(""));
}

void offhook_end_all(struct cm *cm)
{
	struct map_iter it;
	struct map_node *node;

	MAP_FOREACH (node, &cm->offhooks, &it) {
		struct offhook *o = MAP_ENTRY(node, struct offhook, node);

		o->appearance = 0; /* nobody is told about the line any more */
		finish(o, 487, SLICE(""));
	}
	map_done(&cm->offhooks);
}

/* -- while it lasts --------------------------------------------------------------------- */

static void limit_fired(struct timer *timer)
{
	struct offhook *o = CONTAINER_OF(timer, struct offhook, limit);

	log_info("line.reservation_ended", F("handle", (const char *)o->station),
		 F("line", o->appearance));
	finish(o, 487, SLICE("Reason: SIP;cause=487;text=\"Nothing was dialled\"\r\n"));
}

static void first_cancelled(void *user, struct sip_server_txn *txn,
			    const struct sip_incoming *cancel)
{
	finish(user, 487, SLICE(""));
}

static void first_ended(void *user, struct sip_server_txn *txn, int reason)
{
	struct offhook *o = user;

	o->txn = NULL;
	offhook_free(o);
}

static const struct sip_server_handlers first_handlers = {
	.cancel = first_cancelled,
	.ended = first_ended,
};

static void answer(struct offhook *o, const struct sip_incoming *in, unsigned status)
{
	struct sip_server_txn *txn;

	if (sip_server_txn_new(o->cm->stack, in, NULL, NULL, &txn) < 0)
		return;
	(void)sip_dialog_reply(o->dialog, txn, status, NULL);
	sip_server_txn_detach(txn);
}

static void dialog_request(void *user, struct sip_dialog *dialog, const struct sip_incoming *in)
{
	struct offhook *o = user;
	int r;

	switch (in->msg->method) {
	case SIP_INVITE:
		intake_dialled(o->cm, in);
		break;
	case SIP_BYE:
		answer(o, in, 200);
		finish(o, 487, SLICE(""));
		break;
	case SIP_OPTIONS:
		answer(o, in, 200);
		break;
	case SIP_PRACK:
		r = sip_reliable_take_prack(dialog, in->msg);
		answer(o, in, r == 0 ? 200 : r == -ENOENT ? 481 : 400);
		break;
	default:
		answer(o, in, 405);
		break;
	}
}

static void dialog_no_prack(void *user, struct sip_dialog *dialog)
{
	finish(user, 504, SLICE(""));
}

static const struct sip_dialog_handlers dialog_handlers = {
	.request = dialog_request,
	.no_prack = dialog_no_prack,
};

struct offhook *offhook_find(const struct cm *cm, const struct sip_msg *msg)
{
	struct map_node *node = map_get(&cm->offhooks, sip_msg_call_id(msg));

	for (; node; node = map_next_same(node)) {
		struct offhook *o = MAP_ENTRY(node, struct offhook, node);

		if (slice_eq(sip_dialog_remote_tag(o->dialog), sip_msg_from_tag(msg)))
			return o;
	}
	return NULL;
}

/* -- the beginning ---------------------------------------------------------------------- */

/* "Contact: <sip:...>;+avaya-cm-line=2": the appearance that the phone shows. 0: it does not say. */
static unsigned wanted_line(const struct sip_msg *msg)
{
	struct sip_addr contact;
	struct slice value;
	uint32_t line;

	if (sip_msg_contact(msg, &contact) < 0 ||
	    !sip_param_find(contact.params, SLICE("+avaya-cm-line"), &value) ||
	    slice_to_u32(value, &line) < 0)
		return 0;
	return line;
}

static uint32_t limit_of(const struct cm *cm, const struct sip_msg *msg)
{
	uint32_t seconds;

	if (sip_msg_expires(msg, &seconds) < 0)
		return cm->options->reserve_s;
	if (seconds < LIMIT_LEAST_S)
		return LIMIT_LEAST_S;
	return seconds > LIMIT_MOST_S ? LIMIT_MOST_S : seconds;
}

static int progress(struct offhook *o, const struct sip_msg *msg)
{
	AUTO_BUF headers = { 0 };
	struct sip_extra extra = { 0 };
	struct slice gsid = sip_msg_value(msg, SIP_HDR_AV_GLOBAL_SESSION_ID);

	sip_build_header(&headers, SIP_HDR_ALLOW, SLICE(CM_ALLOW));
	if (gsid.len > 0)
		sip_build_header(&headers, SIP_HDR_AV_GLOBAL_SESSION_ID, gsid);
	if (!buf_ok(&headers))
		return -ENOMEM;
	extra.headers = buf_slice(&headers);
	if (sip_msg_has_token(msg, SIP_HDR_REQUIRE, SLICE("100rel")))
		return sip_reliable_reply(o->dialog, o->txn, 183, &extra);
	return sip_dialog_reply(o->dialog, o->txn, 183, &extra);
}

static void show(struct offhook *o)
{
	struct line_dialog line = {
		.state = LINE_EARLY,
		.initiator = true,
		.call_id = sip_dialog_call_id(o->dialog),
		.local_tag = sip_dialog_remote_tag(o->dialog),
		.remote_tag = sip_dialog_local_tag(o->dialog),
	};

	if (line_watch(o->cm, slice_str(o->station)))
		line_set(o->cm, slice_str(o->station), o->appearance, &line);
}

static const struct uc_station *station_of(const struct cm *cm, const struct sip_msg *msg)
{
	struct node_party asserted;
	const struct uc_user *user;

	if (!node_sip_asserted(msg, &asserted))
		return NULL;
	user = node_sip_user(node_model(cm->node), slice_str(asserted.user), asserted.host);
	return user ? user->station : NULL;
}

/* 0, or the status of the refusal. */
static unsigned reserve(struct offhook *o, const struct sip_msg *msg)
{
	struct cm *cm = o->cm;
	const struct uc_station *station = station_of(cm, msg);
	struct error err = { 0 };
	int r;

	if (!station)
		return 403;
	o->station = slice_dup(slice_str(station->handle));
	o->call_id = slice_dup(sip_msg_call_id(msg));
	if (!o->station || !o->call_id)
		return 500;
	r = appearance_seize_at(&cm->appearances, slice_str(station->handle), station->appearances,
				station->restrict_last_appearance, APPEARANCE_OUTGOING,
				wanted_line(msg));
	if (r < 0)
		return r == -EBUSY ? 486 : 500;
	o->appearance = r;
	r = sip_dialog_new_uas(cm->stack, o->txn, slice_make(NULL, 0), &dialog_handlers, o,
			       &o->dialog, &err);
	if (r < 0)
		return r == -EBADMSG ? 400 : 500;
	o->listed = map_add(&cm->offhooks, &o->node, slice_str(o->call_id)) == 0;
	return !o->listed || progress(o, msg) < 0 ? 500 : 0;
}

void offhook_reserve(struct cm *cm, const struct sip_incoming *in)
{
	struct offhook *o = offhook_find(cm, in->msg);
	unsigned status;
	int r;

	/* Off-hook once more in the same dialog: the last word counts. */
	if (o)
		finish(o, 487, SLICE(""));
	o = calloc(1, sizeof(*o));
	if (!o)
		return;
	o->cm = cm;
	r = sip_server_txn_new(cm->stack, in, &first_handlers, o, &o->txn);
	if (r < 0) {
		free(o);
		if (r != -EEXIST)
			(void)sip_stack_reply(cm->stack, in, 500, NULL);
		return;
	}
	status = cm->offhooks.count >= OFFHOOK_MAX ? 500
						   : reserve(o, sip_server_txn_request(o->txn));
	if (status) {
		(void)sip_server_txn_reply(o->txn, status, NULL);
		offhook_free(o);
		return;
	}
	metric_add(cm->metrics, CM_RESERVED, 1);
	loop_timer_start(cm->loop, &o->limit, 1000ULL * limit_of(cm, in->msg), limit_fired);
	show(o);
}
