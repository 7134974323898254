/* SPDX-License-Identifier: Apache-2.0 */
/* pidf_write.c - building presence documents, see pidf.h. */
#include "base/buf.h"
#include "codec/event/xml_text.h"
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

static void add_text(struct buf *out, const char *text)
{
	xml_text_add(out, slice_str(text));
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
