/* SPDX-License-Identifier: Apache-2.0 */
/* operation.c - the operations of engine.h carried out on a half. */
#include "cm/operation.h"

#include "base/error.h"
#include "base/log.h"
#include "cm/b2bua.h"
#include "cm/join.h"
#include "cm/side.h"
#include "cm/transfer.h"
#include "stack/sip/sip_dialog.h"

struct sip_dialog *operation_dialog(const struct b2bua_half *b, bool up)
{
	int8_t winner = b->half.forks.winner;

	if (winner < 0 || b->engine.left[up])
		return NULL;
	return up ? b->up[winner] : b->down[winner];
}

struct sip_dialog *operation_take(struct b2bua_half *b, bool up)
{
	struct sip_dialog *dialog = operation_dialog(b, up);
	int8_t winner = b->half.forks.winner;

	if (!dialog)
		return NULL;
	relay_end_dialog(b, dialog);
	for (unsigned i = 0; i < FORK_BRANCH_MAX; i++) {
		if (b->branches[i].base == dialog)
			b->branches[i].base = NULL;
	}
	*(up ? &b->up[winner] : &b->down[winner]) = NULL;
	return dialog;
}

void operation_free_line(struct b2bua_half *b)
{
	struct half *h = &b->half;
	struct cm *cm = b->cm;

	if (h->appearance == 0)
		return;
	b2bua_line_idle(b);
	appearance_release(&cm->appearances, slice_str(h->station), h->appearance);
	h->appearance = 0;
}

static bool serves_up(const struct b2bua_half *b)
{
	return b->half.phase == HALF_IMSORIG;
}

/* Its dialog is kept for the news that are still due in it; nothing else goes there any more. */
static void split(struct b2bua_half *b)
{
	bool gone_up = b->engine.asker_up;
	struct leg *gone = gone_up ? &b->half.up : &b->half.down;
	struct leg *kept = gone_up ? &b->half.down : &b->half.up;
	struct sip_dialog *dialog = operation_dialog(b, gone_up);

	log_info("call.split", F("gsid", b->half.call->gsid),
		 F("state", engine_state_name((enum engine_state)b->engine.state)));
	relay_end_dialog(b, dialog);
	b->engine.left[gone_up] = true;
	session_stop_side(b, gone_up);
	gone->state = LEG_ENDED;
	kept->state = LEG_HELD;
	if (gone_up == serves_up(b))
		operation_free_line(b);
	side_hold(b, !gone_up);
}

static void give_up(struct b2bua_half *b)
{
	join_old_over(b);
	transfer_asker_over(b);
}

struct engine_cell operation_raise(struct b2bua_half *b, enum engine_op op)
{
	struct engine_cell cell = engine_step(&b->engine, op);

	switch (cell.action) {
	case ENGINE_SPLIT:
		split(b);
		break;
	case ENGINE_DROP_KEPT:
		b2bua_release(b, 480, "Nobody is left");
		break;
	case ENGINE_GIVE_UP:
		give_up(b);
		break;
	case ENGINE_LET_GO:
		transfer_let_go(b);
		break;
	default:
		break;
	}
	return cell;
}

struct engine_cell operation_ask(struct b2bua_half *b, enum engine_op op, bool keep_up)
{
	const struct engine_cell *cell = engine_look((enum engine_state)b->engine.state, op);

	/* Of one that is parked the side that waits is known. */
	if (cell->action == ENGINE_REFUSE ||
	    (b->engine.state == ENGINE_PARKED && b->engine.asker_up == keep_up))
		return (struct engine_cell){ ENGINE_REFUSE, (enum engine_state)b->engine.state,
					     cell->status ? cell->status : 481 };
	b->engine.asker_up = !keep_up;
	return operation_raise(b, op);
}

unsigned operation_park(struct b2bua_half *b, bool keep_up)
{
	struct engine_cell cell;

	if (!operation_dialog(b, !keep_up) || !operation_dialog(b, keep_up))
		return 481;
	cell = operation_ask(b, ENGINE_PARK, keep_up);
	if (cell.action == ENGINE_REFUSE)
		return cell.status;
	b2bua_bye_side(b, !keep_up);
	return 0;
}
