/* SPDX-License-Identifier: Apache-2.0 */
/* odi.h - the correlation token of application sequencing, after 3GPP's original dialog identifier
 * (TS 24.229 section 5.4.3.4): what came back from an application belongs to what was sent to it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define ODI_KEY_SIZE 32
#define ODI_USER_MAX 64
/* "o0-" expiry "-" user as hex "-" 32 hex digits */
#define ODI_TEXT_SIZE (3 + 10 + 1 + 2 * ODI_USER_MAX + 1 + 32 + 1)

enum odi_half { ODI_ORIGINATING, ODI_TERMINATING };

struct odi {
	enum odi_half half;
	unsigned place;		     /* 0..9: which application of the sequence it was sent to */
	int64_t expires_s;	     /* seconds since 1970 */
	char user[ODI_USER_MAX + 1]; /* handle of the served user */
};

/* The token, safe as a URI parameter, into out[ODI_TEXT_SIZE]. Errors: -EINVAL a place above 9 or a
 * handle that is empty or too long. */
int odi_make(const uint8_t key[static ODI_KEY_SIZE], const struct odi *odi, struct slice gsid,
	     char *out);
/* Errors: -EBADMSG not a token, -EKEYREJECTED not made by us for this session, -ETIME expired. */
int odi_read(const uint8_t key[static ODI_KEY_SIZE], struct slice text, struct slice gsid,
	     int64_t now_s, struct odi *ret);

/* A short proof, 16 hex digits and NUL, that a Record-Route value was written by us for a dialog. */
#define ODI_COOKIE_SIZE 17
void odi_cookie(const uint8_t key[static ODI_KEY_SIZE], struct slice call_id, char *out);
/* The same for a flow named in it: of that text in that dialog. */
void odi_seal_flow(const uint8_t key[static ODI_KEY_SIZE], struct slice text, struct slice call_id,
		   char *out);
bool odi_cookie_valid(const uint8_t key[static ODI_KEY_SIZE], struct slice cookie,
		      struct slice call_id);
