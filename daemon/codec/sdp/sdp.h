/* SPDX-License-Identifier: Apache-2.0 */
/* sdp.h - session descriptions as a back-to-back user agent needs them. RFC 8866, RFC 3264.
 * Parsed once into slices over the body; unknown lines are kept and copied when rewriting. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf;

#define SDP_MAX 32768 /* bytes of one description */
#define SDP_MEDIA_MAX 32
#define SDP_LINES_MAX 2048

enum sdp_direction {
	SDP_DIR_NONE = 0, /* not said: sendrecv */
	SDP_SENDRECV,
	SDP_SENDONLY,
	SDP_RECVONLY,
	SDP_INACTIVE
};

/* c= <nettype> <addrtype> <address> */
struct sdp_connection {
	bool ipv6;
	struct slice address; /* without TTL and count; p == NULL when there is no c= line */
};

struct sdp_media {
	struct slice kind;		  /* "audio" */
	struct slice proto;		  /* "RTP/AVP" */
	struct slice formats;		  /* "0 8 101" */
	uint16_t port;			  /* 0 = rejected */
	uint16_t port_count;		  /* 1 unless "port/count" */
	enum sdp_direction own_direction; /* of its own a= line, else SDP_DIR_NONE */
	struct sdp_connection connection; /* its own c= line */
	struct slice section;		  /* the m= line and all lines below it */
	struct slice port_text;
	struct slice connection_text; /* the address token as written, p == NULL without c= */
	struct slice direction_line;  /* with its line end, p == NULL when there is none */
};

struct sdp {
	struct slice raw;
	struct slice origin_user;
	struct slice session_id;      /* digits */
	struct slice session_version; /* digits */
	struct slice origin_address;
	struct slice session_name;
	struct sdp_connection connection;
	struct slice connection_text;
	struct slice direction_line;
	enum sdp_direction direction; /* session level */
	struct slice session;	      /* the lines above the first m= */
	size_t media_count;
	struct sdp_media media[SDP_MEDIA_MAX];
};

/* Whole body. Lines end with CRLF or LF. v=0, o=, s=, t= and a connection for every open media are
 * demanded, in the order of RFC 8866 section 9 as far as they decide meaning.
 * 0; -EBADMSG malformed; -EMSGSIZE longer or with more media or lines than the limits. */
int sdp_parse(struct slice in, struct sdp *ret);

/* What stands in the o= line, whatever it is, without looking at more than how the description begins
 * (v=0, o=, s=). -EBADMSG otherwise. */
int sdp_origin(struct slice in, struct slice *ret);

/* Direction that is in force for a media, never SDP_DIR_NONE. */
enum sdp_direction sdp_direction_of(const struct sdp *sdp, size_t media);
/* Connection in force; p == NULL address when there is none. */
struct sdp_connection sdp_connection_of(const struct sdp *sdp, size_t media);
/* Old style hold: connection 0.0.0.0 or ::, or sendonly / inactive. */
bool sdp_is_hold(const struct sdp *sdp, size_t media);
/* "sendrecv" and so on; empty for SDP_DIR_NONE. */
struct slice sdp_direction_name(enum sdp_direction direction);
/* What the other side of an offer of that direction answers with. */
enum sdp_direction sdp_direction_mirror(enum sdp_direction direction);
/* First a=NAME[:VALUE] among the lines of a section (media->section or sdp->session). */
bool sdp_attribute(struct slice section, struct slice name, struct slice *ret);
/* Next line of a section: its type letter and value. 1, 0 at the end. */
int sdp_line_next(struct slice *section, char *type, struct slice *value);

struct sdp_change {		      /* zeroed = change nothing */
	enum sdp_direction direction; /* for every media; SDP_DIR_NONE = keep */
	bool close[SDP_MEDIA_MAX];    /* port 0 for these */
	struct slice address;	      /* of every c= and o=, p == NULL = keep */
	bool ipv6;		      /* family of address */
	struct slice session_version; /* digits, p == NULL = keep */
};
/* Append the changed description to out; test buf_ok(). */
void sdp_write(const struct sdp *sdp, const struct sdp_change *change, struct buf *out);
