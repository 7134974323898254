/* SPDX-License-Identifier: Apache-2.0 */
/* line.h - what stations do on their line appearances, published to sm as dialog state (RFC 4235 by
 * RFC 3903): sm tells it to the phones that subscribed. One publication a station, whole each time. */
#pragma once
#include <stdbool.h>

#include "base/map.h"
#include "base/slice.h"
#include "cm/appearance.h"

struct buf;
struct cm;

#define LINE_STATIONS_MAX 20000 /* stations that are published */
#define LINE_TEXT_MAX 256	/* bytes of an id, tag or party; longer ones are cut */

enum line_state { LINE_IDLE, LINE_TRYING, LINE_EARLY, LINE_CONFIRMED };

/* A dialog of the station's phone, as the phone sees it; texts are borrowed. */
struct line_dialog {
	enum line_state state;
	bool initiator; /* the phone called */
	struct slice call_id, local_tag, remote_tag;
	struct slice peer; /* URI of the other party; empty: nobody yet */
};

struct line_table {
	struct map by_handle;
};

void line_table_init(struct line_table *t);
void line_table_done(struct line_table *t);

/* From now on this station's lines are published: it went off-hook, so its phone subscribed. false:
 * LINE_STATIONS_MAX is reached or there is no memory. */
bool line_watch(struct cm *cm, struct slice handle);
/* Is it worth telling? */
bool line_is_watched(const struct cm *cm, struct slice handle);
/* Appearance `number` (from 1) does this now; dialog NULL: nothing. Stations that are not watched are
 * left alone, unless [call] dialog_state says all. */
void line_set(struct cm *cm, struct slice handle, int number, const struct line_dialog *dialog);

/* The document (application/dialog-info+xml) of lines; numbers count from 1, idle ones are left out.
 * Test buf_ok(). */
void line_document(struct buf *out, struct slice entity, unsigned version,
		   const struct line_dialog lines[APPEARANCE_MAX]);
