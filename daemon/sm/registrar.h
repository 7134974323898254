/* SPDX-License-Identifier: Apache-2.0 */
/* registrar.h - REGISTER: who may, what is granted, what the answer says (RFC 3261 section 10). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "sm/location.h"
#include "sm/sm_options.h"

struct buf;
struct sip_incoming;
struct sip_msg;
struct sm;

/* Handle a REGISTER to our domain: challenge, change the location, answer. */
void registrar_request(struct sm *sm, const struct sip_incoming *in);

/* The time that is granted for a time asked for. 0, or -ERANGE: too short, 423. */
int registrar_grant(const struct sm_options *options, uint32_t asked_s, uint32_t *ret);
/* Where what does not stand in the message as it is kept is put together. */
struct registrar_text {
	char path[LOCATION_PATH_MAX];
	char params[LOCATION_CONTACTS_MAX][LOCATION_TEXT_MAX];
};
/* Read Path, Contacts, Expires, Call-ID, CSeq into the request; slices point into msg and
 * text. Returns the status to refuse with (400, 403, 420 no "path" in Supported, 423, 439) or 0. */
unsigned registrar_read(const struct sm_options *options, const struct sip_msg *msg,
			struct registrar_text *text, struct location_request *ret);
