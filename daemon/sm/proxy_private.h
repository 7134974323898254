/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_private.h - what proxy.c (answers) and proxy_branch.c (branches) share. */
#pragma once
#include "base/buf.h"
#include "base/list.h"
#include "base/timer.h"
#include "net/addr.h"
#include "sm/calls.h"
#include "sm/odi.h"
#include "sm/proxy.h"
#include "stack/sip/sip_flow.h"
#include "stack/sip/sip_guard.h"
#include "stack/sip/sip_locate.h"

struct binding;
struct sip_client_txn;
struct sip_msg;
struct sip_server_txn;

#define BRANCH_CONTACT_MAX 512
#define BRANCH_FLOWS_MAX 4 /* of one phone that are tried one after another */

struct proxy {
	struct list link; /* in sm->proxies */
	struct sm *sm;
	struct sip_server_txn *server; /* NULL once it ended; the request is gone then */
	const struct sip_msg *request;
	struct sip_flow in_flow;
	struct peer from;
	unsigned pop_routes;
	bool drop_routes, authenticated, in_dialog, hidden, invite;
	bool emergency; /* no application stops it */
	bool sips;	/* came for a sips: URI and goes on as such: never in clear (sips.h) */
	char *uri;	/* Request-URI that the sender's adaptation made, NULL: as it came */
	struct proxy_alternates *alternates; /* of routing, NULL: none */
	bool elsewhere;			     /* to the Request-URI, past routing */
	unsigned places;		     /* tried after the first */
	struct sip_locate_wait place_wait;
	bool way_known; /* in a dialog: the flow to the phone at its other end */
	struct sip_flow way;
	bool answered;	/* a 2xx went back */
	bool finished;	/* a final answer went back */
	bool cancelled; /* nobody waits for an answer any more */
	bool began;	/* the call began here: its failure ends it */
	unsigned depth; /* calls in progress; not freed before they return */
	uint32_t max_forwards;
	char caller[ODI_USER_MAX + 1];
	char gsid[SIP_GSID_LEN];
	struct list branches;
	unsigned open;		   /* branches without a final answer */
	unsigned best;		   /* status of the best final answer so far, 0 none */
	struct buf best_bytes;	   /* ready to send; empty: made here */
	struct slice best_headers; /* of one made here; literals */
	struct buf best_text;
};

struct branch {
	struct list link;
	struct proxy *proxy;
	struct sip_client_txn *txn; /* NULL before and after */
	struct peer to;
	bool application; /* of a sequence */
	bool mandatory;
	bool contact;	 /* a phone of the callee */
	bool challenged; /* carries our credentials for the entity */
	bool alternate;	 /* one of the entities that routing named */
	bool provisional;
	bool given_up; /* Timer C */
	bool done;     /* has its final answer */
	bool named;    /* see branch_spec */
	enum odi_half half;
	unsigned place;
	char user[ODI_USER_MAX + 1]; /* served user, or whose phone */
	char target[BRANCH_CONTACT_MAX];
	uint64_t instance; /* of the phone, when it has several flows */
	uint64_t tried[BRANCH_FLOWS_MAX];
	uint32_t breadth;
	bool lengthy;	       /* went over TCP because it was too long for UDP */
	struct sip_flow asked; /* the flow before that */
	struct timer timer_c;
};

struct branch_spec {
	bool named; /* by the DNS: when it fails there may be another place */
	struct peer to;
	struct sip_flow flow;
	struct slice uri;
	const struct sequence_step *step; /* application of a sequence, or NULL */
	const char *handle;		  /* whose phone, or NULL */
	const char *path;		  /* Routes to it, or NULL */
	uint64_t instance;		  /* one of several flows of it, 0: the only one */
	uint64_t tried[BRANCH_FLOWS_MAX]; /* bindings of that instance, this one last */
	bool alternate;			  /* others may be tried after it */
	struct slice credentials;	  /* line for the entity, empty: none */
	uint32_t timeout_ms;		  /* for a first answer, 0: the usual */
	uint32_t breadth;
};

/* A contact of a user: everything that a branch to it needs. false: it cannot be reached. */
bool branch_spec_of(struct proxy *p, const struct binding *binding, const char *handle,
		    uint32_t breadth, struct branch_spec *ret);
/* Errors: what sending gives; no branch is left then. */
int branch_start(struct proxy *p, const struct branch_spec *spec);
void branch_cancel_all(struct proxy *p, const struct branch *except, struct slice reason);
void branch_free_all(struct proxy *p);

void proxy_enter(struct proxy *p);
void proxy_leave(struct proxy *p); /* may free it */
/* A branch has a final answer: status, and the bytes to send or NULL. */
void proxy_final(struct proxy *p, struct branch *branch, unsigned status, const struct sip_msg *msg,
		 struct peer from);
void proxy_provisional(struct proxy *p, const struct sip_msg *msg, struct peer from);
/* An application gave no answer: skip it or fail. */
void proxy_application_lost(struct proxy *p, struct branch *branch);
void proxy_settle(struct proxy *p);
/* The Request-URI as it was received and adapted. */
struct slice proxy_uri(const struct proxy *p);
/* 500 with Reason and Warning: that entity does not answer. */
void proxy_unavailable(struct proxy *p, const char *name);
/* 480 with Warning: it could only go on in clear. */
void proxy_exposed(struct proxy *p);

/* proxy_route.c: nobody of ours is meant. */
void proxy_route(struct proxy *p);
/* The next entity that takes calls. false: there is none. */
bool proxy_next_alternate(struct proxy *p);
/* Is that final answer of an entity a reason to try the next? */
bool proxy_is_retried(unsigned status);
/* proxy_place.c: to where the next Route or the Request-URI says. */
void proxy_to_place(struct proxy *p);
/* The branch failed: true when another place of its name is tried instead. */
bool proxy_next_place(struct proxy *p, struct branch *b);
