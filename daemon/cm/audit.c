/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - finds calls that one side has forgotten: OPTIONS inside both dialogs (RFC 3261 section
 * 11, RFC 5057). A phone that lost its power sends no BYE, and its line would stay in use. */
#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "cm/b2bua.h"
#include "cm/cm_options.h"
#include "cm/operation.h"
#include "codec/sip/sip_msg.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

static void forgotten(struct b2bua_half *b, unsigned status)
{
	log_info("call.forgotten", F("gsid", b->half.call->gsid),
		 F("phase", half_phase_name(b->half.phase)), F("status", status));
	b2bua_release(b, status, "The other side has forgotten the call");
}

static void probe_ended(void *user, struct sip_client_txn *txn)
{
	struct b2bua_half *b = user;

	for (size_t i = 0; i < ARRAY_SIZE(b->probes); i++) {
		if (b->probes[i] == txn)
			b->probes[i] = NULL;
	}
}

/* Any answer but these two shows that somebody is there, whatever he thinks of OPTIONS. */
static void probe_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	if (in->msg->status < 200)
		return;
	sip_client_txn_detach(txn);
	probe_ended(user, txn);
	if (in->msg->status == 481 || in->msg->status == 408)
		forgotten(user, in->msg->status);
}

/* Silence of a phone ends the call; a link that is down does not: the talk goes on between the
 * phones, and sm comes back. */
static void probe_failed(void *user, struct sip_client_txn *txn, int reason)
{
	if (reason == -ETIMEDOUT)
		forgotten(user, 408);
}

static const struct sip_client_handlers probe_handlers = {
	.response = probe_response,
	.failed = probe_failed,
	.ended = probe_ended,
};

static void audit_fired(struct timer *timer)
{
	struct b2bua_half *b = CONTAINER_OF(timer, struct b2bua_half, guard);
	struct sip_dialog *dialogs[2] = { NULL, NULL };

	if (half_state(&b->half) == HALF_TALKING) {
		dialogs[0] = operation_dialog(b, true);
		dialogs[1] = operation_dialog(b, false);
	}
	for (size_t i = 0; i < ARRAY_SIZE(dialogs); i++) {
		if (dialogs[i] && !b->probes[i])
			(void)sip_dialog_request(dialogs[i], SLICE("OPTIONS"), NULL, NULL,
						 &probe_handlers, b, &b->probes[i], NULL);
	}
	audit_start(b);
}

void audit_start(struct b2bua_half *b)
{
	loop_timer_start(b->cm->loop, &b->guard, 1000ULL * b->cm->options->audit_s, audit_fired);
}

void audit_stop(struct b2bua_half *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(b->probes); i++) {
		if (b->probes[i])
			sip_client_txn_detach(b->probes[i]);
		b->probes[i] = NULL;
	}
}
