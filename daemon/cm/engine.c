/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c - the two tables of engine.h. RFC 3261 section 14, RFC 3515, RFC 3891. */
#include "cm/engine.h"

#include "base/error.h"

#include <assert.h>

/* clang-format off */
#define NO(s)        { ENGINE_NO,        ENGINE_##s, 0 }
#define GO(s)        { ENGINE_GO,        ENGINE_##s, 0 }
#define REFUSE(n, s) { ENGINE_REFUSE,    ENGINE_##s, n }
#define END          { ENGINE_END,       ENGINE_OVER, 0 }
#define SPLIT(s)     { ENGINE_SPLIT,     ENGINE_##s, 0 }
#define BACK(s)      { ENGINE_FALL_BACK, ENGINE_##s, 0 }
#define DROP_KEPT    { ENGINE_DROP_KEPT, ENGINE_OVER, 0 }
#define LET_GO       { ENGINE_LET_GO,    ENGINE_TAKEN, 0 }
#define GIVE_UP      { ENGINE_GIVE_UP,   ENGINE_OVER, 0 }

static const struct engine_cell cells[ENGINE_STATES][ENGINE_OPS] = {
	[ENGINE_SETUP] = {
		[ENGINE_ANSWERED]   = GO(TALK),
		[ENGINE_REDIRECT]   = GO(SETUP),
		[ENGINE_REFER]      = REFUSE(491, SETUP), /* there is no call to transfer yet */
		[ENGINE_PARK]       = REFUSE(480, SETUP),
		[ENGINE_LEND]       = REFUSE(486, SETUP),
		[ENGINE_FAILED]     = NO(SETUP),
		[ENGINE_JOINED]     = NO(SETUP),
		[ENGINE_ASKER_LEFT] = END,
		[ENGINE_KEPT_LEFT]  = END,
		[ENGINE_ENDED]      = GO(OVER),
	},
	[ENGINE_TALK] = {
		[ENGINE_ANSWERED]   = NO(TALK),
		[ENGINE_REDIRECT]   = REFUSE(481, TALK),
		[ENGINE_REFER]      = GO(TRANSFER),
		[ENGINE_PARK]       = SPLIT(PARKED),
		[ENGINE_LEND]       = GO(LENT),
		[ENGINE_FAILED]     = NO(TALK),
		[ENGINE_JOINED]     = NO(TALK),
		[ENGINE_ASKER_LEFT] = END,
		[ENGINE_KEPT_LEFT]  = END,
		[ENGINE_ENDED]      = GO(OVER),
	},
	[ENGINE_TRANSFER] = {
		[ENGINE_ANSWERED]   = NO(TRANSFER),
		[ENGINE_REDIRECT]   = REFUSE(481, TRANSFER),
		[ENGINE_REFER]      = REFUSE(491, TRANSFER), /* one at a time */
		[ENGINE_PARK]       = REFUSE(491, TRANSFER),
		[ENGINE_LEND]       = REFUSE(486, TRANSFER),
		[ENGINE_FAILED]     = BACK(TALK),
		[ENGINE_JOINED]     = LET_GO,
		[ENGINE_ASKER_LEFT] = SPLIT(TRANSFER_LEFT),
		[ENGINE_KEPT_LEFT]  = GIVE_UP,
		[ENGINE_ENDED]      = GIVE_UP,
	},
	[ENGINE_TRANSFER_LEFT] = {
		[ENGINE_ANSWERED]   = NO(TRANSFER_LEFT),
		[ENGINE_REDIRECT]   = REFUSE(481, TRANSFER_LEFT),
		[ENGINE_REFER]      = REFUSE(491, TRANSFER_LEFT),
		[ENGINE_PARK]       = REFUSE(491, TRANSFER_LEFT),
		[ENGINE_LEND]       = REFUSE(486, TRANSFER_LEFT),
		[ENGINE_FAILED]     = DROP_KEPT,
		[ENGINE_JOINED]     = LET_GO,
		[ENGINE_ASKER_LEFT] = NO(TRANSFER_LEFT),
		[ENGINE_KEPT_LEFT]  = GIVE_UP,
		[ENGINE_ENDED]      = GIVE_UP,
	},
	[ENGINE_LENT] = {
		[ENGINE_ANSWERED]   = NO(LENT),
		[ENGINE_REDIRECT]   = REFUSE(481, LENT),
		[ENGINE_REFER]      = REFUSE(491, LENT),
		[ENGINE_PARK]       = REFUSE(491, LENT),
		[ENGINE_LEND]       = REFUSE(486, LENT),
		[ENGINE_FAILED]     = BACK(TALK),
		[ENGINE_JOINED]     = LET_GO,
		[ENGINE_ASKER_LEFT] = SPLIT(LENT_LEFT),
		[ENGINE_KEPT_LEFT]  = GIVE_UP,
		[ENGINE_ENDED]      = GIVE_UP,
	},
	[ENGINE_LENT_LEFT] = {
		[ENGINE_ANSWERED]   = NO(LENT_LEFT),
		[ENGINE_REDIRECT]   = REFUSE(481, LENT_LEFT),
		[ENGINE_REFER]      = REFUSE(491, LENT_LEFT),
		[ENGINE_PARK]       = REFUSE(491, LENT_LEFT),
		[ENGINE_LEND]       = REFUSE(486, LENT_LEFT),
		[ENGINE_FAILED]     = DROP_KEPT,
		[ENGINE_JOINED]     = LET_GO,
		[ENGINE_ASKER_LEFT] = NO(LENT_LEFT),
		[ENGINE_KEPT_LEFT]  = GIVE_UP,
		[ENGINE_ENDED]      = GIVE_UP,
	},
	[ENGINE_PARKED] = {
		[ENGINE_ANSWERED]   = NO(PARKED),
		[ENGINE_REDIRECT]   = REFUSE(481, PARKED),
		[ENGINE_REFER]      = REFUSE(480, PARKED), /* nobody to transfer */
		[ENGINE_PARK]       = REFUSE(486, PARKED),
		[ENGINE_LEND]       = GO(PARKED_LENT),
		[ENGINE_FAILED]     = NO(PARKED),
		[ENGINE_JOINED]     = NO(PARKED),
		[ENGINE_ASKER_LEFT] = NO(PARKED),
		[ENGINE_KEPT_LEFT]  = END,
		[ENGINE_ENDED]      = GO(OVER),
	},
	[ENGINE_PARKED_LENT] = {
		[ENGINE_ANSWERED]   = NO(PARKED_LENT),
		[ENGINE_REDIRECT]   = REFUSE(481, PARKED_LENT),
		[ENGINE_REFER]      = REFUSE(480, PARKED_LENT),
		[ENGINE_PARK]       = REFUSE(486, PARKED_LENT),
		[ENGINE_LEND]       = REFUSE(486, PARKED_LENT),
		[ENGINE_FAILED]     = BACK(PARKED),
		[ENGINE_JOINED]     = LET_GO,
		[ENGINE_ASKER_LEFT] = NO(PARKED_LENT),
		[ENGINE_KEPT_LEFT]  = GIVE_UP,
		[ENGINE_ENDED]      = GIVE_UP,
	},
	[ENGINE_TAKEN] = {
		[ENGINE_ANSWERED]   = NO(TAKEN),
		[ENGINE_REDIRECT]   = REFUSE(481, TAKEN),
		[ENGINE_REFER]      = REFUSE(481, TAKEN),
		[ENGINE_PARK]       = REFUSE(481, TAKEN),
		[ENGINE_LEND]       = REFUSE(481, TAKEN),
		[ENGINE_FAILED]     = NO(TAKEN),
		[ENGINE_JOINED]     = NO(TAKEN),
		[ENGINE_ASKER_LEFT] = END,
		[ENGINE_KEPT_LEFT]  = NO(TAKEN), /* it is no longer here */
		[ENGINE_ENDED]      = GO(OVER),
	},
	[ENGINE_OVER] = {
		[ENGINE_ANSWERED]   = NO(OVER),
		[ENGINE_REDIRECT]   = REFUSE(481, OVER),
		[ENGINE_REFER]      = REFUSE(481, OVER),
		[ENGINE_PARK]       = REFUSE(481, OVER),
		[ENGINE_LEND]       = REFUSE(481, OVER),
		[ENGINE_FAILED]     = NO(OVER),
		[ENGINE_JOINED]     = NO(OVER),
		[ENGINE_ASKER_LEFT] = NO(OVER),
		[ENGINE_KEPT_LEFT]  = NO(OVER),
		[ENGINE_ENDED]      = NO(OVER),
	},
};

/* One that comes while one of the same side is open: 500; of the other side, or one of ours: 491. */
static const struct { uint16_t verdict; uint8_t next; } offers[OFFER_STATES][OFFER_EVENTS] = {
	/*                      from up                    from down                  to up                         to down                         done */
	[OFFER_FREE]      = { {   0, OFFER_FROM_UP   }, {   0, OFFER_FROM_DOWN }, { 0,          OFFER_TO_UP     }, { 0,          OFFER_TO_DOWN   }, { 0, OFFER_FREE } },
	[OFFER_FROM_UP]   = { { 500, OFFER_FROM_UP   }, { 491, OFFER_FROM_UP   }, { OFFER_WAIT, OFFER_FROM_UP   }, { OFFER_WAIT, OFFER_FROM_UP   }, { 0, OFFER_FREE } },
	[OFFER_FROM_DOWN] = { { 491, OFFER_FROM_DOWN }, { 500, OFFER_FROM_DOWN }, { OFFER_WAIT, OFFER_FROM_DOWN }, { OFFER_WAIT, OFFER_FROM_DOWN }, { 0, OFFER_FREE } },
	[OFFER_TO_UP]     = { { 491, OFFER_TO_UP     }, { 491, OFFER_TO_UP     }, { OFFER_WAIT, OFFER_TO_UP     }, { OFFER_WAIT, OFFER_TO_UP     }, { 0, OFFER_FREE } },
	[OFFER_TO_DOWN]   = { { 491, OFFER_TO_DOWN   }, { 491, OFFER_TO_DOWN   }, { OFFER_WAIT, OFFER_TO_DOWN   }, { OFFER_WAIT, OFFER_TO_DOWN   }, { 0, OFFER_FREE } },
};
/* clang-format on */

const struct engine_cell *engine_look(enum engine_state state, enum engine_op op)
{
	assert(state < ENGINE_STATES && op < ENGINE_OPS);
	return &cells[state][op];
}

struct engine_cell engine_step(struct engine *e, enum engine_op op)
{
	struct engine_cell cell = *engine_look((enum engine_state)e->state, op);

	if (cell.action == ENGINE_NO)
		e->ignored++;
	e->state = (uint8_t)cell.next;
	return cell;
}

const char *engine_state_name(enum engine_state state)
{
	static const char *const names[ENGINE_STATES] = {
		"setup",     "talk",   "transfer",    "transfer_left", "lent",
		"lent_left", "parked", "parked_lent", "taken",	       "over",
	};

	return names[state];
}

unsigned engine_offer_look(const struct engine *e, enum engine_offer_event event)
{
	return offers[e->offer][event].verdict;
}

unsigned engine_offer(struct engine *e, enum engine_offer_event event)
{
	unsigned verdict = offers[e->offer][event].verdict;

	e->offer = offers[e->offer][event].next;
	return verdict;
}

uint32_t engine_retry_ms(bool owner, uint32_t random)
{
	return owner ? 2100 + random % 191 * 10 : random % 201 * 10;
}
