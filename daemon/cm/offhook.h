/* SPDX-License-Identifier: Apache-2.0 */
/* offhook.h - a phone that goes off-hook reserves a line before anything is dialled: an INVITE to itself
 * without a description and with avaya-cm-fnu=off-hook in its URIs. The INVITE with the digits has the
 * same Call-ID and From tag; then the first one ends with 484. */
#pragma once
#include <stdbool.h>

#include "base/slice.h"

struct b2bua_half;
struct cm;
struct offhook; /* opaque, see offhook.c; owned by its cm */
struct sip_incoming;
struct sip_msg;

#define OFFHOOK_MAX 20000 /* lines reserved at a time */

/* Is it such an INVITE? */
bool offhook_is(const struct sip_msg *msg);
/* Take it: 183 and a reserved line, or a refusal. */
void offhook_reserve(struct cm *cm, const struct sip_incoming *in);
/* The reservation that an INVITE with digits belongs to, NULL when there is none. */
struct offhook *offhook_find(const struct cm *cm, const struct sip_msg *msg);
/* Its line becomes the half's; the first INVITE gets 484. */
void offhook_hand_over(struct offhook *o, struct b2bua_half *b);
void offhook_end_all(struct cm *cm); /* the process ends */
