/* SPDX-License-Identifier: Apache-2.0 */
/* reading.h - what a SIP parser has read of a message, as plain text to be compared. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define READING_TEXT 256

enum reading_field {
	READ_KIND, /* method or status */
	READ_URI,  /* each address: scheme, user, host, port, in this order */
	READ_URI_USER,
	READ_URI_HOST,
	READ_URI_PORT,
	READ_FROM,
	READ_FROM_USER,
	READ_FROM_HOST,
	READ_FROM_PORT,
	READ_TO,
	READ_TO_USER,
	READ_TO_HOST,
	READ_TO_PORT,
	READ_CONTACT,
	READ_CONTACT_USER,
	READ_CONTACT_HOST,
	READ_CONTACT_PORT,
	READ_FROM_TAG,
	READ_TO_TAG,
	READ_CALL_ID,
	READ_CSEQ,
	READ_CSEQ_METHOD,
	READ_VIA_HOST,
	READ_VIA_PORT,
	READ_VIA_BRANCH,
	READ_VIA_RECEIVED,
	READ_VIA_RPORT,
	READ_MAX_FORWARDS,
	READ_LENGTH,
	READ_BODY, /* its bytes' number and sum */
	READ_FIELDS
};

struct reading {
	char field[READ_FIELDS][READING_TEXT]; /* "" = not there */
};

/* Without what carries no meaning: letter case of names that have none, brackets, leading zeros. */
void reading_set(struct reading *reading, enum reading_field field, const char *text, size_t len);
void reading_set_text(struct reading *reading, enum reading_field field,
		      const char *text); /* NULL ok */
void reading_set_number(struct reading *reading, enum reading_field field, unsigned long number);
void reading_set_body(struct reading *reading, const char *p, size_t len);
/* %XX of a user part undone first. */
void reading_set_escaped(struct reading *reading, enum reading_field field, const char *text,
			 size_t len);

/* The other parsers; 0, or -1 when it takes the message for malformed. */
int oracle_osip(const char *bytes, size_t len, struct reading *ret);
int oracle_sofia(const char *bytes, size_t len, struct reading *ret);
