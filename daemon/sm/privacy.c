/* SPDX-License-Identifier: Apache-2.0 */
/* privacy.c - what a caller wants to be hidden, see privacy.h. */
#include "sm/privacy.h"

#include "base/buf.h"
#include "codec/sip/sip_edit.h"
#include "codec/sip/sip_msg.h"

unsigned privacy_of(const struct sip_msg *msg)
{
	static const struct {
		struct slice word;
		enum privacy bit;
	} words[] = { { SLICE("id"), PRIVACY_ID },
		      { SLICE("user"), PRIVACY_USER },
		      { SLICE("header"), PRIVACY_HEADER },
		      { SLICE("session"), PRIVACY_SESSION },
		      { SLICE("critical"), PRIVACY_CRITICAL } };
	const struct sip_header *field = sip_msg_header(msg, SIP_HDR_PRIVACY);
	unsigned bits = 0;

	for (; field; field = sip_msg_header_next(msg, field)) {
		struct slice rest = field->value;

		while (rest.len) {
			struct slice one = sip_trim(slice_take_until(&rest, ';', NULL));

			if (slice_eq_str_nocase(one, "none"))
				return 0;
			for (size_t i = 0; i < ARRAY_SIZE(words); i++)
				if (slice_eq_nocase(one, words[i].word))
					bits |= words[i].bit;
		}
	}
	return bits;
}

bool privacy_is_out_of_reach(unsigned privacy)
{
	return (privacy & PRIVACY_CRITICAL) && (privacy & (PRIVACY_HEADER | PRIVACY_SESSION));
}

bool privacy_is_anonymous(const struct sip_uri *uri)
{
	return slice_eq_str_nocase(uri->host, "anonymous.invalid");
}

void privacy_hide_from(struct sip_edit *edit)
{
	struct slice tag = sip_msg_from_tag(edit->msg);
	AUTO_BUF from = { 0 };

	buf_add_str(&from, "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
	if (tag.len)
		buf_printf(&from, ";tag=%.*s", SLICE_ARG(tag));
	sip_edit_set(edit, SIP_HDR_FROM, buf_slice(&from));
}

bool privacy_names_user(enum sip_header_id id)
{
	switch (id) {
	case SIP_HDR_SUBJECT:
	case SIP_HDR_CALL_INFO:
	case SIP_HDR_ORGANIZATION:
	case SIP_HDR_USER_AGENT:
	case SIP_HDR_REPLY_TO:
	case SIP_HDR_IN_REPLY_TO:
	case SIP_HDR_REMOTE_PARTY_ID:
		return true;
	default:
		return false;
	}
}
