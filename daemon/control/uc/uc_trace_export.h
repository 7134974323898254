/* SPDX-License-Identifier: Apache-2.0 */
/* uc_trace_export.h - a trace as a file for other programs and for people. Pure functions over items
 * of uc_ladder_fold(). Errors: -ENOMEM, -EMSGSIZE (the buffer's limit). */
#pragma once
#include "base/json_field.h"
#include <stdbool.h>

struct buf;

/* pcapng (draft-ietf-opsawg-pcapng): one interface a node, IP packets with UDP or TCP headers made of
 * what is known. TLS and WebSocket are shown as TCP in the clear; a packet's comment says so. */
int uc_trace_pcapng(const json_t *items, struct buf *out);
int uc_trace_text(const json_t *items, bool truncated, struct buf *out);
/* One page without scripts; ladder: of uc_ladder(), its messages are the items. */
int uc_trace_html(const json_t *items, const json_t *ladder, struct buf *out);
