/* SPDX-License-Identifier: Apache-2.0 */
/* operation.h - the operations of engine.h carried out on a half: what a feature calls. */
#pragma once
#include <stdbool.h>

#include "cm/engine.h"

struct b2bua_half;
struct sip_dialog;

/* Raise an operation or what became of one; does what the table says but for ENGINE_END, which is the
 * caller's, and ENGINE_REFUSE. Returns what it found. */
struct engine_cell operation_raise(struct b2bua_half *b, enum engine_op op);
/* The same, saying first which side is kept. */
struct engine_cell operation_ask(struct b2bua_half *b, enum engine_op op, bool keep_up);
/* Park: the kept side waits alone, on hold, until another half borrows it (join_borrow()) or it hangs up;
 * the other one is let go with BYE. 0, or the status that says why not. */
unsigned operation_park(struct b2bua_half *b, bool keep_up);
/* The dialog of a side that talks, NULL once it has left. */
struct sip_dialog *operation_dialog(const struct b2bua_half *b, bool up);
/* Give the side's dialog away to another half, which talks in it from now on. */
struct sip_dialog *operation_take(struct b2bua_half *b, bool up);
/* The served station is done with this call: its line is free. */
void operation_free_line(struct b2bua_half *b);
