/* SPDX-License-Identifier: Apache-2.0 */
/* sip_cseq.h - CSeq and RAck. RFC 3261 section 20.16, RFC 3262 section 7.2. */
#pragma once
#include <stdint.h>

#include "base/slice.h"
#include "codec/sip/sip_token.h"

struct sip_cseq {
	uint32_t number; /* below 2^31 */
	enum sip_method method;
	struct slice method_name;
};

struct sip_rack {
	uint32_t rseq;
	uint32_t cseq;
	enum sip_method method;
	struct slice method_name;
};

/* Whole input each; 0 or -EBADMSG. */
int sip_cseq_parse(struct slice in, struct sip_cseq *ret);
int sip_rack_parse(struct slice in, struct sip_rack *ret);
