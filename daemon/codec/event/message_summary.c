/* SPDX-License-Identifier: Apache-2.0 */
/* message_summary.c - message waiting documents, see message_summary.h. */
#include "codec/event/message_summary.h"

#include <errno.h>

#include "codec/sip/sip_token.h"

static bool is_text(struct slice value)
{
	for (size_t i = 0; i < value.len; i++)
		if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f)
			return false;
	return true;
}

int message_summary_check(struct slice document, bool *waiting)
{
	bool first = true, yes = false, found;

	if (document.len > MESSAGE_SUMMARY_MAX)
		return -EMSGSIZE;
	while (document.len) {
		struct slice line = slice_trim(slice_take_until(&document, '\n', NULL));
		struct slice name;

		if (line.len == 0 && !first)
			continue; /* the empty line before opt-msg-headers */
		name = slice_trim(slice_take_until(&line, ':', &found));
		line = slice_trim(line);
		if (!found || !sip_token_valid(name) || !is_text(line))
			return -EBADMSG;
		if (first) {
			yes = slice_eq_str_nocase(line, "yes");
			if (!slice_eq_str_nocase(name, "Messages-Waiting") ||
			    (!yes && !slice_eq_str_nocase(line, "no")))
				return -EBADMSG;
		}
		first = false;
	}
	if (first)
		return -EBADMSG;
	if (waiting)
		*waiting = yes;
	return 0;
}
