/* SPDX-License-Identifier: Apache-2.0 */
/* half.c - the half-call as a table; RFC 3261 sections 9, 13 and 15 as a back-to-back user agent
 * sees them. */
#include "cm/half.h"

static struct half *half_of(struct fsm *fsm)
{
	return CONTAINER_OF(fsm, struct half, fsm);
}

/* The people are done with it; what follows is tidying up on the wire. */
static void half_over(struct half *h, enum half_result result, unsigned status)
{
	if (h->result == HALF_RESULT_NONE) {
		h->result = result;
		h->sip_status = status;
	}
	h->ended_at = h->now;
	h->up.state = LEG_ENDED;
	h->down.state = LEG_ENDED;
	h->port->over(h);
}

static void do_send_on(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);

	h->up.state = LEG_CALLING;
	h->down.state = LEG_CALLING;
	h->port->send_on(h);
}

static void do_refuse(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);
	const struct half_final *final = arg;

	h->port->refuse(h, final);
	half_over(h, half_result_of(final->status), final->status);
	h->port->ended(h);
}

static void do_progress(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);
	const struct half_reply *reply = arg;

	h->up.state = LEG_RINGING;
	h->down.state = LEG_RINGING;
	h->port->pass_progress(h, reply);
}

static void do_answer(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);
	const struct half_reply *reply = arg;

	h->answered_at = h->now;
	h->result = HALF_RESULT_ANSWERED;
	h->sip_status = reply->status;
	h->up.state = LEG_TALKING;
	h->down.state = LEG_TALKING;
	h->port->pass_answer(h, reply);
	/* Of several branches of our own only one can win. */
	h->port->cancel_down(h);
}

static void do_extra(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);

	h->port->drop_extra(h, arg);
}

static void do_reject(struct fsm *fsm, const void *arg)
{
	do_refuse(fsm, arg);
}

static void do_cancel(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);
	struct half_final final = { .status = 487 };

	h->port->refuse(h, &final);
	h->port->cancel_down(h);
	half_over(h, HALF_RESULT_CANCELLED, 487);
}

static void do_give_up(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);
	const struct half_final *final = arg;

	h->port->refuse(h, final);
	h->port->cancel_down(h);
	half_over(h, half_result_of(final->status), final->status);
}

static void do_ack(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);

	h->port->pass_ack(h, arg);
}

/* The caller's ACK never came, or was overtaken: the callee still needs one before our BYE. */
static void do_bye_down_unacked(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);

	h->port->pass_ack(h, NULL);
	h->port->bye_down(h);
	half_over(h, HALF_RESULT_ANSWERED, h->sip_status);
}

static void do_bye_both_unacked(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);

	h->port->pass_ack(h, NULL);
	h->port->bye_down(h);
	h->port->bye_up(h);
	half_over(h, HALF_RESULT_ANSWERED, h->sip_status);
}

static void do_bye_down(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);

	h->port->bye_down(h);
	half_over(h, HALF_RESULT_ANSWERED, h->sip_status);
}

static void do_bye_up(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);

	h->port->bye_up(h);
	half_over(h, HALF_RESULT_ANSWERED, h->sip_status);
}

static void do_bye_both(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);

	h->port->bye_down(h);
	h->port->bye_up(h);
	half_over(h, HALF_RESULT_ANSWERED, h->sip_status);
}

static void do_ended(struct fsm *fsm, const void *arg)
{
	struct half *h = half_of(fsm);

	h->port->ended(h);
}

/* clang-format off */
static const struct fsm_row rows[] = {
	/* state            event             next             action */
	{ HALF_NEW,         HALF_EV_ADMIT,    HALF_CALLING,    do_send_on          },
	{ HALF_NEW,         HALF_EV_REFUSE,   HALF_ENDED,      do_refuse           },
	{ HALF_CALLING,     HALF_EV_PROGRESS, HALF_RINGING,    do_progress         },
	{ HALF_CALLING,     HALF_EV_ANSWER,   HALF_ANSWERED,   do_answer           },
	{ HALF_CALLING,     HALF_EV_REJECT,   HALF_ENDED,      do_reject           },
	{ HALF_CALLING,     HALF_EV_CANCEL,   HALF_CANCELLING, do_cancel           },
	{ HALF_CALLING,     HALF_EV_RELEASE,  HALF_CANCELLING, do_give_up          },
	{ HALF_RINGING,     HALF_EV_PROGRESS, HALF_RINGING,    do_progress         },
	{ HALF_RINGING,     HALF_EV_ANSWER,   HALF_ANSWERED,   do_answer           },
	{ HALF_RINGING,     HALF_EV_REJECT,   HALF_ENDED,      do_reject           },
	{ HALF_RINGING,     HALF_EV_CANCEL,   HALF_CANCELLING, do_cancel           },
	{ HALF_RINGING,     HALF_EV_BYE_UP,   HALF_CANCELLING, do_cancel           },
	{ HALF_RINGING,     HALF_EV_RELEASE,  HALF_CANCELLING, do_give_up          },
	{ HALF_ANSWERED,    HALF_EV_ACK,      HALF_TALKING,    do_ack              },
	{ HALF_ANSWERED,    HALF_EV_EXTRA,    HALF_ANSWERED,   do_extra            },
	{ HALF_ANSWERED,    HALF_EV_BYE_UP,   HALF_CLEARING,   do_bye_down_unacked },
	{ HALF_ANSWERED,    HALF_EV_BYE_DOWN, HALF_CLEARING,   do_bye_up           },
	{ HALF_ANSWERED,    HALF_EV_RELEASE,  HALF_CLEARING,   do_bye_both_unacked },
	{ HALF_TALKING,     HALF_EV_EXTRA,    HALF_TALKING,    do_extra            },
	{ HALF_TALKING,     HALF_EV_BYE_UP,   HALF_CLEARING,   do_bye_down         },
	{ HALF_TALKING,     HALF_EV_BYE_DOWN, HALF_CLEARING,   do_bye_up           },
	{ HALF_TALKING,     HALF_EV_RELEASE,  HALF_CLEARING,   do_bye_both         },
	{ HALF_CANCELLING,  HALF_EV_ANSWER,   HALF_CLEARING,   do_extra            },
	{ HALF_CANCELLING,  HALF_EV_EXTRA,    HALF_CLEARING,   do_extra            },
	{ HALF_CANCELLING,  HALF_EV_REJECT,   HALF_ENDED,      do_ended            },
	{ HALF_CANCELLING,  HALF_EV_CLEARED,  HALF_ENDED,      do_ended            },
	{ HALF_CLEARING,    HALF_EV_EXTRA,    HALF_CLEARING,   do_extra            },
	{ HALF_CLEARING,    HALF_EV_CLEARED,  HALF_ENDED,      do_ended            },
};
/* clang-format on */

static const char *const state_names[HALF_STATE_COUNT] = {
	"new", "calling", "ringing", "answered", "talking", "cancelling", "clearing", "ended",
};

static const char *const event_names[HALF_EVENT_COUNT] = {
	"admit",  "refuse",  "progress", "answer", "extra",    "reject",
	"cancel", "release", "ack",	 "bye_up", "bye_down", "cleared",
};

const struct fsm_table half_table = {
	.name = "half",
	.rows = rows,
	.count = ARRAY_SIZE(rows),
	.state_names = state_names,
	.event_names = event_names,
};

void half_init(struct half *h, enum half_phase phase, const struct half_port *port, int64_t now)
{
	fsm_init(&h->fsm, &half_table, HALF_NEW);
	list_init(&h->link);
	fork_set_init(&h->forks);
	h->phase = phase;
	h->port = port;
	h->started_at = now;
	h->now = now;
}

bool half_step(struct half *h, enum half_event event, const void *arg, int64_t now)
{
	h->now = now;
	return fsm_step(&h->fsm, (uint8_t)event, arg);
}

bool half_is_live(const struct half *h)
{
	return half_state(h) < HALF_CANCELLING && h->ended_at == 0;
}

enum half_result half_result_of(unsigned status)
{
	switch (status) {
	case 486:
	case 600:
	case 603:
		return HALF_RESULT_BUSY;
	case 408:
	case 480:
		return HALF_RESULT_NO_ANSWER;
	case 487:
		return HALF_RESULT_CANCELLED;
	default:
		return status >= 200 && status < 300 ? HALF_RESULT_ANSWERED : HALF_RESULT_FAILED;
	}
}

const char *half_result_name(enum half_result result)
{
	static const char *const names[] = { "",	  "answered",  "busy",
					     "no_answer", "cancelled", "failed" };

	return names[result];
}

const char *half_phase_name(enum half_phase phase)
{
	return phase == HALF_IMSORIG ? "imsorig" : "imsterm";
}

const char *half_phase_done(enum half_phase phase)
{
	return phase == HALF_IMSORIG ? "origdone" : "termdone";
}

const char *leg_state_name(enum leg_state state)
{
	static const char *const names[] = { "idle",	"calling", "ringing",
					     "talking", "held",	   "ended" };

	return names[state];
}
