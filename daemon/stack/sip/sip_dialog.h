/* SPDX-License-Identifier: Apache-2.0 */
/* sip_dialog.h - dialogs of a user agent, either side. RFC 3261 sections 12, 13 and 14, RFC 6026.
 *
 * Owned by whoever made it (sip_dialog_free()); the stack routes requests in it to its handlers. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "codec/sip/sip_token.h"
#include "stack/sip/sip_flow.h"

struct sip_client_handlers;
struct sip_client_options;
struct sip_client_txn;
struct sip_dialog; /* opaque, see sip_dialog.c */
struct sip_extra;
struct sip_incoming;
struct sip_msg;
struct sip_server_txn;
struct sip_stack;

#define SIP_DIALOG_ROUTES_MAX 32  /* Record-Route entries of one dialog */
#define SIP_DIALOG_TEXT_MAX 16384 /* all of a dialog's texts together */

enum sip_dialog_state {
	SIP_DIALOG_TRYING,
	SIP_DIALOG_EARLY,
	SIP_DIALOG_CONFIRMED,
	SIP_DIALOG_ENDED
};

struct sip_dialog_handlers {
	/* A request inside the dialog, CSeq checked (a lower one was answered 500). Take it with
	 * sip_server_txn_new() and answer. Not ACK, not CANCEL. NULL: answered 481. */
	void (*request)(void *user, struct sip_dialog *dialog, const struct sip_incoming *in);
	/* The ACK for a 2xx of ours, once an INVITE. May be NULL. */
	void (*ack)(void *user, struct sip_dialog *dialog, const struct sip_incoming *in);
	/* A 2xx of ours was not acknowledged in 64 * T1: the user sends BYE. May be NULL. */
	void (*no_ack)(void *user, struct sip_dialog *dialog);
	/* A reliable 1xx of ours was not acknowledged in 64 * T1 (sip_reliable.h): the user gives the
	 * INVITE a 5xx. May be NULL. */
	void (*no_prack)(void *user, struct sip_dialog *dialog);
};

/* As UAS, for a request that makes a dialog (INVITE, SUBSCRIBE, REFER). txn: its transaction, which
 * takes over the dialog's tag. contact: our Contact as a whole name-addr ("<sip:...>;p=v"), empty =
 * made from the listen point. Errors: -EBADMSG no usable Contact, -EUSERS too many, -ENOMEM. */
int sip_dialog_new_uas(struct sip_stack *stack, struct sip_server_txn *txn, struct slice contact,
		       const struct sip_dialog_handlers *handlers, void *user,
		       struct sip_dialog **ret, struct error *err);

struct sip_dialog_uac {
	struct slice local;   /* From without tag: "\"Ada\" <sip:3001@d>" or "<sip:...>" */
	struct slice remote;  /* To without tag */
	struct slice target;  /* Request-URI */
	struct slice contact; /* as above */
	struct slice routes;  /* preloaded Route set, "<sip:a;lr>, <sip:b;lr>"; may be empty */
	struct slice call_id; /* empty = a new one */
	uint32_t cseq;	      /* of the first request; 0 = a random start */
	const struct sip_flow *flow; /* send everything there; NULL = by route set and target */
};
/* As UAC: nothing is sent yet. */
int sip_dialog_new_uac(struct sip_stack *stack, const struct sip_dialog_uac *spec,
		       const struct sip_dialog_handlers *handlers, void *user,
		       struct sip_dialog **ret, struct error *err);
struct sip_dialog *sip_dialog_free(struct sip_dialog *dialog); /* accepts NULL, returns NULL */
DEFINE_AUTO(sip_dialog)

/* UAC: give every response of the first request here first. *ret is the dialog it belongs to: the
 * given one, or, for a further To tag (a fork), another that was made before or is made now (then the
 * return value is 1, and the caller owns *ret, with the handlers and user of the first until
 * sip_dialog_set_user()). Takes tag, route set, target. A 100 or a final that ends the dialog
 * changes nothing but the state. Errors: -EUSERS, -ENOMEM, -EBADMSG. */
int sip_dialog_response(struct sip_dialog *dialog, const struct sip_msg *response,
			struct sip_dialog **ret);

/* Send a request: the first of a UAC dialog or one inside it. Adds Max-Forwards 70 unless extra has
 * one, Contact where it belongs, User-Agent. ret may be NULL. Target refresh is taken from responses
 * given to sip_dialog_response() too. Errors: as sip_client_txn_new(). */
int sip_dialog_request(struct sip_dialog *dialog, struct slice method,
		       const struct sip_extra *extra, const struct sip_client_options *options,
		       const struct sip_client_handlers *handlers, void *user,
		       struct sip_client_txn **ret, struct error *err);
/* The same bytes without sending (CSeq is consumed): for a user that adds or looks. */
struct buf;
int sip_dialog_build(struct sip_dialog *dialog, struct slice method, const struct sip_extra *extra,
		     struct buf *out);

/* UAC: ACK a 2xx of the INVITE with that CSeq. Kept: a retransmitted 2xx given to
 * sip_dialog_is_acked() sends it again. */
int sip_dialog_ack(struct sip_dialog *dialog, uint32_t cseq, const struct sip_extra *extra);
/* True (and the ACK was sent again) when this 2xx has been acknowledged before. */
bool sip_dialog_is_acked(struct sip_dialog *dialog, const struct sip_msg *response);

/* UAS: answer a request of this dialog: adds Contact, the tag, Record-Route; moves to early or
 * confirmed. A 2xx to INVITE is repeated until its ACK (RFC 3261 section 13.3.1.4). */
int sip_dialog_reply(struct sip_dialog *dialog, struct sip_server_txn *txn, unsigned status,
		     const struct sip_extra *extra);

/* The caller of a confirmed or early dialog is finished with it: BYE on its own, no more calls, frees
 * itself. Not in TRYING: there it is only freed. */
void sip_dialog_bye(struct sip_dialog *dialog, const struct sip_extra *extra);

enum sip_dialog_state sip_dialog_state(const struct sip_dialog *dialog);
bool sip_dialog_is_uac(const struct sip_dialog *dialog);
struct slice sip_dialog_call_id(const struct sip_dialog *dialog);
struct slice sip_dialog_local_tag(const struct sip_dialog *dialog);
struct slice sip_dialog_remote_tag(const struct sip_dialog *dialog); /* empty in TRYING */
struct slice sip_dialog_local(const struct sip_dialog *dialog); /* our From or To, without tag */
struct slice sip_dialog_remote(const struct sip_dialog *dialog);
struct slice sip_dialog_target(const struct sip_dialog *dialog); /* remote target URI */
struct slice sip_dialog_contact(const struct sip_dialog *dialog);
int sip_dialog_set_contact(struct sip_dialog *dialog, struct slice contact);
/* Of the descriptions that its user has sent in it: kept for him as long as it lives, never looked at
 * here. Nothing at first, in one that a further To tag has made, too. */
struct sip_told {
	uint64_t id, version, hash; /* version 0: none yet */
};
struct sip_told *sip_dialog_told(struct sip_dialog *dialog);
bool sip_dialog_awaits_ack(const struct sip_dialog *dialog);
void *sip_dialog_user(const struct sip_dialog *dialog);
void sip_dialog_set_user(struct sip_dialog *dialog, const struct sip_dialog_handlers *handlers,
			 void *user);
/* Dialog of ours by its ids (Replaces, Join), NULL when there is none. */
struct sip_dialog *sip_dialog_find(struct sip_stack *stack, struct slice call_id,
				   struct slice local_tag, struct slice remote_tag);
