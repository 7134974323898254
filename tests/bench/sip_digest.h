/* SPDX-License-Identifier: Apache-2.0 */
/* sip_digest.h - the client's side of a challenge, for the loads of bench_sip.py. */
#pragma once
#include "md5_hex.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD "bench-"
#define NONCE_MAX 128

/* The line HEADER: Digest ..., for the user whose password is "bench-" and his name. */
static inline int credentials(char *out, size_t size, const char *header, const char *user,
			      const char *domain, const char *method, const char *uri,
			      const char *nonce)
{
	char text[512], ha1[33], ha2[33], response[33];

	(void)snprintf(text, sizeof(text), "%s:%s:%s%s", user, domain, PASSWORD, user);
	md5_hex(text, ha1);
	(void)snprintf(text, sizeof(text), "%s:%s", method, uri);
	md5_hex(text, ha2);
	(void)snprintf(text, sizeof(text), "%s:%s:00000001:0a4f113b:auth:%s", ha1, nonce, ha2);
	md5_hex(text, response);
	return snprintf(out, size,
			"%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
			"response=\"%s\", algorithm=MD5, cnonce=\"0a4f113b\", qop=auth, "
			"nc=00000001\r\n",
			header, user, domain, nonce, uri, response);
}

static inline bool take_nonce(const char *msg, char out[NONCE_MAX])
{
	const char *p = strstr(msg, "nonce=\"");
	size_t n;

	if (!p)
		return false;
	n = strcspn(p + 7, "\"");
	if (n >= NONCE_MAX)
		return false;
	memcpy(out, p + 7, n);
	out[n] = '\0';
	return true;
}
