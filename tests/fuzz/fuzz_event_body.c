/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_event_body.c - any body as dialog state and as a message summary; what is taken is put together
 * to a document that is taken again. */
#include "fuzz.h"

#include "base/buf.h"
#include "codec/event/dialog_info.h"
#include "codec/event/message_summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(data, size);
	AUTO(dialog_info) struct dialog_info *info = NULL;
	AUTO_BUF out = { 0 };
	bool waiting;

	(void)message_summary_check(in, &waiting);
	if (dialog_info_check(in) < 0)
		return 0;
	MUST(dialog_info_new(SLICE("sip:3001@aurabox.internal"), 7, &info) == 0);
	MUST(dialog_info_add(info, in) == 0);
	MUST(dialog_info_write(info, &out) == 0);
	if (out.len <= DIALOG_INFO_MAX)
		MUST(dialog_info_check(buf_slice(&out)) == 0);
	return 0;
}
