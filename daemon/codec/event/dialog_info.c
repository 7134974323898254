/* SPDX-License-Identifier: Apache-2.0 */
/* dialog_info.c - dialog state documents put together, see dialog_info.h. RFC 4235 section 4. */
#include "codec/event/dialog_info.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "base/buf.h"
#include "codec/event/xml_text.h"

static const char ns_dialog[] = "urn:ietf:params:xml:ns:dialog-info";

struct dialog_info {
	xmlDoc *doc;
	xmlNode *root;
	size_t dialogs;
};

static inline void auto_free_xmldoc(xmlDoc **doc)
{
	xmlFreeDoc(*doc);
}

static inline void auto_free_xmlparser(xmlParserCtxt **ctxt)
{
	xmlFreeParserCtxt(*ctxt);
}

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && node->ns && node->ns->href &&
	       strcmp((const char *)node->ns->href, ns_dialog) == 0 &&
	       strcmp((const char *)node->name, name) == 0;
}

/* Deeper than we go? Pre-order, without recursion. */
static bool is_too_deep(const xmlNode *root)
{
	const xmlNode *node = root;
	size_t depth = 0;

	while (node) {
		if (node->type == XML_ELEMENT_NODE && node->children) {
			node = node->children;
			if (++depth > DIALOG_INFO_DEPTH)
				return true;
			continue;
		}
		while (node != root && !node->next) {
			node = node->parent;
			depth--;
		}
		node = node == root ? NULL : node->next;
	}
	return false;
}

static int parse(struct slice in, xmlDoc **ret)
{
	AUTO(xmlparser) xmlParserCtxt *ctxt = NULL;
	AUTO(xmldoc) xmlDoc *doc = NULL;
	const xmlNode *root;

	if (in.len > DIALOG_INFO_MAX)
		return -EMSGSIZE;
	/* Without a document type there are no entities that could expand. */
	if (in.len == 0 || memmem(in.p, in.len, "<!DOCTYPE", 9))
		return -EBADMSG;
	ctxt = xmlNewParserCtxt();
	if (!ctxt)
		return -ENOMEM;
	doc = xmlCtxtReadMemory(ctxt, in.p, (int)in.len, NULL, "UTF-8",
				XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!doc || xmlGetIntSubset(doc))
		return -EBADMSG;
	root = xmlDocGetRootElement(doc);
	if (!root || !is_element(root, "dialog-info") ||
	    !xmlHasProp(root, (const xmlChar *)"entity"))
		return -EBADMSG;
	if (is_too_deep(root))
		return -EMSGSIZE;
	*ret = TAKE(doc);
	return 0;
}

int dialog_info_check(struct slice document)
{
	AUTO(xmldoc) xmlDoc *doc = NULL;
	size_t dialogs = 0;
	int r;

	r = parse(document, &doc);
	if (r < 0)
		return r;
	for (const xmlNode *n = xmlDocGetRootElement(doc)->children; n; n = n->next)
		if (is_element(n, "dialog") &&
		    (++dialogs > DIALOG_INFO_DIALOGS || !xmlHasProp(n, (const xmlChar *)"id")))
			return dialogs > DIALOG_INFO_DIALOGS ? -EMSGSIZE : -EBADMSG;
	return 0;
}

/* The empty result is parsed, too: so its texts pass the one way that there is. */
int dialog_info_new(struct slice entity, uint32_t version, struct dialog_info **ret)
{
	AUTO(dialog_info) struct dialog_info *info = calloc(1, sizeof(*info));
	AUTO_BUF text = { 0 };
	int r;

	if (!info)
		return -ENOMEM;
	buf_printf(&text, "<dialog-info xmlns=\"%s\" version=\"%u\" state=\"full\" entity=\"",
		   ns_dialog, version);
	xml_text_add(&text, entity);
	buf_add_str(&text, "\"/>");
	if (!buf_ok(&text))
		return -ENOMEM;
	r = parse(buf_slice(&text), &info->doc);
	if (r < 0)
		return r;
	info->root = xmlDocGetRootElement(info->doc);
	*ret = TAKE(info);
	return 0;
}

struct dialog_info *dialog_info_free(struct dialog_info *info)
{
	if (!info)
		return NULL;
	xmlFreeDoc(info->doc);
	free(info);
	return NULL;
}

/* Move it over; its names are then those that the root declares. */
static int add_dialog(struct dialog_info *info, xmlNode *dialog)
{
	int r;

	if (info->dialogs == DIALOG_INFO_DIALOGS)
		return -EMSGSIZE;
	r = xmlDOMWrapAdoptNode(NULL, dialog->doc, dialog, info->doc, info->root, 0);
	if (r != 0 || !xmlAddChild(info->root, dialog))
		return -ENOMEM;
	info->dialogs++;
	return 0;
}

int dialog_info_add(struct dialog_info *info, struct slice document)
{
	AUTO(xmldoc) xmlDoc *doc = NULL;
	int r;

	r = parse(document, &doc);
	if (r < 0)
		return r;
	for (xmlNode *n = xmlDocGetRootElement(doc)->children, *next; n && r == 0; n = next) {
		next = n->next;
		if (is_element(n, "dialog"))
			r = add_dialog(info, n);
	}
	return r;
}

int dialog_info_write(const struct dialog_info *info, struct buf *out)
{
	xmlChar *text = NULL;
	int len = 0;

	xmlDocDumpMemoryEnc(info->doc, &text, &len, "UTF-8");
	if (!text)
		return -ENOMEM;
	buf_add(out, text, (size_t)len);
	xmlFree(text);
	return buf_ok(out) ? 0 : -ENOMEM;
}
