/* SPDX-License-Identifier: Apache-2.0 */
/* sip_header.h - names of SIP header fields: known ids, compact forms, what may be a list. */
#pragma once
#include <stdbool.h>

#include "base/slice.h"

enum sip_header_id {
	SIP_HDR_OTHER = 0, /* any name that sip_header.def does not list */
#define SIP_HEADER(id, name, compact, flags) SIP_HDR_##id,
#include "codec/sip/sip_header.def"
#undef SIP_HEADER
	SIP_HDR_COUNT
};

/* Id of a field name, in any letter case, long or compact; SIP_HDR_OTHER when unknown. */
enum sip_header_id sip_header_lookup(struct slice name);
/* The length of that field's name when the line begins with it, written as here, and ":"; else 0. */
size_t sip_header_begins(struct slice line, enum sip_header_id id);
/* Canonical long name ("Call-ID"); empty for SIP_HDR_OTHER. Static storage. */
struct slice sip_header_name(enum sip_header_id id);
/* Whether several values may stand in one field, separated by commas. */
bool sip_header_is_list(enum sip_header_id id);
/* Whether a message with two such fields is malformed. */
bool sip_header_is_once(enum sip_header_id id);
