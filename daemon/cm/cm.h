/* SPDX-License-Identifier: Apache-2.0 */
/* cm.h - the communication manager as one object: what its modules share. Private to this room. */
#pragma once
#include "base/list.h"
#include "base/log_limit.h"
#include "base/timer.h"
#include "cm/appearance.h"
#include "cm/call.h"
#include "cm/line.h"
#include "stack/sip/sip_flow.h"

struct cm_options;
struct loop;
struct metrics;
struct node;
struct sip_incoming;
struct sip_stack;

enum cm_metric {
	CM_INVITES_ORIG,
	CM_INVITES_TERM,
	CM_HALVES_ANSWERED,
	CM_HALVES_BUSY,
	CM_HALVES_NO_ANSWER,
	CM_HALVES_CANCELLED,
	CM_HALVES_FAILED,
	CM_UNTRUSTED,
	CM_RECORDS_LOST,
	CM_RESERVED,
	CM_PUBLISHED,
	CM_PUBLISH_FAILED,
	CM_TRANSFERRED,
	CM_TRANSFER_FAILED,
	CM_REDIRECTED,
	CM_CALLS,
	CM_METRICS
};

struct cm {
	struct node *node;
	struct loop *loop;
	const struct cm_options *options;
	struct metrics *metrics;
	struct sip_stack *stack;
	struct appearance_table appearances;
	struct call_table calls;
	struct list halves;  /* struct b2bua_half, alive */
	struct map offhooks; /* struct offhook, lines that are reserved, by Call-ID */
	struct line_table lines;
	struct sip_flow link; /* by which sm sent its last request */
	bool has_link;
	struct list sides; /* struct side, re-INVITEs of ours */
	struct list dead;  /* those to free once nobody is inside them any more */
	struct timer reaper;
	struct log_limit hop_log, unsent_log; /* once a call while sm cannot be reached */
};

/* What we understand as a user agent, for Allow. */
#define CM_ALLOW "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY"
#define CM_SUPPORTED "100rel, timer, replaces"
/* In a re-INVITE nobody waits for a 1xx. */
#define CM_SUPPORTED_INSIDE "timer, replaces"

int64_t cm_wall_ms(const struct cm *cm);

/* intake.c: a request outside of any dialog. */
void intake_request(struct cm *cm, const struct sip_incoming *in);
/* The INVITE with digits of a phone that is off-hook, which came in the dialog of its reservation. */
void intake_dialled(struct cm *cm, const struct sip_incoming *in);
