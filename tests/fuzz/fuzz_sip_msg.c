/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sip_msg.c - any datagram or stream: parsed, typed, judged; what is fine is forwarded by edits and
 * what is not is answered, and both must come out as well-formed messages again. */
#include "fuzz.h"

#include <string.h>

#include "base/buf.h"
#include "codec/sip/sip_auth.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_check.h"
#include "codec/sip/sip_edit.h"
#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"

static struct sip_msg msg, again;

static bool within(struct slice part, struct slice whole)
{
	return part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

/* Every typed parser over one value, whatever field it stands in. */
static void read_value(struct slice value)
{
	struct sip_addr addr;
	struct sip_via via;
	struct sip_cseq cseq;
	struct sip_rack rack;
	struct sip_auth auth;
	struct sip_event event;
	struct sip_session_expires expires;
	struct sip_subscription_state substate;
	struct sip_reason reason;
	struct sip_replaces replaces;
	struct sip_content_type type;
	struct sip_warning warning;
	uint32_t number;

	if (sip_addr_parse(value, &addr) == 0) {
		MUST(within(addr.uri.text, value) && within(addr.params, value));
		(void)sip_addr_tag(&addr);
		MUST(addr.wildcard || sip_uri_equal(&addr.uri, &addr.uri));
	}
	if (sip_via_parse(value, &via) == 0) {
		char *stamped = malloc(value.len + 80);
		struct sip_via other;
		int n = sip_via_stamp(value, SLICE("2001:db8:1111:2222:3333:4444:255.255.255.255"),
				      65535, true, stamped, value.len + 80);

		MUST(n > 0 && sip_via_parse(slice_make(stamped, (size_t)n), &other) == 0);
		MUST(other.rport == 65535 && slice_eq(other.branch, via.branch));
		free(stamped);
	}
	if (sip_cseq_parse(value, &cseq) == 0)
		MUST(cseq.number <= INT32_MAX && cseq.method_name.len > 0);
	(void)sip_rack_parse(value, &rack);
	if (sip_auth_parse(value, &auth) == 0) {
		(void)sip_auth_qop_has(&auth, SLICE("auth"));
		MUST(within(auth.response, value) && within(auth.scheme, value));
	}
	(void)sip_event_parse(value, &event);
	(void)sip_session_expires_parse(value, &expires);
	(void)sip_subscription_state_parse(value, &substate);
	(void)sip_reason_parse(value, &reason);
	(void)sip_replaces_parse(value, &replaces);
	(void)sip_content_type_parse(value, &type);
	(void)sip_warning_parse(value, &warning);
	(void)sip_retry_after_parse(value, &number);
	(void)sip_date_valid(value);
}

static void read_fields(void)
{
	const char *last = msg.raw.p;

	for (size_t i = 0; i < msg.header_count; i++) {
		const struct sip_header *field = &msg.headers[i];
		struct slice rest = field->value, value;

		MUST(within(field->line, msg.raw) && within(field->name, field->line));
		MUST(within(field->value, field->line) && field->line.p >= last);
		MUST(sip_msg_header(&msg, field->id) != NULL);
		last = field->line.p + field->line.len;
		read_value(field->value);
		while (sip_value_take(&rest, &value)) {
			MUST(within(value, field->value));
			read_value(value);
		}
	}
}

/* A forwarded message keeps what was not edited. */
static void forward(void)
{
	static struct sip_edit edit;
	size_t vias = sip_values_count(&msg, SIP_HDR_VIA);
	size_t routes = sip_values_count(&msg, SIP_HDR_ROUTE);
	size_t drop = routes > 1 ? routes - 1 : routes;
	AUTO_BUF out = { 0 };
	int r;

	sip_edit_init(&edit, &msg);
	if (msg.request) {
		sip_edit_request_uri(&edit, SLICE("sip:a@b;lr"));
		sip_edit_stamp_via(&edit, SLICE("192.0.2.1"), 5060, true);
		sip_edit_push(&edit, SIP_HDR_VIA, SLICE("SIP/2.0/UDP x;branch=z9hG4bKy"));
		sip_edit_pop(&edit, SIP_HDR_ROUTE, drop);
		sip_edit_set_u32(&edit, SIP_HDR_MAX_FORWARDS, 69);
	} else {
		sip_edit_pop(&edit, SIP_HDR_VIA, 1);
	}
	r = sip_edit_apply(&edit, &out);
	if (r == -ENOBUFS || out.len > SIP_MSG_MAX)
		return;
	MUST(r == 0);
	MUST(sip_msg_parse(buf_slice(&out), &again) == 0);
	if (again.defects == SIP_DEFECT_TOO_MANY)
		return;
	MUST(again.defects == 0 && slice_eq(again.body, msg.body));
	MUST(sip_values_count(&again, SIP_HDR_VIA) == (msg.request ? vias + 1 : vias - 1));
	MUST(!msg.request || sip_values_count(&again, SIP_HDR_ROUTE) == routes - drop);
	MUST(slice_eq(sip_msg_call_id(&again), sip_msg_call_id(&msg)));
}

static void answer(unsigned status)
{
	const struct sip_reply reply = { .status = status,
					 .to_tag = SLICE("t"),
					 .source = SLICE("192.0.2.1"),
					 .source_port = 5060,
					 .flags = SIP_REPLY_RECORD_ROUTE };
	AUTO_BUF out = { 0 };

	sip_build_reply(&out, &msg, &reply);
	sip_build_body(&out, SLICE(""), SLICE(""));
	/* values with control characters that would change the message are not repeated */
	if (!buf_ok(&out) || out.len > SIP_MSG_MAX)
		return;
	MUST(sip_msg_parse(buf_slice(&out), &again) == 0);
	MUST((again.defects & ~(unsigned)SIP_DEFECT_TOO_MANY) == 0 && again.status == status);
}

static void read_datagram(struct slice in)
{
	struct sip_verdict verdict;

	if (sip_msg_parse(in, &msg) < 0)
		return;
	MUST(within(msg.raw, in) && within(msg.body, in));
	read_fields();
	sip_msg_check(&msg, NULL, &verdict);
	if (verdict.kind == SIP_VERDICT_OK)
		forward();
	else if (verdict.kind == SIP_VERDICT_RESPOND)
		answer(verdict.status);
}

/* The same frames come out however the bytes arrive. */
static void read_stream(struct slice in)
{
	struct sip_framer whole = { 0 }, pieces = { 0 };
	size_t have = 0, step = in.len / 7 + 1, len, piece_len;

	while (in.len > 0) {
		int kind = sip_frame_next(&whole, in, &len), piece;

		MUST(len <= in.len && (kind > 0) == (len > 0));
		if (have == 0)
			have = step < in.len ? step : in.len;
		while ((piece = sip_frame_next(&pieces, slice_make(in.p, have), &piece_len)) ==
			       SIP_FRAME_MORE &&
		       have < in.len)
			have = have + step < in.len ? have + step : in.len;
		if (kind != SIP_FRAME_MESSAGE)
			return;
		MUST(piece == SIP_FRAME_MESSAGE && piece_len == len);
		in.p += len;
		in.len -= len;
		have = have > len ? have - len : 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(data, size);

	read_datagram(in);
	read_stream(in);
	read_value(in);
	return 0;
}
