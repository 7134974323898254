/* SPDX-License-Identifier: Apache-2.0 */
/* access.h - who may publish and who may watch whose presence. */
#pragma once
#include "base/slice.h"
#include "codec/sip/sip_token.h"

struct uc_model;
struct uc_user;

/* User parts are unescaped; all borrowed. */
struct access_request {
	enum sip_method method; /* SIP_PUBLISH or SIP_SUBSCRIBE */
	struct slice asserted;	/* user of P-Asserted-Identity; empty if there is none */
	struct slice asserted_host;
	struct slice target; /* user of the Request-URI */
	struct slice target_host;
};

/* 0 and the presentity, or the status to refuse with: 403 the asker is not known, or publishes for
 * somebody else; 404 no such presentity. *ret lives as long as the model. */
unsigned access_decide(const struct uc_model *model, const struct access_request *req,
		       const struct uc_user **ret);
