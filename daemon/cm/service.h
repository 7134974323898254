/* SPDX-License-Identifier: Apache-2.0 */
/* service.h - what a half decides before it sends an INVITE on: who is served, where it goes. */
#pragma once
#include "base/slice.h"
#include "cm/half.h"

struct uc_model;
struct uc_station;
struct uc_user;

#define SERVICE_DIGITS_MAX 28 /* the longest number that can be dialled */

/* What the INVITE says, all borrowed; users are the user parts of URIs, unescaped. */
struct service_request {
	enum half_phase phase;
	struct slice asserted;	    /* user of P-Asserted-Identity; empty if there is none */
	struct slice asserted_host; /* and its host */
	struct slice target;	    /* user of the Request-URI */
	struct slice target_host;
};

enum service_class { SERVICE_INTERNAL, SERVICE_EXTERNAL };

/* What to do. Pointers live as long as the model. */
struct service_verdict {
	unsigned status;		  /* 0 go on, else refuse with this */
	const char *reason;		  /* phrase and Warning text of a refusal */
	const struct uc_station *station; /* whose appearance the half seizes; NULL none */
	const struct uc_user *target;	  /* the user that is called; NULL: not one of ours */
	bool retarget;			  /* the Request-URI becomes target's address of record */
	enum service_class class;	  /* of the caller, as the callee sees it */
	char caller[HALF_PARTY_SIZE];	  /* for records: handle, else user part */
	char callee[HALF_PARTY_SIZE];
};

/* Decide. Pure: the appearance is seized by the caller. */
void service_decide(const struct uc_model *model, const struct service_request *req,
		    struct service_verdict *ret);
/* The digits of a dialled user part without visual separators and parameters, into
 * out[SERVICE_DIGITS_MAX + 1]. Errors: -EINVAL not a number, -ENOSPC too long. */
int service_digits(struct slice user, char *out);
/* The class as Alert-Info names it: "internal", "external". */
const char *service_class_name(enum service_class class);
