/* SPDX-License-Identifier: Apache-2.0 */
/* sip_stack.h - one SIP element: wire, transactions and dialogs together, and what its
 * transaction user is told. RFC 3261 sections 8, 12, 17, 18. One loop thread.
 *
 * A received request is shown once to handlers.request (in a dialog of ours: to the dialog's).
 * There the user either makes a server transaction (sip_server_txn_new) and answers through it, now
 * or later; or answers without state (sip_stack_reply); or drops it by doing nothing.
 * Retransmissions, ACK for non-2xx and CANCEL are absorbed by the transactions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "stack/sip/sip_flow.h"

struct clock;
struct loop;
struct sip_msg;
struct sip_stack; /* opaque, see sip_stack.c */
struct sip_traced;
struct sip_wire;
struct sip_wire_limits;

#define SIP_T1_MS 500
#define SIP_T2_MS 4000
#define SIP_T4_MS 5000
#define SIP_TAG_LEN 24 /* with NUL */

/* One received message; all of it is borrowed during the callback. */
struct sip_incoming {
	const struct sip_msg *msg;
	struct sip_flow
		flow; /* where it came from; keep it to answer or to reach the sender again */
	const char *peer_name; /* CN of the verified certificate, "" without one */
	const struct addr *local;
	bool out_of_step; /* no usable Content-Length on a stream: it is answered 400 and closed */
};

/* Fields and body added to a message that the stack builds. */
struct sip_extra {
	struct slice headers;	   /* whole lines with CRLF; no Via, From, To, Call-ID, CSeq */
	struct slice content_type; /* with body */
	struct slice body;
	struct slice reason_phrase; /* responses; empty = the usual one */
};

struct sip_stack_handlers {
	/* A request outside of dialogs that opens no known transaction (not ACK, not CANCEL). */
	void (*request)(void *user, const struct sip_incoming *in);
	/* ACK for a 2xx that no dialog of ours takes: a proxy forwards it, others ignore it. NULL ok. */
	void (*ack)(void *user, const struct sip_incoming *in);
	/* A response that matches no client transaction (late 2xx of a forgotten INVITE). NULL ok. */
	void (*response)(void *user, const struct sip_incoming *in);
	/* CANCEL for an unknown transaction: a proxy may forward it. NULL: answered 481. */
	void (*cancel)(void *user, const struct sip_incoming *in);
	/* A connection ended. NULL ok. */
	void (*closed)(void *user, const struct sip_flow *flow, int reason);
	/* As of sip_wire.h. NULL ok. */
	void (*trace)(void *user, const struct sip_traced *traced);
};

struct sip_stack_config {
	struct loop *loop;
	const struct sip_wire_limits *wire_limits; /* NULL = defaults */
	const char *product;			   /* Server and User-Agent, "" = none; copied */
	bool proxy; /* a message is judged as by a proxy (sip_check.h), else as by a UAS */
	const struct slice *supported; /* option tags for Require; borrowed for ever */
	size_t supported_count;
	uint32_t transactions_max;    /* server and client each; 0 = 16,384. At the bound the oldest
				       * that only waits for copies of its final ends early */
	uint32_t dialogs_max;	      /* 0 = 65,536 */
	uint32_t t1_ms, t2_ms, t4_ms; /* 0 = RFC 3261's */
	uint32_t
		trying_after_ms; /* 100 to an INVITE not answered by then; 0 = 150; UINT32_MAX never */
};

/* The caller owns *ret. Errors: -ENOMEM. */
int sip_stack_new(const struct sip_stack_config *config, const struct sip_stack_handlers *handlers,
		  void *user, struct sip_stack **ret, struct error *err);
struct sip_stack *sip_stack_free(struct sip_stack *stack); /* no handler is called any more */
DEFINE_AUTO(sip_stack)

struct sip_wire *sip_stack_wire(struct sip_stack *stack);
struct loop *sip_stack_loop(struct sip_stack *stack);
const char *sip_stack_product(const struct sip_stack *stack);

/* Answer without a transaction: once, and before authentication at most twice the request's bytes
 * (a longer one leaves without its extra body, then without extra headers). Never for ACK. The To tag is a keyed hash,
 * so retransmissions get the same and the ACK is absorbed. Errors: -EINVAL, what sending gives. */
int sip_stack_reply(struct sip_stack *stack, const struct sip_incoming *in, unsigned status,
		    const struct sip_extra *extra);
/* Answer a request that is no INVITE for good, as a server transaction would that ends with this response;
 * over UDP the response is kept for copies of the request. Errors: -EBADMSG no Via, -EMSGSIZE, as sending. */
int sip_stack_answer(struct sip_stack *stack, const struct sip_incoming *in, unsigned status,
		     const struct sip_extra *extra);
/* Send a request without a transaction: ACK for a 2xx, a proxy's forwarded ACK. request is complete
 * but for the Via of this hop, which is put in. branch empty = a new one. */
int sip_stack_send(struct sip_stack *stack, const struct sip_flow *flow, struct slice request,
		   struct slice branch);
/* Send a response upstream without a transaction (late 2xx through a proxy): its top Via, which must
 * be the next hop's (ours already removed), says where to. */
int sip_stack_send_response(struct sip_stack *stack, struct slice response);

/* The link to this remote address is down: every client transaction towards it ends now with
 * failed(-EHOSTUNREACH). transport OTHER = all. Returns how many. */
size_t sip_stack_fail_remote(struct sip_stack *stack, enum sip_transport transport,
			     const struct addr *remote);

/* Random texts: a From or To tag, a Call-ID without host. */
void sip_stack_tag(char ret[static SIP_TAG_LEN]);

struct sip_stack_stats {
	uint64_t requests, responses, retransmissions, stray_responses, rejected, stateless_replies;
	uint64_t ignored_events; /* pairs of state and event without a row */
	uint32_t server_txns, client_txns, dialogs;
};
struct sip_stack_stats sip_stack_stats(const struct sip_stack *stack);
