/* SPDX-License-Identifier: Apache-2.0 */
/* half.h - one half of a call: a leg towards the caller's side and a leg towards the callee's side.
 * The originating half serves the caller, the terminating half the callee (facts of the half-call
 * model: imsorig and imsterm). The half knows no SIP: what has to be sent it asks of its port. */
#pragma once
#include "base/fsm.h"
#include "base/list.h"
#include "cm/fork.h"

struct call;
struct half;

#define HALF_PARTY_SIZE 129 /* a handle or number with NUL */
#define HALF_CONTACT_SIZE 257

enum half_phase { HALF_IMSORIG, HALF_IMSTERM };

enum half_state {
	HALF_NEW,
	HALF_CALLING,  /* INVITE sent on */
	HALF_RINGING,  /* an early dialog exists */
	HALF_ANSWERED, /* 2xx passed up, ACK awaited */
	HALF_TALKING,
	HALF_CANCELLING, /* given up: waiting for the final answer from below */
	HALF_CLEARING,	 /* over for the people: BYEs are out */
	HALF_ENDED,
	HALF_STATE_COUNT,
};

enum half_event {
	HALF_EV_ADMIT,	  /* services let it go on */
	HALF_EV_REFUSE,	  /* services refuse; arg: struct half_final */
	HALF_EV_PROGRESS, /* 1xx of a dialog below; arg: struct half_reply */
	HALF_EV_ANSWER,	  /* first 2xx; arg: struct half_reply */
	HALF_EV_EXTRA,	  /* 2xx of another dialog; arg: struct half_reply */
	HALF_EV_REJECT,	  /* the best final answer once all branches are closed; arg: half_final */
	HALF_EV_CANCEL,	  /* the caller gave up */
	HALF_EV_RELEASE,  /* we end it: no answer, lost ACK, dead dialog; arg: half_final */
	HALF_EV_ACK,	  /* arg: the message, for the port */
	HALF_EV_BYE_UP,	  /* BYE from the caller's side */
	HALF_EV_BYE_DOWN, /* BYE from the callee's side */
	HALF_EV_CLEARED,  /* nothing of this half is open on the wire any more */
	HALF_EVENT_COUNT,
};

enum half_result {
	HALF_RESULT_NONE,
	HALF_RESULT_ANSWERED,
	HALF_RESULT_BUSY,
	HALF_RESULT_NO_ANSWER,
	HALF_RESULT_CANCELLED,
	HALF_RESULT_FAILED,
};

/* An answer from below, as the half needs it. */
struct half_reply {
	int early; /* index in forks, -1 when the dialog is not followed (table full) */
	unsigned status;
	const void *message; /* the port's own */
};

/* A final answer to give upstream. */
struct half_final {
	unsigned status;
	const char *reason;  /* phrase, NULL the usual one */
	const void *message; /* the answer from below it was made of, or NULL */
};

/* A leg as the live view shows it. */
enum leg_state { LEG_IDLE, LEG_CALLING, LEG_RINGING, LEG_TALKING, LEG_HELD, LEG_ENDED };

struct leg {
	enum leg_state state;
	bool asks_hold; /* this side's last offer or answer did not want to receive */
	char contact[HALF_CONTACT_SIZE]; /* as text; may be empty */
};

/* What a half asks of the SIP side. Every function must be there. None may free the half. */
struct half_port {
	void (*send_on)(struct half *h); /* INVITE to the callee's side */
	void (*refuse)(struct half *h, const struct half_final *final); /* final answer upstream */
	void (*pass_progress)(struct half *h, const struct half_reply *reply);
	void (*pass_answer)(struct half *h, const struct half_reply *reply);
	void (*pass_ack)(struct half *h, const void *message);		    /* NULL: a bare one */
	void (*drop_extra)(struct half *h, const struct half_reply *reply); /* ACK, then BYE */
	void (*cancel_down)(struct half *h); /* CANCEL all open branches */
	void (*bye_up)(struct half *h);
	void (*bye_down)(struct half *h);
	void (*over)(struct half *h);  /* over for the people: record it, give the line back */
	void (*ended)(struct half *h); /* may be freed once the step has returned */
};

struct half {
	struct fsm fsm;
	struct list link; /* in call->halves */
	struct call *call;
	const struct half_port *port;
	enum half_phase phase;
	unsigned number; /* which half of its phase in the call, from 1 */
	struct fork_set forks;
	struct leg up, down;
	char caller[HALF_PARTY_SIZE];
	char callee[HALF_PARTY_SIZE];
	char station[HALF_PARTY_SIZE]; /* handle of the served station, "" none */
	char served[HALF_PARTY_SIZE];  /* who pays for it, if not who is heard (transfer); "" */
	bool diverted;		       /* the callee's phone sent the call elsewhere */
	int appearance;		       /* seized line appearance, 0 none */
	int64_t started_at, answered_at, ended_at; /* wall clock ms, 0 not yet */
	int64_t now; /* wall clock ms, set by whoever raises an event */
	enum half_result result;
	unsigned sip_status; /* final status of the INVITE as the caller's side got it */
};

void half_init(struct half *h, enum half_phase phase, const struct half_port *port, int64_t now);
/* Raise an event at wall clock time now. False if the state has no row for it. */
bool half_step(struct half *h, enum half_event event, const void *arg, int64_t now);

static inline enum half_state half_state(const struct half *h)
{
	return (enum half_state)h->fsm.state;
}

/* Talking or on the way there: what /v1/calls shows. */
bool half_is_live(const struct half *h);
/* Which result a final status of an INVITE stands for. */
enum half_result half_result_of(unsigned status);
const char *half_result_name(enum half_result result);
/* "imsorig", "imsterm" and the words that sm puts on the way back. */
const char *half_phase_name(enum half_phase phase);
const char *half_phase_done(enum half_phase phase);
const char *leg_state_name(enum leg_state state);

extern const struct fsm_table half_table; /* for its test and for drawing */
