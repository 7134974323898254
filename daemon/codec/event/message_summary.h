/* SPDX-License-Identifier: Apache-2.0 */
/* message_summary.h - message waiting documents (RFC 3842 section 5.2). */
#pragma once
#include <stdbool.h>

#include "base/slice.h"

#define MESSAGE_SUMMARY_CONTENT_TYPE "application/simple-message-summary"
#define MESSAGE_SUMMARY_MAX 4096

/* What a mailbox that nobody speaks for looks like. */
#define MESSAGE_SUMMARY_NONE "Messages-Waiting: no\r\nVoice-Message: 0/0 (0/0)\r\n"

/* msg-status-line [msg-account] [*(msg-summary-line)] [*opt-msg-headers]: every line is a header
 * field, the first says yes or no. waiting may be NULL. 0, -EBADMSG, -EMSGSIZE. */
int message_summary_check(struct slice document, bool *waiting);
