/* SPDX-License-Identifier: Apache-2.0 */
/* reginfo.h - writing registration state documents (RFC 3680 section 5): full state, one AOR. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct buf;

#define REGINFO_CONTENT_TYPE "application/reginfo+xml"

struct reginfo_contact {
	uint64_t id;	    /* the same for ever */
	bool active;	    /* else terminated */
	const char *event;  /* "registered", "unregistered", "expired" ...: section 3.5 */
	uint32_t expires_s; /* of an active one */
	uint32_t q;	    /* thousandths */
	struct slice uri;
	struct slice call_id; /* empty: not shown, and no CSeq */
	uint32_t cseq;
	struct slice instance; /* +sip.instance without quotes, or empty */
};

/* The document: begin, any number of contacts, end. Test buf_ok() at the end. */
void reginfo_begin(struct buf *out, uint32_t version, struct slice aor, bool active);
void reginfo_add(struct buf *out, const struct reginfo_contact *contact);
void reginfo_end(struct buf *out);
