/* SPDX-License-Identifier: Apache-2.0 */
/* priv_wire.h - what auraboxd and aurabox-priv say to one another: one request, one reply a connection,
 * on a SOCK_SEQPACKET unix socket; a descriptor may come with the reply (SCM_RIGHTS). */
#pragma once
#include <stdint.h>

#define PRIV_SOCKET "/run/aurabox/priv.sock" /* below --root */
#define PRIV_MAGIC 0x41555250U
#define PRIV_VERSION 1

/* The closed list. What to do is aurabox.conf's word, which root alone writes; a caller can name a VM
 * and nothing else. */
enum priv_verb {
	PRIV_PING = 1,
	PRIV_BRIDGE,   /* make the bridge as configured, or set it right */
	PRIV_FIREWALL, /* load the nftables table of the phones and the guests */
	PRIV_LOG_OPEN, /* console log `index` (0: newest) of VM `name`, read-only; comes as descriptor */
	PRIV_VERB_END,
};

struct priv_request {
	uint32_t magic, version, verb, index;
	char name[64]; /* [a-z0-9-], NUL-terminated; empty where the verb takes none */
};

struct priv_reply {
	uint32_t magic, version;
	int32_t result;	  /* 0 or a negative errno */
	char detail[236]; /* why, NUL-terminated */
};
