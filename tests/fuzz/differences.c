/* SPDX-License-Identifier: Apache-2.0 */
/* differences.c - see differences.h. The first row that fits explains a difference. */
#include "differences.h"

#include <errno.h>
#include <string.h>

#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"

struct difference {
	unsigned oracles; /* enum oracle */
	enum reading_field first, last;
	bool (*is_so)(const struct sip_msg *msg, const char *ours, const char *theirs);
	const char *why;
};

static bool has_no_length(const struct sip_msg *msg, const char *ours, const char *theirs)
{
	(void)theirs;
	return ours[0] == '\0' && !sip_msg_header(msg, SIP_HDR_CONTENT_LENGTH);
}

static bool has_no_type(const struct sip_msg *msg, const char *ours, const char *theirs)
{
	struct sip_content_type type;

	(void)ours;
	return theirs[0] == '\0' &&
	       sip_content_type_parse(sip_msg_value(msg, SIP_HDR_CONTENT_TYPE), &type) < 0;
}

static bool is_zero(const struct sip_msg *msg, const char *ours, const char *theirs)
{
	(void)msg;
	return ours[0] == '\0' && strcmp(theirs, "0") == 0;
}

/* A response whose Contact or Max-Forwards is malformed passes; we read nothing of such a field. */
static bool is_malformed_contact(const struct sip_msg *msg, const char *ours, const char *theirs)
{
	struct sip_addr addr;

	(void)ours;
	(void)theirs;
	return !msg->request && sip_msg_contact(msg, &addr) == -EBADMSG;
}

static bool is_malformed_hops(const struct sip_msg *msg, const char *ours, const char *theirs)
{
	uint32_t hops;

	(void)ours;
	(void)theirs;
	return !msg->request && sip_msg_max_forwards(msg, &hops) == -EBADMSG;
}

static bool is_star_name(const struct sip_msg *msg, const char *ours, const char *theirs)
{
	struct sip_addr addr;

	(void)ours;
	(void)theirs;
	return sip_msg_contact(msg, &addr) == 0 && addr.bracketed && addr.display.len > 0 &&
	       addr.display.p[0] == '*';
}

static bool has_blanks_behind(const struct sip_msg *msg, const char *ours, const char *theirs)
{
	size_t len = strlen(ours);

	(void)msg;
	return len > 0 && strncmp(ours, theirs, len) == 0 && theirs[len] != '\0' &&
	       theirs[len + strspn(theirs + len, " \t\r\n")] == '\0';
}

/* "SIP/2.0/UDP", a tab, the host. */
static bool is_tab_before_host(const struct sip_msg *msg, const char *ours, const char *theirs)
{
	struct slice via = sip_msg_value(msg, SIP_HDR_VIA);
	ptrdiff_t tab = slice_find(via, '\t'), space = slice_find(via, ' ');

	(void)ours;
	(void)theirs;
	return tab > 0 && (space < 0 || tab < space);
}

/* clang-format off */
static const struct difference differences[] = {
	{ ORACLE_OSIP, READ_LENGTH, READ_LENGTH, has_no_length,
	  "it makes up the field; a datagram's body ends with it (RFC 3261 section 18.3)" },
	{ ORACLE_OSIP, READ_BODY, READ_BODY, has_no_type,
	  "it drops a body without a good Content-Type; its bytes are there all the same (RFC 3261 section 7.4)" },
	{ ORACLE_OSIP, READ_VIA_RPORT, READ_VIA_RPORT, is_zero,
	  "no port is 0: as if rport had no value (RFC 3581 section 3)" },
	{ ORACLE_SOFIA, READ_VIA_RPORT, READ_VIA_RPORT, is_zero,
	  "no port is 0: as if rport had no value (RFC 3581 section 3)" },
	{ ORACLE_OSIP, READ_VIA_HOST, READ_VIA_RPORT, is_tab_before_host,
	  "it looks for a space behind the transport; a tab is white space, too (RFC 3261 section 25.1, LWS)" },
	{ ORACLE_OSIP, READ_CONTACT, READ_CONTACT_PORT, is_star_name,
	  "a display name ends at \"<\" without a space, too, and \"*\" may be one (RFC 4475 section 3.1.1.6)" },
	{ ORACLE_OSIP | ORACLE_SOFIA, READ_URI, READ_CONTACT_PORT, has_blanks_behind,
	  "they keep the blanks before \";\" of an address without brackets (RFC 3261 section 25.1, SEMI)" },
	{ ORACLE_OSIP, READ_CONTACT, READ_CONTACT_PORT, is_malformed_contact,
	  "it guesses at what is no address (RFC 3261 section 25.1)" },
	{ ORACLE_SOFIA, READ_CONTACT, READ_CONTACT_PORT, is_malformed_contact,
	  "it guesses at what is no address (RFC 3261 section 25.1)" },
	{ ORACLE_OSIP, READ_MAX_FORWARDS, READ_MAX_FORWARDS, is_malformed_hops,
	  "it takes any text; the field is a number of 0 to 255 (RFC 3261 section 20.22)" },
	{ ORACLE_SOFIA, READ_MAX_FORWARDS, READ_MAX_FORWARDS, is_malformed_hops,
	  "it takes any number; the field is one of 0 to 255 (RFC 3261 section 20.22)" },
};
/* clang-format on */

bool difference_explained(enum oracle oracle, enum reading_field field, const struct sip_msg *msg,
			  const char *ours, const char *theirs)
{
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		const struct difference *d = &differences[i];

		if ((d->oracles & oracle) && field >= d->first && field <= d->last &&
		    d->is_so(msg, ours, theirs))
			return true;
	}
	return false;
}
