/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - what a feature may do with a half, and when: two tables, state x operation -> verdict, next.
 *
 *	redirect   below: another target in the place of one that refused (redirect.h)
 *	refer      split: one side asks that the other be joined with somebody else (transfer.h)
 *	lend       join: another half takes over one side (join.h)
 *	park       one side leaves, the other waits alone until somebody takes it (park.h)
 *	offer      re-INVITE towards one side (side.h); its own table, because offers cross operations
 *
 * Pure: no SIP, no clock. Of a half's two sides one is kept by an operation, the other one has asked for
 * it, or is replaced. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum engine_state {
	ENGINE_SETUP,	      /* nobody has answered yet */
	ENGINE_TALK,	      /* two sides, nothing goes on */
	ENGINE_TRANSFER,      /* a target is called for the kept side */
	ENGINE_TRANSFER_LEFT, /* the same, he who asked has hung up */
	ENGINE_LENT,	      /* another half asks the kept side to join it */
	ENGINE_LENT_LEFT,     /* the same, the replaced one has hung up */
	ENGINE_PARKED,	      /* the kept side is alone */
	ENGINE_PARKED_LENT,   /* and somebody takes it */
	ENGINE_TAKEN,	      /* the kept side belongs to another half: the rest is let go */
	ENGINE_OVER,
	ENGINE_STATES,
};

enum engine_op {
	ENGINE_ANSWERED,   /* the call talks */
	ENGINE_REDIRECT,   /* asked: another target, please */
	ENGINE_REFER,	   /* asked */
	ENGINE_PARK,	   /* asked */
	ENGINE_LEND,	   /* asked */
	ENGINE_FAILED,	   /* target or borrower came to nothing */
	ENGINE_JOINED,	   /* target or borrower has the kept side */
	ENGINE_ASKER_LEFT, /* BYE of the side that is not kept */
	ENGINE_KEPT_LEFT,  /* BYE of the kept side */
	ENGINE_ENDED,	   /* the half is over, for whatever reason */
	ENGINE_OPS,
};

/* What whoever raised it has to do. */
enum engine_action {
	ENGINE_NO,	  /* cannot be: ignored */
	ENGINE_GO,	  /* do it */
	ENGINE_REFUSE,	  /* answer with .status */
	ENGINE_END,	  /* the call ends in the ordinary way */
	ENGINE_SPLIT,	  /* let go of the side that left; the kept one is put on hold */
	ENGINE_FALL_BACK, /* two sides again, as it was */
	ENGINE_DROP_KEPT, /* nobody is left for the kept side */
	ENGINE_LET_GO,	  /* of the side that is not kept */
	ENGINE_GIVE_UP,	  /* target or borrower is cancelled, and the call ends */
};

struct engine_cell {
	enum engine_action action;
	enum engine_state next;
	uint16_t status; /* of ENGINE_REFUSE */
};

struct engine {
	uint8_t state;	  /* enum engine_state */
	uint8_t offer;	  /* enum engine_offer_state */
	bool asker_up;	  /* which side asked; meaningful from TRANSFER on */
	bool left[2];	  /* [up]: that side has hung up, or was let go */
	uint32_t ignored; /* pairs that cannot be */
};

const struct engine_cell *engine_look(enum engine_state state, enum engine_op op);
/* Look, and move. */
struct engine_cell engine_step(struct engine *e, enum engine_op op);
const char *engine_state_name(enum engine_state state);

/* Offers of a half: at most one re-INVITE is open, through it or of its own. RFC 3261 section 14. */
enum engine_offer_state {
	OFFER_FREE,
	OFFER_FROM_UP, /* came from there, was relayed */
	OFFER_FROM_DOWN,
	OFFER_TO_UP, /* ours */
	OFFER_TO_DOWN,
	OFFER_STATES,
};

enum engine_offer_event {
	OFFER_EV_FROM_UP,
	OFFER_EV_FROM_DOWN,
	OFFER_EV_TO_UP,
	OFFER_EV_TO_DOWN,
	OFFER_EV_DONE,
	OFFER_EVENTS,
};

/* 0 it may go; 491 or 500 (with Retry-After) for one that came; OFFER_WAIT for one of ours. */
#define OFFER_WAIT 1
unsigned engine_offer_look(const struct engine *e, enum engine_offer_event event);
unsigned engine_offer(struct engine *e, enum engine_offer_event event);
/* How long to wait after a 491 (RFC 3261 section 14.1): 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s
 * for the other; random: 0 to 2^32 - 1. */
uint32_t engine_retry_ms(bool owner, uint32_t random);
