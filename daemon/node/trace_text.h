/* SPDX-License-Identifier: Apache-2.0 */
/* trace_text.h - what the trace reads in a message's bytes, and what it overwrites there. Pure: no
 * parsed message is needed, so that malformed ones are traced as well. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* Slices into the message; empty where there is none. */
struct trace_fields {
	struct slice call_id;
	struct slice gsid; /* Av-Global-Session-ID */
	struct slice cseq;
};

/* One pass over the header lines. */
struct trace_fields trace_scan(struct slice message);
/* "… OPTIONS": what links are probed with, on either way. */
bool trace_is_probe(const struct trace_fields *fields);

/* Overwrite with '*', in place: digest `response`, `nonce`, `cnonce`, `opaque`, `nextnonce`, `rspauth`
 * in credentials and challenges, other credentials whole, keys in SDP (`a=crypto`, `a=ice-pwd`). */
void trace_mask(char *text, size_t len);

/* Is the user's name, as a word of its own, in the request line, From or To? */
bool trace_names_user(struct slice message, struct slice user);
/* In any case of ASCII. */
bool trace_has_text(struct slice message, struct slice text);
