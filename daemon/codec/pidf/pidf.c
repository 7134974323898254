/* SPDX-License-Identifier: Apache-2.0 */
/* pidf.c - reading presence documents, see pidf.h. RFC 3863, RFC 4479, RFC 4480. */
#include "codec/pidf/pidf.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "base/error.h"

static const char ns_pidf[] = "urn:ietf:params:xml:ns:pidf";
static const char ns_person[] = "urn:ietf:params:xml:ns:pidf:data-model";
static const char ns_rpid[] = "urn:ietf:params:xml:ns:pidf:rpid";

static inline void auto_free_xmldoc(xmlDoc **doc)
{
	xmlFreeDoc(*doc);
}

static inline void auto_free_xmlparser(xmlParserCtxt **ctxt)
{
	xmlFreeParserCtxt(*ctxt);
}

/* Bytes of the longest run of whole UTF-8 characters within max. */
static size_t cut_utf8(struct slice text, size_t max)
{
	size_t n = text.len < max ? text.len : max;

	if (n == text.len)
		return n;
	while (n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void set_text(char *out, size_t size, struct slice text)
{
	size_t n = cut_utf8(text, size - 1);

	if (n)
		memcpy(out, text.p, n);
	out[n] = '\0';
}

/* Without white space around it, also where it had to be cut. */
static void set_trimmed(char *out, size_t size, struct slice text)
{
	text = slice_trim(text);
	text.len = cut_utf8(text, size - 1);
	set_text(out, size, slice_trim(text));
}

void pidf_text_set(char (*member)[PIDF_TEXT_MAX], struct slice text)
{
	set_text(*member, PIDF_TEXT_MAX, text);
}

static bool is_element(const xmlNode *node, const char *ns, const char *name)
{
	return node->type == XML_ELEMENT_NODE && node->ns && node->ns->href &&
	       strcmp((const char *)node->ns->href, ns) == 0 &&
	       strcmp((const char *)node->name, name) == 0;
}

/* Text of an element's own text nodes, without white space around it. */
static void read_text(const xmlNode *node, char *out, size_t size)
{
	char text[PIDF_TEXT_MAX * 4];
	size_t len = 0;

	for (const xmlNode *part = node->children; part; part = part->next) {
		struct slice more;
		size_t n;

		if ((part->type != XML_TEXT_NODE && part->type != XML_CDATA_SECTION_NODE) ||
		    !part->content)
			continue;
		more = slice_str((const char *)part->content);
		n = cut_utf8(more, sizeof(text) - len);
		memcpy(text + len, more.p, n);
		len += n;
		if (n < more.len)
			break;
	}
	set_trimmed(out, size, slice_make(text, len));
}

static void read_attribute(const xmlNode *node, const char *name, char *out, size_t size)
{
	const xmlAttr *attr = xmlHasProp(node, (const xmlChar *)name);

	out[0] = '\0';
	if (attr && attr->children && attr->children->content)
		set_trimmed(out, size, slice_str((const char *)attr->children->content));
}

/* priority = "0" [ "." 0*3DIGIT ] / "1" [ "." 0*3"0" ], in thousandths; -1 for anything else. */
static int read_priority(const char *text)
{
	struct slice in = slice_str(text);
	int value, scale = 100;

	if (in.len == 0 || (in.p[0] != '0' && in.p[0] != '1'))
		return -1;
	value = (in.p[0] - '0') * 1000;
	(void)slice_take(&in, 1);
	if (in.len > 0 && !slice_skip_char(&in, '.'))
		return -1;
	for (; in.len > 0; scale /= 10) {
		if (scale == 0 || !ascii_is_digit((unsigned char)in.p[0]))
			return -1;
		value += (in.p[0] - '0') * scale;
		(void)slice_take(&in, 1);
	}
	return value <= 1000 ? value : -1;
}

static void read_status(const xmlNode *status, struct pidf_tuple *tuple)
{
	char text[PIDF_TEXT_MAX];

	for (const xmlNode *node = status->children; node; node = node->next) {
		if (!is_element(node, ns_pidf, "basic"))
			continue;
		read_text(node, text, sizeof(text));
		if (strcmp(text, "open") == 0)
			tuple->basic = PIDF_OPEN;
		else if (strcmp(text, "closed") == 0)
			tuple->basic = PIDF_CLOSED;
	}
}

static void read_contact(const xmlNode *node, struct pidf_tuple *tuple)
{
	char text[PIDF_TEXT_MAX];

	read_text(node, tuple->contact, sizeof(tuple->contact));
	read_attribute(node, "priority", text, sizeof(text));
	tuple->priority = read_priority(text);
}

static int read_tuple(const xmlNode *element, struct pidf *pidf)
{
	struct pidf_tuple *tuple;

	if (pidf->tuple_count == PIDF_TUPLES_MAX)
		return -EMSGSIZE;
	tuple = &pidf->tuples[pidf->tuple_count++];
	tuple->priority = -1;
	read_attribute(element, "id", tuple->id, sizeof(tuple->id));
	for (const xmlNode *node = element->children; node; node = node->next) {
		if (is_element(node, ns_pidf, "status"))
			read_status(node, tuple);
		else if (is_element(node, ns_pidf, "contact"))
			read_contact(node, tuple);
		else if (is_element(node, ns_pidf, "note") && !tuple->note[0])
			read_text(node, tuple->note, sizeof(tuple->note));
		else if (is_element(node, ns_pidf, "timestamp"))
			read_text(node, tuple->timestamp, sizeof(tuple->timestamp));
	}
	return 0;
}

static void read_activities(const xmlNode *element, struct pidf *pidf)
{
	for (const xmlNode *node = element->children; node; node = node->next) {
		for (unsigned bit = 1; pidf_activity_name(bit); bit <<= 1) {
			if (is_element(node, ns_rpid, pidf_activity_name(bit)))
				pidf->activities |= bit;
		}
	}
}

static void read_person(const xmlNode *element, struct pidf *pidf)
{
	pidf->has_person = true;
	if (!pidf->person_id[0])
		read_attribute(element, "id", pidf->person_id, sizeof(pidf->person_id));
	for (const xmlNode *node = element->children; node; node = node->next) {
		if (is_element(node, ns_rpid, "activities"))
			read_activities(node, pidf);
		else if (is_element(node, ns_person, "note") && !pidf->person_note[0])
			read_text(node, pidf->person_note, sizeof(pidf->person_note));
	}
}

static bool too_deep(const xmlNode *node)
{
	size_t depth = 0;

	/* pre-order walk without recursion */
	while (node) {
		if (node->children && node->type == XML_ELEMENT_NODE) {
			node = node->children;
			if (++depth > PIDF_DEPTH_MAX)
				return true;
			continue;
		}
		while (node && !node->next) {
			node = node->parent;
			if (depth == 0 || !node || node->type != XML_ELEMENT_NODE)
				return false;
			depth--;
		}
		node = node ? node->next : NULL;
	}
	return false;
}

static int read_presence(const xmlNode *root, struct pidf *pidf)
{
	int r;

	if (!is_element(root, ns_pidf, "presence"))
		return -EBADMSG;
	if (too_deep(root))
		return -EMSGSIZE;
	read_attribute(root, "entity", pidf->entity, sizeof(pidf->entity));
	if (!pidf->entity[0])
		return -EBADMSG;
	for (const xmlNode *node = root->children; node; node = node->next) {
		if (is_element(node, ns_pidf, "tuple")) {
			r = read_tuple(node, pidf);
			if (r < 0)
				return r;
		} else if (is_element(node, ns_person, "person")) {
			read_person(node, pidf);
		} else if (is_element(node, ns_pidf, "note") && !pidf->note[0]) {
			read_text(node, pidf->note, sizeof(pidf->note));
		}
	}
	return 0;
}

/* Without a document type there are no entities but the five of XML itself, so nothing can expand. */
static bool has_doctype(struct slice in)
{
	return memmem(in.p, in.len, "<!DOCTYPE", 9) || memmem(in.p, in.len, "<!ENTITY", 8);
}

int pidf_parse(struct slice in, struct pidf *ret)
{
	AUTO(xmlparser) xmlParserCtxt *ctxt = NULL;
	AUTO(xmldoc) xmlDoc *doc = NULL;
	const xmlNode *root;

	if (in.len > PIDF_MAX)
		return -EMSGSIZE;
	if (in.len == 0 || has_doctype(in))
		return -EBADMSG;
	ctxt = xmlNewParserCtxt();
	if (!ctxt)
		return -ENOMEM;
	doc = xmlCtxtReadMemory(ctxt, in.p, (int)in.len, NULL, "UTF-8",
				XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!doc)
		return -EBADMSG;
	root = xmlDocGetRootElement(doc);
	/* PIDF is UTF-8 whatever it declares; a document type is refused however it is written */
	if (!root || xmlGetIntSubset(doc))
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	return read_presence(root, ret);
}
