/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sip_differential.c - our reading of a message against libosip2's and sofia-sip's. Two readings of one
 * message are how filters are passed and requests smuggled: what we take as well-formed must be read by us as by
 * each of the others that takes it, too, field by field. Where it is not, differences.c says which clause of
 * which RFC makes us right. With AURA_SHOW=1 differences are printed and do not end the run. */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "codec/sip/sip_check.h"
#include "codec/sip/sip_msg.h"
#include "differences.h"
#include "reading.h"

static struct sip_msg msg;
static struct reading us, them;

static const char *const names[READ_FIELDS] = {
	[READ_KIND] = "method or status",
	[READ_URI] = "Request-URI scheme",
	[READ_URI_USER] = "Request-URI user",
	[READ_URI_HOST] = "Request-URI host",
	[READ_URI_PORT] = "Request-URI port",
	[READ_FROM] = "From scheme",
	[READ_FROM_USER] = "From user",
	[READ_FROM_HOST] = "From host",
	[READ_FROM_PORT] = "From port",
	[READ_TO] = "To scheme",
	[READ_TO_USER] = "To user",
	[READ_TO_HOST] = "To host",
	[READ_TO_PORT] = "To port",
	[READ_CONTACT] = "Contact scheme",
	[READ_CONTACT_USER] = "Contact user",
	[READ_CONTACT_HOST] = "Contact host",
	[READ_CONTACT_PORT] = "Contact port",
	[READ_FROM_TAG] = "From tag",
	[READ_TO_TAG] = "To tag",
	[READ_CALL_ID] = "Call-ID",
	[READ_CSEQ] = "CSeq number",
	[READ_CSEQ_METHOD] = "CSeq method",
	[READ_VIA_HOST] = "Via host",
	[READ_VIA_PORT] = "Via port",
	[READ_VIA_BRANCH] = "Via branch",
	[READ_VIA_RECEIVED] = "Via received",
	[READ_VIA_RPORT] = "Via rport",
	[READ_MAX_FORWARDS] = "Max-Forwards",
	[READ_LENGTH] = "Content-Length",
	[READ_BODY] = "body",
};

/* What is compared as a number, and what in any letter case. */
static bool is_number(enum reading_field f)
{
	return f == READ_URI_PORT || f == READ_FROM_PORT || f == READ_TO_PORT ||
	       f == READ_CONTACT_PORT || f == READ_VIA_PORT || f == READ_VIA_RPORT ||
	       f == READ_CSEQ || f == READ_MAX_FORWARDS || f == READ_LENGTH;
}

static bool has_case(enum reading_field f)
{
	return f == READ_KIND || f == READ_CSEQ_METHOD || f == READ_CALL_ID || f == READ_URI_USER ||
	       f == READ_FROM_USER || f == READ_TO_USER || f == READ_CONTACT_USER ||
	       f == READ_FROM_TAG || f == READ_TO_TAG || f == READ_VIA_BRANCH || f == READ_BODY;
}

void reading_set(struct reading *reading, enum reading_field field, const char *text, size_t len)
{
	char *out = reading->field[field];
	size_t n = 0;

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	while (is_number(field) && len > 1 && text[0] == '0') {
		text++;
		len--;
	}
	for (size_t i = 0; i < len && n < READING_TEXT - 1; i++)
		out[n++] = has_case(field) ? text[i] : ascii_lower(text[i]);
	out[n] = '\0';
}

void reading_set_text(struct reading *reading, enum reading_field field, const char *text)
{
	if (text)
		reading_set(reading, field, text, strlen(text));
}

void reading_set_number(struct reading *reading, enum reading_field field, unsigned long number)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lu", number);

	reading_set(reading, field, text, (size_t)n);
}

void reading_set_escaped(struct reading *reading, enum reading_field field, const char *text,
			 size_t len)
{
	static char plain[65536]; /* cut only afterwards: an escape is three bytes */
	int n = sip_unescape(slice_make(text, len), plain, sizeof(plain));

	reading_set(reading, field, plain, n < 0 ? 0 : (size_t)n);
}

void reading_set_body(struct reading *reading, const char *p, size_t len)
{
	unsigned long sum = 5381;
	char text[48];
	int n;

	for (size_t i = 0; i < len; i++)
		sum = sum * 33 + (unsigned char)p[i];
	n = snprintf(text, sizeof(text), "%zu bytes, %lx", len, sum);
	if (len > 0)
		reading_set(reading, READ_BODY, text, (size_t)n);
}

static void set(enum reading_field field, struct slice text)
{
	reading_set(&us, field, text.p, text.len);
}

static void set_uri(enum reading_field first, const struct sip_uri *uri)
{
	set(first, slice_make(uri->text.p, strcspn(uri->text.p, ":")));
	if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
		return;
	reading_set_escaped(&us, first + 1, uri->user.p, uri->user.len);
	set(first + 2, uri->host);
	if (uri->port)
		reading_set_number(&us, first + 3, uri->port);
}

static void read_addresses(void)
{
	struct sip_addr addr;
	struct sip_uri uri;

	if (msg.request && sip_msg_request_uri(&msg, &uri) == 0)
		set_uri(READ_URI, &uri);
	if (sip_msg_from(&msg, &addr) == 0)
		set_uri(READ_FROM, &addr.uri);
	if (sip_msg_to(&msg, &addr) == 0)
		set_uri(READ_TO, &addr.uri);
	if (sip_msg_contact(&msg, &addr) == 0) {
		if (addr.wildcard)
			set(READ_CONTACT, SLICE("*"));
		else
			set_uri(READ_CONTACT, &addr.uri);
	}
	set(READ_FROM_TAG, sip_msg_from_tag(&msg));
	set(READ_TO_TAG, sip_msg_to_tag(&msg));
}

static void read_ours(void)
{
	struct sip_cseq cseq;
	struct sip_via via;
	uint32_t number;

	if (msg.request)
		set(READ_KIND, msg.method_name);
	else
		reading_set_number(&us, READ_KIND, msg.status);
	read_addresses();
	if (sip_msg_cseq(&msg, &cseq) == 0) {
		reading_set_number(&us, READ_CSEQ, cseq.number);
		set(READ_CSEQ_METHOD, cseq.method_name);
	}
	set(READ_CALL_ID, sip_msg_call_id(&msg));
	if (sip_msg_top_via(&msg, &via) == 0) {
		set(READ_VIA_HOST, via.host);
		if (via.port)
			reading_set_number(&us, READ_VIA_PORT, via.port);
		set(READ_VIA_BRANCH, via.branch);
		set(READ_VIA_RECEIVED, via.received);
		if (via.rport)
			reading_set_number(&us, READ_VIA_RPORT, via.rport);
	}
	if (sip_msg_max_forwards(&msg, &number) == 0)
		reading_set_number(&us, READ_MAX_FORWARDS, number);
	if (sip_msg_header(&msg, SIP_HDR_CONTENT_LENGTH))
		set(READ_LENGTH, sip_msg_value(&msg, SIP_HDR_CONTENT_LENGTH));
	reading_set_body(&us, msg.body.p, msg.body.len);
}

static void compare(enum oracle oracle)
{
	static int show = -1;

	if (show < 0)
		show = getenv("AURA_SHOW") != NULL;
	for (enum reading_field i = 0; i < READ_FIELDS; i++) {
		if (strcmp(us.field[i], them.field[i]) == 0 ||
		    difference_explained(oracle, i, &msg, us.field[i], them.field[i]))
			continue;
		fprintf(stderr, "%s: '%s' here, '%s' by %s\n", names[i], us.field[i], them.field[i],
			oracle == ORACLE_OSIP ? "libosip2" : "sofia-sip");
		MUST(show || !"read alike");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(data, size);
	struct sip_verdict verdict;

	if (sip_msg_parse(in, &msg) < 0)
		return 0;
	sip_msg_check(&msg, NULL, &verdict);
	if (verdict.kind != SIP_VERDICT_OK)
		return 0;
	memset(&us, 0, sizeof(us));
	read_ours();
	/* All of us get the message alone, not what stands behind it. */
	memset(&them, 0, sizeof(them));
	if (oracle_osip(msg.raw.p, msg.raw.len, &them) == 0)
		compare(ORACLE_OSIP);
	memset(&them, 0, sizeof(them));
	if (oracle_sofia(msg.raw.p, msg.raw.len, &them) == 0)
		compare(ORACLE_SOFIA);
	return 0;
}
