/* SPDX-License-Identifier: Apache-2.0 */
/* xml_text.c - text as XML 1.0 holds it, see xml_text.h. */
#include "codec/event/xml_text.h"

#include "base/buf.h"

/* Length of the UTF-8 character at the front that XML can hold (XML 1.0 section 2.2), 0 = none. */
static size_t xml_char(const unsigned char *p, size_t len)
{
	uint32_t c = p[0];
	size_t n = c < 0x80		   ? 1
		   : c >= 0xc2 && c < 0xe0 ? 2
		   : c >= 0xe0 && c < 0xf0 ? 3
		   : c >= 0xf0 && c < 0xf5 ? 4
					   : 0;

	if (n == 0 || n > len)
		return 0;
	if (n == 1)
		return c >= ' ' || c == '\t' || c == '\n' || c == '\r' ? 1 : 0;
	c &= 0x7fU >> n;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fU);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) ||
	    (c >= 0xd800 && c < 0xe000) || c == 0xfffe || c == 0xffff)
		return 0;
	return n;
}

void xml_text_add(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len;) {
		size_t n = xml_char((const unsigned char *)text.p + i, text.len - i);

		if (n == 0) {
			i++;
			continue;
		}
		switch (text.p[i]) {
		case '&':
			buf_add_str(out, "&amp;");
			break;
		case '<':
			buf_add_str(out, "&lt;");
			break;
		case '>':
			buf_add_str(out, "&gt;");
			break;
		case '"':
			buf_add_str(out, "&quot;");
			break;
		case '\r':
			buf_add_str(out, "&#13;");
			break;
		default:
			buf_add(out, text.p + i, n);
			break;
		}
		i += n;
	}
}
