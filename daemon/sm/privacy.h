/* SPDX-License-Identifier: Apache-2.0 */
/* privacy.h - what a caller wants to be hidden (RFC 3323, RFC 3325), and hiding it. */
#pragma once
#include <stdbool.h>

#include "codec/sip/sip_header.h"

struct sip_edit;
struct sip_msg;
struct sip_uri;

enum privacy {			      /* bits */
	       PRIVACY_ID = 1 << 0,   /* no P-Asserted-Identity to who is not trusted */
	       PRIVACY_USER = 1 << 1, /* nothing that names the person either */
	       PRIVACY_HEADER =
		       1 << 2, /* Via, Contact, Record-Route: only a back-to-back user agent can */
	       PRIVACY_SESSION = 1 << 3,  /* the media's addresses: likewise */
	       PRIVACY_CRITICAL = 1 << 4, /* rather no call than without */
};

/* The words of all Privacy fields; "none" among them: nothing. */
unsigned privacy_of(const struct sip_msg *msg);
/* It must be refused with 500 (RFC 3323 section 5): it is critical, and not ours to give. */
bool privacy_is_out_of_reach(unsigned privacy);
/* sip:anonymous@anonymous.invalid, or any of that host: a From that says nothing. */
bool privacy_is_anonymous(const struct sip_uri *uri);
/* From without a person; its tag stays. */
void privacy_hide_from(struct sip_edit *edit);
/* Does a field name the person otherwise? It goes, too. */
bool privacy_names_user(enum sip_header_id id);
