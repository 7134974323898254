/* SPDX-License-Identifier: Apache-2.0 */
/* sip_txn.h - client and server transactions, INVITE and not. RFC 3261 section 17, RFC 6026.
 *
 * A transaction belongs to the stack. Its last call is handlers.ended, after which the pointer is
 * invalid; sip_*_txn_detach() ends all calls earlier (the transaction finishes on its own). No
 * handler is called from inside sip_*_txn_new(). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "codec/sip/sip_token.h"
#include "stack/sip/sip_flow.h"

struct error;
struct sip_client_txn; /* opaque */
struct sip_extra;
struct sip_incoming;
struct sip_msg;
struct sip_server_txn; /* opaque */
struct sip_stack;

#define SIP_BRANCH_MAX 96 /* of a branch that we make, with NUL */

/* Server ------------------------------------------------------------------------------------------ */
struct sip_server_handlers {
	/* A CANCEL came while no final response was sent; it has been answered 200. The INVITE still
	 * needs its final (487). May be NULL: then 487 is sent for the user. */
	void (*cancel)(void *user, struct sip_server_txn *txn, const struct sip_incoming *cancel);
	/* Last call. 0 = done; -ETIMEDOUT no ACK for a 3xx-6xx; else sending failed. May be NULL. */
	void (*ended)(void *user, struct sip_server_txn *txn, int reason);
};

/* Take a request (from handlers.request of stack or dialog). The message is copied into the
 * transaction. handlers may be NULL. Errors: -EUSERS too many (answer 503 without state), -ENOMEM,
 * -EEXIST the transaction is there already. */
int sip_server_txn_new(struct sip_stack *stack, const struct sip_incoming *in,
		       const struct sip_server_handlers *handlers, void *user,
		       struct sip_server_txn **ret);
/* Same From tag, Call-ID and CSeq as a running server transaction but another branch, no To tag: a
 * UAS answers 482 (RFC 3261 section 8.2.2.2). A proxy does not ask. */
bool sip_server_txn_is_merged(struct sip_stack *stack, const struct sip_incoming *in);

/* Build and send a response. Adds a To tag (one a transaction) above 100, copies Record-Route into
 * 1xx and 2xx that make dialogs, Server. After the final response the next ones are -EALREADY (but
 * more 2xx of an INVITE, RFC 6026). */
int sip_server_txn_reply(struct sip_server_txn *txn, unsigned status,
			 const struct sip_extra *extra);
/* Send a finished response (a proxy's: own Via already removed). */
int sip_server_txn_send(struct sip_server_txn *txn, struct slice response);
/* Proxy: forward a received response: removes the top Via, all else as it is. To change more, edit
 * it oneself and use sip_server_txn_send(). */
int sip_server_txn_forward(struct sip_server_txn *txn, const struct sip_msg *response);

/* The request, as long as the transaction lives. */
const struct sip_msg *sip_server_txn_request(const struct sip_server_txn *txn);
const struct sip_flow *sip_server_txn_flow(const struct sip_server_txn *txn);
const char *sip_server_txn_peer_name(const struct sip_server_txn *txn);
/* The To tag that sip_server_txn_reply() uses; setting it (a dialog does) copies the text. */
struct slice sip_server_txn_tag(struct sip_server_txn *txn);
int sip_server_txn_set_tag(struct sip_server_txn *txn, struct slice tag);
unsigned sip_server_txn_last_status(const struct sip_server_txn *txn); /* 0 = none sent */
void *sip_server_txn_user(const struct sip_server_txn *txn);
void sip_server_txn_set_user(struct sip_server_txn *txn, const struct sip_server_handlers *handlers,
			     void *user);
/* No more calls; when no final response was sent 500 is. */
void sip_server_txn_detach(struct sip_server_txn *txn);
/* A copy of bytes that lives as long as the transaction; p == NULL without memory. */
struct slice sip_server_txn_copy(struct sip_server_txn *txn, struct slice bytes);

/* Client ------------------------------------------------------------------------------------------ */
struct sip_client_handlers {
	/* A response, with the Via of ours on top. Each provisional, the first final; of an INVITE every
	 * 2xx (of forks, retransmitted ones too). The ACK for 300-699 has been sent. */
	void (*response)(void *user, struct sip_client_txn *txn, const struct sip_incoming *in);
	/* No final response will come: -ETIMEDOUT (like 408), else like 503: -ECONNREFUSED,
	 * -EHOSTUNREACH, -ECONNRESET, -ENOTCONN, -EPROTO (TLS) ... */
	void (*failed)(void *user, struct sip_client_txn *txn, int reason);
	/* Last call, after the final response or failed(). May be NULL. */
	void (*ended)(void *user, struct sip_client_txn *txn);
};

struct sip_client_options {
	struct slice branch_tail; /* appended to the branch (loop detection); token characters */
	uint32_t timeout_ms;	  /* Timer B or F; 0 = 64 * T1 */
	uint32_t
		final_timeout_ms; /* INVITE: from the first 1xx to the final, else failed(-ETIMEDOUT)
				    * after a CANCEL; 0 = none (a proxy's Timer C is its user's) */
};

/* Send a request: complete but for the Via of this hop, which is put in under the start line.
 * options may be NULL. What fails at once is returned, what fails later comes as failed().
 * Errors: -EUSERS too many, -ENOMEM, -EBADMSG not a request, what sip_wire_prepare() gives. */
int sip_client_txn_new(struct sip_stack *stack, const struct sip_flow *flow, struct slice request,
		       const struct sip_client_options *options,
		       const struct sip_client_handlers *handlers, void *user,
		       struct sip_client_txn **ret, struct error *err);
/* CANCEL an INVITE: now or as soon as a provisional came; once; nothing after a final. reason: whole
 * header lines for the CANCEL ("Reason: ...\r\n") or empty. Without a final response 64 * T1 later the
 * transaction fails with -ETIMEDOUT. */
void sip_client_txn_cancel(struct sip_client_txn *txn, struct slice reason);
/* The request as sent. */
const struct sip_msg *sip_client_txn_request(const struct sip_client_txn *txn);
const struct sip_flow *sip_client_txn_flow(const struct sip_client_txn *txn);
enum sip_method sip_client_txn_method(const struct sip_client_txn *txn);
unsigned sip_client_txn_last_status(const struct sip_client_txn *txn); /* 0 = none came */
void *sip_client_txn_user(const struct sip_client_txn *txn);
void sip_client_txn_set_user(struct sip_client_txn *txn, const struct sip_client_handlers *handlers,
			     void *user);
void sip_client_txn_detach(struct sip_client_txn *txn); /* no more calls; it finishes on its own */
