/* SPDX-License-Identifier: Apache-2.0 */
/* xml_text.h - text as XML 1.0 holds it, inside of elements and quoted attributes. */
#pragma once
#include "base/slice.h"

struct buf;

/* Append with &, <, >, " and CR escaped; characters that XML cannot hold are left out. */
void xml_text_add(struct buf *out, struct slice text);
