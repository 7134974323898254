/* SPDX-License-Identifier: Apache-2.0 */
/* sip_cseq.c - see sip_cseq.h. */
#include "codec/sip/sip_cseq.h"

#include <errno.h>

#include "codec/sip/sip_chars.h"

/* 1*DIGIT LWS, below 2^31 */
static int take_number(struct slice *in, uint32_t *ret)
{
	if (slice_take_u32(in, ret) < 0 || *ret > INT32_MAX || sip_skip_lws(in) == 0)
		return -EBADMSG;
	return 0;
}

static int take_method(struct slice in, struct slice *name, enum sip_method *method)
{
	if (!sip_token_valid(in))
		return -EBADMSG;
	*name = in;
	*method = sip_method_lookup(in);
	return 0;
}

/* CSeq = 1*DIGIT LWS Method (RFC 3261 section 25.1); below 2^31 (section 8.1.1.5). */
int sip_cseq_parse(struct slice in, struct sip_cseq *ret)
{
	struct sip_cseq out = { 0 };

	if (take_number(&in, &out.number) < 0 || take_method(in, &out.method_name, &out.method) < 0)
		return -EBADMSG;
	*ret = out;
	return 0;
}

/* RAck = response-num LWS CSeq-num LWS Method (RFC 3262 section 10) */
int sip_rack_parse(struct slice in, struct sip_rack *ret)
{
	struct sip_rack out = { 0 };

	if (slice_take_u32(&in, &out.rseq) < 0 || out.rseq == 0 || sip_skip_lws(&in) == 0)
		return -EBADMSG;
	if (take_number(&in, &out.cseq) < 0 || take_method(in, &out.method_name, &out.method) < 0)
		return -EBADMSG;
	*ret = out;
	return 0;
}
