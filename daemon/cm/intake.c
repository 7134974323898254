/* SPDX-License-Identifier: Apache-2.0 */
/* intake.c - requests outside of dialogs: who may ask, for which half, of which service. */
#include "base/error.h"
#include "base/log.h"
#include "cm/b2bua.h"
#include "cm/join.h"
#include "cm/offhook.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "node/node.h"
#include "node/node_sip.h"
#include "stack/sip/sip_guard.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"
#include "stack/sip/sip_wire.h"

static void reply(struct cm *cm, const struct sip_incoming *in, unsigned status,
		  struct slice headers)
{
	struct sip_extra extra = { .headers = headers };

	(void)sip_stack_reply(cm->stack, in, status, &extra);
}

static const struct slice no_headers;

/* "Route: <sip:cm;lr;phase=imsorig>, …": the phase that sm asks for. Errors: -ENOENT none, -EPERM
 * the top Route is not ours. */
static int phase_of(struct cm *cm, const struct sip_msg *msg, enum half_phase *ret)
{
	struct sip_addr route;
	struct slice phase;

	if (sip_msg_top_route(msg, &route) < 0)
		return -ENOENT;
	if (!sip_wire_uri_is_mine(sip_stack_wire(cm->stack), &route.uri))
		return -EPERM;
	if (!sip_uri_param(&route.uri, SLICE("phase"), &phase))
		return -ENOENT;
	for (enum half_phase p = HALF_IMSORIG; p <= HALF_IMSTERM; p++) {
		if (slice_eq_str_nocase(phase, half_phase_name(p))) {
			*ret = p;
			return 0;
		}
	}
	return -ENOENT;
}

static void decide(struct cm *cm, const struct sip_msg *msg, enum half_phase phase,
		   struct service_verdict *verdict)
{
	struct node_party asserted, target = { 0 };
	struct sip_uri uri;

	(void)node_sip_asserted(msg, &asserted);
	if (sip_msg_request_uri(msg, &uri) == 0)
		node_sip_party(&uri, &target);
	service_decide(node_model(cm->node),
		       &(struct service_request){
			       .phase = phase,
			       .asserted = slice_str(asserted.user),
			       .asserted_host = asserted.host,
			       .target = slice_str(target.user),
			       .target_host = target.host,
		       },
		       verdict);
}

static void refuse_half(struct b2bua_half *b, struct service_verdict *v, int r)
{
	v->status = r == -EMLINK ? 482 : 500;
	v->reason = r == -EMLINK ? "Too many halves of one call" : "Too many calls";
	b2bua_start(b, v);
}

/* reserved: the line that its phone has reserved, or NULL. */
static void take_invite(struct cm *cm, const struct sip_incoming *in, enum half_phase phase,
			struct offhook *reserved)
{
	struct service_verdict verdict;
	struct b2bua_half *b, *old = NULL;
	bool old_up = false;
	unsigned refused;
	int r, found;

	refused = join_refusal(cm, in->msg);
	if (refused) {
		reply(cm, in, refused, no_headers);
		return;
	}
	found = join_find(cm, in->msg, &old, &old_up);
	if (found == -EBADMSG || found == -ENOTCONN) {
		reply(cm, in, found == -EBADMSG ? 400 : 486, no_headers);
		return;
	}
	r = b2bua_new(cm, in, phase, &b);
	if (r == -EEXIST)
		return;
	if (r < 0) {
		reply(cm, in, 500, SLICE("Warning: 399 cm \"Overloaded\"\r\n"));
		return;
	}
	if (reserved)
		offhook_hand_over(reserved, b);
	metric_add(cm->metrics, phase == HALF_IMSORIG ? CM_INVITES_ORIG : CM_INVITES_TERM, 1);
	decide(cm, in->msg, phase, &verdict);
	r = call_add_half(&cm->calls, &b->half,
			  sip_msg_value(in->msg, SIP_HDR_AV_GLOBAL_SESSION_ID));
	if (r < 0) {
		refuse_half(b, &verdict, r);
		return;
	}
	metric_set(cm->metrics, CM_CALLS, (int64_t)cm->calls.by_gsid.count);
	if (old) {
		join_borrow(b, old, old_up);
		/* He who stays has his line in that call already. */
		if (phase == HALF_IMSTERM)
			verdict.station = NULL;
	}
	b2bua_start(b, &verdict);
	log_debug("call.half", F("gsid", b->half.call ? b->half.call->gsid : ""),
		  F("phase", half_phase_name(phase)), F("caller", verdict.caller),
		  F("callee", verdict.callee), F("status", verdict.status));
}

static void invite(struct cm *cm, const struct sip_incoming *in)
{
	enum half_phase phase = HALF_IMSORIG;
	struct session_words words;
	uint32_t max_forwards;
	int r;

	if (sip_server_txn_is_merged(cm->stack, in)) {
		reply(cm, in, 482, no_headers);
		return;
	}
	r = sip_guard_max_forwards(in->msg, &max_forwards);
	if (r < 0) {
		reply(cm, in, r == -ELOOP ? 483 : 400, no_headers);
		return;
	}
	r = phase_of(cm, in->msg, &phase);
	if (r < 0) {
		reply(cm, in, r == -EPERM ? 403 : 404,
		      SLICE("Warning: 399 cm \"No phase for this server\"\r\n"));
		return;
	}
	session_read(in->msg, &words);
	if (session_is_short(&words)) {
		reply(cm, in, 422, SLICE("Min-SE: 90\r\n"));
		return;
	}
	if (phase == HALF_IMSTERM)
		take_invite(cm, in, phase, NULL);
	else if (offhook_is(in->msg))
		offhook_reserve(cm, in);
	else
		take_invite(cm, in, phase, offhook_find(cm, in->msg));
}

static bool is_trusted(struct cm *cm, const struct sip_incoming *in)
{
	if (node_sip_trusted(cm->node, in, UC_ENTITY_SM)) {
		cm->link = in->flow;
		cm->has_link = true;
		return true;
	}
	metric_add(cm->metrics, CM_UNTRUSTED, 1);
	log_debug("request.untrusted", F("peer", in->peer_name));
	reply(cm, in, 403, no_headers);
	return false;
}

void intake_dialled(struct cm *cm, const struct sip_incoming *in)
{
	if (is_trusted(cm, in))
		invite(cm, in);
}

void intake_request(struct cm *cm, const struct sip_incoming *in)
{
	if (!is_trusted(cm, in))
		return;
	switch (in->msg->method) {
	case SIP_INVITE:
		if (sip_msg_to_tag(in->msg).len > 0)
			reply(cm, in, 481, no_headers);
		else
			invite(cm, in);
		break;
	case SIP_OPTIONS:
		reply(cm, in, 200,
		      SLICE("Allow: " CM_ALLOW "\r\nAccept: application/sdp\r\n"
			    "Accept-Encoding: identity\r\nAccept-Language: en\r\n"));
		break;
	case SIP_BYE:
	case SIP_UPDATE:
	case SIP_INFO:
	case SIP_PRACK:
	case SIP_REFER:
	case SIP_NOTIFY:
		reply(cm, in, 481, no_headers);
		break;
	default:
		reply(cm, in, 405, SLICE("Allow: " CM_ALLOW "\r\n"));
		break;
	}
}
