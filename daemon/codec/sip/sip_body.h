/* SPDX-License-Identifier: Apache-2.0 */
/* sip_body.h - where in a message's body the session description is. RFC 5621, RFC 2046 section 5.1. */
#pragma once
#include <stdbool.h>

#include "base/slice.h"

#define SIP_BODY_PARTS_MAX 32 /* that are looked at, of one multipart body */
#define SIP_BODY_DEPTH_MAX 3  /* multiparts inside one another */

/* type: the Content-Type field. ret: the body itself when it is application/sdp, else the first such part
 * of a multipart one whose disposition is "session" or not said. A part that cannot be told from the
 * next one (no boundary) is none. */
bool sip_body_description(struct slice type, struct slice body, struct slice *ret);
