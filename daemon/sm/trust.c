/* SPDX-License-Identifier: Apache-2.0 */
/* trust.c - which internal header may come from whom and go to whom: one table. */
#include "sm/trust.h"

#include <assert.h>

/* clang-format off */
#define S TRUST_STRIP
#define K TRUST_KEEP
#define C TRUST_CREATE
#define R TRUST_REFUSE
static const struct trust_row rows[TRUST_ITEMS] = {
	/* Columns: phone over UDP, phone over TCP or TLS, cm, presence, trusted link, untrusted link */
	/* item              header                       received from           sent to             */
	[TRUST_PHASE]     = { TRUST_PHASE,     SIP_HDR_OTHER,                { R, R, K, R, K, R }, { S, S, C, S, S, S } },
	[TRUST_ODI]       = { TRUST_ODI,       SIP_HDR_OTHER,                { R, R, K, R, K, R }, { S, S, C, S, S, S } },
	[TRUST_IDENTITY]  = { TRUST_IDENTITY,  SIP_HDR_P_ASSERTED_IDENTITY,  { S, S, K, K, K, S }, { K, K, C, C, C, S } },
	[TRUST_LOCATION]  = { TRUST_LOCATION,  SIP_HDR_P_LOCATION,           { S, S, K, K, K, S }, { S, K, K, K, K, S } },
	[TRUST_VIEW]      = { TRUST_VIEW,      SIP_HDR_ENDPOINT_VIEW,        { S, S, K, K, K, S }, { S, K, K, K, K, S } },
	[TRUST_SESSION]   = { TRUST_SESSION,   SIP_HDR_AV_GLOBAL_SESSION_ID, { S, S, K, K, K, S }, { S, K, C, C, C, S } },
	[TRUST_CHARGING]  = { TRUST_CHARGING,  SIP_HDR_P_CHARGING_VECTOR,    { S, S, K, K, K, S }, { S, S, C, K, K, S } },
	[TRUST_PREFERRED] = { TRUST_PREFERRED, SIP_HDR_P_PREFERRED_IDENTITY, { S, S, S, S, S, S }, { S, S, S, S, S, S } },
};
#undef S
#undef K
#undef C
#undef R

static const char *const peer_names[TRUST_PEERS] = {
	"phone-udp", "phone-stream", "cm", "presence", "trusted-link", "untrusted-link",
};
/* clang-format on */

const struct trust_row *trust_row(enum trust_item item)
{
	assert(item < TRUST_ITEMS);
	return &rows[item];
}

bool trust_covers(enum sip_header_id header)
{
	for (size_t i = 0; header != SIP_HDR_OTHER && i < TRUST_ITEMS; i++)
		if (rows[i].header == header)
			return true;
	return false;
}

enum trust_action trust_from(enum trust_item item, enum trust_peer peer)
{
	assert(peer < TRUST_PEERS);
	return (enum trust_action)trust_row(item)->from[peer];
}

enum trust_action trust_to(enum trust_item item, enum trust_peer peer)
{
	assert(peer < TRUST_PEERS);
	return (enum trust_action)trust_row(item)->to[peer];
}

bool trust_is_phone(enum trust_peer peer)
{
	return peer == TRUST_PHONE_UDP || peer == TRUST_PHONE_STREAM;
}

bool trust_is_internal(enum trust_peer peer)
{
	return peer == TRUST_CM || peer == TRUST_PRESENCE || peer == TRUST_LINK;
}

const char *trust_peer_name(enum trust_peer peer)
{
	assert(peer < TRUST_PEERS);
	return peer_names[peer];
}
