/* SPDX-License-Identifier: Apache-2.0 */
/* pidf_write.c - building presence documents, see pidf.h. */
#include "base/buf.h"
#include "codec/pidf/pidf.h"

static const char *const activity_names[] = {
	"on-the-phone", "busy",	       "away",	   "meeting",
	"vacation",	"appointment", "meal",	   "permanent-absence",
	"in-transit",	"travel",      "sleeping", "steering",
	"other",	"unknown",
};

const char *pidf_activity_name(unsigned bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(activity_names); i++) {
		if (bit == 1U << i)
			return activity_names[i];
	}
	return NULL;
}

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

static void add_text(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		size_t n = xml_char((const unsigned char *)text + i, len - i);

		if (n == 0) {
			i++;
			continue;
		}
		switch (text[i]) {
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
			buf_add(out, text + i, n);
			break;
		}
		i += n;
	}
}

/* <name>text</name>, nothing for an empty text. */
static void add_element(struct buf *out, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	buf_printf(out, "<%s>", name);
	add_text(out, text);
	buf_printf(out, "</%s>", name);
}

static void add_tuple(struct buf *out, const struct pidf_tuple *tuple, size_t index)
{
	buf_add_str(out, "<tuple id=\"");
	if (tuple->id[0])
		add_text(out, tuple->id);
	else
		buf_printf(out, "t%zu", index + 1);
	buf_add_str(out, "\"><status>");
	if (tuple->basic != PIDF_BASIC_NONE)
		add_element(out, "basic", tuple->basic == PIDF_OPEN ? "open" : "closed");
	buf_add_str(out, "</status>");
	if (tuple->contact[0]) {
		buf_add_str(out, "<contact");
		if (tuple->priority >= 0 && tuple->priority <= 1000)
			buf_printf(out, " priority=\"%d.%03d\"", tuple->priority / 1000,
				   tuple->priority % 1000);
		buf_add_char(out, '>');
		add_text(out, tuple->contact);
		buf_add_str(out, "</contact>");
	}
	add_element(out, "note", tuple->note);
	add_element(out, "timestamp", tuple->timestamp);
	buf_add_str(out, "</tuple>");
}

static void add_person(struct buf *out, const struct pidf *pidf)
{
	buf_add_str(out, "<dm:person id=\"");
	add_text(out, pidf->person_id[0] ? pidf->person_id : "p1");
	buf_add_str(out, "\">");
	if (pidf->activities) {
		buf_add_str(out, "<rpid:activities>");
		for (size_t i = 0; i < ARRAY_SIZE(activity_names); i++) {
			if (pidf->activities & 1U << i)
				buf_printf(out, "<rpid:%s/>", activity_names[i]);
		}
		buf_add_str(out, "</rpid:activities>");
	}
	add_element(out, "dm:note", pidf->person_note);
	buf_add_str(out, "</dm:person>");
}

void pidf_write(const struct pidf *pidf, struct buf *out)
{
	buf_add_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			 "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\""
			 " xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\""
			 " xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"");
	add_text(out, pidf->entity);
	buf_add_str(out, "\">");
	for (size_t i = 0; i < pidf->tuple_count; i++)
		add_tuple(out, &pidf->tuples[i], i);
	add_element(out, "note", pidf->note);
	if (pidf->has_person)
		add_person(out, pidf);
	buf_add_str(out, "</presence>\n");
}
