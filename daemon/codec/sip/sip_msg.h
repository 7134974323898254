/* SPDX-License-Identifier: Apache-2.0 */
/* sip_msg.h - a SIP message parsed once into slices over the receive buffer. RFC 3261 section 7.
 * Nothing is copied or allocated: a struct sip_msg is valid as long as its buffer is. Values are
 * typed on demand (sip_via.h, sip_addr.h, ...); a message is forwarded by sip_edit.h. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "codec/sip/sip_addr.h"
#include "codec/sip/sip_cseq.h"
#include "codec/sip/sip_header.h"
#include "codec/sip/sip_token.h"
#include "codec/sip/sip_uri.h"
#include "codec/sip/sip_via.h"

#define SIP_MSG_MAX 65535   /* bytes of one message */
#define SIP_HEADERS_MAX 256 /* header fields of one message */

/* What is wrong with a message that could nevertheless be cut into fields, so that it can be
 * answered (sip_check.h turns this into a verdict). */
enum sip_defect {
	SIP_DEFECT_START_LINE = 1 << 0,	 /* spacing or an impossible request line */
	SIP_DEFECT_VERSION = 1 << 1,	 /* SIP, but not 2.0 */
	SIP_DEFECT_STATUS = 1 << 2,	 /* status not of 100..699 */
	SIP_DEFECT_HEADER = 1 << 3,	 /* a line that is no header field */
	SIP_DEFECT_LINE_END = 1 << 4,	 /* bare CR or LF */
	SIP_DEFECT_LENGTH_BAD = 1 << 5,	 /* Content-Length no number or given twice differently */
	SIP_DEFECT_LENGTH_LONG = 1 << 6, /* Content-Length beyond what came */
	SIP_DEFECT_TRUNCATED = 1 << 7,	 /* no empty line after the header */
	SIP_DEFECT_TOO_MANY = 1 << 8,	 /* more than SIP_HEADERS_MAX fields */
};

struct sip_header {
	enum sip_header_id id;
	struct slice name;  /* as written */
	struct slice value; /* without LWS around it; folds inside stay */
	struct slice line;  /* the whole field with its CRLF */
};

struct sip_msg {
	struct slice raw; /* start line to the last byte of the body */
	bool request;
	enum sip_method method;	  /* request only */
	unsigned status;	  /* response only, 0 when malformed */
	unsigned defects;	  /* enum sip_defect, 0 = none */
	bool repeated;		  /* a field of one id stands twice */
	bool odd;		  /* control bytes stand in the header that do not end lines */
	struct slice start_line;  /* without its CRLF */
	struct slice method_name; /* request only */
	struct slice uri;	  /* request only: Request-URI as written */
	struct slice version;	  /* "SIP/2.0" */
	struct slice reason;	  /* response only */
	struct slice body;
	size_t header_count;
	uint16_t first[SIP_HDR_COUNT]; /* 1 + index of the first field of an id, 0 = none */
	uint8_t typed;		       /* enum sip_typed: what of the next is filled in */
	/* What everybody asks for, read once by sip_msg_read(); see the typed accessors. */
	struct sip_via via;
	struct sip_cseq cseq;
	struct sip_addr from, to;
	struct sip_uri request_uri;
	struct sip_header headers[SIP_HEADERS_MAX];
};
enum sip_typed {
	SIP_TYPED_VIA = 1 << 0,
	SIP_TYPED_CSEQ = 1 << 1,
	SIP_TYPED_FROM = 1 << 2,
	SIP_TYPED_TO = 1 << 3,
	SIP_TYPED_URI = 1 << 4
};

/* Parse one datagram or one framed message. Leading CRLFs are skipped; bytes after Content-Length
 * are ignored (msg->raw ends before them).
 * 0 cut into fields (look at msg->defects); -ENODATA only CRLFs: a keep-alive; -EMSGSIZE too long;
 * -EBADMSG not SIP: nothing that could be answered. */
int sip_msg_parse(struct slice datagram, struct sip_msg *msg);

/* Read top Via (unless msg->typed says that it is there), CSeq, From, To and Request-URI once, so that the accessors
 * below need not again. What is malformed is left to them. */
void sip_msg_read(struct sip_msg *msg);
/* The message was copied to raw, where the bytes up to `end` (of the old one) had become `grown` bytes
 * more: all slices follow. Nothing may have been read yet. */
void sip_msg_move(struct sip_msg *msg, const char *raw, const char *end, ptrdiff_t grown);

/* Framing of a byte stream (RFC 3261 section 18.3, keep-alive of RFC 5626 section 3.5.1). */
enum sip_frame_kind {
	SIP_FRAME_MORE = 0, /* incomplete: call again with more bytes */
	SIP_FRAME_PING,	    /* CRLFCRLF: answer CRLF */
	SIP_FRAME_PONG,	    /* CRLF, when one is awaited */
	SIP_FRAME_SKIP,	    /* CRLFs between messages: nothing to do */
	SIP_FRAME_MESSAGE   /* the first len bytes are one message */
};
struct sip_framer {	  /* zero it for a new stream and let it alone */
	size_t scanned;	  /* bytes known to hold no end of header */
	size_t total;	  /* length of the message once known, else 0 */
	bool expect_pong; /* set by the owner when it has sent a ping; cleared by SIP_FRAME_PONG */
	bool no_length;	  /* the last SIP_FRAME_MESSAGE had no usable Content-Length: answer 400 and
			   * close, the stream is out of step */
};
/* Look at the unconsumed bytes of a stream. On a positive kind the caller takes *len bytes off.
 * Returns enum sip_frame_kind or -EMSGSIZE (no end within SIP_MSG_MAX: close) or -EBADMSG (bytes
 * that cannot start a message: close). */
int sip_frame_next(struct sip_framer *framer, struct slice in, size_t *len);

/* First field of an id, NULL when there is none; then the next of the same id. */
const struct sip_header *sip_msg_header(const struct sip_msg *msg, enum sip_header_id id);
const struct sip_header *sip_msg_header_next(const struct sip_msg *msg,
					     const struct sip_header *after);
/* Field by name in any case (for SIP_HDR_OTHER); NULL when there is none. */
const struct sip_header *sip_msg_header_named(const struct sip_msg *msg, struct slice name);
/* Value of the first field of an id; p == NULL when there is none. */
struct slice sip_msg_value(const struct sip_msg *msg, enum sip_header_id id);
size_t sip_msg_header_count(const struct sip_msg *msg, enum sip_header_id id);

/* Values over all fields of an id, cut at commas outside of quotes and angle brackets when the
 * field is a list:
 *	struct sip_values it = sip_values_of(msg, SIP_HDR_ROUTE);
 *	while (sip_values_next(&it, &value)) ...
 * it.header is the field the value stands in; both go into sip_edit_remove_value(). */
struct sip_values {
	const struct sip_msg *msg;
	const struct sip_header *header;
	struct slice rest;
	bool list;
};
struct sip_values sip_values_of(const struct sip_msg *msg, enum sip_header_id id);
bool sip_values_next(struct sip_values *it, struct slice *ret);
/* Cut one comma-separated value off the front; false at the end. */
bool sip_value_take(struct slice *in, struct slice *ret);
/* Number of values over all fields of an id. */
size_t sip_values_count(const struct sip_msg *msg, enum sip_header_id id);
/* Whether a list field holds that token in any case (Supported, Require, Allow, ...). */
bool sip_msg_has_token(const struct sip_msg *msg, enum sip_header_id id, struct slice token);

/* Typed accessors: 0, -ENOENT no such field, -EBADMSG malformed. */
int sip_msg_top_via(const struct sip_msg *msg, struct sip_via *ret);
int sip_msg_from(const struct sip_msg *msg, struct sip_addr *ret);
int sip_msg_to(const struct sip_msg *msg, struct sip_addr *ret);
int sip_msg_cseq(const struct sip_msg *msg, struct sip_cseq *ret);
int sip_msg_top_route(const struct sip_msg *msg, struct sip_addr *ret);
int sip_msg_contact(const struct sip_msg *msg, struct sip_addr *ret); /* the first */
int sip_msg_request_uri(const struct sip_msg *msg, struct sip_uri *ret);
int sip_msg_max_forwards(const struct sip_msg *msg, uint32_t *ret);
int sip_msg_expires(const struct sip_msg *msg, uint32_t *ret_seconds);
/* Empty when there is none. */
struct slice sip_msg_call_id(const struct sip_msg *msg);
struct slice sip_msg_from_tag(const struct sip_msg *msg);
struct slice sip_msg_to_tag(const struct sip_msg *msg);
/* Method of the request this response answers, or of the request itself. */
enum sip_method sip_msg_cseq_method(const struct sip_msg *msg);
