/* SPDX-License-Identifier: Apache-2.0 */
/* sequence.h - which application, or whom, a call goes to next: the half-call model
 * imsorig -> origdone -> imsterm -> termdone. Decides only; touches nothing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "sm/odi.h"

struct uc_entity;
struct uc_implicit_user;
struct uc_model;
struct uc_sequence;
struct uc_sequence_entry;
struct uc_user;

/* Where a call stands when sm holds it. */
enum sequence_phase {
	SEQUENCE_ORIGINATE, /* from a user's phone */
	SEQUENCE_ORIGDONE,  /* an application of the originating half gave it back */
	SEQUENCE_TERMINATE, /* from someone who has no originating half here */
	SEQUENCE_TERMDONE,  /* an application of the terminating half gave it back */
	SEQUENCE_PHASES
};

enum sequence_kind {
	SEQUENCE_APPLICATION, /* send to entry's entity, phase imsorig or imsterm */
	SEQUENCE_CONTACTS,    /* fork to the contacts of user */
	SEQUENCE_FAIL,	      /* a mandatory application is dead: 500 */
	SEQUENCE_NOBODY,      /* nobody has that number: 404 */
};

struct sequence_position {
	enum sequence_phase phase;
	const struct uc_user *user; /* served: caller, callee; NULL in TERMINATE */
	const struct uc_implicit_user
		*implicit;   /* served where user is NULL: a number of a pattern */
	struct slice number; /* that number */
	unsigned place;	     /* first application to try */
	struct slice callee; /* user part of the Request-URI, unescaped */
	const struct uc_implicit_user *callee_implicit; /* of the callee, should he be no user */
	struct slice callee_number;
};

struct sequence_step {
	enum sequence_kind kind;
	enum odi_half half;
	unsigned place;
	const struct uc_sequence_entry *application; /* APPLICATION and FAIL */
	const struct uc_user *user;		     /* served user, or whose contacts */
	const struct uc_implicit_user *implicit;     /* served where user is NULL */
	struct slice served;			     /* handle or number of who is served */
	unsigned skipped;			     /* optional applications passed over */
};

/* Is that entity alive? */
typedef bool sequence_usable_fn(void *user, const struct uc_entity *entity);

void sequence_next(const struct uc_model *model, const struct sequence_position *position,
		   sequence_usable_fn *usable, void *user, struct sequence_step *ret);
/* The user of that handle or extension, NULL when there is none. */
const struct uc_user *sequence_user(const struct uc_model *model, struct slice key);

/* The sequence of a half: a user's own, or that of the pattern his number is of; NULL: none. */
const struct uc_sequence *sequence_of(const struct uc_user *user,
				      const struct uc_implicit_user *implicit, enum odi_half half);

/* "imsorig", "origdone", "imsterm", "termdone": the phase parameter towards and from an application
 * of a half. */
const char *sequence_out(enum odi_half half);
const char *sequence_back(enum odi_half half);
/* The position behind the application that gave a call back. false: not such a word. */
bool sequence_phase_read(struct slice word, enum odi_half half, enum sequence_phase *ret);
