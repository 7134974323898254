/* SPDX-License-Identifier: Apache-2.0 */
/* stun_msg.h - STUN messages as far as keep-alives need them: a Binding request read, its answer
 * written. RFC 8489 sections 5, 6.3, 14; RFC 5626 section 4.4.2. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf;

#define STUN_HEADER_SIZE 20
#define STUN_ID_SIZE 12
#define STUN_UNKNOWN_MAX 4 /* attributes that an error names */

enum stun_type { /* class and method together (section 5) */
		 STUN_BINDING_REQUEST = 0x0001,
		 STUN_BINDING_INDICATION = 0x0011,
		 STUN_BINDING_SUCCESS = 0x0101,
		 STUN_BINDING_ERROR = 0x0111,
};

struct stun_msg {
	uint16_t type;
	struct slice id;      /* of the transaction, in the input */
	bool fingerprint;     /* there is one, and it is right */
	size_t unknown_count; /* attributes that must be understood and are not; the first of them: */
	uint16_t unknown[STUN_UNKNOWN_MAX];
};

/* Can it be nothing but STUN? SIP begins with a letter, and has no such cookie. */
bool stun_is(struct slice in);
/* -EBADMSG: lengths that do not fit, a fingerprint that is wrong or not the last. */
int stun_parse(struct slice in, struct stun_msg *ret);
/* The answer to a Binding request: where it came from, address in network order (4 or 16 bytes), or 420
 * with what was not understood. With a fingerprint where the request had one. */
void stun_write_binding(const struct stun_msg *request, struct slice address, uint16_t port,
			struct buf *out);
