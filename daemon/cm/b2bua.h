/* SPDX-License-Identifier: Apache-2.0 */
/* b2bua.h - a half on the wire: one server transaction upstream, INVITEs downstream, a dialog on
 * each side for every fork. RFC 3261 sections 12 to 15; B2BUA practice of RFC 7092 (media direct).
 *
 * A half is made by b2bua_new(), owned by its cm and freed soon after it ended. */
#pragma once
#include "base/buf.h"
#include "base/timer.h"
#include "cm/cm.h"
#include "cm/engine.h"
#include "cm/half.h"
#include "cm/service.h"
#include "cm/session.h"

#include "codec/sip/sip_token.h"
#include "stack/sip/sip_dialog.h"

struct b2bua_half;
struct b2bua_held;
struct own_invite;
struct side;
struct transfer;
struct sip_client_txn;
struct sip_incoming;
struct sip_msg;
struct sip_server_txn;

/* Which dialog of which half: what the stack's callbacks carry. */
struct b2bua_leg {
	struct b2bua_half *owner;
	uint8_t index; /* in forks */
	bool up;
};

/* One INVITE that went downstream. */
struct b2bua_branch {
	struct b2bua_half *owner;
	struct sip_client_txn *txn; /* NULL once it ended */
	struct sip_dialog *base;    /* of the first answer; further To-tags are made from it */
	struct sip_told told;	    /* in each of them: what the INVITE said */
	uint32_t cseq;
	uint32_t least_s; /* session interval that the callee's side asked for (422), 0 none */
	struct own_invite *own; /* what is not as in the INVITE that came; NULL nothing */
	uint8_t number;
};

/* What is known of an early dialog beside its dialogs (prack.c). */
struct b2bua_early {
	bool updates;	    /* it allows UPDATE */
	bool offered;	    /* a reliable 1xx had the offer */
	uint32_t held_rseq; /* the PRACK for it waits for the answer from above; 0 none */
	struct buf
		answer; /* description that only a reliable 1xx had, when it went up unreliably */
	char answer_type[64];
};

/* A request inside the call on its way through. */
struct b2bua_relay {
	struct list link;
	struct b2bua_half *owner;
	struct sip_server_txn *server; /* NULL once it ended or was answered for good */
	struct sip_client_txn *client; /* NULL once it ended */
	struct sip_dialog *from, *to;
	enum sip_method method;
	bool from_up;
	bool answered;	    /* for good */
	uint8_t index;	    /* of its fork */
	bool offers, holds; /* the request has an offer; which asks for hold */
	uint32_t cseq;	    /* of the request that we sent */
	struct buf before;  /* what the other side was told before this offer */
	char before_type[64];
};

struct b2bua_half {
	struct half half;
	struct list link;
	struct cm *cm;
	struct sip_server_txn *up_txn;
	struct sip_dialog *up[FORK_EARLY_MAX], *down[FORK_EARLY_MAX];
	struct b2bua_leg up_leg[FORK_EARLY_MAX], down_leg[FORK_EARLY_MAX];
	struct sip_told up_told; /* in the dialog upstream that was freed last */
	struct b2bua_branch branches[FORK_BRANCH_MAX];
	struct b2bua_early early[FORK_EARLY_MAX];
	bool up_has_100rel, up_demands_100rel, up_offered; /* what the INVITE says */
	struct session session_up, session_down;
	struct b2bua_half *lender, *borrower; /* join.h */
	bool lender_up;			      /* which side of the lender stays */
	struct engine engine;
	struct transfer *transfer;  /* that its phone asked for */
	struct transfer *target_of; /* for which the half was made */
	struct side *side;	    /* a re-INVITE of ours */
	struct buf own_lines;	    /* of a half that we made: fields of its INVITE */
	uint32_t max_forwards;	    /* and its Max-Forwards */
	bool private;		    /* the caller wants to be unknown (RFC 3323) */
	char *redirected;	    /* the target that the best refusal, a 3xx, names */
	struct buf reason;	    /* Reason fields of who ends the call, whole lines */
	struct b2bua_held *held;    /* a 2xx that waits for a PRACK */
	struct list relays;
	unsigned relay_count;
	struct sip_dialog *reinvite; /* dialog in which a re-INVITE came that has no ACK yet */
	uint32_t reinvite_cseq;	     /* of its counterpart, once that was answered 2xx; 0 before */
	unsigned byes;		     /* BYEs of ours that are watched */
	struct timer guard;	     /* no answer, or none at all; while talking: the next audit */
	struct sip_client_txn *probes[2]; /* of an audit, upstream and downstream */
	char *target;			  /* Request-URI downstream */
	enum service_class class;
	struct half_final final; /* argument of a queued event */
	struct buf best_headers; /* of the best refusal so far */
	char best_reason[64];
};

/* Take an INVITE that is meant for us: the half answers it whatever happens. Errors: -ENOMEM, -EUSERS
 * (nothing was answered, nothing is left). */
int b2bua_new(struct cm *cm, const struct sip_incoming *in, enum half_phase phase,
	      struct b2bua_half **ret);
/* One that no INVITE asked for, with a port of its own; b2bua_start_own() lets it go on. Errors: -ENOMEM. */
int b2bua_new_own(struct cm *cm, enum half_phase phase, const struct half_port *port,
		  struct b2bua_half **ret);
void b2bua_start_own(struct b2bua_half *b, const struct service_verdict *verdict);
/* Free one that has not been started. */
void b2bua_discard(struct b2bua_half *b);
/* Let it go on to the target, or refuse it. */
void b2bua_start(struct b2bua_half *b, const struct service_verdict *verdict);
/* End a half from within: a final answer if it has none, BYE to both sides if it talks. */
void b2bua_release(struct b2bua_half *b, unsigned status, const char *reason);
/* The process ends: leave what talks alone but record it; refuse what does not. */
void b2bua_abandon(struct b2bua_half *b);
/* Free what has ended. */
void b2bua_reap(struct cm *cm);

/* Between b2bua.c and its port and relay. */
extern const struct half_port b2bua_port;
extern const struct sip_dialog_handlers b2bua_up_handlers;
extern const struct sip_dialog_handlers b2bua_down_handlers;
extern const struct sip_client_handlers b2bua_branch_handlers;
/* Those parts of the port that halves of our own share. */
void b2bua_port_send_on(struct half *h);
void b2bua_port_extra(struct half *h, const struct half_reply *reply);
void b2bua_port_cancel(struct half *h);
void b2bua_port_bye_up(struct half *h);
void b2bua_port_bye_down(struct half *h);
void b2bua_port_ended(struct half *h);
/* Free a dialog upstream, NULL or not, with what goes through it. */
void b2bua_drop_up(struct b2bua_half *b, int i);
/* BYE to one side, whose dialog is gone then. */
void b2bua_bye_side(struct b2bua_half *b, bool up);
/* The station's line is on-hook again. */
void b2bua_line_idle(struct b2bua_half *b);
struct b2bua_half *b2bua_of(struct half *h);
bool b2bua_step(struct b2bua_half *b, enum half_event event, const void *arg);
/* Nothing open on the wire any more? Then the half is cleared. */
void b2bua_tidy(struct b2bua_half *b);
/* An answer downstream, as the port's half_reply.message. */
struct b2bua_answer {
	const struct sip_incoming *in;
	struct sip_dialog *dialog;
	struct b2bua_branch *branch;
	bool reliable; /* a 1xx that was acknowledged, or will be */
};
/* A 2xx from below, as it comes or once it need not wait any more. */
void b2bua_take_answer(struct b2bua_branch *br, const struct sip_incoming *in);
/* The INVITE of a branch, once more after 422. Errors: as sip_dialog_request(). */
int b2bua_branch_send(struct b2bua_branch *br, struct error *err);
/* Log that it could not be sent; one line a second. */
void b2bua_not_sent(struct cm *cm, int r, const struct error *err);
/* A further INVITE of this half, by itself the first one. own is taken; NULL: as the one that came. Errors:
 * -ENOSPC, as sip_dialog_request() (the branch is closed then). */
int b2bua_branch_add(struct b2bua_half *b, struct own_invite *own, struct error *err);
/* relay.c */
void relay_request(struct b2bua_leg *leg, struct sip_dialog *dialog, const struct sip_incoming *in);
/* Send a request on to the other dialog under a method, and with whole header lines, of its own. */
void relay_as(struct b2bua_leg *leg, struct sip_dialog *from, struct sip_dialog *to,
	      const struct sip_incoming *in, struct slice method, struct slice headers);
/* Answer a request in the dialog on the spot. */
void relay_answer_now(struct b2bua_half *b, struct sip_dialog *dialog,
		      const struct sip_incoming *in, unsigned status, struct slice headers);
/* The ACK of a re-INVITE; false if none is awaited on this dialog. */
bool relay_ack(struct b2bua_leg *leg, struct sip_dialog *dialog, const struct sip_incoming *in);
/* Answer what is still open (487) and let go of it: all, or what goes through a dialog (NULL: none)
 * that is about to be freed. */
void relay_end_all(struct b2bua_half *b);
void relay_end_dialog(struct b2bua_half *b, const struct sip_dialog *dialog);
/* audit.c: while a call talks, ask both sides now and then whether they still know it. */
void audit_start(struct b2bua_half *b);
void audit_stop(struct b2bua_half *b);
/* Keep the Reason fields (RFC 3326) of the message that ends the call, for the other side. */
void b2bua_note_reason(struct b2bua_half *b, const struct sip_msg *msg);
/* Address inside a Contact, for the live view. */
void b2bua_note_contact(struct leg *leg, const struct sip_msg *msg);
