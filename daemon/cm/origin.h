/* SPDX-License-Identifier: Apache-2.0 */
/* origin.h - one origin (o=) a dialog for all descriptions that cm sends in it. RFC 3264 sections 5 and 8,
 * RFC 8866 section 5.2. What is remembered of it belongs to the dialog and goes where that goes. */
#pragma once
#include "base/slice.h"

struct buf;
struct sip_dialog;

/* Append a body that goes out in that dialog now. A description, also one inside a multipart body, gets
 * the dialog's origin: the version of before when it says the same as the last one, else the next. All
 * its other bytes, and a body that has no description, stay as they are. */
void origin_write(struct sip_dialog *dialog, struct slice type, struct slice body, struct buf *out);
