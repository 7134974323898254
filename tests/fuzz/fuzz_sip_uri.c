/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sip_uri.c - two URIs, one a line: cut, compared, unescaped and escaped again. */
#include "fuzz.h"

#include <string.h>

#include "base/buf.h"
#include "codec/sip/sip_uri.h"

static void read_uri(const struct sip_uri *uri)
{
	struct slice headers = uri->headers, name, value;
	char *plain = malloc(uri->user.len + 1);
	int n = sip_unescape(uri->user, plain, uri->user.len);
	AUTO_BUF out = { 0 };

	MUST(n >= 0);
	MUST(uri->user.len == 0 || uri->scheme == SIP_SCHEME_TEL ||
	     sip_uri_user_is(uri, slice_make(plain, (size_t)n)));
	/* what is escaped by us is a user part again, and the same one */
	if (n > 0 && uri->scheme != SIP_SCHEME_TEL) {
		struct sip_uri again;

		buf_add_str(&out, "sip:");
		sip_escape_user(&out, slice_make(plain, (size_t)n));
		buf_add_str(&out, "@h");
		MUST(sip_uri_parse(buf_slice(&out), &again) == 0);
		MUST(sip_uri_user_is(&again, slice_make(plain, (size_t)n)));
	}
	while (sip_uri_header_next(&headers, &name, &value) > 0)
		MUST(name.len > 0);
	(void)sip_uri_param(uri, SLICE("transport"), &value);
	MUST(sip_uri_equal(uri, uri));
	free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make(data, size);
	struct slice first = slice_take_until(&rest, '\n', NULL);
	struct sip_uri a, b;
	bool have_a = sip_uri_parse(first, &a) == 0;
	bool have_b = sip_uri_parse(rest, &b) == 0;

	if (have_a)
		read_uri(&a);
	if (have_b)
		read_uri(&b);
	if (have_a && have_b) {
		MUST(sip_uri_equal(&a, &b) == sip_uri_equal(&b, &a));
		MUST(sip_uri_same_aor(&a, &b) == sip_uri_same_aor(&b, &a));
	}
	return 0;
}
