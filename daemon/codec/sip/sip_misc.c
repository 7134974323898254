/* SPDX-License-Identifier: Apache-2.0 */
/* sip_misc.c - see sip_misc.h. */
#include "codec/sip/sip_misc.h"

#include <errno.h>

#include "base/error.h"
#include "codec/sip/sip_chars.h"
#include "codec/sip/sip_token.h"

/* delta-seconds = 1*DIGIT; what is beyond 2^32-1 counts as that (RFC 4475 section 3.1.2.4). */
int sip_delta_parse(struct slice in, uint32_t *ret)
{
	uint32_t value;

	if (sip_number_parse(in, UINT32_MAX, &value) == -EBADMSG)
		return -EBADMSG;
	*ret = value;
	return 0;
}

/* Digits from the front, clamped as above. */
static int take_delta(struct slice *in, uint32_t *ret)
{
	size_t n = 0;

	while (n < in->len && ascii_is_digit((unsigned char)in->p[n]))
		n++;
	return sip_delta_parse(slice_take(in, n), ret);
}

/* token-nodot *( "." token-nodot ) *( SEMI event-param ) */
int sip_event_parse(struct slice in, struct sip_event *ret)
{
	struct sip_event out = { 0 };

	in = sip_trim(in);
	out.type = sip_take_class(&in, SIP_C_TOKEN);
	sip_skip_lws(&in);
	if (out.type.len == 0 || !sip_params_valid(in))
		return -EBADMSG;
	out.params = in;
	(void)sip_param_find(in, SLICE("id"), &out.id);
	*ret = out;
	return 0;
}

/* delta-seconds *( SEMI ( refresher-param / generic-param ) ) */
int sip_session_expires_parse(struct slice in, struct sip_session_expires *ret)
{
	struct sip_session_expires out = { 0 };
	struct slice who;

	in = sip_trim(in);
	if (take_delta(&in, &out.seconds) < 0 || !sip_params_valid(in))
		return -EBADMSG;
	if (sip_param_find(in, SLICE("refresher"), &who)) {
		if (slice_eq_nocase(who, SLICE("uac")))
			out.refresher = SIP_REFRESHER_UAC;
		else if (slice_eq_nocase(who, SLICE("uas")))
			out.refresher = SIP_REFRESHER_UAS;
		else
			return -EBADMSG;
	}
	*ret = out;
	return 0;
}

static int param_delta(struct slice params, struct slice name, bool *has, uint32_t *ret)
{
	struct slice text;

	*has = sip_param_find(params, name, &text);
	return *has ? sip_delta_parse(text, ret) : 0;
}

/* substate-value *( SEMI subexp-params ) */
int sip_subscription_state_parse(struct slice in, struct sip_subscription_state *ret)
{
	struct sip_subscription_state out = { 0 };

	in = sip_trim(in);
	out.state_name = sip_take_class(&in, SIP_C_TOKEN);
	sip_skip_lws(&in);
	if (out.state_name.len == 0 || !sip_params_valid(in))
		return -EBADMSG;
	if (slice_eq_nocase(out.state_name, SLICE("active")))
		out.state = SIP_SUBSTATE_ACTIVE;
	else if (slice_eq_nocase(out.state_name, SLICE("pending")))
		out.state = SIP_SUBSTATE_PENDING;
	else if (slice_eq_nocase(out.state_name, SLICE("terminated")))
		out.state = SIP_SUBSTATE_TERMINATED;
	(void)sip_param_find(in, SLICE("reason"), &out.reason);
	if (param_delta(in, SLICE("expires"), &out.has_expires, &out.expires_s) < 0 ||
	    param_delta(in, SLICE("retry-after"), &out.has_retry_after, &out.retry_after_s) < 0)
		return -EBADMSG;
	*ret = out;
	return 0;
}

/* protocol *( SEMI reason-params ) */
int sip_reason_parse(struct slice in, struct sip_reason *ret)
{
	struct sip_reason out = { 0 };
	bool has;

	in = sip_trim(in);
	out.protocol = sip_take_class(&in, SIP_C_TOKEN);
	sip_skip_lws(&in);
	if (out.protocol.len == 0 || !sip_params_valid(in) ||
	    param_delta(in, SLICE("cause"), &has, &out.cause) < 0)
		return -EBADMSG;
	(void)sip_param_find(in, SLICE("text"), &out.text);
	*ret = out;
	return 0;
}

/* callid *( SEMI replaces-param ), each of to-tag and from-tag exactly once */
int sip_replaces_parse(struct slice in, struct sip_replaces *ret)
{
	struct sip_replaces out = { 0 };
	struct sip_param param;
	size_t n = 0;
	int r;

	in = sip_trim(in);
	while (n < in.len && in.p[n] != ';' && in.p[n] != ' ' && in.p[n] != '\t' && in.p[n] != '\r')
		n++;
	out.call_id = slice_take(&in, n);
	if (!sip_callid_valid(out.call_id))
		return -EBADMSG;
	while ((r = sip_param_next(&in, &param)) > 0) {
		struct slice *tag = NULL;

		if (slice_eq_nocase(param.name, SLICE("to-tag")))
			tag = &out.to_tag;
		else if (slice_eq_nocase(param.name, SLICE("from-tag")))
			tag = &out.from_tag;
		else if (slice_eq_nocase(param.name, SLICE("early-only")))
			out.early_only = true;
		if (tag && (tag->p || param.value.len == 0))
			return -EBADMSG;
		if (tag)
			*tag = param.value;
	}
	if (r < 0 || in.len != 0 || !out.to_tag.p || !out.from_tag.p)
		return -EBADMSG;
	*ret = out;
	return 0;
}

/* media-type = m-type SLASH m-subtype *( SEMI m-parameter ) */
int sip_content_type_parse(struct slice in, struct sip_content_type *ret)
{
	struct sip_content_type out = { 0 };

	in = sip_trim(in);
	out.type = sip_take_class(&in, SIP_C_TOKEN);
	sip_skip_lws(&in);
	if (out.type.len == 0 || !slice_skip_char(&in, '/'))
		return -EBADMSG;
	sip_skip_lws(&in);
	out.subtype = sip_take_class(&in, SIP_C_TOKEN);
	sip_skip_lws(&in);
	if (out.subtype.len == 0 || !sip_params_valid(in))
		return -EBADMSG;
	out.params = in;
	*ret = out;
	return 0;
}

bool sip_content_type_is(struct slice in, struct slice type_and_subtype)
{
	struct slice type = slice_take_until(&type_and_subtype, '/', NULL);
	struct sip_content_type is;

	return sip_content_type_parse(in, &is) == 0 && slice_eq_nocase(is.type, type) &&
	       slice_eq_nocase(is.subtype, type_and_subtype);
}

/* comment = LPAREN *(ctext / quoted-pair / comment) RPAREN */
static int take_comment(struct slice *in)
{
	size_t depth = 0;

	for (size_t i = 0; i < in->len; i++) {
		if (in->p[i] == '\\')
			i++;
		else if (in->p[i] == '(')
			depth++;
		else if (in->p[i] == ')' && --depth == 0) {
			sip_advance(in, i + 1);
			return 0;
		}
	}
	return -EBADMSG;
}

/* delta-seconds [ comment ] *( SEMI retry-param ) */
int sip_retry_after_parse(struct slice in, uint32_t *ret_seconds)
{
	uint32_t seconds;

	in = sip_trim(in);
	if (take_delta(&in, &seconds) < 0)
		return -EBADMSG;
	sip_skip_lws(&in);
	if (sip_peek(in) == '(' && take_comment(&in) < 0)
		return -EBADMSG;
	if (!sip_params_valid(in))
		return -EBADMSG;
	*ret_seconds = seconds;
	return 0;
}

/* warning-value = warn-code SP warn-agent SP warn-text */
int sip_warning_parse(struct slice in, struct sip_warning *ret)
{
	struct sip_warning out = { 0 };
	uint32_t code;
	size_t n = 0;

	in = sip_trim(in);
	if (in.len < 4 || sip_number_parse(slice_take(&in, 3), 999, &code) < 0 || code < 100 ||
	    sip_skip_lws(&in) == 0)
		return -EBADMSG;
	out.code = code;
	while (n < in.len && (unsigned char)in.p[n] > ' ' && in.p[n] != '"')
		n++;
	out.agent = slice_take(&in, n);
	if (n == 0 || sip_skip_lws(&in) == 0 || sip_take_quoted(&in, &out.text) < 0 || in.len != 0)
		return -EBADMSG;
	*ret = out;
	return 0;
}

/* One of seven or twelve names of three letters each, from the front. */
static bool take_name(struct slice *in, const char *names)
{
	for (; *names; names += 3) {
		if (in->len >= 3 && memcmp(in->p, names, 3) == 0) {
			sip_advance(in, 3);
			return true;
		}
	}
	return false;
}

static bool take_digits(struct slice *in, size_t count, unsigned max)
{
	uint32_t value;

	return in->len >= count && sip_number_parse(slice_take(in, count), max, &value) == 0;
}

/* rfc1123-date = wkday "," SP date1 SP time SP "GMT" */
bool sip_date_valid(struct slice in)
{
	return take_name(&in, "MonTueWedThuFriSatSun") && slice_skip(&in, SLICE(", ")) &&
	       take_digits(&in, 2, 31) && slice_skip_char(&in, ' ') &&
	       take_name(&in, "JanFebMarAprMayJunJulAugSepOctNovDec") &&
	       slice_skip_char(&in, ' ') && take_digits(&in, 4, 9999) &&
	       slice_skip_char(&in, ' ') && take_digits(&in, 2, 23) && slice_skip_char(&in, ':') &&
	       take_digits(&in, 2, 59) && slice_skip_char(&in, ':') && take_digits(&in, 2, 60) &&
	       slice_eq(in, SLICE(" GMT"));
}
