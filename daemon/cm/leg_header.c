/* SPDX-License-Identifier: Apache-2.0 */
/* leg_header.c - which header fields cross from one leg of a half to the other: one table. */
#include "cm/leg_header.h"

#include "base/buf.h"
#include "base/error.h"
#include "codec/sip/sip_addr.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"

#define I LEG_WAY_INVITE
#define P LEG_WAY_PROGRESS
#define A LEG_WAY_ANSWER
#define F LEG_WAY_REFUSAL
#define R LEG_WAY_REQUEST

/* clang-format off */
static const struct { enum sip_header_id id; unsigned ways; } rows[] = {
	{ SIP_HDR_ACCEPT,              I |         F | R },
	{ SIP_HDR_ACCEPT_ENCODING,     I |         F | R },
	{ SIP_HDR_ACCEPT_LANGUAGE,     I |         F | R },
	{ SIP_HDR_ALERT_INFO,          I | P | A         },
	{ SIP_HDR_CALL_INFO,           I | P | A | F | R },
	{ SIP_HDR_CONTENT_DISPOSITION, I | P | A |     R },
	{ SIP_HDR_CONTENT_ENCODING,    I | P | A |     R },
	{ SIP_HDR_CONTENT_LANGUAGE,    I | P | A |     R },
	{ SIP_HDR_DATE,                I                 },
	{ SIP_HDR_DIVERSION,           I                 },
	{ SIP_HDR_ENDPOINT_VIEW,       I | P | A |     R },
	{ SIP_HDR_ERROR_INFO,                      F     },
	{ SIP_HDR_EVENT,                               R },
	{ SIP_HDR_EXPIRES,             I                 },
	{ SIP_HDR_HISTORY_INFO,        I | P | A | F     },
	{ SIP_HDR_MAX_BREADTH,         I                 },
	{ SIP_HDR_MIME_VERSION,        I | P | A |     R },
	{ SIP_HDR_ORGANIZATION,        I |     A         },
	{ SIP_HDR_P_ASSERTED_IDENTITY, I | P | A | F | R },
	{ SIP_HDR_P_AV_MESSAGE_ID,     I | P | A | F | R },
	{ SIP_HDR_P_CHARGING_VECTOR,   I | P | A |     R },
	{ SIP_HDR_P_LOCATION,          I | P | A |     R },
	{ SIP_HDR_PRIORITY,            I                 },
	{ SIP_HDR_PRIVACY,             I | P | A |     R },
	{ SIP_HDR_REASON,              I | P |     F | R },
	{ SIP_HDR_REFER_SUB,                           R },
	{ SIP_HDR_REFER_TO,                            R },
	{ SIP_HDR_REFERRED_BY,         I |             R },
	{ SIP_HDR_REMOTE_LEGID,        I | P | A | F | R },
	{ SIP_HDR_REPLACES,            I                 },
	{ SIP_HDR_REPLY_TO,            I |     A         },
	{ SIP_HDR_SUBSCRIPTION_STATE,                  R },
	{ SIP_HDR_SUBJECT,             I                 },
	{ SIP_HDR_USER_TO_USER,        I | P | A | F | R },
	{ SIP_HDR_WARNING,                 P | A | F | R },
};
/* clang-format on */

#undef I
#undef P
#undef A
#undef F
#undef R

static bool crosses(size_t row, enum leg_way way)
{
	if (way == LEG_WAY_DIVERTED)
		return (rows[row].ways & LEG_WAY_INVITE) && rows[row].id != SIP_HDR_HISTORY_INFO &&
		       rows[row].id != SIP_HDR_REPLACES;
	return (rows[row].ways & (unsigned)way) != 0;
}

bool leg_header_crosses(enum sip_header_id id, enum leg_way way)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].id == id)
			return crosses(i, way);
	}
	return false;
}

void leg_header_copy(const struct sip_msg *msg, enum leg_way way, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (crosses(i, way))
			(void)sip_build_copy(out, msg, rows[i].id);
	}
}

unsigned leg_status_pass(unsigned status)
{
	if (status >= 300 && status < 400)
		return 480;
	switch (status) {
	case 401:
	case 407:
		return 403;
	case 422: /* the interval of a session is a leg's own */
	case 503:
		return 500;
	default:
		return status;
	}
}

int leg_party_text(struct slice value, struct buf *out)
{
	struct sip_addr addr;
	struct sip_param param;
	struct slice params;

	if (sip_addr_parse(value, &addr) < 0 || addr.wildcard)
		return -EBADMSG;
	if (addr.params.len == 0) {
		buf_add_slice(out, value);
		return 0;
	}
	buf_add(out, value.p, (size_t)(addr.params.p - value.p));
	params = addr.params;
	while (params.len > 0) {
		struct slice before = params;

		if (sip_param_next(&params, &param) <= 0)
			break;
		if (!slice_eq_str_nocase(param.name, "tag"))
			buf_add(out, before.p, before.len - params.len);
	}
	return 0;
}
