/* SPDX-License-Identifier: Apache-2.0 */
/* trust.h - which internal header may come from whom and go to whom: one table. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "codec/sip/sip_header.h"

/* Who is at the other end of a hop. */
enum trust_peer {
	TRUST_PHONE_UDP,    /* a user's phone over UDP */
	TRUST_PHONE_STREAM, /* a user's phone over TCP or TLS */
	TRUST_CM,
	TRUST_PRESENCE,
	TRUST_LINK,	 /* a trusted entity link, known by its certificate */
	TRUST_UNTRUSTED, /* an entity that is let in but not believed */
	TRUST_PEERS
};

enum trust_action {
	TRUST_STRIP,
	TRUST_KEEP,
	TRUST_CREATE, /* keep what is there, else make one */
	TRUST_REFUSE, /* 403 and counted */
};

enum trust_item {
	TRUST_PHASE, /* Route parameter */
	TRUST_ODI,   /* Route parameter */
	TRUST_IDENTITY,
	TRUST_LOCATION,
	TRUST_VIEW,
	TRUST_SESSION,
	TRUST_CHARGING,
	TRUST_PREFERRED,
	TRUST_ITEMS
};

struct trust_row {
	enum trust_item item;
	enum sip_header_id header; /* SIP_HDR_OTHER: a parameter of Route */
	unsigned char from[TRUST_PEERS];
	unsigned char to[TRUST_PEERS];
};

/* Does the table speak of that field? */
bool trust_covers(enum sip_header_id header);
/* The row of an item; never NULL for an item below TRUST_ITEMS. */
const struct trust_row *trust_row(enum trust_item item);
enum trust_action trust_from(enum trust_item item, enum trust_peer peer);
enum trust_action trust_to(enum trust_item item, enum trust_peer peer);
bool trust_is_phone(enum trust_peer peer);
bool trust_is_internal(enum trust_peer peer); /* cm, presence, trusted link */
const char *trust_peer_name(enum trust_peer peer);
