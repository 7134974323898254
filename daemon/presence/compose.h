/* SPDX-License-Identifier: Apache-2.0 */
/* compose.h - one presence document made of all that a user's devices published (RFC 3856, 4479). */
#pragma once
#include "codec/pidf/pidf.h"

/* A user's state while it is put together; about 32 KiB, so it lives on the heap or in a server. */
struct compose {
	struct pidf out;
	struct pidf in; /* the document being added */
};

/* Begin with nobody there. entity: "sip:3001@aurabox.internal". */
void compose_begin(struct compose *c, struct slice entity);
/* Add one device's document, newest first: its tuples (as long as PIDF_TUPLES_MAX allows), what its
 * person does; of notes the newest stays. Errors: what pidf_parse() gives; nothing is added then. */
int compose_add(struct compose *c, struct slice document);
/* Append the result; a user of whom nothing is known is a single closed tuple. */
void compose_end(struct compose *c, struct buf *out);
