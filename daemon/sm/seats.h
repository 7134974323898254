/* SPDX-License-Identifier: Apache-2.0 */
/* seats.h - how many calls each entity has: a seat a dialog, taken with its INVITE, given back when the
 * INVITE fails, with the BYE, when the dialog turns out to be gone, when its session timer (RFC 4028) runs
 * out, when the entity is dead, and after a day at the latest. Counts and judges; touches no message. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

#define SEATS_MAX 131072
#define SEATS_AGE_MAX_MS (24LL * 3600 * 1000)

struct seats; /* opaque, see seats.c */

/* One dialog at one entity, by what its INVITE says. */
struct seat_key {
	struct slice entity; /* its name */
	struct slice call_id;
	struct slice from_tag;
};

int seats_new(struct seats **ret); /* -ENOMEM */
struct seats *seats_free(struct seats *seats);
DEFINE_AUTO(seats)

/* An INVITE is about to go there, or came from there. limit 0: none. true: it has a seat, maybe already.
 * Who must be let through has none where there is no room, and is let through. */
bool seats_take(struct seats *seats, const struct seat_key *key, uint32_t limit, bool must,
		int64_t now_ms);
/* It was refused or came to nothing. */
void seats_leave(struct seats *seats, const struct seat_key *key);
/* Its 2xx came; session_s is its session timer, 0: none. */
void seats_answered(struct seats *seats, struct slice call_id, struct slice from_tag,
		    struct slice to_tag, uint32_t session_s, int64_t now_ms);
/* A 2xx to a request inside of the dialog: its session timer begins anew. */
void seats_refreshed(struct seats *seats, struct slice call_id, uint32_t session_s, int64_t now_ms);
/* The dialog has ended; the tags in either order. */
void seats_ended(struct seats *seats, struct slice call_id, struct slice tag, struct slice other);
/* Who is dead holds no call. */
void seats_lost(struct seats *seats, struct slice entity);
void seats_expire(struct seats *seats, int64_t now_ms);
uint32_t seats_of(const struct seats *seats, struct slice entity);
