/* SPDX-License-Identifier: Apache-2.0 */
/* sequence.c - which application, or whom, a call goes to next. */
#include "sm/sequence.h"

#include "base/error.h"
#include "node/uc_model.h"

/* What a phase walks through, and what follows when its applications are through. */
struct phase_row {
	bool walks;	    /* through the served user's sequence */
	enum odi_half half; /* in which half */
	bool then_callee;   /* then look up the callee and begin the terminating half */
};

/* clang-format off */
static const struct phase_row phases[SEQUENCE_PHASES] = {
	/* phase                  walks  half             then callee */
	[SEQUENCE_ORIGINATE] = { true,  ODI_ORIGINATING, true  },
	[SEQUENCE_ORIGDONE]  = { true,  ODI_ORIGINATING, true  },
	[SEQUENCE_TERMINATE] = { false, ODI_ORIGINATING, true  },
	[SEQUENCE_TERMDONE]  = { true,  ODI_TERMINATING, false },
};

static const char *const words[][2] = {
	[ODI_ORIGINATING] = { "imsorig", "origdone" },
	[ODI_TERMINATING] = { "imsterm", "termdone" },
};
/* clang-format on */

const char *sequence_out(enum odi_half half)
{
	return words[half][0];
}

const char *sequence_back(enum odi_half half)
{
	return words[half][1];
}

bool sequence_phase_read(struct slice word, enum odi_half half, enum sequence_phase *ret)
{
	if (!slice_eq_str(word, words[half][1]))
		return false;
	*ret = half == ODI_ORIGINATING ? SEQUENCE_ORIGDONE : SEQUENCE_TERMDONE;
	return true;
}

const struct uc_user *sequence_user(const struct uc_model *model, struct slice key)
{
	const struct uc_user *user = uc_user_by_handle(model, key.p, key.len);

	return user ? user : uc_user_by_extension(model, key.p, key.len);
}

const struct uc_sequence *sequence_of(const struct uc_user *user,
				      const struct uc_implicit_user *implicit, enum odi_half half)
{
	if (user)
		return user->sequence;
	if (!implicit)
		return NULL;
	return half == ODI_ORIGINATING ? implicit->origination : implicit->termination;
}

/* Who is served in a half. */
struct served {
	const struct uc_user *user;
	const struct uc_implicit_user *implicit;
	struct slice name;
};

/* The next application of the sequence from place on; false when there is none left. */
static bool walk(const struct served *who, enum odi_half half, unsigned place,
		 sequence_usable_fn *usable, void *arg, struct sequence_step *out)
{
	const struct uc_sequence *sequence = sequence_of(who->user, who->implicit, half);

	for (; sequence && place < sequence->count && place <= 9; place++) {
		const struct uc_sequence_entry *entry = &sequence->entries[place];
		bool alive = entry->entity && usable(arg, entry->entity);

		if (!alive && !entry->mandatory) {
			out->skipped++;
			continue;
		}
		out->kind = alive ? SEQUENCE_APPLICATION : SEQUENCE_FAIL;
		out->half = half;
		out->place = place;
		out->application = entry;
		out->user = who->user;
		out->implicit = who->implicit;
		out->served = who->user ? slice_str(who->user->handle) : who->name;
		return true;
	}
	return false;
}

void sequence_next(const struct uc_model *model, const struct sequence_position *position,
		   sequence_usable_fn *usable, void *user, struct sequence_step *ret)
{
	const struct phase_row *row = &phases[position->phase];
	const struct served served = { position->user, position->implicit, position->number };
	struct served callee = { 0 };

	*ret = (struct sequence_step){ .kind = SEQUENCE_NOBODY, .half = row->half };
	if (row->walks && walk(&served, row->half, position->place, usable, user, ret))
		return;

	callee.user = sequence_user(model, position->callee);
	if (!callee.user && !row->then_callee)
		callee.user = position->user;
	if (!callee.user && row->then_callee) {
		callee.implicit = position->callee_implicit;
		callee.name = position->callee_number;
	}
	if (row->then_callee && walk(&callee, ODI_TERMINATING, 0, usable, user, ret))
		return;
	if (!callee.user)
		return;
	ret->kind = SEQUENCE_CONTACTS;
	ret->half = ODI_TERMINATING;
	ret->user = callee.user;
}
