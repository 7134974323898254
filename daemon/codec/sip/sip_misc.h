/* SPDX-License-Identifier: Apache-2.0 */
/* sip_misc.h - the smaller typed header fields; each function takes one whole value.
 * All give 0 or -EBADMSG and fill ret only on success. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "codec/sip/sip_addr.h"

/* Event: package [.template] *( ;param ) (RFC 6665 section 8.2.1). */
struct sip_event {
	struct slice type; /* "dialog", "presence.winfo" */
	struct slice id;   /* empty when there is none */
	struct slice params;
};
int sip_event_parse(struct slice in, struct sip_event *ret);

/* Session-Expires / Min-SE (RFC 4028). */
enum sip_refresher { SIP_REFRESHER_NONE = 0, SIP_REFRESHER_UAC, SIP_REFRESHER_UAS };
struct sip_session_expires {
	uint32_t seconds;
	enum sip_refresher refresher;
};
int sip_session_expires_parse(struct slice in, struct sip_session_expires *ret);

/* Subscription-State (RFC 6665 section 8.2.3). */
enum sip_substate {
	SIP_SUBSTATE_OTHER = 0,
	SIP_SUBSTATE_ACTIVE,
	SIP_SUBSTATE_PENDING,
	SIP_SUBSTATE_TERMINATED
};
struct sip_subscription_state {
	enum sip_substate state;
	struct slice state_name;
	struct slice reason;
	bool has_expires, has_retry_after;
	uint32_t expires_s, retry_after_s;
};
int sip_subscription_state_parse(struct slice in, struct sip_subscription_state *ret);

/* Reason: protocol *( ;cause= ;text= ) (RFC 3326), one value. */
struct sip_reason {
	struct slice protocol; /* "SIP", "Q.850" */
	uint32_t cause;	       /* 0 when absent */
	struct slice text;     /* without quotes, still escaped */
};
int sip_reason_parse(struct slice in, struct sip_reason *ret);

/* Replaces / Join: callid;to-tag=..;from-tag=..[;early-only] (RFC 3891, RFC 3911). */
struct sip_replaces {
	struct slice call_id;
	struct slice to_tag;
	struct slice from_tag;
	bool early_only;
};
int sip_replaces_parse(struct slice in, struct sip_replaces *ret);

/* Content-Type (RFC 3261 section 20.15). */
struct sip_content_type {
	struct slice type;
	struct slice subtype;
	struct slice params; /* with the leading ";" */
};
int sip_content_type_parse(struct slice in, struct sip_content_type *ret);
/* Whether the field is "type/subtype" (any case), parameters aside. */
bool sip_content_type_is(struct slice in, struct slice type_and_subtype);

/* delta-seconds; what is larger than 2^32-1 counts as that. */
int sip_delta_parse(struct slice in, uint32_t *ret);

/* Retry-After: delta [ (comment) ] *( ;params ) */
int sip_retry_after_parse(struct slice in, uint32_t *ret_seconds);

/* Warning: code agent "text" (RFC 3261 section 20.43), one value. */
struct sip_warning {
	unsigned code; /* 100..999 */
	struct slice agent;
	struct slice text; /* without quotes, still escaped */
};
int sip_warning_parse(struct slice in, struct sip_warning *ret);

/* SIP-date: RFC 1123 form in GMT (RFC 3261 section 20.17); only its form is checked. */
bool sip_date_valid(struct slice in);
