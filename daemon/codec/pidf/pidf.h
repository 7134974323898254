/* SPDX-License-Identifier: Apache-2.0 */
/* pidf.h - presence documents: PIDF (RFC 3863) with the data model's person (RFC 4479) and the
 * activities of RPID (RFC 4480). libxml2 is used inside, without network and without entities. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf;

#define PIDF_MAX 65536 /* bytes of one document */
#define PIDF_TUPLES_MAX 16
#define PIDF_TEXT_MAX 256 /* bytes of one text, with its NUL; longer ones are cut at a character */
#define PIDF_DEPTH_MAX 32

#define PIDF_CONTENT_TYPE "application/pidf+xml"

enum pidf_basic { PIDF_BASIC_NONE = 0, PIDF_OPEN, PIDF_CLOSED };

enum pidf_activity { /* bits */
		     PIDF_ON_THE_PHONE = 1 << 0,
		     PIDF_BUSY = 1 << 1,
		     PIDF_AWAY = 1 << 2,
		     PIDF_MEETING = 1 << 3,
		     PIDF_VACATION = 1 << 4,
		     PIDF_APPOINTMENT = 1 << 5,
		     PIDF_MEAL = 1 << 6,
		     PIDF_PERMANENT_ABSENCE = 1 << 7,
		     PIDF_IN_TRANSIT = 1 << 8,
		     PIDF_TRAVEL = 1 << 9,
		     PIDF_SLEEPING = 1 << 10,
		     PIDF_STEERING = 1 << 11,
		     PIDF_OTHER_ACTIVITY = 1 << 12,
		     PIDF_UNKNOWN_ACTIVITY = 1 << 13,
};

struct pidf_tuple {
	char id[PIDF_TEXT_MAX];
	enum pidf_basic basic;
	char contact[PIDF_TEXT_MAX];
	int priority; /* thousandths 0..1000, -1 = none */
	char note[PIDF_TEXT_MAX];
	char timestamp[40];
};

/* Plain value, about 16 KiB; texts are UTF-8 with NUL. */
struct pidf {
	char entity[PIDF_TEXT_MAX]; /* "pres:3001@aurabox.internal" or a SIP URI */
	size_t tuple_count;
	struct pidf_tuple tuples[PIDF_TUPLES_MAX];
	bool has_person;
	char person_id[PIDF_TEXT_MAX];
	unsigned activities; /* enum pidf_activity */
	char person_note[PIDF_TEXT_MAX];
	char note[PIDF_TEXT_MAX]; /* of the whole presentity */
};

/* 0; -EBADMSG not well-formed, not PIDF, or with a document type; -EMSGSIZE beyond a limit;
 * -ENOMEM; then ret holds rubbish. Elements it does not know are passed over. */
int pidf_parse(struct slice in, struct pidf *ret);
/* Append the document; test buf_ok(). Characters that XML cannot hold are left out. */
void pidf_write(const struct pidf *pidf, struct buf *out);
/* Element name of one activity bit ("on-the-phone"), NULL for anything else. */
const char *pidf_activity_name(unsigned bit);
/* Set a text member, cut at a whole UTF-8 character. */
void pidf_text_set(char (*member)[PIDF_TEXT_MAX], struct slice text);
