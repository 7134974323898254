/* SPDX-License-Identifier: Apache-2.0 */
/* oracle_sofia.c - a message as sofia-sip reads it. */
#include <stdio.h>
#include <string.h>

#include <sofia-sip/msg.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/url.h>

#include "reading.h"

static void read_uri(struct reading *ret, enum reading_field first, const url_t *url)
{
	if (url->url_type == url_any) {
		reading_set_text(ret, first, "*");
		return;
	}
	reading_set_text(ret, first, url->url_scheme);
	if (url->url_type != url_sip && url->url_type != url_sips)
		return;
	if (url->url_user)
		reading_set_escaped(ret, first + 1, url->url_user, strlen(url->url_user));
	reading_set_text(ret, first + 2, url->url_host);
	reading_set_text(ret, first + 3, url->url_port);
}

static void read_via(struct reading *ret, const sip_via_t *via)
{
	reading_set_text(ret, READ_VIA_HOST, via->v_host);
	reading_set_text(ret, READ_VIA_PORT, via->v_port);
	reading_set_text(ret, READ_VIA_BRANCH, via->v_branch);
	reading_set_text(ret, READ_VIA_RECEIVED, via->v_received);
	reading_set_text(ret, READ_VIA_RPORT, via->v_rport);
}

static void read_message(const sip_t *sip, struct reading *ret)
{
	if (sip->sip_request) {
		reading_set_text(ret, READ_KIND, sip->sip_request->rq_method_name);
		read_uri(ret, READ_URI, sip->sip_request->rq_url);
	} else {
		reading_set_number(ret, READ_KIND, (unsigned long)sip->sip_status->st_status);
	}
	if (sip->sip_from) {
		read_uri(ret, READ_FROM, sip->sip_from->a_url);
		reading_set_text(ret, READ_FROM_TAG, sip->sip_from->a_tag);
	}
	if (sip->sip_to) {
		read_uri(ret, READ_TO, sip->sip_to->a_url);
		reading_set_text(ret, READ_TO_TAG, sip->sip_to->a_tag);
	}
	if (sip->sip_contact)
		read_uri(ret, READ_CONTACT, sip->sip_contact->m_url);
	if (sip->sip_call_id)
		reading_set_text(ret, READ_CALL_ID, sip->sip_call_id->i_id);
	if (sip->sip_cseq) {
		reading_set_number(ret, READ_CSEQ, sip->sip_cseq->cs_seq);
		reading_set_text(ret, READ_CSEQ_METHOD, sip->sip_cseq->cs_method_name);
	}
	if (sip->sip_via)
		read_via(ret, sip->sip_via);
	if (sip->sip_max_forwards)
		reading_set_number(ret, READ_MAX_FORWARDS, sip->sip_max_forwards->mf_count);
	if (sip->sip_content_length)
		reading_set_number(ret, READ_LENGTH, sip->sip_content_length->l_length);
	if (sip->sip_payload)
		reading_set_body(ret, sip->sip_payload->pl_data, sip->sip_payload->pl_len);
}

int oracle_sofia(const char *bytes, size_t len, struct reading *ret)
{
	msg_t *msg = msg_make(sip_default_mclass(), MSG_FLG_EXTRACT_COPY, bytes, (ssize_t)len);
	const sip_t *sip = msg ? sip_object(msg) : NULL;
	int r = -1;

	if (sip && !sip->sip_error && (sip->sip_request || sip->sip_status)) {
		read_message(sip, ret);
		r = 0;
	}
	if (msg)
		msg_destroy(msg);
	return r;
}
