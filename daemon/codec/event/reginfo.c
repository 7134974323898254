/* SPDX-License-Identifier: Apache-2.0 */
/* reginfo.c - writing registration state documents, see reginfo.h. */
#include "codec/event/reginfo.h"

#include <inttypes.h>

#include "base/buf.h"
#include "codec/event/xml_text.h"

void reginfo_begin(struct buf *out, uint32_t version, struct slice aor, bool active)
{
	buf_printf(out,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"%u\" "
		   "state=\"full\">\n<registration aor=\"",
		   version);
	xml_text_add(out, aor);
	buf_printf(out, "\" id=\"a1\" state=\"%s\">\n", active ? "active" : "init");
}

void reginfo_add(struct buf *out, const struct reginfo_contact *contact)
{
	buf_printf(out, "<contact id=\"c%016" PRIx64 "\" state=\"%s\" event=\"%s\"", contact->id,
		   contact->active ? "active" : "terminated", contact->event);
	if (contact->active)
		buf_printf(out, " expires=\"%u\"", contact->expires_s);
	if (contact->q < 1000)
		buf_printf(out, " q=\"0.%03u\"", contact->q);
	if (contact->call_id.len) {
		buf_add_str(out, " callid=\"");
		xml_text_add(out, contact->call_id);
		buf_printf(out, "\" cseq=\"%u\"", contact->cseq);
	}
	buf_add_str(out, "><uri>");
	xml_text_add(out, contact->uri);
	buf_add_str(out, "</uri>");
	if (contact->instance.len) {
		buf_add_str(out, "<unknown-param name=\"+sip.instance\">\"");
		xml_text_add(out, contact->instance);
		buf_add_str(out, "\"</unknown-param>");
	}
	buf_add_str(out, "</contact>\n");
}

void reginfo_end(struct buf *out)
{
	buf_add_str(out, "</registration>\n</reginfo>\n");
}
