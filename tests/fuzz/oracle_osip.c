/* SPDX-License-Identifier: Apache-2.0 */
/* oracle_osip.c - a message as libosip2 reads it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include <osipparser2/osip_parser.h>

#include "reading.h"

static void read_uri(struct reading *ret, enum reading_field first, const osip_uri_t *uri)
{
	if (!uri)
		return;
	reading_set_text(ret, first, uri->scheme);
	if (!uri->scheme ||
	    (strcasecmp(uri->scheme, "sip") != 0 && strcasecmp(uri->scheme, "sips") != 0))
		return;
	reading_set_text(ret, first + 1, uri->username); /* unescaped already */
	reading_set_text(ret, first + 2, uri->host);
	reading_set_text(ret, first + 3, uri->port);
}

static void read_tag(struct reading *ret, enum reading_field field, osip_from_t *from)
{
	osip_generic_param_t *tag = NULL;
	char name[] = "tag";

	if (from && osip_uri_param_get_byname(&from->gen_params, name, &tag) == 0 && tag)
		reading_set_text(ret, field, tag->gvalue);
}

static void read_via_param(struct reading *ret, enum reading_field field, osip_via_t *via,
			   const char *name)
{
	osip_generic_param_t *param = NULL;
	char copy[16];

	(void)snprintf(copy, sizeof(copy), "%s", name);
	if (osip_via_param_get_byname(via, copy, &param) == 0 && param)
		reading_set_text(ret, field, param->gvalue);
}

static void read_via(struct reading *ret, osip_message_t *m)
{
	osip_via_t *via = NULL;

	if (osip_message_get_via(m, 0, &via) < 0 || !via)
		return;
	reading_set_text(ret, READ_VIA_HOST, via->host);
	reading_set_text(ret, READ_VIA_PORT, via->port);
	read_via_param(ret, READ_VIA_BRANCH, via, "branch");
	read_via_param(ret, READ_VIA_RECEIVED, via, "received");
	read_via_param(ret, READ_VIA_RPORT, via, "rport");
}

static void read_numbers(struct reading *ret, osip_message_t *m)
{
	osip_header_t *hops = NULL;
	osip_body_t *body = NULL;

	if (osip_message_get_max_forwards(m, 0, &hops) >= 0 && hops)
		reading_set_text(ret, READ_MAX_FORWARDS, hops->hvalue);
	if (m->content_length)
		reading_set_text(ret, READ_LENGTH, m->content_length->value);
	if (osip_message_get_body(m, 0, &body) >= 0 && body)
		reading_set_body(ret, body->body, body->length);
}

static void read_message(osip_message_t *m, struct reading *ret)
{
	osip_contact_t *contact = NULL;
	char text[READING_TEXT];

	if (MSG_IS_REQUEST(m))
		reading_set_text(ret, READ_KIND, m->sip_method);
	else
		reading_set_number(ret, READ_KIND, (unsigned long)m->status_code);
	read_uri(ret, READ_URI, m->req_uri);
	if (m->from)
		read_uri(ret, READ_FROM, m->from->url);
	if (m->to)
		read_uri(ret, READ_TO, m->to->url);
	read_tag(ret, READ_FROM_TAG, m->from);
	read_tag(ret, READ_TO_TAG, m->to);
	if (osip_message_get_contact(m, 0, &contact) >= 0 && contact) {
		if (contact->url)
			read_uri(ret, READ_CONTACT, contact->url);
		else
			reading_set_text(ret, READ_CONTACT, contact->displayname); /* "*" */
	}
	if (m->cseq) {
		reading_set_text(ret, READ_CSEQ, m->cseq->number);
		reading_set_text(ret, READ_CSEQ_METHOD, m->cseq->method);
	}
	if (m->call_id) {
		(void)snprintf(text, sizeof(text), "%s%s%s",
			       m->call_id->number ? m->call_id->number : "",
			       m->call_id->host ? "@" : "",
			       m->call_id->host ? m->call_id->host : "");
		reading_set_text(ret, READ_CALL_ID, text);
	}
	read_via(ret, m);
	read_numbers(ret, m);
}

static void say_nothing(const char *file, int line, osip_trace_level_t level, const char *format,
			va_list args)
{
	(void)file;
	(void)line;
	(void)level;
	(void)format;
	(void)args;
}

int oracle_osip(const char *bytes, size_t len, struct reading *ret)
{
	static int started;
	osip_message_t *m = NULL;
	char *copy;
	int r = -1;

	if (!started) {
		started = parser_init() == 0;
		osip_trace_initialize_func(TRACE_LEVEL0, say_nothing);
	}
	if (osip_message_init(&m) != 0)
		return -1;
	copy = malloc(len + 1); /* it wants a NUL behind */
	if (copy) {
		memcpy(copy, bytes, len);
		copy[len] = '\0';
		r = osip_message_parse(m, copy, len) == 0 ? 0 : -1;
	}
	if (r == 0)
		read_message(m, ret);
	free(copy);
	osip_message_free(m);
	return r;
}
