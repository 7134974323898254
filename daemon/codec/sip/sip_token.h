/* SPDX-License-Identifier: Apache-2.0 */
/* sip_token.h - the small words of SIP: character classes, methods, reason phrases, parameters.
 * RFC 3261 section 25.1; nothing here allocates, results are slices into the input. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum sip_method {
	SIP_METHOD_OTHER = 0, /* an extension method; its name is in the message */
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_OPTIONS,
	SIP_REGISTER,
	SIP_PRACK,
	SIP_SUBSCRIBE,
	SIP_NOTIFY,
	SIP_PUBLISH,
	SIP_INFO,
	SIP_REFER,
	SIP_MESSAGE,
	SIP_UPDATE,
	SIP_METHOD_COUNT
};

/* Methods are case-sensitive (RFC 3261 section 7.1). */
enum sip_method sip_method_lookup(struct slice name);
/* Static storage; empty for SIP_METHOD_OTHER. */
struct slice sip_method_name(enum sip_method method);
/* The usual reason phrase of a status, "Unknown" when there is none. Static storage. */
struct slice sip_reason_phrase(unsigned status);

/* Character classes for slice_take_while(). */
bool sip_is_token(unsigned char c);
bool sip_is_word(unsigned char c);

/* token of one or more characters, whole input. */
bool sip_token_valid(struct slice in);
/* callid = word [ "@" word ] */
bool sip_callid_valid(struct slice in);

/* Skip LWS including folds (CRLF followed by blank); returns how many bytes went. */
size_t sip_skip_lws_there(struct slice *in);
static inline size_t sip_skip_lws(struct slice *in)
{
	/* mostly there is none, or one space */
	if (in->len == 0 || (unsigned char)in->p[0] > ' ')
		return 0;
	if (in->len > 1 && in->p[0] == ' ' && (unsigned char)in->p[1] > ' ') {
		in->p++;
		in->len--;
		return 1;
	}
	return sip_skip_lws_there(in);
}

/* Cut LWS at both ends, folds included. */
struct slice sip_trim_there(struct slice in);
static inline struct slice sip_trim(struct slice in)
{
	if (in.len == 0 || ((unsigned char)in.p[0] > ' ' && (unsigned char)in.p[in.len - 1] > ' '))
		return in;
	return sip_trim_there(in);
}

/* Consume a quoted-string; ret is what stands between the quotes, still escaped. 0 or -EBADMSG. */
int sip_take_quoted(struct slice *in, struct slice *ret);
/* Take backslashes out of the inside of a quoted-string. Returns the length written to out (never
 * more than in.len) or -ENOBUFS. */
int sip_unquote(struct slice in, char *out, size_t cap);

struct sip_param {
	struct slice name;
	struct slice value; /* without quotes; empty when there is none */
	bool has_value;
	bool quoted; /* value stood in quotes and may hold backslash escapes */
};

/* Consume LWS ";" name [ "=" value ] from the front. 1 a parameter, 0 no ";" is next (trailing LWS
 * consumed), -EBADMSG malformed. */
int sip_param_next(struct slice *in, struct sip_param *ret);
/* First parameter of that name (any case) in ";a;b=c". ret may be NULL; a parameter without value
 * gives an empty slice. */
bool sip_param_find(struct slice params, struct slice name, struct slice *ret);
/* Whether params is nothing but well-formed parameters. */
bool sip_params_valid(struct slice params);

/* 1*DIGIT, whole input, at most max. 0, -EBADMSG no number, -ERANGE above max (ret is then max). */
int sip_number_parse(struct slice in, uint32_t max, uint32_t *ret);
