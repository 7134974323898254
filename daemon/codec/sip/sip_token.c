/* SPDX-License-Identifier: Apache-2.0 */
/* sip_token.c - see sip_token.h. */
#include "codec/sip/sip_token.h"

#include <errno.h>

#include "base/error.h"
#include "codec/sip/sip_chars.h"

/* clang-format off */
const uint8_t sip_chars[256] = {
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x7f, 0x02, 0x44, 0x7c, 0x43, 0x5c, 0x7f, 0x7e, 0x7e, 0x7f, 0x7f, 0x0c, 0x7f, 0x7f, 0x76,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x72, 0x04, 0x02, 0x4c, 0x02, 0x66,
	0x40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f,
	0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x72, 0x02, 0x72, 0x40, 0x7f,
	0x43, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f,
	0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x42, 0x40, 0x42, 0x7f, 0x00,
};

static const struct {
	const char *name;
	uint8_t len;
} methods[SIP_METHOD_COUNT] = {
#define METHOD(id, text) [id] = { text, sizeof(text) - 1 }
	METHOD(SIP_INVITE, "INVITE"),     METHOD(SIP_ACK, "ACK"),
	METHOD(SIP_BYE, "BYE"),           METHOD(SIP_CANCEL, "CANCEL"),
	METHOD(SIP_OPTIONS, "OPTIONS"),   METHOD(SIP_REGISTER, "REGISTER"),
	METHOD(SIP_PRACK, "PRACK"),       METHOD(SIP_SUBSCRIBE, "SUBSCRIBE"),
	METHOD(SIP_NOTIFY, "NOTIFY"),     METHOD(SIP_PUBLISH, "PUBLISH"),
	METHOD(SIP_INFO, "INFO"),         METHOD(SIP_REFER, "REFER"),
	METHOD(SIP_MESSAGE, "MESSAGE"),   METHOD(SIP_UPDATE, "UPDATE"),
#undef METHOD
};

static const struct {
	unsigned status;
	const char *phrase;
} phrases[] = {
	{ 100, "Trying" }, { 180, "Ringing" }, { 181, "Call Is Being Forwarded" },
	{ 182, "Queued" }, { 183, "Session Progress" }, { 199, "Early Dialog Terminated" },
	{ 200, "OK" }, { 202, "Accepted" }, { 204, "No Notification" },
	{ 300, "Multiple Choices" }, { 301, "Moved Permanently" }, { 302, "Moved Temporarily" },
	{ 305, "Use Proxy" }, { 380, "Alternative Service" },
	{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 402, "Payment Required" },
	{ 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" }, { 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" }, { 410, "Gone" }, { 412, "Conditional Request Failed" },
	{ 413, "Request Entity Too Large" }, { 414, "Request-URI Too Long" },
	{ 415, "Unsupported Media Type" }, { 416, "Unsupported URI Scheme" },
	{ 417, "Unknown Resource-Priority" }, { 420, "Bad Extension" },
	{ 421, "Extension Required" }, { 422, "Session Interval Too Small" },
	{ 423, "Interval Too Brief" }, { 428, "Use Identity Header" },
	{ 429, "Provide Referrer Identity" }, { 430, "Flow Failed" },
	{ 433, "Anonymity Disallowed" }, { 439, "First Hop Lacks Outbound Support" },
	{ 440, "Max-Breadth Exceeded" }, { 469, "Bad Info Package" },
	{ 480, "Temporarily Unavailable" }, { 481, "Call/Transaction Does Not Exist" },
	{ 482, "Loop Detected" }, { 483, "Too Many Hops" }, { 484, "Address Incomplete" },
	{ 485, "Ambiguous" }, { 486, "Busy Here" }, { 487, "Request Terminated" },
	{ 488, "Not Acceptable Here" }, { 489, "Bad Event" }, { 491, "Request Pending" },
	{ 493, "Undecipherable" }, { 494, "Security Agreement Required" },
	{ 500, "Server Internal Error" }, { 501, "Not Implemented" }, { 502, "Bad Gateway" },
	{ 503, "Service Unavailable" }, { 504, "Server Time-out" },
	{ 505, "Version Not Supported" }, { 513, "Message Too Large" },
	{ 580, "Precondition Failure" }, { 600, "Busy Everywhere" }, { 603, "Decline" },
	{ 604, "Does Not Exist Anywhere" }, { 606, "Not Acceptable" },
};
/* clang-format on */

#define METHOD_SLOTS 64

static uint8_t method_slots[METHOD_SLOTS]; /* methods by first letters and length, 0 = free */

static unsigned method_slot(const char *name, size_t len)
{
	return ((unsigned char)name[0] * 3U + (unsigned char)name[2] + (unsigned)len) %
	       METHOD_SLOTS;
}

/* Once, before main(), so that the list above stays the only one. */
__attribute__((constructor)) static void fill_method_slots(void)
{
	for (unsigned id = 1; id < SIP_METHOD_COUNT; id++) {
		unsigned slot = method_slot(methods[id].name, methods[id].len);

		while (method_slots[slot])
			slot = (slot + 1) % METHOD_SLOTS;
		method_slots[slot] = (uint8_t)id;
	}
}

enum sip_method sip_method_lookup(struct slice name)
{
	if (name.len < 3) /* no method is shorter */
		return SIP_METHOD_OTHER;
	for (unsigned slot = method_slot(name.p, name.len); method_slots[slot];
	     slot = (slot + 1) % METHOD_SLOTS) {
		unsigned id = method_slots[slot];

		if (methods[id].len == name.len && memcmp(methods[id].name, name.p, name.len) == 0)
			return (enum sip_method)id;
	}
	return SIP_METHOD_OTHER;
}

struct slice sip_method_name(enum sip_method method)
{
	if (method <= SIP_METHOD_OTHER || method >= SIP_METHOD_COUNT)
		return SLICE("");
	return slice_make(methods[method].name, methods[method].len);
}

struct slice sip_reason_phrase(unsigned status)
{
	for (size_t i = 0; i < ARRAY_SIZE(phrases); i++) {
		if (phrases[i].status == status)
			return slice_str(phrases[i].phrase);
	}
	return SLICE("Unknown");
}

bool sip_is_token(unsigned char c)
{
	return (sip_chars[c] & SIP_C_TOKEN) != 0;
}

bool sip_is_word(unsigned char c)
{
	return (sip_chars[c] & SIP_C_WORD) != 0;
}

bool sip_token_valid(struct slice in)
{
	return in.len > 0 && sip_all_in(in, SIP_C_TOKEN);
}

bool sip_callid_valid(struct slice in)
{
	if (sip_take_class(&in, SIP_C_WORD).len == 0)
		return false;
	if (in.len == 0)
		return true;
	return slice_skip_char(&in, '@') && in.len > 0 && sip_all_in(in, SIP_C_WORD);
}

int sip_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sip_escaped_valid(struct slice in, unsigned classes)
{
	for (size_t i = 0; i < in.len; i++) {
		if (sip_char_in(in.p[i], classes) && in.p[i] != '%')
			continue;
		if (in.p[i] != '%' || in.len - i < 3 || !sip_char_in(in.p[i + 1], SIP_C_HEX) ||
		    !sip_char_in(in.p[i + 2], SIP_C_HEX))
			return false;
		i += 2;
	}
	return true;
}

/* LWS = [*WSP CRLF] 1*WSP */
size_t sip_skip_lws_there(struct slice *in)
{
	size_t n = 0;

	while (n < in->len) {
		char c = in->p[n];

		if (c == ' ' || c == '\t')
			n++;
		else if (c == '\r' && in->len - n >= 3 && in->p[n + 1] == '\n' &&
			 (in->p[n + 2] == ' ' || in->p[n + 2] == '\t'))
			n += 3;
		else
			break;
	}
	if (n)
		sip_advance(in, n);
	return n;
}

struct slice sip_trim_there(struct slice in)
{
	sip_skip_lws(&in);
	while (in.len > 0 && (in.p[in.len - 1] == ' ' || in.p[in.len - 1] == '\t')) {
		in.len--;
		if (in.len >= 2 && in.p[in.len - 1] == '\n' && in.p[in.len - 2] == '\r')
			in.len -= 2;
	}
	return in;
}

/* Between quotes these mean themselves, whatever stands around them. */
static inline bool is_plain_qdtext(char c)
{
	static const bool plain[256] = { [' ' ... '!'] = true,
					 ['#' ... '['] = true,
					 [']' ... '~'] = true,
					 [0x80 ... 0xff] = true };

	return plain[(unsigned char)c];
}

/* The first byte of p..end that does not, or end. */
static const char *skip_plain_qdtext(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i space = _mm_set1_epi8(' '), quote = _mm_set1_epi8('"'),
		      backslash = _mm_set1_epi8('\\'), del = _mm_set1_epi8(0x7f);

	for (; end - p >= 16; p += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i text = _mm_cmpeq_epi8(_mm_max_epu8(bytes, space), bytes);
		__m128i other = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote),
							  _mm_cmpeq_epi8(bytes, backslash)),
					     _mm_cmpeq_epi8(bytes, del));
		unsigned found = (unsigned)_mm_movemask_epi8(other) |
				 (0xffffU ^ (unsigned)_mm_movemask_epi8(text));

		if (found)
			return p + __builtin_ctz(found);
	}
#endif
	while (p < end && is_plain_qdtext(*p))
		p++;
	return p;
}

/* A byte that may stand unescaped between quotes: qdtext with LWS and UTF-8. */
static bool is_qdtext(struct slice at)
{
	unsigned char c = (unsigned char)at.p[0];

	if (c >= ' ' && c != 0x7f)
		return true;
	return c == '\t' || c == '\n' ||
	       (c == '\r' && at.len >= 3 && at.p[1] == '\n' && (at.p[2] == ' ' || at.p[2] == '\t'));
}

/* quoted-string = DQUOTE *(qdtext / quoted-pair ) DQUOTE */
int sip_take_quoted(struct slice *in, struct slice *ret)
{
	if (sip_peek(*in) != '"')
		return -EBADMSG;
	for (size_t i = 1; i < in->len; i++) {
		char c;

		i = (size_t)(skip_plain_qdtext(in->p + i, in->p + in->len) - in->p);
		if (i == in->len)
			break;
		c = in->p[i];
		if (c == '"') {
			*ret = slice_make(in->p + 1, i - 1);
			sip_advance(in, i + 1);
			return 0;
		}
		if (c == '\\') {
			i++;
			if (i >= in->len || in->p[i] == '\r' || in->p[i] == '\n')
				return -EBADMSG;
		} else if ((c == '\n' && in->p[i - 1] != '\r') ||
			   !is_qdtext(slice_make(in->p + i, in->len - i))) {
			return -EBADMSG;
		}
	}
	return -EBADMSG;
}

int sip_unquote(struct slice in, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		if (in.p[i] == '\\' && i + 1 < in.len)
			i++;
		if (n >= cap)
			return -ENOBUFS;
		out[n++] = in.p[i];
	}
	return (int)n;
}

/* A parameter without white space and quotes, as they mostly come: its length, or 0. */
static size_t plain_param(struct slice in, struct sip_param *ret)
{
	const char *p = in.p + 1, *end = in.p + in.len, *start = p;

	while (p < end && sip_char_in(*p, SIP_C_TOKEN))
		p++;
	ret->name = slice_make(start, (size_t)(p - start));
	ret->has_value = p < end && *p == '=';
	ret->value = (struct slice){ 0 };
	ret->quoted = false;
	if (ret->has_value) {
		start = ++p;
		while (p < end && sip_char_in(*p, SIP_C_VALUE))
			p++;
		ret->value = slice_make(start, (size_t)(p - start));
		if (ret->value.len == 0)
			return 0;
	}
	return ret->name.len > 0 && (p == end || *p == ';') ? (size_t)(p - in.p) : 0;
}

/* generic-param = token [ EQUAL gen-value ]; the value is read more widely than token so that
 * addresses and dialog ids of the Endpoint-View kind pass. */
static int any_param(struct slice *in, struct sip_param *ret)
{
	struct sip_param out = { 0 };
	struct slice at = *in;

	sip_skip_lws(&at);
	if (sip_peek(at) != ';') {
		*in = at;
		return 0;
	}
	sip_advance(&at, 1);
	sip_skip_lws(&at);
	out.name = sip_take_class(&at, SIP_C_TOKEN);
	if (out.name.len == 0)
		return -EBADMSG;
	*in = at;
	sip_skip_lws(&at);
	if (sip_peek(at) == '=') {
		sip_advance(&at, 1);
		sip_skip_lws(&at);
		out.has_value = true;
		if (sip_peek(at) == '"') {
			out.quoted = true;
			if (sip_take_quoted(&at, &out.value) < 0)
				return -EBADMSG;
		} else {
			out.value = sip_take_class(&at, SIP_C_VALUE);
			if (out.value.len == 0)
				return -EBADMSG;
		}
		*in = at;
	}
	*ret = out;
	return 1;
}

int sip_param_next(struct slice *in, struct sip_param *ret)
{
	struct sip_param plain;
	size_t n;

	if (in->len == 0)
		return 0;
	n = in->p[0] == ';' ? plain_param(*in, &plain) : 0;
	if (n == 0)
		return any_param(in, ret);
	sip_advance(in, n);
	*ret = plain;
	return 1;
}

bool sip_param_find(struct slice params, struct slice name, struct slice *ret)
{
	struct sip_param param;

	while (sip_param_next(&params, &param) > 0) {
		if (slice_eq_nocase(param.name, name)) {
			if (ret)
				*ret = param.value;
			return true;
		}
	}
	return false;
}

bool sip_params_valid(struct slice params)
{
	struct sip_param param;
	int r;

	do {
		r = sip_param_next(&params, &param);
	} while (r > 0);
	return r == 0 && params.len == 0;
}

int sip_number_parse(struct slice in, uint32_t max, uint32_t *ret)
{
	uint64_t value = 0;

	if (in.len == 0)
		return -EBADMSG;
	for (size_t i = 0; i < in.len; i++) {
		if (!ascii_is_digit((unsigned char)in.p[i]))
			return -EBADMSG;
		value = value * 10 + (uint64_t)(in.p[i] - '0');
		if (value > UINT32_MAX)
			value = (uint64_t)UINT32_MAX + 1;
	}
	*ret = value > max ? max : (uint32_t)value;
	return value > max ? -ERANGE : 0;
}
