/* SPDX-License-Identifier: Apache-2.0 */
/* sip_dialog_private.h - what sip_dialog.c (what a dialog is) and sip_dialog_use.c (what it does) share. */
#pragma once
#include "stack/sip/sip_private.h"

struct text { /* in the dialog's arena; grows, is reused, never shrinks */
	char *p;
	size_t len, cap;
};

struct sip_dialog {
	struct sip_stack *stack;
	struct sip_arena arena;
	struct list link;
	struct map_node node; /* local tag and Call-ID; forks share it */
	bool linked, uac, fixed_flow, has_remote_cseq, awaits_ack;
	enum sip_dialog_state state;
	size_t text_total;
	struct text key, call_id, local, remote, local_tag, remote_tag, target, routes, contact;
	uint32_t local_cseq;  /* of the last request sent */
	uint32_t remote_cseq; /* of the last request received */
	uint32_t first_cseq;  /* UAS: of the request that made it */
	struct sip_flow flow; /* UAS: of that request; UAC: when fixed */
	/* UAS: the 2xx of an INVITE, until its ACK. */
	struct text answer;
	struct sip_flow answer_flow;
	uint32_t answer_cseq, answer_ms, answer_waited_ms;
	struct timer answer_timer;
	/* UAC: the last ACK of a 2xx. */
	struct text ack;
	uint32_t ack_cseq;
	/* Reliable provisional answers, sip_reliable.c. UAS: those not acknowledged, the first is out. */
	struct list reliable;
	struct timer reliable_timer;
	uint32_t rseq, reliable_ms, reliable_waited_ms;
	uint32_t rseq_seen; /* UAC: of the last one in order, 0 none */
	struct sip_told told;
	const struct sip_dialog_handlers *handlers;
	void *user;
};

static inline struct slice text_slice(const struct text *t)
{
	return slice_make(t->p ? t->p : "", t->len);
}

/* Errors: -EMSGSIZE past SIP_DIALOG_TEXT_MAX, -ENOMEM. */
int sip_text_set(struct sip_dialog *d, struct text *t, struct slice value);
int sip_dialog_set_routes(struct sip_dialog *d, const struct sip_msg *msg, bool reversed);
int sip_dialog_set_target(struct sip_dialog *d, const struct sip_msg *msg);
int sip_dialog_ensure_contact(struct sip_dialog *d, const struct sip_flow *flow);
/* A confirmed dialog that somebody called us in, of before a restart: the caller sets texts, flow and
 * numbers, then links it. Errors: -EUSERS, -ENOMEM. */
int sip_dialog_put_back(struct sip_stack *stack, const struct sip_dialog_handlers *handlers,
			void *user, struct sip_dialog **ret);
int sip_dialog_link(struct sip_dialog *d);
int sip_dialog_fork(const struct sip_dialog *from, struct slice remote_tag,
		    struct sip_dialog **ret);
/* The answer to a request of this dialog, into stack->out; the dialog's state follows it. */
int sip_dialog_build_reply(struct sip_dialog *d, struct sip_server_txn *txn, unsigned status,
			   const struct sip_extra *extra);
/* sip_reliable.c: the dialog goes. */
void sip_reliable_done(struct sip_dialog *d);
