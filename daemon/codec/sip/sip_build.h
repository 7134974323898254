/* SPDX-License-Identifier: Apache-2.0 */
/* sip_build.h - new SIP messages, written field by field into a buffer.
 * The order is start line, fields, then exactly one sip_build_body(). Test buf_ok() once at the end;
 * a text that would break out of its line (CR, LF, NUL) marks the buffer as failed, too. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "codec/sip/sip_header.h"
#include "codec/sip/sip_token.h"

struct buf;
struct sip_msg;

/* Whether a text stays within its header field: no NUL that is not quoted by a backslash, CR and LF
 * only as a fold. */
bool sip_line_is_safe(struct slice text);

void sip_build_request(struct buf *out, struct slice method, struct slice uri);
/* reason empty = the usual phrase. */
void sip_build_status(struct buf *out, unsigned status, struct slice reason);
void sip_build_header(struct buf *out, enum sip_header_id id, struct slice value);
void sip_build_header_u32(struct buf *out, enum sip_header_id id, uint32_t value);
void sip_build_header_named(struct buf *out, struct slice name, struct slice value);
void sip_build_headerf(struct buf *out, enum sip_header_id id, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void sip_build_cseq(struct buf *out, uint32_t number, struct slice method);
/* Copy every field of an id from a message, folds as they are. */
void sip_build_copy(struct buf *out, const struct sip_msg *from, enum sip_header_id id);
/* Content-Length, the empty line, the body; content_type may be empty only with an empty body. */
void sip_build_body(struct buf *out, struct slice content_type, struct slice body);

enum sip_reply_flags {
	SIP_REPLY_RECORD_ROUTE = 1 << 0, /* copy Record-Route (dialog-making 1xx and 2xx) */
	SIP_REPLY_FORCE_RPORT = 1 << 1,	 /* write rport= even if it was not asked for */
};
struct sip_reply {
	unsigned status;
	struct slice reason; /* empty = the usual phrase */
	struct slice to_tag; /* put on a To that has none; empty = none (100 Trying) */
	struct slice
		source; /* numeric source address for the top Via; empty = leave the Via alone */
	uint16_t source_port;
	unsigned flags;
};
/* Start line, Via, From, To, Call-ID, CSeq (and Record-Route, Timestamp on 100) of the response to a
 * request (RFC 3261 section 8.2.6). The caller adds its own fields and ends with sip_build_body().
 * Works on defective requests as far as the fields are there. */
void sip_build_reply(struct buf *out, const struct sip_msg *request, const struct sip_reply *reply);

/* ACK for a non-2xx final response and CANCEL: both repeat the INVITE as it was sent (RFC 3261
 * sections 17.1.1.3 and 9.1): its Request-URI, top Via, From, Call-ID, CSeq number, Route and, for
 * the ACK, the To of the response. Complete messages, body included. */
void sip_build_ack(struct buf *out, const struct sip_msg *invite, const struct sip_msg *response);
void sip_build_cancel(struct buf *out, const struct sip_msg *invite);
