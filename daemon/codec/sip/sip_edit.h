/* SPDX-License-Identifier: Apache-2.0 */
/* sip_edit.h - change a parsed message while copying it: the forwarding path of a proxy.
 * Edits are noted first and applied in one pass; the message and its buffer stay untouched.
 *
 *	struct sip_edit edit;
 *	sip_edit_init(&edit, msg);
 *	sip_edit_request_uri(&edit, target);
 *	sip_edit_pop(&edit, SIP_HDR_ROUTE, 1);
 *	sip_edit_push(&edit, SIP_HDR_VIA, via_text);
 *	r = sip_edit_apply(&edit, &out);
 *
 * Every function may be called without looking at its result: the first error sticks and
 * sip_edit_apply() returns it. Errors: -ENOBUFS too many edits or too much text, -EINVAL overlapping
 * edits or a slice that is not of this message. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "codec/sip/sip_header.h"

struct buf;
struct sip_msg;
struct sip_header;

#define SIP_EDITS_MAX 64
#define SIP_EDIT_TEXT_MAX 4096 /* all inserted text of one edit together, the body aside */

struct sip_edit_op {
	uint32_t at;   /* offset in msg->raw */
	uint32_t cut;  /* bytes that go */
	uint32_t text; /* offset in edit->text */
	uint32_t text_len;
	const struct sip_header *header; /* whose values are being removed, or NULL */
};

struct sip_edit { /* plain storage, no destructor */
	const struct sip_msg *msg;
	int error;
	unsigned count;
	uint32_t text_used;
	bool set_body;
	struct slice body;
	struct sip_edit_op ops[SIP_EDITS_MAX]; /* in the order of their place */
	char text[SIP_EDIT_TEXT_MAX];
};

/* msg is borrowed until sip_edit_apply(). All texts given below are copied, but the body. */
void sip_edit_init(struct sip_edit *edit, const struct sip_msg *msg);

/* Start line. */
int sip_edit_request_uri(struct sip_edit *edit, struct slice uri);
int sip_edit_start_line(struct sip_edit *edit, struct slice line); /* without CRLF */

/* Whole fields. remove_all takes every field of an id. */
int sip_edit_remove(struct sip_edit *edit, const struct sip_header *header);
int sip_edit_remove_all(struct sip_edit *edit, enum sip_header_id id);
/* New value for one field, keeping its name. */
int sip_edit_value(struct sip_edit *edit, const struct sip_header *header, struct slice value);
/* Value of the single field of an id: replaced where it stands, added when there is none. */
int sip_edit_set(struct sip_edit *edit, enum sip_header_id id, struct slice value);
int sip_edit_set_u32(struct sip_edit *edit, enum sip_header_id id, uint32_t value);
/* A new field before the first one of its id (before the first field of all when there is none):
 * Via, Record-Route, Route, Path of a proxy. Several pushes of one id: the last called is on top. */
int sip_edit_push(struct sip_edit *edit, enum sip_header_id id, struct slice value);
/* A new field at the end of the header. */
int sip_edit_append(struct sip_edit *edit, enum sip_header_id id, struct slice value);
int sip_edit_append_named(struct sip_edit *edit, struct slice name, struct slice value);
/* Text before or after a field; text is whole lines with CRLF. */
int sip_edit_insert_before(struct sip_edit *edit, const struct sip_header *header,
			   struct slice lines);
int sip_edit_insert_after(struct sip_edit *edit, const struct sip_header *header,
			  struct slice lines);

/* Single values of list fields. pop takes the first n over all fields of an id. */
int sip_edit_pop(struct sip_edit *edit, enum sip_header_id id, size_t n);
/* One value as sip_values_next() gave it with its field; a field that loses its last value goes. */
int sip_edit_remove_value(struct sip_edit *edit, const struct sip_header *header,
			  struct slice value);
/* Any part of the header, for instance one value or one parameter. */
int sip_edit_replace(struct sip_edit *edit, struct slice old, struct slice text);

/* Write received= and rport= of the real source into the top Via (RFC 3261 section 18.2.1, RFC 3581
 * section 4). address is numeric, IPv6 without brackets; force_rport = also when not asked for. */
int sip_edit_stamp_via(struct sip_edit *edit, struct slice address, uint16_t port,
		       bool force_rport);

/* New body, borrowed until apply; Content-Length follows by itself. An empty content_type leaves the
 * field as it is, and an empty body removes it. */
int sip_edit_body(struct sip_edit *edit, struct slice content_type, struct slice body);

/* Append the edited message to out. A Content-Length is added when the message has none.
 * 0, the sticking error, or -ENOMEM / -EMSGSIZE when out could not take it. */
int sip_edit_apply(struct sip_edit *edit, struct buf *out);
